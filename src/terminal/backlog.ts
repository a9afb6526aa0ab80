// Output that the shadow has not worked through yet. Of a flood only the end is kept: the rest has scrolled away, or was drawn over. Used by compositor.ts and shadow.ts.
import type { Size } from "./pty.ts";
import type { overdrawn } from "./redraws.ts";

/** How far back an emulator's scrollback goes: what a grown window pulls out again. */
export const SCROLLBACK = 200;
/** Above this, a flood is cut to its end. Also what a drain may take at once: some 4 ms. */
export const LONGEST_WAIT = 262_144;
/** Less is not worth cutting. */
const SMALLEST_CUT = 65_536;
const LF = 0x0a;
const CR = 0x0d;

/**
 * What output holds: text, line ends, SGR and changes within a line; or other sequences too; `odd` when those may mean something else than usual, as
 * between margins or in a string, so that none of it can be left out.
 */
export type Content = "lines" | "sequences" | "odd";

interface Part {
  readonly bytes: Uint8Array;
  readonly content: Content;
}

export class Backlog {
  #parts: Part[] = [];
  #size = 0;
  /** The next size at which to try a cut. */
  #limit = LONGEST_WAIT;
  readonly #overdrawn: typeof overdrawn | undefined;

  /** @param search finds what redraws have made irrelevant. Until there is a shadow nobody does: so the launcher need not read it */
  constructor(search?: typeof overdrawn) {
    this.#overdrawn = search;
  }

  /** In bytes. */
  get size(): number {
    return this.#size;
  }

  /** @param screen the agent's */
  push(bytes: Uint8Array, content: Content, screen: Size): void {
    this.#parts.push({ bytes, content });
    this.#size += bytes.length;
    if (this.#size <= this.#limit || content === "odd") return;
    const lines = content === "lines" ? afterFlood(this.#parts, screen.rows + SCROLLBACK) : undefined;
    const cut = lines ?? (this.#overdrawn && afterRedraws(this.#parts, screen, this.#overdrawn));
    if (cut !== undefined) this.#set(cut);
    this.#limit = Math.max(LONGEST_WAIT, 2 * this.#size);
  }

  /** Gives all and keeps nothing. */
  take(): readonly Part[] {
    const parts = this.#parts;
    this.#set([]);
    this.#limit = LONGEST_WAIT;
    return parts;
  }

  #set(parts: Part[]): void {
    this.#parts = parts;
    this.#size = parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }
}

/** A place in the parts: `at` is an offset in the part `index`. */
interface Place {
  readonly index: number;
  readonly at: number;
}

/**
 * The last `lines` lines of a flood say all that can still be seen of it, with the SGR that is in force there: whatever they hold moves the
 * cursor nowhere but down. What comes before the first line end stays too, since it may end a sequence that an earlier part began.
 * Undefined when the parts do not end in such a flood, or it is short.
 */
function afterFlood(parts: readonly Part[], lines: number): Part[] | undefined {
  const first = parts.findLastIndex(({ content }) => content !== "lines") + 1;
  const from = firstLineEnd(parts, first);
  const to = lastLines(parts, first, lines);
  if (from === undefined || to === undefined) return undefined;
  const skipped = between(parts, from, to);
  if (skipped.reduce((sum, { length }) => sum + length, 0) < SMALLEST_CUT) return undefined;
  // The lines that are left out ended at the bottom of the screen; the kept ones begin at the left edge behind a line end.
  const start = `\r${"\n".repeat(lines)}${styles(skipped)}`;
  const last = parts[to.index] as Part;
  return [
    ...parts.slice(0, from.index),
    { bytes: (parts[from.index] as Part).bytes.subarray(0, from.at), content: "lines" },
    { bytes: Buffer.from(start, "latin1"), content: "lines" },
    { bytes: last.bytes.subarray(to.at), content: "lines" },
    ...parts.slice(to.index + 1),
  ];
}

/** The last redraw of a flood of them says all that can still be seen of those before, with the SGR and modes that are in force there. */
function afterRedraws(parts: readonly Part[], screen: Size, search: typeof overdrawn): Part[] | undefined {
  const first = parts.findLastIndex(({ content }) => content === "odd") + 1;
  const bytes = Buffer.concat(parts.slice(first).map((part) => part.bytes));
  const found = search(bytes, screen);
  if (found === undefined || found.to - found.from < SMALLEST_CUT) return undefined;
  const skipped = bytes.subarray(found.from, found.to);
  const start =
    styles([skipped]) + lastOfEach(skipped.toString("latin1").match(/\x1b\[\?[\d;]*[hl]/g)) + (found.cleared ? "\x1b[H\x1b[2J" : "");
  return [
    ...parts.slice(0, first),
    { bytes: bytes.subarray(0, found.from), content: "sequences" },
    { bytes: Buffer.concat([Buffer.from(start, "latin1"), bytes.subarray(found.to)]), content: "sequences" },
  ];
}

/** Behind the first line end from part `first` on. */
function firstLineEnd(parts: readonly Part[], first: number): Place | undefined {
  for (let index = first; index < parts.length; index++) {
    const at = (parts[index] as Part).bytes.indexOf(LF);
    if (at >= 0) return { index, at: at + 1 };
  }
  return undefined;
}

/** Behind the CR LF that more than `lines` line ends follow, in part `first` or later. */
function lastLines(parts: readonly Part[], first: number, lines: number): Place | undefined {
  let found = 0;
  for (let index = parts.length - 1; index >= first; index--) {
    const { bytes } = parts[index] as Part;
    // Not -1 as the place to start from: it counts from the end.
    for (let at = bytes.lastIndexOf(LF); at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf(LF, at - 1)) {
      if (++found > lines + 1 && bytes[at - 1] === CR) return { index, at: at + 1 };
    }
  }
  return undefined;
}

/** What lies between two places; nothing when they are in the wrong order. */
function between(parts: readonly Part[], from: Place, to: Place): Uint8Array[] {
  return parts
    .slice(from.index, to.index + 1)
    .map(({ bytes }, i) => bytes.subarray(i === 0 ? from.at : 0, from.index + i === to.index ? to.at : bytes.length));
}

/**
 * The SGR sequences that are in force behind `skipped`: since SGR accumulates, all from its last reset on, or all there are; but each only where it
 * came last, since it sets the same then as it did before.
 */
function styles(skipped: readonly Uint8Array[]): string {
  let text = "";
  const texts: string[] = [];
  let reset = -1;
  for (let i = skipped.length - 1; i >= 0 && reset < 0; i--) {
    const bytes = skipped[i] as Uint8Array;
    text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
    reset = Math.max(text.lastIndexOf("\x1b[0m"), text.lastIndexOf("\x1b[m"));
    texts.unshift(reset < 0 ? text : text.slice(reset));
  }
  return lastOfEach(texts.join("").match(/\x1b\[[\d;:]*m/g));
}

/** Sequences each of which does the same whatever came before: only where it comes last. */
function lastOfEach(sequences: readonly string[] | null): string {
  return [...new Set(sequences?.toReversed())].toReversed().join("");
}
