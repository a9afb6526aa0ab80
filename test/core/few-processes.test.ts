// Whether a user has processes left for a launch, with the system's own limit set by prlimit for a user of this test alone.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isShortOfProcesses } from "../../src/core/few-processes.ts";

const MODULE = join(import.meta.dirname, "..", "..", "src", "core", "few-processes.ts");
const UID = 45_871;
const isRoot = process.getuid?.() === 0;

/** Of a process that becomes the user when it has read its program, which may be root's alone. */
function answer(limit: number, becomes: string): string {
  const script = `const { isShortOfProcesses } = await import(${JSON.stringify(MODULE)}); ${becomes}; console.log(isShortOfProcesses())`;
  const words = [`--nproc=${limit}`, process.execPath, "--input-type=module", "--eval", script];
  return spawnSync("prlimit", words, { encoding: "utf8" }).stdout.trim();
}

describe.skipIf(process.platform !== "linux")("the processes that a user has left (needs Linux)", () => {
  it("are enough for whoever runs these tests", () => {
    expect(isShortOfProcesses()).toBe(false);
  });

  const user = `process.setgid(${UID}); process.setuid(${UID})`;
  it.skipIf(!isRoot).each([
    [39, user, "true"],
    [40, user, "false"],
    [4000, user, "false"],
    [39, "", "false"],
  ] as const)("are too few with a limit of %i after '%s': %s (needs root)", (limit, becomes, short) => {
    expect(answer(limit, becomes)).toBe(short);
  });
});
