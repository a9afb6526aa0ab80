// What starts the next daemon when one dies with a session on its hands. Real processes.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const PROGRAM = join(import.meta.dirname, "keeps-without-descriptors.ts");

/** All that the program and what it leaves behind say. */
async function said(...words: readonly string[]): Promise<string> {
  const child = spawn("/bin/sh", ["-c", 'ulimit -n 64; exec "$@"', "sh", process.execPath, PROGRAM, ...words], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  await new Promise((resolve) => child.once("close", resolve));
  return text;
}

describe("the keeper", () => {
  it("refuses what it cannot keep, and counts it for nothing: who lets go of the last one has no daemon started", async () => {
    expect(await said()).toBe("daemon\n");
  });

  it("starts the next daemon when this one is killed while something is held", async () => {
    expect(await said("busy")).toBe("daemon\nstarted\n");
  });
});
