// What is put back when an agent is gone: the human's links, and nothing where nothing was; whatever the agent left there, and nowhere else.
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { thisMachine } from "../../src/core/machine.ts";
import { noteKept, type PutBack, putBack, putBackAll, putBackText } from "../../src/isolation/put-back.ts";
import { hasBubblewrap, missing, users, World } from "./world.ts";

const SESSION = "sess_00000001";

describe.skipIf(process.platform !== "linux")("what an agent left is put back (needs Linux)", () => {
  let world: World;
  let state: string;
  let notes: string;
  let folder: string;
  beforeEach(() => {
    world = new World(users[0] as (typeof users)[number]);
    state = join(world.root, "state");
    notes = join(state, "kept", thisMachine().id);
    folder = join(world.home, ".tool");
    world.plant("dotfiles/settings.json", "mine\n");
    world.link(".tool/settings.json", "../dotfiles/settings.json");
    world.plant(".tool/history", "1\n");
  });
  afterEach(() => world[Symbol.dispose]());

  const LINK = "../dotfiles/settings.json";
  const note = (path: string, target?: string): void =>
    noteKept([{ path: join(folder, path), folder, ...(target === undefined ? {} : { target }) }], state, SESSION);
  const one = (done: readonly PutBack[]): PutBack => {
    expect(done).toHaveLength(1);
    return done[0] as PutBack;
  };

  it("leaves all that is as it was, and tells nothing", () => {
    note("settings.json", LINK);
    const before = lstatSync(join(folder, "settings.json")).ino;
    expect(putBack(state, SESSION)).toEqual([]);
    expect(lstatSync(join(folder, "settings.json")).ino).toBe(before);
    expect(readdirSync(notes)).toEqual([]);
    expect(existsSync(join(state, "set-aside"))).toBe(false);
  });

  it.each([
    ["a file", (path: string) => writeFileSync(path, "evil\n"), (aside: string) => expect(readFileSync(aside, "utf8")).toBe("evil\n")],
    [
      "a folder that nobody may enter",
      (path: string) => {
        mkdirSync(join(path, "deep"), { recursive: true });
        chmodSync(path, 0);
      },
      (aside: string) => {
        expect(statSync(aside).isDirectory()).toBe(true);
        chmodSync(aside, 0o700);
        expect(readdirSync(aside)).toEqual(["deep"]);
      },
    ],
    [
      "another link",
      (path: string) => symlinkSync("/etc/passwd", path),
      (aside: string) => expect(readlinkSync(aside)).toBe("/etc/passwd"),
    ],
    ["a link to nothing", (path: string) => symlinkSync("nowhere", path), (aside: string) => expect(readlinkSync(aside)).toBe("nowhere")],
  ])("has the link again in the place of %s, which is kept where it says", (_what, leave, look) => {
    const path = join(folder, "settings.json");
    note("settings.json", LINK);
    rmSync(path);
    leave(path);
    const back = one(putBack(state, SESSION));
    expect(readlinkSync(path)).toBe(LINK);
    expect(back).toMatchObject({ path, again: "link" });
    expect(back.aside).toHaveLength(1);
    look(back.aside[0] as string);
    // The kernel moves a folder that its owner may not write no further than in the one that holds it.
    expect([join(state, "set-aside", SESSION), folder]).toContain(dirname(back.aside[0] as string));
    expect(putBackText(back)).toBe(`${path}, a link of yours, was replaced meanwhile: it is back; what was there is now ${back.aside[0]}`);
    expect(putBack(state, SESSION)).toEqual([]);
  });

  it("has a link again that was taken away, also where the folder was closed to writers", () => {
    note("settings.json", LINK);
    rmSync(join(folder, "settings.json"));
    chmodSync(folder, 0o500);
    const back = one(putBack(state, SESSION));
    expect(readlinkSync(join(folder, "settings.json"))).toBe(LINK);
    expect(putBackText(back)).toContain("was taken away meanwhile: it is back");
  });

  it("moves away what was made where nothing was, and no more", () => {
    note("hooks");
    mkdirSync(join(folder, "hooks"));
    writeFileSync(join(folder, "hooks", "evil"), "evil\n");
    const back = one(putBack(state, SESSION));
    expect(back).toMatchObject({ path: join(folder, "hooks"), again: "nothing" });
    expect(readdirSync(folder).sort()).toEqual(["history", "settings.json"]);
    expect(readFileSync(join(back.aside[0] as string, "evil"), "utf8")).toBe("evil\n");
    expect(putBackText(back)).toContain("was made meanwhile, and would count later: it was moved away; what was there is now /");
  });

  it("keeps it beside, by a name that nothing looks for, where it can not be moved to another file system", () => {
    const other = mkdtempSync("/dev/shm/put-back-");
    try {
      expect(statSync(other).dev).not.toBe(statSync(folder).dev);
      noteKept([{ path: join(folder, "settings.json"), folder, target: LINK }], other, SESSION);
      rmSync(join(folder, "settings.json"));
      writeFileSync(join(folder, "settings.json"), "evil\n");
      const [aside = ""] = one(putBack(other, SESSION)).aside;
      expect(aside).toMatch(/\/\.tool\/settings\.json\.set-aside-[0-9a-f]{8}$/);
      expect(readFileSync(aside, "utf8")).toBe("evil\n");
      expect(readlinkSync(join(folder, "settings.json"))).toBe(LINK);
    } finally {
      rmSync(other, { recursive: true });
    }
  });

  it.each([
    ["moved away", () => {}],
    ["made a link to a folder of the human's", (path: string) => symlinkSync("../dotfiles", path)],
    ["made a file", (path: string) => writeFileSync(path, "x")],
  ])("goes by no link: a folder on the way that was %s is there again, and what a link led to is untouched", (_what, leave) => {
    mkdirSync(join(folder, "deep"));
    symlinkSync("../../dotfiles/settings.json", join(folder, "deep/settings.json"));
    note("deep/settings.json", "../../dotfiles/settings.json");
    renameSync(join(folder, "deep"), join(folder, "elsewhere"));
    leave(join(folder, "deep"));
    one(putBack(state, SESSION));
    expect(readlinkSync(join(folder, "deep/settings.json"))).toBe("../../dotfiles/settings.json");
    expect(lstatSync(join(folder, "deep")).isDirectory()).toBe(true);
    expect(readdirSync(join(world.home, "dotfiles"))).toEqual(["settings.json"]);
    expect(readFileSync(join(world.home, "dotfiles/settings.json"), "utf8")).toBe("mine\n");
  });

  it("changes nothing where the agent's folder itself is gone or a link by now, and says the latter", () => {
    note("settings.json", LINK);
    renameSync(folder, join(world.home, "moved"));
    expect(putBack(state, SESSION)).toEqual([]);
    note("settings.json", LINK);
    rmSync(join(world.home, "moved/settings.json"));
    symlinkSync("moved", folder);
    expect(putBackText(one(putBack(state, SESSION)))).toContain("could not be put back as it was before the run: ENOTDIR");
    expect(existsSync(join(world.home, "moved/settings.json"))).toBe(false);
    // It is tried again before the next launch.
    expect(readdirSync(notes)).toEqual([SESSION]);
  });

  it("is left to the machine that it is of, where a home is shared", () => {
    const path = join(folder, "settings.json");
    note("settings.json", LINK);
    const others = join(state, "kept", "0123456789abcdef");
    renameSync(notes, others);
    rmSync(path);
    expect(putBackAll(state, () => false)).toEqual([]);
    expect(readdirSync(others)).toEqual([SESSION]);
    expect(existsSync(path)).toBe(false);
  });

  it("is done before the next launch where nobody could: for the session that is gone for good, for one that is there as often as needed", () => {
    const path = join(folder, "settings.json");
    note("settings.json", LINK);
    for (const isThere of [true, true, false]) {
      rmSync(path);
      writeFileSync(path, "evil\n");
      one(putBackAll(state, () => isThere));
      expect(readlinkSync(path)).toBe(LINK);
      expect(readdirSync(notes)).toEqual(isThere ? [SESSION] : []);
    }
    expect(putBackAll(state, () => false)).toEqual([]);
  });

  it("is nothing that a run starts without: where it can not be noted, the run is refused", () => {
    world.plant("no-folder", "");
    expect(() => noteKept([{ path: join(folder, "x"), folder }], join(world.home, "no-folder"), SESSION)).toThrow(
      expect.objectContaining({ code: "isolation", hint: expect.stringContaining("no-folder/kept") }),
    );
  });

  it("leaves out a note that was cut short", () => {
    note("settings.json", LINK);
    writeFileSync(join(notes, SESSION), '{"path":"/etc/pas');
    expect(putBack(state, SESSION)).toEqual([]);
  });
});

