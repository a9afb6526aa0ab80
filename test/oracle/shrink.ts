// Makes a failing stream as short as it can be while it still fails, for whoever has to find out why. Used by fuzz-command.ts.
import type { Step, Stream } from "./streams.ts";

/** @param fails whether a stream still shows the fault */
export function shrunk(stream: Stream, fails: (stream: Stream) => boolean): Stream {
  let best = stream;
  const attempt = (steps: readonly Step[]): boolean => {
    const candidate = { ...best, steps };
    if (!isUtf8(candidate) || !fails(candidate)) return false;
    best = candidate;
    return true;
  };
  attempt([{ kind: "write", bytes: Buffer.concat(stream.steps.map(bytesOf)) }]);
  for (let before = -1; before !== weight(best); ) {
    before = weight(best);
    for (let i = best.steps.length - 1; i >= 0; i--) attempt(best.steps.toSpliced(i, 1));
    for (let i = best.steps.length - 1; i >= 0; i--) {
      for (const length of [64, 16, 4, 3, 2, 1]) {
        for (let at = 0; ; ) {
          const bytes = bytesOf(best.steps[i] ?? { kind: "pause" });
          if (at >= bytes.length) break;
          const rest = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
          if (!attempt(best.steps.toSpliced(i, 1, { kind: "write", bytes: rest }))) at += length;
        }
      }
    }
  }
  return best;
}

const bytesOf = (step: Step): Uint8Array => (step.kind === "write" ? step.bytes : new Uint8Array(0));

function weight({ steps }: Stream): number {
  return steps.reduce((sum, step) => sum + 1 + bytesOf(step).length, 0);
}

/** A character cut in two would be another fault than the one that is looked for. */
function isUtf8({ steps }: Stream): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(steps.map(bytesOf)));
    return true;
  } catch {
    return false;
  }
}
