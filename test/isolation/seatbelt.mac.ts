// The sandbox of macOS around real programs. Only a Mac runs this file: vitest.config.ts leaves it out elsewhere, .github/workflows/macos.yml runs it.
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { probeIsolation } from "../../src/isolation/probe.ts";
import { users, World } from "./world.ts";

const STORES = [
  ".aws/credentials",
  ".aws/sso/cache/x.json",
  ".ssh/id_ed25519",
  ".netrc",
  ".config/gcloud/x.db",
  ".codex/auth.json",
  ".zsh_history",
];

describe("the sandbox of macOS", () => {
  let world: World;
  beforeAll(() => {
    const [self] = users;
    if (!self) throw new Error("no user");
    world = new World(self);
    for (const path of STORES) world.plant(path);
    world.plant(".zshrc", "# mine\n");
    world.plant(".claude/settings.json", "{}\n");
    world.plant("code/notes.txt", "notes\n");
    world.git("init", "-q", "-b", "main");
    world.settle();
  });
  afterAll(() => world[Symbol.dispose]());
  const canariesIn = (text: string): string[] => [...world.canaries].filter(([, canary]) => text.includes(canary)).map(([path]) => path);

  it("is there", async () => {
    expect(await probeIsolation("standard", { platform: "darwin", path: "", prelude: undefined, keyring: false })).toMatchObject({
      ok: true,
    });
  });

  it.each(["standard", "strict"] as const)("hides the stores at %s, also through links and moves", (level) => {
    const { stdout, stderr } = world.run(
      `find "$HOME" -type f -exec cat {} + 2>/dev/null; ln -s "$HOME/.aws/credentials" l; cat l; mv "$HOME/.aws" "$HOME/code/project/moved"; cat moved/credentials; ln "$HOME/.netrc" h; cat h`,
      { level },
    );
    expect(canariesIn(stdout + stderr)).toEqual([]);
    expect(existsSync(join(world.home, ".aws/credentials"))).toBe(true);
  });

  it.each(["standard", "strict"] as const)("lets the project be written at %s, and nothing that runs later", (level) => {
    const { status, stdout } = world.run(
      [
        "echo new > written && echo project",
        'echo x >> "$HOME/.zshrc" || echo start-up file',
        'mkdir -p "$HOME/Library/LaunchAgents" && echo x > "$HOME/Library/LaunchAgents/x.plist" || echo launch agent',
        "git config core.fsmonitor evil || echo git config",
        "echo x > .git/hooks/pre-commit || echo git hook",
        "mv .git .git-moved || echo git folder",
        'echo x > "$HOME/.claude/settings.json" || echo settings',
        'mktemp >/dev/null && echo x > "$TMPDIR/x" && echo temp',
      ].join("; "),
      { agent: "claude", level },
    );
    expect(status).toBe(0);
    expect(stdout).toBe("project\nstart-up file\nlaunch agent\ngit config\ngit hook\ngit folder\nsettings\ntemp\n");
    expect(readFileSync(join(world.home, ".zshrc"), "utf8")).toBe("# mine\n");
  });

  it("shows home at standard, and not at strict", () => {
    expect(world.run('cat "$HOME/code/notes.txt"').stdout).toBe("notes\n");
    expect(world.run('cat "$HOME/code/notes.txt"', { level: "strict" }).stdout).toBe("");
  });

  it("signals no process outside", () => {
    const { stdout } = world.run(`kill -0 ${process.pid} 2>/dev/null && echo reached || echo refused`);
    expect(stdout).toBe("refused\n");
  });

  it("reaches no keychain and starts no program outside", () => {
    const { stdout } = world.run(
      "security find-generic-password -s none 2>&1 | grep -c 'could not be found'; open -a Calculator 2>/dev/null && echo opened; osascript -e 'tell application \"Finder\" to activate' 2>/dev/null && echo told; echo end",
    );
    expect(stdout).toBe("0\nend\n");
  });

  it("has, at strict, the session's port and no other", async () => {
    const server = createServer((socket) => socket.end("answer"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const script = `node -e 'require("net").connect(${port},"127.0.0.1").on("connect",()=>{console.log("connected");process.exit()}).on("error",(e)=>{console.log("refused");process.exit()})'`;
    expect(world.run(script, { level: "strict", ports: [port] }).stdout).toBe("connected\n");
    expect(world.run(script, { level: "strict" }).stdout).toBe("refused\n");
    server.close();
  });

  it("passes on the exit status", () => {
    expect(world.run("exit 7").status).toBe(7);
  });
});
