// Lets an agent's output through to a terminal whose last row is ours, and paints that row. No clock, no I/O: screen.ts decides when. Used by screen.ts.
import { AfterPaint } from "./after-paint.ts";
import { isCommandDcs, isCommandOsc, passesThrough } from "./commands-to-terminal.ts";
import type { ConsoleReader } from "./console-reader.ts";
import { Frame } from "./frame.ts";
import { OverlayCover } from "./overlay-cover.ts";
import type { Size } from "./pty.ts";
import { Rewriter } from "./rewrite.ts";
import { Scanner } from "./scanner.ts";
import type { Shadow } from "./shadow.ts";
import { ShadowFeed } from "./shadow-feed.ts";
import type { Multiplexer } from "./terminal-look.ts";

export interface CompositorOptions {
  readonly size: Size;
  /** Whether the last row is the bar's, where there are rows enough. */
  readonly reserve: boolean;
  /** Where the terminal is the Linux console, which reads some sequences otherwise than all others: console_codes(4). */
  readonly console?: typeof ConsoleReader | undefined;
  /** The agent is isolated: what it writes commands nothing of the human's through the terminal, and asks for no clipboard. */
  readonly closed?: boolean;
  readonly multiplexer?: Multiplexer | undefined;
  /** Bytes for the human's terminal, in order. */
  readonly emit: (bytes: Uint8Array | string) => void;
  /** An OSC whose payload starts with `7777;`; true when it was ours, and is then kept from the terminal. */
  readonly marker: (payload: string) => boolean;
}

const ESC = 0x1b;
const LF = 0x0a;
const LARGE = 1024;

/** Where a line or a sequence begins; 0 where only the first does. */
function firstBorder(bytes: Uint8Array): number {
  for (let at = 1; at < bytes.length; at++) if (bytes[at - 1] === LF || bytes[at] === ESC) return at;
  return 0;
}

export class Compositor {
  readonly frame: Frame;
  /** What the bar shows: SGR and text of exactly the terminal's width. */
  bar = "";
  readonly #options: CompositorOptions;
  readonly #scanner: Scanner;
  readonly #rewriter: Rewriter;
  readonly #reader: ConsoleReader | undefined;
  readonly #feed: ShadowFeed;
  readonly #cover: OverlayCover;
  readonly #afterPaint: AfterPaint;
  #lastRow = "";
  /** Output went past the end of a restricted region: the last row and the cursor need setting right. */
  #astray = false;

