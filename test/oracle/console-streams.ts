// Streams for the Linux console: those of streams.ts, without what it is known to show otherwise. Used by console-outside.test.ts and console-fuzz-command.ts.
import type { ConsoleStep } from "./console-fuzz.ts";
import { streamOf } from "./streams.ts";

/** `ESC % @` is kept from the terminal: docs/terminal.md. */
const LEAVES_UTF8 = /\x1b[\0-\x1a]*%[\0-\x1a]*@/;
/** What bytes mean in these depends on the font. */
const BY_FONT = /\x0e|\x1b\[3h/;
const HIGH = /[\xa0-\xff]/;
const WIDE = /[\xe0-\xff]/;

/** The steps of a seed; none where it would compare what cannot be the same. */
export function consoleStream(seed: number): ConsoleStep[] {
  const steps = streamOf(seed).steps.filter((step) => step.kind !== "resize");
  const text = Buffer.concat(steps.map((step) => (step.kind === "write" ? step.bytes : Buffer.of()))).toString("latin1");
  if (LEAVES_UTF8.test(text) || (BY_FONT.test(text) && HIGH.test(text))) return [];
  // The console shows half of a wide character that does not fit; drawn again it is whole, or nothing.
  return WIDE.test(text) ? steps.filter(({ kind }) => kind === "write" || kind === "pause") : steps;
}
