// Lets an agent's output through to a terminal whose last row is ours, and paints that row. No clock, no I/O: screen.ts decides when. Used by screen.ts.
import { type Margins, Modes } from "./modes.ts";
import type { Size } from "./pty.ts";
import { Scanner, type Sequence, type Verdict } from "./scanner.ts";
import type { Shadow } from "./shadow.ts";

export interface CompositorOptions {
  readonly size: Size;
  /** Whether the last row is the bar's, where there are rows enough. */
  readonly reserve: boolean;
  /** Bytes for the human's terminal, in order. */
  readonly emit: (bytes: Uint8Array | string) => void;
  /** An OSC whose payload starts with `7777;`; true when it was ours, and is then kept from the terminal. */
  readonly marker: (payload: string) => boolean;
}

/** Below this the bar goes and the session stays. */
export const FEWEST_ROWS_WITH_BAR = 3;

export class Compositor {
  readonly modes = new Modes();
  /** The bar's row may show something else: paint as soon as that is allowed. */
  damaged = true;
  /** What the bar shows: SGR and text of exactly the terminal's width. */
  bar = "";
  readonly #options: CompositorOptions;
  readonly #scanner: Scanner;
  #size: Size;
  /** The agent's margins, main and alternate screen, 1-based. */
  #margins: [Margins, Margins];
  /** The terminal's saved cursor is ours and not the agent's, main and alternate screen. */
  #borrowed = [true, true];
  #shadow: Shadow | undefined;
  /** What the agent wrote before there was a shadow. */
  #backlog: Uint8Array[] | undefined = [];
  #chunk: Uint8Array = new Uint8Array(0);
  #fed = 0;
  /** End of a sequence in this chunk that put the cursor home, when nothing came after it. */
  #homeAt = -1;
  #lastRow = "";
  /** Output went past the end of a restricted region: the last row and the cursor need setting right. */
  #astray = false;
  #overAlternate = false;
  /** The character before our last paint, for a REP that follows it. */
  #beforePaint = "";

