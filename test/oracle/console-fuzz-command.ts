// npm run fuzz:console -- --streams 1000 [--from SEED]: generated streams on two virtual terminals of this machine's kernel; prints the seed of each that differs. Needs root.
import { parseArgs } from "node:util";
import { hasLinuxConsole, openLinuxConsole } from "../terminal/linux-console.ts";
import { consoleDifference } from "./console-fuzz.ts";
import { consoleStream } from "./console-streams.ts";

const SIZE = { cols: 20, rows: 8 };
const { values } = parseArgs({ options: { streams: { type: "string", default: "1000" }, from: { type: "string", default: "1" } } });
if (!hasLinuxConsole()) {
  console.log("no virtual terminals here, or not root");
  process.exit(1);
}
const [outer, bare] = [openLinuxConsole(SIZE), openLinuxConsole({ ...SIZE, rows: SIZE.rows - 1 })];
const from = Number(values.from);
let failures = 0;
try {
  for (let seed = from; seed < from + Number(values.streams); seed++) {
    const found = consoleDifference(outer, bare, SIZE, consoleStream(seed));
    if (found === undefined) continue;
    failures++;
    console.log(`seed ${seed}: ${found}`);
  }
} finally {
  outer.close();
  bare.close();
}
console.log(`${values.streams} streams, ${failures} differ`);
process.exit(failures === 0 ? 0 : 1);
