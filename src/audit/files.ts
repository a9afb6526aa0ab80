// Where audit files are, and how their ends are read. Called by log.ts, folder-index.ts, writer.ts and verify.ts.
import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { isSessionId, type SessionId } from "../core/id.ts";
import { type AuditRecord, readRecord } from "./record.ts";

export const indexFile = (folder: string): string => join(folder, "index.ndjson");
export const sessionFile = (folder: string, session: SessionId): string => join(folder, `${session}.ndjson`);

/** The session that a file name belongs to, or undefined for any other file. */
export function sessionOf(fileName: string): SessionId | undefined {
  const name = fileName.endsWith(".ndjson") ? fileName.slice(0, -".ndjson".length) : "";
  return isSessionId(name) ? name : undefined;
}

export interface Lines {
  /** Complete lines, without their line breaks; one character a byte. */
  readonly lines: readonly string[];
  /** What stands after the last line break: the beginning of a record that was never finished, or was cut. */
  readonly torn: string;
}

/** The lines of a file, or undefined when there is no such file. */
export function readLines(path: string): Lines | undefined {
  let text: string;
  try {
    text = readFileSync(path, "latin1");
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
  const lines = text.split("\n");
  const torn = lines.pop() ?? "";
  return { lines, torn };
}

export interface Ends {
  readonly first: AuditRecord | undefined;
  readonly last: AuditRecord | undefined;
  /** Bytes. */
  readonly size: number;
  /** What stands after the last line break; where it is long, its end. */
  readonly torn: string;
}

/** More than the longest record, so that an end of this size holds at least one. */
const END_BYTES = 262_144;

/** The first and the last record of a file without reading what is between, or undefined when there is no such file. */
export function readEnds(path: string): Ends | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
  try {
    const { size } = fstatSync(descriptor);
    const tail = readAt(descriptor, Math.max(0, size - END_BYTES), Math.min(size, END_BYTES));
    const head = size <= END_BYTES ? tail : readAt(descriptor, 0, END_BYTES);
    const last = lastRecord(tail) ?? (size <= END_BYTES ? undefined : lastRecord(readAt(descriptor, 0, size)));
    return { first: readRecord(head.slice(0, Math.max(0, head.indexOf("\n")))), last, size, torn: tail.slice(tail.lastIndexOf("\n") + 1) };
  } finally {
    closeSync(descriptor);
  }
}

function lastRecord(text: string): AuditRecord | undefined {
  for (const line of text.split("\n").reverse()) {
    const record = readRecord(line);
    if (record) return record;
  }
  return undefined;
}

function readAt(descriptor: number, position: number, length: number): string {
  const buffer = Buffer.alloc(length);
  return buffer.toString("latin1", 0, readSync(descriptor, buffer, 0, length, position));
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
