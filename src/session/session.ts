// One session in the daemon: takes the start steps, then has its parts do what the state machine asks for, until everything is wiped. Made by sessions.ts.
import type { Cause, LauncherMessage, OpenMessage, SessionView } from "../control/protocol.ts";
import type { ConsoleReply, ExtendReply } from "../control/requests.ts";
import { toWireError } from "../control/wire-error.ts";
import type { SessionId } from "../core/id.ts";
import { sessionFolder } from "../core/paths.ts";
import { AgentHold } from "./agent-hold.ts";
import { AtTerminal } from "./at-terminal.ts";
import { Ending } from "./ending.ts";
import { Life } from "./life.ts";
import type { SessionOptions } from "./session-options.ts";
import { takeStartSteps } from "./starting.ts";
import type { SessionEffect } from "./state.ts";
import { writeStatusFile } from "./status-file.ts";
import { Supply } from "./supply.ts";
import { viewOf } from "./view.ts";

export class Session {
  readonly id: SessionId;
  /** Resolves when everything is wiped and recorded. Never rejects. */
  readonly ended: Promise<void>;
  readonly ending: Ending;
  readonly #options: SessionOptions;
  readonly #life: Life;
  readonly #supply: Supply;
  readonly #human: AtTerminal;
  readonly #agent: AgentHold;
  readonly #folder: string;
  readonly #resolveEnded: () => void;
  #exposure: string | undefined;

  constructor(options: SessionOptions) {
    const { id, open, lease, paths } = options;
    this.#options = options;
    this.id = id;
    this.#folder = sessionFolder(paths, id);
    const life = new Life(options, (effect) => this.#carryOut(effect));
    this.#life = life;
    this.#supply = new Supply({ ...options, folder: this.#folder, life, onChange: () => this.announce() });
    this.#human = new AtTerminal({ ...options, life, onExtended: () => void this.#supply.broker?.refresh().catch(() => undefined) });
    this.#agent = new AgentHold(id, open);
    this.ending = new Ending({ ...options, life, supply: this.#supply, agent: this.#agent, view: () => this.view() });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#resolveEnded = resolve;
    lease.onMessage((message) => this.#onMessage(message));
    void lease.closed.then(() => this.#onLeaseClosed());
  }

  /** The process that asked for this session. */
  get launcher(): OpenMessage["launcher"] {
    return this.#options.open.launcher;
  }

  /** Whether no launcher removes what sandboxes covered: it was gone or stopped at the end, or was never told to run an agent. */
  get leavesCovered(): boolean {
    return this.#agent.isAbandoned || !this.#supply.handedOver;
  }

  /** Takes the start steps and tells the launcher that the agent may start, or why not. Never rejects. */
  async start(): Promise<void> {
    const { lease, audit } = this.#options;
    try {
      await takeStartSteps({
        ...this.#options,
        folder: this.#folder,
        life: this.#life,
        supply: this.#supply,
        human: this.#human,
        view: () => this.view(),
        onExposure: (caveat) => {
          this.#exposure = caveat;
          this.announce();
        },
      });
    } catch (error) {
      const wire = toWireError(error);
      audit.append("trouble", { code: wire.code, message: wire.message });
      lease.send({ type: "failed", error: wire });
      this.#life.end("failed");
    }
  }

  /**
   * Ends the session for `cause`; the first cause wins. Resolves when all is wiped.
   * @param revokeAll deny every session of the role where it has no room for one more policy
   */
  end(cause: Cause, revokeAll = false): Promise<void> {
    this.ending.revokeAll ||= revokeAll;
    if (cause === "killed") this.#options.audit.append("kill", { by: "command" });
    this.#life.end(cause);
    return this.ended;
  }

  view(): SessionView {
    const { profile, auditTrouble } = this.#options;
    const { tally, broker, grant, consoleOpened } = this.#supply;
    return viewOf(this.#options, this.#life.shown, grant, {
      isolation: this.#agent.isolation ?? profile.isolation.level,
      startedAt: this.#life.startedAt,
      fetches: tally.fetches,
      refreshes: tally.refreshes,
      consoleOpened,
      exposure: this.#exposure,
      ...(tally.signIn ? { signIn: true } : {}),
      trouble: broker?.trouble ?? auditTrouble(),
      credentialsExpireAt: tally.keysExpireAt,
    });
  }

  /** Tells the launcher how things stand, while the agent runs. */
  announce(): void {
    if (!this.#life.isActive) return;
    const view = this.view();
    writeStatusFile(this.#folder, view);
    this.#options.lease.send({ type: "status", view });
  }

  /**
   * Asks the human at this session's terminal for more time, over its lease: nobody else can give it.
   * @throws AgentRunError as `requireExtendable`
   */
  async extend(byMs: number | undefined): Promise<ExtendReply> {
    const extended = await this.#human.extend(byMs);
    return { session: this.id, extended, limitAt: this.#life.limitAt };
  }

  /**
   * The AWS console as this session's role.
   * @throws AgentRunError as `openConsole`
   */
  console(): Promise<ConsoleReply> {
    return this.#supply.console();
  }

  #onMessage(message: LauncherMessage): void {
    const { audit } = this.#options;
    if (message.type === "spawned") {
      const { pid, started, isolation } = message;
      this.#agent.started({ pid, started }, isolation);
      audit.append("spawned", { pid, started, isolation });
    } else if (message.type === "answer") {
      this.#human.answer(message.id, message.text);
    } else if (message.type === "signIn") {
      void this.#signIn();
    } else if (message.type === "kill") {
      audit.append("kill", { by: "key" });
      this.#life.end("killed");
    } else if (message.type === "exited") {
      audit.append("exited", { code: message.code, signal: message.signal });
      this.ending.isLookedAt = true;
      this.#agent.confirmedGone();
      this.#life.end("exited");
    } else if (message.type === "left") {
      this.ending.left(message.changed);
    }
  }

  async #signIn(): Promise<void> {
    if (await this.#human.signIn(() => this.#supply.renew())) this.announce();
  }

  #onLeaseClosed(): void {
    this.#agent.launcherLost();
    this.ending.left(undefined);
    this.#human.giveUp();
    if (this.#life.cause === undefined) this.#options.audit.append("lost", { what: "the launcher" });
    this.#life.end("lost");
  }

  #carryOut(effect: SessionEffect): void {
    const { cause } = this.#life;
    if (effect === "announce") this.announce();
    else if (effect === "ask-expiry") this.#human.askBeforeExpiry();
    else if (cause === undefined) return;
    else if (effect === "refuse") this.ending.refuse(cause);
    else if (effect === "stop-refresher") this.ending.stopRefresher();
    else if (effect === "revoke") this.ending.revoke(cause);
    else if (effect === "stop-agent") void this.ending.stopAgent(cause).then(() => this.#life.stopped());
    else void this.ending.wipe(cause).finally(this.#resolveEnded);
  }
}
