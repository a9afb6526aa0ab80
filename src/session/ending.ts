// The end of a session, step by step: nothing is served, keys are denied at AWS, the agent and the files go, secrets are overwritten, the last record is
// written. Every step runs, whatever an earlier one did; what failed is noted. Held by session.ts.
import type { Cause, DaemonMessage, RevocationReport, SessionView } from "../control/protocol.ts";
import { within } from "../core/clock.ts";
import { messageOf } from "../core/error.ts";
import { sessionFolder } from "../core/paths.ts";
import { removeLeftCgroup } from "../isolation/own-cgroup.ts";
import { putBack, putBackText } from "../isolation/put-back.ts";
import type { AgentHold } from "./agent-hold.ts";
import { EndAtAws } from "./end-at-aws.ts";
import type { Life } from "./life.ts";
import type { SessionOptions } from "./session-options.ts";
import type { Supply } from "./supply.ts";

const REFUSALS: Record<Cause, string> = {
  exited: "the agent has exited",
  killed: "the session was killed",
  expired: "the session reached its time limit",
  lost: "the session lost its launcher",
  failed: "the session failed to start",
};

/** How long the launcher has to look at what the agent left, on a file system that may not answer; nothing is served meanwhile, and no secret is there. */
const LOOK_MS = 10_000;

export interface EndingOptions extends SessionOptions {
  readonly life: Life;
  readonly supply: Supply;
  readonly agent: AgentHold;
  readonly view: () => SessionView;
}

export class Ending {
  /** How long each part took, in milliseconds from its cause. */
  readonly timings: { endpointClosedMs?: number; agentGoneMs?: number } = {};
  readonly notes: string[] = [];
  /** How the revocation ended, a report for each role; empty where none was asked for. */
  revocations: readonly RevocationReport[] = [];
  /** Where its role is full, every session of it is denied. */
  revokeAll = false;
  /** The launcher looks at what the agent left, and says what it saw. */
  isLookedAt = false;
  readonly #left = Promise.withResolvers<readonly string[] | undefined>();
  readonly #options: EndingOptions;
  readonly #atAws: EndAtAws;
  #since = 0;

  constructor(options: EndingOptions) {
    const { life, supply, lease, audit } = options;
    this.#options = options;
    this.#atAws = new EndAtAws({
      ...options,
      now: () => life.now(),
      keysExpireAt: () => supply.tally.keysExpireAt,
      record: (kind, data) => audit.append(kind, data),
      onReport: (report) => lease.send({ type: "revocation", report }),
      note: (text) => this.notes.push(text),
    });
  }

  /** Files of the project that run later; undefined: the launcher is gone. */
  left(changed: readonly string[] | undefined): void {
    this.#left.resolve(changed);
  }

  /** At once and without network: no credential is served from here on. */
  refuse(cause: Cause): void {
    const { supply } = this.#options;
    this.#since = performance.now();
    supply.refuse(`${REFUSALS[cause]}: agent-run serves no credentials any more`);
    this.timings.endpointClosedMs = performance.now() - this.#since;
    if (cause === "killed") this.#atAws.bury(supply.grant, []);
  }

  stopRefresher(): void {
    const { broker } = this.#options.supply;
    this.#atAws.keep(broker?.held());
    broker?.stop();
  }

  /** Denies the keys where the profile wants it, beside the agent's end. */
  revoke(cause: Cause): void {
    const { grant, handedOut } = this.#options.supply;
    this.#atAws.begin(cause, grant, { handedOut, revokeAll: this.revokeAll, since: this.#since });
  }

  /** Resolves when the agent and the files are gone and what was asked for in IAM is done. Never rejects: what failed is noted, and the next step follows. */
  async stopAgent(cause: Cause): Promise<void> {
    const { lease, profile, agent, supply, paths, id } = this.#options;
    const revoking = this.#atAws.isRevoking;
    const end: DaemonMessage = { type: "end", cause, graceMs: profile.graceMs, revoking };
    // The agent is gone, and its launcher must know what it waits for.
    if (agent.hasLauncher && cause === "exited" && revoking) lease.send(end);
    // Also where it has not said yet that it started an agent: it may be doing so right now.
    const launcherEnds = agent.hasLauncher && supply.handedOver && cause !== "exited";
    if (launcherEnds) lease.send(end);
    const left = await agent.end(launcherEnds ? profile.graceMs : undefined);
    if (left > 0) this.notes.push(`${left} ${left === 1 ? "process" : "processes"} of the agent could not be ended`);
    this.timings.agentGoneMs = performance.now() - this.#since;
    // What the launcher does where it can.
    if (agent.isAbandoned) {
      this.notes.push(...(await removeLeftCgroup(sessionFolder(paths, id), id)));
      this.notes.push(...putBack(paths.state, id).map(putBackText));
    }
    this.#removeFiles();
    try {
      this.revocations = await this.#atAws.reports();
    } catch (error) {
      this.notes.push(`its keys could not be denied: ${messageOf(error)}`);
    }
  }

  /** What is left of it, its secrets first; then the launcher hears that it is over. */
  async wipe(cause: Cause): Promise<void> {
    const { lease, supply, view } = this.#options;
    this.notes.push(...(await supply.close()));
    await this.#endAudit(cause);
    lease.send({ type: "ended", view: view(), notes: this.notes, revocations: [...this.revocations] });
    lease.close();
  }

  /** A revocation may take its time; what lies on the disk need not wait for it. */
  #removeFiles(): void {
    try {
      this.#options.supply.removeFiles();
    } catch {
      // The wipe tries it again, and notes it.
    }
  }

  async #endAudit(cause: Cause): Promise<void> {
    const { audit, auditTrouble, supply } = this.#options;
    const changed = this.isLookedAt ? await within(this.#left.promise, LOOK_MS) : undefined;
    if (this.isLookedAt && changed === undefined)
      this.notes.push("what the agent left was not looked at: the file system did not answer in time, or agent-run was ended");
    const { fetches, refused, refreshes, keysExpireAt } = supply.tally;
    const complete = await audit.end({
      cause,
      ...(changed?.length ? { changed } : {}),
      fetches,
      refused,
      refreshes,
      keysExpireAt: supply.grant ? new Date(keysExpireAt).toISOString() : undefined,
      notes: [...this.notes],
    });
    if (!complete) this.notes.push(`the audit is not complete on disk: ${auditTrouble() ?? "writing takes too long"}`);
  }
}
