// How a cell of the emulator looks, as the sequences that have a terminal draw it so. Pure. Used by shadow.ts.

/** DECSCA. */
const PROTECTED = '\x1b[1"q';
export const UNPROTECTED = '\x1b[0"q';
const BY_NUMBER = 0x2000000;
const EXTENDED = 0x10000000;
const UNDERLINED = 0x10000000;
/** What xterm.js takes SGR 59 for: no colour of its own. */
const RGB_AND_MODE = 0x3ffffff;

/** What we use of xterm.js's attributes, cells and their current value alike. The current value is not in the public interface. */
export interface Attributes {
  isBold(): number;
  isDim(): number;
  isItalic(): number;
  isBlink(): number;
  isInverse(): number;
  isInvisible(): number;
  isStrikethrough(): number;
  isOverline(): number;
  isFgRGB(): boolean;
  isBgRGB(): boolean;
  isFgPalette(): boolean;
  isBgPalette(): boolean;
  getFgColor(): number;
  getBgColor(): number;
  getFgColorMode(): number;
  getBgColorMode(): number;
  isProtected(): number;
  /** Bit 28: underlined. `isUnderline` would be true of every hyperlink. */
  readonly fg: number;
  /** Bit 28: `extended` is this cell's; else it is left over from another. */
  readonly bg: number;
  /** `_ext`: the style of the underline from bit 26 on, its colour's mode in bits 24 and 25, its colour below. */
  readonly extended: { readonly _ext: number; readonly urlId: number };
}

/** Number of the hyperlink of a cell; 0: it has none. */
export function linkOf({ bg, extended }: Attributes): number {
  return (bg & EXTENDED) === 0 ? 0 : extended.urlId;
}

/** Whether it holds something that not every terminal's DECRC brings back (xterm.js: underlines). */
export function isFragile(cell: Attributes): boolean {
  return underline(cell) > 0 || underlineColour(cell) !== "" || cell.isProtected() !== 0;
}

/** The whole SGR of a cell, from a reset on; of what is printed next when `pen`, which may have a colour for underlines without one. */
export function sgr(cell: Attributes, pen = false): string {
  let codes = "";
  if (cell.isBold()) codes += ";1";
  if (cell.isDim()) codes += ";2";
  if (cell.isItalic()) codes += ";3";
  const line = underline(cell);
  if (line > 0) codes += line > 1 ? `;4:${line}` : ";4";
  if (cell.isBlink()) codes += ";5";
  if (cell.isInverse()) codes += ";7";
  if (cell.isInvisible()) codes += ";8";
  if (cell.isStrikethrough()) codes += ";9";
  if (cell.isOverline()) codes += ";53";
  if (cell.isFgRGB()) codes += colour(38, cell.getFgColor());
  else if (cell.isFgPalette()) codes += palette(30, cell.getFgColor(), cell.getFgColorMode());
  if (cell.isBgRGB()) codes += colour(48, cell.getBgColor());
  else if (cell.isBgPalette()) codes += palette(40, cell.getBgColor(), cell.getBgColorMode());
  if (pen || (cell.bg & EXTENDED) !== 0) codes += underlineColour(cell);
  return `\x1b[${codes === "" ? "" : `0${codes}`}m${cell.isProtected() ? PROTECTED : ""}`;
}

/** 0 none, 1 single, 2 double, 3 curly, 4 dotted, 5 dashed, as SGR 4 counts them. */
function underline({ fg, bg, extended }: Attributes): number {
  if ((fg & UNDERLINED) === 0) return 0;
  return (bg & EXTENDED) === 0 ? 1 : (extended._ext >> 26) & 7 || 1;
}

/** With colons, since a terminal that does not know SGR 58 would take what follows a semicolon for codes of their own. */
function underlineColour({ extended }: Attributes): string {
  const colour = extended._ext & RGB_AND_MODE;
  const mode = (colour >> 24) & 3;
  if (mode === 0 || colour === RGB_AND_MODE) return "";
  return mode === 3 ? `;58:2::${(colour >> 16) & 0xff}:${(colour >> 8) & 0xff}:${colour & 0xff}` : `;58:5:${colour & 0xff}`;
}

function colour(code: number, rgb: number): string {
  return `;${code};2;${(rgb >> 16) & 0xff};${(rgb >> 8) & 0xff};${rgb & 0xff}`;
}

/** The first sixteen have codes of their own, which terminals may show otherwise than the same by number: brighter when bold. */
function palette(base: number, index: number, mode: number): string {
  if (mode === BY_NUMBER) return `;${base + 8};5;${index}`;
  if (index < 8) return `;${base + index}`;
  return index < 16 ? `;${base + 52 + index}` : `;${base + 8};5;${index}`;
}
