// Which output full-screen redraws have made irrelevant: what touched only rows that were erased as a whole later on. Pure. Used by backlog.ts.
import type { Size } from "./pty.ts";

const ESC = 0x1b;
const BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const PRIVATE = "\x1b[?";
/** Of an OSC that is only looked for in what is at hand. */
const LONGEST_TITLE = 4096;
/** Modes that show nothing by themselves: the cursor's visibility, synchronised output. */
const HARMLESS = new Set([25, 2026]);

/** What lies from `from` to before `to` has left nothing on the screen but its SGR and what sets its modes as they are then; `cleared`: it may have erased the whole. */
export interface Overdrawn {
  readonly from: number;
  readonly to: number;
  readonly cleared: boolean;
  readonly modes: string;
}

/**
 * Reads output that holds whole sequences, where no margin is set and nothing is inserted. A row counts as touched where text might have reached it, and as
 * erased only where it surely was. Whatever is not known here, scrolls, or is written where the cursor's row is not known begins the search anew.
 */
export function overdrawn(bytes: Buffer, size: Size): Overdrawn | undefined {
  const search = new Search(size);
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at] as number;
    if (byte === ESC) at = bytes[at + 1] === BRACKET ? search.csi(bytes, at) : search.escape(bytes, at);
    else if (byte >= 0x20) at = search.text(bytes, at);
    else at = search.control(byte, at + 1);
  }
  const found = search.found();
  return found && { ...found, modes: modesAt(bytes, found.from, found.to) };
}

/** What sets the modes as they are at `to`, from those of `HARMLESS` that were set or reset since `from`. */
function modesAt(bytes: Buffer, from: number, to: number): string {
  const last = new Map<string, string>();
  for (let at = to; at > from && last.size < HARMLESS.size; ) {
    at = bytes.lastIndexOf(PRIVATE, at - 1);
    if (at < from) break;
    const [, modes = "", final = ""] = /^([\d;]*)([hl])/.exec(bytes.toString("latin1", at + PRIVATE.length, Math.min(to, at + 64))) ?? [];
    for (const mode of modes.split(";")) if (!last.has(mode)) last.set(mode, final);
  }
  return [...last].map(([mode, final]) => `${PRIVATE}${mode}${final}`).join("");
}

/** Where an OSC ends that sets a title, of window or icon; `at`, where it starts, when it is something else. */
function endOfTitle(bytes: Uint8Array, at: number): number {
  const kind = bytes[at + 2] as number;
  if (bytes[at + 1] !== CLOSING_BRACKET || kind < 0x30 || kind > 0x32 || bytes[at + 3] !== 0x3b) return at;
  for (let end = at + 4; end < Math.min(bytes.length, at + LONGEST_TITLE); end++) {
    const byte = bytes[end] as number;
    if (byte === 0x07) return end + 1;
    if (byte === ESC) return bytes[end + 1] === 0x5c ? end + 2 : at;
    // Another control character, or half of one.
    if (byte < 0x20 || byte === 0xc2) return at;
  }
  return at;
}

class Search {
  readonly #rows: number;
  readonly #cols: number;
  #from = 0;
  #cleared = false;
  readonly #touched: Uint8Array;
  /** Where the CUP stands from which on a row was erased, by row; -1: nowhere. */
  readonly #erased: Int32Array;
  /** The cursor's row, 1-based; 0: not known. Its column is no more than this, one past the last when it waits there; and just that when `#exact`. */
  #row = 0;
  #col = 1;
  #exact = false;
  /** The last CUP, from which `#row` is known. */
  #cup = -1;

  constructor({ rows, cols }: Size) {
    this.#rows = rows;
    this.#cols = cols;
    this.#touched = new Uint8Array(rows + 1);
    this.#erased = new Int32Array(rows + 1).fill(-1);
  }

