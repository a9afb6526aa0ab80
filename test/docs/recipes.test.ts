// The recipes of docs/profiles.md as profiles of a user: each loads, is short enough for STS, and passes its own tests and the destructive catalogue.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, ROOT } from "../packages/toolbox.ts";
import { blocksOf } from "./follow.ts";

const FILE = /^# ~\/\.config\/agent-run\/profiles\/([\w-]+\/[\w.]+)\n/;
const page = readFileSync(join(ROOT, "docs", "profiles.md"), "utf8");
const recipes = blocksOf(page.slice(page.indexOf("\n## Recipes\n")))
  .map(({ text }) => ({ path: FILE.exec(text)?.[1] ?? "", text }))
  .filter(({ path }) => path !== "");
const names = [...new Set(recipes.map(({ path }) => dirname(path)))];

describe("the recipes of docs/profiles.md", () => {
  const own = mkdtempSync(join(tmpdir(), "ar-recipes-"));
  const env = { ...process.env, AGENT_RUN_HOME: own };
  const agentRun = (...args: string[]): string => call(process.execPath, [join(ROOT, "bin", "agent-run.cjs"), ...args], { env, cwd: own });

  beforeAll(() => {
    for (const { path, text } of recipes) {
      const file = join(own, "config", "profiles", path);
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      writeFileSync(file, text);
    }
  });
  afterAll(() => rmSync(own, { recursive: true, force: true }));

  it("are whole: a profile and its tests each", () => {
    expect(names.length).toBeGreaterThan(3);
    for (const name of names)
      expect(recipes.map(({ path }) => path)).toEqual(expect.arrayContaining([`${name}/profile.toml`, `${name}/tests.toml`]));
  });

  it.each(names)("%s passes its tests and the destructive catalogue", (name) => {
    const tests = recipes.find(({ path }) => path === `${name}/tests.toml`)?.text.match(/^\[\[test\]\]$/gm) ?? [];
    expect(tests.length).toBeGreaterThan(1);
    agentRun("policy", "test", name);
    expect(agentRun("profiles", "show", name)).toMatch(/session policy, \d+ of the 2048 characters/);
  });

  it("fail where a test of theirs is turned round", () => {
    const file = join(own, "config", "profiles", "builds", "tests.toml");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace('expect = "allowed"', 'expect = "denied"'));
    expect(() => agentRun("policy", "test", "builds")).toThrow(/reads a build/);
    writeFileSync(file, text);
  });
});
