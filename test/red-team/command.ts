// npm run red-team: runs the attempts and prints the table: attempt, level, blocked by what. `-- standard,none aws-keys` chooses; `--write` renews docs/red-team.md.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { IsolationLevel } from "../../src/control/protocol.ts";
import { runRedTeam, whatIsMissing } from "./ground.ts";
import type { LevelResult } from "./range.ts";
import { page, report } from "./table.ts";

const words = process.argv.slice(2).filter((word) => word !== "--write");
const [levels = "standard,strict,none", ...only] = words;
const missing = whatIsMissing();
if (missing !== undefined) {
  process.stderr.write(`the red team cannot work here: ${missing}\n`);
  process.exitCode = 1;
} else {
  const results: LevelResult[] = [];
  for (const level of levels.split(",") as IsolationLevel[])
    results.push(await runRedTeam(level, only, (text) => process.stderr.write(text)));
  process.stdout.write(report(results, only));
  if (process.argv.includes("--write")) writeFileSync(join(import.meta.dirname, "../../docs/red-team.md"), page());
}
