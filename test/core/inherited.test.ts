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

  it("gives a program /dev/null in place of it, and of the master of a PTY that node-pty opened", () => {
    const program = `
      import { spawnSync } from "node:child_process";
      import { spawn } from "@lydell/node-pty";
      import { withoutInherited } from ${JSON.stringify(module)};
      spawn("/bin/sleep", ["60"], {});
      const list = (stdio) => spawnSync("/bin/ls", ["-l", "/proc/self/fd"], { encoding: "utf8", stdio }).stdout;
      console.log(JSON.stringify([list("pipe"), withoutInherited(["pipe", "pipe", "pipe"], list)]));
      process.exit();`;
    const folder = openSync("/", "r");
    try {
      const stdio = ["ignore", "pipe", "inherit", ...Array.from({ length: 37 }, () => "ignore" as const), folder] as const;
      const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8", stdio: [...stdio] });
      const [before = "", after = ""] = JSON.parse(stdout) as string[];
      expect(before).toMatch(/ \d+ -> \/dev\/(pts\/)?ptmx$/m);
      expect(before).toMatch(/ 40 -> \/$/m);
      expect(after).not.toMatch(/ptmx$/m);
      expect(after).toMatch(/ 40 -> \/dev\/null$/m);
    } finally {
      closeSync(folder);
    }
  });

  it("closes what no program can be kept from, above a limit that was lowered later", () => {
    const program = `
      import { spawnSync } from "node:child_process";
      import { withoutInherited } from ${JSON.stringify(module)};
      const list = (stdio) => spawnSync("/bin/ls", ["/proc/self/fd"], { encoding: "utf8", stdio });
      const { error, stdout } = withoutInherited(["pipe", "pipe", "pipe"], list);
      process.stdout.write(error === undefined ? stdout : error.code);`;
    const shell = 'ulimit -n 72; exec "$0" --input-type=module -e "$1"';
    const folder = openSync("/", "r");
    try {
      const stdio = ["ignore", "pipe", "inherit", ...Array.from({ length: 77 }, () => "ignore" as const), folder] as const;
      const { stdout } = spawnSync("/bin/sh", ["-c", shell, process.execPath, program], { encoding: "utf8", stdio: [...stdio] });
      const open = stdout.trim().split("\n");
      expect(open).toContain("2");
      expect(open).not.toContain("80");
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
