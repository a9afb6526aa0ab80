// What `--help` prints, of every command: the width of a common terminal, and one look.
import { describe, expect, it } from "vitest";
import type { Command } from "../../src/cli/command.ts";
import { commandHelp } from "../../src/cli/command-help.ts";
import { commands } from "../../src/cli/commands.ts";
import { overview } from "../../src/cli/help.ts";

/** With the parts of those that have some, such as `policy lint`. */
async function everyCommand(): Promise<Command[]> {
  const all = await Promise.all(commands.map(({ load }) => load()));
  const parts = all.flatMap((command) => Object.values(command.parts ?? {}));
  return [...all, ...(await Promise.all(parts.map((load) => load())))];
}

const tooWide = (help: string): string[] => help.split("\n").filter((line) => line.length > 80);

describe("help", () => {
  it("fits into 80 columns", async () => {
    expect(tooWide(overview("0.1.0+29473dc6"))).toEqual([]);
    const all = await everyCommand();
    expect(all.length).toBeGreaterThan(25);
    for (const command of all) expect(tooWide(commandHelp(command)), command.name).toEqual([]);
  });

  it("speaks of a command and of its options in lower case, with no full stop", async () => {
    for (const { name, summary, options } of await everyCommand())
      for (const text of [summary, ...options.map(({ help }) => help)]) expect(text, name).not.toMatch(/^[A-Z][a-z]|\.$/);
  });
});
