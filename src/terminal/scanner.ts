// Finds the sequences in an agent's output that matter to a terminal whose last row is not the agent's. PURE. Used by compositor.ts.
import { LastPrinted } from "./last-printed.ts";
import { characterAt, incompleteCharacter, isCharacter } from "./utf8.ts";
import { Action, NON_ASCII, State, TABLE } from "./vt-table.ts";

/** One complete control sequence. The object is reused: read it during the call only. */
export interface Sequence {
  kind: "csi" | "esc";
  /** `<`, `=`, `>` or `?` of a CSI, else 0. */
  prefix: number;
  /** The last byte of 0x20..0x2f, else 0. */
  intermediate: number;
  /** The one before it, else 0. */
  before: number;
  final: number;
  /** CSI parameters; an empty one is 0. Sub-parameters (after a colon) are not in here. */
  params: Int32Array;
  count: number;
  /** Whether nothing waits to be given out before it. */
  first: boolean;
  /** Offset behind the sequence in the chunk that was given to `scan`. */
  end: number;
}

/** What to do with a sequence: undefined lets it pass, a text goes out in its place. */
export type Verdict = string | undefined;

export interface ScannerHandler {
  /** Bytes for the terminal, in order. Borrowed from the chunk: not to be changed. */
  emit(bytes: Uint8Array): void;
  sequence(sequence: Sequence): Verdict;
  /** A complete OSC string. */
  osc(payload: string): Verdict;
  /** SO (0x0e) or SI (0x0f). */
  shift(code: number): void;
  /** Where the terminal is the Linux console: a sequence that sets its palette, which has no end of its own, is over at this offset in the chunk. */
  palette?(end: number): void;
}

/** A CSI longer than this is void: no terminal's parameters need it. */
const LONGEST_CSI = 256;
/** An OSC is held until it is complete, up to this; others are only passed on. Longer ones stream through. */
const LONGEST_OSC = 4096;
const LONGEST_STRING = 64;
const MAX_PARAMS = 32;
const BIGGEST_PARAM = 65_535;
/** console_codes(4). */
const LONGEST_PALETTE = 10;
const PALETTE = /^\x1b\](R|P[\da-fA-F]{7})$/;

const TERMINATE = "\x1b\\";
const BREAK_OFF = "\x18";
const ST = Buffer.from(TERMINATE);
const CAN = Buffer.from(BREAK_OFF);
const NOTHING = new Uint8Array(0);
const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** 1: the ground state has to look at this byte. */
const GROUND_STOP = new Uint8Array(256);
for (const byte of [0x0e, 0x0f, 0x1b, 0xc2]) GROUND_STOP[byte] = 1;

/** 1: final of a CSI that changes no more than the cursor's line: ICH, CUF, CUB, CHA, EL, DCH, ECH, HPA, HPR. */
const WITHIN_LINE = new Uint8Array(128);
for (const final of "@CDGKPX`a") WITHIN_LINE[final.charCodeAt(0)] = 1;

/** 1: an action after which what was printed before is no longer what was printed last. */
const RESETS = new Uint8Array(16);
for (const action of [Action.execute, Action.escDispatch, Action.csiDispatch, Action.oscEnd, Action.stringEnd, Action.abort])
  RESETS[action] = 1;

/**
 * Cuts a stream into runs that pass untouched and sequences that the handler decides on. A sequence or UTF-8 character that a chunk leaves
 * incomplete is held back, so that the terminal is always between two of them, except inside a long string (`inString`). Malformed
 * sequences are left out, and bytes inside a sequence that are no UTF-8, since terminals differ in how they read them.
 */
export class Scanner {
  /** The terminal is inside a string that was too long to be held: nothing may be written in between. */
  inString = false;
  /** Something other than text, line ends, SGR and changes within a line has come since this was last set to false. */
  complex = false;

