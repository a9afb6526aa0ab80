// npm run fuzz:terminal -- --streams 10000 [--from SEED] [--shrink]: generated streams against the oracle; prints the seed of each that differs, or
// that does not come to an end. They run in a thread of their own, which can be ended while it is busy.
import { isUtf8 } from "node:buffer";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { differenceOf } from "./fuzz.ts";
import { shrunk } from "./shrink.ts";
import { type Step, type Stream, streamOf, WIDER_FROM } from "./streams.ts";

/** A stream takes some 10 ms. */
const LONGEST_MS = 30_000;
/** What a screen may not show: C1 controls, what joins, what is no ASCII. */
const UNSEEN = /[^ -~]/g;

interface Task {
  readonly from: number;
  readonly until: number;
  readonly shrink: boolean;
}

/** A seed that comes next, or what was found of the last one. */
type Word = { readonly next: number } | { readonly found: string };

function fault(stream: Stream): string | undefined {
  try {
    return differenceOf(stream);
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

const titleOf = (found: string | undefined): string | undefined => found?.split("\n")[0];

const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;

function told(step: Step): string {
  if (step.kind === "write") {
    const bytes = Buffer.from(step.bytes);
    return isUtf8(bytes) ? `write ${JSON.stringify(bytes.toString()).replace(UNSEEN, escaped)}` : `write bytes ${bytes.toString("hex")}`;
  }
  return step.kind === "resize" ? `resize ${step.size.cols}x${step.size.rows}` : step.kind;
}

function work({ from, until, shrink }: Task): void {
  const say = (word: Word): void => parentPort?.postMessage(word);
  for (let seed = from; seed < until; seed++) {
    say({ next: seed });
    const stream = streamOf(seed);
    const found = fault(stream);
    if (found === undefined) continue;
    const lines = [`seed ${seed} (${stream.kind}): ${titleOf(found)}`];
    if (shrink) {
      const small = shrunk(stream, (candidate) => titleOf(fault(candidate)) === titleOf(found));
      lines.push(`  ${small.size.cols}x${small.size.rows}, shadow after ${small.shadowAfter}`);
      for (const step of small.steps) lines.push(`  ${told(step)}`);
      lines.push(fault(small) ?? "");
    }
    say({ found: lines.join("\n") });
  }
}

/** Gives the seed that the thread did not come to an end with; undefined when all are through. */
function run(task: Task, found: (text: string) => void): Promise<number | undefined> {
  const worker = new Worker(new URL(import.meta.url), { workerData: task });
  return new Promise((resolve, reject) => {
    let seed = task.from;
    // Making one short runs it hundreds of times.
    const late = setTimeout(
      () => {
        resolve(seed);
        void worker.terminate();
      },
      LONGEST_MS * (task.shrink ? 20 : 1),
    );
    worker.on("message", (word: Word) => {
      late.refresh();
      if ("next" in word) seed = word.next;
      else found(word.found);
    });
    worker.on("error", reject);
    worker.on("exit", () => {
      clearTimeout(late);
      resolve(undefined);
    });
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      streams: { type: "string", default: "10000" },
      from: { type: "string", default: String(WIDER_FROM) },
      shrink: { type: "boolean" },
    },
  });
  const streams = Number(values.streams);
  const until = Number(values.from) + streams;
  let failures = 0;
  const found = (text: string): void => {
    failures++;
    console.log(text);
  };
  for (let from = Number(values.from); from < until; ) {
    const stuck = await run({ from, until, shrink: values.shrink === true }, found);
    if (stuck === undefined) break;
    found(`seed ${stuck}: not through after ${LONGEST_MS / 1000} s`);
    from = stuck + 1;
  }
  console.log(`${streams} streams, ${failures} differ`);
  process.exit(failures === 0 ? 0 : 1);
}

if (isMainThread) await main();
else work(workerData as Task);
