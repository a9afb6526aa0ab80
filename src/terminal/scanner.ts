// Finds the sequences in an agent's output that matter to a terminal whose last row is not the agent's. Pure. Used by compositor.ts.
import { beginning, beginsImage, isPalette, isShort, isString, payload } from "./control-string.ts";
import { LastPrinted } from "./last-printed.ts";
import { Outgoing } from "./outgoing.ts";
import { type ScannerHandler, SequenceReader, type Verdict } from "./sequence.ts";
import { endOfColour, endOfText } from "./text-run.ts";
import { characterAt, incompleteCharacter, isCharacter } from "./utf8.ts";
import { Action, NON_ASCII, RESETS, State, TABLE } from "./vt-table.ts";

const SO = 0x0e;
const SI = 0x0f;
const ESC = 0x1b;
const ST = 0x9c;
/** `ESC k`. */
const TITLE = 0x6b;

/**
 * Cuts a stream into runs that pass untouched and sequences that the handler decides on. A sequence or UTF-8 character that a chunk leaves
 * incomplete is held back, so that the terminal is always between two of them, except inside a long string (`inString`). Malformed
 * sequences are left out, and bytes inside a sequence that are no UTF-8, since terminals differ in how they read them.
 */
export class Scanner {
  /** Something other than text, line ends, SGR and changes within a line has come since this was last set to false. */
  complex = false;
  /** How many bytes at the end of what came have had no effect yet. */
  withheld = 0;

  readonly #handler: ScannerHandler;
  readonly #out: Outgoing;
  readonly #last = new LastPrinted();
  readonly #sequence = new SequenceReader();
  /** How much of what is held was read, and the state that it led to: it is not read again. */
  #read = 0;
  #heldState: number = State.ground;
  /** Where the machine goes on when nothing is held that was read: ground, unless in a string that streams or a sequence that is left out. */
  #state: number = State.ground;

  constructor(handler: ScannerHandler) {
    this.#handler = handler;
    this.#out = new Outgoing(handler);
  }

  /** The terminal is inside a string that was too long to be held: nothing may be written in between. */
  get inString(): boolean {
    return this.#out.inString;
  }

  /** The character that was printed last, with what joined it, when nothing came after it. */
  get lastPrinted(): string {
    return this.#last.character;
  }

  /** Bytes that wait for the rest of their sequence. */
  get held(): number {
    return this.#out.held.length;
  }

  /** Something must be written now: the string that stands open is over for the terminal, once it got what this gives; nothing when there is none. */
  cutString(): string {
    return this.#out.cutString(isString(this.#state));
  }

  /** The stream is over: gives out what was held. */
  finish(): void {
    this.#out.finish();
  }

  scan(chunk: Uint8Array): void {
    const out = this.#out;
    const last = this.#last;
    out.begin(chunk);
    const n = out.bytes.length;
    if (n === chunk.length && this.#state === State.ground && endOfText(chunk, 0) === n) {
      const end = this.#endChunk(State.ground, n);
      if (end > 0) last.follow(end === n ? chunk : chunk.subarray(0, end));
      return;
    }
    const read = this.#read;
    this.#read = 0;
    let state = read > 0 ? this.#heldState : this.#state;
    out.streamed = read === 0 && isString(state);
    if (out.streamed || state >= State.dcsEntry || (read > 0 && out.bytes[0] !== ESC)) this.complex = true;
    last.begin(read);
    let i = read;
    while (i < n) {
      const { bytes } = out;
      if (state === State.ground) {
        i = endOfText(bytes, i);
        if (i === n) break;
        // Colours are most of all sequences, and pass: no need to take them apart.
        const end = out.dropsTerminator ? i : endOfColour(bytes, i);
        if (end > i) {
          i = last.behind = end;
          last.over();
          out.inString = false;
          continue;
        }
        // The introducer of most others, at once.
        if (bytes[i] === ESC && i + 1 < n && bytes[i + 1] === 0x5b) {
          out.startSequence(i);
          last.sequence(i, last.behind);
          this.#sequence.clear();
          i = last.behind = i + 2;
          // Most of these hold numbers alone.
          const whole = this.#sequence.rest(bytes, i);
          if (whole > i) {
            this.#dispatch("csi", this.#sequence.final, whole - 1, whole);
            last.over();
            i = last.behind = whole;
          } else state = State.csiEntry;
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
          out.leaveOut(i, width);
          i += width;
          last.behind = i;
          continue;
        }
      }
      const at = i;
      i += width;
      const transition = TABLE[(state << 8) | code] as number;
      // Most bytes of most sequences.
      if (transition >> 4 === Action.param) {
        this.#sequence.param(code);
        last.behind = i;
        state = transition & 0x0f;
      } else state = this.#step(state, code, at, i);
    }
    this.#rememberLast(state, this.#endChunk(state, i));
  }

