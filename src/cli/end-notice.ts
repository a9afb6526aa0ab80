// Tells the human, who may be looking elsewhere, that a session is about to end and that it has. Loaded by running.ts when there is something to tell.
import type { Cause, NotifyChoice, SessionView } from "../control/protocol.ts";
import type { Instant } from "../core/clock.ts";
import { formatSpan } from "../core/duration.ts";
import type { Environment } from "../core/paths.ts";
import { noticeProgram, noticeSequence, runNoticeProgram } from "../terminal/desktop-notice.ts";

/** How long before the end; of a short session, when half of it is over. */
const BEFORE_MS = 120_000;

/** When to tell that `view` is about to end. */
export function noticeAt({ startedAt, endsAt }: SessionView): number | undefined {
  return endsAt === undefined ? undefined : endsAt - Math.min(BEFORE_MS, (endsAt - startedAt) / 2);
}

const WHY: Partial<Record<Cause, string>> = {
  expired: "its time is up",
  killed: "it was killed",
  lost: "its daemon is gone",
  failed: "it failed",
};

function words({ actor, session, endsAt = 0 }: SessionView, what: Cause | Instant): string {
  if (typeof what === "number") return `${actor} (${session}) ends in ${formatSpan(Math.max(0, endsAt - what))}`;
  return `${actor} (${session}) has ended: ${WHY[what] ?? what}`;
}

/**
 * Shows it by the terminal where that knows how, else by a program of the desktop; `choice` can want one of them alone, or none.
 * @param what why it has ended, or the time now where it is about to
 * @param write to the human's terminal, between two sequences of the agent
 */
export function notify(
  view: SessionView,
  what: Cause | Instant,
  choice: NotifyChoice,
  env: Environment,
  write: (sequence: string) => void,
): void {
  const text = words(view, what);
  const sequence = choice === "auto" || choice === "terminal" ? noticeSequence(env, text) : undefined;
  if (sequence !== undefined) write(sequence);
  else if (choice === "auto" || choice === "desktop") {
    const program = noticeProgram(env, process.platform, text);
    if (program) runNoticeProgram(program, env);
  }
}
