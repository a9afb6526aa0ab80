// A clock that stands still until a test moves it. Timers run in the order of their time, each with promises settled after it.
import type { Clock, Instant } from "../../src/core/clock.ts";

export interface ManualClock extends Clock {
  /** Moves to `now + ms`, running what is due on the way. */
  advance(ms: number): Promise<void>;
  /** Jumps without running anything on the way, as a machine that slept does; then what is due runs. */
  sleepThrough(ms: number): Promise<void>;
  /** When the timers are due, earliest first. */
  readonly due: Instant[];
}

export function manualClock(start: Instant = Date.UTC(2026, 10, 22, 9)): ManualClock {
  let now = start;
  const timers = new Set<{ at: Instant; run: () => void }>();
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const next = () => [...timers].sort((left, right) => left.at - right.at)[0];
  const runDue = async (until: Instant, moving: boolean) => {
    for (let timer = next(); timer && timer.at <= until; timer = next()) {
      timers.delete(timer);
      if (moving) now = Math.max(now, timer.at);
      timer.run();
      await settle();
    }
  };
  return {
    now: () => now,
    at(at, run) {
      const timer = { at, run };
      timers.add(timer);
      return { [Symbol.dispose]: () => timers.delete(timer) };
    },
    async advance(ms) {
      const until = now + ms;
      await runDue(until, true);
      now = until;
      await settle();
    },
    async sleepThrough(ms) {
      now += ms;
      await runDue(now, false);
    },
    get due() {
      return [...timers].map(({ at }) => at).sort((left, right) => left - right);
    },
  };
}
