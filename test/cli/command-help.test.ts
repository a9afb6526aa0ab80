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

const tooWide = (help: string, width = 80): string[] => help.split("\n").filter((line) => line.length > width);

describe("help", () => {
  it("fits into 80 columns", async () => {
    expect(tooWide(overview("0.1.0+29473dc6", undefined))).toEqual([]);
    const all = await everyCommand();
    expect(all.length).toBeGreaterThan(25);
    for (const command of all) expect(tooWide(commandHelp(command, undefined)), command.name).toEqual([]);
  });

  it("is no wider in a wide terminal, and fits into a narrow one but for words and commands that are longer", async () => {
    const pages = [overview("0.1.0", 40), ...(await everyCommand()).map((command) => commandHelp(command, 40))];
    const wide = pages
      .flatMap((page) => tooWide(page, 40))
      .filter((line) => /\S {1,}\S/.test(line.replace(/^ *agent-run .*|^ *aws .*/, "")));
    expect(wide).toEqual([]);
    expect(overview("0.1.0", 200)).toBe(overview("0.1.0", undefined));
  });

  it("speaks of a command and of its options in lower case, with no full stop", async () => {
    for (const { name, summary, options } of await everyCommand())
      for (const text of [summary, ...options.map(({ help }) => help)]) expect(text, name).not.toMatch(/^[A-Z][a-z]|\.$/);
  });
});