  found(): Omit<Overdrawn, "modes"> | undefined {
    let to = Number.POSITIVE_INFINITY;
    for (let row = 1; row <= this.#rows; row++) if (this.#touched[row] === 1) to = Math.min(to, this.#erased[row] as number);
    return to > this.#from && to !== Number.POSITIVE_INFINITY ? { from: this.#from, to, cleared: this.#cleared } : undefined;
  }

  /** What came up to `at` stays. */
  unknown(at: number): number {
    this.#from = at;
    this.#cleared = false;
    this.#touched.fill(0);
    this.#erased.fill(-1);
    this.#row = 0;
    this.#cup = -1;
    return at;
  }

  /** The sequence whose ESC is at `start`, and which is no CSI. Gives its end. */
  escape(bytes: Uint8Array, start: number): number {
    const end = endOfTitle(bytes, start);
    return end > start ? end : this.unknown(start + 1);
  }

  text(bytes: Uint8Array, from: number): number {
    let cells = 0;
    let at = from;
    for (; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      if (byte < 0x80) {
        if (byte < 0x20) break;
        cells++;
      } else if (byte >= 0xc0) {
        const next = bytes[at + 1] as number;
        // A C1 control.
        if (byte === 0xc2 && next < 0xa0) return this.unknown(at + 2);
        // Punctuation, arrows, mathematical signs, box drawing and blocks are narrow; of what else takes three or four bytes the most is counted.
        cells += byte < 0xe0 || (byte === 0xe2 && (next <= 0x8b || (next >= 0x94 && next <= 0x96))) ? 1 : 2;
      }
    }
    if (this.#row === 0) return this.unknown(at);
    this.#touched[this.#row] = 1;
    this.#exact = false;
    this.#col += cells;
    if (this.#col <= this.#cols + 1) return at;
    // It may have gone on in the next rows, with a wide character missing at the end of each.
    let row = this.#row;
    for (; this.#col > this.#cols + 1; this.#col -= Math.max(1, this.#cols - 1)) {
      if (++row > this.#rows) return this.unknown(at);
      this.#touched[row] = 1;
    }
    this.#row = 0;
    return at;
  }

  control(byte: number, end: number): number {
    if (this.#row === 0) return this.unknown(end);
    switch (byte) {
      case 0x07:
        return end;
      case 0x08:
        this.#exact = false;
        return end;
      case 0x09:
        this.#col = Math.max(this.#col, this.#cols);
        this.#exact = false;
        return end;
      case 0x0a:
        if (this.#row === this.#rows) return this.unknown(end);
        // The row no longer continues the one above.
        this.#touched[++this.#row] = 1;
        return end;
      case 0x0d:
        this.#column(1);
        return end;
      default:
        return this.unknown(end);
    }
  }

  /** The sequence whose ESC is at `start`. Gives its end. */
  csi(bytes: Uint8Array, start: number): number {
    let at = start + 2;
    const isPrivate = bytes[at] === 0x3f;
    if (isPrivate) at++;
    let first = 0;
    let value = 0;
    let count = 0;
    let harmless = true;
    for (; ; at++) {
      const byte = bytes[at] as number;
      if (byte >= 0x30 && byte <= 0x39) value = Math.min(65_535, value * 10 + byte - 0x30);
      else {
        if (count === 0) first = value;
        if (isPrivate) harmless &&= HARMLESS.has(value);
        if (byte !== 0x3b) break;
        count++;
        value = 0;
      }
    }
    const final = bytes[at] as number;
    const end = at + 1;
    if (final === 0x3a) return isPrivate ? this.unknown(end) : this.#colour(bytes, end);
    if (isPrivate) return (final === 0x68 || final === 0x6c) && harmless ? end : this.unknown(end);
    if (final === 0x6d) return end;
    if (final === 0x48 || final === 0x66) {
      if (count > 1) return this.unknown(end);
      this.#row = Math.min(this.#rows, Math.max(1, first));
      this.#column(count === 1 ? value : 1);
      this.#cup = start;
      return end;
    }
    return count === 0 && this.#simple(final, first) ? end : this.unknown(end);
  }

  /** The rest of an SGR with sub-parameters. */
  #colour(bytes: Uint8Array, from: number): number {
    let at = from;
    while ((bytes[at] as number) >= 0x30 && (bytes[at] as number) <= 0x3b) at++;
    return bytes[at] === 0x6d ? at + 1 : this.unknown(at);
  }

  #column(col: number): void {
    this.#col = Math.min(this.#cols, Math.max(1, col));
    this.#exact = true;
  }

  /** A sequence with one parameter at most; false when what it does is not known. */
  #simple(final: number, value: number): boolean {
    const many = Math.max(1, value);
    if (this.#row === 0) return false;
    switch (final) {
      case 0x40: // ICH
      case 0x50: // DCH
      case 0x58: // ECH
        this.#touched[this.#row] = 1;
        return true;
      case 0x41: // CUU
        this.#row = Math.max(1, this.#row - many);
        return true;
      case 0x42: // CUD
        this.#row = Math.min(this.#rows, this.#row + many);
        return true;
      case 0x43: // CUF
        this.#col = Math.max(this.#col, Math.min(this.#cols, this.#col + many));
        this.#exact = false;
        return true;
      case 0x44: // CUB
        this.#exact = false;
        return true;
      case 0x45: // CNL
        this.#row = Math.min(this.#rows, this.#row + many);
        this.#column(1);
        return true;
      case 0x46: // CPL
        this.#row = Math.max(1, this.#row - many);
        this.#column(1);
        return true;
      case 0x47: // CHA
      case 0x60: // HPA
        this.#column(many);
        return true;
      case 0x64: // VPA
        this.#row = Math.min(this.#rows, many);
        return true;
      case 0x4b: // EL
        this.#touched[this.#row] = 1;
        if (value === 2 || (value === 0 && this.#atStart)) this.#erased[this.#row] = this.#cup;
        return value <= 2;
      case 0x4a: // ED
        return this.#erase(value);
      default:
        return false;
    }
  }

  get #atStart(): boolean {
    return this.#exact && this.#col === 1;
  }

  #erase(what: number): boolean {
    if (what !== 0 && what !== 2) return false;
    // Whether this is the whole screen must be known: the shadow remembers that.
    if (what === 0 && this.#row === 1 && !this.#exact) return false;
    this.#cleared ||= what === 2 || (this.#row === 1 && this.#col === 1);
    const top = what === 2 ? 1 : this.#row;
    for (let row = top; row <= this.#rows; row++) {
      this.#touched[row] = 1;
      if (row > top || what === 2 || this.#atStart) this.#erased[row] = this.#cup;
    }
    return true;
  }
}
