// The pages as a whole: the index leads to each, the tables of agents and of other tools are about what is there.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commands } from "../../src/cli/commands.ts";
import { KNOWN_AGENTS } from "../../src/isolation/agents.ts";
import { ROOT } from "../packages/toolbox.ts";

const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");

describe("docs/README.md", () => {
  it("leads to every page, each once", () => {
    const pages = globSync("docs/*.md", { cwd: ROOT }).filter((file) => file !== "docs/README.md");
    const linked = [...read("docs/README.md").matchAll(/^- \[[^\]]+\]\(([^)]+)\)/gm)].map(([, target]) => `docs/${target}`);
    expect(linked.filter((file) => file !== "docs/../README.md").sort()).toEqual(pages.sort());
  });
});

describe("a table", () => {
  const cells = (row: string): number => row.replaceAll("\\|", "").split("|").length;

  it.each(["README.md", ...globSync("docs/*.md", { cwd: ROOT })])(
    "of %s has as many cells in each row as in its first: a | in a cell is escaped",
    (file) => {
      for (const [table] of read(file).matchAll(/^(?:\|.*\n)+/gm)) {
        const [first = "", ...rows] = table.trimEnd().split("\n");
        expect(rows.filter((row) => cells(row) !== cells(first))).toEqual([]);
      }
    },
  );
});

describe("docs/agents.md", () => {
  const page = read("docs/agents.md");

  it("names every agent that is known by name", () => {
    for (const { name } of KNOWN_AGENTS) expect(page, name).toContain(`\`${name}\``);
  });

  it("says with which versions the tests run", () => {
    const { dependencies } = JSON.parse(read("test/oracle/agents/package.json")) as { dependencies: Record<string, string> };
    for (const [row, name] of [
      ["Claude Code", "@anthropic-ai/claude-code"],
      ["Codex", "@openai/codex"],
      ["Gemini CLI", "@google/gemini-cli"],
    ] as const)
      expect(page).toContain(`| ${row} | ${dependencies[name]} |`);
  });
});

describe("docs/moving.md", () => {
  const rows = read("docs/moving.md")
    .split("\n")
    .filter((line) => /^\| [`a-z]/.test(line) && !/^\| (aws-vault|granted|aws-sso-cli|leapp) \|/.test(line))
    .map((line) => line.split(" | "));

  it("has an answer for every command of theirs", () => {
    expect(rows.length).toBeGreaterThan(35);
    for (const [, ours = ""] of rows) expect(ours.replace(/ \|$/, "").length).toBeGreaterThan(2);
  });

  it("sends people to commands that are there", () => {
    const named = rows.flatMap(([, ours = ""]) => [...ours.matchAll(/`agent-run ([a-z][a-z-]*)/g)].map(([, name = ""]) => name));
    const known = [...commands.map(({ name }) => name), ...KNOWN_AGENTS.map(({ name }) => name)];
    for (const name of named) expect(known, name).toContain(name);
  });
});

describe("docs/comparison.md", () => {
  const page = read("docs/comparison.md");
  it("gives a source for what it says of others, each with the version that was read", () => {
    const sources = [...page.matchAll(/^(\d)\. \[[^\]]+\]\(https:\/\/github\.com\/[\w-]+\/[\w-]+\).*commit `[0-9a-f]{7}`/gm)].map(
      ([, number]) => number,
    );
    expect(sources).toEqual(["1", "2", "3", "4", "5", "6", "7"]);
    for (const [, number] of page.matchAll(/\[(\d)\](?!\()/g)) expect(sources).toContain(number);
  });
});
