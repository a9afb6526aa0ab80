// Whether a session may be given more time, and what its human is asked. Pure. Called by at-terminal.ts for the question before the limit and for `agent-run extend`.
import type { Instant } from "../core/clock.ts";
import { formatSpan } from "../core/duration.ts";
import { AgentRunError } from "../core/error.ts";
import type { SessionState } from "./state.ts";

/** After a no, nobody may ask again for so long: a question is not asked until it is answered yes. */
const QUIET_AFTER_NO_MS = 60_000;

export interface Asked {
  /** A question about more time stands at the terminal. */
  readonly open: boolean;
  /** When the human last said no. */
  readonly refusedAt: Instant | undefined;
}

/**
 * Refuses what the human need not be asked.
 * @throws AgentRunError `session-not-found`, `usage` or `profile`, with what would do
 */
export function requireExtendable(session: string, state: SessionState, interactive: boolean, asked: Asked, now: Instant): void {
  const refuse = (code: "session-not-found" | "usage" | "profile", why: string, hint: string): never => {
    throw new AgentRunError(code, why, { hint, exitStatus: 1 });
  };
  const { window, phase } = state;
  if (phase !== "active")
    refuse("session-not-found", `session ${session} is ${phase}: only one that runs can be given more time`, "agent-run ps");
  if (window.onExpiry === "refresh")
    refuse(
      "usage",
      `session ${session} renews itself until ${clockTime(window.lastLimitAt)}`,
      "raise max_ttl in its profile for the next one",
    );
  if (window.limitAt >= window.lastLimitAt)
    refuse(
      "profile",
      `session ${session} has used up its max_ttl`,
      "raise max_ttl in its profile, or pass a longer --ttl, for the next one",
    );
  if (!interactive)
    refuse("usage", `session ${session} has no terminal where its human could be asked`, "start it with a longer --ttl, or in a terminal");
  if (asked.open) refuse("usage", `session ${session} is being asked already`, "answer at its terminal");
  if (asked.refusedAt !== undefined && now - asked.refusedAt < QUIET_AFTER_NO_MS)
    refuse(
      "usage",
      `at the terminal of session ${session} the answer was no`,
      `ask again in ${formatSpan(asked.refusedAt + QUIET_AFTER_NO_MS - now)}`,
    );
}

/** What the human reads, perhaps a while after it was asked: when the session ends, and the most that can be had. */
export function extensionPrompt(state: SessionState, wanted: number | undefined): string {
  const { limitAt, lastLimitAt } = state.window;
  const asks = wanted === undefined ? "" : `'agent-run extend' asks for ${formatSpan(Math.min(wanted, lastLimitAt - limitAt))} more; `;
  return `${asks}the session ends at ${clockTime(limitAt)}, and may have ${formatSpan(lastLimitAt - limitAt)} more at most`;
}

const clockTime = (at: Instant): string => new Date(at).toLocaleTimeString("en-GB");
