// Every attempt of the red team at every level, on a machine of its own, as an ordinary user; and what the docs say of them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { isolationLevels } from "../../src/control/protocol.ts";
import { expected, isExcused, isUnstopped } from "./attempt.ts";
import { attempts } from "./attempts.ts";
import { runRedTeam, whatIsMissing } from "./ground.ts";
import type { LevelResult } from "./range.ts";
import { page, report } from "./table.ts";

const read = (name: string): string => readFileSync(join(import.meta.dirname, "../../docs", name), "utf8");
const missing = whatIsMissing();
const hint = missing === undefined ? "" : ` (skipped: needs ${missing})`;
/** Which levels were tried at all: an attempt that nothing stops anywhere must show that it works. */
const results = new Map<string, LevelResult>();

describe.skipIf(missing !== undefined).each(isolationLevels)(`the red team at %s${hint}`, (level) => {
  let result: LevelResult;
  beforeAll(async () => {
    result = await runRedTeam(level, [], () => {});
    results.set(level, result);
    console.log(report([result], []));
  }, 330_000);

  it("has sessions, or is refused whole", () => {
    if (result.refused === undefined) expect(Object.keys(result.verdicts).length).toBeGreaterThanOrEqual(60);
    else {
      // Never a weaker level in place of the one that was asked for.
      expect(level).toBe("strict");
      expect(result.refused).toMatch(/^status 125: /);
    }
  });

  it.each(attempts.map((attempt) => ({ ...attempt, outcome: expected(attempt, level) })))("$what: $outcome", (attempt) => {
    if (result.refused !== undefined || attempt.outcome === "untried") {
      expect(result.verdicts[attempt.id]).toBeUndefined();
      return;
    }
    const verdict = result.verdicts[attempt.id];
    if (isExcused(attempt, level) || isUnstopped(attempt, level)) expect(verdict).toBeDefined();
    else expect(verdict, verdict?.evidence).toMatchObject({ reached: attempt.outcome === "reached", cutOff: false });
    // It has failed for what stops it, and not because it is broken.
    if (level === "none" && attempt.none !== "reached" && !attempt.kernelMay)
      expect(verdict, verdict?.evidence).toMatchObject({ control: true });
  });

  it("leaves an audit in which every record is as it was written", () => {
    if (result.refused === undefined && level !== "none") expect(result.audit).toMatch(/all as they were written/);
    // At `none` the records were cut and forged: that is seen.
    if (level === "none") expect(result.audit).toMatch(/[1-9]\d* errors/);
  });
});

describe("what the docs say of the red team", () => {
  it("is what the attempts expect: npm run red-team -- --write renews it", () => {
    expect(read("red-team.md")).toBe(page());
  });

  it("is linked in the threat model, which names every gap", () => {
    const model = read("threat-model.md");
    expect(model).toContain("(red-team.md)");
    for (const { id, standard, gap } of attempts) {
      expect(gap !== undefined, `${id}: what standard does not stop is named, and nothing else`).toBe(standard === "reached");
      if (gap !== undefined) expect(model, id).toMatch(new RegExp(`\\*\\*${gap}[^*]*\\*\\*`));
    }
  });

  it("rests on attempts that each have a name of their own, sixty at least", () => {
    expect(new Set(attempts.map(({ id }) => id)).size).toBe(attempts.length);
    expect(attempts.length).toBeGreaterThanOrEqual(60);
  });
});
