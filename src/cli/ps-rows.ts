// The sessions that run, as rows of a table. Called by ps.ts and ps-watch.tsx.
import type { SessionView } from "../control/protocol.ts";
import type { Instant } from "../core/clock.ts";
import { formatLeft, formatSpan } from "../core/duration.ts";
import { oneLine } from "../core/printable.ts";
import { table } from "./table.ts";

export const PS_HEADING = ["SESSION", "AGENT", "PROFILE", "IDENTITY", "PROJECT", "AGE", "LEFT", "FETCHES", "STATE"] as const;

/** What a narrow terminal does without, first to last. */
const GIVING_WAY: readonly string[] = ["FETCHES", "AGE", "PROFILE", "PROJECT"];

/**
 * The rows of a table below `PS_HEADING`, with whole columns left out until its lines fit into `columns`. What is wrong stands last and may be longer than a
 * line: there the state alone counts.
 */
export function fitting(rows: readonly (readonly string[])[], columns: number): (readonly string[])[] {
  let left: readonly string[] = PS_HEADING;
  const cells = (): string[][] => [PS_HEADING, ...rows].map((row) => row.filter((_, column) => left.includes(PS_HEADING[column] ?? "")));
  const width = (): number =>
    Math.max(
      ...table(cells().map((row) => [...row.slice(0, -1), "active"]))
        .split("\n")
        .map((line) => [...line].length),
    );
  for (const name of GIVING_WAY) if (width() > columns) left = left.filter((heading) => heading !== name);
  return cells();
}

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
