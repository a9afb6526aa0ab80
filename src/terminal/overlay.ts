// What an overlay asks and how it answers to keys; the drawing is in overlays.tsx. A pure state: the time is a parameter. Used by screen.ts.
import type { KeyName } from "./keys.ts";

export interface Choice {
  /** A key's name: `escape`, `enter`, a character, or `kill` for the kill key. */
  readonly key: KeyName;
  /** As the key is shown. */
  readonly shown: string;
  readonly label: string;
}

export interface OverlayView {
  readonly title: string;
  readonly lines: readonly string[];
  readonly choices: readonly Choice[];
  readonly loud: boolean;
}

/** Keys that come sooner were meant for the agent. */
export const ARMING_MS = 500;
/** And those that came just before, such as a key held down, keep it from arming for this long. */
const QUIET_MS = 250;

/** An open overlay. Nothing that was typed before it could be read can answer it. */
export class Overlay {
  readonly view: OverlayView;
  readonly #openedAt: number;
  #lastSwallowed = Number.NEGATIVE_INFINITY;

  /** @param now milliseconds of a monotonic clock */
  constructor(view: OverlayView, now: number) {
    this.view = view;
    this.#openedAt = now;
  }

  armed(now: number): boolean {
    return now - this.#openedAt >= ARMING_MS && now - this.#lastSwallowed >= QUIET_MS;
  }

  /** The choice that this key makes, if it makes one. */
  press(key: KeyName, now: number): Choice | undefined {
    if (!this.armed(now)) {
      this.#lastSwallowed = now;
      return undefined;
    }
    return this.view.choices.find((choice) => choice.key === key);
  }
}

export function killView(agent: string, killKey: string): OverlayView {
  return {
    title: `End ${agent}?`,
    lines: ["Its access is cut at once and its processes are ended."],
    choices: [
      { key: "kill", shown: shownKey(killKey), label: "end it" },
      { key: "escape", shown: "Esc", label: "go back" },
      { key: "l", shown: "l", label: `send ${shownKey(killKey)} to ${agent}` },
    ],
    loud: true,
  };
}

export function progressView(title: string, lines: readonly string[], killKey: string): OverlayView {
  return { title, lines, choices: [{ key: "kill", shown: shownKey(killKey), label: "end it at once" }], loud: false };
}

/** `ctrl-k` as people write it: `Ctrl-K`. */
export function shownKey(name: string): string {
  return name.replace(/^ctrl-(.)$/, (_, key: string) => `Ctrl-${key.toUpperCase()}`).replace(/^f(\d+)$/, "F$1");
}
