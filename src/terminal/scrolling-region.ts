// The margins that keep an agent's scrolling off our row: set again after what took them away, and the cursor brought back that has come below them.
// Used by rewrite.ts and private-modes.ts.
import type { Frame } from "./frame.ts";
import type { Sequence, Verdict } from "./sequence.ts";
import type { Feed } from "./shadow-feed.ts";

/** In place of a sequence that the terminal does not get: a lone ST, which is nothing to every terminal. What was printed before it is no longer what REP repeats. */
export const LEFT_OUT = "\x1b\\";

export class ScrollingRegion {
  readonly #frame: Frame;
  readonly #feed: Feed;

  constructor(frame: Frame, feed: Feed) {
    this.#frame = frame;
    this.#feed = feed;
  }

  /** Below a restricted region the terminal's cursor can be on our row, one too low to go on from: the row comes from the shadow. */
  onItsRow(sequence: Sequence, before: string, after = ""): Verdict {
    const { restricted, console, shadow } = this.#frame;
    if (!(restricted || console) || shadow === undefined) return undefined;
    this.#feed(sequence.end);
    return `${before}\x1b[${this.#frame.row(shadow)}d${after}`;
  }

  /**
   * Where moves down stop at no margin, and no shadow knows the row yet: in origin mode they do stop there, as far as the agent has no margins of its own. That needs the
   * saved cursor, as long as it is not the agent's; else surely no further than the agent's last row, or our row is painted again.
   */
  notBelow(final: number, lines: number): Verdict {
    const { console, reserved, agentSize, margins, modes, borrowed, slot } = this.#frame;
    if (!console || !reserved || final === 0x41 || final === 0x46) return undefined;
    if (margins.top === 1 && margins.bottom === agentSize.rows) {
      if (modes.origin) return undefined;
      const move = `\x1b[${Math.max(1, lines)}${final === 0x45 ? "E" : "B"}`;
      if (borrowed[slot]) return `\x1b7\x1b[?6h\x1b8${move}\x1b7\x1b[?6l\x1b8`;
    }
    this.#frame.damaged = true;
    return lines >= agentSize.rows - 1 ? `${final === 0x45 ? "\r" : ""}\x1b[${agentSize.rows}d` : undefined;
  }

  /** The margins are about to change: gives whether the terminal's cursor may be on our row, or have been. */
  strays(): boolean {
    const strays = this.#frame.restricted && this.#frame.below;
    this.#frame.below = false;
    if (strays) this.#frame.strayed = true;
    return strays;
  }

  /** Before DECSTBM and DECSTR: what went to our row belongs to the agent's last one, which may be about to scroll. */
  lastRow(sequence: Sequence): string {
    const { shadow, agentSize } = this.#frame;
    if (!this.strays() || shadow === undefined) return "";
    this.#feed(sequence.end);
    shadow.drain();
    return this.#frame.liftedForGood(shadow.rows(agentSize.rows - 1, agentSize.rows, false), shadow);
  }

  /** Whether the terminal's cursor may be on our row, and does not wait behind the last column, which VPA would end. */
  mayBeLow(sequence: Sequence): boolean {
    const { restricted, shadow, agentSize } = this.#frame;
    if (!restricted || shadow === undefined) return false;
    this.#feed(sequence.end);
    shadow.drain();
    return shadow.cursor.y === agentSize.rows - 1 && shadow.cursor.x < agentSize.cols;
  }

  /** The region again after `sequence`, the cursor where it is. `same`: it is where the saved cursor is too. `strays`: only the shadow knows where. */
  reassert(sequence: Sequence, same: boolean, strays = false): string {
    if (!this.#frame.reserved) return same ? this.#fragile(sequence) : "";
    if (strays && this.#frame.shadow !== undefined) {
      this.#feed(sequence.end);
      return this.#frame.region() + this.#frame.cursorAgain(this.#frame.shadow);
    }
    if (!same) this.#frame.borrowed[this.#frame.slot] = true;
    if (this.#frame.shadow !== undefined) this.#feed(sequence.end);
    return `\x1b7${this.#frame.region()}\x1b8${this.#frame.wrapAgain()}`;
  }

  /** What not every DECRC brings back, after `sequence`, which was one: for the terminal it may be what a redraw of ours has left. */
  #fragile(sequence: Sequence): string {
    const { shadow } = this.#frame;
    if (shadow === undefined) return "";
    this.#feed(sequence.end);
    shadow.drain();
    return shadow.fragileAttributes();
  }
}
