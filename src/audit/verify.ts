// Reads the audit back: what is there, and whether it is what was written. Called by `agent-run audit` and, at its start, by the daemon's sessions.
import { readdirSync } from "node:fs";
import { AgentRunError, messageOf } from "../core/error.ts";
import { isSessionId, type SessionId } from "../core/id.ts";
import { indexFile, type Lines, readEnds, readLines, sessionFile, sessionOf } from "./files.ts";
import { type AuditRecord, type Finding, type RecordData, readRecord, verifyRecords } from "./record.ts";

/** `ended`: its `end` is there. `open`: the daemon holds it now. `cut`: neither. `missing`: the index knows it, but there is no file. */
export type AuditState = "ended" | "open" | "cut" | "missing";

export interface SessionReport {
  readonly session: SessionId;
  readonly state: AuditState;
  readonly records: number;
  readonly findings: readonly Finding[];
}

export interface FolderReport {
  readonly sessions: readonly SessionReport[];
  /** About the index itself. */
  readonly index: readonly Finding[];
  readonly errors: number;
  readonly warnings: number;
}

export interface SessionSummary {
  readonly session: SessionId;
  readonly state: AuditState;
  /** ISO 8601; undefined when the record is missing. */
  readonly startedAt: string | undefined;
  readonly endedAt: string | undefined;
  readonly records: number;
  readonly start: RecordData;
  readonly end: RecordData;
}

/** What the index says of a session, in order. */
interface Listed {
  readonly opened: string[];
  readonly ended: { readonly records: unknown; readonly record: unknown }[];
  lastIsEnd: boolean;
}

/**
 * Checks every session's file, and all of them against the index. Whoever can write the folder can write a whole new chain: this finds what was
 * changed, not who had the right to.
 * @param open the sessions that a living daemon holds: they need no end yet
 * @throws AgentRunError `audit` when the folder cannot be read
 */
export function verifyFolder(folder: string, open: ReadonlySet<string>): FolderReport {
  const files = sessionFiles(folder);
  const index = read(indexFile(folder));
  const listed = readIndex(index.lines);
  const names = [...new Set([...files, ...listed.keys()])].sort();
  const indexFindings = [...verifyRecords(index.lines, undefined), ...tornFinding(index, open.size > 0)];
  const sessions = names.map((session) => verifySession(folder, session, listed.get(session), open.has(session)));
  const all = [...indexFindings, ...sessions.flatMap((report) => report.findings)];
  const errors = all.filter((finding) => finding.severity === "error").length;
  return { sessions, index: indexFindings, errors, warnings: all.length - errors };
}

/**
 * The records of one session, in the order of the file, and the findings about it.
 * @throws AgentRunError `session-not-found`, or `audit` when the folder cannot be read
 */
export function readSession(
  folder: string,
  session: string,
  open: ReadonlySet<string>,
): { readonly records: readonly AuditRecord[]; readonly report: SessionReport } {
  const listed = readIndex(read(indexFile(folder)).lines);
  if (!isSessionId(session) || !(sessionFiles(folder).includes(session) || listed.has(session))) {
    throw new AgentRunError("session-not-found", `the audit has no session '${session}'`, { hint: "agent-run audit", exitStatus: 1 });
  }
  const records = read(sessionFile(folder, session))
    .lines.map(readRecord)
    .filter((record) => record !== undefined);
  return { records, report: verifySession(folder, session, listed.get(session), open.has(session)) };
}

/**
 * All sessions, oldest first, from the ends of their files alone: nothing between is read or checked.
 * @throws AgentRunError `audit` when the folder cannot be read
 */
export function listSessions(folder: string, open: ReadonlySet<string>): SessionSummary[] {
  const listed = readIndex(read(indexFile(folder)).lines);
  const names = [...new Set([...sessionFiles(folder), ...listed.keys()])];
  return names
    .map((session): SessionSummary => {
      const ends = readEnds(sessionFile(folder, session));
      const end = ends?.last?.kind === "end" ? ends.last : undefined;
      return {
        session,
        state: ends === undefined ? "missing" : end ? "ended" : open.has(session) ? "open" : "cut",
        startedAt: ends?.first?.at,
        endedAt: end?.at,
        records: ends?.last?.sequence ?? 0,
        start: ends?.first?.data ?? {},
        end: end?.data ?? {},
      };
    })
    .sort((a, b) => (a.startedAt ?? "").localeCompare(b.startedAt ?? "") || a.session.localeCompare(b.session));
}

