// npm run fuzz:terminal -- --streams 10000 [--from SEED] [--shrink]: generated streams against the oracle; prints the seed of each that differs.
import { parseArgs } from "node:util";
import { differenceOf } from "./fuzz.ts";
import { shrunk } from "./shrink.ts";
import { type Step, type Stream, streamOf } from "./streams.ts";

const { values } = parseArgs({
  options: { streams: { type: "string", default: "10000" }, from: { type: "string", default: "1" }, shrink: { type: "boolean" } },
});
const from = Number(values.from);
const streams = Number(values.streams);
let failures = 0;

function fault(stream: Stream): string | undefined {
  try {
    return differenceOf(stream);
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

function told(step: Step): string {
  if (step.kind === "write") return `write ${JSON.stringify(Buffer.from(step.bytes).toString())}`;
  return step.kind === "resize" ? `resize ${step.size.cols}x${step.size.rows}` : step.kind;
}

for (let seed = from; seed < from + streams; seed++) {
  const stream = streamOf(seed);
  const found = fault(stream);
  if (found === undefined) continue;
  failures++;
  console.log(`seed ${seed} (${stream.kind}): ${found.split("\n")[0]}`);
  if (!values.shrink) continue;
  const small = shrunk(stream, (candidate) => fault(candidate) !== undefined);
  console.log(`  ${small.size.cols}x${small.size.rows}, shadow after ${small.shadowAfter}`);
  for (const step of small.steps) console.log(`  ${told(step)}`);
  console.log(fault(small));
}
console.log(`${streams} streams, ${failures} differ`);
process.exit(failures === 0 ? 0 : 1);
