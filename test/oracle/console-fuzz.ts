// A generated stream through the compositor onto a Linux console and, beside it, bare onto another, of the agent's own size: says where they differ. Used by
// console-outside.test.ts and console-fuzz-command.ts.
import { isDeepStrictEqual } from "node:util";
import { Compositor } from "../../src/terminal/compositor.ts";
import { ConsoleReader } from "../../src/terminal/console-reader.ts";
import type { Size } from "../../src/terminal/pty.ts";
import { openShadow } from "../../src/terminal/shadow.ts";
import type { LinuxConsole } from "../terminal/linux-console.ts";
import { Covered, PROBES } from "./covered.ts";
import type { Step } from "./streams.ts";

/** What ends whatever stands open. */
const CLOSE = "\x18\x0f";
/** As a kernel starts: default colours, and UTF-8. */
const RESET = "\x18\x1b[37;40m\x1b[8]\x1b%G\x1b]R\x1bc";
const PATIENCE_MS = 1000;
const clock = new Int32Array(new SharedArrayBuffer(4));

/** A paint has the same size; who resizes the consoles comes between. */
export type ConsoleStep = Exclude<Step, { kind: "resize" }>;

export function consoleDifference(outer: LinuxConsole, bare: LinuxConsole, size: Size, steps: readonly ConsoleStep[]): string | undefined {
  for (const one of [outer, bare]) {
    one.write(RESET);
    one.row(0);
    one.answers();
  }
  const { cols, rows } = size;
  const compositor = new Compositor({
    size,
    reserve: true,
    console: ConsoleReader,
    emit: (bytes) => outer.write(bytes),
    marker: () => false,
  });
  compositor.bar = "=".repeat(cols);
  compositor.begin();
  compositor.adopt(openShadow(compositor.agentSize, { x: 0, y: 0 }, { console: true }));
  compositor.paint();
  const overlay = new Covered(compositor);
  const write = (bytes: Uint8Array): void => {
    bare.write(bytes);
    overlay.write(bytes);
  };
  const difference = (): string | undefined => {
    for (const painted of [false, true]) {
      if (painted) compositor.paint();
      else if (compositor.frame.damaged) continue;
      const [row] = [outer.row(rows - 1), bare.row(0)];
      if (row !== compositor.bar) return `the bar shows ${JSON.stringify(row)}`;
      const [is, ought] = [outer.snapshot(rows - 1), bare.snapshot(rows - 1)];
      if (!isDeepStrictEqual(is, ought)) return JSON.stringify([painted ? "after a paint" : "", is, ought], undefined, 1);
    }
    let answers = ["", ""];
    // The kernel hands them over by and by.
    for (let waited = 0; ; waited += 10) {
      answers = [`${answers[0]}${outer.answers()}`, `${answers[1]}${bare.answers()}`];
      if (answers[0] === answers[1]) return undefined;
      if (waited >= PATIENCE_MS) return `answers ${JSON.stringify(answers)}`;
      Atomics.wait(clock, 0, 0, 10);
    }
  };
  for (const step of steps) {
    const free = !overlay.isOpen && compositor.mayPaint;
    if (step.kind === "write") write(step.bytes);
    else if (step.kind === "pause" && free) {
      if (compositor.frame.damaged) compositor.paint();
      else {
        const found = difference();
        if (found !== undefined) return found;
      }
    } else if (step.kind === "cover" && free) overlay.open(false);
    else if (step.kind === "uncover") overlay.close();
  }
  overlay.close();
  for (const probe of [CLOSE, ...PROBES]) {
    write(Buffer.from(probe));
    const found = difference();
    if (found !== undefined) return found;
  }
  return undefined;
}
