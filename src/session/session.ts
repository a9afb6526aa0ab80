// One session in the daemon: takes the start steps, then carries out what the state machine asks for, until everything is wiped. Made by sessions.ts.
import type { RecordData, RecordKind } from "../audit/record.ts";
import type { Lease } from "../control/lease.ts";
import type {
  Cause,
  ConsoleReply,
  DaemonMessage,
  ExtendReply,
  LauncherMessage,
  OpenMessage,
  RevocationReport,
  SessionView,
} from "../control/protocol.ts";
import { toWireError } from "../control/wire-error.ts";
import { type Clock, type Instant, type SteadyClock, steadyClock } from "../core/clock.ts";
import { AgentRunError } from "../core/error.ts";
import type { SessionId } from "../core/id.ts";
import { type Paths, sessionFolder } from "../core/paths.ts";
import { METADATA_CAVEAT, metadataService } from "../isolation/metadata.ts";
import { type Access, describedVariables, openAccess } from "./access.ts";
import { AgentHold } from "./agent-hold.ts";
import { openConsole } from "./console-access.ts";
import { EndAtAws } from "./end-at-aws.ts";
import { extensionPrompt, requireExtendable } from "./extension.ts";
import { type Grant, obtainGrant, type Place } from "./grant.ts";
import type { Profile } from "./profile.ts";
import { policyMark } from "./profile-policy.ts";
import { Questions } from "./questions.ts";
import { loadAhead } from "./revocation.ts";
import type { SessionAudit } from "./session-audit.ts";
import { signInAnew } from "./sign-in-anew.ts";
import { firstWindow, next, nextTick, type SessionEffect, type SessionEvent, type SessionState } from "./state.ts";
import { writeStatusFile } from "./status-file.ts";
import { Tally } from "./tally.ts";
import { takeRole } from "./tool-roles.ts";
import { viewOf } from "./view.ts";
import { Waiting } from "./waiting.ts";

export interface SessionOptions {
  readonly id: SessionId;
  readonly open: OpenMessage;
  readonly profile: Profile;
  readonly lease: Lease<DaemonMessage, LauncherMessage>;
  readonly audit: SessionAudit;
  /** What is wrong with writing the audit right now. */
  readonly auditTrouble: () => string | undefined;
  readonly paths: Paths;
  readonly clock: Clock;
  readonly version: string;
  /** The session is denied in IAM, and its tombstone says where; what it was signed with lives on for the day when that can go. */
  readonly onRevoked: (session: SessionId, iam: Grant["iam"]) => void;
}

const REFUSALS: Record<Cause, string> = {
  exited: "the agent has exited",
  killed: "the session was killed",
  expired: "the session reached its time limit",
  lost: "the session lost its launcher",
  failed: "the session failed to start",
};

export class Session {
  readonly id: SessionId;
  /** Resolves when everything is wiped and recorded. Never rejects. */
  readonly ended: Promise<void>;
  /** How long each part of the end took, in milliseconds from its cause. */
  readonly timings: { endpointClosedMs?: number; agentGoneMs?: number } = {};
  readonly notes: string[] = [];
  /** How the revocation ended, a report for each role; empty where none was asked for. */
  revocations: readonly RevocationReport[] = [];

  readonly #options: SessionOptions;
  /** What the session's window counts by. */
  readonly #clock: SteadyClock;
  readonly #startedAt: Instant;
  readonly #questions: Questions;
  readonly #agent: AgentHold;
  readonly #resolveEnded: () => void;
  readonly #folder: string;
  readonly #tally: Tally;
  #state: SessionState;
  #timer: Disposable | undefined;
  #grant: Grant | undefined;
  #access: Access | undefined;
  #opening: Promise<Access> | undefined;
  /** The launcher was told that the agent may start. */
  #handedOver = false;
  /** Files of the project that run later, as the launcher saw them at the end. */
  #changed: readonly string[] | undefined;
  /** The human is at it, and may be asked for codes. */
  #signingIn = false;
  /** A question about more time stands. */
  #asking = false;
  #refusedAt: Instant | undefined;
  #endingAt = 0;
  #revokeAll = false;
  #consoleOpened = false;
  #exposure: string | undefined;
  readonly #atAws: EndAtAws;

