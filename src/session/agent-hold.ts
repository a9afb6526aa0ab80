// The agent of a session as its daemon knows it: which process its launcher started, whether it is gone, and its end where the launcher does not see to
// that. Held by session.ts.
import type { IsolationLevel, OpenMessage } from "../control/protocol.ts";
import type { SessionId } from "../core/id.ts";
import { isBackgroundJob, isStopped, signal } from "../core/process-tree.ts";
import { endProcesses, isThere, type Spawned } from "./leftover.ts";

/** How much longer than its grace the launcher may take to say that the agent is gone, before the daemon ends the processes itself. */
const LAUNCHER_PATIENCE_MS = 2000;
/** How often it is looked whether the launcher was stopped, and can end nothing. */
const LOOK_EVERY_MS = 100;
/** Grace of an agent whose launcher is gone: nobody waits for it any more. */
const LOST_GRACE_MS = 1000;
const END_PROCESSES_MS = 4000;

export class AgentHold {
  readonly #session: SessionId;
  readonly #launcher: Spawned | undefined;
  readonly #gone = Promise.withResolvers<void>();
  #spawned: Spawned | undefined;
  #isolation: IsolationLevel | undefined;
  #hasLauncher = true;
  #isSuspended = false;
  #isAbandoned = false;
  #isConfirmed = false;

  constructor(session: SessionId, { launcher, resume }: Pick<OpenMessage, "launcher" | "resume">) {
    this.#session = session;
    this.#launcher = launcher;
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

  /** Whether the launcher was gone or stopped at the end, so that the daemon had to clean up in its place. */
  get isAbandoned(): boolean {
    return this.#isAbandoned;
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
      const looking = this.#watchForStop();
      await this.#gone.promise;
      clearTimeout(patience);
      clearInterval(looking);
    }
    this.#isAbandoned = !this.#hasLauncher || this.#isSuspended;
    if (this.#isConfirmed) return 0;
    const hasItsGrace = this.#hasLauncher && this.#isSuspended;
    const graceMs = hasItsGrace ? (launcherGraceMs ?? 0) : this.#hasLauncher ? 0 : LOST_GRACE_MS;
    return endProcesses(this.#session, this.#spawned, graceMs, graceMs + END_PROCESSES_MS);
  }

  /**
   * A launcher that somebody stopped is told to go on, and ends its agent itself. Not one that a shell has put aside (Ctrl-Z): it would only be stopped anew when
   * it turns to its terminal, or write over what its human does there now. Its agent is ended by us, and it tells of that when it is taken up again.
   */
  #watchForStop(): NodeJS.Timeout | undefined {
    const launcher = this.#launcher;
    if (launcher === undefined) return undefined;
    let wasContinued = false;
    const look = (): void => {
      if (!isStopped(launcher.pid) || !isThere(launcher)) return;
      if (!wasContinued && !isBackgroundJob(launcher.pid)) {
        wasContinued = true;
        signal(launcher.pid, "SIGCONT");
        return;
      }
      this.#isSuspended = true;
      this.#gone.resolve();
    };
    look();
    return setInterval(look, LOOK_EVERY_MS);
  }
}
