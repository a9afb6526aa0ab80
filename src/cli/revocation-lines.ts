// How an end proceeds, in the human's words: for the overlay over the agent, the kill command and the last line of a run.
import type { RevocationReport } from "../control/protocol.ts";
import { formatSpan } from "../core/duration.ts";

/** What is known so far; times are milliseconds from the key press or the command. */
export interface EndProgress {
  readonly cutMs?: number | undefined;
  readonly goneMs?: number | undefined;
  /** The newest report for each role. */
  readonly revocations: readonly RevocationReport[];
}

/** One line a step that is done. */
export function progressLines({ cutMs, goneMs, revocations }: EndProgress): string[] {
  return [
    ...(cutMs === undefined ? [] : [`local access cut after ${formatSpan(cutMs)}`]),
    ...(goneMs === undefined ? [] : [`agent gone after ${formatSpan(goneMs)}`]),
    ...revocations.flatMap((report) => revocationLines(report, revocations.length > 1)),
  ];
}

/** @param named whether to say on which role */
export function revocationLines(report: RevocationReport, named: boolean): string[] {
  const { role, state, policy, inPlaceMs, confirmedMs, canary, why, hint } = report;
  const on = named ? ` on ${role}` : "";
  if (state === "failed") return [`not revoked at AWS${on}: ${why}`, ...(hint === undefined ? [] : [hint])];
  const lines = [`deny in place${on} after ${formatSpan(inPlaceMs ?? 0)} (${policy})`];
  if (state === "confirmed") lines.push(`deny confirmed${on} after ${formatSpan(confirmedMs ?? 0)} (${canary} is refused)`);
  if (state === "unconfirmed") lines.push(`deny not confirmed${on} by ${canary}: ${why}`);
  return lines;
}

/** Whether the keys of the session are denied on every role that was tried. */
export function isDenied(revocations: readonly RevocationReport[]): boolean {
  return revocations.length > 0 && revocations.every(({ state }) => state !== "failed");
}

/** The newest report for each role, in the order in which they first came. */
export function withReport(revocations: readonly RevocationReport[], report: RevocationReport): RevocationReport[] {
  const known = revocations.some(({ role }) => role === report.role);
  return known ? revocations.map((each) => (each.role === report.role ? report : each)) : [...revocations, report];
}
