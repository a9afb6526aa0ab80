// Output that the shadow has not worked through yet. Of a flood only the end is kept: the rest has scrolled away, or was drawn over. Used by shadow-feed.ts and shadow.ts.
import type { Size } from "./pty.ts";
import type { overdrawn } from "./redraws.ts";

/** How far back an emulator's scrollback goes: what a grown window pulls out again. */
export const SCROLLBACK = 200;
/** Above this, a flood is cut to its end. Also what a drain may take at once: some 4 ms. */
export const LONGEST_WAIT = 262_144;
/** Less is not worth leaving out. */
const SMALLEST_CUT = 16_384;
/** What comes in small pieces is put together to parts of this. */
const LONGEST_PART = 65_536;
const SMALLEST_ROOM = 4096;
const ESC = 0x1b;
const LF = 0x0a;
const CR = 0x0d;

/**
 * What output holds: text, line ends, SGR and changes within a line; or other sequences too; `odd` when those may mean something else than usual, as
 * between margins or in a string, so that none of it can be left out.
 */
export type Content = "lines" | "sequences" | "odd";

interface Part {
  /** It begins where the one before it ends. */
  readonly start: number;
  end: number;
  readonly content: Content;
}

/** Bytes that can be left out, and what does the same in their place. */
interface Cut {
  readonly from: number;
  readonly to: number;
  readonly instead: string;
}

export class Backlog {
  /** All parts, one behind the other; the same memory again and again, so that a flood leaves none for V8 to collect. */
  #bytes: Buffer = Buffer.allocUnsafeSlow(SMALLEST_ROOM);
  #size = 0;
  #parts: Part[] = [];
  /** The agent's, when something came last. */
  #screen: Size = { cols: 1, rows: 1 };
  /** The next size at which to try a cut, and the one that the last try left. */
  #limit = LONGEST_WAIT;
  #tried = 0;
  readonly #overdrawn: typeof overdrawn | undefined;

  /** @param search finds what redraws have made irrelevant. Until there is a shadow nobody does: so the launcher need not read it */
  constructor(search?: typeof overdrawn) {
    this.#overdrawn = search;
  }

  /** In bytes. */
  get size(): number {
    return this.#size;
  }

  /**
   * @param bytes are copied
   * @param screen the agent's
   */
  push(bytes: Uint8Array, content: Content, screen: Size): void {
    const start = this.#size;
    const end = start + bytes.length;
    if (end > this.#bytes.length) this.#grow(end);
    this.#bytes.set(bytes, start);
    this.#size = end;
    this.#screen = screen;
    const last = this.#parts[this.#parts.length - 1];
    if (last !== undefined && last.content === content && end - last.start <= LONGEST_PART) last.end = end;
    else this.#parts.push({ start, end, content });
    if (end <= this.#limit || content === "odd") return;
    this.#cut();
    this.#limit = Math.max(LONGEST_WAIT, 2 * this.#size);
  }

  /** Gives what of all can still be seen, as it is until the next `push`, and keeps nothing. */
  take(): readonly { readonly bytes: Uint8Array; readonly content: Content }[] {
    if (this.#size > 2 * SMALLEST_CUT && this.#size !== this.#tried) this.#cut();
    const taken = this.#parts.map(({ start, end, content }) => ({ bytes: this.#bytes.subarray(start, end), content }));
    this.#parts = [];
    this.#size = 0;
    this.#tried = 0;
    this.#limit = LONGEST_WAIT;
    return taken;
  }

  #grow(size: number): void {
    const bytes = Buffer.allocUnsafeSlow(Math.max(size, 2 * this.#bytes.length));
    bytes.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = bytes;
  }

  #cut(): void {
    const bytes = this.#bytes.subarray(0, this.#size);
    const flood = this.#parts.findLast(({ content }) => content !== "lines")?.end ?? 0;
    const redraws = this.#parts.findLast(({ content }) => content === "odd")?.end ?? 0;
    const lines = afterFlood(bytes, flood, this.#screen.rows + SCROLLBACK);
    if (lines !== undefined) this.#leaveOut(lines, flood, "lines");
    else if (this.#overdrawn !== undefined) {
      const cut = afterRedraws(bytes, redraws, this.#screen, this.#overdrawn);
      if (cut !== undefined) this.#leaveOut(cut, redraws, "sequences");
    }
    this.#tried = this.#size;
  }

  /** What comes from `start` on is one part then. */
  #leaveOut({ from, to, instead }: Cut, start: number, content: Content): void {
    const skipped = to - from - instead.length;
    if (skipped < SMALLEST_CUT) return;
    this.#bytes.write(instead, from, "latin1");
    this.#bytes.copyWithin(from + instead.length, to, this.#size);
    this.#size -= skipped;
    this.#parts = [...this.#parts.filter((part) => part.end <= start), { start, end: this.#size, content }];
  }
}

/**
 * The last `lines` lines of a flood, from `start` on, say all that can still be seen of it, with the SGR that is in force there: whatever they hold moves the
 * cursor nowhere but down. What comes before the first line end stays too, since it may end a sequence that an earlier part began.
 * Undefined when it is no longer than that.
 */
function afterFlood(bytes: Buffer, start: number, lines: number): Cut | undefined {
  const from = bytes.indexOf(LF, start) + 1;
  if (from === 0) return undefined;
  const to = lastLines(bytes, from, lines);
  if (to === undefined || to - from < SMALLEST_CUT) return undefined;
  // The lines that are left out ended at the bottom of the screen; the kept ones begin at the left edge behind a line end.
  return { from, to, instead: `\r${"\n".repeat(lines)}${styles(bytes.subarray(from, to))}` };
}

/** The last redraw of a flood of them, from `start` on, says all that can still be seen of those before, with the SGR and modes that are in force there. */
function afterRedraws(bytes: Buffer, start: number, screen: Size, search: typeof overdrawn): Cut | undefined {
  const found = search(bytes.subarray(start), screen);
  if (found === undefined || found.to - found.from < SMALLEST_CUT) return undefined;
  const [from, to] = [start + found.from, start + found.to];
  return { from, to, instead: styles(bytes.subarray(from, to)) + found.modes + (found.cleared ? "\x1b[H\x1b[2J" : "") };
}

/** Behind the CR LF, itself behind `start`, that more than `lines` line ends follow. */
function lastLines(bytes: Buffer, start: number, lines: number): number | undefined {
  let found = 0;
  for (let at = bytes.lastIndexOf(LF); at > start; at = bytes.lastIndexOf(LF, at - 1)) {
    if (++found > lines + 1 && bytes[at - 1] === CR) return at + 1;
  }
  return undefined;
}

/**
 * The SGR sequences that are in force behind `skipped`: since SGR accumulates, all from its last reset on, or all there are; but each only where it
 * came last, since it sets the same then as it did before.
 */
function styles(skipped: Buffer): string {
  if (!skipped.includes(ESC)) return "";
  // Most agents use one of the two forms: the other is looked for behind it alone.
  const behind = skipped.subarray(Math.max(skipped.lastIndexOf("\x1b[0m"), 0));
  const reset = Math.max(behind.lastIndexOf("\x1b[m"), 0);
  return lastOfEach(behind.toString("latin1", reset).match(/\x1b\[[\d;:]*m/g));
}

/** Sequences each of which does the same whatever came before: only where it comes last. */
function lastOfEach(sequences: readonly string[] | null): string {
  return [...new Set(sequences?.toReversed())].toReversed().join("");
}
