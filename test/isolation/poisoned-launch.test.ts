// What an agent left behind, by the thousand, where the next launch looks: that one starts all the same, soon, and nothing of the human's lies open.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hasBubblewrap, missing, users, World } from "./world.ts";

/** Far more than a launch takes on a slow machine; each thousand of mounts costs bwrap seconds. */
const SOON_MS = 15_000;

describe.skipIf(!hasBubblewrap)(`a launch after an agent that left thousands of things${missing}`, () => {
  const user = users.at(-1) ?? { name: "", prefix: [], uid: 0 };

  it.each(["standard", "strict"] as const)("programs in its own folder: %s starts, and yours are covered", (level) => {
    using world = new World(user);
    world.plant(".claude/statusline.sh", "echo mine\n");
    world.plant(".claude/projects/notes.md", "notes\n");
    for (let n = 0; n < 4000; n++) writeFileSync(join(world.home, ".claude", `left-${n}.sh`), "");
    world.settle();
    const began = performance.now();
    const script =
      "echo started; echo evil >>~/.claude/statusline.sh; echo evil >~/.claude/new.sh; echo more >>~/.claude/projects/notes.md";
    const { stdout, stderr } = world.run(script, { agent: "claude", level });
    expect(stdout, stderr).toBe("started\n");
    expect(performance.now() - began).toBeLessThan(SOON_MS);
    expect(readFileSync(join(world.home, ".claude/statusline.sh"), "utf8")).toBe("echo mine\n");
    expect(() => readFileSync(join(world.home, ".claude/new.sh"))).toThrow("ENOENT");
    // What it needs to go on is there.
    expect(readFileSync(join(world.home, ".claude/projects/notes.md"), "utf8")).toBe("notes\nmore\n");
  });

  it("sockets that a session beside it listens on: in their place the folder that holds them is hidden", async () => {
    using world = new World(user);
    world.plant(".cache/mine.txt", "cached\n");
    const folder = join(world.home, ".cache", "x");
    mkdirSync(folder);
    world.settle();
    const listen = `let n=0;const next=()=>n<1500?require("net").createServer().listen(process.argv[1]+"/"+n++,next):console.log("ready");next()`;
    const [file = "", ...args] = [...user.prefix, process.execPath, "-e", listen, folder];
    const others: ChildProcess = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
    try {
      await new Promise((resolve) => others.stdout?.once("data", resolve));
      const began = performance.now();
      const { stdout, stderr } = world.run("cat ~/.cache/mine.txt; ls -A ~/.cache/x");
      expect(stdout, stderr).toBe("cached\n");
      expect(performance.now() - began).toBeLessThan(SOON_MS);
    } finally {
      others.kill("SIGKILL");
    }
  });

  it("links in a browser's cache of its making that lead to what the launch needs: that is not hidden, and the human's own is", () => {
    using world = new World(user);
    const secret = world.plant("dotfiles/chrome/secret", "mine\n");
    mkdirSync(join(world.home, ".cache", "chromium"), { recursive: true });
    mkdirSync(join(world.home, ".cache", "google-chrome"), { recursive: true });
    for (const [name, target] of [
      ["a", world.project],
      ["b", "/usr/lib"],
      ["c", "/etc"],
      ["d", join(world.home, "code")],
    ] as const)
      symlinkSync(target, join(world.home, ".cache", "chromium", name));
    symlinkSync(world.project, join(world.home, ".cache", "mozilla"));
    symlinkSync(join(world.home, "dotfiles/chrome"), join(world.home, ".cache", "google-chrome", "own"));
    world.settle();
    const { stdout, stderr } = world.run(`echo works >here && cat here && ls /usr/lib >/dev/null; cat ${secret}`);
    expect(stdout, stderr).toBe("works\n");
    expect(stderr).toContain("No such file");
  });
});
