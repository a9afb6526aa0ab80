// Gives the shadow of an agent's output what the terminal has got, no more and no less; before there is a shadow, that waits. Used by compositor.ts.
import { Backlog } from "./backlog.ts";
import type { Frame } from "./frame.ts";
import type { Scanner } from "./scanner.ts";
import type { Shadow } from "./shadow.ts";

/** Brings the shadow up to an offset in the chunk that is being scanned; `then`: it gets that too. */
export type Feed = (end: number, then?: string) => void;

const NOTHING = new Uint8Array(0);
const LF = 0x0a;
const CR = 0x0d;
const ESC = 0x1b;
const MARKER = "\x1b]7777;";
const decoder = new TextDecoder();
/** What is said to the shadow alone, in memory that is used again: the shadow and the backlog take copies. */
const said = Buffer.allocUnsafeSlow(4096);

export class ShadowFeed {
  readonly #frame: Frame;
  readonly #scanner: Pick<Scanner, "inString" | "complex" | "withheld">;
  /** What the agent wrote before there was a shadow. */
  #backlog: Backlog | undefined = new Backlog();
  #chunk: Uint8Array = NOTHING;
  /** The last byte of this chunk and of the one before, whose memory is used again. */
  #last = LF;
  #lastBefore = LF;
  #fed = 0;
  /** What the shadow got last ended in a string. */
  #inString = false;
  /** What the scanner holds back, the shadow has not got either: it shows what the terminal shows, also when a sequence or character is cut. */
  #rest: Uint8Array = NOTHING;

  constructor(frame: Frame, scanner: Pick<Scanner, "inString" | "complex" | "withheld">) {
    this.#frame = frame;
    this.#scanner = scanner;
  }

  /** There is output that no shadow has got yet, and one may come. */
  get waits(): boolean {
    return this.#backlog !== undefined && this.#backlog.size > 0;
  }

  /** A chunk is about to be scanned. */
  begin(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#lastBefore = this.#last;
    if (chunk.length > 0) this.#last = chunk[chunk.length - 1] as number;
    this.#fed = 0;
  }

  /** It was scanned. */
  end(): void {
    const chunk = this.#chunk;
    // Besides, xterm.js 6.0 loses a character that comes byte by byte when a byte of it is 0x80.
    this.#feedUntil(chunk.length - this.#scanner.withheld);
    if (this.#fed < chunk.length) this.#rest = Buffer.concat([this.#rest, chunk.subarray(this.#fed)]);
  }

  /** As `Feed`. */
  upTo(end: number, then = ""): void {
    this.#feedUntil(end);
    if (then !== "") this.#toShadow(then.length * 3 <= said.length ? said.subarray(0, said.write(then)) : Buffer.from(then), true);
  }

  /** A shadow is there that shows the screen as it was when the agent started. */
  adopt(shadow: Shadow): void {
    for (const { bytes, content } of this.#backlog?.take() ?? []) shadow.feed(bytes, content);
    this.#backlog = undefined;
    this.#frame.shadow = shadow;
  }

  /** None will come. */
  giveUp(): void {
    this.#backlog = undefined;
  }

  /** Another one will come, for what the agent writes from now on. */
  startAnew(): void {
    this.#frame.shadow = undefined;
    this.#backlog = new Backlog();
  }

  /**
   * Whether the cursor may wait behind the last column, and only a shadow could tell: the output does not end with a line. The marker of its end, which is the
   * last that came, counts for nothing.
   */
  get endsWithinLine(): boolean {
    if (!this.waits) return false;
    const at = this.#chunk.lastIndexOf(ESC);
    const marked = at >= 0 && decoder.decode(this.#chunk.subarray(at)).startsWith(MARKER);
    const last = !marked ? this.#last : at > 0 ? this.#chunk[at - 1] : this.#lastBefore;
    return last !== LF && last !== CR;
  }

  #feedUntil(end: number): void {
    if (end <= this.#fed) return;
    if (this.#rest.length > 0) {
      const rest = this.#rest;
      this.#rest = NOTHING;
      this.#toShadow(Buffer.concat([rest, this.#chunk.subarray(this.#fed, end)]));
      this.#fed = end;
      return;
    }
    const bytes = this.#fed === 0 && end === this.#chunk.length ? this.#chunk : this.#chunk.subarray(this.#fed, end);
    this.#fed = end;
    this.#toShadow(bytes);
  }

  #toShadow(bytes: Uint8Array, always = false): void {
    const frame = this.#frame;
    const scanner = this.#scanner;
    const odd = always || scanner.inString || this.#inString || frame.scrollsOddly;
    const content = odd ? "odd" : scanner.complex ? "sequences" : "lines";
    this.#inString = scanner.inString;
    scanner.complex = false;
    if (frame.shadow !== undefined) frame.shadow.feed(bytes, content);
    else this.#backlog?.push(bytes, content, frame.agentSize);
  }
}
