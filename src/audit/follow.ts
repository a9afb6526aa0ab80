// Records as they are written, of one session or of all, whichever daemon writes them. Called by `agent-run audit --follow`.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { sleep } from "../core/clock.ts";
import type { SessionId } from "../core/id.ts";
import { readEnds, sessionFile, sessionOf } from "./files.ts";
import { type AuditRecord, FIRST, readRecord } from "./record.ts";

export interface Followed {
  readonly session: SessionId;
  readonly record: AuditRecord | undefined;
  /** The line is not what follows the one before it: it was changed, or something is missing. */
  readonly broken: boolean;
}

export interface FollowOptions {
  readonly folder: string;
  /** Its records from the first one to its end; undefined: those of all sessions from now on, without an end. */
  readonly session: SessionId | undefined;
  readonly signal: AbortSignal;
}

const POLL_MS = 200;

interface Tail {
  /** Bytes that were read as whole lines. */
  read: number;
  sequence: number;
  hash: string;
  ended: boolean;
}

/** Each record once, in the order of its file. */
export async function* follow({ folder, session, signal }: FollowOptions): AsyncGenerator<Followed> {
  const tails = new Map<SessionId, Tail>();
  const fresh = (): Tail => ({ read: 0, sequence: 0, hash: FIRST, ended: false });
  if (session !== undefined) tails.set(session, fresh());
  else for (const id of sessionsOf(folder)) tails.set(id, atItsEnd(sessionFile(folder, id)));
  while (!signal.aborted) {
    if (session === undefined) for (const id of sessionsOf(folder)) if (!tails.has(id)) tails.set(id, fresh());
    for (const [id, tail] of tails) {
      if (!tail.ended) for (const one of newRecords(sessionFile(folder, id), tail)) yield { session: id, ...one };
    }
    if (session !== undefined && tails.get(session)?.ended) return;
    await sleep(POLL_MS);
  }
}

function sessionsOf(folder: string): SessionId[] {
  try {
    return readdirSync(folder)
      .map(sessionOf)
      .filter((id) => id !== undefined);
  } catch {
    // No session was recorded yet.
    return [];
  }
}

function atItsEnd(path: string): Tail {
  const ends = readEnds(path);
  const { sequence = 0, hash = FIRST, kind } = ends?.last ?? {};
  // A line that is not finished yet is read again.
  return { read: ends === undefined || ends.torn ? 0 : ends.size, sequence, hash, ended: kind === "end" };
}

/** What was added since; a writer that met a full disk takes unfinished lines back and writes them again. */
function newRecords(path: string, tail: Tail): { readonly record: AuditRecord | undefined; readonly broken: boolean }[] {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size === tail.read) return [];
  if (size < tail.read) tail.read = 0;
  const text = readFileSync(path, "latin1").slice(tail.read);
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  tail.read += whole.length;
  const found: { record: AuditRecord | undefined; broken: boolean }[] = [];
  for (const line of whole.split("\n").slice(0, -1)) {
    const record = readRecord(line);
    if (record !== undefined && record.sequence <= tail.sequence) continue;
    found.push({ record, broken: record === undefined || record.previous !== tail.hash || record.sequence !== tail.sequence + 1 });
    if (record === undefined) continue;
    Object.assign(tail, { sequence: record.sequence, hash: record.hash, ended: record.kind === "end" });
  }
  return found;
}
