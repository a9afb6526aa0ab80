// What the agent has changed in the terminal, so that it can be lifted while the bar is painted and undone when the agent is gone. Used by frame.ts.

/** Private modes that are off in a fresh terminal and that a shell would not want left on. */
const OFF_AT_REST = [1, 5, 9, 45, 66, 69, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 2004, 2026, 2031, 2048];
const ON_AT_REST = [7, 25];

export interface Margins {
  top: number;
  bottom: number;
}

/** What DECSC saves beside position and attributes: VT510 manual; and the hyperlink, as VTE and tmux do. */
interface Saved {
  readonly origin: boolean;
  readonly link: string;
  readonly sets: readonly string[];
  readonly shifts: string;
}

const PLAIN: Saved = { origin: false, link: "", sets: ["", "", "", ""], shifts: "" };

const SI = "\x0f";
/** Of G0 to G3, the intermediates of sets of 94 characters. */
const DESIGNATORS = "()*+";
/** Locking shifts of GL and GR. */
const LEFT = /[\x0e\x0f]|\x1b[no]/;
const RIGHT = /\x1b[|}~]/;

const ORIGIN = 6;
/** DECLRMM: left and right margins. */
export const SIDE_MARGINS = 69;
/** Private modes that decide where our row is and how it is drawn, with what they are until an agent changes them. */
export const OF_THE_FRAME = new Map(
  [ORIGIN, 7, 25, 45, 47, SIDE_MARGINS, 1047, 1049, 2026].map((mode) => [mode, ON_AT_REST.includes(mode)]),
);
/** Private modes of VTE that turn rows around: characters in boxes, and by what is in a row. Ours would be among them. */
const DIRECTION = [2500, 2501];
/** Of xterm, which change what function keys send, of which one may be the kill key. */
const FUNCTION_KEYS = [1050, 1051, 1052, 1053, 1060, 1061];
/**
 * Private modes that an agent does not get: VT52 and Tektronix modes (38) speak another language, in which our row could not be defended (2 is so when it is
 * switched off). At DECCOLM (3, allowed by 40) some terminals clear the screen, some are 132 columns wide then, some do neither, and none says which.
 */
export const REFUSED: ReadonlySet<number> = new Set([3, 38, 40, ...DIRECTION, ...FUNCTION_KEYS]);
/** Private modes whose XTSAVE and XTRESTORE mean nothing: VT52 and Tektronix modes, a cursor, and what an agent cannot set. */
export const NEVER_KEPT: ReadonlySet<number> = new Set([2, 1048, ...REFUSED]);
/** Autowrap, the cursor's visibility, synchronised output. */
const EVERY_FRAME = new Set([7, 25, 2026]);

export class Modes {
  alternate = false;
  origin = false;
  insert = false;
  newLine = false;
  wrap = true;
  synchronised = false;
  keypad = false;
  cursorStyled = false;
  modifyOtherKeys = false;
  /** Left and right margin, 1-based, where an agent has set any (DECSLRM). */
  sides: readonly [number, number] | undefined;
  /** OSC 8 payload of the open hyperlink, or empty. */
  link = "";
  /** Finals of the designated character sets G0 to G3, with their intermediate: `(0`. */
  sets: string[] = ["", "", "", ""];
  /** The locking shifts in force, of GL and of GR, as they came: xterm.js takes both for GL, so that the last one counts. */
  #shifts = "";
  /** Depth of the kitty keyboard stack, main and alternate screen; and whether flags were set without a push. */
  keyboard = [0, 0];
  keyboardSet = [false, false];
  /** Which of G0 to G3 the agent has designated. Not all terminals know the others: the Linux console prints what would designate G2. */
  readonly #designated = [true, false, false, false];
  /** Counts changes of modes, but for those that an agent changes with every frame. */
  revision = 0;
  readonly #changed = new Map<number, boolean>();
  /** What XTSAVE saved; undefined: as it was before the agent. */
  readonly #kept = new Map<number, boolean | undefined>();
  /** What DECSC saved, main and alternate screen. */
  #saved: [Saved, Saved] = [PLAIN, PLAIN];
  /** The Linux console has one saved cursor for both screens, without origin mode, and a cursor that sequences of its own give a form. */
  readonly #console: boolean;
  consoleCursor = false;

  constructor(console = false) {
    this.#console = console;
  }

