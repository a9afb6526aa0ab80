// The launcher's side of a session: the lease, what comes over it, and a new daemon under the same session when the old one died. Called by launch.ts.
import type { Lease } from "../control/lease.ts";
import type {
  Cause,
  DaemonMessage,
  EnvironmentMessage,
  IsolationLevel,
  LauncherMessage,
  OpenMessage,
  PlanMessage,
  QuestionKind,
  ReadyMessage,
  RevocationReport,
  SessionView,
  StepMessage,
  WireError,
} from "../control/protocol.ts";
import { fromWireError } from "../control/wire-error.ts";
import { type Instant, sleep, steadyClock, systemClock, within } from "../core/clock.ts";
import type { ProcessExit } from "../core/command.ts";
import { AgentRunError } from "../core/error.ts";
import { FEW_PROCESSES, isShortOfProcesses } from "../core/few-processes.ts";

export interface LinkHandlers {
  /** The daemon's plan of the run. It comes before the first step, and once: not again when another daemon takes the session over. */
  plan(plan: PlanMessage): void;
  /** The environment that the agent will be started with. It comes while AWS is asked, where it is known by then. */
  environment(environment: EnvironmentMessage): void;
  step(step: StepMessage): void;
  /** Gives the human's answer; a rejection ends the session. */
  ask(kind: QuestionKind, prompt: string, minutes?: number): Promise<string>;
  status(view: SessionView): void;
  /** The sign-in that was asked for is over; `problem` says why it did not succeed. */
  signedIn(problem: string | undefined): void;
  /** Nothing is served any more: the agent must be stopped. */
  end(cause: Cause, graceMs: number, revoking: boolean): void;
  /** How the denial of the session's keys in IAM proceeds. */
  revocation(report: RevocationReport): void;
  /** The daemon died; `restored` when another one took the session over, `unrestored` when none did in time. */
  interrupted(state: "lost" | "restored" | "unrestored", why: string): void;
}

export interface Ended {
  readonly view: SessionView;
  readonly notes: readonly string[];
  readonly revocations: readonly RevocationReport[];
}

/** Gives a lease on which `first` was sent. */
type Connect = (first: OpenMessage) => Promise<Lease<LauncherMessage, DaemonMessage>>;

/** Within this a dead daemon's session must be back (its endpoint's clients retry for about as long), else the agent is ended. */
const RESTORE_MS = 3000;
const RETRY_MS = 100;
const OPEN_ATTEMPTS = 3;

export class SessionLink {
  readonly #connect: Connect;
  readonly #open: OpenMessage;
  readonly #ended = Promise.withResolvers<Ended | undefined>();
  #handlers: LinkHandlers | undefined;
  #opening: PromiseWithResolvers<ReadyMessage> | undefined;
  #lease: Lease<LauncherMessage, DaemonMessage>;
  #ready: ReadyMessage | undefined;
  #graceMs = 0;
  /** A clock that is set back gives no more time under the next daemon either. */
  readonly #clock = steadyClock(systemClock);
  #limitAt: Instant = 0;
  #view: SessionView | undefined;
  #spawned: { pid: number; started: string; isolation: IsolationLevel } | undefined;
  #finished = false;
  /** Another daemon is being looked for: a lease that fails meanwhile is one of those attempts, and no new loss. */
  #restoring = false;
  /** Why a question of the daemon got no answer. */
  #noAnswer: AgentRunError | undefined;
  /** Whether the daemon has said anything yet. */
  #heard = false;

  private constructor(connect: Connect, lease: Lease<LauncherMessage, DaemonMessage>, open: OpenMessage) {
    this.#connect = connect;
    this.#lease = lease;
    this.#open = open;
  }

