// The mark that tells a session's processes from others, on real processes.
import { type ChildProcess, spawn } from "node:child_process";
import { describe, expect, it } from "vitest";
import { carriesMark, markedCommand } from "../../src/core/session-mark.ts";
import { has, until } from "../end-to-end/world.ts";

const SESSION = "sess_00c0ffee";
const start = (file: string, args: readonly string[], env: Record<string, string>): ChildProcess =>
  spawn(file, args, { env, stdio: "ignore" });
const PATH = "/usr/bin:/bin";

describe.skipIf(process.platform !== "linux" || !has("prlimit"))("the mark of a session (needs prlimit)", () => {
  it("is on a process that left the tree, its session and its environment, and on no other session's", async () => {
    const command = markedCommand({
      file: "/bin/sh",
      args: ["-c", "exec env -i sleep 60"],
      cwd: "/",
      env: { PATH, AGENT_RUN_SESSION: SESSION },
    });
    const child = start(command.file, command.args, {});
    try {
      await until(() => carriesMark(child.pid ?? 0, SESSION), 5000, "the mark");
      expect(carriesMark(child.pid ?? 0, "sess_00c0ffef")).toBe(false);
      expect(carriesMark(process.pid, SESSION)).toBe(false);
    } finally {
      child.kill("SIGKILL");
    }
  });

  it("is the environment alone where the command has no session, and changes nothing of such a command", async () => {
    const plain = { file: "/bin/true", args: [], cwd: "/", env: { PATH } };
    expect(markedCommand(plain)).toEqual(plain);
    const child = start("/bin/sleep", ["60"], { AGENT_RUN_SESSION: SESSION });
    try {
      await until(() => carriesMark(child.pid ?? 0, SESSION), 5000, "the mark");
    } finally {
      child.kill("SIGKILL");
    }
  });
});