  get #slot(): 0 | 1 {
    return this.alternate && !this.#console ? 1 : 0;
  }

  set(mode: number, on: boolean): void {
    if (mode === SIDE_MARGINS && !on) this.sides = undefined;
    if (mode === ORIGIN) this.origin = on;
    else if (mode === 7) this.wrap = on;
    else if (mode === 2026) this.synchronised = on;
    else if (mode === 47 || mode === 1047 || mode === 1049) this.alternate = on;
    if (!EVERY_FRAME.has(mode) && this.isSet(mode) !== on) this.revision += 1;
    this.#changed.set(mode, on);
  }

  /** XTSAVE. */
  keep(mode: number): void {
    this.#kept.set(mode, this.#changed.get(mode));
  }

  /** What XTRESTORE makes of it; undefined: what it was before the agent, which only the terminal knows. */
  kept(mode: number): boolean | undefined {
    return this.#kept.get(mode) ?? OF_THE_FRAME.get(mode);
  }

  /** It is again as it was before the agent. */
  unchanged(mode: number): void {
    if (this.#kept.has(mode)) this.#changed.delete(mode);
  }

  /** Of what DECSC saves, what is in force. */
  get current(): Saved {
    return { origin: this.origin, link: this.link, sets: [...this.sets], shifts: this.#shifts };
  }

  /** DECSC. */
  save(): void {
    this.#saved[this.#slot] = this.current;
  }

  /** DECRC. */
  restore(): void {
    const { origin, link, sets, shifts } = this.#saved[this.#slot];
    if (!this.#console) this.set(ORIGIN, origin);
    this.link = link;
    this.sets = [...sets];
    this.#shifts = shifts;
  }

  /** Designates a character set as G0 to G3; `set` as in `sets`. */
  designate(which: number, set: string): void {
    this.sets[which] = set;
    this.#designated[which] = true;
  }

  /** A locking shift: SO, SI, LS2, LS3 or one of the right half. */
  lock(shift: string): void {
    this.#shifts = this.#shifts.replace(RIGHT.test(shift) ? RIGHT : LEFT, "") + shift;
  }

  isSet(mode: number): boolean {
    return this.#changed.get(mode) ?? false;
  }

  get cursorHidden(): boolean {
    return this.#changed.get(25) === false;
  }

  /** DECSTR, VT510 manual: what a soft reset changes. */
  soft(): void {
    this.#saved[this.#slot] = PLAIN;
    this.origin = false;
    this.insert = false;
    this.wrap = true;
    this.keypad = false;
    this.sets = ["", "", "", ""];
    this.#shifts = "";
    this.sides = undefined;
    for (const mode of [1, ORIGIN, 25, 7, SIDE_MARGINS]) this.#changed.delete(mode);
  }

  /** RIS. */
  hard(): void {
    this.soft();
    this.#saved = [PLAIN, PLAIN];
    this.alternate = false;
    this.newLine = false;
    this.synchronised = false;
    this.cursorStyled = false;
    this.consoleCursor = false;
    this.modifyOtherKeys = false;
    this.link = "";
    this.keyboard = [0, 0];
    this.keyboardSet = [false, false];
    this.#changed.clear();
    this.revision += 1;
  }

  /** Character sets as they are, to be designated again after `ESC ( B` and SI. */
  charsets(): string {
    const designations = this.sets.map((set) => (set === "" ? "" : `\x1b${set}`)).join("");
    return designations + this.#shifts;
  }

  /**
   * Brings a terminal from what was in force `before` DECRC to what is now, whatever of it the terminal has brought back itself. Undefined: it may have
   * brought back anything.
   */
  broughtBack(before: Saved | undefined): string {
    let text = "";
    for (const [which, set] of this.sets.entries()) {
      if (before === undefined ? this.#designated[which] === true : set !== before.sets[which])
        text += `\x1b${DESIGNATORS[which]}B${set === "" ? "" : `\x1b${set}`}`;
    }
    return before?.shifts === this.#shifts ? text : `${text}${SI}${this.#shifts}`;
  }

  /** Origin mode, where it was another one `before` DECRC, as for `broughtBack`. Moves the cursor. */
  originSince(before: Saved | undefined): string {
    return this.origin === before?.origin ? "" : `\x1b[?${ORIGIN}${this.origin ? "h" : "l"}`;
  }

  /** The hyperlink, where it was another one `before` DECRC. */
  linkSince(before: Saved): string {
    return this.link === before.link ? "" : `\x1b]${this.link || "8;;"}\x07`;
  }

  get plainCharsets(): boolean {
    return (this.#shifts === "" || this.#shifts === SI) && this.sets.every((set) => set === "");
  }

  /** Undoes what was changed and left so; nothing after an agent that tidied up itself. Leaves the cursor alone, but for leaving the alternate screen. */
  undo(): string {
    let text = "";
    for (const mode of OFF_AT_REST) if (this.#changed.get(mode) === true) text += `\x1b[?${mode}l`;
    for (const mode of ON_AT_REST) if (this.#changed.get(mode) === false) text += `\x1b[?${mode}h`;
    if (this.insert) text += "\x1b[4l";
    if (this.newLine) text += "\x1b[20l";
    if (this.keypad) text += "\x1b>";
    if (this.modifyOtherKeys) text += "\x1b[>4;0m";
    if (this.cursorStyled) text += "\x1b[0 q";
    if (this.consoleCursor) text += "\x1b[?0c";
    if (this.link !== "") text += "\x1b]8;;\x07";
    if (!this.plainCharsets) text += "\x1b(B\x0f";
    const keys = (screen: number): string =>
      ((this.keyboard[screen] ?? 0) > 0 ? `\x1b[<${this.keyboard[screen]}u` : "") + (this.keyboardSet[screen] ? "\x1b[=0u" : "");
    if (this.alternate) {
      const leave = this.isSet(1049) ? 1049 : this.isSet(1047) ? 1047 : 47;
      text += `${keys(1)}\x1b[?${leave}l`;
    }
    return text + keys(0);
  }
}
