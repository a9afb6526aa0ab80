// One audit file being written: the chain is made when a record is appended, the writing follows in batches, each synced. Used by log.ts.
import * as fs from "node:fs";
import { promisify } from "node:util";
import { type Clock, within } from "../core/clock.ts";
import { AgentRunError, messageOf } from "../core/error.ts";
import type { SessionId } from "../core/id.ts";
import type { Ends } from "./files.ts";
import { FIRST, halfNote, makeRecord, type RecordData, type RecordKind } from "./record.ts";

export interface AuditOptions {
  readonly clock: Clock;
  /** Called with an error (`audit`) when writing begins to fail or takes too long, and with undefined when all is on disk again. */
  readonly onTrouble: (error: AgentRunError | undefined) => void;
}

const close = promisify(fs.close);
const datasync = promisify(fs.fdatasync);
const fstat = promisify(fs.fstat);
const truncate = promisify(fs.ftruncate);
const write = promisify(fs.write);

const RETRY_MS = 1000;
/** A write that takes longer is reported, while it goes on. */
const SLOW_MS = 3000;
/** Records that wait for the disk; what comes on top is counted, and the count is a record. */
const MOST_PENDING = 20_000;
const MOST_A_WRITE = 1000;
/** How long a write that is under way may take before the file is let go all the same. */
const CLOSE_MS = 2000;

interface Pending {
  readonly line: string;
  readonly hash: string;
  readonly sequence: number;
}

export class AuditWriter {
  readonly #file: number;
  /** Nothing was written yet. */
  #fresh = true;
  readonly #path: string;
  readonly #session: SessionId;
  readonly #options: AuditOptions;
  readonly #pending: Pending[] = [];
  #sequence: number;
  #previous: string;
  #dropped = 0;
  /** What is on disk for sure. */
  #written: { readonly size: number; readonly sequence: number; readonly hash: string };
  /** A line break when the file ends in the middle of a line: that line stays, and the first record says so. */
  #lead: string;
  #half: RecordData | undefined;
  /** A write failed after some of its bytes, and these could not be taken away. */
  #uncertain = false;
  #work: Promise<boolean> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #trouble: AgentRunError | undefined;
  #closed: Promise<void> | undefined;

  /**
   * @param file its descriptor, which is the writer's from now on
   * @param before the ends of the file when it is not new
   */
  constructor(file: number, path: string, session: SessionId, before: Ends | undefined, options: AuditOptions) {
    this.#file = file;
    this.#path = path;
    this.#session = session;
    this.#options = options;
    this.#sequence = before?.last?.sequence ?? 0;
    this.#previous = before?.last?.hash ?? FIRST;
    this.#written = { size: before?.size ?? 0, sequence: this.#sequence, hash: this.#previous };
    this.#lead = before?.torn ? "\n" : "";
    this.#half = halfNote(before?.torn ?? "");
  }

  /** Sequence and hash of the last record that is on disk. */
  get written(): { readonly sequence: number; readonly hash: string } {
    return this.#written;
  }

  /** Why the last write failed, if it did. */
  get trouble(): AgentRunError | undefined {
    return this.#trouble;
  }