  /**
   * Opens the session and takes it through its start. `load` gives the handlers; it is called when the daemon was asked already, so that it may take its
   * time.
   * @throws AgentRunError why the daemon refused it; nothing was handed out then
   */
  static async open<Handlers extends LinkHandlers>(
    connect: Connect,
    open: OpenMessage,
    load: () => Promise<Handlers>,
  ): Promise<{ link: SessionLink; ready: ReadyMessage; handlers: Handlers }> {
    for (let attempt = 1; ; attempt += 1) {
      const connecting = connect(open);
      connecting.catch(() => {});
      // The request is on its way by then.
      const loading = new Promise(setImmediate).then(load);
      loading.catch(() => {});
      const link = new SessionLink(connect, await connecting, open);
      const ready = link.#start();
      // Its rejection is awaited below, after the handlers are there.
      ready.catch(() => {});
      try {
        const handlers = await loading;
        link.#listen(handlers);
        return { link, ready: await ready, handlers };
      } catch (error) {
        // A daemon that was just leaving: there is another one to find or to start.
        if (link.#heard || attempt === OPEN_ATTEMPTS) throw error;
      }
    }
  }

  /** The last that the daemon said of the session. */
  get view(): SessionView | undefined {
    return this.#view;
  }

  /** Resolves with the daemon's last word, or undefined when it died and none took over. */
  get ended(): Promise<Ended | undefined> {
    return this.#ended.promise;
  }

  spawned(pid: number, started: string, isolation: IsolationLevel): void {
    this.#spawned = { pid, started, isolation };
    this.#lease.send({ type: "spawned", ...this.#spawned });
  }

  kill(): void {
    this.#finished = true;
    this.#lease.send({ type: "kill" });
  }

  /** The human wants to sign in anew. */
  signIn(): void {
    this.#lease.send({ type: "signIn" });
  }

  /** The agent is gone. */
  exited(exit: ProcessExit): void {
    this.#finished = true;
    this.#lease.send({ type: "exited", ...exit });
  }

  /** Files of the project that it made or changed and that run later. */
  left(changed: string[]): void {
    this.#lease.send({ type: "left", changed });
  }

  /** The daemon's last word, waiting `limitMs` for it, or longer when that has grown by then; and no longer than until `hurry`. */
  async lastWord(limitMs: () => number, hurry: Promise<void>): Promise<Ended | undefined> {
    const first = limitMs();
    const word = Promise.race([this.#ended.promise, hurry.then(() => "hurry" as const)]);
    const heard = (await within(word, first)) ?? (await within(word, limitMs() - first));
    const last = heard === "hurry" ? undefined : heard;
    this.#lease.close();
    return last;
  }

  close(): void {
    this.#finished = true;
    this.#lease.close();
  }

  /** The session was asked for. What the daemon says waits for `#listen`. */
  #start(): Promise<ReadyMessage> {
    const lease = this.#lease;
    const opening = Promise.withResolvers<ReadyMessage>();
    this.#opening = opening;
    void lease.closed.then((error) => {
      const gone = error ?? this.#noAnswer ?? this.#gone();
      opening.reject(gone);
      if (lease === this.#lease && !this.#restoring) this.#onClosed(gone);
    });
    return opening.promise;
  }

  /** Before it said that the session stands, it may have died for want of threads, without a word. */
  #gone(): AgentRunError {
    const hint = this.#ready === undefined && isShortOfProcesses() ? FEW_PROCESSES : "agent-run daemon logs";
    return new AgentRunError("lease", "the daemon is gone", { hint });
  }

  #listen(handlers: LinkHandlers): void {
    const lease = this.#lease;
    const opening = this.#opening;
    this.#handlers = handlers;
    lease.onMessage((message) => {
      this.#heard = true;
      if (message.type === "failed") {
        opening?.reject(launchFailure(message.error));
        lease.close();
      } else if (message.type === "ready") {
        this.#ready = message;
        this.#see(message.view);
        opening?.resolve(message);
      } else {
        this.#onMessage(message, handlers);
      }
    });
  }

  #onMessage(message: Exclude<DaemonMessage, { type: "ready" | "failed" }>, handlers: LinkHandlers): void {
    if (message.type === "plan") {
      this.#graceMs = message.graceMs;
      if (!this.#ready) handlers.plan(message);
    } else if (message.type === "environment") handlers.environment(message);
    else if (message.type === "step") handlers.step(message);
    else if (message.type === "ask") void this.#answer(message, handlers);
    else if (message.type === "status") {
      this.#see(message.view);
      handlers.status(message.view);
    } else if (message.type === "signedIn") {
      handlers.signedIn(message.problem);
    } else if (message.type === "end") {
      this.#finished = true;
      handlers.end(message.cause, message.graceMs, message.revoking === true);
    } else if (message.type === "revocation") {
      handlers.revocation(message.report);
    } else {
      this.#finished = true;
      this.#view = message.view;
      this.#ended.resolve({ view: message.view, notes: message.notes, revocations: message.revocations ?? [] });
    }
  }

  #see(view: SessionView): void {
    this.#view = view;
    this.#limitAt = view.limitAt + this.#clock.ahead();
  }

  async #answer({ id, kind, prompt, minutes }: Extract<DaemonMessage, { type: "ask" }>, handlers: LinkHandlers): Promise<void> {
    const lease = this.#lease;
    try {
      lease.send({ type: "answer", id, text: await handlers.ask(kind, prompt, minutes) });
    } catch (error) {
      if (error instanceof AgentRunError) this.#noAnswer = error;
      lease.close();
    }
  }

  #onClosed(why: AgentRunError): void {
    if (this.#finished || this.#ready === undefined || this.#handlers === undefined) {
      this.#ended.resolve(undefined);
      return;
    }
    this.#handlers.interrupted("lost", why.message);
    void this.#restore(this.#ready, this.#handlers);
  }

  /** Starts another daemon and opens the session there as it was: same id, port and token, so that running SDK clients go on. */
  async #restore(ready: ReadyMessage, handlers: LinkHandlers): Promise<void> {
    const until = performance.now() + RESTORE_MS;
    let why = "";
    this.#restoring = true;
    while (performance.now() < until && !this.#finished) {
      try {
        this.#lease = await this.#connect({
          ...this.#open,
          resume: {
            session: ready.view.session,
            ...(ready.port === undefined ? {} : { port: ready.port }),
            ...(ready.token === undefined ? {} : { token: ready.token }),
            startedAt: ready.view.startedAt,
            fetches: this.#view?.fetches ?? 0,
            limitAt: this.#limitAt - this.#clock.ahead(),
            ...this.#spawned,
          },
        });
        const restored = this.#start();
        this.#listen(handlers);
        await restored;
        this.#restoring = false;
        handlers.interrupted("restored", "");
        return;
      } catch (error) {
        why = error instanceof Error ? error.message : String(error);
        await sleep(RETRY_MS);
      }
    }
    if (this.#finished) return;
    this.#finished = true;
    this.#ended.resolve(undefined);
    handlers.interrupted("unrestored", why);
    handlers.end("lost", this.#graceMs, false);
  }
}

/** 1 is how a command says that what was named is not there; an agent may end with it, and so no launch that failed does. */
function launchFailure(error: WireError): AgentRunError {
  return fromWireError(error.exitStatus === 1 ? { ...error, exitStatus: 125 } : error);
}
