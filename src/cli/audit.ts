// `agent-run audit`: what happened in sessions, and whether the records are as they were written.
import type { AuditRecord, Finding, Json, RecordData } from "../audit/record.ts";
import { listSessions, readSession, verifyFolder } from "../audit/verify.ts";
import { auditFolder } from "../core/paths.ts";
import { openSessions } from "./ask-daemon.ts";
import { atMost, type Command, type Context } from "./command.ts";
import { oneLine } from "./printer.ts";
import { table } from "./table.ts";

export const audit: Command = {
  name: "audit",
  outside: true,
  usage: "audit [<session>] [--verify] [--json]",
  summary: "what happened in a session, and whether its record is whole",
  description:
    "Every session writes one file of records, each chained to the one before it by SHA-256, and an index of all files.\n" +
    "--verify finds any change, cut or gap; it exits with 1 when there is one.",
  options: [
    { name: "verify", help: "check the records of one session, or of all" },
    { name: "json", help: "as JSON, for programs" },
  ],
  examples: [
    ["agent-run audit", "all sessions, oldest first"],
    ["agent-run audit sess_a8f3b21c", "its timeline"],
    ["agent-run audit --verify", "is everything as it was written?"],
  ],
  async run(values, words, context) {
    atMost(words, 1, "audit");
    const json = values["json"] === true;
    const open = await openSessions(context.paths);
    const folder = auditFolder(context.paths);
    const [session] = words;
    if (values["verify"] === true) return verify(folder, session, open, json, context);
    if (session === undefined) {
      const sessions = listSessions(folder, open);
      if (json) context.print.json(sessions);
      else if (sessions.length === 0) context.print.note("no session was recorded yet");
      else {
        const rows = sessions.map(({ session: id, startedAt, state, records, start, end }) => [
          id,
          startedAt ?? "",
          word(start["actor"]),
          word(start["profile"]),
          state === "ended" ? word(end["cause"]) : state,
          String(records),
        ]);
        context.print.out(
          table([["SESSION", "STARTED", "AGENT", "PROFILE", "END", "RECORDS"].map((text) => context.print.paint("bold", text)), ...rows]),
        );
      }
      return 0;
    }
    const { records } = readSession(folder, session, open);
    if (json) context.print.json(records);
    else for (const record of records) context.print.out(timelineLine(record));
    return 0;
  },
};

function verify(folder: string, session: string | undefined, open: ReadonlySet<string>, json: boolean, { print }: Context): number {
  if (session !== undefined) {
    const { report } = readSession(folder, session, open);
    const errors = report.findings.filter((finding) => finding.severity === "error").length;
    if (json) print.json(report);
    else {
      for (const finding of report.findings) print.out(findingLine(session, finding));
      print.out(`${session}: ${report.records} records, ${errors === 0 ? "all as they were written" : `${errors} errors`}`);
    }
    return errors === 0 ? 0 : 1;
  }
  const report = verifyFolder(folder, open);
  if (json) print.json(report);
  else {
    for (const finding of report.index) print.out(findingLine("index", finding));
    for (const one of report.sessions) for (const finding of one.findings) print.out(findingLine(one.session, finding));
    print.out(
      `${report.sessions.length} sessions, ${report.errors === 0 ? "all as they were written" : `${report.errors} errors`}${report.warnings > 0 ? `, ${report.warnings} warnings` : ""}`,
    );
  }
  return report.errors === 0 ? 0 : 1;
}

function findingLine(where: string, finding: Finding): string {
  return `${finding.severity}: ${where} line ${finding.line}: ${finding.text}`;
}

function timelineLine(record: AuditRecord): string {
  const told = Object.entries(record.data)
    .filter(([, value]) => value !== undefined && value !== null && value !== "")
    .map(([key, value]) => `${key}=${word(value)}`);
  return oneLine(`${record.at}  ${record.kind.padEnd(14)}  ${told.join("  ")}`).trimEnd();
}

function word(value: Json | RecordData | undefined): string {
  if (value === undefined) return "";
  return typeof value === "string" ? oneLine(value) : JSON.stringify(value);
}