/** The sessions of which the index does not say that they ended: for a new daemon, those that a dead one left. Reads the index alone. */
export function unendedSessions(folder: string): SessionId[] {
  const listed = readIndex(read(indexFile(folder)).lines);
  return sessionFiles(folder).filter((session) => !listed.get(session)?.lastIsEnd);
}

function verifySession(folder: string, session: SessionId, listed: Listed | undefined, open: boolean): SessionReport {
  const file = readLines(sessionFile(folder, session));
  const findings: Finding[] = [];
  const report = (severity: Finding["severity"], kind: Finding["kind"], line: number, text: string): void => {
    findings.push({ line, severity, kind, text });
  };
  if (!file) {
    report("error", "missing", 0, "the index lists this session, but its file is gone");
    return { session, state: "missing", records: 0, findings };
  }
  findings.push(...verifyRecords(file.lines, session), ...tornFinding(file, open));
  const records = file.lines.map(readRecord);
  const last = records.at(-1);
  const ended = last?.kind === "end" && file.torn === "";
  const state = ended ? "ended" : open ? "open" : "cut";
  if (!listed && file.lines.length === 0 && file.torn === "") {
    report("warning", "unlisted", 0, "the file is empty: the session never began");
    return { session, state, records: 0, findings };
  }
  if (state === "cut") report("error", "cut", file.lines.length + 1, "there is no end: the daemon was killed, or the rest was cut off");
  if (!listed) report(open ? "warning" : "error", "unlisted", 0, "the index does not list this session");
  for (const hash of listed?.opened ?? []) {
    if (!records.some((record) => record?.hash === hash))
      report("error", "replaced", 0, "a record that the index names is not in the file");
  }
  for (const end of listed?.ended ?? []) {
    const there = records.some((record) => record?.hash === end.record && record?.sequence === end.records);
    if (!there) report("error", "replaced", 0, `the index says that it ended with record ${end.records}, and the file has another or none`);
  }
  if (listed?.lastIsEnd && last?.hash !== listed.ended.at(-1)?.record) {
    report("error", "cut", file.lines.length, "the file does not end where the index says");
  }
  if (listed && ended && !listed.lastIsEnd && !open) report("error", "missing", 0, "the index does not say that the session ended");
  return { session, state, records: file.lines.length, findings };
}

function tornFinding(file: Lines, open: boolean): Finding[] {
  if (file.torn === "") return [];
  const text = "the last line is incomplete";
  return [{ line: file.lines.length + 1, severity: open ? "warning" : "error", kind: "cut", text }];
}

function readIndex(lines: readonly string[]): Map<SessionId, Listed> {
  const listed = new Map<SessionId, Listed>();
  for (const record of lines.map(readRecord)) {
    if (!record || !isSessionId(record.session)) continue;
    const entry = listed.get(record.session) ?? { opened: [], ended: [], lastIsEnd: false };
    listed.set(record.session, entry);
    entry.lastIsEnd = record.kind === "session-end";
    if (record.kind === "session-open") entry.opened.push(String(record.data["record"]));
    if (record.kind === "session-end") entry.ended.push({ records: record.data["records"], record: record.data["record"] });
  }
  return listed;
}

function read(path: string): Lines {
  try {
    return readLines(path) ?? { lines: [], torn: "" };
  } catch (error) {
    throw unreadable(path, error);
  }
}

function sessionFiles(folder: string): SessionId[] {
  try {
    return readdirSync(folder)
      .map(sessionOf)
      .filter((session) => session !== undefined);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw unreadable(folder, error);
  }
}

function unreadable(path: string, error: unknown): AgentRunError {
  return new AgentRunError("audit", `cannot read ${path}: ${messageOf(error)}`, { hint: `chmod u+rwX ${path}`, cause: error });
}