  constructor(options: CompositorOptions) {
    this.#options = options;
    this.frame = new Frame(options.size, options.reserve, options.console !== undefined);
    this.#reader = options.console && new options.console(() => this.frame.agentSize.rows);
    const { closed = false } = options;
    const rewriter = new Rewriter(this.frame, (end, then) => this.#feed.upTo(end, then), options.marker, closed);
    this.#rewriter = rewriter;
    this.#afterPaint = new AfterPaint(this.frame, options.emit);
    this.#scanner = new Scanner({
      emit: (bytes) => {
        this.#afterPaint.passes(bytes);
        options.emit(bytes);
      },
      sequence: (sequence) => rewriter.sequence(sequence),
      osc: (payload) => rewriter.osc(payload),
      ...(closed && { refusesLong: (payload: string) => isCommandOsc(payload, false) }),
      dcs: (head) => {
        // DECRQSS and XTGETTCAP.
        if (/[$+]q$/.test(head)) this.frame.asked = true;
        // Sixel and ReGIS images may reach our row.
        if (/^[\d;]*[pq]$/.test(head)) this.frame.damaged = true;
        // What multiplexers hand to the terminal that they are in could paint over our row, and change its keys.
        return passesThrough(head, options.multiplexer) || (closed && isCommandDcs(head));
      },
      image: () => this.frame.image(),
      shift: (code) => rewriter.shift(code),
      // For the shadow it is an OSC.
      ...(options.multiplexer && { title: (end: number) => this.#feed.upTo(end, "\x1b]2;") }),
      // Here too, which needs its end.
      ...(options.console && { palette: (end: number) => this.#feed.upTo(end, "\x07") }),
    });
    this.#feed = new ShadowFeed(this.frame, this.#scanner);
    this.#cover = new OverlayCover(this.frame, options.emit);
  }

  /** The terminal as the agent sees it. */
  get agentSize(): Size {
    return this.frame.agentSize;
  }

  /**
   * Whether the terminal is between two sequences and shows what it got, and what a paint would change can be given back: until there is a shadow
   * that is not so of what the agent has written, such as a saved cursor, or one that waits behind the last column.
   */
  get mayPaint(): boolean {
    return !this.#scanner.inString && !this.frame.modes.synchronised && !this.#feed.waits;
  }

  /** Passes output of the agent on. */
  write(output: Uint8Array): void {
    const chunk = this.#reader?.read(output) ?? output;
    // What was held back is put together with what ends it, and not with all of a large chunk.
    const at = this.#scanner.held > 0 && chunk.length > LARGE ? firstBorder(chunk.subarray(0, LARGE)) : 0;
    if (at > 0) this.#scan(chunk.subarray(0, at));
    this.#scan(at > 0 ? chunk.subarray(at) : chunk);
    if (this.frame.restricted || this.frame.strayed) this.#astray = true;
    if (this.#astray && this.mayPaint) this.#setRight();
  }

  #scan(chunk: Uint8Array): void {
    this.#feed.begin(chunk);
    this.#rewriter.newChunk();
    this.#scanner.scan(chunk);
    this.#feed.end();
  }

  /** Takes over a shadow that shows the screen as it was when the agent started. */
  adopt(shadow: Shadow): void {
    this.#feed.adopt(shadow);
    if (this.#astray && this.mayPaint) this.#setRight();
  }

  /** Gives up on having a shadow. */
  goWithoutShadow(): void {
    this.#feed.giveUp();
  }

  /** Makes room for the bar where the cursor stands on the last row, and takes the row out of the scrolling region. */
  begin(): void {
    if (!this.frame.reserved) return;
    this.#options.emit(`\x1bD\x1b[A\x1b7${this.frame.region()}\x1b8`);
    this.frame.damaged = true;
  }

  /** Paints the bar's row. Not `mayPaint`: a string that stands open is broken off. */
  paint(): void {
    if (!this.frame.reserved) {
      this.frame.damaged = false;
      return;
    }
    this.#cutString();
    this.#options.emit(this.frame.lifted(this.frame.onOurRow(this.bar)) + this.frame.wrapAgain());
    this.frame.damaged = false;
    this.#afterPaint.begin(this.#scanner.lastPrinted);
  }

  /** Whether a terminal that is to have this size may have pulled lines out of its scrollback. */
  mayPull(size: Size): boolean {
    const { frame } = this;
    const taller = size.rows > frame.size.rows && size.cols >= frame.size.cols;
    return taller && frame.shadow !== undefined && frame.reserved && !frame.modes.alternate && !frame.modes.origin;
  }

  /**
   * The terminal has another size now. The shadow follows first, then all that we know is drawn anew.
   * @param row where the terminal's cursor is now, 0-based: says which lines it has pulled out of its scrollback. Otherwise, as many as the shadow
   */
  resize(size: Size, row?: number): void {
    const before = this.frame.size;
    const reservedBefore = this.frame.reserved;
    const shadow = this.frame.shadow;
    shadow?.drain();
    const below = shadow === undefined ? 0 : this.frame.agentSize.rows - 1 - shadow.cursor.y;
    this.frame.size = size;
    this.frame.margins = this.frame.full();
    this.frame.modes.sides = undefined;
    this.frame.damaged = true;
    this.frame.stale[this.frame.modes.alternate ? 0 : 1] = 0;
    this.#cutString();
    if (shadow === undefined) {
      this.frame.borrowed[this.frame.slot] = true;
      // A window that shrinks to the cursor leaves it on its last row, which is ours: one line up, as in `begin`.
      const room = size.rows < before.rows ? "\x1bD\x1b[A" : "";
      if (this.frame.reserved) this.#options.emit(`${room}\x1b7${this.frame.region()}\x1b8`);
      else if (reservedBefore) this.#options.emit("\x1b7\x1b[r\x1b8");
      return;
    }
    const pulled = size.cols === before.cols ? row : undefined;
    shadow.resize(this.frame.agentSize, row);
    this.frame.borrowed = [true, true];
    this.frame.displaced = [true, true];
    this.#astray = false;
    // The terminal dropped our row where a bare one would have scrolled one of the agent's: catch up.
    const shrunk = before.rows - size.rows;
    const catchUp = reservedBefore && this.frame.reserved && !this.frame.modes.alternate && shrunk > below && shrunk > 0;
    const back = pulled === undefined ? Number(catchUp) : Math.max(0, pulled - shadow.cursor.y);
    // Drawn before it goes: a terminal that tells a size late (tmux) may show what was drawn for the one before.
    const again = pulled === undefined ? shadow.scrolledOut(back) : "";
    const scrolled = back > 0 ? `${again}\x1b[m\x1b[${size.rows};1H${"\n".repeat(back)}` : "";
    const prepare = `${this.frame.noMargins()}\x1b[m${scrolled}`;
    this.#options.emit(
      this.frame.liftedForGood(
        prepare + shadow.rows(shadow.firstKnownRow, this.frame.agentSize.rows, true) + this.frame.marginsAgain(),
        shadow,
      ),
    );
    this.frame.stale[this.frame.screen] = undefined;
    this.#afterPaint.begin(this.#scanner.lastPrinted);
    if (this.frame.reserved) this.paint();
  }

  /** The terminal in our hands until `closeOverlay`. */
  openOverlay(alternate: boolean): void {
    this.#cover.open(this.#scanner.cutString(), alternate);
  }

  /** Draws in the open overlay: CUP, text, SGR, from row `top` (1-based) on. The agent's rows come first when `afresh`. */
  drawOverlay(body: string, top: number, afresh: boolean): void {
    this.#cover.draw(body, top, afresh, this.bar);
  }

  /** Gives the screen back as it was; false where it was drawn from a shadow that is not sure of it. */
  closeOverlay(): boolean {
    const sure = this.#cover.close();
    this.#afterPaint.begin(this.#scanner.lastPrinted);
    return sure;
  }

  /** Whether the cursor may wait behind the last column, and only a shadow could tell. */
  get endsWithinLine(): boolean {
    return this.#feed.endsWithinLine;
  }

  /** Gives back the whole screen and undoes what the agent left; `reset` is the same for when we cannot. */
  end(): void {
    this.#scanner.finish();
    const again = this.#waitingAgain();
    this.#options.emit(this.reset() + again);
  }

  /** What brings back a cursor that waited behind the last column before `reset`, whose DECRC ends that in most terminals. */
  #waitingAgain(): string {
    const { shadow, modes, reserved, size } = this.frame;
    if (shadow === undefined || !reserved || modes.alternate) return "";
    shadow.drain();
    return shadow.cursor.x < size.cols ? "" : `${shadow.lastCell(undefined)}\x1b[m`;
  }

  /** For a while somebody else has the terminal: the whole screen is its own. The agent's modes stay as they are, as without us. */
  release(): void {
    this.#options.emit(this.#returnRow());
  }

  /** The terminal is ours again, and what it shows is unknown: as `begin`, and with a new shadow to come. */
  retake(size: Size): void {
    this.frame.size = size;
    this.#feed.startAnew();
    this.frame.borrowed[this.frame.slot] = true;
    this.frame.margins = this.frame.full();
    this.begin();
  }

  /** What would give the terminal back now. */
  reset(): string {
    const string = this.#scanner.inString ? "\x18" : "";
    return `${string}${this.#cover.reset()}${this.frame.modes.undo()}\x1b[m${this.#returnRow()}`;
  }

  #cutString(): void {
    const end = this.#scanner.cutString();
    if (end !== "") this.#options.emit(end);
  }

  #returnRow(): string {
    return this.frame.reserved ? `\x1b7\x1b[?6l\x1b[r\x1b[${this.frame.size.rows};1H\x1b[m\x1b[2K\x1b8` : "";
  }

  /** After output in a restricted region: what went to the bar's row belongs to the agent's last. */
  #setRight(): void {
    const { shadow, strayed } = this.frame;
    if (!this.frame.reserved) {
      this.#astray = false;
      return;
    }
    if (shadow === undefined) {
      this.frame.damaged = true;
      return;
    }
    this.#astray = this.frame.restricted;
    this.frame.strayed = false;
    shadow.drain();
    const last = this.frame.agentSize.rows;
    const row = shadow.rows(last - 1, last, false);
    if (!strayed && row === this.#lastRow && shadow.cursor.y !== last - 1) return;
    this.#lastRow = row;
    this.#options.emit(this.frame.liftedForGood(row + this.frame.onOurRow(this.bar), shadow));
    this.frame.damaged = false;
    this.#afterPaint.begin(this.#scanner.lastPrinted);
  }
}
