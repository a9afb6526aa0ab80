// Wall-clock time and timers that notice a sleeping laptop or a changed clock. The only place that reads the time.

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;

export interface Clock {
  now(): Instant;
  /**
   * Calls `run` once, as soon as the wall clock reads `at` or later, also when that is because it was changed or the machine slept; and no later than
   * that many milliseconds from now, should it be set back meanwhile. Disposing cancels it.
   */
  at(at: Instant, run: () => void): Disposable;
}

/** Milliseconds of a clock that nobody sets, from some moment in the past. As `performance.now()`, whose modules take a launch half a millisecond to load. */
export function monotonic(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

/** `setTimeout` counts monotonic time, which stands still while a machine sleeps, so the wall clock is read again at least this often. */
const LONGEST_NAP_MS = 500;

/** The machine's wall clock. Its timers never keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  at(at, run) {
    const latest = monotonic() + (at - Date.now());
    const left = (): number => Math.min(at - Date.now(), latest - monotonic());
    const nap = (): number => Math.max(0, Math.min(left(), LONGEST_NAP_MS));
    const wake = (): void => {
      if (left() <= 0) {
        run();
        return;
      }
      timer = setTimeout(wake, nap()).unref();
    };
    let timer = setTimeout(wake, nap()).unref();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

/** A clock that is never set back, for what must not last longer because the machine's was. */
export interface SteadyClock extends Clock {
  /** By how much it is ahead of the machine's clock, which was set back: what to take off an instant that others are told. 0 as a rule. */
  ahead(): number;
}

/** Less than this is no clock that was set back. */
const STEP_MS = 1000;

/** Follows `clock` forwards, also over a sleep; where that one goes back it counts on by itself. */
export function steadyClock(clock: Clock): SteadyClock {
  let reads = clock.now();
  let counted = monotonic();
  const now = (): Instant => {
    const count = monotonic();
    reads = Math.max(clock.now(), reads + count - counted);
    counted = count;
    return Math.floor(reads);
  };
  const ahead = (): number => {
    const by = now() - clock.now();
    return by < STEP_MS ? 0 : by;
  };
  return { now, ahead, at: (at, run) => clock.at(at - ahead(), run) };
}

/** Resolves after `ms` of monotonic time. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** The promise's value, or undefined when it takes longer than `ms`, which may be over already. Leaves no timer behind. */
export async function within<Value>(promise: Promise<Value>, ms: number): Promise<Value | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), Math.max(0, ms));
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