  append(kind: RecordKind, data: RecordData): void {
    if (this.#closed) return;
    if (this.#pending.length >= MOST_PENDING && kind !== "end") {
      this.#dropped += 1;
      return;
    }
    if (this.#dropped > 0) this.#chain("trouble", { dropped: this.#dropped });
    this.#dropped = 0;
    this.#chain(kind, data);
    this.#start();
  }

  /** Whether all that was appended so far is on disk, after at most one more try of at most `limitMs`. */
  async settled(limitMs: number): Promise<boolean> {
    const goal = this.#sequence;
    const late = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => late.resolve(false), limitMs);
    let going = true;
    while (going && !this.#closed && this.#written.sequence < goal) going = await Promise.race([this.#start(), late.promise]);
    clearTimeout(timer);
    return this.#written.sequence >= goal;
  }

  /**
   * Writes no more and lets go of the file, which ends with a whole record as far as the disk lets us see to it. Once only, however often it is called: the
   * number of its descriptor is another file's afterwards.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#retry);
    // Not under a disk that hangs: by the time that it goes on, the number could be another file's.
    const idle = (this.#work ?? Promise.resolve(true)).catch(() => false);
    const closed = idle.then(async () => {
      if (this.#uncertain) await this.#cutBack().catch(() => {});
      await close(this.#file).catch(() => {});
    });
    await within(closed, CLOSE_MS);
  }

  #chain(kind: RecordKind, data: RecordData): void {
    const sequence = this.#sequence + 1;
    const all = this.#half === undefined ? data : { ...data, half: this.#half };
    const { line, hash } = makeRecord({
      previous: this.#previous,
      sequence,
      at: this.#options.clock.now(),
      session: this.#session,
      kind,
      data: all,
    });
    this.#half = undefined;
    this.#sequence = sequence;
    this.#previous = hash;
    this.#pending.push({ line, hash, sequence });
  }

  #start(): Promise<boolean> {
    clearTimeout(this.#retry);
    this.#work ??= this.#writeAll().finally(() => {
      this.#work = undefined;
    });
    return this.#work;
  }

  async #writeAll(): Promise<boolean> {
    while (this.#pending.length > 0 && !this.#closed) {
      const slow = setTimeout(() => this.#report(new Error(`the disk took more than ${SLOW_MS} ms`)), SLOW_MS);
      try {
        await this.#write();
      } catch (error) {
        await this.#cutBack().catch(() => {
          this.#uncertain = true;
        });
        if (this.#closed) return false;
        this.#report(error);
        this.#retry = setTimeout(() => void this.#start(), RETRY_MS).unref();
        return false;
      } finally {
        clearTimeout(slow);
      }
    }
    this.#report(undefined);
    return true;
  }

  /** The whole of a batch, or a failure. */
  async #write(): Promise<void> {
    const fresh = this.#fresh;
    this.#fresh = false;
    if (!fresh && (await fstat(this.#file)).nlink === 0) throw new Error("the file was removed");
    if (this.#uncertain) await this.#cutBack();
    // What was appended by now is written and synced together: each sync takes its time.
    const batch = this.#pending.slice(0, MOST_A_WRITE);
    const bytes = Buffer.from(this.#lead + batch.map((record) => `${record.line}\n`).join(""), "latin1");
    // The first at once, so that the disk is at it while AWS is asked, and not when the way there and back leaves this process the time.
    for (let done = 0; done < bytes.length; )
      done += fresh ? fs.writeSync(this.#file, bytes, done) : (await write(this.#file, bytes, done)).bytesWritten;
    await datasync(this.#file);
    const last = batch.at(-1);
    this.#pending.splice(0, batch.length);
    this.#lead = "";
    if (last) this.#written = { size: this.#written.size + bytes.length, sequence: last.sequence, hash: last.hash };
  }

  /** Takes away what a failed write left behind what is on disk for sure. */
  async #cutBack(): Promise<void> {
    await truncate(this.#file, this.#written.size);
    this.#uncertain = false;
  }

  #report(failure: unknown): void {
    const error = failure === undefined ? undefined : auditError(this.#path, failure);
    if (error?.message === this.#trouble?.message) return;
    this.#trouble = error;
    this.#options.onTrouble(error);
  }
}

/** The error for a file of the audit that cannot be written. */
export function auditError(path: string, failure: unknown): AgentRunError {
  if (failure instanceof AgentRunError) return failure;
  return new AgentRunError("audit", `cannot write the audit file ${path}: ${messageOf(failure)}`, {
    hint: "make room on its disk, or set XDG_STATE_HOME to a folder that you can write",
    cause: failure,
  });
}
