// What a terminal has printed last, where nothing came after it: REP repeats it, and combining characters join it. Pure. Used by scanner.ts and compositor.ts.
import { LONGEST_UTF8 } from "./utf8.ts";

const LONGEST_CLUSTER = 64;
/** How much of a text's end is looked at. */
const LOOKED_AT = LONGEST_CLUSTER + LONGEST_UTF8;
/**
 * Characters that take no cell of their own; DEL, which is nothing, and the first of them; and a lone ST, which prints nothing: whether what was printed before it may
 * still be repeated and joined then, each terminal decides.
 */
const JOINS = /^[\x7f\x9c\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]/u;
const DEL = 0x7f;
const decoder = new TextDecoder();

/** Whether a text begins with a character that joins the one before it. */
export function joins(text: string): boolean {
  return JOINS.test(text);
}

/** The same of bytes. */
export function bytesJoin(bytes: Uint8Array): boolean {
  return (bytes[0] ?? 0) >= DEL && joins(decoder.decode(bytes.subarray(0, LONGEST_UTF8)));
}

/**
 * Follows what is printed through the chunks of a stream: which part of a chunk is text behind the last thing that was none, and whether a sequence
 * came after it that means something.
 */
export class LastPrinted {
  /** The end of it: our own copy, since what it came in is used again. */
  readonly #text = new Uint8Array(LOOKED_AT);
  #length = 0;
  /** End of the last thing that was not text. */
  behind = 0;
  /** The same of the one before the sequence that is being read, and where the text after it ends. */
  #behindBefore = 0;
  #textEnd = 0;
  /** Up to here nothing was printed, and nothing came that ends what was printed last. */
  unchanged = 0;
  /** What was printed last in an earlier chunk, or is kept for another reason, is so no longer. */
  #over = false;

  /** The character, with what joined it; empty where something came after it. */
  get character(): string {
    return this.#length === 0 ? "" : lastCharacter(this.#text.subarray(0, this.#length));
  }

  /** A chunk begins that is read from `at` on. */
  begin(at: number): void {
    this.behind = at;
    this.#behindBefore = 0;
    this.#textEnd = 0;
    this.unchanged = 0;
    this.#over = false;
  }

  /** Something came that ends what was printed last. */
  over(): void {
    this.#over = true;
  }

  /** A sequence starts at `at`; what is no text ended at `behind` before. */
  sequence(at: number, behind: number): void {
    this.#textEnd = at;
    this.#behindBefore = behind;
  }

  /** A control character inside the sequence went out before it: so far goes what may be text. */
  textEnds(at: number): void {
    this.#textEnd = at;
  }

  /** What was printed before the sequence from `start` to `end` is still what was printed last. */
  keep(bytes: Uint8Array, start: number, end: number): void {
    if (this.unchanged === start) this.unchanged = end;
    if (this.#behindBefore >= this.#textEnd) return;
    this.#end(bytes, this.#behindBefore, this.#textEnd);
    this.#over = false;
  }

  /** The chunk ends in text, of which what is up to `end` has gone out. */
  endInText(bytes: Uint8Array, end: number): void {
    this.#end(bytes, this.behind, end);
  }

  /** The chunk ends in a sequence that waits for its rest. */
  endInSequence(bytes: Uint8Array): void {
    this.#end(bytes, this.#behindBefore, this.#textEnd);
  }

  /** Text that followed the text before, which its beginning may join. */
  follow(text: Uint8Array): void {
    this.#set(bytesJoin(text) ? Buffer.concat([Buffer.from(this.character), text]) : text);
  }

  /** Something came that is no text. */
  reset(): void {
    this.#length = 0;
  }

  #set(text: Uint8Array): void {
    const end = text.length > LOOKED_AT ? text.subarray(text.length - LOOKED_AT) : text;
    this.#text.set(end);
    this.#length = end.length;
  }

  #end(bytes: Uint8Array, from: number, to: number): void {
    if (from >= to) {
      if (this.#over) this.reset();
    } else if (!this.#over) this.follow(bytes.subarray(from, to));
    else this.#set(bytes.subarray(from, to));
  }
}

/** The last character of a text, with what joined it, when there is one and it is printable. */
function lastCharacter(text: Uint8Array): string {
  let found = "";
  for (let to = text.length; to > 0 && text.length - to < LONGEST_CLUSTER; ) {
    const last = text[to - 1] as number;
    if (last < 0x20) break;
    let start = to - 1;
    while (start > 0 && ((text[start] as number) & 0xc0) === 0x80 && to - start < LONGEST_UTF8) start--;
    const character = decoder.decode(text.subarray(start, to));
    found = character + found;
    if (!JOINS.test(character)) break;
    to = start;
  }
  return found;
}
