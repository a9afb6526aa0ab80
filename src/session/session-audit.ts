// The audit of a session that may still be opening: it is opened while AWS is asked, and no agent starts before it is there. Made by sessions.ts.
import type { AuditLog } from "../audit/log.ts";
import type { RecordData, RecordKind } from "../audit/record.ts";

export class SessionAudit {
  /** Rejects when the audit cannot be written: then nothing may be launched. */
  readonly opened: Promise<unknown>;
  readonly #opening: Promise<AuditLog>;
  #log: AuditLog | undefined;
  #waiting: (readonly [RecordKind, RecordData])[] = [];
  #ended = false;

  constructor(opening: Promise<AuditLog>) {
    this.#opening = opening;
    this.opened = opening.then((log) => {
      this.#log = log;
      for (const [kind, data] of this.#waiting) log.append(kind, data);
      this.#waiting = [];
    });
    // Whoever must know awaits `opened` or `end`.
    this.opened.catch(() => {});
  }

  /** After the end nothing is written any more: a launcher may still be talking. */
  append(kind: RecordKind, data: RecordData): void {
    if (this.#ended) return;
    if (this.#log) this.#log.append(kind, data);
    else this.#waiting.push([kind, data]);
  }

  /** The last record. Gives false when not all is on disk. */
  async end(data: RecordData): Promise<boolean> {
    try {
      await this.opened;
      this.#ended = true;
      return await (await this.#opening).end(data);
    } catch {
      return false;
    }
  }
}