  readonly #handler: ScannerHandler;
  #held: Uint8Array = NOTHING;
  readonly #last = new LastPrinted();
  /** How much of what is held was read, and the state that it led to: it is not read again. */
  #read = 0;
  #heldState: number = State.ground;
  #subParameter = false;
  /** Where the machine goes on when nothing is held that was read: ground, unless in a string that streams or a sequence that is left out. */
  #state: number = State.ground;
  /** The sequence that is being read is longer than any that means something: none of it goes out. */
  #discard = false;
  /** The string that is being read was cut off: its rest does not go out. */
  #swallow = false;
  /** The string before this ESC was left out, so its `\` must be too. */
  #dropTerminator = false;
  readonly #sequence: Sequence = {
    kind: "csi",
    prefix: 0,
    intermediate: 0,
    before: 0,
    final: 0,
    params: new Int32Array(MAX_PARAMS),
    count: 0,
    first: false,
    end: 0,
  };

  constructor(handler: ScannerHandler) {
    this.#handler = handler;
  }

  /** The character that was printed last, with what joined it, when nothing came after it. */
  get lastPrinted(): string {
    return this.#last.character;
  }

  /** Bytes that wait for the rest of their sequence. */
  get held(): number {
    return this.#held.length;
  }

  /** How many bytes at the end of what came have had no effect yet. */
  withheld = 0;

  /** Something must be written now: the string that stands open is over for the terminal, once it got what this gives; nothing when there is none. */
  cutString(): string {
    if (!this.inString) return "";
    this.inString = false;
    this.#swallow = isString(this.#state);
    // What ends it waits for what follows: an ESC, or a C1 control, which breaks it off.
    if (this.#swallow || this.#held[0] !== 0x1b) return BREAK_OFF;
    this.#dropTerminator = true;
    return TERMINATE;
  }

  /** The stream is over: gives out what was held. */
  finish(): void {
    const held = this.#held;
    this.#held = NOTHING;
    if (held.length > 0 && !this.#discard) this.#handler.emit(held);
  }

  scan(chunk: Uint8Array): void {
    const before = this.#held.length;
    let bytes = before === 0 ? chunk : joined(this.#held, chunk);
    this.#held = NOTHING;
    const n = bytes.length;
    if (before === 0 && this.#state === State.ground && isText(bytes)) {
      this.#end(bytes, State.ground, 0, 0, n, false, false);
      if (this.#held.length < n) this.#last.follow(this.#held.length === 0 ? bytes : bytes.subarray(0, n - this.#held.length));
      return;
    }
    const sequence = this.#sequence;
    const read = this.#read;
    this.#read = 0;
    let state = read > 0 ? this.#heldState : this.#state;
    /** The string that is being read began in an earlier chunk and is on its way to the terminal. */
    let streamed = read === 0 && isString(state);
    if (streamed || state >= State.dcsEntry || (read > 0 && bytes[0] !== 0x1b)) this.complex = true;
    /** Start of the bytes that were seen but not yet given out. */
    let run = 0;
    /** Start of the sequence that is being read, and end of the text before it. */
    let start = 0;
    let textEnd = 0;
    /** End of the last thing that was not text, and of the one before the sequence that is being read. */
    let lastEnd = read;
    let endBefore = 0;
    /** Control characters inside the sequence went out before it: they act at once, also when the sequence itself is void. */
    let acted = false;
    let subParameter = read > 0 && this.#subParameter;
    let i = read;

    /** What was printed last in an earlier chunk, or is kept for another reason, is so no longer. */
    let reset = false;
    /** Up to here nothing was printed, and nothing came that ends what was printed last. */
    let unchanged = 0;
    /** What was printed before the sequence that ends here is still what was printed last. */
    const keepLast = (end: number): void => {
      if (unchanged === start) unchanged = end;
      if (endBefore >= textEnd) return;
      this.#last.set(bytes.subarray(endBefore, textEnd));
      reset = false;
    };
    /** A malformed sequence, which for terminals was none. */
    const leaveOut = (end: number): void => {
      keepLast(end);
      replace(end, "");
    };
    const replace = (end: number, instead: string): void => {
      this.#emit(bytes, run, start);
      this.#discard = false;
      this.#endString(bytes[start] === 0x1b);
      if (instead !== "") this.#handler.emit(encoder.encode(instead));
      run = end;
    };

    while (i < n) {
      if (state === State.ground) {
        while (i < n && GROUND_STOP[bytes[i] as number] === 0) i++;
        if (i === n) break;
        // Colours are most of all sequences, and pass: no need to take them apart.
        const end = this.#dropTerminator ? i : endOfColour(bytes, i);
        if (end > i) {
          i = lastEnd = end;
          reset = true;
          this.inString = false;
          continue;
        }
      }
      let code = bytes[i] as number;
      let width = 1;
      if (code >= 0x80) {
        width = characterAt(bytes, i);
        if (i + width > n) break;
        const second = bytes[i + 1] as number;
        code = code === 0xc2 && width === 2 && second <= 0x9f ? second : NON_ASCII;
        if (code < NON_ASCII) this.complex = true;
        else if (state !== State.ground && !isString(state) && !isCharacter(bytes, i, width)) {
          this.complex = true;
          // One that is void in any case is left out as a whole.
          if (!this.#discard && i - start < LONGEST_CSI) {
            this.#emit(bytes, run, start);
            if (bytes === chunk) bytes = new Uint8Array(chunk);
            bytes.copyWithin(start + width, start, i);
            start += width;
            run = start;
          }
          i += width;
          lastEnd = i;
          continue;
        }
      }
      const transition = TABLE[(state << 8) | code] as number;
      const next = transition & 0x0f;
      const action = transition >> 4;
      const at = i;
      i += width;
      const ended = lastEnd;
      if (action !== Action.print) lastEnd = i;
      const cutOff = this.#swallow && isString(state) && !(isString(next) && action !== Action.clear);
      if (cutOff) {
        this.#swallow = false;
        run = action === Action.clear || action === Action.abort ? at : i;
      }

      if (state >= State.dcsEntry && !isString(state) && isString(next) && action === Action.none) {
        if (this.#discard || at - start >= LONGEST_CSI) {
          replace(i, "");
          reset = true;
          state = State.ground;
          continue;
        }
        if (code === 0x74 && beforeControls(bytes, at) === 0x24) {
          // DECRSPS: puts the cursor anywhere, and changes modes.
          replace(i, "");
          reset = true;
          this.#swallow = true;
          streamed = true;
          state = next;
          continue;
        }
      }

      switch (action) {
        case Action.execute:
          this.#shift(code);
          if (state !== State.ground || code === 0x0e || code === 0x0f) this.complex = true;
          if (state === State.ground) break;
          this.#emit(bytes, run, start);
          this.#endString(bytes[start] === 0x1b);
          this.#handler.emit(Uint8Array.of(code));
          acted = true;
          // It changes places with what came of the sequence, unless that is void in any case.
          if (!this.#discard && at - start < LONGEST_CSI) {
            if (bytes === chunk) bytes = new Uint8Array(chunk);
            bytes.copyWithin(start + 1, start, at);
            bytes[start++] = code;
          }
          textEnd = start;
          run = start;
          break;
        case Action.clear:
        case Action.stringStart:
        case Action.oscStart:
          if (!(state === State.escape && code < 0x80 && code !== 0x1b)) {
            // Not the second byte of an introducer: something new starts, which ends a string and makes void what else was unfinished.
            if (cutOff) this.#dropTerminator = true;
            else if (isString(state)) {
              if (state === State.sosPmApcString) keepLast(at);
              else reset = true;
              this.inString = true;
              if (state === State.oscString && !streamed && at - start <= LONGEST_OSC) {
                const verdict = this.#handler.osc(payload(bytes, start, at));
                if (verdict !== undefined) {
                  this.inString = false;
                  replace(at, verdict);
                  this.#dropTerminator = true;
                }
              }
            } else if (state !== State.ground) leaveOut(at);
            start = at;
            textEnd = at;
            endBefore = ended;
            acted = false;
            streamed = false;
          }
          if (next !== State.escape && next !== State.csiEntry) this.complex = true;
          sequence.prefix = 0;
          sequence.intermediate = 0;
          sequence.before = 0;
          sequence.count = 0;
          sequence.params[0] = 0;
          subParameter = false;
          break;
        case Action.collect:
          if (code >= 0x3c) sequence.prefix = code;
          else {
            sequence.before = sequence.intermediate;
            sequence.intermediate = code;
          }
          break;
        case Action.param:
          if (sequence.count === 0) sequence.count = 1;
          if (code === 0x3b) {
            if (sequence.count < MAX_PARAMS) sequence.params[sequence.count++] = 0;
            subParameter = false;
          } else if (code === 0x3a) subParameter = true;
          else if (!subParameter) {
            const last = sequence.count - 1;
            sequence.params[last] = Math.min(BIGGEST_PARAM, (sequence.params[last] as number) * 10 + code - 0x30);
          }
          break;
        case Action.escDispatch:
        case Action.csiDispatch: {
          const terminator = action === Action.escDispatch && code === 0x5c && sequence.intermediate === 0;
          let verdict: Verdict;
          if (this.#discard || at - start >= LONGEST_CSI || (terminator && this.#dropTerminator)) verdict = "";
          else if (!terminator && !(code === 0x6d && action === Action.csiDispatch && sequence.prefix + sequence.intermediate === 0)) {
            if (action === Action.escDispatch || WITHIN_LINE[code] === 0 || sequence.prefix + sequence.intermediate !== 0)
              this.complex = true;
            sequence.kind = action === Action.csiDispatch ? "csi" : "esc";
            sequence.final = code;
            sequence.first = run === start || unchanged === start;
            sequence.end = i - before;
            verdict = this.#handler.sequence(sequence);
          }
          this.#dropTerminator = false;
          if (verdict !== undefined) replace(i, verdict);
          this.inString = false;
          break;
        }
        case Action.csiIgnored:
        case Action.error:
          leaveOut(i);
          break;
        case Action.abort:
          // CAN and SUB themselves pass: SUB shows a character on some terminals.
          if (isString(state)) this.inString = false;
          else replace(at, "");
          break;
        case Action.oscPut:
          if (this.#handler.palette === undefined || i - start > LONGEST_PALETTE || streamed) break;
          if (!PALETTE.test(latin1(bytes.subarray(start, i)))) break;
          this.#handler.palette(i - before);
          state = State.ground;
          reset = true;
          continue;
        case Action.oscEnd: {
          const verdict = streamed || at - start > LONGEST_OSC ? undefined : this.#handler.osc(payload(bytes, start, at));
          if (verdict !== undefined) replace(i, verdict);
          this.inString = false;
          break;
        }
        case Action.stringEnd:
          this.inString = false;
          break;
      }
      if (action === Action.stringEnd && state === State.sosPmApcString) keepLast(i);
      else if (RESETS[action] === 1 || (action === Action.none && state === State.ground)) reset = true;
      state = next;
    }
    this.#subParameter = subParameter;
    const cut = this.#end(bytes, state, run, start, i, streamed, acted);
    // All of it waits: for the terminal, nothing has come yet.
    if (n > 0 && this.#held.length === n) return;
    const waits = state !== State.ground && (state === State.sosPmApcString || cut === start) && !acted;
    const text = state === State.ground ? lastEnd : waits ? endBefore : n;
    const end = waits ? textEnd : cut;
    if (text < end && text === 0 && !reset) this.#last.follow(bytes.subarray(0, end));
    else if (text < end) this.#last.set(bytes.subarray(text, end));
    else if (reset || (state !== State.ground && !waits)) this.#last.reset();
  }

  /** The end of a chunk: gives out what is complete, holds back what is not, and says from where. `at` is before `n` when half a C1 control ends the chunk. */
  #end(bytes: Uint8Array, state: number, run: number, start: number, at: number, streamed: boolean, acted: boolean): number {
    const n = bytes.length;
    let cut = at;
    this.#state = state;
    this.#heldState = State.ground;
    this.withheld = 0;
    if (state === State.ground) {
      if (at === n) cut = incompleteCharacter(bytes);
    } else if (isString(state)) {
      const cap = state === State.oscString ? LONGEST_OSC : LONGEST_STRING;
      if (!streamed && at - start <= cap) {
        cut = start;
        this.#hold(state);
      } else this.inString = !this.#swallow;
    } else if (!this.#discard && at - start < LONGEST_CSI) {
      cut = start;
      this.#hold(state);
    } else {
      this.#emit(bytes, run, start);
      this.#endString(bytes[start] === 0x1b);
      this.#discard = true;
      this.#held = at < n ? bytes.slice(at) : NOTHING;
      return n;
    }
    this.#emit(bytes, run, cut);
    this.#held = cut < n ? bytes.slice(cut) : NOTHING;
    if (!acted || cut !== start) this.withheld = this.#held.length;
    if (this.#heldState !== State.ground) this.#read = this.#held.length - (n - at);
    return cut;
  }

  /** The sequence that led to this state waits for its rest. */
  #hold(state: number): void {
    this.#heldState = state;
    this.#state = State.ground;
  }

  /** The ESC that ended a string belongs to a sequence that does not go out as it came: for the terminal the string ends here. A C1 control breaks it off. */
  #endString(byEscape: boolean): void {
    if (this.inString) this.#handler.emit(byEscape ? ST : CAN);
    this.inString = false;
  }

  #shift(code: number): void {
    if (code === 0x0e || code === 0x0f) this.#handler.shift(code);
  }

  #emit(bytes: Uint8Array, from: number, to: number): void {
    if (from < to && !this.#discard && !this.#swallow)
      this.#handler.emit(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to));
  }
}

/** What a string holds streams through; the beginning of a DCS is held and void when broken off, as a CSI is. */
function isString(state: number): boolean {
  return state >= State.dcsPassthrough;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** Whether there is nothing to look at, as in the echo of a key. */
function isText(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (GROUND_STOP[bytes[i] as number] === 1) return false;
  return true;
}

/** Where the SGR that starts at `at` ends; `at` where there is none that is whole and short. */
function endOfColour(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== 0x1b || bytes[at + 1] !== 0x5b) return at;
  let end = at + 2;
  let byte = bytes[end] as number;
  while (byte >= 0x30 && byte <= 0x3b) byte = bytes[++end] as number;
  return byte === 0x6d && end - at < LONGEST_CSI ? end + 1 : at;
}

/** What is between the introducer at `start` (`ESC ]` or U+009D, both two bytes) and `end`. */
function payload(bytes: Uint8Array, start: number, end: number): string {
  return decoder.decode(bytes.subarray(start + 2, end));
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** The byte before `at`, without the control characters that are nothing inside a DCS. */
function beforeControls(bytes: Uint8Array, at: number): number {
  let before = at - 1;
  while (before > 0 && ((bytes[before] as number) < 0x20 || bytes[before] === 0x7f)) before--;
  return bytes[before] as number;
}
