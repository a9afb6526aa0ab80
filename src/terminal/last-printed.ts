// What a terminal has printed last, where nothing came after it: REP repeats it, and combining characters join it. PURE. Used by scanner.ts and compositor.ts.
import { LONGEST_UTF8 } from "./utf8.ts";

const NOTHING = new Uint8Array(0);
const LONGEST_CLUSTER = 64;
/** Characters that take no cell of their own; the first UTF-8 byte of the first of them, U+0300. */
const JOINS = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]/u;
const FIRST_JOINING = 0xcc;
const decoder = new TextDecoder();

/** Whether a text begins with a character that joins the one before it. */
export function joins(text: string): boolean {
  return JOINS.test(text);
}

/** The same of bytes. */
export function bytesJoin(bytes: Uint8Array): boolean {
  return (bytes[0] ?? 0) >= FIRST_JOINING && joins(decoder.decode(bytes.subarray(0, LONGEST_UTF8)));
}

export class LastPrinted {
  #text: Uint8Array = NOTHING;

  /** The character, with what joined it; empty where something came after it. */
  get character(): string {
    return lastCharacter(this.#text);
  }

  /** This was printed after something that is no text. */
  set(text: Uint8Array): void {
    this.#text = text;
  }

  /** This followed the text before, which its beginning may join. */
  follow(text: Uint8Array): void {
    this.#text = bytesJoin(text) ? Buffer.concat([Buffer.from(this.character), text]) : text;
  }

  /** Something came that is no text. */
  reset(): void {
    this.#text = NOTHING;
  }
}

/** The last character of a text, with what joined it, when there is one and it is printable. */
function lastCharacter(text: Uint8Array): string {
  let found = "";
  for (let to = text.length; to > 0 && text.length - to < LONGEST_CLUSTER; ) {
    const last = text[to - 1] as number;
    if (last < 0x20 || last === 0x7f) break;
    let start = to - 1;
    while (start > 0 && ((text[start] as number) & 0xc0) === 0x80 && to - start < LONGEST_UTF8) start--;
    const character = decoder.decode(text.subarray(start, to));
    found = character + found;
    if (!JOINS.test(character)) break;
    to = start;
  }
  return found;
}