  /** @param cut from where on nothing of the chunk has gone out */
  #rememberLast(state: number, cut: number): void {
    const { bytes, held, start, acted } = this.#out;
    // All of it waits: for the terminal, nothing has come yet.
    if (bytes.length > 0 && held.length === bytes.length) return;
    if (state === State.ground) this.#last.endInText(bytes, cut);
    else if ((state === State.sosPmApcString || cut === start) && !acted) this.#last.endInSequence(bytes);
    else this.#last.reset();
  }

  /** What the character from `at` to `end`, or as much of the sequence as ends with it, does. Gives the next state. */
  #step(state: number, code: number, at: number, end: number): number {
    const out = this.#out;
    const last = this.#last;
    const transition = TABLE[(state << 8) | code] as number;
    const next = transition & 0x0f;
    const action = transition >> 4;
    const behind = last.behind;
    const isLoneST = code === ST && state === State.ground;
    if (action !== Action.print && !isLoneST) last.behind = end;
    const cutOff = out.swallows && isString(state) && !(isString(next) && action !== Action.clear);
    if (cutOff) {
      out.swallows = false;
      out.skip(action === Action.clear || action === Action.abort ? at : end);
    }
    switch (action) {
      case Action.none:
        if (state === State.sosPmApcString && beginsImage(out.bytes, out.start, at)) this.#handler.image?.();
        if (!isString(next) || isString(state) || out.startDcs(at, end)) break;
        last.over();
        return out.swallows ? next : State.ground;
      case Action.execute:
        if (code === SO || code === SI) this.#handler.shift(code);
        if (state !== State.ground || code === SO || code === SI) this.complex = true;
        if (state === State.ground) break;
        out.actAtOnce(at, code);
        last.textEnds(out.start);
        break;
      case Action.clear:
      case Action.stringStart:
      case Action.oscStart:
        // Not the second byte of an introducer.
        if (state !== State.escape || code >= 0x80 || code === ESC) {
          if (cutOff) out.dropsTerminator = true;
          else if (state !== State.ground) this.#breakOff(state, at);
          out.startSequence(at);
          last.sequence(at, behind);
        }
        if (next !== State.escape) {
          out.breakOff();
          if (next !== State.csiEntry) this.complex = true;
        }
        this.#sequence.clear();
        break;
      case Action.collect:
        this.#sequence.collect(code);
        break;
      case Action.escDispatch:
        if (code === TITLE && state === State.escape && this.#handler.title !== undefined) {
          out.breakOff();
          this.complex = true;
          this.#handler.title(out.inChunk(end));
          return State.sosPmApcString;
        }
        this.#dispatch("esc", code, at, end);
        break;
      case Action.csiDispatch:
        this.#dispatch("csi", code, at, end);
        break;
      case Action.csiIgnored:
      case Action.error:
        this.#leaveOut(end);
        break;
      case Action.abort:
        // CAN and SUB themselves pass: SUB shows a character on some terminals.
        if (isString(state)) out.inString = false;
        else out.replace(at, "");
        break;
      case Action.oscPut:
        if (this.#handler.palette === undefined || out.streamed || !isPalette(out.bytes, out.start, end)) break;
        this.#handler.palette(out.inChunk(end));
        last.over();
        return State.ground;
      case Action.oscEnd: {
        const verdict = this.#osc(at);
        if (verdict !== undefined) out.replace(end, verdict);
        out.inString = false;
        break;
      }
      case Action.stringEnd:
        out.inString = false;
        break;
    }
    if (action === Action.stringEnd && state === State.sosPmApcString) last.keep(out.bytes, out.start, end);
    else if (RESETS[action] === 1 || (action === Action.none && state === State.ground && !isLoneST)) last.over();
    return next;
  }

  /** Something new starts at `at`, which ends a string and makes void what else was unfinished. */
  #breakOff(state: number, at: number): void {
    const out = this.#out;
    if (!isString(state)) {
      this.#leaveOut(at);
      return;
    }
    if (state === State.sosPmApcString) this.#last.keep(out.bytes, out.start, at);
    else this.#last.over();
    out.inString = true;
    const verdict = state === State.oscString ? this.#osc(at) : undefined;
    if (verdict === undefined) return;
    out.inString = false;
    out.replace(at, verdict);
    out.dropsTerminator = true;
  }

  #dispatch(kind: "csi" | "esc", final: number, at: number, end: number): void {
    const out = this.#out;
    const sequence = this.#sequence;
    sequence.kind = kind;
    sequence.final = final;
    const { isTerminator } = sequence;
    let verdict: Verdict;
    if (out.isVoid(at) || (isTerminator && out.dropsTerminator)) verdict = "";
    else if (!isTerminator && !sequence.isColour) {
      if (!sequence.isWithinLine) this.complex = true;
      sequence.first = out.isFirst || this.#last.unchanged === out.start;
      sequence.end = out.inChunk(end);
      verdict = this.#handler.sequence(sequence);
    }
    out.dropsTerminator = false;
    if (verdict !== undefined) out.replace(end, verdict);
    else if (!isTerminator) out.breakOff();
    out.inString = false;
  }

  /** The OSC string that ends at `at`; one that streams has gone out. */
  #osc(at: number): Verdict {
    const { bytes, start, streamed } = this.#out;
    if (streamed) return undefined;
    if (isShort(State.oscString, at - start)) return this.#handler.osc(payload(bytes, start, at));
    return this.#handler.refusesLong?.(beginning(bytes, start)) ? "" : undefined;
  }

  /** A malformed sequence, which for terminals was none. */
  #leaveOut(end: number): void {
    this.#last.keep(this.#out.bytes, this.#out.start, end);
    this.#out.replace(end, "");
  }

  /** Gives out what is complete, holds back what is not, and says from where. `at` is before the end when half a C1 control ends the chunk. */
  #endChunk(state: number, at: number): number {
    const out = this.#out;
    this.#state = state;
    this.#heldState = State.ground;
    this.withheld = 0;
    let cut = at;
    if (state === State.ground) {
      if (at === out.bytes.length) cut = incompleteCharacter(out.bytes);
    } else if (isString(state) ? !out.streamed && isShort(state, at - out.start) : !out.isVoid(at)) {
      // The sequence that led to this state waits for its rest.
      cut = out.start;
      this.#heldState = state;
      this.#state = State.ground;
    } else if (state === State.oscString && this.#osc(at) !== undefined) {
      out.replace(at, "");
      out.swallows = true;
    } else if (isString(state)) out.inString = !out.swallows;
    else return out.discard(at);
    const unread = out.bytes.length - at;
    out.hold(cut);
    if (!out.acted || cut !== out.start) this.withheld = out.held.length;
    if (this.#heldState !== State.ground) this.#read = out.held.length - unread;
    return cut;
  }
}
