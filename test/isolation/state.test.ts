// What of an agent's own state an agent can leave behind for later sessions: what is gone at the end, what can not be written, and what is told.
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { rememberTold, toldChanges } from "../../src/isolation/told.ts";
import { hasBubblewrap, missing, users, World } from "./world.ts";

describe.skipIf(!hasBubblewrap).each(users)(`the state of an agent, for $name${missing}`, (user) => {
  let world: World;
  beforeEach(() => {
    world = new World(user);
    world.plant(".bashrc", "# mine\n");
  });
  afterEach(() => world[Symbol.dispose]());

  const LEVELS = ["standard", "strict"] as const;

  it.each(LEVELS)("at %s keeps nothing that Claude Code's other sessions run or obey unasked, and shows none of theirs", (level) => {
    world.plant(".claude/shell-snapshots/snapshot-bash-1.sh", "echo mine\n");
    world.settle();
    const folders = ["daemon/dispatch", "jobs/one", "shell-snapshots", "session-env/one", "sessions", "teams/one/inboxes"];
    const { stdout, stderr } = world.run(
      `cd ~/.claude; cat shell-snapshots/* 2>/dev/null; for f in ${folders.join(" ")}; do mkdir -p $f && echo x > $f/evil && echo made; done; mv daemon d2; rmdir jobs; echo end`,
      { agent: "claude", level },
    );
    expect(stdout, stderr).toBe(`${"made\n".repeat(folders.length)}end\n`);
    expect(readdirSync(join(world.home, ".claude"))).toEqual(["shell-snapshots"]);
    expect(readFileSync(join(world.home, ".claude/shell-snapshots/snapshot-bash-1.sh"), "utf8")).toBe("echo mine\n");
  });

  it("has Codex's daemon, its socket and its copy be the run's own, where the human has none", () => {
    world.plant(".codex/shell_snapshots/mine.sh", "echo mine\n");
    world.settle();
    const folders = [
      "app-server-control",
      "app-server-daemon",
      "shell_snapshots",
      "tmp/arg0",
      "packages/x",
      "skills/.system",
      ".tmp/plugins",
    ];
    const { stdout, stderr } = world.run(
      `cd ~/.codex; ls shell_snapshots; for f in ${folders.join(" ")}; do mkdir -p $f && echo x > $f/evil && echo made; done; echo 1 > history.jsonl; rm -rf packages; echo end`,
      { agent: "codex" },
    );
    expect(stdout, stderr).toBe(`${"made\n".repeat(folders.length)}end\n`);
    expect(readdirSync(join(world.home, ".codex")).sort()).toEqual(["history.jsonl", "shell_snapshots"]);
    expect(readdirSync(join(world.home, ".codex/shell_snapshots"))).toEqual(["mine.sh"]);
  });

  it.each(LEVELS)("at %s has no other settings take the place of Claude Code's", (level) => {
    world.plant(".claude/history.jsonl", "1\n");
    world.settle();
    const { stdout } = world.run(
      "cd ~/.claude; stat -c '%s %A' .config.json | cut -c1-4; echo '{}' > .config.json || echo refused; rm -f .config.json || echo stays",
      { agent: "claude", level },
    );
    // Empty and closed to writers: it does not count then.
    expect(stdout).toBe("0 -r\nrefused\nstays\n");
    expect(existsSync(join(world.home, ".claude/.config.json"))).toBe(false);
  });

  it.each(LEVELS)("at %s lets Gemini CLI fetch a program, and keeps none that an agent put there", (level) => {
    world.plant(".gemini/google_accounts.json", "{}\n");
    world.settle();
    const { stdout, stderr } = world.run(
      "cd ~/.gemini; mkdir -p tmp/app; echo log > tmp/app/logs.json; echo '#!/bin/sh' > tmp/bin/rg && chmod +x tmp/bin/rg && echo fetched; mv tmp t2; ls",
      { agent: "gemini", level },
    );
    expect(stdout, stderr).toContain("fetched\n");
    expect(stderr).toContain("mv: cannot move");
    expect(readFileSync(join(world.home, ".gemini/tmp/app/logs.json"), "utf8")).toBe("log\n");
    expect(existsSync(join(world.home, ".gemini/tmp/bin"))).toBe(false);
  });

  it("shows at strict, to read, what the human's own links to a folder of dotfiles lead to, and nothing beside it", () => {
    world.plant("dotfiles/opencode/opencode.json", '{"theme":"mine"}\n');
    world.plant("dotfiles/opencode/agent/mine.md", "be kind\n");
    world.plant("dotfiles/claude/CLAUDE.md", "mine\n");
    world.plant("dotfiles/secret");
    world.plant(".config/opencode/own.txt", "own\n");
    world.link(".config/opencode/opencode.json", "../../dotfiles/opencode/opencode.json");
    world.link(".config/opencode/agent", "../../dotfiles/opencode/agent");
    world.link(".claude", "dotfiles/claude");
    world.settle();
    const opencode = world.run(
      "cd ~/.config/opencode; cat opencode.json agent/mine.md own.txt; echo x > opencode.json || echo to read; ls -A ~/dotfiles ~/dotfiles/opencode; cat ~/dotfiles/secret",
      { agent: "opencode", level: "strict" },
    );
    expect(opencode.stdout, opencode.stderr).toBe(
      `{"theme":"mine"}\nbe kind\nown\nto read\n${world.home}/dotfiles:\nopencode\n\n${world.home}/dotfiles/opencode:\nagent\nopencode.json\n`,
    );
    const claude = world.run(
      "cat ~/.claude/CLAUDE.md; echo 1 > ~/.claude/history.jsonl; echo '{}' > ~/.claude/settings.json || echo to read; ls ~/dotfiles",
      {
        agent: "claude",
        level: "strict",
      },
    );
    expect(claude.stdout, claude.stderr).toBe("mine\nto read\nclaude\n");
    expect(readFileSync(join(world.home, "dotfiles/claude/history.jsonl"), "utf8")).toBe("1\n");
    expect(existsSync(join(world.home, "dotfiles/claude/settings.json"))).toBe(false);
  });

  it("shows at strict nothing by a link that an agent can have made, nor what belongs to somebody else", () => {
    world.plant("private/notes");
    world.plant("private/plugin/notes");
    world.plant(".local/share/opencode/auth.json", "{}\n");
    world.link(".local/share/opencode/plugin", "../../../private/plugin");
    world.link(".local/share/opencode/bin", "../../../private");
    world.link("code/project/settings/opencode.json", "../../../private/notes");
    world.link(".config/opencode/link.json", "/etc/shadow");
    world.settle();
    const env = { ...world.env, OPENCODE_CONFIG_DIR: join(world.project, "settings") };
    const { stdout, stderr } = world.run(
      "cat ~/private/notes ~/private/plugin/notes ~/.config/opencode/link.json; ls ~/private /etc/shadow; echo end",
      {
        agent: "opencode",
        level: "strict",
        env,
      },
    );
    expect(stdout, stderr).toBe("end\n");
  });

  it("covers what a shell runs out of its cache when it starts, and leaves the rest of the cache", () => {
    const files = [".cache/p10k-instant-prompt-dev.zsh", ".cache/gitstatus/gitstatusd", ".cache/zsh/zcompdump"];
    for (const file of files) world.plant(file, "mine\n");
    world.plant(".cache/pip/x", "x\n");
    world.settle();
    const { stdout } = world.run(
      `cd ~; for f in ${files.join(" ")}; do cat $f; echo evil > $f || rm -f $f || mv $(dirname $f) elsewhere || echo stays; done; echo y > .cache/pip/x && echo cached`,
      { agent: "bash", env: { ...world.env, USER: "dev" } },
    );
    expect(stdout).toBe("mine\nstays\nmine\nstays\nmine\nstays\ncached\n");
    for (const file of files) expect(readFileSync(join(world.home, file), "utf8")).toBe("mine\n");
  });

  it("starts with an allowed second agent as well, whose shared folders are empty too", () => {
    world.plant(".claude/jobs/mine", "x\n");
    world.settle();
    const { stdout, stderr } = world.run("ls -A ~/.claude/jobs; echo x > ~/.claude/jobs/evil; echo end", {
      agent: "codex",
      allow: ["claude"],
    });
    expect(stdout, stderr).toBe("end\n");
    expect(readdirSync(join(world.home, ".claude/jobs"))).toEqual(["mine"]);
  });
});

