// The one line at the end of a session, and what the human must still know. Called by running.ts.
import type { Cause, SessionView } from "../control/protocol.ts";
import { systemClock } from "../core/clock.ts";
import { formatSpan } from "../core/duration.ts";
import type { Printer } from "./printer.ts";
import type { Ended } from "./session-link.ts";

/** What the human must still know: the daemon's notes, or that it gave none, and what could not be removed. */
export function endNotes(last: Ended | undefined, notRemoved: readonly string[]): string[] {
  if (last) return [...last.notes, ...notRemoved];
  return [
    "the daemon did not confirm the end: it is gone with what it held, or ends the session as soon as it answers again",
    ...notRemoved,
  ];
}

/** Prints it. With `quiet` (no terminal), a session that simply ended says nothing, so that pipes and scripts see the agent alone. */
export function sayEnd(print: Printer, end: { view: SessionView; cause: Cause; notes: readonly string[]; quiet: boolean }): void {
  const { view, cause, notes, quiet } = end;
  if (quiet && cause === "exited" && notes.length === 0) return;
  const now = systemClock.now();
  const fetched = view.fetches > 0 || view.delivery === "env";
  const parts = [
    `${view.session} ${cause === "killed" ? "was killed" : cause}`,
    formatSpan(now - view.startedAt),
    `${view.fetches} credential ${view.fetches === 1 ? "fetch" : "fetches"}`,
    ...(fetched && view.credentialsExpireAt > now ? [`keys it fetched stay valid at AWS until ${timeOf(view.credentialsExpireAt)}`] : []),
  ];
  print.note(parts.join(", "));
  for (const note of notes) print.warn(note);
}

function timeOf(at: number): string {
  return new Date(at).toLocaleTimeString("en-GB");
}
