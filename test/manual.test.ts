// The manual is what its generator gives: docs/commands.md, the man pages of dist/, and the list of them in package.json. `npm run docs` writes it anew.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commandsPage, manPages, visibleCommands } from "../scripts/manual.ts";
import * as roff from "../scripts/roff.ts";
import { runOptions } from "../src/cli/run-options.ts";

const root = join(import.meta.dirname, "..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const mandoc = (page: string, ...args: string[]): { status: number | null; stdout: string } =>
  spawnSync("mandoc", args, { input: page, encoding: "utf8" });
const noMandoc = mandoc("", "-T", "ascii").status === null;
const needsMandoc = noMandoc ? " (skipped: needs mandoc, apt-get install mandoc)" : "";
const pages = await visibleCommands();

describe("the manual (npm run docs)", () => {
  it("is docs/commands.md as the generator gives it", () => {
    expect(read("docs/commands.md")).toBe(commandsPage(pages));
  });

  it("is one man page a command, in dist and in package.json", () => {
    const names = [...manPages(pages, { version: "", date: "" }).keys()];
    const { man } = JSON.parse(read("package.json")) as { man: string[] };
    expect(man).toEqual(names.map((name) => `dist/man/${name}`));
    expect(readdirSync(join(root, "dist", "man")).sort()).toEqual([...names].sort());
  });

  it("has in dist the text of the generator, under the version and date of the build", () => {
    const [, date = "", version = ""] = /^\.TH \S+ 1 "(.*?)" "agent\\-run (.*?)"$/m.exec(read("dist/man/agent-run.1")) ?? [];
    expect(version).toBe((JSON.parse(read("package.json")) as { version: string }).version);
    for (const [name, page] of manPages(pages, { version, date })) expect(read(`dist/man/${name}`), name).toBe(page);
  });

  it("names every option of a run, and no hidden command", () => {
    const main = read("dist/man/agent-run.1").replaceAll("\\-", "-");
    for (const { name } of runOptions) expect(main).toContain(`--${name}`);
    expect(main).not.toMatch(/demo-agent|demo-aws|local-cloud/);
    expect(read("docs/commands.md")).not.toMatch(/^## agent-run (demo-agent|demo-aws|local-cloud)/m);
  });

  it.skipIf(noMandoc)(`has nothing that mandoc warns of${needsMandoc}`, () => {
    for (const [name, page] of manPages(pages, { version: "1.2.3", date: "2026-11-27" }))
      expect(mandoc(page, "-T", "lint", "-W", "warning").stdout, name).toBe("");
  });
});

describe("a text in a man page", () => {
  it
    .skipIf(noMandoc)
    .each([
      ".begins like a request",
      "'begins like one too",
      "a \\fB that is no font, and a \\ alone",
      "--option=value, `code`, ^K, ~/.config, \"quoted\", 'quoted'",
      "an ellipsis … and a café",
      "many words, so that a line of the source ends and the next one begins with 'this, or with .that, and is no request all the same",
    ])(`shows %j as it is${needsMandoc}`, (body) => {
    const page = roff.page("x", { version: "1", date: "2026-11-27" }, [
      roff.section("NAME", roff.name("x", "y")),
      roff.section("DESCRIPTION", roff.paragraphs(body)),
      roff.section("OPTIONS", roff.entry(roff.bold(body), body)),
    ]);
    const shown = mandoc(page, "-T", "utf8", "-O", "width=400").stdout.replace(/.\x08/gu, "").replace(/\s+/g, " ");
    expect(shown.split(body)).toHaveLength(4);
  });
});
