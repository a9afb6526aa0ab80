// Makes names safe to show: nothing in them may move, hide or reorder what stands beside them. Used by the bar and the overlays.

/** Controls, bidi marks, zero-width and other invisible characters, combining marks, tags, private use, lone surrogates. */
const unsafe = (): RegExp => /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}\p{Mn}\p{Me}\u115f\u1160\u3164\uffa0]/gu;

/** `text` without characters that are invisible or act on others; every blank becomes one space. Combining marks go where NFC has no letter for them. */
export function cleanText(text: string): string {
  // Most names are plain, and the classes take milliseconds to compile.
  if (/^[ -~]*$/.test(text)) return text;
  return text
    .replace(/[\t\r\n]/g, " ")
    .normalize("NFC")
    .replace(unsafe(), "")
    .replace(/\p{Zs}/gu, " ");
}

/** Columns of cleaned text: 2 for East Asian wide characters and emoji, else 1. */
export function columns(text: string): number {
  let sum = 0;
  for (const character of text) sum += isWide(character.codePointAt(0) ?? 0) ? 2 : 1;
  return sum;
}

/** The beginning of cleaned text that fits in `width` columns, a cut shown as `~`. */
export function shorten(text: string, width: number): string {
  if (columns(text) <= width) return text;
  let kept = "";
  let used = 0;
  for (const character of text) {
    const next = columns(character);
    if (used + next > width - 1) break;
    kept += character;
    used += next;
  }
  return width > 0 ? `${kept}~` : "";
}

/** Unicode 16, EastAsianWidth.txt W and F, in blocks: good enough to reserve room, never to place a cursor. */
function isWide(code: number): boolean {
  return (
    code >= 0x1100 &&
    (code <= 0x115f ||
      (code >= 0x231a && code <= 0x2b55 && WIDE_SYMBOL.test(String.fromCodePoint(code))) ||
      (code >= 0x2e80 && code <= 0x303e) ||
      (code >= 0x3041 && code <= 0xa4cf) ||
      (code >= 0xa960 && code <= 0xa97c) ||
      (code >= 0xac00 && code <= 0xd7a3) ||
      (code >= 0xf900 && code <= 0xfaff) ||
      (code >= 0xfe10 && code <= 0xfe6f) ||
      (code >= 0xff00 && code <= 0xff60) ||
      (code >= 0xffe0 && code <= 0xffe6) ||
      (code >= 0x16fe0 && code <= 0x1b2ff) ||
      (code >= 0x1f000 && code <= 0x1faff) ||
      (code >= 0x20000 && code <= 0x3fffd))
  );
}

const WIDE_SYMBOL = /\p{Emoji_Presentation}/u;
