// What was open before us and is not handed on. Real descriptors of real processes.
import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const module = join(import.meta.dirname, "../../src/core/inherited.ts");
/** Starts Node with `descriptor` open as number 40 (a gap above 16, where libuv stops looking) and gives what a child of it has open. */
function handedOn(descriptor: number, keep: string): string[] {
  const program = `
    import { spawnSync } from "node:child_process";
    import { closeInherited } from ${JSON.stringify(module)};
    ${keep === "all" ? "" : `closeInherited(${keep});`}
    process.stdout.write(spawnSync("/bin/ls", ["/proc/self/fd"], { encoding: "utf8" }).stdout);`;
  const stdio = ["ignore", "pipe", "inherit", ...Array.from({ length: 37 }, () => "ignore" as const), descriptor] as const;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8", stdio: [...stdio] });
  return stdout.trim().split("\n");
}

describe.skipIf(process.platform !== "linux")("closing what was inherited (reads /proc)", () => {
  it("hands on a folder that was open before only where nothing is closed", () => {
    const folder = openSync("/", "r");
    try {
      expect(handedOn(folder, "all")).toContain("40");
      expect(handedOn(folder, "(stat) => stat.isFIFO()")).not.toContain("40");
      expect(handedOn(folder, "() => false")).not.toContain("40");
    } finally {
      closeSync(folder);
    }
  });

  it("keeps what it is asked to keep, and the standard streams", () => {
    const folder = openSync("/", "r");
    try {
      expect(handedOn(folder, "(stat) => stat.isDirectory()")).toEqual(expect.arrayContaining(["0", "1", "2", "40"]));
    } finally {
      closeSync(folder);
    }
  });
});
