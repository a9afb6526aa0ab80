// The index of the audit: a chained line for the beginning and for the end of each session's file, so that a missing or replaced file shows.
// Called by log.ts.
import { closeSync, constants, fdatasync, fstatSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { promisify } from "node:util";
import type { Clock } from "../core/clock.ts";
import type { SessionId } from "../core/id.ts";
import { indexFile, readEnds } from "./files.ts";
import { FIRST, halfNote, makeRecord, type RecordData } from "./record.ts";

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants;

/**
 * Appends one line. Reading the last line and writing the next is one synchronous step, so that sessions of this process cannot come between;
 * there is one daemon, so no other process writes.
 * @throws what the file system says; the file is then as it was
 */
export async function appendToIndex(
  folder: string,
  session: SessionId,
  kind: "session-open" | "session-end",
  data: RecordData,
  clock: Clock,
): Promise<void> {
  const path = indexFile(folder);
  const descriptor = openSync(path, O_APPEND | O_CREAT | O_NOFOLLOW | O_WRONLY, 0o600);
  try {
    const ends = readEnds(path);
    const half = halfNote(ends?.torn ?? "");
    const all = half === undefined ? data : { ...data, half };
    const { line } = makeRecord({
      previous: ends?.last?.hash ?? FIRST,
      sequence: (ends?.last?.sequence ?? 0) + 1,
      at: clock.now(),
      session,
      kind,
      data: all,
    });
    const { size } = fstatSync(descriptor);
    // A line that a crash left unfinished stays, and this one says so.
    const bytes = Buffer.from(`${ends?.torn ? "\n" : ""}${line}\n`, "latin1");
    try {
      if (writeSync(descriptor, bytes) !== bytes.length) throw new Error("the disk is full");
    } catch (error) {
      ftruncateSync(descriptor, size);
      throw error;
    }
    await promisify(fdatasync)(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
