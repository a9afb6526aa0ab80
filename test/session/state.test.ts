// The session's state machine, as a table of what happens next, and properties over random histories.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ASK_BEFORE_MS, firstWindow, next, nextTick, type SessionEvent, type SessionState } from "../../src/session/state.ts";

const MINUTE = 60_000;
const start = (onExpiry: "refresh" | "stop" | "ask", ttlMs = 10 * MINUTE, maxMs = 60 * MINUTE): SessionState => ({
  phase: "starting",
  window: firstWindow(0, ttlMs, maxMs, onExpiry),
});
const following = (state: SessionState, ...events: SessionEvent[]): { state: SessionState; effects: string[] } =>
  events.reduce<{ state: SessionState; effects: string[] }>(
    (so, event) => {
      const step = next(so.state, event);
      return { state: step.state, effects: [...so.effects, ...step.effects] };
    },
    { state, effects: [] },
  );

describe("session state", () => {
  it("cuts the access before it stops the agent, and wipes last", () => {
    const { state, effects } = following(
      start("stop"),
      { type: "ready", at: 1 },
      { type: "end", at: 2, cause: "killed" },
      { type: "stopped", at: 3 },
    );
    expect(effects).toEqual(["refuse", "stop-refresher", "revoke", "stop-agent", "wipe"]);
    expect(state).toMatchObject({ phase: "ended", cause: "killed" });
  });

  it("keeps the first cause of an end", () => {
    const { state, effects } = following(
      start("stop"),
      { type: "ready", at: 1 },
      { type: "end", at: 2, cause: "expired" },
      { type: "end", at: 3, cause: "killed" },
    );
    expect(state).toMatchObject({ phase: "ending", cause: "expired" });
    expect(effects.filter((effect) => effect === "refuse")).toHaveLength(1);
  });

  it("ends at its limit when told to stop", () => {
    const { state } = following(start("stop"), { type: "ready", at: 1 }, { type: "tick", at: 10 * MINUTE });
    expect(state).toMatchObject({ phase: "ending", cause: "expired" });
  });

  it("finds itself expired at once when the machine slept past the limit before it was ready", () => {
    const { state } = following(start("stop"), { type: "ready", at: 11 * MINUTE });
    expect(state).toMatchObject({ phase: "ending", cause: "expired" });
  });

  it("begins another window with refresh, but none past the longest time", () => {
    const renewed = following(start("refresh"), { type: "ready", at: 1 }, { type: "tick", at: 10 * MINUTE });
    expect(renewed.state).toMatchObject({ phase: "active", window: { limitAt: 20 * MINUTE } });
    expect(renewed.effects).toEqual(["announce"]);
    const last = following(renewed.state, { type: "tick", at: 59 * MINUTE }, { type: "tick", at: 60 * MINUTE });
    expect(last.state).toMatchObject({ phase: "ending", cause: "expired" });
  });

  it("asks once for each limit, two minutes before it", () => {
    const asked = following(start("ask"), { type: "ready", at: 1 }, { type: "tick", at: 8 * MINUTE }, { type: "tick", at: 9 * MINUTE });
    expect(asked.effects).toEqual(["ask-expiry"]);
    const extended = following(asked.state, { type: "extend", at: 9 * MINUTE, byMs: 15 * MINUTE }, { type: "tick", at: 23 * MINUTE });
    expect(extended.effects).toEqual(["announce", "ask-expiry"]);
    expect(extended.state.window.limitAt).toBe(25 * MINUTE);
  });

  it("does not extend a session whose limit has passed", () => {
    const { state } = following(start("ask"), { type: "ready", at: 1 }, { type: "extend", at: 10 * MINUTE, byMs: MINUTE });
    expect(state).toMatchObject({ phase: "ending", cause: "expired" });
  });

  it("wakes for the question first, then for the limit, and for nothing after the end", () => {
    const active = following(start("ask"), { type: "ready", at: 1 }).state;
    expect(nextTick(active)).toBe(10 * MINUTE - ASK_BEFORE_MS);
    const asked = following(active, { type: "tick", at: 8 * MINUTE }).state;
    expect(nextTick(asked)).toBe(10 * MINUTE);
    expect(nextTick(following(asked, { type: "end", at: 1, cause: "exited" }).state)).toBeUndefined();
  });

  const event = fc.oneof(
    fc.record({ type: fc.constant("ready" as const), at: fc.nat(100 * MINUTE) }),
    fc.record({ type: fc.constant("tick" as const), at: fc.nat(100 * MINUTE) }),
    fc.record({ type: fc.constant("extend" as const), at: fc.nat(100 * MINUTE), byMs: fc.integer({ min: -MINUTE, max: 200 * MINUTE }) }),
    fc.record({
      type: fc.constant("end" as const),
      at: fc.nat(100 * MINUTE),
      cause: fc.constantFrom("killed", "exited", "lost", "failed", "expired"),
    }),
    fc.record({ type: fc.constant("stopped" as const), at: fc.nat(100 * MINUTE) }),
  );

  it("refuses at most once, wipes at most once and after it, and never lets a limit pass the last one, whatever happens", () => {
    fc.assert(
      fc.property(fc.constantFrom("refresh", "stop", "ask"), fc.array(event, { maxLength: 40 }), (onExpiry, events) => {
        let state = start(onExpiry);
        const effects: string[] = [];
        for (const one of events) {
          const started = state.phase === "starting";
          const step = next(state, one);
          state = step.state;
          effects.push(...step.effects);
          expect(state.window.limitAt).toBeLessThanOrEqual(state.window.lastLimitAt);
          if (state.phase === "active" && (one.type === "tick" || started)) expect(one.at).toBeLessThan(state.window.limitAt);
        }
        expect(effects.filter((effect) => effect === "refuse").length).toBeLessThanOrEqual(1);
        expect(effects.filter((effect) => effect === "wipe").length).toBeLessThanOrEqual(1);
        if (effects.includes("wipe")) expect(effects.indexOf("wipe")).toBeGreaterThan(effects.indexOf("refuse"));
      }),
    );
  });
});
