// DECSET and DECRST, and their XTSAVE and XTRESTORE: those that move or hide our row are followed by what brings it back. Used by rewrite.ts.
import type { Frame } from "./frame.ts";
import { NEVER_KEPT, REFUSED } from "./modes.ts";
import type { SavedCursor } from "./saved-cursor.ts";
import { LEFT_OUT, type ScrollingRegion } from "./scrolling-region.ts";
import type { Sequence, Verdict } from "./sequence.ts";
import type { Shadow } from "./shadow.ts";
import type { Feed } from "./shadow-feed.ts";

/** The alternate screens, and a saved cursor. */
const MOVES_OUR_ROW = new Set([47, 1047, 1048, 1049]);

export class PrivateModes {
  readonly #frame: Frame;
  readonly #feed: Feed;
  readonly #region: ScrollingRegion;
  readonly #savedCursor: SavedCursor;

  constructor(frame: Frame, feed: Feed, region: ScrollingRegion, savedCursor: SavedCursor) {
    this.#frame = frame;
    this.#feed = feed;
    this.#region = region;
    this.#savedCursor = savedCursor;
  }

  /** DECSET and DECRST. What brings our row back after one mode comes before the next one, which may be about the cursor. */
  switch(sequence: Sequence, on: boolean): Verdict {
    const { params, count } = sequence;
    const modes = [...params.subarray(0, count)];
    if (count < 2 || !modes.some((mode) => MOVES_OUR_ROW.has(mode))) return this.#switch(sequence, on);
    return modes.map((mode) => this.#one(sequence, mode, on)).join("");
  }

  #one(sequence: Sequence, mode: number, on: boolean): string {
    return this.#switch({ ...sequence, params: Int32Array.of(mode), count: 1 }, on) ?? `\x1b[?${mode}${on ? "h" : "l"}`;
  }

  #switch(sequence: Sequence, on: boolean): Verdict {
    const { params, count } = sequence;
    const { modes } = this.#frame;
    let after = "";
    let restored = "";
    const kept: number[] = [];
    for (let i = 0; i < count; i++) {
      const mode = params[i] as number;
      if ((mode === 2 && !on) || REFUSED.has(mode)) continue;
      kept.push(mode);
      const before = this.#frame.screen;
      const switches = mode === 47 || mode === 1047 || mode === 1049;
      const strays = switches && this.#region.strays();
      if (switches) this.#frame.below = true;
      if (mode === 1048 || mode === 1049) {
        if (on) this.#savedCursor.save();
        else if (mode === 1048) {
          if (this.#savedCursor.isOurs && this.#frame.shadow !== undefined) kept.pop();
          restored = this.#savedCursor.restore(sequence, "") ?? "";
        }
      }
      modes.set(mode, on);
      if (this.#frame.screen === before && !switches) continue;
      if (strays && this.#frame.screen !== before) this.#frame.stale[before] ??= this.#frame.agentSize.rows - 1;
      const back = mode === 1049 && !on;
      const { current } = modes;
      // Where our own saved cursor comes back, it does with the character sets and the origin mode of then.
      const ours = back && this.#frame.borrowed[0] && this.#frame.shadow !== undefined;
      if (back) modes.restore();
      const charsets = back ? modes.broughtBack(current) : "";
      const link = back ? modes.linkSince(current) : "";
      const origin = back ? modes.originSince(ours ? undefined : current) : "";
      this.#frame.damaged = true;
      const stale = this.#frame.stale[this.#frame.screen];
      if (this.#frame.screen !== before && stale !== undefined && this.#frame.shadow !== undefined) {
        after = origin + this.#redrawn(sequence, this.#frame.shadow, stale) + (back ? modes.broughtBack(undefined) + link : "");
      } else if (back && this.#frame.borrowed[0] && this.#frame.shadow !== undefined) {
        const rest = modes.broughtBack(undefined) + link;
        after =
          origin + (this.#frame.reserved ? this.#frame.region() : "") + this.#savedCursor.restored(sequence, this.#frame.shadow, rest);
      } else after = `${origin === "" ? "" : `${origin}\x1b8`}${this.#region.reassert(sequence, back, strays && !back)}${charsets}${link}`;
      if (charsets + link !== "") this.#feed(sequence.end, charsets + link);
    }
    if (after + restored === "" && kept.length === count) return undefined;
    const none = after + restored === "" ? LEFT_OUT : "";
    return (kept.length === 0 ? none : `\x1b[?${kept.join(";")}${on ? "h" : "l"}`) + after + restored;
  }

  /** XTSAVE, and XTRESTORE where we know what was saved: what a terminal that has neither ignores, others do, and we with them. */
  keep(sequence: Sequence, saves: boolean): Verdict {
    const { modes } = this.#frame;
    const asked = [...sequence.params.subarray(0, sequence.count)];
    const passed: number[] = [];
    let carriedOut = "";
    for (const mode of asked) {
      if (NEVER_KEPT.has(mode)) continue;
      const on = saves ? undefined : modes.kept(mode);
      if (saves) modes.keep(mode);
      else if (on === undefined) modes.unchanged(mode);
      if (on === undefined) passed.push(mode);
      else carriedOut += this.#one(sequence, mode, on);
    }
    if (passed.length === asked.length) return undefined;
    const rest = passed.length === 0 ? "" : `\x1b[?${passed.join(";")}${saves ? "s" : "r"}`;
    return rest + carriedOut || LEFT_OUT;
  }

  /** The screen that `sequence` switched to, as it is at its present size, from a row on. */
  #redrawn(sequence: Sequence, shadow: Shadow, from: number): string {
    this.#feed(sequence.end);
    shadow.drain();
    this.#frame.stale[this.#frame.screen] = undefined;
    this.#frame.borrowed[this.#frame.slot] = true;
    const rows = shadow.rows(Math.max(from, shadow.firstKnownRow), this.#frame.agentSize.rows, true);
    // Its saved cursor may have brought back the character sets of a paint of ours.
    return `\x1b(B\x0f${this.#frame.liftedForGood(`${this.#frame.noMargins()}${rows}${this.#frame.marginsAgain()}`, shadow)}`;
  }
}
