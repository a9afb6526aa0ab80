// What an overlay covers of the agent's screen, and how that is given back: on the main screen the alternate one is borrowed. Used by compositor.ts.
import type { Frame } from "./frame.ts";
import type { Shadow } from "./shadow.ts";

export class OverlayCover {
  readonly #frame: Frame;
  readonly #emit: (text: string) => void;
  #overAlternate = false;
  /** The first row that an overlay has covered, 0-based: what was there before the agent cannot be brought back, and is left blank. */
  #coveredFrom = Number.POSITIVE_INFINITY;

  constructor(frame: Frame, emit: (text: string) => void) {
    this.#frame = frame;
    this.#emit = emit;
  }

  /**
   * The terminal in our hands until `close`: the cursor saved and hidden, modes lifted.
   * @param string ends a string that stands open
   * @param alternate the terminal has an alternate screen
   */
  open(string: string, alternate: boolean): void {
    const frame = this.#frame;
    const synchronised = frame.modes.synchronised ? "\x1b[?2026l" : "";
    frame.borrowed[frame.slot] = true;
    this.#overAlternate = alternate && !frame.modes.alternate;
    this.#coveredFrom = Number.POSITIVE_INFINITY;
    const saved = this.#overAlternate ? "\x1b[?1049h" : `${frame.withoutImages()}\x1b7`;
    this.#emit(`${string}${synchronised}${saved}${frame.noMargins()}\x1b[?25l${frame.lift()}\x1b[?7l`);
  }

  /** Draws in it: CUP, text, SGR, from row `top` (1-based) on, and the bar. The agent's rows come first when `afresh`. */
  draw(body: string, top: number, afresh: boolean, bar: string): void {
    const frame = this.#frame;
    const { shadow } = frame;
    shadow?.drain();
    let behind = "";
    if (afresh && shadow !== undefined)
      behind = shadow.rows(this.#overAlternate ? 0 : this.#firstToDraw(shadow), frame.agentSize.rows, true);
    else if (afresh && this.#overAlternate) behind = "\x1b[m\x1b[2J";
    this.#emit(`${behind}${body}${frame.reserved ? frame.onOurRow(bar) : "\x1b[m"}`);
    this.#coveredFrom = Math.min(this.#coveredFrom, top - 1);
    frame.damaged = false;
  }

  /** Gives the screen back as it was; false where it was drawn from a shadow that is not sure of it. */
  close(): boolean {
    const frame = this.#frame;
    const { modes, shadow } = frame;
    const uncover = this.#overAlternate || shadow === undefined ? "" : shadow.rows(this.#firstToDraw(shadow), frame.agentSize.rows, true);
    const margins = frame.marginsAgain();
    const back = this.#overAlternate ? `\x1b[?1049l\x1b7${margins}\x1b8` : `${margins}\x1b8`;
    const cursor = modes.cursorHidden ? "" : "\x1b[?25h";
    const synchronised = modes.synchronised ? "\x1b[?2026h" : "";
    const charsets = modes.plainCharsets ? "" : modes.charsets();
    this.#emit(`${uncover}${frame.unlift()}${back}${frame.sidesAgain()}${charsets}${cursor}${frame.wrapAgain()}${synchronised}`);
    const sure = this.#overAlternate || !frame.unsure;
    this.#overAlternate = false;
    frame.damaged = true;
    return sure;
  }

  /** What would take it away now, when nothing else is given back. */
  reset(): string {
    return this.#overAlternate ? "\x1b[?1049l\x1b[?25h" : "";
  }

  #firstToDraw(shadow: Shadow): number {
    return Math.min(shadow.firstKnownRow, this.#coveredFrom);
  }
}
