// The sessions that run, as rows of a table. Called by ps.ts and ps-watch.tsx.
import type { SessionView } from "../control/protocol.ts";
import type { Instant } from "../core/clock.ts";
import { formatLeft, formatSpan } from "../core/duration.ts";
import { oneLine } from "../core/printable.ts";

export const PS_HEADING = ["SESSION", "AGENT", "PROFILE", "IDENTITY", "PROJECT", "AGE", "LEFT", "FETCHES", "STATE"] as const;

/** Cells in the order of the heading; names of others without what could move or hide anything. */
export function psRow(session: SessionView, now: Instant): string[] {
  return [
    session.session,
    oneLine(session.actor),
    oneLine(session.profile),
    session.account === "" ? "" : oneLine(`${session.role}@${session.account}`),
    oneLine(session.project),
    formatSpan(Math.max(0, now - session.startedAt)),
    `${formatLeft(session.limitAt - now)}${session.onExpiry === "refresh" ? " ↻" : ""}`,
    String(session.fetches),
    session.trouble === undefined ? session.state : `${session.state}: ${oneLine(session.trouble)}`,
  ];
}
