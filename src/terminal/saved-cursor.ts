// What DECSC saves and DECRC brings back, while the terminal's saved cursor may be ours. Used by rewrite.ts and private-modes.ts.
import type { Frame } from "./frame.ts";
import type { Sequence, Verdict } from "./sequence.ts";
import type { Shadow } from "./shadow.ts";
import type { Feed } from "./shadow-feed.ts";

export class SavedCursor {
  readonly #frame: Frame;
  readonly #feed: Feed;

  constructor(frame: Frame, feed: Feed) {
    this.#frame = frame;
    this.#feed = feed;
  }

  /** It is ours and not the agent's. */
  get isOurs(): boolean {
    return this.#frame.borrowed[this.#frame.slot];
  }

  /** DECSC, SCOSC and their like: from here on the terminal's saved cursor is the agent's. */
  save(): void {
    this.#frame.borrowed[this.#frame.slot] = false;
    this.#frame.displaced[this.#frame.slot] = false;
    this.#frame.modes.save();
  }

  /**
   * DECRC, SCORC and their like, `own`. The saved cursor may be ours by now, then the agent's comes from the shadow. Terminals, and the shadow, differ in
   * what else they bring back.
   */
  restore(sequence: Sequence, own: string): Verdict {
    const { modes, shadow } = this.#frame;
    const before = modes.current;
    modes.restore();
    this.#frame.below = true;
    const rest = modes.broughtBack(before) + modes.linkSince(before);
    const origin = modes.originSince(before);
    const again = origin === "" ? "" : origin + (own || "\x1b8");
    const text = this.isOurs && shadow !== undefined ? origin + this.restored(sequence, shadow, rest) : own + again + rest;
    if (rest !== "") this.#feed(sequence.end, rest);
    return text === own ? undefined : text;
  }

  /** What DECRC would have done, with `rest`, and the agent's saved cursor in its place again. */
  restored(sequence: Sequence, shadow: Shadow, rest: string): string {
    this.#feed(sequence.end);
    const displaced = this.#frame.displaced[this.#frame.slot];
    this.#frame.borrowed[this.#frame.slot] = displaced;
    return `${this.#frame.cursorAgain(shadow)}${rest}${displaced ? "" : "\x1b7"}`;
  }
}
