// npm run fuzz:properties -- [--seeds 20] [--from SEED] [FILE…]: the properties of the tests, or of the files named, with other seeds than the pinned one;
// prints each seed that fails, with what vitest says of it.
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

const root = join(import.meta.dirname, "..");
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seeds: { type: "string", default: "20" }, from: { type: "string", default: String(Date.now() % 1_000_000) } },
});
const withProperties = globSync("test/**/*.test.{ts,tsx}", { cwd: root }).filter((file) =>
  readFileSync(join(root, file), "utf8").includes('from "fast-check"'),
);
const files = positionals.length > 0 ? positionals : withProperties;
const from = Number(values.from);
let failures = 0;
for (let seed = from; seed < from + Number(values.seeds); seed++) {
  const { status, stdout, stderr } = spawnSync("npx", ["vitest", "run", ...files, "--reporter=dot", "--no-color", "--maxWorkers=1"], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, AGENT_RUN_TEST_SEED: String(seed) },
  });
  if (status === 0) continue;
  failures++;
  console.log(`seed ${seed}:\n${stdout}${stderr}`);
}
console.log(`${values.seeds} seeds from ${from} on, ${failures} failed`);
process.exit(failures === 0 ? 0 : 1);