  constructor(options: CompositorOptions) {
    this.#options = options;
    this.#size = options.size;
    this.#margins = [this.#full(), this.#full()];
    this.#scanner = new Scanner({
      emit: (bytes) => options.emit(bytes),
      sequence: (sequence) => this.#sequence(sequence),
      osc: (payload) => this.#osc(payload),
      shift: (code) => {
        this.modes.shift = code === 0x0e ? 1 : 0;
      },
    });
  }

  /** Whether the last row is ours now. */
  get reserved(): boolean {
    return this.#options.reserve && this.#size.rows >= FEWEST_ROWS_WITH_BAR;
  }

  /** The terminal as the agent sees it. */
  get agentSize(): Size {
    return { cols: this.#size.cols, rows: this.#size.rows - (this.reserved ? 1 : 0) };
  }

  get shadow(): Shadow | undefined {
    return this.#shadow;
  }

  /** Bytes that the agent wrote while there was no shadow; undefined once there is one. */
  get backlogBytes(): number {
    return this.#backlog?.reduce((sum, bytes) => sum + bytes.length, 0) ?? 0;
  }

  /** Whether the terminal is between two sequences and shows what it got. */
  get mayPaint(): boolean {
    return !this.#scanner.inString && !this.modes.synchronised;
  }

  /** Passes output of the agent on. */
  write(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#fed = 0;
    this.#homeAt = -1;
    this.#scanner.scan(chunk);
    this.#beforePaint = "";
    this.#feed(chunk.length);
    if (this.#restricted) this.#astray = true;
    if (this.#astray && this.mayPaint) this.#setRight();
  }

  /** Takes over a shadow that shows the screen as it was when the agent started. */
  adopt(shadow: Shadow): void {
    for (const bytes of this.#backlog ?? []) shadow.feed(bytes, true);
    this.#backlog = undefined;
    this.#shadow = shadow;
  }

  /** Gives up on having a shadow. */
  goWithoutShadow(): void {
    this.#backlog = undefined;
  }

  /** Makes room for the bar where the cursor stands on the last row, and takes the row out of the scrolling region. */
  begin(): void {
    if (!this.reserved) return;
    this.#options.emit(`\x1bD\x1b[A\x1b7${this.#region()}\x1b8`);
    this.damaged = true;
  }

  /** Paints the bar's row. Call only when `mayPaint`. */
  paint(): void {
    if (!this.reserved) {
      this.damaged = false;
      return;
    }
    this.#options.emit(this.#lifted(`\x1b[${this.#size.rows};1H\x1b[m${this.bar}\x1b[m`) + this.#wrapAgain());
    this.damaged = false;
    this.#beforePaint = this.#scanner.lastPrinted;
  }

  /** The terminal has another size now. The shadow follows first, then all that we know is drawn anew. */
  resize(size: Size): void {
    const before = this.#size;
    const reservedBefore = this.reserved;
    const shadow = this.#shadow;
    shadow?.drain();
    const below = shadow === undefined ? 0 : this.agentSize.rows - 1 - shadow.cursor.y;
    this.#size = size;
    this.#margins = [this.#full(), this.#full()];
    this.damaged = true;
    if (shadow === undefined) {
      this.#borrowed[this.#screen] = true;
      if (this.reserved) this.#options.emit(`\x1b7${this.#region()}\x1b8`);
      else if (reservedBefore) this.#options.emit("\x1b7\x1b[r\x1b8");
      return;
    }
    shadow.resize(this.agentSize);
    // The terminal dropped our row where a bare one would have scrolled one of the agent's: catch up.
    const shrunk = before.rows - size.rows;
    const catchUp = reservedBefore && this.reserved && !this.modes.alternate && shrunk > below && shrunk > 0;
    const prepare = `\x1b[r\x1b[m${catchUp ? `\x1b[${size.rows};1H\n` : ""}`;
    this.#options.emit(
      this.#liftedForGood(prepare + shadow.rows(shadow.firstKnownRow, this.agentSize.rows) + (this.reserved ? this.#region() : ""), shadow),
    );
    if (this.reserved) this.paint();
  }

  /** The terminal in our hands until `closeOverlay`: the cursor saved and hidden, modes lifted. On the main screen the alternate one is borrowed. */
  openOverlay(alternate: boolean): void {
    const string = this.#scanner.inString ? "\x18" : "";
    this.#scanner.inString = false;
    const synchronised = this.modes.synchronised ? "\x1b[?2026l" : "";
    this.#borrowed[this.#screen] = true;
    this.#overAlternate = alternate && !this.modes.alternate;
    this.#options.emit(`${string}${synchronised}${this.#overAlternate ? "\x1b[?1049h\x1b[r" : "\x1b7"}\x1b[?25l${this.#lift()}\x1b[?7l`);
  }

  /** Draws in the open overlay: CUP, text, SGR. The agent's rows come first when `afresh`. */
  drawOverlay(body: string, afresh: boolean): void {
    const shadow = this.#shadow;
    shadow?.drain();
    const { rows } = this.agentSize;
    const behind = !afresh ? "" : shadow !== undefined ? shadow.rows(0, rows) : this.#overAlternate ? "\x1b[m\x1b[2J" : "";
    const bar = this.reserved ? `\x1b[${this.#size.rows};1H\x1b[m${this.bar}` : "";
    this.#options.emit(`${behind}${body}${bar}\x1b[m`);
    this.damaged = false;
  }

  /** Gives the screen back as it was. */
  closeOverlay(): void {
    const { modes } = this;
    const shadow = this.#shadow;
    const uncover = this.#overAlternate || shadow === undefined ? "" : shadow.rows(shadow.firstKnownRow, this.agentSize.rows);
    const region = this.reserved ? `\x1b7${this.#region()}\x1b8` : "";
    const back = this.#overAlternate ? `\x1b[?1049l${region}` : "\x1b8";
    const cursor = modes.cursorHidden ? "" : "\x1b[?25h";
    const synchronised = modes.synchronised ? "\x1b[?2026h" : "";
    const charsets = modes.plainCharsets ? "" : modes.charsets();
    this.#options.emit(`${uncover}${this.#unlift()}${back}${charsets}${cursor}${this.#wrapAgain()}${synchronised}`);
    this.#overAlternate = false;
    this.damaged = true;
  }

  /** Gives back the whole screen and undoes what the agent left; `reset` is the same for when we cannot. */
  end(): void {
    this.#scanner.finish();
    this.#options.emit(this.reset());
  }

  /** For a while somebody else has the terminal: the whole screen is its own. The agent's modes stay as they are, as without us. */
  release(): void {
    this.#options.emit(this.#returnRow());
  }

  /** The terminal is ours again, and what it shows is unknown: as `begin`, and with a new shadow to come. */
  retake(size: Size): void {
    this.#size = size;
    this.#shadow = undefined;
    this.#backlog = [];
    this.#borrowed[this.#screen] = true;
    this.#margins = [this.#full(), this.#full()];
    this.begin();
  }

  /** What would give the terminal back now. */
  reset(): string {
    const string = this.#scanner.inString ? "\x18" : "";
    return `${string}${this.#overAlternate ? "\x1b[?1049l\x1b[?25h" : ""}${this.modes.undo()}\x1b[m${this.#returnRow()}`;
  }

  #returnRow(): string {
    return this.reserved ? `\x1b7\x1b[?6l\x1b[r\x1b[${this.#size.rows};1H\x1b[m\x1b[2K\x1b8` : "";
  }

  get #screen(): 0 | 1 {
    return this.modes.alternate ? 1 : 0;
  }

  get #restricted(): boolean {
    return this.reserved && this.#margins[this.#screen].bottom < this.agentSize.rows;
  }

  #full(): Margins {
    return { top: 1, bottom: this.agentSize.rows };
  }

  /** DECSTBM with the agent's margins. Moves the cursor home. */
  #region(): string {
    const { top, bottom } = this.#margins[this.#screen];
    return `\x1b[${top};${bottom}r`;
  }

  /** `body` between DECSC and DECRC, the modes that would change its meaning lifted. */
  #lifted(body: string): string {
    this.#borrowed[this.#screen] = true;
    return `\x1b7${this.#lift()}${body}${this.#unlift()}\x1b8${this.modes.plainCharsets ? "" : this.modes.charsets()}`;
  }

  /** The same where the cursor cannot be saved, because the terminal's own has gone astray: it comes from the shadow. */
  #liftedForGood(body: string, shadow: Shadow): string {
    const charsets = this.modes.plainCharsets ? "" : this.modes.charsets();
    return `${this.#lift()}${body}${this.#unlift()}${charsets}${this.#cursorAt(shadow)}${this.#wrapAgain()}`;
  }

  #lift(): string {
    const { modes } = this;
    return (
      (modes.link === "" ? "" : "\x1b]8;;\x07") +
      (modes.origin ? "\x1b[?6l" : "") +
      (modes.insert ? "\x1b[4l" : "") +
      (modes.wrap ? "\x1b[?7l" : "") +
      (modes.plainCharsets ? "" : "\x1b(B\x0f")
    );
  }

  #unlift(): string {
    const { modes } = this;
    return (
      (modes.wrap ? "\x1b[?7h" : "") +
      (modes.insert ? "\x1b[4h" : "") +
      (modes.origin ? "\x1b[?6h" : "") +
      (modes.link === "" ? "" : `\x1b]${modes.link}\x07`)
    );
  }

  /** CUP and SGR of the shadow's cursor. */
  #cursorAt(shadow: Shadow): string {
    return `\x1b[${this.#row(shadow)};${Math.min(shadow.cursor.x + 1, this.#size.cols)}H${shadow.attributes()}`;
  }

  /** The cursor's row as CUP and VPA count it. */
  #row(shadow: Shadow): number {
    shadow.drain();
    return shadow.cursor.y + 1 - (this.modes.origin ? this.#margins[this.#screen].top - 1 : 0);
  }

  /** A cursor that waits behind the last column loses that by being moved: printing the last character again brings it back. */
  #wrapAgain(): string {
    const shadow = this.#shadow;
    if (shadow === undefined) return "";
    shadow.drain();
    if (shadow.cursor.x < this.#size.cols) return "";
    return shadow.lastCell() + shadow.attributes();
  }

  #feed(end: number): void {
    if (end <= this.#fed) return;
    const bytes = this.#fed === 0 && end === this.#chunk.length ? this.#chunk : this.#chunk.subarray(this.#fed, end);
    this.#fed = end;
    if (this.#shadow !== undefined) {
      this.#shadow.feed(bytes, this.#scanner.complex || this.#restricted || this.modes.insert);
      this.#scanner.complex = false;
    } else this.#backlog?.push(bytes);
  }

  /** After output in a restricted region: what went to the bar's row belongs to the agent's last. */
  #setRight(): void {
    const shadow = this.#shadow;
    this.#astray = this.#restricted;
    if (shadow === undefined) {
      this.damaged = true;
      return;
    }
    shadow.drain();
    const last = this.agentSize.rows;
    const row = shadow.rows(last - 1, last);
    if (row === this.#lastRow && shadow.cursor.y !== last - 1) return;
    this.#lastRow = row;
    this.#options.emit(this.#liftedForGood(`${row}\x1b[${this.#size.rows};1H\x1b[m${this.bar}\x1b[m`, shadow));
    this.damaged = false;
  }

  /** DECRC, SCORC and their like: the saved cursor may be ours by now, then the agent's comes from the shadow. */
  #restore(sequence: Sequence): Verdict {
    const { plainCharsets, link } = this.modes;
    this.modes.restore();
    if (!this.#borrowed[this.#screen] || !this.reserved || this.#shadow === undefined) return undefined;
    return this.#restored(sequence, this.#shadow, plainCharsets, link);
  }

  /** What DECRC would have done, and the agent's saved cursor in its place again. */
  #restored(sequence: Sequence, shadow: Shadow, wasPlain: boolean, wasLink: string): string {
    const { modes } = this;
    this.#feed(sequence.end);
    this.#borrowed[this.#screen] = false;
    const charsets = wasPlain && modes.plainCharsets ? "" : `\x1b(B\x0f${modes.charsets()}`;
    const link = modes.link === wasLink ? "" : `\x1b]${modes.link || "8;;"}\x07`;
    return `${this.#cursorAt(shadow)}${charsets}${link}\x1b7`;
  }

  /** DECSC, SCOSC and their like: from here on the terminal's saved cursor is the agent's. */
  #save(): void {
    this.#borrowed[this.#screen] = false;
    this.modes.save();
  }

  #osc(payload: string): Verdict {
    if (payload.startsWith("7777;") && this.#options.marker(payload)) return "";
    if (payload.startsWith("8;")) this.modes.link = /^8;[^;]*;$/.test(payload) ? "" : payload;
    if (payload.startsWith("1337;")) this.damaged = true;
    return undefined;
  }

  #sequence(sequence: Sequence): Verdict {
    return sequence.kind === "csi" ? this.#csi(sequence) : this.#esc(sequence);
  }

  #esc({ intermediate, final, end, ...rest }: Sequence): Verdict {
    const { modes } = this;
    switch (intermediate) {
      case 0:
        if (final === 0x37) this.#save();
        else if (final === 0x38) return this.#restore({ intermediate, final, end, ...rest });
        else if (final === 0x3d || final === 0x3e) modes.keypad = final === 0x3d;
        else if (final === 0x6e || final === 0x6f) modes.shift = final - 0x6c;
        else if (final === 0x63) {
          modes.hard();
          this.#margins = [this.#full(), this.#full()];
          this.#borrowed = [false, false];
          this.damaged = true;
          this.#homeAt = end;
          return this.reserved ? `\x1bc${this.#region()}` : undefined;
        }
        return undefined;
      case 0x23: // #
        if (final !== 0x38 || !this.reserved) return undefined;
        // DECALN fills our row too, and on most terminals resets the margins. Both it and DECSTBM home the cursor.
        this.#margins[this.#screen] = this.#full();
        this.damaged = true;
        return `\x1b#8${this.#region()}`;
      case 0x25: // % @ leaves UTF-8: from there on our reading of the stream would not be the terminal's
        return final === 0x40 ? "" : undefined;
      case 0x28:
      case 0x29:
      case 0x2a:
      case 0x2b: {
        const set = String.fromCharCode(intermediate, final);
        modes.sets[intermediate - 0x28] = final === 0x42 ? "" : set;
        return undefined;
      }
      default:
        return undefined;
    }
  }

  #csi(sequence: Sequence): Verdict {
    const { prefix, intermediate, final, params, count } = sequence;
    const { modes } = this;
    const first = count > 0 ? (params[0] as number) : 0;
    const second = count > 1 ? (params[1] as number) : 0;
    if (intermediate !== 0) {
      if (intermediate === 0x20 && final === 0x71) modes.cursorStyled = first > 0;
      else if (intermediate === 0x21 && final === 0x70) {
        modes.soft();
        this.#margins[this.#screen] = this.#full();
        return this.reserved ? `\x1b[!p${this.#reassert(sequence, false)}` : undefined;
      }
      // Rectangles, lines a screen, status lines: where they reach our row, it is painted again.
      else if (intermediate === 0x24 || intermediate === 0x2a) this.damaged = true;
      return undefined;
    }
    if (prefix === 0x3f) {
      if (final === 0x68 || final === 0x6c) return this.#privateModes(sequence, final === 0x68);
      return final === 0x4a ? this.#erase(sequence, first) : undefined;
    }
    if (prefix !== 0) {
      if (final === 0x6d && prefix === 0x3e) modes.modifyOtherKeys = first === 4 && second > 0;
      else if (final === 0x75) this.#keyboard(prefix, first);
      return undefined;
    }
    const rows = this.agentSize.rows;
    switch (final) {
      case 0x48: // CUP
      case 0x66: // HVP
        if (first <= 1 && second <= 1) this.#homeAt = sequence.end;
        return this.reserved && first > rows ? `\x1b[${rows};${Math.max(1, second)}H` : undefined;
      case 0x64: // VPA
        return this.reserved && first > rows ? `\x1b[${rows}d` : undefined;
      case 0x65: // VPR does not stop at a margin; CUD does, which is the same while the margin is the agent's last row
        if (!this.reserved) return undefined;
        if (!this.#restricted || this.#shadow === undefined) return `\x1b[${Math.max(1, first)}B`;
        this.#feed(sequence.end);
        return `\x1b[${this.#row(this.#shadow)}d`;
      case 0x72: {
        if (!this.reserved) return undefined;
        const top = Math.max(1, first);
        const bottom = second === 0 || second > rows ? rows : second;
        if (top >= bottom) return "";
        this.#margins[this.#screen] = { top, bottom };
        return this.#region();
      }
      case 0x4a:
        return this.#erase(sequence, first);
      case 0x73: // SCOSC; with left and right margins on it is DECSLRM
        if (!modes.isSet(69) && count === 0) this.#save();
        return undefined;
      case 0x75:
        return this.#restore(sequence);
      case 0x68:
      case 0x6c:
        for (let i = 0; i < count; i++) {
          if (params[i] === 4) modes.insert = final === 0x68;
          else if (params[i] === 20) modes.newLine = final === 0x68;
        }
        return undefined;
      case 0x62:
        // REP repeats what was printed last, which after a paint would be ours.
        return sequence.first && this.#beforePaint !== ""
          ? this.#beforePaint.repeat(Math.min(Math.max(1, first), this.#size.cols * rows))
          : undefined;
      case 0x74: // the agent asks for rows: one more is needed
        if (!this.reserved) return undefined;
        if (first === 8 && second > 0) return `\x1b[8;${second + 1};${count > 2 ? params[2] : 0}t`;
        return first >= 24 ? `\x1b[${first + 1}t` : undefined;
      default:
        return undefined;
    }
  }

  /** ED. Terminals that keep what a clear removes in their scrollback would keep our row too, so it is made blank before. */
  #erase(sequence: Sequence, what: number): Verdict {
    if (!this.reserved || what === 1 || what === 3) return undefined;
    this.damaged = true;
    const keeps = !this.modes.alternate && (what !== 0 || this.#homeAt === sequence.end - 3 || this.#homeAt === sequence.end - 4);
    if (!keeps) return undefined;
    const own = `\x1b[${sequence.prefix === 0x3f ? "?" : ""}${what === 0 ? "" : what}J`;
    return `${this.#lifted(`\x1b[${this.#size.rows};1H\x1b[m\x1b[2K`)}${own}`;
  }

  #keyboard(prefix: number, flags: number): void {
    const { modes } = this;
    const screen = this.#screen;
    if (prefix === 0x3e) modes.keyboard[screen] = (modes.keyboard[screen] ?? 0) + 1;
    else if (prefix === 0x3c) modes.keyboard[screen] = Math.max(0, (modes.keyboard[screen] ?? 0) - Math.max(1, flags));
    else if (prefix === 0x3d) modes.keyboardSet[screen] = flags !== 0;
  }

  /** DECSET and DECRST. */
  #privateModes(sequence: Sequence, on: boolean): Verdict {
    const { params, count } = sequence;
    const { modes } = this;
    let after = "";
    let verdict: Verdict;
    const kept: number[] = [];
    for (let i = 0; i < count; i++) {
      const mode = params[i] as number;
      // VT52 and Tektronix modes speak another language, in which our row could not be defended.
      if ((mode === 2 && !on) || mode === 38) continue;
      kept.push(mode);
      const before = this.#screen;
      if (mode === 1048 || mode === 1049) {
        if (on) this.#save();
        else if (mode === 1048) verdict = this.#restore(sequence);
      }
      modes.set(mode, on);
      if (mode === 3) after = this.#reassert(sequence, false);
      if (this.#screen === before && mode !== 47 && mode !== 1047 && mode !== 1049) continue;
      if (this.#screen === 1 && before === 0) this.#margins[1] = this.#full();
      const { plainCharsets, link } = modes;
      if (mode === 1049 && !on) modes.restore();
      this.damaged = true;
      if (mode === 1049 && !on && this.#borrowed[0] && this.reserved && this.#shadow !== undefined) {
        after = this.#region() + this.#restored(sequence, this.#shadow, plainCharsets, link);
      } else after = this.#reassert(sequence, mode === 1049 && !on);
    }
    if (verdict !== undefined) return verdict;
    if (after === "" && kept.length === count) return undefined;
    return (kept.length === 0 ? "" : `\x1b[?${kept.join(";")}${on ? "h" : "l"}`) + after;
  }

  /** The region again after `sequence`, the cursor where it is. `same`: it is where the saved cursor is too. */
  #reassert(sequence: Sequence, same: boolean): string {
    if (!this.reserved) return "";
    if (!same) this.#borrowed[this.#screen] = true;
    if (this.#shadow !== undefined) this.#feed(sequence.end);
    return `\x1b7${this.#region()}\x1b8${this.#wrapAgain()}`;
  }
}
