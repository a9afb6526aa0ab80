// What an overlay asks, and how it answers to keys. A pure state: the time is a parameter. What it looks like is in overlay-layout.ts. Used by
// overlay-host.ts.
import type { KeyName } from "./keys.ts";

export interface Choice {
  /** A key's name: `escape`, `enter`, a character, or `kill` for the kill key. */
  readonly key: KeyName;
  /** As the key is shown. */
  readonly shown: string;
  readonly label: string;
  /** One word, for a terminal that has no room for the label. */
  readonly brief?: string;
}

export interface OverlayView {
  readonly title: string;
  readonly lines: readonly string[];
  readonly choices: readonly Choice[];
  /** Keys that count and are not listed: the digits of a code. */
  readonly typed?: readonly KeyName[];
  readonly loud: boolean;
}

/** What the human must be able to see of the state. */
export interface OverlayState {
  /** Keys count. */
  readonly armed: boolean;
  /** A key came that did not count. */
  readonly early: boolean;
  /** Which part of the lines is shown, where not all of them fit. */
  readonly page: number;
}

/** Keys that come sooner were meant for the agent. */
export const ARMING_MS = 500;
/** And those that came just before, such as a key held down, keep it from arming for this long. */
const QUIET_MS = 250;

/** An open overlay. Nothing that was typed before it could be read can answer it. */
export class Overlay {
  view: OverlayView;
  page = 0;
  readonly #openedAt: number;
  #lastSwallowed = Number.NEGATIVE_INFINITY;
  #early = false;

  /** @param now milliseconds of a monotonic clock */
  constructor(view: OverlayView, now: number) {
    this.view = view;
    this.#openedAt = now;
  }

  armed(now: number): boolean {
    return this.armsIn(now) === 0;
  }

  /** How long until keys count, in milliseconds, if none is pressed meanwhile. */
  armsIn(now: number): number {
    return Math.max(0, this.#openedAt + ARMING_MS - now, this.#lastSwallowed + QUIET_MS - now);
  }

  state(now: number): OverlayState {
    return { armed: this.armed(now), early: this.#early, page: this.page };
  }

  /** The choice that this key makes, if it makes one. An empty name is a key that nothing knows. */
  press(key: KeyName, now: number): Choice | undefined {
    if (!this.armed(now)) {
      this.#lastSwallowed = now;
      this.#early = true;
      return undefined;
    }
    this.#early = false;
    const choice = this.view.choices.find((one) => one.key === key);
    return choice ?? (this.view.typed?.includes(key) ? { key, shown: "", label: "" } : undefined);
  }
}
