// What is so about the agent's screen inside the human's: sizes, margins, modes, whose the saved cursor is; and how to write outside it and come
// back. Shared by compositor.ts, which paints, and rewrite.ts, which changes the agent's sequences.
import { type Margins, Modes, SIDE_MARGINS } from "./modes.ts";
import type { Size } from "./pty.ts";
import type { Shadow } from "./shadow.ts";

/** Below this the bar goes and the session stays. */
const FEWEST_ROWS_WITH_BAR = 3;
/** Private mode: BS goes back to the row above. */
const REVERSE_WRAP = 45;
const NO_BACKGROUND = "\x1b[49m";
/** DECSWL. */
const SINGLE_WIDTH = "\x1b#5";

export class Frame {
  readonly modes: Modes;
  /** The bar's row may show something else: paint as soon as that is allowed. */
  damaged = true;
  /** The agent has asked the terminal something; how often for the cursor. Whoever looks sets it back. */
  asked = false;
  cursorAsked = 0;
  /** The agent's margins, 1-based: the same on both screens, as in xterm. */
  margins: Margins;
  /** The terminal's saved cursor is ours and not the agent's, main and alternate screen. */
  borrowed: [boolean, boolean];
  /** The size has changed since the agent saved its cursor: where that is now depends on rows that in the terminal are one more. */
  displaced: [boolean, boolean] = [false, false];
  shadow: Shadow | undefined;
  /** Since the margins were set, the cursor may have come below them, and from there onto our row. */
  below = false;
  /** It may have, and the margins are others now: our row and the agent's last one need setting right. */
  strayed = false;
  /** The screen, main and alternate, that was not shown while the size changed, or was left with text astray: from which row on ours of then may stand in it. */
  stale: [number | undefined, number | undefined] = [undefined, undefined];
  /** Left and right margins have moved text as the shadow, which has none, does not know: what it draws is not what was there. */
  unsure = false;
  /** The agent has made lines double width, and one of them may have become our row. */
  doubled = false;
  /** The character before our last paint, for a REP that follows it. */
  beforePaint = "";
  /** Prints that character again where it stands, with all that has joined it. */
  joinable = "";
  /** Images of the kitty graphics protocol may be on the screen; one of them has come since our row was painted. */
  #images = false;
  #imageOnOurRow = false;
  size: Size;
  readonly #reserve: boolean;
  /** The Linux console: both screens have the same saved cursor, and CUD and its like stop at no margin. */
  readonly console: boolean;

  constructor(size: Size, reserve: boolean, console = false) {
    this.modes = new Modes(console);
    this.console = console;
    this.size = size;
    this.#reserve = reserve;
    this.borrowed = [reserve, reserve];
    this.margins = this.full();
  }

  /** Whether the last row is ours now. */
  get reserved(): boolean {
    return this.agentRows(this.size.rows) < this.size.rows;
  }

  /** How many rows of a terminal of `rows` would be the agent's. */
  agentRows(rows: number): number {
    return this.#reserve && rows >= FEWEST_ROWS_WITH_BAR ? rows - 1 : rows;
  }

  /** How many rows a terminal needs for so many of the agent's: with those of the bar, which an agent cannot have taken away. */
  rowsFor(agent: number): number {
    return this.#reserve ? Math.max(FEWEST_ROWS_WITH_BAR, agent + 1) : agent;
  }

  /** The terminal as the agent sees it. */
  get agentSize(): Size {
    return { cols: this.size.cols, rows: this.agentRows(this.size.rows) };
  }

  get screen(): 0 | 1 {
    return this.modes.alternate ? 1 : 0;
  }

  /** Whose saved cursor it is: the main screen's, or the alternate one's. */
  get slot(): 0 | 1 {
    return this.console ? 0 : this.screen;
  }

  get restricted(): boolean {
    return this.reserved && this.margins.bottom < this.agentSize.rows;
  }

  /** A line end does not just scroll the whole screen, or text does more than to go on to the right and down. */
  get scrollsOddly(): boolean {
    const { top, bottom } = this.margins;
    const { modes } = this;
    return top > 1 || bottom < this.agentSize.rows || modes.insert || modes.isSet(REVERSE_WRAP) || modes.isSet(SIDE_MARGINS);
  }

  full(): Margins {
    return { top: 1, bottom: this.agentSize.rows };
  }

  /** DECSTBM with the agent's margins. Moves the cursor home. */
  region(): string {
    const { top, bottom } = this.margins;
    return `\x1b[${top};${bottom}r`;
  }

  /** No margins, so that whole rows can be drawn, also such that continue the one above. Moves the cursor home. */
  noMargins(): string {
    return "\x1b[r";
  }

  /** Margins after that. Moves the cursor home. */
  marginsAgain(): string {
    const { top, bottom } = this.margins;
    return top === 1 && bottom === this.size.rows ? "" : this.region();
  }

  /**
   * Left and right margins after `lift` and the DECRC that brought the cursor back. Where a terminal has them it moves the cursor home, elsewhere DECSLRM is one more
   * DECSC: another DECRC does for both.
   */
  sidesAgain(): string {
    const sides = this.#sides();
    return sides === "" ? "" : `${sides}\x1b8`;
  }

