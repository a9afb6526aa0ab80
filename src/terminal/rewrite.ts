// What becomes of an agent's control sequence on a screen whose last row is not the agent's: the rules, one place for all. Used by compositor.ts.
import { isAnswered } from "./answered.ts";
import { designate, designates, isLockingShift } from "./character-sets.ts";
import { isCommandOsc } from "./commands-to-terminal.ts";
import type { Frame } from "./frame.ts";
import { SIDE_MARGINS } from "./modes.ts";
import { PrivateModes } from "./private-modes.ts";
import { SavedCursor } from "./saved-cursor.ts";
import { LEFT_OUT, ScrollingRegion } from "./scrolling-region.ts";
import type { Sequence, Verdict } from "./sequence.ts";
import type { Feed } from "./shadow-feed.ts";

/** Of DECDHL and DECDWL. */
const DOUBLE = new Set([0x33, 0x34, 0x36]);
/** KAM locks the keyboard, the kill key with it; BDSM turns our row around (VTE); without SRM keys are written where the cursor is (xterm). */
const REFUSED_MODES = new Set([2, 8, 12]);
/** A window of fewer pixels has no row for the bar, whatever its font. */
const LOWEST_WINDOW = 128;

export class Rewriter {
  readonly #frame: Frame;
  readonly #feed: Feed;
  readonly #region: ScrollingRegion;
  readonly #savedCursor: SavedCursor;
  readonly #privateModes: PrivateModes;
  readonly #marker: (payload: string) => boolean;
  readonly #closed: boolean;
  /** End of a sequence in this chunk that put the cursor home, when nothing came after it. */
  #homeAt = -1;

  /** @param closed as in compositor.ts */
  constructor(frame: Frame, feed: Feed, marker: (payload: string) => boolean, closed: boolean) {
    this.#frame = frame;
    this.#feed = feed;
    this.#region = new ScrollingRegion(frame, feed);
    this.#savedCursor = new SavedCursor(frame, feed);
    this.#privateModes = new PrivateModes(frame, feed, this.#region, this.#savedCursor);
    this.#marker = marker;
    this.#closed = closed;
  }

  /** Offsets start anew. */
  newChunk(): void {
    this.#homeAt = -1;
  }

  /** SO or SI. */
  shift(code: number): void {
    this.#frame.modes.lock(String.fromCharCode(code));
  }

  /** An OSC string's payload. */
  osc(payload: string): Verdict {
    if (payload.startsWith("7777;") && this.#marker(payload)) return "";
    if (this.#closed && isCommandOsc(payload, true)) return LEFT_OUT;
    if (/;\?(?:;|$)/.test(payload)) this.#frame.asked = true;
    if (/^8;[^;]*;/.test(payload)) this.#frame.modes.link = /^8;[^;]*;$/.test(payload) ? "" : payload;
    // Images, and text of several rows, may reach our row.
    if (/^(1337|66);/.test(payload)) this.#frame.damaged = true;
    return undefined;
  }

  sequence(sequence: Sequence): Verdict {
    return sequence.kind === "csi" ? this.#csi(sequence) : this.#esc(sequence);
  }

  #esc(sequence: Sequence): Verdict {
    const { before, intermediate, final, end } = sequence;
    const { modes } = this.#frame;
    if (designates(sequence)) {
      designate(modes, sequence);
      return undefined;
    }
    if (before !== 0) return undefined;
    switch (intermediate) {
      case 0:
        if (final === 0x37) this.#savedCursor.save();
        else if (final === 0x38) return this.#savedCursor.restore(sequence, "\x1b8");
        else if (final === 0x4d) return this.#region.onItsRow(sequence, "\x1bM");
        else if (final === 0x3d || final === 0x3e) modes.keypad = final === 0x3d;
        else if (isLockingShift(final)) modes.lock(`\x1b${String.fromCharCode(final)}`);
        else if (final === 0x63) return this.#hardReset(end);
        return undefined;
      case 0x20: // SP G asks for answers and keys with C1 controls, in which the kill key would not be known
        return final === 0x47 ? LEFT_OUT : undefined;
      case 0x23: // #
        this.#frame.doubled ||= DOUBLE.has(final);
        return final === 0x38 && this.#frame.reserved ? this.#aligned() : undefined;
      case 0x25: // % @ leaves UTF-8: from there on our reading of the stream would not be the terminal's
        return final === 0x40 ? LEFT_OUT : undefined;
      default:
        return undefined;
    }
  }

  /** RIS, which ends at `end`. */
  #hardReset(end: number): Verdict {
    const { modes } = this.#frame;
    // xterm.js leaves it hidden, and line feeds what they are.
    const left = (modes.cursorHidden ? "\x1b[?25h" : "") + (modes.newLine ? "\x1b[20l" : "");
    modes.hard();
    this.#frame.margins = this.#frame.full();
    this.#frame.borrowed = [false, false];
    this.#frame.displaced = [false, false];
    this.#frame.damaged = true;
    this.#homeAt = end;
    if (!this.#frame.reserved) return left === "" ? undefined : `\x1bc${left}`;
    return `\x1b[?6l\x1b[r${this.#frame.blank()}\x1bc${left}${this.#frame.region()}`;
  }

  /** DECALN fills our row too, and resets the margins (VT510 manual); in xterm.js it does not. Both it and DECSTBM home the cursor. */
  #aligned(): Verdict {
    this.#frame.damaged = true;
    if (this.#frame.console) return undefined;
    this.#frame.margins = this.#frame.full();
    this.#frame.modes.sides = undefined;
    return `${this.#frame.region()}\x1b#8${this.#frame.region()}${this.#frame.modes.origin ? "\x1b[?6h" : ""}`;
  }

  #csi(sequence: Sequence): Verdict {
    const { prefix, intermediate, final, params, count } = sequence;
    const first = count > 0 ? (params[0] as number) : 0;
    const second = count > 1 ? (params[1] as number) : 0;
    if (isAnswered(sequence, first)) {
      this.#frame.asked = true;
      // Its answer looks like one to us.
      if (final === 0x6e && first === 6 && prefix === 0) this.#frame.cursorAsked += 1;
    }
    if (intermediate !== 0) return this.#withIntermediate(sequence, first);
    if (prefix === 0x3f) return this.#private(sequence, first);
    if (prefix === 0) return this.#plain(sequence, first, second);
    if (final === 0x6d && prefix === 0x3e) this.#frame.modes.modifyOtherKeys = first === 4 && second > 0;
    else if (final === 0x75) this.#keyboard(prefix, first);
    return undefined;
  }

