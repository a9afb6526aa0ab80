// What starts the next daemon when one dies with a session on its hands. Real processes.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const PROGRAM = join(import.meta.dirname, "keeps-without-descriptors.ts");
const DIES = join(import.meta.dirname, "dies-while-it-keeps.ts");

/** All that the program and what it leaves behind say. */
async function said(...words: readonly string[]): Promise<string> {
  return await ends("/bin/sh", "-c", 'ulimit -n 64; exec "$@" 2>/dev/null', "sh", process.execPath, PROGRAM, ...words);
}

async function ends(file: string, ...args: readonly string[]): Promise<string> {
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
  }
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

  it("starts no more than five in a row that all die of what they find, and says what to do", async () => {
    const folder = mkdtempSync(join(tmpdir(), "keeper-"));
    const lives = join(folder, "lives");
    try {
      expect(await ends(process.execPath, DIES, lives)).toMatch(
        /^agent-run: error: 5 daemons were started in a row .* agent-run daemon logs, then agent-run ps\n$/,
      );
      expect(readFileSync(lives, "utf8")).toBe("first\n1\n2\n3\n4\n5\n");
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 60_000);
});
