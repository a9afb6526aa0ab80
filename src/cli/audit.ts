// `agent-run audit`: what happened in sessions, and whether the records are as they were written.

import { follow } from "../audit/follow.ts";
import type { Finding } from "../audit/record.ts";
import { listSessions, readSession, verifyFolder } from "../audit/verify.ts";
import { AgentRunError } from "../core/error.ts";
import { isSessionId, typedSession } from "../core/id.ts";
import { auditFolder } from "../core/paths.ts";
import { oneLine } from "../core/printable.ts";
import { openSessions } from "./ask-daemon.ts";
import { auditReport } from "./audit-report.ts";
import { timelineLine, word } from "./audit-timeline.ts";
import { atMost, type Command, type Context, type Values } from "./command.ts";
import { counted } from "./counted.ts";
import { table } from "./table.ts";

export const audit: Command = {
  name: "audit",
  outside: true,
  usage: "audit [<session>] [--follow|--report|--verify] [--json]",
  summary: "what happened in a session, and whether its record is whole",
  description:
    "Every session writes one file of records, each chained to the one before it by SHA-256, and an index of all files.\n" +
    "--verify finds any change, cut or gap; it exits with 1 when there is one. --follow prints records as they are\n" +
    "written, of one session from its first to its end, or of all from now on, and checks the chain on the way.",
  options: [
    { name: "verify", help: "check the records of one session, or of all" },
    { name: "follow", help: "go on as records are written, also under another daemon" },
    { name: "report", help: "one session as a report in Markdown" },
    { name: "json", help: "as JSON, for programs" },
  ],
  examples: [
    ["agent-run audit", "all sessions, oldest first"],
    ["agent-run audit sess_a8f3b21c", "its timeline"],
    ["agent-run audit --follow", "what happens now, in all sessions"],
    ["agent-run audit sess_a8f3b21c --report > report.md", "for a ticket or a review"],
    ["agent-run audit --verify", "is everything as it was written?"],
  ],
  async run(values, words, context) {
    atMost(words, 1, "audit");
    const json = values["json"] === true;
    requireOne(values);
    const open = await openSessions(context.paths);
    const folder = auditFolder(context.paths);
    const session = words[0] === undefined ? undefined : typedSession(words[0]);
    if (values["follow"] === true) return followed(folder, session, json, context);
    if (values["verify"] === true) return verify(folder, session, open, json, context);
    if (session === undefined) {
      if (values["report"] === true)
        throw new AgentRunError("usage", "a report of which session?", { hint: "agent-run audit lists them", exitStatus: 2 });
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
    const { records, report } = readSession(folder, session, open);
    if (json) context.print.json(records);
    else if (values["report"] === true) context.print.out(auditReport(records, report));
    else for (const record of records) context.print.text(timelineLine(record, records[0]?.at));
    return 0;
  },
};

/** Those that cannot go together, and a report of nothing. */
function requireOne(values: Values): void {
  const given = ["verify", "follow", "report"].filter((name) => values[name] === true);
  const what = given.length > 1 ? given : given[0] === "report" && values["json"] === true ? ["report", "json"] : [];
  if (what.length > 0) {
    throw new AgentRunError("usage", `not ${what.map((name) => `--${name}`).join(" and ")} at once`, {
      hint: "agent-run audit --help",
      exitStatus: 2,
    });
  }
}

/** Until the session's end, or until nobody reads on; 1 where a record is not what was written. */
async function followed(folder: string, session: string | undefined, json: boolean, { print, streams }: Context): Promise<number> {
  if (session !== undefined) readSession(folder, session, new Set());
  const left = new AbortController();
  streams.stdout.on("error", () => left.abort());
  let status = 0;
  const began = new Map<string, string>();
  const of = session !== undefined && isSessionId(session) ? session : undefined;
  for await (const { session: id, record, broken } of follow({ folder, session: of, signal: left.signal })) {
    if (broken) {
      status = 1;
      print.warn(`${id}: ${record ? `record ${record.sequence} does not follow the one before it` : "a line is not a record"}`);
    }
    if (record === undefined) continue;
    if (record.sequence === 1) began.set(id, record.at);
    const line = timelineLine(record, began.get(id));
    if (json) print.json(record, "compact");
    else print.text(of === undefined ? `${id}  ${line}` : line);
  }
  return status;
}

function verify(folder: string, session: string | undefined, open: ReadonlySet<string>, json: boolean, { print }: Context): number {
  if (session !== undefined) {
    const { report } = readSession(folder, session, open);
    const errors = report.findings.filter((finding) => finding.severity === "error").length;
    if (json) print.json(report);
    else {
      for (const finding of report.findings) print.text(findingLine(session, finding));
      print.text(
        `${session}: ${counted(report.records, "record")}, ${errors === 0 ? "all as they were written" : counted(errors, "error")}`,
      );
    }
    return errors === 0 ? 0 : 1;
  }
  const report = verifyFolder(folder, open);
  if (json) print.json(report);
  else {
    for (const finding of report.index) print.text(findingLine("index", finding));
    for (const one of report.sessions) for (const finding of one.findings) print.text(findingLine(one.session, finding));
    print.text(
      `${counted(report.sessions.length, "session")}, ${report.errors === 0 ? "all as they were written" : counted(report.errors, "error")}${report.warnings > 0 ? `, ${counted(report.warnings, "warning")}` : ""}`,
    );
  }
  return report.errors === 0 ? 0 : 1;
}

function findingLine(where: string, finding: Finding): string {
  return oneLine(`${finding.severity}: ${where} line ${finding.line}: ${finding.text}`);
}
