// The life of a session as a pure function: what happens next, and which effects it asks for. life.ts applies it, session.ts carries them out.
import type { Cause, ExpiryAction } from "../control/protocol.ts";
import type { Instant } from "../core/clock.ts";

/** `limitAt`: when the window ends; `lastLimitAt`: no renewal or extension goes past it. */
export interface Window {
  readonly ttlMs: number;
  readonly onExpiry: ExpiryAction;
  readonly limitAt: Instant;
  readonly lastLimitAt: Instant;
  /** The limit that the human was already asked about. */
  readonly askedFor?: Instant;
}

export type SessionState =
  | { readonly phase: "starting"; readonly window: Window }
  | { readonly phase: "active"; readonly window: Window }
  | { readonly phase: "ending"; readonly window: Window; readonly cause: Cause; readonly endingSince: Instant }
  | { readonly phase: "ended"; readonly window: Window; readonly cause: Cause };

export type SessionEvent =
  /** Everything is in place and the agent may start. */
  | { readonly type: "ready"; readonly at: Instant }
  /** A timer fired or the machine woke up: look at the clock. */
  | { readonly type: "tick"; readonly at: Instant }
  /** The human answered the expiry question, or asked by command. */
  | { readonly type: "extend"; readonly at: Instant; readonly byMs: number }
  | { readonly type: "end"; readonly at: Instant; readonly cause: Cause }
  /** The agent's processes are gone and what was asked for in IAM is done. */
  | { readonly type: "stopped"; readonly at: Instant };

export type SessionEffect =
  /** The window moved: tell the human, record it. */
  | "announce"
  | "ask-expiry"
  /** In this order, at once and without network: no credential is served from here on. */
  | "refuse"
  | "stop-refresher"
  | "stop-agent"
  /** Side by side with the agent's end; neither waits for the other. */
  | "revoke"
  | "wipe";

export interface Step {
  readonly state: SessionState;
  readonly effects: readonly SessionEffect[];
}

/** How long before the limit the human is asked; in a short window, when half of it is over. */
export const ASK_BEFORE_MS = 120_000;

const askAt = (window: Window): Instant => window.limitAt - Math.min(ASK_BEFORE_MS, window.ttlMs / 2);

/** The first window of a session that starts at `at`. `maxTtlMs` bounds all renewals and extensions together. */
export function firstWindow(at: Instant, ttlMs: number, maxTtlMs: number, onExpiry: ExpiryAction): Window {
  const lastLimitAt = at + Math.max(maxTtlMs, 0);
  return { ttlMs, onExpiry, limitAt: Math.min(at + ttlMs, lastLimitAt), lastLimitAt };
}

/** The transition for one event. The first cause of an end wins; an event that a phase does not know changes nothing. */
export function next(state: SessionState, event: SessionEvent): Step {
  if (event.type === "end" && (state.phase === "starting" || state.phase === "active")) return ending(state.window, event.cause, event.at);
  if (event.type === "ready" && state.phase === "starting") return tick({ phase: "active", window: state.window }, event.at);
  if (event.type === "tick" && state.phase === "active") return tick(state, event.at);
  if (event.type === "extend" && state.phase === "active") return extend(state, event.at, event.byMs);
  if (event.type === "stopped" && state.phase === "ending") {
    return { state: { phase: "ended", window: state.window, cause: state.cause }, effects: ["wipe"] };
  }
  return { state, effects: [] };
}

function ending(window: Window, cause: Cause, at: Instant): Step {
  return { state: { phase: "ending", window, cause, endingSince: at }, effects: ["refuse", "stop-refresher", "revoke", "stop-agent"] };
}

function tick(state: Extract<SessionState, { phase: "active" }>, at: Instant): Step {
  const { window } = state;
  if (at >= window.limitAt) {
    const renewed = Math.min(at + window.ttlMs, window.lastLimitAt);
    if (window.onExpiry !== "refresh" || renewed <= at) return ending(window, "expired", at);
    return { state: { phase: "active", window: { ...window, limitAt: renewed } }, effects: ["announce"] };
  }
  if (window.onExpiry === "ask" && at >= askAt(window) && window.askedFor !== window.limitAt && window.limitAt < window.lastLimitAt) {
    return { state: { phase: "active", window: { ...window, askedFor: window.limitAt } }, effects: ["ask-expiry"] };
  }
  return { state, effects: [] };
}

function extend(state: Extract<SessionState, { phase: "active" }>, at: Instant, byMs: number): Step {
  const { window } = state;
  if (at >= window.limitAt) return ending(window, "expired", at);
  const limitAt = Math.max(window.limitAt, Math.min(window.limitAt + byMs, window.lastLimitAt));
  return { state: { phase: "active", window: { ...window, limitAt } }, effects: ["announce"] };
}

/** When the next `tick` is due, or undefined when no clock matters any more. */
export function nextTick(state: SessionState): Instant | undefined {
  if (state.phase !== "active") return undefined;
  const { window } = state;
  const asks = window.onExpiry === "ask" && window.askedFor !== window.limitAt && window.limitAt < window.lastLimitAt;
  return asks ? askAt(window) : window.limitAt;
}
