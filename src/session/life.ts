// How far a session is, and its window: turns what happens and the passing of time into effects, as state.ts says. Held by session.ts.
import type { Cause } from "../control/protocol.ts";
import { type Instant, type SteadyClock, steadyClock } from "../core/clock.ts";
import type { SessionOptions } from "./session-options.ts";
import { firstWindow, next, nextTick, type SessionEffect, type SessionEvent, type SessionState } from "./state.ts";

export class Life {
  /** When the session first started, also where it was resumed since. */
  readonly startedAt: Instant;
  /** Measures the window: a clock that nobody can set back. */
  readonly #clock: SteadyClock;
  readonly #carryOut: (effect: SessionEffect) => void;
  #state: SessionState;
  #timer: Disposable | undefined;

  constructor({ open: { resume }, profile, clock }: SessionOptions, carryOut: (effect: SessionEffect) => void) {
    this.#clock = steadyClock(clock);
    this.#carryOut = carryOut;
    this.startedAt = Math.min(resume?.startedAt ?? Number.POSITIVE_INFINITY, clock.now());
    const window = firstWindow(this.startedAt, profile.ttlMs, profile.maxTtlMs, profile.onExpiry);
    this.#state = {
      phase: "starting",
      window: resume ? { ...window, limitAt: Math.min(resume.limitAt, window.lastLimitAt) } : window,
    };
  }

  get state(): SessionState {
    return this.#state;
  }

  get isStarting(): boolean {
    return this.#state.phase === "starting";
  }

  get isActive(): boolean {
    return this.#state.phase === "active";
  }

  /** Undefined before it ends. */
  get cause(): Cause | undefined {
    return "cause" in this.#state ? this.#state.cause : undefined;
  }

  /** When the window ends, as the machine's clock will show it. */
  get limitAt(): Instant {
    return this.#shown(this.#state.window.limitAt);
  }

  /** When it is over at the latest, renewals included, as the machine's clock will show it. */
  get endsAt(): Instant {
    const { onExpiry, limitAt, lastLimitAt } = this.#state.window;
    return this.#shown(onExpiry === "refresh" ? lastLimitAt : limitAt);
  }

  /** The state, with the instants of its window as the machine's clock will show them. */
  get shown(): SessionState {
    const { window } = this.#state;
    return {
      ...this.#state,
      window: { ...window, limitAt: this.#shown(window.limitAt), lastLimitAt: this.#shown(window.lastLimitAt) },
    };
  }

  now(): Instant {
    return this.#clock.now();
  }

  /** Everything is in place and the agent may start. */
  ready(): void {
    this.#dispatch({ type: "ready", at: this.now() });
  }

  /** The first cause wins. */
  end(cause: Cause): void {
    this.#dispatch({ type: "end", at: this.now(), cause });
  }

  /** Gives whether it has more time now. */
  extend(byMs: number): boolean {
    const before = this.#state.window.limitAt;
    this.#dispatch({ type: "extend", at: this.now(), byMs });
    return this.isActive && this.#state.window.limitAt > before;
  }

  /** The agent is gone, and what was asked for in IAM is done. */
  stopped(): void {
    this.#dispatch({ type: "stopped", at: this.now() });
  }

  /** It ends then at the latest, and nothing gives it more time. */
  endBy(instant: Instant): void {
    const { window } = this.#state;
    const limitAt = Math.min(window.limitAt, instant);
    this.#state = { ...this.#state, window: { ...window, onExpiry: "stop", limitAt, lastLimitAt: limitAt } };
  }

  #dispatch(event: SessionEvent): void {
    const { state, effects } = next(this.#state, event);
    this.#state = state;
    this.#timer?.[Symbol.dispose]();
    const at = nextTick(state);
    // A clock that was set back has not given the session more time.
    const tick = (due: Instant): void => this.#dispatch({ type: "tick", at: Math.max(this.now(), due) });
    this.#timer = at === undefined ? undefined : this.#clock.at(at, () => tick(at));
    for (const effect of effects) this.#carryOut(effect);
  }

  #shown(at: Instant): Instant {
    return at - this.#clock.ahead();
  }
}
