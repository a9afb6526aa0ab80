// The character sets that an agent designates as G0 to G3, as far as they can be known of a terminal that knows fewer. Pure. Used by rewrite.ts.
import type { Modes } from "./modes.ts";
import type { Sequence } from "./sequence.ts";

/** Finals of those that all terminals know. */
const EVERYWHERE = new Set(Buffer.from("0AB4C5RQKYE6ZH7="));
/** LS2, LS3, LS3R, LS2R, LS1R. */
const LOCKING_SHIFTS = new Set([0x6e, 0x6f, 0x7c, 0x7d, 0x7e]);

export function isLockingShift(final: number): boolean {
  return LOCKING_SHIFTS.has(final);
}

/** `( ) * +` designate sets of 94 characters as G0 to G3, `- . /` those of 96 as G1 to G3; a name may be longer by one byte. */
export function designates({ before, intermediate }: Sequence): boolean {
  return before >= 0x28 || (before === 0 && intermediate >= 0x28 && intermediate <= 0x2f && intermediate !== 0x2c);
}

/** Carries out what `designates` says is one. */
export function designate(modes: Modes, { before, intermediate, final }: Sequence): void {
  const which = ((before || intermediate) - 0x28) % 4;
  if (before === 0 && EVERYWHERE.has(final)) {
    const isAscii = final === 0x42 && intermediate < 0x2c;
    modes.designate(which, isAscii ? "" : String.fromCharCode(intermediate, final));
    return;
  }
  // A set that not all terminals know: those leave the one that was there.
  const set = before === 0 ? String.fromCharCode(intermediate, final) : String.fromCharCode(before, intermediate, final);
  const known = modes.sets[which]?.split("\x1b", 1)[0] ?? "";
  modes.designate(which, known === "" ? set : `${known}\x1b${set}`);
}
