// Pure. One audit record: a line of JSON chained to the one before by SHA-256, and the check of such lines. Called by log.ts and verify.ts.
import { createHash } from "node:crypto";
import type { Instant } from "../core/clock.ts";
import type { SessionId } from "../core/id.ts";

/** What a session's file can say; the last two are the index's own. A reader takes any word, so that it can check what a newer version wrote. */
export const recordKinds = [
  "start",
  "resumed",
  "identity",
  "restriction",
  "spawned",
  "fetch",
  "refresh",
  "refresh-failed",
  "extend",
  "approval",
  "answer",
  "trouble",
  "expired",
  "console",
  "kill",
  "revoke",
  "exited",
  "lost",
  "end",
  "session-open",
  "session-end",
] as const;

export type RecordKind = (typeof recordKinds)[number];

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };
export type RecordData = { readonly [key: string]: Json | undefined };

export interface AuditRecord {
  /** From 1, without gaps. */
  readonly sequence: number;
  /** ISO 8601, UTC, milliseconds. */
  readonly at: string;
  readonly session: string;
  readonly kind: string;
  readonly data: RecordData;
  /** Hash of the record before; `FIRST` for the first. */
  readonly previous: string;
  /** SHA-256 of the line without `,"hash":"…"`, in hex. */
  readonly hash: string;
}

export interface Finding {
  /** From 1; 0 when it is about the file as a whole. */
  readonly line: number;
  /** `error`: not what was written. `warning`: as it was written, but a human should look. */
  readonly severity: "error" | "warning";
  readonly kind:
    | "garbage"
    | "changed"
    | "chain"
    | "sequence"
    | "session"
    | "time"
    | "cut"
    | "half"
    | "after-end"
    | "missing"
    | "unlisted"
    | "replaced";
  readonly text: string;
}

/** The `previous` of a first record. */
export const FIRST = "0".repeat(64);

/** Data of more characters than this is replaced by a note that says so. */
const LONGEST_DATA = 65_536;

/** What a record is made of. */
export interface Told {
  /** The hash of the record before, or `FIRST`. */
  readonly previous: string;
  /** 1 for the first record of a file. */
  readonly sequence: number;
  readonly at: Instant;
  readonly session: SessionId;
  readonly kind: RecordKind;
  readonly data: RecordData;
}

/** The line of a record, without its line break, and the record's hash. The line is ASCII, so that a terminal shows what is there. */
export function makeRecord({ previous, sequence, at, session, kind, data }: Told): { readonly line: string; readonly hash: string } {
  const size = JSON.stringify(data).length;
  const kept: RecordData = size <= LONGEST_DATA ? data : { cut: true, characters: size };
  const body = ascii(JSON.stringify({ sequence, at: new Date(at).toISOString(), session, kind, data: kept, previous }));
  const hash = sha256(body);
  return { line: `${body.slice(0, -1)},"hash":"${hash}"}`, hash };
}

/**
 * The record in a line, or undefined when the line is not one: not our form, or the hash is not that of the line. The hash is over the bytes as
 * they stand, not over what they mean, so there is no second spelling of the same record.
 */
export function readRecord(line: string): AuditRecord | undefined {
  const parts = /^(\{[\x20-\x7e]+),"hash":"([0-9a-f]{64})"\}$/.exec(line);
  if (!parts?.[1] || !parts[2] || sha256(`${parts[1]}}`) !== parts[2]) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return isRecord(value) ? value : undefined;
}

/**
 * What a record says of the unfinished line before it (its member `half`): that there is one, and which. Undefined where that line is a whole record or
 * nothing. A dead writer's half record stays where it is, so that whoever reads the file sees all that was written.
 */
export function halfNote(torn: string): RecordData | undefined {
  return torn === "" || readRecord(torn) ? undefined : { bytes: torn.length, sha256: sha256(torn) };
}

/** Whether a line is the beginning of the record that was due there, and the one after it says so. */
function isNotedHalf(line: string, due: number, next: string | undefined): boolean {
  const head = `{"sequence":${due},"at":"`;
  if (next === undefined || !(line.startsWith(head) || head.startsWith(line))) return false;
  const half = readRecord(next)?.data["half"] as RecordData | undefined;
  return half?.["bytes"] === line.length && half["sha256"] === sha256(line);
}

/**
 * Checks the lines of one file, without their line breaks.
 * @param session every record must be of this session; undefined for the index, which tells of many
 */
export function verifyRecords(lines: readonly string[], session: string | undefined): Finding[] {
  const findings: Finding[] = [];
  let before: AuditRecord | undefined;
  for (const [index, text] of lines.entries()) {
    const report = (severity: Finding["severity"], kind: Finding["kind"], what: string): void => {
      findings.push({ line: index + 1, severity, kind, text: what });
    };
    const record = readRecord(text);
    if (!record) {
      if (isNotedHalf(text, (before?.sequence ?? 0) + 1, lines[index + 1])) {
        report("warning", "half", "half a record, as the next one says: its writer died, or the disk was full, or it was cut");
        continue;
      }
      const looksLikeOne = text.startsWith('{"sequence":') && text.endsWith('"}');
      if (looksLikeOne) report("error", "changed", "the record was changed: its hash is not that of its content");
      else report("error", "garbage", "the line is not a record");
      continue;
    }
    const expected = (before?.sequence ?? 0) + 1;
    if (record.sequence !== expected) report("error", "sequence", `record ${record.sequence} stands where ${expected} is due`);
    if (record.previous !== (before?.hash ?? FIRST)) report("error", "chain", "the record does not follow the one before it");
    if (session !== undefined && record.session !== session) report("error", "session", `the record is of session ${record.session}`);
    if (before && record.at < before.at) report("warning", "time", `the clock went back from ${before.at} to ${record.at}`);
    if (session !== undefined && before?.kind === "end" && record.kind !== "resumed") {
      report("error", "after-end", `a record '${record.kind}' stands after the end`);
    }
    before = record;
  }
  return findings;
}

function sha256(text: string): string {
  return createHash("sha256").update(text, "latin1").digest("hex");
}

/** JSON's own escapes for what is not printable ASCII: control characters of terminals and marks that turn text around included. */
function ascii(json: string): string {
  return json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function isRecord(value: unknown): value is AuditRecord {
  if (typeof value !== "object" || value === null) return false;
  const record = value as Record<string, unknown>;
  return (
    Number.isSafeInteger(record["sequence"]) &&
    typeof record["at"] === "string" &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(record["at"]) &&
    typeof record["session"] === "string" &&
    typeof record["kind"] === "string" &&
    typeof record["data"] === "object" &&
    record["data"] !== null &&
    typeof record["previous"] === "string"
  );
}