  #sides(): string {
    const { modes } = this;
    const sides = modes.sides === undefined ? "" : `\x1b[${modes.sides.join(";")}s`;
    return modes.isSet(SIDE_MARGINS) ? `\x1b[?${SIDE_MARGINS}h${sides}` : "";
  }

  /** One of the kitty graphics protocol's comes, or goes: it lies over text, and may do so over our row. */
  image(): void {
    this.damaged = true;
    this.#imageOnOurRow = true;
    this.#images = true;
  }

  /** Takes away what images may lie over an overlay. */
  withoutImages(): string {
    return this.#images ? "\x1b_Ga=d,q=2\x1b\\" : "";
  }

  /** `text` on our row. */
  onOurRow(text: string): string {
    const images = this.#imageOnOurRow ? `\x1b_Ga=d,d=y,y=${this.size.rows},q=2\x1b\\` : "";
    this.#imageOnOurRow = false;
    return `${images}\x1b[${this.size.rows};1H${this.doubled ? SINGLE_WIDTH : ""}\x1b[m${text}\x1b[m`;
  }

  /** Makes our row blank; leaves the cursor there, and all attributes but one: xterm.js brings underline styles back to no one. */
  blank(): string {
    return `\x1b[${this.size.rows};1H${NO_BACKGROUND}\x1b[2K`;
  }

  /** Our row without the bar, the cursor where it is. */
  blanked(): string {
    return this.lifted(this.blank()) + this.wrapAgain();
  }

  /** `body` between DECSC and DECRC, the modes that would change its meaning lifted. */
  lifted(body: string): string {
    this.borrowed[this.slot] = true;
    return `\x1b7${this.lift()}${body}${this.unlift()}\x1b8${this.sidesAgain()}${this.modes.plainCharsets ? "" : this.modes.charsets()}`;
  }

  /** The same where the cursor cannot be saved, because the terminal's own has gone astray: it comes from the shadow. */
  liftedForGood(body: string, shadow: Shadow): string {
    const charsets = this.modes.plainCharsets ? "" : this.modes.charsets();
    const sides = this.#sides();
    if (sides !== "") this.borrowed[this.slot] = true;
    return `${this.lift()}${body}${sides}${this.unlift()}${charsets}${this.cursorAgain(shadow)}`;
  }

  lift(): string {
    const { modes } = this;
    return (
      (modes.link === "" ? "" : "\x1b]8;;\x07") +
      (modes.origin ? "\x1b[?6l" : "") +
      (modes.isSet(SIDE_MARGINS) ? `\x1b[?${SIDE_MARGINS}l` : "") +
      (modes.insert ? "\x1b[4l" : "") +
      (modes.wrap ? "\x1b[?7l" : "") +
      (modes.plainCharsets ? "" : "\x1b(B\x0f")
    );
  }

  unlift(): string {
    const { modes } = this;
    return (
      (modes.wrap ? "\x1b[?7h" : "") +
      (modes.insert ? "\x1b[4h" : "") +
      (modes.origin ? "\x1b[?6h" : "") +
      (modes.link === "" ? "" : `\x1b]${modes.link}\x07`)
    );
  }

  /** The cell under a cursor that waits behind the last column, which may have been printed under another hyperlink than the open one. */
  #lastCell(shadow: Shadow): string {
    const { link } = this.modes;
    const cell = this.inPlainCharsets(shadow.lastCell(this.row(shadow))) + shadow.attributes();
    return link === "" ? cell : `\x1b]8;;\x07${cell}\x1b]${link}\x07`;
  }

  /** What was printed is printed again as it looks, whatever character set is in use by now. */
  inPlainCharsets(text: string): string {
    return text === "" || this.modes.plainCharsets ? text : `\x1b(B\x0f${text}${this.modes.charsets()}`;
  }

  /** CUP and SGR of the shadow's cursor. */
  cursorAt(shadow: Shadow): string {
    return `\x1b[${this.row(shadow)};${Math.min(shadow.cursor.x + 1, this.size.cols)}H${shadow.attributes()}`;
  }

  /** The cursor as in the shadow, also where it waits behind the last column. */
  cursorAgain(shadow: Shadow): string {
    return this.cursorAt(shadow) + this.wrapAgain();
  }

  /** The cursor's row as CUP and VPA count it. */
  row(shadow: Shadow): number {
    shadow.drain();
    return shadow.cursor.y + 1 - (this.modes.origin ? this.margins.top - 1 : 0);
  }

  /**
   * What DECRC does not bring back, on all terminals or on some. A cursor that waits behind the last column loses that by being moved: printing
   * the last character again brings it back.
   */
  wrapAgain(): string {
    const shadow = this.shadow;
    if (shadow === undefined) return "";
    shadow.drain();
    return shadow.cursor.x < this.size.cols ? shadow.fragileAttributes() : this.#lastCell(shadow);
  }
}
