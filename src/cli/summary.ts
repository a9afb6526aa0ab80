// The one line at the end of a session, and what the human must still know. Called by running.ts.
import type { Cause, RevocationReport, SessionView } from "../control/protocol.ts";
import { systemClock } from "../core/clock.ts";
import { formatSpan } from "../core/duration.ts";
import { oneLine } from "../core/printable.ts";
import type { LeftBehind } from "../isolation/left-behind.ts";
import type { Printer } from "./printer.ts";
import { isDenied, revocationLines } from "./revocation-lines.ts";
import type { Ended } from "./session-link.ts";

/** Names on the line at the end; the others are in the audit. */
const MOST_SHOWN = 8;
const MOST_RECORDED = 1000;
/** As JSON, of which a record takes 65,536 characters, the rest of it included. */
const LONGEST_RECORDED = 48_000;

/**
 * What the human must still know: the daemon's notes, or that it gave none, and what could not be removed.
 * @param revoking whether it was denying keys when we last heard of it
 */
export function endNotes(last: Ended | undefined, notRemoved: readonly string[], revoking: boolean): string[] {
  if (last) return [...last.notes, ...notRemoved];
  if (revoking) return ["the daemon goes on revoking alone: agent-run audit shows how that ended", ...notRemoved];
  return [
    "the daemon did not confirm the end: it is gone with what it held, or ends the session as soon as it answers again",
    ...notRemoved,
  ];
}

/** Prints it, with `besides` on stdout too, which is the terminal. With `quiet` (no terminal), a session that simply ended says nothing, so that pipes and scripts see the agent alone. */
export function sayEnd(
  print: Printer,
  end: {
    view: SessionView;
    cause: Cause;
    notes: readonly string[];
    revocations: readonly RevocationReport[];
    left?: LeftBehind | undefined;
    quiet: boolean;
    besides: boolean;
  },
): void {
  const { view, cause, notes, revocations, left, quiet } = end;
  const denied = isDenied(revocations);
  const trouble = revocations.filter(({ state }) => state === "failed" || state === "unconfirmed");
  if (quiet && cause === "exited" && notes.length === 0 && trouble.length === 0) return;
  const now = systemClock.now();
  const fetched = view.fetches > 0 || view.consoleOpened || view.delivery === "env";
  const parts = [
    `${view.session} ${cause === "killed" ? "was killed" : cause}`,
    formatSpan(now - view.startedAt),
    `${view.fetches} credential ${view.fetches === 1 ? "fetch" : "fetches"}`,
    ...(denied ? [deniedIn(revocations)] : []),
    ...(!denied && fetched && view.credentialsExpireAt > now
      ? [`keys it fetched stay valid at AWS until ${timeOf(view.credentialsExpireAt)}`]
      : []),
  ];
  print.note(parts.join(", "));
  if (end.besides) print.text(oneLine(`agent-run: ${parts.join(", ")}`));
  for (const report of trouble) for (const line of revocationLines(report, false)) print.warn(line);
  for (const note of notes) print.warn(note);
  if (left && !quiet) for (const line of leftLines(left, view.session)) print.warn(line);
}

/**
 * To the first column of a row of its own, wherever the agent left the cursor, and nobody can be asked where that is: as many blanks as the terminal has
 * columns wrap onto the next row unless they began at the first column. Of an agent that was ended in the middle of its work, what stands below goes.
 */
export function freshRow(columns: number, cause: Cause): string {
  return `${" ".repeat(columns)}\r\x1b[${cause === "exited" ? "K" : "J"}`;
}

/** What was made or changed in the project and runs when the human works there: to be read first. */
export function leftLines({ changed, partly }: LeftBehind, session: string): string[] {
  const shown = changed.slice(0, MOST_SHOWN).map(named).join(", ");
  const more = changed.length > MOST_SHOWN ? ` and ${changed.length - MOST_SHOWN} more (agent-run audit ${session})` : "";
  return [
    ...(changed.length > 0 ? [`made or changed meanwhile, and run later as you: ${shown}${more}; read them first`] : []),
    ...(partly === "hidden" ? ["more was made meanwhile than was looked at for files that run later: see what git status shows"] : []),
    ...(partly === true && changed.length > 0 ? ["the project is large: only its upper folders were looked at for such files"] : []),
  ];
}

/** As they are in the audit: who makes more than it takes, or names it such that it takes more to write, cannot make them pass unseen. */
export function recorded(changed: readonly string[]): string[] {
  let left = LONGEST_RECORDED;
  const kept = changed.slice(0, MOST_RECORDED).filter((path) => {
    const length = JSON.stringify(path).length + 1;
    const fits = length <= left;
    if (fits) left -= length;
    return fits;
  });
  return kept.length === changed.length ? kept : [...kept, `and ${changed.length - kept.length} more`];
}

/** In quotes where it could be read as anything but a name. */
function named(path: string): string {
  return /^[\w./@+~-]+$/.test(path) ? path : JSON.stringify(path);
}

/** `keys denied at AWS, confirmed after 4.2 s`. After an end that nobody waits for (`revoke = "always"`) it is looked at for a moment only. */
function deniedIn(revocations: readonly RevocationReport[]): string {
  const confirmed = revocations.find(({ state }) => state === "confirmed");
  if (confirmed) return `keys denied at AWS, confirmed after ${formatSpan(confirmed.confirmedMs ?? 0)}`;
  const seen = revocations.find(({ state, canary }) => state === "in-place" && canary !== undefined);
  if (seen)
    return `keys denied at AWS, not confirmed (${seen.canary}: ${seen.why}): it may take seconds to hold, and only a kill waits for that`;
  return "keys denied at AWS, not confirmed: it may take seconds to hold";
}

function timeOf(at: number): string {
  return new Date(at).toLocaleTimeString("en-GB");
}
