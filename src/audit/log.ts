// The audit of one session: records in order, chained, on disk before it is said so. Called by the session.
import { constants, openSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { privateFolder } from "../core/folder.ts";
import type { SessionId } from "../core/id.ts";
import { readEnds, sessionFile } from "./files.ts";
import { appendToIndex } from "./folder-index.ts";
import type { RecordData, RecordKind } from "./record.ts";
import { type AuditOptions, AuditWriter, auditError } from "./writer.ts";

export interface AuditLog {
  /** Adds a record: its place and time are those of the call. Returns at once and never throws; the file follows. */
  append(kind: RecordKind, data?: RecordData): void;
  /** Whether all that was appended so far is on disk, waiting at most `limitMs` for it. */
  settled(limitMs: number): Promise<boolean>;
  /**
   * Adds the `end` record, waits for the disk at most `limitMs`, adds the line in the index and closes the file. Gives false when not all of it is on
   * disk (`onTrouble` has said why); it follows as soon as the disk takes it, as long as this process lives. Call it once.
   */
  end(data: RecordData, limitMs?: number): Promise<boolean>;
}

/** How a file begins, or goes on after the daemon that wrote it died. */
export interface FirstRecord {
  readonly kind: "start" | "resumed" | "lost";
  readonly data: RecordData;
}

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
const SETTLE_MS = 5000;
/** How long, and how often, the end of a session is tried again. */
const LATER_MS = 24 * 3_600_000;
const LATER_FIRST_MS = 500;
const LATER_LAST_MS = 10_000;

/**
 * Opens `sess_….ndjson` in the folder (0700, made where absent), writes its first record and its line in the index.
 * @param first `start` makes a new file; `resumed` and `lost` go on with the file that a dead daemon left, if there is one
 * @throws AgentRunError `audit` when it cannot be written or, for `start`, is there already: then nothing may be launched
 */
export async function openAudit(folder: string, session: SessionId, first: FirstRecord, options: AuditOptions): Promise<AuditLog> {
  privateFolder(folder, "audit");
  const path = sessionFile(folder, session);
  const before = first.kind === "start" ? undefined : readEnds(path);
  let writer: AuditWriter;
  try {
    const file = openSync(path, O_APPEND | O_CREAT | O_NOFOLLOW | O_WRONLY | (before ? 0 : O_EXCL), 0o600);
    writer = new AuditWriter(file, path, session, before, options);
  } catch (error) {
    throw auditError(path, error);
  }
  try {
    writer.append(first.kind, first.data);
    const [settled] = await Promise.all([writer.settled(SETTLE_MS), before ? undefined : syncFolder(folder)]);
    if (!settled) throw writer.trouble ?? new Error("the disk does not answer");
    await appendToIndex(folder, session, "session-open", { record: writer.written.hash }, options.clock);
  } catch (error) {
    await writer.close();
    if (!before) rmSync(path, { force: true });
    throw auditError(path, error);
  }
  return {
    append: (kind, data = {}) => writer.append(kind, data),
    settled: (limitMs) => writer.settled(limitMs),
    async end(data, limitMs = SETTLE_MS) {
      writer.append("end", data);
      const finish = async (waitMs: number): Promise<boolean> => {
        if (!(await writer.settled(waitMs))) return false;
        const [, indexed] = await Promise.all([writer.close(), indexEnd(folder, session, writer.written, options)]);
        return indexed;
      };
      const complete = await finish(limitMs);
      if (!complete) void finishLater(writer, finish);
      return complete;
    },
  };
}

/** The end of a session that met a full disk. What is not written when the daemon leaves, the next one finds without an end. */
async function finishLater(writer: AuditWriter, finish: (waitMs: number) => Promise<boolean>): Promise<void> {
  const until = performance.now() + LATER_MS;
  let pause = LATER_FIRST_MS;
  do {
    await setTimeout(pause, undefined, { ref: false });
    pause = Math.min(2 * pause, LATER_LAST_MS);
  } while (!(await finish(SETTLE_MS)) && performance.now() < until);
  await writer.close();
}

/**
 * Closes the audit of a session whose daemon died: a `lost` record, the `end`, the line in the index; of these only what is not there yet.
 * @param data of the two records
 * @throws AgentRunError `audit`
 */
export async function endLostAudit(
  folder: string,
  session: SessionId,
  data: { readonly lost: RecordData; readonly end: RecordData },
  options: AuditOptions,
): Promise<void> {
  privateFolder(folder, "audit");
  const path = sessionFile(folder, session);
  const last = readEnds(path)?.last;
  const done =
    last?.kind === "end"
      ? await indexEnd(folder, session, last, options)
      : await (await openAudit(folder, session, { kind: "lost", data: data.lost }, options)).end(data.end);
  if (!done) throw auditError(path, new Error("not all of it is on disk"));
}

async function indexEnd(
  folder: string,
  session: SessionId,
  last: { readonly sequence: number; readonly hash: string },
  options: AuditOptions,
): Promise<boolean> {
  try {
    await appendToIndex(folder, session, "session-end", { records: last.sequence, record: last.hash }, options.clock);
    return true;
  } catch (error) {
    options.onTrouble(auditError(folder, error));
    return false;
  }
}

/** A new name in a folder is on disk only when the folder is (fsync(2)). */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
