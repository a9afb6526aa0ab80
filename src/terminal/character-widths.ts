// How many cells a character takes: xterm.js alone gives an emoji one, terminals give it two. Used by shadow.ts, console-emulator.ts and tests.
import type xterm from "@xterm/headless";

interface UnicodeService {
  readonly _core: { readonly unicodeService: { readonly _providers: Record<string, { wcwidth(code: number): 0 | 1 | 2 }> } };
}

type Width = 0 | 1 | 2;

const EMOJI = /\p{Emoji_Presentation}/u;
const FLAGS = /\p{Regional_Indicator}/u;
/** Behind them nothing is an emoji. */
const LAST_EMOJI = 0x1_ffff;

/** As most terminals: emoji take two cells, as in East Asian Width (UAX #11), and half a flag one. */
export function asInUnicode(terminal: xterm.Terminal): void {
  /** What was looked up, one more than it is. */
  const known = new Uint8Array(LAST_EMOJI + 1);
  countCells(terminal, (code) => {
    const found = known[code];
    if (found !== undefined && found > 0) return (found - 1) as Width;
    const width = cellsOf(terminal, code);
    if (code <= LAST_EMOJI) known[code] = width + 1;
    return width;
  });
}

/** Has a terminal count the cells of characters by `width`. */
export function countCells({ unicode }: xterm.Terminal, width: (code: number) => Width): void {
  unicode.register({
    version: "ours",
    wcwidth: width,
    // As xterm.js packs them: whether it joins the character before in bit 0, the width above; a joined one keeps that one's.
    charProperties(code, before) {
      const its = width(code);
      const widthBefore = (before >> 1) & 3;
      return its === 0 && widthBefore > 0 ? (widthBefore << 1) | 1 : its << 1;
    },
  });
  unicode.activeVersion = "ours";
}

/** Two for an emoji; what xterm.js says for all else. */
export function cellsOf(terminal: xterm.Terminal, code: number): Width {
  const character = String.fromCodePoint(code);
  if (EMOJI.test(character) && !FLAGS.test(character)) return 2;
  return (terminal as unknown as UnicodeService)._core.unicodeService._providers["6"]?.wcwidth(code) ?? 1;
}
