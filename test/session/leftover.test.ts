// What a dead launcher may leave, ended by the daemon. Real processes.
import { execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { newSessionId } from "../../src/core/id.ts";
import { processInfo } from "../../src/core/process-tree.ts";
import { endProcesses } from "../../src/session/leftover.ts";

describe("ending what a launcher started", () => {
  it("ends the process that it named, and what is below", async () => {
    const child = spawn("/bin/sh", ["-c", "sleep 60; :"], { stdio: "ignore" });
    const pid = child.pid ?? 0;
    const started = processInfo(pid)?.started ?? "";
    expect(await endProcesses(newSessionId(), { pid, started }, 0, 3000)).toBe(0);
    expect(processInfo(pid)).toBeUndefined();
  });

  it.skipIf(process.platform !== "linux")("ends it as soon as there is a descriptor again to look by (Linux)", async () => {
    const session = newSessionId();
    const child = spawn("/bin/sleep", ["60"], { stdio: "ignore", env: { AGENT_RUN_SESSION: session } });
    const program = [process.execPath, join(import.meta.dirname, "ends-without-descriptors.ts"), session, String(child.pid)];
    const { stdout } = await promisify(execFile)("/bin/sh", ["-c", 'ulimit -n 64; exec "$@"', "sh", ...program]);
    expect(JSON.parse(stdout)).toEqual({ left: 0, there: false });
  });

  it.each([
    ["ourselves", process.pid],
    ["a process above us", process.ppid],
  ])("leaves %s alone, whoever named it", async (_, pid) => {
    let asked = 0;
    const count = (): void => {
      asked += 1;
    };
    process.on("SIGTERM", count);
    try {
      expect(await endProcesses(newSessionId(), { pid, started: processInfo(pid)?.started ?? "" }, 60_000, 100)).toBe(0);
      expect(asked).toBe(0);
    } finally {
      process.off("SIGTERM", count);
    }
  });
});
