// A value whose changes take effect later, as IAM's do. The account keeps each principal's policies in one.
import type { Instant } from "../core/clock.ts";

/** Remembers what was set and from when on it holds. */
export class Eventual<T> {
  #history: { readonly from: Instant; readonly value: T }[] = [];

  /** Takes effect at `from`; a change that is still on its way stays on its way. */
  set(value: T, from: Instant): void {
    this.#history.push({ from, value });
  }

  /** What holds at `now`, or undefined when nothing does yet. */
  at(now: Instant): T | undefined {
    const index = this.#history.findLastIndex((entry) => entry.from <= now);
    if (index > 0) this.#history = this.#history.slice(index);
    return index < 0 ? undefined : this.#history[0]?.value;
  }
}