  constructor(options: SessionOptions) {
    const { open, profile, clock, lease } = options;
    this.#options = options;
    this.#clock = steadyClock(clock);
    this.id = options.id;
    this.#folder = sessionFolder(options.paths, options.id);
    this.#tally = new Tally((kind, data) => this.#record(kind, data), open.resume?.fetches ?? 0);
    this.#atAws = new EndAtAws({
      ...options,
      now: () => this.#now(),
      keysExpireAt: () => this.#tally.keysExpireAt,
      record: (kind, data) => this.#record(kind, data),
      onReport: (report) => lease.send({ type: "revocation", report }),
      note: (text) => this.notes.push(text),
    });
    this.#startedAt = Math.min(open.resume?.startedAt ?? Number.POSITIVE_INFINITY, clock.now());
    const window = firstWindow(this.#startedAt, profile.ttlMs, profile.maxTtlMs, profile.onExpiry);
    this.#state = {
      phase: "starting",
      window: open.resume ? { ...window, limitAt: Math.min(open.resume.limitAt, window.lastLimitAt) } : window,
    };
    this.#questions = new Questions((message) => lease.send(message));
    this.#agent = new AgentHold(options.id, open.resume);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#resolveEnded = resolve;
    lease.onMessage((message) => this.#onMessage(message));
    void lease.closed.then(() => this.#onLeaseClosed());
  }

  /** The process that asked for it. */
  get launcher(): OpenMessage["launcher"] {
    return this.#options.open.launcher;
  }

  /** Takes the start steps and tells the launcher that the agent may start, or why not. Never rejects. */
  async start(): Promise<void> {
    const { lease } = this.#options;
    try {
      await this.#start();
    } catch (error) {
      const wire = toWireError(error);
      this.#record("trouble", { code: wire.code, message: wire.message });
      lease.send({ type: "failed", error: wire });
      this.#dispatch({ type: "end", at: this.#now(), cause: "failed" });
    }
  }

  /**
   * Ends the session for `cause`; the first cause wins. Resolves when all is wiped.
   * @param revokeAll where its role is full, deny every session of it
   */
  end(cause: Cause, revokeAll = false): Promise<void> {
    this.#revokeAll ||= revokeAll;
    if (cause === "killed") this.#record("kill", { by: "command" });
    this.#dispatch({ type: "end", at: this.#now(), cause });
    return this.ended;
  }

  view(): SessionView {
    const { window } = this.#state;
    const told = {
      ...this.#state,
      window: { ...window, limitAt: this.#told(window.limitAt), lastLimitAt: this.#told(window.lastLimitAt) },
    };
    return viewOf(this.#options, told, this.#grant, {
      isolation: this.#agent.isolation ?? this.#options.profile.isolation.level,
      startedAt: this.#startedAt,
      fetches: this.#tally.fetches,
      refreshes: this.#tally.refreshes,
      consoleOpened: this.#consoleOpened,
      exposure: this.#exposure,
      ...(this.#tally.signIn ? { signIn: true } : {}),
      trouble: this.#access?.broker?.trouble ?? this.#options.auditTrouble(),
      credentialsExpireAt: this.#tally.keysExpireAt,
    });
  }

  async #start(): Promise<void> {
    const { open, profile, lease, version, clock } = this.#options;
    lease.send({
      type: "step",
      name: "profile",
      state: "ok",
      text: `profile ${profile.name}: ${profile.delivery} delivery, isolation ${profile.isolation.level}`,
    });
    // When AWS was asked: this takes a millisecond or two to send.
    if (profile.isolation.level !== "strict") setImmediate(() => void this.#lookForMetadata());
    for (const text of profile.notes) lease.send({ type: "step", name: "profile", state: "warning", text });
    using waiting = new Waiting((text) => lease.send({ type: "step", name: "base", state: "warning", text }));
    const grant = await obtainGrant({
      open,
      profile,
      session: this.id,
      version,
      clock,
      endsAt: () => this.#told(this.#state.window.onExpiry === "refresh" ? this.#state.window.lastLimitAt : this.#state.window.limitAt),
      say(name, state, text) {
        waiting.moved();
        lease.send({ type: "step", name, state, text });
      },
      onPlace: (place) => void this.#openEarly(place),
      takeRole: (role) => this.#takeRole(role),
      askMfa: (serial) => waiting.whileAsking(this.#askSecret("mfa", `MFA code for ${serial}`)),
      askPassphrase: (prompt) => waiting.whileAsking(this.#askSecret("passphrase", prompt)),
      state: this.#options.paths.state,
    });
    waiting[Symbol.dispose]();
    this.#grant = grant;
    this.#tally.keys(grant.credentials.expiresAt);
    this.#record("identity", {
      base: grant.base.arn,
      source: grant.base.source,
      arn: grant.identity.arn,
      role: grant.roleArn,
      tags: grant.tags,
      caveats: [...grant.caveats],
      sessionPolicy: policyMark(profile.sessionPolicy, profile.sessionPolicyArns),
    });
    if (this.#isOver()) return grant.forget();
    if (open.dryRun) {
      const described = describedVariables({ session: this.id, profile, place: grant, folder: this.#folder, path: open.source["PATH"] });
      lease.send(this.#ready(described, undefined));
      grant.forget();
      this.#dispatch({ type: "end", at: this.#now(), cause: "exited" });
      return;
    }
    await this.#options.audit.opened;
    if (this.#isOver()) return grant.forget();
    const access = await this.#open(grant, grant.credentials);
    if (this.#isOver()) return grant.forget();
    this.#serve(access, grant);
    this.#handedOver = true;
    lease.send(this.#ready(access.childEnvironment, access.endpoint));
    this.#dispatch({ type: "ready", at: this.#now() });
    if (profile.revoke !== "never") loadAhead();
    writeStatusFile(this.#folder, this.view());
  }

  /** A session that comes back has it already. */
  #takeRole(role: string): void {
    const { paths, open, profile, clock } = this.#options;
    const use = { actor: open.actor, role, profile: profile.name, at: clock.now() };
    takeRole(paths, use, { share: profile.shareRole || open.resume !== undefined, keep: !open.dryRun });
  }

  /** What only the human can give. Once the agent runs nobody is asked on our own accord: the bar says that it is needed. */
  #askSecret(kind: "mfa" | "passphrase", prompt: string): Promise<string> {
    if (this.#state.phase === "starting") return this.#questions.ask(kind, prompt);
    if (kind === "mfa" && this.#signingIn) return this.#questions.ask(kind, prompt).then(orPutOff);
    const what = kind === "mfa" ? "an mfa code" : "a passphrase";
    return Promise.reject(new AgentRunError("mfa", `${what} is needed to renew the base credentials`, { hint: "start the agent again" }));
  }

  /** The human asked for it at the session's own terminal: they are asked what it takes, over the agent, which goes on meanwhile. */
  async #signIn(): Promise<void> {
    const [grant, access] = [this.#grant, this.#access];
    if (this.#signingIn || this.#state.phase !== "active" || !grant || !access) return;
    this.#signingIn = true;
    const { open, profile, paths, lease } = this.#options;
    const problem = await signInAnew({
      base: { credentials: profile.credentials, awsProfile: profile.awsProfile, env: open.source },
      state: paths.state,
      ask: (prompt) => this.#questions.ask("sign-in", prompt),
      renew: async () => {
        await grant.reopen();
        await access.broker?.refresh();
      },
    });
    this.#signingIn = false;
    this.#record("answer", { question: "sign-in", problem });
    lease.send({ type: "signedIn", ...(problem === undefined ? {} : { problem }) });
    this.announce();
  }

  /** Beside the rest of the start, which does not wait for it: where there is no such service, some networks say so late. */
  async #lookForMetadata(): Promise<void> {
    const { open, lease } = this.#options;
    const address = await metadataService(open.source["AWS_EC2_METADATA_SERVICE_ENDPOINT"]);
    if (address === undefined) return;
    this.#exposure = METADATA_CAVEAT;
    if (this.#state.phase === "starting") {
      lease.send({
        type: "step",
        name: "restriction",
        state: "warning",
        text: `${METADATA_CAVEAT} (${address}); --isolation strict closes it`,
      });
    }
    this.announce();
  }

  /** Killed or lost while it was still starting. */
  #isOver(): boolean {
    return this.#state.phase !== "starting";
  }

  /** While AWS is asked, so that the launcher makes the agent's place meanwhile. Nothing is served yet. */
  async #openEarly(place: Place): Promise<void> {
    const { open, profile, lease } = this.#options;
    if (open.dryRun || open.resume !== undefined || profile.delivery === "env" || this.#isOver()) return;
    try {
      const { childEnvironment, endpoint } = await this.#open(place, undefined);
      if (!this.#isOver()) lease.send({ type: "environment", childEnvironment, ...(endpoint && { port: endpoint.port }) });
    } catch {
      // `#start` meets it when it comes to it.
    }
  }

  /** Opens what the agent is served, once. Throws AgentRunError as `openAccess`. */
  #open(place: Place, keys: Grant["credentials"] | undefined): Promise<Access> {
    const { open, profile } = this.#options;
    this.#opening ??= openAccess({
      session: this.id,
      profile,
      place,
      keys,
      folder: this.#folder,
      known: open.resume,
      path: open.source["PATH"],
      onFetch: (info) => {
        this.#tally.fetched(info);
        // The launcher knows it, should this daemon die.
        if (info.status === 200 && this.#tally.fetches === 1) this.announce();
      },
    }).then((access) => {
      this.#access = access;
      return access;
    });
    return this.#opening;
  }

  /** In `env` delivery nobody can give it other keys later, so the session ends with them at the latest. */
  #serve(access: Access, grant: Grant): void {
    const { profile, clock } = this.#options;
    if (profile.delivery === "env") {
      const { window } = this.#state;
      const limitAt = Math.min(window.limitAt, grant.credentials.expiresAt);
      this.#state = { ...this.#state, window: { ...window, onExpiry: "stop", limitAt, lastLimitAt: limitAt } };
    }
    access.serve(grant, {
      clock,
      neededUntil: profile.onExpiry === "refresh" ? undefined : () => this.#told(this.#state.window.limitAt),
      onBrokerEvent: (event) => {
        this.#tally.broker(event);
        this.announce();
      },
    });
  }

  #ready(childEnvironment: Record<string, string>, endpoint: Access["endpoint"]): DaemonMessage {
    return { type: "ready", view: this.view(), childEnvironment, ...endpoint };
  }

  #onMessage(message: LauncherMessage): void {
    const at = this.#now();
    if (message.type === "spawned") {
      this.#agent.started({ pid: message.pid, started: message.started }, message.isolation);
      this.#record("spawned", { pid: message.pid, started: message.started, isolation: message.isolation });
    } else if (message.type === "answer") {
      this.#questions.answer(message.id, message.text);
    } else if (message.type === "signIn") {
      void this.#signIn();
    } else if (message.type === "kill") {
      this.#record("kill", { by: "key" });
      this.#dispatch({ type: "end", at, cause: "killed" });
    } else if (message.type === "exited") {
      this.#record("exited", { code: message.code, signal: message.signal });
      this.#changed = message.changed;
      this.#agent.confirmedGone();
      this.#dispatch({ type: "end", at, cause: "exited" });
    }
  }

  #onLeaseClosed(): void {
    this.#agent.launcherLost();
    this.#questions.giveUp();
    if (this.#state.phase === "starting" || this.#state.phase === "active") this.#record("lost", { what: "the launcher" });
    this.#dispatch({ type: "end", at: this.#now(), cause: "lost" });
  }

  #dispatch(event: SessionEvent): void {
    const { state, effects } = next(this.#state, event);
    this.#state = state;
    this.#timer?.[Symbol.dispose]();
    const at = nextTick(state);
    // A clock that was set back has not given the session more time.
    const tick = (due: Instant): void => this.#dispatch({ type: "tick", at: Math.max(this.#now(), due) });
    this.#timer = at === undefined ? undefined : this.#clock.at(at, () => tick(at));
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: SessionEffect): void {
    const state = this.#state;
    if (effect === "announce") this.announce();
    else if (effect === "ask-expiry" && !this.#asking) void this.#askForTime("expiry", undefined);
    else if (effect === "stop-refresher") {
      this.#atAws.keep(this.#access?.broker?.held());
      this.#access?.broker?.stop();
    } else if (effect === "revoke" && "cause" in state)
      this.#atAws.begin(state.cause, this.#grant, { handedOut: this.#handedOut, revokeAll: this.#revokeAll, since: this.#endingAt });
    else if (effect === "stop-agent") void this.#stopAgent();
    else if (effect === "wipe") void this.#wipe();
    else if ("cause" in state) {
      this.#endingAt = performance.now();
      this.#access?.refuse(`${REFUSALS[state.cause]}: agent-run serves no credentials any more`);
      this.timings.endpointClosedMs = performance.now() - this.#endingAt;
      if (state.cause === "killed") this.#atAws.bury(this.#grant, []);
    }
  }

  /** Whether the agent has, or may have, keys that work without us. */
  get #handedOut(): boolean {
    const { open, profile } = this.#options;
    return (
      this.#consoleOpened || this.#tally.fetches > 0 || (this.#handedOver && (profile.delivery === "env" || open.resume !== undefined))
    );
  }

  /** Tells the launcher how things stand, while the agent runs. */
  announce(): void {
    if (this.#state.phase !== "active") return;
    const view = this.view();
    writeStatusFile(this.#folder, view);
    this.#options.lease.send({ type: "status", view });
  }

  /**
   * Asks the human at this session's terminal for more time, over its lease: nobody else can give it.
   * @throws AgentRunError as `requireExtendable`
   */
  async extend(byMs: number | undefined): Promise<ExtendReply> {
    const { open } = this.#options;
    requireExtendable(this.id, this.#state, open.interactive, { open: this.#asking, refusedAt: this.#refusedAt }, this.#now());
    return this.#askForTime("extend", byMs);
  }

  /**
   * The AWS console as this session's role. From then on somebody else holds what its keys give.
   * @throws AgentRunError as `openConsole`
   */
  async console(): Promise<ConsoleReply> {
    const { profile } = this.#options;
    const reply = await openConsole(this.id, profile, this.#state.phase === "active" ? this.#grant : undefined, this.#access?.broker);
    this.#consoleOpened = true;
    this.#record("console", { keysExpireAt: new Date(reply.keysExpireAt).toISOString() });
    this.announce();
    return reply;
  }

  async #askForTime(kind: "expiry" | "extend", byMs: number | undefined): Promise<ExtendReply> {
    const before = this.#state.window.limitAt;
    this.#asking = true;
    const prompt = extensionPrompt(this.#state, this.#now(), byMs);
    const answer = await this.#questions.ask(kind, prompt, byMs === undefined ? undefined : byMs / 60_000).catch(() => "0");
    this.#asking = false;
    const minutes = Number.parseFloat(answer);
    this.#record("answer", { question: kind, minutes });
    if (minutes > 0) this.#dispatch({ type: "extend", at: this.#now(), byMs: Math.round(minutes * 60_000) });
    else this.#refusedAt = this.#now();
    const { limitAt } = this.#state.window;
    const extended = this.#state.phase === "active" && limitAt > before;
    if (extended) {
      this.#record("extend", { by: kind, limitAt: new Date(this.#told(limitAt)).toISOString() });
      // What it holds ends with the old limit.
      this.#access?.broker?.refresh().catch(() => undefined);
    }
    return { session: this.id, extended, limitAt: this.#told(limitAt) };
  }

  async #stopAgent(): Promise<void> {
    const state = this.#state;
    if (state.phase !== "ending") return;
    const { lease, profile } = this.#options;
    // Also where it has not said yet that it started an agent: it may be doing so right now.
    const revoking = this.#atAws.isRevoking;
    const end: DaemonMessage = { type: "end", cause: state.cause, graceMs: profile.graceMs, revoking };
    // The agent is gone, and its launcher must know what it waits for.
    if (this.#agent.hasLauncher && state.cause === "exited" && revoking) lease.send(end);
    const launcherEnds = this.#agent.hasLauncher && this.#handedOver && state.cause !== "exited";
    if (launcherEnds) lease.send(end);
    const left = await this.#agent.end(launcherEnds ? profile.graceMs : undefined);
    if (left > 0) this.notes.push(`${left} ${left === 1 ? "process" : "processes"} of the agent could not be ended`);
    this.timings.agentGoneMs = performance.now() - this.#endingAt;
    this.#removeFiles();
    this.revocations = await this.#atAws.reports();
    this.#dispatch({ type: "stopped", at: this.#now() });
  }

  /** A revocation may take its time; what lies on the disk need not wait for it. */
  #removeFiles(): void {
    try {
      this.#access?.removeFiles();
    } catch {
      // The wipe tries it again, and notes it.
    }
  }

  /** Every step runs, whatever an earlier one did; what failed is noted. */
  async #wipe(): Promise<void> {
    const { lease } = this.#options;
    // What is being opened still is closed too.
    await this.#opening?.catch(() => undefined);
    if (this.#access) this.notes.push(...(await this.#access.close()));
    this.#grant?.forget();
    await this.#endAudit();
    lease.send({ type: "ended", view: this.view(), notes: this.notes, revocations: [...this.revocations] });
    lease.close();
    this.#resolveEnded();
  }

  async #endAudit(): Promise<void> {
    const state = this.#state;
    const complete = await this.#options.audit.end({
      cause: "cause" in state ? state.cause : "failed",
      ...(this.#changed ? { changed: this.#changed } : {}),
      fetches: this.#tally.fetches,
      refused: this.#tally.refused,
      refreshes: this.#tally.refreshes,
      keysExpireAt: this.#grant ? new Date(this.#tally.keysExpireAt).toISOString() : undefined,
      notes: [...this.notes],
    });
    if (!complete) this.notes.push(`the audit is not complete on disk: ${this.#options.auditTrouble() ?? "writing takes too long"}`);
  }

  #record(kind: RecordKind, data: RecordData): void {
    this.#options.audit.append(kind, data);
  }

  #now(): Instant {
    return this.#clock.now();
  }

  /** An instant of the session's window as the machine's clock will show it. */
  #told(at: Instant): Instant {
    return at - this.#clock.ahead();
  }
}

/** Throws AgentRunError `mfa` for an answer that is none. */
function orPutOff(answer: string): string {
  if (answer !== "") return answer;
  throw new AgentRunError("mfa", "it was put off", { hint: "the kill key, then s, when you have the code at hand" });
}
