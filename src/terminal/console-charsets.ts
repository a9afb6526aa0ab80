// The character sets of the Linux console (drivers/tty/vt/consolemap.c), as the characters that they show. Pure. Used by console-reader.ts.

/** How bytes are shown: by the set of this designator; `meta`: all with their highest bit set (SGR 12). */
export interface Font {
  readonly set: string;
  readonly meta: boolean;
}

/** DEC's graphics, from 0x5f on. */
const GRAPHICS = "\u00a0♦▒␉␌␍␊°±░␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·";
const ARROWS: Readonly<Record<string, string>> = { "+": "→", ",": "←", "-": "↑", ".": "↓", "0": "█" };
/** Code page 437: 0 to 31, and from 127 on. */
const LOW = "\0☺☻♥♦♣♠•◘○◙\uf00b♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼";
const HIGH =
  "⌂ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";
/** Its private area leads straight to the font. */
const FONT = 0xf000;

/** What the console shows for a byte; nothing for some control characters. */
export function consoleText({ set, meta }: Font, byte: number): string {
  const code = meta ? byte | 0x80 : byte;
  const char = String.fromCharCode(code);
  if (set === "K") return String.fromCharCode(FONT + code);
  if (set === "U") return code < 0x20 ? (LOW[code] as string) : code < 0x7f ? char : (HIGH[code - 0x7f] as string);
  if (code < 0x20) return "";
  // What has no character is shown as the font has it, and a soft hyphen as one that is seen.
  if (code >= 0x7f && code < 0xa0) return String.fromCharCode(FONT + code);
  if (code === 0xad) return "-";
  if (set !== "0" || code > 0x7f) return char;
  return code >= 0x5f ? (GRAPHICS[code - 0x5f] as string) : (ARROWS[char] ?? char);
}
