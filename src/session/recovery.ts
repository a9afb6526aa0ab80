// What daemons before this one left: sessions without an end are ended, once. Those of other machines that share the state folder are theirs. Held by sessions.ts.
import { readdirSync } from "node:fs";
import { sessionFile } from "../audit/files.ts";
import { endLostAudit } from "../audit/log.ts";
import { unendedSessions } from "../audit/verify.ts";
import type { Clock } from "../core/clock.ts";
import { messageOf } from "../core/error.ts";
import { isSessionId, type SessionId } from "../core/id.ts";
import { auditFolder, type Paths, sessionFolder } from "../core/paths.ts";
import { removeLeftCgroup } from "../isolation/own-cgroup.ts";
import { putBack, putBackText } from "../isolation/put-back.ts";
import { endProcesses, isElsewhere, isThere, type Known, lastKnown, removeFolder } from "./leftover.ts";
import { MOST_TRIES, Tries } from "./tries.ts";

export interface RecoveryOptions {
  readonly paths: Paths;
  readonly clock: Clock;
  readonly log: (text: string) => void;
  readonly keep: () => Disposable;
  /** Whether this daemon holds the session: its launcher came back for it. */
  readonly isHeld: (id: SessionId) => boolean;
  /** Removes the stand-ins that its dead launcher made. */
  readonly removeCovered: (id: SessionId) => void;
}

/** How long a launcher may take to come back for its session after its daemon died; then the session is lost. */
const RESUME_MS = 4000;
const LOST_GRACE_MS = 500;
const LOST_LIMIT_MS = 4000;
/** An audit that could not be finished is tried again after one second, then after twice as long each time, up to five minutes: some hours in all. */
const AUDIT_FIRST_MS = 1000;
const AUDIT_LAST_MS = 300_000;
const AUDIT_RETRIES = 60;

export class Recovery {
  readonly #options: RecoveryOptions;
  readonly #tries: Tries;
  /** Those that are being ended, or were: too late for their launchers to come back. */
  readonly #lost = new Set<SessionId>();

  constructor(options: RecoveryOptions) {
    this.#options = options;
    this.#tries = new Tries(options.paths);
  }

  isLost(id: SessionId): boolean {
    return this.#lost.has(id);
  }

  begin(): void {
    const { paths, clock, log } = this.#options;
    const unended = new Set(unendedSessions(auditFolder(paths)));
    // The folders of sessions that a dead daemon left.
    for (const id of new Set([...unended, ...readdirSync(paths.runtime).filter(isSessionId)])) {
      if (!this.#tries.begin(id)) {
        this.#lost.add(id);
        log(givenUp(paths, id));
        if (this.#tries.begin(id, MOST_TRIES + 1)) void this.#endUnread(id);
        continue;
      }
      const known = lastKnown(auditFolder(paths), id);
      this.#tries.passed(id);
      if (isElsewhere(known)) {
        log(`${id} is of another machine, ${known.machine?.host}, and left to it`);
        continue;
      }
      const end = async (): Promise<void> => {
        if (!this.#tries.begin(id)) return;
        await this.#end(id, unended.has(id), known).catch((error: unknown) => log(`cannot end all of ${id}: ${messageOf(error)}`));
        this.#tries.over(id);
      };
      // A launcher that lives comes back for its session.
      if (known.launcher && !isThere(known.launcher)) void end();
      else {
        const kept = this.#keepOrSay();
        clock.at(clock.now() + RESUME_MS, () => void end().finally(() => kept?.[Symbol.dispose]()));
      }
    }
  }

  async #end(id: SessionId, recorded: boolean, { agent }: Known): Promise<void> {
    const { paths, log, isHeld, removeCovered } = this.#options;
    if (isHeld(id)) return;
    this.#lost.add(id);
    const left = await endProcesses(id, agent, LOST_GRACE_MS, LOST_LIMIT_MS);
    const notes = left > 0 ? [`${left} processes could not be ended`] : [];
    notes.push(...(await removeLeftCgroup(sessionFolder(paths, id), id)), ...putBack(paths.state, id).map(putBackText));
    try {
      removeFolder(sessionFolder(paths, id));
    } catch (error) {
      notes.push(`could not remove the session's files: ${messageOf(error)}`);
    }
    removeCovered(id);
    if (recorded) await this.#record(id, notes);
    log(`${id} was left by a daemon that died: ended${notes.length > 0 ? ` (${notes.join("; ")})` : ""}`);
  }

  /** Finishes the audit of the session. Where that fails, as on a full disk, it is tried again later as long as this daemon lives. */
  async #record(id: SessionId, notes: string[], failures = 0): Promise<void> {
    const { paths, clock, log } = this.#options;
    try {
      const data = { lost: { what: "the daemon" }, end: { cause: "lost", notes } };
      await endLostAudit(auditFolder(paths), id, data, { clock, onTrouble: () => {} });
    } catch (error) {
      if (failures === 0) log(`cannot finish the audit of ${id} yet: ${messageOf(error)}`);
      const pause = Math.min(AUDIT_FIRST_MS * 2 ** failures, AUDIT_LAST_MS);
      if (failures < AUDIT_RETRIES) clock.at(clock.now() + pause, () => void this.#record(id, notes, failures + 1));
    }
  }

  /** Ends what can be ended without reading its record: processes and files. Tried once. */
  async #endUnread(id: SessionId): Promise<void> {
    const { paths, log } = this.#options;
    const left = await endProcesses(id, undefined, LOST_GRACE_MS, LOST_LIMIT_MS);
    if (left > 0) log(`${left} processes of ${id} could not be ended`);
    try {
      removeFolder(sessionFolder(paths, id));
    } catch (error) {
      log(`could not remove the files of ${id}: ${messageOf(error)}`);
    }
  }

  /** A keeper where one can be had: without it the session is ended all the same. */
  #keepOrSay(): Disposable | undefined {
    try {
      return this.#options.keep();
    } catch (error) {
      this.#options.log(messageOf(error));
      return undefined;
    }
  }
}

/** Says that nobody tries to end this session any more, and what mends that. */
export function givenUp(paths: Paths, id: SessionId): string {
  const record = sessionFile(auditFolder(paths), id);
  return `${MOST_TRIES} daemons died while they ended what ${id} left (${record}): it is left alone; rm ${new Tries(paths).fileOf(id)} has the next daemon try again`;
}
