// The shim under the shells that stand behind /bin/sh elsewhere: the agent has the terminal, and its stops and its end are told.
import { spawnSync } from "node:child_process";
import { spawn } from "@lydell/node-pty";
import { describe, expect, it } from "vitest";
import { foregroundGroup } from "../../src/terminal/foreground.ts";
import { shimCommand } from "../../src/terminal/shim.ts";
import { pause } from "./outer.ts";

const LIMIT_MS = 8000;
/** Called by the name of sh, bash is what POSIX says. */
const SHELLS = [
  { name: "dash", words: ["dash"] },
  { name: "bash", words: ["bash", "--posix"] },
].filter(({ name }) => spawnSync(name, ["-c", ":"]).status === 0);

describe.each(SHELLS)("the shim in $name", ({ name, words: [file = "", ...options] }) => {
  it("gives the agent the terminal, and tells each stop and its status", async () => {
    const agent = { file: "/bin/sh", args: ["-c", 'read -r a; echo "<$a>"; read -r b; echo "<$b>"; exit 7'], cwd: "/", env: {} };
    const { args } = shimCommand(agent, "sane", undefined, name);
    const shim = spawn(file, [...options, ...args], { cols: 80, rows: 24, cwd: "/", env: { PATH: process.env["PATH"] ?? "" } });
    let text = "";
    shim.onData((bytes) => {
      text += bytes;
    });
    const says = async (what: RegExp): Promise<void> => {
      for (const end = performance.now() + LIMIT_MS; !what.test(text); await pause(10))
        if (performance.now() > end) throw new Error(`never ${what}: ${JSON.stringify(text)}`);
    };
    try {
      await says(/;start\x07/);
      shim.write("one\r");
      await says(/<one>/);
      for (let stops = 1; stops <= 2; stops += 1) {
        shim.write("\x1a");
        await says(new RegExp(`(?:;stop\x07[\\s\\S]*){${stops}}`));
        process.kill(shim.pid, "SIGCONT");
        // Only who has the foreground is stopped by a key.
        while (foregroundGroup(shim.pid) === shim.pid) await pause(10);
      }
      shim.write("two\r");
      await says(/<two>[\s\S]*;exit;7\x07/);
      expect(text.match(/;stop\x07/g)).toHaveLength(2);
      expect(text).not.toContain("Stopped");
    } finally {
      shim.kill("SIGKILL");
    }
  });
});
