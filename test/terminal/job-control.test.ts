// Ctrl-Z and fg in a real shell in tmux; and the same on plain pipes.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { demoBundle, removeDemo } from "./demo-bundle.ts";
import { node, pause } from "./outer.ts";

const hasTmux = spawnSync("tmux", ["-V"]).status === 0;
const hasVim = spawnSync("sh", ["-c", "command -v vim"]).status === 0;
const hasBubblewrap =
  spawnSync("bwrap", ["--dev-bind", "/", "/", "--unshare-pid", "--proc", "/proc", "--die-with-parent", "true"]).status === 0;
const server = `agent-run-test-${process.pid}`;
const tmux = (...args: string[]): string => execFileSync("tmux", ["-L", server, "-f", "/dev/null", ...args], { encoding: "utf8" });
const screen = (): string => tmux("capture-pane", "-p");
async function until(what: string | RegExp): Promise<void> {
  for (const end = performance.now() + 8000; !(typeof what === "string" ? screen().includes(what) : what.test(screen())); await pause(30)) {
    if (performance.now() > end) throw new Error(`tmux never showed ${what}:\n${screen()}`);
  }
}

let demo = "";
let folder = "";
beforeAll(async () => {
  demo = await demoBundle();
  // Else the server leaves with its last session, and the next session can come upon one that is just leaving.
  if (hasTmux) tmux("start-server", ";", "set-option", "-g", "exit-empty", "off");
  folder = mkdtempSync(join(tmpdir(), "jobs-"));
  writeFileSync(join(folder, "run"), `#!/bin/sh\nexec '${node}' '${demo}' "$@"\n`, { mode: 0o755 });
});
afterAll(() => {
  if (hasTmux) spawnSync("tmux", ["-L", server, "kill-server"]);
  rmSync(folder, { recursive: true, force: true });
  removeDemo(demo);
});

describe.skipIf(!hasTmux)("Ctrl-Z in a shell (needs tmux)", () => {
  it.each(hasBubblewrap ? ["", "DEMO_BWRAP=1 "] : [""])(
    "stops the launcher and the agent, and fg brings both back, '%s'",
    async (prefix) => {
      tmux("new-session", "-d", "-x", "80", "-y", "16", "env PS1='shell> ' bash --norc --noprofile");
      const type = (...keys: string[]): string => tmux("send-keys", ...keys);
      await until("shell>");
      type(`${prefix}${folder}/run cat`, "Enter");
      await until("readonly@");
      type("one", "Enter");
      await until(/one\none/);
      for (let i = 0; i < 2; i++) {
        type("C-z");
        await until("Stopped");
        expect(screen()).not.toContain("readonly@");
        type("stty -a | grep -o -- '-\\?icanon'; clear", "Enter");
        await pause(300);
        type("echo in the shell", "Enter");
        await until(/^in the shell/m);
        type("fg", "Enter");
        await until("readonly@");
        type(`two${i}`, "Enter");
        await until(new RegExp(`two${i}\ntwo${i}`));
        expect(screen().trimEnd().split("\n").at(-1)).toContain("readonly@");
      }
      type("C-c");
      await until(/shell> *$/m);
      type("echo status $?", "Enter");
      await until("status 130");
      tmux("kill-session");
    },
  );

  it.skipIf(!hasVim)("vim (needs vim) is back on its screen with fg, and the shell's lines are where they were", async () => {
    const [cols, rows] = [80, 16];
    tmux("new-session", "-d", "-x", String(cols), "-y", String(rows), "env PS1='shell> ' bash --norc --noprofile");
    const type = (...keys: string[]): string => tmux("send-keys", ...keys);
    const lines = Array.from({ length: rows - 2 }, (_, i) => `line ${i + 1} of the text`);
    writeFileSync(join(folder, "text"), `${lines.join("\n")}\n`);
    await until("shell>");
    type(`clear; ${folder}/run vim -u NONE -N ${folder}/text`, "Enter");
    const whole = new RegExp(`^${lines.join("\n")}\n.*\n.*readonly@`);
    await until(whole);
    type("C-z");
    await until("Stopped");
    expect(screen()).not.toContain("of the text");
    expect(screen()).not.toContain("readonly@");
    type("fg", "Enter");
    await until(whole);
    type(":q!", "Enter");
    await until(/Stopped[\s\S]*shell> *$/m);
    expect(screen()).not.toContain("of the text");
    tmux("kill-session");
  });
});

describe("on plain pipes", () => {
  it("a stop of the launcher stops the agent, and SIGCONT continues both", async () => {
    const child = spawn(node, [demo, "sh", "-c", "while :; do echo tick; sleep 0.05; done"], { stdio: ["ignore", "pipe", "inherit"] });
    let ticks = 0;
    child.stdout.on("data", (bytes: Buffer) => {
      ticks += bytes.length / 5;
    });
    while (ticks < 3) await pause(20);
    child.kill("SIGTSTP");
    await pause(300);
    const stopped = ticks;
    await pause(400);
    expect(ticks).toBe(stopped);
    child.kill("SIGCONT");
    await pause(500);
    expect(ticks).toBeGreaterThan(stopped + 2);
    child.kill("SIGTERM");
    await new Promise((resolve) => child.on("exit", resolve));
  });
});