  #withIntermediate(sequence: Sequence, first: number): Verdict {
    const { reserved, modes } = this.#frame;
    switch (String.fromCharCode(sequence.intermediate, sequence.final)) {
      case " q":
        modes.cursorStyled = first > 0;
        return undefined;
      case " k": // SCP and SPD turn rows around (VTE), ours too
      case " S":
      case '"p': // DECSCL resets more in some terminals than in others, and takes away what we count on
      case "$}": // DECASD and DECSSDT: a line below ours, to write on
      case "$~":
        return LEFT_OUT;
      case "!p": {
        const lastRow = this.#region.lastRow(sequence);
        modes.soft();
        this.#frame.margins = this.#frame.full();
        return reserved ? `${lastRow}\x1b[!p${this.#region.reassert(sequence, false, lastRow !== "")}` : undefined;
      }
      case "*|":
        return `\x1b[${this.#frame.rowsFor(first)}*|`;
    }
    // Rectangles: where they reach our row, it is painted again.
    if (sequence.intermediate === 0x24 || sequence.intermediate === 0x2a) this.#frame.damaged = true;
    return undefined;
  }

  #private(sequence: Sequence, first: number): Verdict {
    switch (sequence.final) {
      case 0x68: // DECSET
      case 0x6c: // DECRST
        return this.#privateModes.switch(sequence, sequence.final === 0x68);
      case 0x73: // XTSAVE
      case 0x72: // XTRESTORE
        return this.#privateModes.keep(sequence, sequence.final === 0x73);
      case 0x63: // the Linux console's cursor
        this.#frame.modes.consoleCursor = first > 0;
        return undefined;
      case 0x4a: // DECSED
        return this.#erase(sequence, first);
      default:
        return undefined;
    }
  }

  #plain(sequence: Sequence, first: number, second: number): Verdict {
    const { final, params, count } = sequence;
    const { reserved } = this.#frame;
    const { rows } = this.#frame.agentSize;
    switch (final) {
      case 0x48: // CUP
      case 0x66: // HVP
        if (first <= 1 && second <= 1) this.#homeAt = sequence.end;
        this.#frame.below ||= first > this.#frame.margins.bottom;
        return reserved && first > rows ? `\x1b[${rows};${Math.max(1, second)}H` : undefined;
      case 0x64: // VPA
        this.#frame.below ||= first > this.#frame.margins.bottom;
        return reserved && first > rows ? `\x1b[${rows}d` : undefined;
      case 0x41: // CUU
      case 0x42: // CUD
      case 0x45: // CNL
      case 0x46: // CPL
        return this.#region.onItsRow(sequence, `\x1b[${first}${String.fromCharCode(final)}`) ?? this.#region.notBelow(final, first);
      case 0x6e: // DSR, which may ask for the cursor
        return this.#region.mayBeLow(sequence) ? this.#region.onItsRow(sequence, "", `\x1b[${first}n`) : undefined;
      case 0x65: // VPR does not stop at a margin; CUD does, which is the same while the margin is the agent's last row
        if (!reserved) return undefined;
        this.#frame.below = true;
        return this.#region.onItsRow(sequence, "") ?? this.#region.notBelow(final, first) ?? `\x1b[${Math.max(1, first)}B`;
      case 0x72: // DECSTBM
        return this.#margins(sequence, Math.max(1, first), second === 0 || second > rows ? rows : second);
      case 0x4a: // ED
        return this.#erase(sequence, first);
      case 0x73: // SCOSC, for some terminals with parameters too; with left and right margins on it is DECSLRM
        if (this.#frame.modes.isSet(SIDE_MARGINS)) return this.#sides(Math.max(1, first), second);
        this.#savedCursor.save();
        return count === 0 ? undefined : "\x1b[s";
      case 0x75: // SCORC
        return this.#savedCursor.restore(sequence, "\x1b[u");
      case 0x68: // SM
      case 0x6c: // RM
        return this.#modes([...params.subarray(0, count)], final);
      case 0x69: // MC: to a printer, and our row with it, until the agent says otherwise
        return params.subarray(0, Math.max(1, count)).includes(5) ? LEFT_OUT : undefined;
      case 0x62: // REP
        return sequence.first && this.#frame.beforePaint !== "" ? this.#repeated(first) : undefined;
      case 0x74: // the agent asks for rows: one more is needed
        if (first === 4 && second > 0 && second < LOWEST_WINDOW) return LEFT_OUT;
        if (first === 8 && second > 0) return `\x1b[8;${this.#frame.rowsFor(second)};${count > 2 ? params[2] : 0}t`;
        if (!reserved) return undefined;
        return first >= 24 ? `\x1b[${first + 1}t` : undefined;
      default:
        return undefined;
    }
  }

  #margins(sequence: Sequence, top: number, bottom: number): Verdict {
    const { reserved } = this.#frame;
    if (top >= bottom) return reserved ? LEFT_OUT : undefined;
    const lastRow = this.#region.lastRow(sequence);
    this.#frame.margins = { top, bottom };
    return reserved ? lastRow + this.#frame.region() : undefined;
  }

  #sides(left: number, asked: number): Verdict {
    const { modes, size } = this.#frame;
    const right = asked === 0 || asked > size.cols ? size.cols : asked;
    if (left < right) modes.sides = left === 1 && right === size.cols ? undefined : [left, right];
    this.#frame.unsure ||= modes.sides !== undefined;
    return undefined;
  }

  /** SM and RM. */
  #modes(asked: readonly number[], final: number): Verdict {
    const { modes } = this.#frame;
    if (asked.includes(4)) modes.insert = final === 0x68;
    if (asked.includes(20)) modes.newLine = final === 0x68;
    const passed = asked.filter((mode) => !REFUSED_MODES.has(mode));
    if (passed.length === asked.length) return undefined;
    return passed.length === 0 ? LEFT_OUT : `\x1b[${passed.join(";")}${String.fromCharCode(final)}`;
  }

  /** ED. Terminals that keep in their scrollback what a clear (or RIS) removes would keep our row too, so it is made blank before. */
  #erase(sequence: Sequence, what: number): Verdict {
    // It is none.
    if (what > 3) return undefined;
    // xterm.js lets its saved cursor stand on the line that it was on, which is another one then.
    if (what === 3) this.#frame.borrowed[this.#frame.slot] = true;
    if (!this.#frame.reserved || what === 1 || what === 3) return undefined;
    this.#frame.damaged = true;
    if (what === 2 && this.#frame.modes.sides === undefined) this.#frame.unsure = false;
    const keeps = !this.#frame.modes.alternate && (what !== 0 || this.#homeAt === sequence.end - 3 || this.#homeAt === sequence.end - 4);
    if (!keeps) return undefined;
    const own = `\x1b[${sequence.prefix === 0x3f ? "?" : ""}${what === 0 ? "" : what}J`;
    this.#feed(sequence.end);
    return this.#frame.blanked() + own;
  }

  /** REP repeats what was printed last, which after a paint would be ours: that is printed again first. */
  #repeated(first: number): string {
    const { beforePaint, joinable, size, agentSize } = this.#frame;
    if (joinable !== "") return `${joinable}\x1b[${first}b`;
    return beforePaint.repeat(Math.min(Math.max(1, first), size.cols * agentSize.rows));
  }

  #keyboard(prefix: number, flags: number): void {
    const { modes } = this.#frame;
    const screen = this.#frame.screen;
    if (prefix === 0x3e) modes.keyboard[screen] = (modes.keyboard[screen] ?? 0) + 1;
    else if (prefix === 0x3c) modes.keyboard[screen] = Math.max(0, (modes.keyboard[screen] ?? 0) - Math.max(1, flags));
    else if (prefix === 0x3d) modes.keyboardSet[screen] = flags !== 0;
  }
}
