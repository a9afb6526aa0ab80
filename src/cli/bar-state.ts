// What the bar shows of a session: the daemon's view, as the terminal's words. Called by running.ts.
import type { SessionView } from "../control/protocol.ts";
import type { Instant } from "../core/clock.ts";
import type { BarState } from "../terminal/bar-layout.ts";
import { shownKey } from "../terminal/overlay-views.ts";

/** The time left counts from `now`; never negative. */
export function barState(view: SessionView, now: Instant, killKey: string): BarState {
  const trouble = view.signIn ? `sign in again: ${shownKey(killKey)}, s` : view.trouble;
  return {
    agent: view.actor,
    role: view.role,
    account: view.account,
    session: view.session,
    profile: view.profile,
    left: { label: view.onExpiry === "refresh" ? "renews in" : "left", ms: Math.max(0, view.limitAt - now) },
    onExpiry: view.onExpiry,
    delivery: view.delivery,
    isolation: view.isolation,
    caveats: view.caveats,
    ...(trouble === undefined ? {} : { trouble }),
  };
}
