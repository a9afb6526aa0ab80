// What the scanner has to know of control strings (ECMA-48: DCS, OSC, SOS, PM, APC): how long one is held, what is in it. Pure. Used by scanner.ts.
import { State } from "./vt-table.ts";

/** An OSC is held until it is complete, up to this; others are only passed on. Longer ones stream through. */
const LONGEST_OSC = 4096;
const LONGEST_STRING = 64;
/** console_codes(4). */
const LONGEST_PALETTE = 10;
const PALETTE = /^\x1b\](R|P[\da-fA-F]{7})$/;
const decoder = new TextDecoder();

/** What a string holds streams through; the beginning of a DCS is held and void when broken off, as a CSI is. */
export function isString(state: number): boolean {
  return state >= State.dcsPassthrough;
}

/** Whether a string that is still read after `length` bytes is held back until it is complete. */
export function isShort(state: number, length: number): boolean {
  return length <= (state === State.oscString ? LONGEST_OSC : LONGEST_STRING);
}

/** What is between the introducer at `start` (`ESC ]` or U+009D, both two bytes) and `end`. */
export function payload(bytes: Uint8Array, start: number, end: number): string {
  return decoder.decode(bytes.subarray(start + 2, end));
}

/** What begins an OSC at `start` that is too long to be held. */
export function beginning(bytes: Uint8Array, start: number): string {
  return payload(bytes, start, start + LONGEST_OSC);
}

/** Whether this is all of a sequence that sets the palette of the Linux console. */
export function isPalette(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start <= LONGEST_PALETTE && PALETTE.test(String.fromCharCode(...bytes.subarray(start, end)));
}

/** Whether the final of a DCS, at `at`, makes it DECRSPS, which puts the cursor anywhere, and changes modes. */
export function restoresState(bytes: Uint8Array, at: number): boolean {
  if (bytes[at] !== 0x74) return false;
  let before = at - 1;
  // Control characters are nothing inside a DCS.
  while (before > 0 && ((bytes[before] as number) < 0x20 || bytes[before] === 0x7f)) before--;
  return bytes[before] === 0x24;
}

/** The second bytes of APC, `ESC _` or U+009F, and the first one in it of a kitty image. */
const APC = [0x5f, 0x9f];
const IMAGE = 0x47;

/** Whether the byte at `at` says that the APC string from `start` is one of the kitty graphics protocol. */
export function beginsImage(bytes: Uint8Array, start: number, at: number): boolean {
  return bytes[at] === IMAGE && at === start + 2 && APC.includes(bytes[at - 1] as number);
}