describe("what is told at the end of a run", () => {
  let world: World;
  beforeEach(() => {
    world = new World(users[0] as (typeof users)[number]);
  });
  afterEach(() => world[Symbol.dispose]());

  it("is what was made or changed, by patterns, and links that were replaced", () => {
    const told = ["trusted.json", "settings.json", "history/*/.git/config", "never.json"].map((path) => ({ path: join(world.home, path) }));
    world.plant("dotfiles/settings.json", "{}\n");
    world.link("settings.json", "dotfiles/settings.json");
    world.plant("history/old/.git/config", "[core]\n");
    expect(toldChanges(told, 0, new Map(), world.home)).toEqual(["~/settings.json", "~/history/old/.git/config"]);
    const since = lstatSync(join(world.home, "history/old/.git/config")).ctimeMs + 1;
    // Until the clock of the file system has gone on.
    for (const file of [".tick"]) while (statSync(world.plant(file, "x\n")).ctimeMs < since);
    expect(toldChanges(told, since, new Map(), world.home)).toEqual([]);
    world.plant("history/new/.git/config", "[core]\n  fsmonitor = evil\n");
    world.plant("trusted.json", "{}\n");
    rmSync(join(world.home, "settings.json"));
    symlinkSync("elsewhere", join(world.home, "settings.json"));
    expect(toldChanges(told, since, new Map(), world.home)).toEqual(["~/trusted.json", "~/settings.json", "~/history/new/.git/config"]);
  });

  it("is, of a file that is written all the time, only what counts later", () => {
    const path = world.plant(
      ".claude.json",
      JSON.stringify({ numStartups: 1, mcpServers: { mine: { command: "mine" } }, projects: { "/a": { allowedTools: ["x"] } } }),
    );
    const keys = [
      ["mcpServers", "*"],
      ["projects", "*", "allowedTools"],
      ["projects", "*", "hasTrustDialogAccepted"],
    ];
    const told = [{ path, keys }];
    const remembered = rememberTold(told);
    const change = (now: unknown): string[] => {
      writeFileSync(path, typeof now === "string" ? now : JSON.stringify(now));
      return toldChanges(told, 0, remembered, world.home);
    };
    const before = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    expect(
      change({
        ...before,
        numStartups: 2,
        projects: { "/a": { allowedTools: ["x"] }, "/b": { allowedTools: [], hasTrustDialogAccepted: false } },
      }),
    ).toEqual([]);
    expect(change({ ...before, mcpServers: { mine: { command: "evil" }, other: { command: "evil" } } })).toEqual([
      "~/.claude.json: mcpServers.mine",
      "~/.claude.json: mcpServers.other",
    ]);
    expect(change({ projects: { "/a": { allowedTools: ["Bash"] }, "/b": { hasTrustDialogAccepted: true } } })).toEqual([
      "~/.claude.json: projects./a.allowedTools",
      "~/.claude.json: projects./b.hasTrustDialogAccepted",
    ]);
    expect(change("{ broken")).toEqual(["~/.claude.json"]);
    expect(change({})).toEqual([]);
  });

  it("is, of the agent's own copies of such a file, only what neither said: not of each run's backup the same again", () => {
    const keys = [["mcpServers", "*"]];
    const told = [
      { path: join(world.home, ".claude.json"), keys },
      { path: join(world.home, ".claude/backups/*"), keys },
      { path: join(world.home, ".claude/projects/*/memory/*") },
    ];
    const servers = (...names: string[]): string =>
      JSON.stringify({ mcpServers: Object.fromEntries(names.map((name) => [name, { command: name }])) });
    world.plant(".claude.json", servers("mine"));
    const remembered = rememberTold(told);
    world.plant(".claude.json", servers("mine", "new"));
    world.plant(".claude/backups/one", servers("mine", "new"));
    world.plant(".claude/backups/two", servers("evil"));
    world.plant(".claude/projects/-app/memory/MEMORY.md", "believe me\n");
    world.plant(".claude/projects/-app/one.jsonl", "{}\n");
    expect(toldChanges(told, 0, remembered, world.home)).toEqual([
      "~/.claude.json: mcpServers.new",
      "~/.claude/backups/two: mcpServers.evil",
      "~/.claude/projects/-app/memory/MEMORY.md",
    ]);
  });

  it("is named though it came with an old folder that was moved there", () => {
    const file = world.plant(".gemini/spare/.git/config", "[core]\n  fsmonitor = evil\n");
    const memory = world.plant(".claude/spare/MEMORY.md", "believe me\n");
    const since = lstatSync(memory).ctimeMs + 1;
    while (statSync(world.plant(".tick", "x\n")).ctimeMs < since);
    world.plant(".gemini/history/new/HEAD", "x\n");
    renameSync(dirname(file), join(world.home, ".gemini/history/new/.git"));
    world.plant(".claude/projects/-app/one.jsonl", "{}\n");
    renameSync(dirname(memory), join(world.home, ".claude/projects/-app/memory"));
    const told = ["history/*/.git/config", "spare/*"].map((path) => ({ path: join(world.home, ".gemini", path) }));
    expect(toldChanges([...told, { path: join(world.home, ".claude/projects/*/memory/*") }], since, new Map(), world.home)).toEqual([
      "~/.gemini/history/new/.git/config",
      "~/.claude/projects/-app/memory/MEMORY.md",
    ]);
  });

  it("is named whatever else stands there: what is too deep, names without end, more copies than can be read", () => {
    const path = world.plant(".claude.json", "{}");
    const keys = [["mcpServers", "*"], ["env"]];
    const told = [
      { path, keys },
      { path: join(world.home, ".claude/backups/*"), keys },
      { path: world.plant(".claude/CLAUDE.md", "obey\n") },
    ];
    const remembered = rememberTold(told);
    const deep = `${"[".repeat(50_000)}1${"]".repeat(50_000)}`;
    writeFileSync(path, `{"mcpServers":{"deep":${deep},"${"long".repeat(100_000)}":1},"env":${deep}}`);
    expect(toldChanges(told, 0, remembered, world.home)).toEqual([
      "~/.claude.json: mcpServers.deep",
      `~/.claude.json: ${"mcpServers.".padEnd(200, "long")}`,
      "~/.claude.json: env",
      "~/.claude/CLAUDE.md",
    ]);
    writeFileSync(path, JSON.stringify({ mcpServers: Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`x${at}`, 1])) }));
    expect(toldChanges(told, 0, remembered, world.home)).toHaveLength(22);
    writeFileSync(path, "{}");
    for (let at = 0; at < 100; at += 1) truncateSync(world.plant(`.claude/backups/${at}`, "{}"), 16_000_000);
    expect(toldChanges(told, 0, remembered, world.home)).toHaveLength(101);
  });

  it("has an end whatever stands there", () => {
    const path = join(world.home, "deep.json");
    writeFileSync(path, `${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}`);
    expect(
      toldChanges([{ path, keys: [["mcpServers", "*"]] }, { path: "/proc/self/fd/*/x" }], 0, new Map(), world.home).length,
    ).toBeLessThan(2);
  });
});
