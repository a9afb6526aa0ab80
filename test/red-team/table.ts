// The results as a table for the terminal, and the page docs/red-team.md. Used by command.ts and red-team.test.ts.
import { expected, GROUPS, isExcused, isUnstopped, MECHANISMS, type Outcome } from "./attempt.ts";
import { attempts } from "./attempts.ts";
import type { LevelResult } from "./range.ts";

/** A line for each attempt at each level: what stopped it, and what was seen. `!!` marks what is not as it should be. */
export function report(results: readonly LevelResult[], only: readonly string[]): string {
  const rows = results.flatMap(({ level, refused, verdicts }) => {
    if (refused !== undefined) return [[level, "every attempt", "refused", refused]];
    return attempts
      .filter(({ id }) => only.length === 0 || only.includes(id))
      .map((attempt) => {
        const verdict = verdicts[attempt.id];
        const should = expected(attempt, level);
        if (verdict === undefined) return [level, attempt.id, should === "untried" ? "untried" : "!! untried", ""];
        const excused = isExcused(attempt, level) || isUnstopped(attempt, level);
        const wrong = !excused && (verdict.reached !== (should === "reached") || verdict.cutOff) ? "!! " : "";
        const is = verdict.reached ? "reached" : should === "reached" ? "blocked" : `blocked by ${should}`;
        return [level, attempt.id, wrong + is, verdict.evidence];
      });
  });
  const lines = rows.map(
    ([level = "", id = "", is = "", why = ""]) => `${level.padEnd(9)}${id.padEnd(26)}${is.padEnd(26)}${why.slice(0, 160)}`,
  );
  const ends = results.map(({ level, ms, audit }) => `${level}: ${(ms / 1000).toFixed(1)} s; audit: ${audit.trim().split("\n").at(-1)}`);
  return `${[...lines, ...ends].join("\n")}\n`;
}

const cell = (outcome: Outcome): string => (outcome === "reached" ? "**reached**" : outcome);

/** What docs/red-team.md must be. */
export function page(): string {
  const groups = GROUPS.map((group) => {
    const rows = attempts
      .filter((attempt) => attempt.group === group)
      .map((attempt) => {
        const [standard, strict, none] = (["standard", "strict", "none"] as const).map(
          (level) => `${cell(expected(attempt, level))}${isExcused(attempt, level) ? ", unless the kernel's settings forbid it" : ""}`,
        );
        return `| ${attempt.what.replaceAll("|", "\\|")} | ${standard} | ${strict} | ${none} |`;
      });
    const title = `${group[0]?.toUpperCase()}${group.slice(1)}`;
    return [`## ${title}`, "", "| an agent tries to | `standard` | `strict` | `none` |", "| --- | --- | --- | --- |", ...rows].join("\n");
  });
  const legend = Object.entries(MECHANISMS).map(([name, what]) => `| ${name} | ${what} |`);
  return `# Red team

${attempts.length} attempts of a hostile agent, each a small program that runs in real sessions at each level, as an ordinary user, on a machine that is
full of secrets: \`test/red-team/attempts.ts\` has them all, \`npm run red-team\` runs them and prints what each saw. This page is made from the same list, and
a test holds the two together. An attempt has reached its goal when it prints one of the planted secrets, does what it must not, or leaves what runs later as
the human. One that is stopped at \`none\` too shows, in the same run, that it works but for what stops it.

**reached** says what a level does not stop: [threat-model.md](threat-model.md) has each such gap of \`standard\` in words, and
[isolation.md](isolation.md) what can be done about it. A level that a machine or a version does not have is refused whole, with status 125.

${groups.join("\n\n")}

## What stops them

| name | what it is |
| --- | --- |
${legend.join("\n")}
`;
}
