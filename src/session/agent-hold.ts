// The agent of a session as its daemon knows it: which process its launcher started, whether it is gone, and its end where the launcher does not see to
// that. Held by session.ts.
import type { IsolationLevel, OpenMessage } from "../control/protocol.ts";
import type { SessionId } from "../core/id.ts";
import { endProcesses, type Spawned } from "./leftover.ts";

/** How much longer than its grace the launcher may take to say that the agent is gone, before the daemon ends the processes itself. */
const LAUNCHER_PATIENCE_MS = 2000;
/** Grace of an agent whose launcher is gone: nobody waits for it any more. */
const LOST_GRACE_MS = 1000;
const END_PROCESSES_MS = 4000;

export class AgentHold {
  readonly #session: SessionId;
  readonly #gone = Promise.withResolvers<void>();
  #spawned: Spawned | undefined;
  #isolation: IsolationLevel | undefined;
  #hasLauncher = true;
  #isConfirmed = false;

  constructor(session: SessionId, resume: OpenMessage["resume"]) {
    this.#session = session;
    this.#isolation = resume?.isolation;
    if (resume?.pid !== undefined) this.#spawned = { pid: resume.pid, started: resume.started ?? "" };
  }

  /** What the agent really has: a demo on a machine without a sandbox steps down. Undefined before it is started. */
  get isolation(): IsolationLevel | undefined {
    return this.#isolation;
  }

  get hasLauncher(): boolean {
    return this.#hasLauncher;
  }

  started(spawned: Spawned, isolation: IsolationLevel): void {
    this.#spawned = spawned;
    this.#isolation = isolation;
  }

  /** The launcher says that the agent and all that it started are gone. */
  confirmedGone(): void {
    this.#isConfirmed = true;
    this.#gone.resolve();
  }

  launcherLost(): void {
    this.#hasLauncher = false;
    this.#gone.resolve();
  }

  /**
   * Ends what is left of the agent. Gives how many processes could not be ended.
   * @param launcherGraceMs the launcher was told to end it, and is waited for; undefined: it was not
   */
  async end(launcherGraceMs: number | undefined): Promise<number> {
    if (launcherGraceMs !== undefined) {
      const patience = setTimeout(() => this.#gone.resolve(), launcherGraceMs + LAUNCHER_PATIENCE_MS);
      await this.#gone.promise;
      clearTimeout(patience);
    }
    return this.#isConfirmed ? 0 : endProcesses(this.#session, this.#spawned, this.#hasLauncher ? 0 : LOST_GRACE_MS, END_PROCESSES_MS);
  }
}
