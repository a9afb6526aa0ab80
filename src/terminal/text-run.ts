// Most of all output is text and colours, which pass: found without the state machine. Pure. Used by scanner.ts.
import { LONGEST_CSI } from "./sequence.ts";

/** 1: the ground state has to look at this byte. */
const GROUND_STOP = new Uint8Array(256);
for (const byte of [0x0e, 0x0f, 0x1b, 0xc2]) GROUND_STOP[byte] = 1;

/** Where the text that goes on at `from` ends. */
export function endOfText(bytes: Uint8Array, from: number): number {
  const { length } = bytes;
  let at = from;
  while (at < length && GROUND_STOP[bytes[at] as number] === 0) at++;
  return at;
}

/** Where the SGR that starts at `at` ends; `at` where there is none that is whole and short. */
export function endOfColour(bytes: Uint8Array, at: number): number {
  // Never past the end, where V8 gives up the code that it has made for what is before it.
  const last = Math.min(bytes.length, at + LONGEST_CSI);
  if (last - at < 3 || bytes[at] !== 0x1b || bytes[at + 1] !== 0x5b) return at;
  for (let end = at + 2; end < last; end++) {
    const byte = bytes[end] as number;
    if (byte < 0x30 || byte > 0x3b) return byte === 0x6d ? end + 1 : at;
  }
  return at;
}
