// Which control sequences of an agent the terminal answers, among its keys. Pure. Used by rewrite.ts.
import type { Sequence } from "./sequence.ts";

/** 1: final of a sequence that the terminal may answer. */
const MAY_ASK = new Uint8Array(128);
for (const final of "cntxpyqumS") MAY_ASK[final.charCodeAt(0)] = 1;

/** @param first its first parameter, 0 where there is none */
export function isAnswered({ prefix, intermediate, final }: Sequence, first: number): boolean {
  if (MAY_ASK[final] !== 1) return false;
  switch (String.fromCharCode(final)) {
    case "c": // DA1 to DA3
      return intermediate === 0;
    case "n": // DSR
      return intermediate === 0 && (prefix === 0 || prefix === 0x3f);
    case "t": // the window's size, place and title
      return prefix + intermediate === 0 && first >= 11 && first <= 21;
    case "x": // DECREQTPARM
      return prefix + intermediate === 0;
    case "p": // DECRQM
      return intermediate === 0x24;
    case "y": // DECRQCRA
      return intermediate === 0x2a;
    case "q": // XTVERSION
      return prefix === 0x3e;
    case "u": // kitty's keyboard
    case "m": // XTQMODKEYS
    case "S": // XTSMGRAPHICS
      return prefix === 0x3f;
    default:
      return false;
  }
}