describe.skipIf(!hasBubblewrap).each(users)(`links of the human's in an agent's folder, for $name${missing}`, (user) => {
  let world: World;
  beforeEach(() => {
    world = new World(user);
    world.plant("dotfiles/claude/settings.json", '{"theme":"dark"}\n');
    world.plant("dotfiles/claude/commands/mine.md", "mine\n");
    world.plant("dotfiles/statusline.sh", "echo mine\n");
    world.plant(".claude/history.jsonl", "1\n");
    world.link(".claude/settings.json", "../dotfiles/claude/settings.json");
    world.link(".claude/commands", "../dotfiles/claude/commands");
    world.link(".claude/statusline.sh", "../dotfiles/statusline.sh");
    world.settle();
  });
  afterEach(() => world[Symbol.dispose]());

  const links = (): (string | undefined)[] =>
    ["settings.json", "commands", "statusline.sh"].map((name) => {
      const path = join(world.home, ".claude", name);
      return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(path) : undefined;
    });
  /** Where bubblewrap makes the mounts none holds a link. */
  const withoutMounts = (level: "standard" | "strict" = "standard"): void => {
    expect(world.run("true", { level }).status).toBe(0);
    world.leaveToBubblewrap(level);
  };
  const MINE = ["../dotfiles/claude/settings.json", "../dotfiles/claude/commands", "../dotfiles/statusline.sh"];

  it.each(["standard", "strict"] as const)("are back after a run at %s that replaced them, and what is in them was read-only", (level) => {
    withoutMounts(level);
    const { stdout, stderr } = world.run(
      `cd ~/.claude; cat settings.json; echo x > settings.json || echo read-only
       echo '{"hooks":{}}' > s && mv s settings.json && rm commands && mkdir commands && echo evil > commands/evil.md && rm statusline.sh && echo replaced`,
      { agent: "claude", level },
    );
    // At strict a link that an agent can have made shows nothing.
    expect(stdout, stderr).toBe(`${level === "strict" ? "" : '{"theme":"dark"}\n'}read-only\nreplaced\n`);
    expect(links()).toEqual(MINE);
    expect(stderr).toContain(
      `${world.home}/.claude/settings.json, a link of yours, was replaced meanwhile: it is back; what was there is now `,
    );
    expect(stderr).toContain("commands, a link of yours, was replaced meanwhile");
    expect(stderr).toContain("statusline.sh, a link of yours, was taken away meanwhile: it is back");
    const aside = join(world.home, ".local/state/agent-run/set-aside", world.session);
    expect(
      readdirSync(aside)
        .map((name) => name.replace(/-[0-9a-f]{8}$/, ""))
        .sort(),
    ).toEqual(["commands", "settings.json"]);
    const settings = readdirSync(aside).find((name) => name.startsWith("settings")) ?? "";
    expect(readFileSync(join(aside, settings), "utf8")).toBe('{"hooks":{}}\n');
    // The next run has the human's.
    expect(
      world.run("cat ~/.claude/settings.json ~/.claude/commands/*; ls -A ~/.local/state/agent-run 2>/dev/null", { agent: "claude" }).stdout,
    ).toBe('{"theme":"dark"}\nmine\n');
  });

  it("are not taken for the agent's where nobody ended the run: the next launch puts them back first, and says so", async () => {
    withoutMounts();
    const child = world.start(["/bin/sh", "-c", "cd ~/.claude; echo evil > s; mv s settings.json; echo done; sleep 60"], {
      agent: "claude",
      announce: true,
    });
    const done = Promise.withResolvers<void>();
    child.stdout?.on("data", (text: Buffer) => String(text).includes("done") && done.resolve());
    await done.promise;
    const gone = Promise.withResolvers<void>();
    child.on("close", () => gone.resolve());
    child.kill("SIGKILL");
    await gone.promise;
    expect(links()[0]).toBeUndefined();
    const { stdout } = world.run("cat ~/.claude/settings.json", { agent: "claude" });
    expect(stdout).toBe('{"theme":"dark"}\n');
    expect(links()).toEqual(MINE);
  });

  it.each([
    ["claude", [".claude/agents", ".claude/jobs", ".claude/settings.local.json"]],
    ["gemini", [".gemini/tmp/bin"]],
  ] as const)("that lead nowhere keep no launch of %s from starting, and are back", (agent, paths) => {
    for (const path of paths) world.link(path, "nowhere/at-all");
    world.settle();
    withoutMounts();
    const { stdout, stderr } = world.run(`cd; for f in ${paths.join(" ")}; do rm $f && mkdir -p $f && echo made; done`, { agent });
    expect(stdout, stderr).toBe("made\n".repeat(paths.length));
    for (const path of paths) expect(readlinkSync(join(world.home, path))).toBe("nowhere/at-all");
  });

  it("are not all: what would count later and was made where nothing was is moved away", () => {
    const { stdout, stderr } = world.run(
      "cd ~/.claude; mkdir local bin; echo evil > local/claude; echo evil > scheduled_tasks.json; echo 2 > history.jsonl; echo made",
      { agent: "claude" },
    );
    expect(stdout, stderr).toBe("made\n");
    const left = readdirSync(join(world.home, ".claude")).sort();
    expect(left).toEqual(["commands", "history.jsonl", "settings.json", "statusline.sh"]);
    expect(stderr).toContain(
      ".claude/scheduled_tasks.json was made meanwhile, and would count later: it was moved away; what was there is now ",
    );
  });

  it("of an agent that was given back are put back too, and settings of its that another makes are moved away", () => {
    withoutMounts();
    const { stdout, stderr } = world.run(
      "cd ~/.claude; rm settings.json; echo evil > settings.json; echo evil > settings.local.json; echo made",
      { agent: "codex", allow: ["claude"] },
    );
    expect(stdout, stderr).toBe("made\n");
    expect(links()).toEqual(MINE);
    expect(existsSync(join(world.home, ".claude/settings.local.json"))).toBe(false);
  });

  it.each(["standard", "strict"] as const)("can be neither replaced nor moved nor taken away at %s, where our program mounts", (level) => {
    world.link(".claude/agents", "nowhere/at-all");
    world.settle();
    const { stdout, stderr } = world.run(
      `cd ~/.claude; echo evil > s; mkdir d
       for link in settings.json commands statusline.sh agents; do
         rm $link || mv s $link || mv -T d $link || mv $link away || ln -sfn s $link || ln -f s $link || readlink $link
       done 2>/dev/null
       mv ~/.claude ~/away 2>/dev/null; cat statusline.sh settings.json; { echo x > settings.json; } 2>/dev/null || echo read-only; ls`,
      { agent: "claude", level, checked: true },
    );
    const led = [...MINE, "nowhere/at-all"].join("\n");
    expect(stdout, stderr).toMatch(new RegExp(`^${led}\n(echo mine\n)?(\\{"theme":"dark"\\}\n)?read-only\nagents\n`));
    expect(stdout).not.toContain("away");
    expect(links()).toEqual(MINE);
    expect(stderr).not.toContain("meanwhile");
  });

  it("can be replaced by the human all the same, and are back as they were", async () => {
    const script = "cd ~/.claude; echo ready; until [ -e over ]; do sleep 0.05; done; readlink settings.json";
    const child = world.start(["/bin/sh", "-c", script], { agent: "claude" });
    let said = "";
    const ready = Promise.withResolvers<void>();
    child.stdout?.on("data", (text: Buffer) => {
      said += String(text);
      ready.resolve();
    });
    await ready.promise;
    const path = join(world.home, ".claude/settings.json");
    symlinkSync("../dotfiles/other.json", `${path}.new`);
    renameSync(`${path}.new`, path);
    writeFileSync(join(world.home, ".claude/over"), "");
    await new Promise((resolve) => child.on("close", resolve));
    expect(said).toBe("ready\n../dotfiles/other.json\n");
    expect(links()).toEqual(MINE);
  });
});
