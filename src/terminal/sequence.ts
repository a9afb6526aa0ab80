// One control sequence, ESC or CSI, as it is read byte by byte. Pure. Filled by scanner.ts, decided on by rewrite.ts.

/** One complete control sequence. The object is reused: read it during the call only. */
export interface Sequence {
  readonly kind: "csi" | "esc";
  /** `<`, `=`, `>` or `?` of a CSI, else 0. */
  readonly prefix: number;
  /** The last byte of 0x20..0x2f, else 0. */
  readonly intermediate: number;
  /** The one before it, else 0. */
  readonly before: number;
  readonly final: number;
  /** CSI parameters; an empty one is 0. Sub-parameters (after a colon) are not in here. */
  readonly params: Int32Array;
  readonly count: number;
  /** Whether nothing waits to be given out before it. */
  readonly first: boolean;
  /** Offset behind the sequence in the chunk that was given to `scan`. */
  readonly end: number;
}

/** What to do with a sequence: undefined lets it pass, a text goes out in its place. */
export type Verdict = string | undefined;

/** Decides on what a scanner finds. */
export interface ScannerHandler {
  /** Bytes for the terminal, in order. Borrowed from the chunk: not to be changed. */
  emit(bytes: Uint8Array): void;
  sequence(sequence: Sequence): Verdict;
  /** A complete OSC string. */
  osc(payload: string): Verdict;
  /** How an OSC begins that is too long to be held: whether it is left out. */
  refusesLong?(payload: string): boolean;
  /** How a DCS begins, from behind the introducer to the final: true leaves it out. */
  dcs?(head: string): boolean;
  /** An APC begins that is one of the kitty graphics protocol. */
  image?(): void;
  /** SO (0x0e) or SI (0x0f). */
  shift(code: number): void;
  /** Where the terminal is a multiplexer: a title begins that ST ends, `ESC k`, whose end in the chunk is this. */
  title?(end: number): void;
  /** Where the terminal is the Linux console: a sequence that sets its palette, which has no end of its own, is over at this offset in the chunk. */
  palette?(end: number): void;
}

/** A CSI longer than this is void: no terminal's parameters need it. */
export const LONGEST_CSI = 256;
const MAX_PARAMS = 32;
const BIGGEST_PARAM = 65_535;

/** 1: final of a CSI that changes no more than the cursor's line: ICH, CUF, CUB, CHA, EL, DCH, ECH, HPA, HPR. */
const WITHIN_LINE = new Uint8Array(128);
for (const final of "@CDGKPX`a") WITHIN_LINE[final.charCodeAt(0)] = 1;

export class SequenceReader implements Sequence {
  kind: "csi" | "esc" = "csi";
  prefix = 0;
  intermediate = 0;
  before = 0;
  final = 0;
  readonly params = new Int32Array(MAX_PARAMS);
  count = 0;
  first = false;
  end = 0;
  #subParameter = false;

  /** An introducer came. */
  clear(): void {
    this.prefix = 0;
    this.intermediate = 0;
    this.before = 0;
    this.count = 0;
    this.params[0] = 0;
    this.#subParameter = false;
  }

  collect(code: number): void {
    if (code >= 0x3c) this.prefix = code;
    else {
      this.before = this.intermediate;
      this.intermediate = code;
    }
  }

  param(code: number): void {
    if (this.count === 0) this.count = 1;
    if (code === 0x3b) {
      if (this.count < MAX_PARAMS) this.params[this.count++] = 0;
      this.#subParameter = false;
    } else if (code === 0x3a) this.#subParameter = true;
    else if (!this.#subParameter) {
      const last = this.count - 1;
      this.params[last] = Math.min(BIGGEST_PARAM, (this.params[last] as number) * 10 + code - 0x30);
    }
  }

  /**
   * Reads the rest of a CSI, of which only the introducer was read, at once. Gives its end, behind the final; `at`, with nothing read, where it is more than
   * numbers or not whole.
   */
  rest(bytes: Uint8Array, at: number): number {
    const { params } = this;
    const last = Math.min(bytes.length, at + LONGEST_CSI - 2);
    if (at >= last) return at;
    let i = at;
    let byte = bytes[i] as number;
    if (byte >= 0x3c && byte <= 0x3f) {
      this.prefix = byte;
      i++;
    }
    let count = 0;
    let value = 0;
    for (; i < last; i++) {
      byte = bytes[i] as number;
      if (byte >= 0x30 && byte <= 0x39) {
        value = Math.min(BIGGEST_PARAM, value * 10 + byte - 0x30);
        if (count === 0) count = 1;
      } else if (byte === 0x3b && count < MAX_PARAMS) {
        params[count === 0 ? 0 : count - 1] = value;
        count = count === 0 ? 2 : count + 1;
        value = 0;
      } else break;
    }
    if (i === last || byte < 0x40 || byte > 0x7e) {
      this.clear();
      return at;
    }
    if (count > 0) params[count - 1] = value;
    this.count = count;
    this.final = byte;
    return i + 1;
  }

  /** ST, in its 7-bit form. */
  get isTerminator(): boolean {
    return this.kind === "esc" && this.final === 0x5c && this.intermediate === 0;
  }

  /** SGR. */
  get isColour(): boolean {
    return this.kind === "csi" && this.final === 0x6d && this.prefix + this.intermediate === 0;
  }

  /** It changes no more than the cursor's line. */
  get isWithinLine(): boolean {
    return this.kind === "csi" && WITHIN_LINE[this.final] === 1 && this.prefix + this.intermediate === 0;
  }
}
