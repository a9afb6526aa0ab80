// What ends a launcher that waits for a file system that does not answer: the kernel alone.
import { execFileSync } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

/** Which signals a process does something at, as the kernel knows it (proc(5), SigCgt). */
const CAUGHT = `BigInt("0x" + /SigCgt:\\s*(\\S+)/.exec(require("node:fs").readFileSync("/proc/self/status", "utf8"))[1])`;

describe.skipIf(process.platform !== "linux")("signals, while the machine is looked at", () => {
  it("are the kernel's own to carry out, also those that Node handles", () => {
    const launch = join(import.meta.dirname, "../../src/cli/launch.ts");
    const script = `
      const before = ${CAUGHT};
      import(${JSON.stringify(launch)}).then(({ leaveSignals }) => { leaveSignals(); console.log(String(before), String(${CAUGHT})); });`;
    const [before = 0n, after = 0n] = execFileSync(process.execPath, ["-e", script], { encoding: "utf8" }).trim().split(" ").map(BigInt);
    for (const name of ["SIGINT", "SIGTERM"] as const) {
      const bit = 1n << BigInt(constants.signals[name] - 1);
      expect(before & bit, name).toBe(bit);
      expect(after & bit, name).toBe(0n);
    }
  });
});
