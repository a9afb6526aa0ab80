// What of an agent's output goes on to the terminal: all but what is replaced or left out, in order, and each string with an end. Pure. Used by scanner.ts.
import { restoresState } from "./control-string.ts";
import { LONGEST_CSI } from "./sequence.ts";

const TERMINATE = "\x1b\\";
const BREAK_OFF = "\x18";
const ST = Buffer.from(TERMINATE);
const CAN = Buffer.from(BREAK_OFF);
const NOTHING: Uint8Array = Buffer.alloc(0);
const decoder = new TextDecoder();

interface Handler {
  emit(bytes: Uint8Array): void;
  /** As in sequence.ts. */
  title?(end: number): void;
  dcs?(head: string): boolean;
}

export class Outgoing {
  /** What was held back, and the chunk. */
  bytes: Uint8Array = NOTHING;
  /** What waits for the rest of its sequence or character. */
  held: Uint8Array = NOTHING;
  /** Start of the sequence that is being read. */
  start = 0;
  /** Control characters inside the sequence went out before it: they act at once, also when the sequence itself is void. */
  acted = false;
  /** The string that is being read began in an earlier chunk and is on its way to the terminal. */
  streamed = false;
  /** The terminal is inside a string that was too long to be held: nothing may be written in between. */
  inString = false;
  /** The sequence that is being read is longer than any that means something: none of it goes out. */
  discards = false;
  /** The string that is being read was cut off: its rest does not go out. */
  swallows = false;
  /** The string before this ESC was left out, so its `\` must be too. */
  dropsTerminator = false;
  /** Start of the bytes that were seen but not yet given out. */
  #run = 0;
  /** The bytes are not ours to change. */
  #borrowed = true;
  /** How many of the bytes came before the chunk. */
  #before = 0;
  readonly #handler: Handler;

  constructor(handler: Handler) {
    this.#handler = handler;
  }

  begin(chunk: Uint8Array): void {
    this.#before = this.held.length;
    this.#borrowed = this.#before === 0;
    this.bytes = this.#borrowed ? chunk : Buffer.concat([this.held, chunk]);
    this.held = NOTHING;
    this.#run = 0;
    this.start = 0;
    this.acted = false;
  }

  startSequence(at: number): void {
    this.start = at;
    this.acted = false;
    this.streamed = false;
  }

  /** The same place in the chunk. */
  inChunk(at: number): number {
    return at - this.#before;
  }

  /** Nothing waits to go out before the sequence. */
  get isFirst(): boolean {
    return this.#run === this.start;
  }

  /** Whether a sequence that goes on at `at` is longer than any that means something. */
  isVoid(at: number): boolean {
    return this.discards || at - this.start >= LONGEST_CSI;
  }

  /**
   * What ended the string is no ST but the beginning of something else: in a multiplexer the string ends there too, which takes it for a part of it, and then
   * hides what follows, or hands it on to the terminal that it is in (tmux, GNU screen).
   */
  breakOff(): void {
    if (!this.inString || this.#handler.title === undefined) return;
    this.#emit(this.start);
    this.#endString();
    this.#run = this.start;
  }

  /** What is up to `end` has gone out, or does not. */
  skip(end: number): void {
    this.#run = end;
  }

  /** The sequence, up to `end`, does not go out, and something else may. */
  replace(end: number, instead: string): void {
    this.#emit(this.start);
    this.discards = false;
    this.#endString();
    if (instead !== "") this.#handler.emit(Buffer.from(instead));
    this.#run = end;
  }

  /** A control character at `at`, inside the sequence, changes places with what came of the sequence, unless that is void in any case. */
  actAtOnce(at: number, code: number): void {
    this.#emit(this.start);
    this.#endString();
    this.#handler.emit(Uint8Array.of(code));
    this.acted = true;
    if (!this.isVoid(at)) {
      this.#makeOurs();
      this.bytes.copyWithin(this.start + 1, this.start, at);
      this.bytes[this.start++] = code;
    }
    this.#run = this.start;
  }

  /** Leaves out what is no character at `at`, inside the sequence; one that is void in any case is left out as a whole. */
  leaveOut(at: number, width: number): void {
    if (this.isVoid(at)) return;
    this.#emit(this.start);
    this.#makeOurs();
    this.bytes.copyWithin(this.start + width, this.start, at);
    this.start += width;
    this.#run = this.start;
  }

  /** The string starts whose final is at `at`, before `end`: gives whether it goes out. Not DECRSPS, nor what the handler leaves out, nor what follows up to its end. */
  startDcs(at: number, end: number): boolean {
    const isVoid = this.isVoid(at);
    if (!isVoid && !restoresState(this.bytes, at) && !this.#handler.dcs?.(decoder.decode(this.bytes.subarray(this.start + 2, end))))
      return true;
    this.replace(end, "");
    if (isVoid) return false;
    this.swallows = true;
    this.streamed = true;
    return false;
  }

  /** The chunk is over, and with it all that goes out of it: what is from `end` on waits for the next one. */
  hold(end: number): void {
    this.#emit(end);
    this.held = this.#copyFrom(end);
  }

  /** The chunk is over, in a sequence that is void by now, of which what is behind `at` has not been read. Gives where the chunk ends. */
  discard(at: number): number {
    this.#emit(this.start);
    this.#endString();
    this.discards = true;
    this.held = this.#copyFrom(at);
    return this.bytes.length;
  }

  /** The stream is over: gives out what was held. */
  finish(): void {
    const { held } = this;
    this.held = NOTHING;
    if (held.length > 0 && !this.discards) this.#handler.emit(held);
  }

  /**
   * Something must be written now: the string that stands open is over for the terminal, once it got what this gives; nothing when there is none.
   * @param goesOn more of the string may come
   */
  cutString(goesOn: boolean): string {
    if (!this.inString) return "";
    this.inString = false;
    this.swallows = goesOn;
    // What ends it waits for what follows: an ESC, or a C1 control, which breaks it off.
    if (goesOn || this.held[0] !== 0x1b) return BREAK_OFF;
    this.dropsTerminator = true;
    return TERMINATE;
  }

  /** Gives out all up to `end`. */
  #emit(end: number): void {
    const from = this.#run;
    if (from >= end || this.discards || this.swallows) return;
    this.#handler.emit(from === 0 && end === this.bytes.length ? this.bytes : this.bytes.subarray(from, end));
  }

  /**
   * The ESC that ended a string belongs to a sequence that does not go out as it came: for the terminal the string ends here. A C1 control breaks
   * it off.
   */
  #endString(): void {
    if (this.inString) this.#handler.emit(this.bytes[this.start] === 0x1b ? ST : CAN);
    this.inString = false;
  }

  /** A copy: not as a Buffer's own `slice`. */
  #copyFrom(at: number): Uint8Array {
    return at < this.bytes.length ? Buffer.from(this.bytes.subarray(at)) : NOTHING;
  }

  #makeOurs(): void {
    if (this.#borrowed) this.bytes = Buffer.from(this.bytes);
    this.#borrowed = false;
  }
}
