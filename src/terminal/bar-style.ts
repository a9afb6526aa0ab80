// How the tones of the bar look: SGR of our own, so that no library's guess at colours decides. Used by plain-bar.ts and bar.tsx.
import type { Tone } from "./bar-layout.ts";

/** The 16 colours only, on reverse video: readable on light and dark, over ssh, on the console. */
const COLOURED: Record<Tone, string> = {
  strong: "1;7",
  plain: "7",
  faint: "7",
  good: "7",
  warning: "30;43",
  loud: "1;97;41",
};

/** NO_COLOR (no-color.org) asks for no colour; emphasis is none. */
const UNCOLOURED: Record<Tone, string> = { strong: "1;7", plain: "7", faint: "7", good: "7", warning: "1;4;7", loud: "1;4;7" };

export function toned(tone: Tone, text: string, colour: boolean): string {
  return `\x1b[0;${(colour ? COLOURED : UNCOLOURED)[tone]}m${text}\x1b[0m`;
}
