// One launched agent, from its session's plan to the end: isolation, process, bar, kill. Loaded by launch.ts while the daemon is at work.
// Who waits for whom: the daemon waits for our `exited` after its `end` (its grace plus 2 s); we wait for its `ended` (LAST_WORD_MS, or where it
// revokes REVOKED_MS) after the agent is gone; the kill key or a signal ends that waiting, and the daemon goes on alone.
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { ReadStream, WriteStream } from "node:tty";
import type {
  Cause,
  EnvironmentMessage,
  PlanMessage,
  QuestionKind,
  ReadyMessage,
  RevocationReport,
  SessionView,
  StepMessage,
} from "../control/protocol.ts";
import { type Instant, steadyClock, systemClock, within } from "../core/clock.ts";
import type { ProcessExit, Command as Program } from "../core/command.ts";
import { AgentRunError } from "../core/error.ts";
import { closeInherited } from "../core/inherited.ts";
import { processInfo } from "../core/process-tree.ts";
import type { Isolation } from "../isolation/isolate.ts";
import type { LeftBehind } from "../isolation/left-behind.ts";
import { childEnvironment, type EnvironmentChange } from "../session/environment.ts";
import type { AgentProcess } from "../terminal/agent-process.ts";
import type { PreparedTerminal, TerminalAgent } from "../terminal/attach.ts";
import { type PlainAgent, spawnPlain } from "../terminal/plain.ts";
import { barState } from "./bar-state.ts";
import { describeDryRun } from "./dry-run.ts";
import { Ending, exitStatus } from "./ending.ts";
import { askForTime } from "./expiry-question.ts";
import { Held, type Waiting } from "./held.ts";
import { isolate, neededPorts, projectOf } from "./isolate.ts";
import { type Keeper, startKeeper } from "./keeper.ts";
import type { LaunchRequest } from "./launch.ts";
import { sessionDetails } from "./session-details.ts";
import type { LinkHandlers, SessionLink } from "./session-link.ts";
import { askToSignIn } from "./sign-in-question.ts";
import { endNotes, freshRow, recorded, sayEnd } from "./summary.ts";

const LAST_WORD_MS = 3000;
/** Where keys are being denied in IAM: as long as the daemon looks whether it holds, and what the calls may take. */
const REVOKED_MS = 90_000;
/** How long a kill waits for the daemon to cut the access first; the agent is ended then all the same. */
const CUT_FIRST_MS = 300;
const BAR_TICK_MS = 1000;
/** How long after the limit the daemon may take to say what follows; one that is stopped or hangs says nothing. */
const SILENT_MS = 3000;
/** What it said while this machine slept, or this process was stopped, is read first. */
const READ_FIRST_MS = 1000;
/** What is not needed at the start is loaded when the agent had time to start. */
const LATER_MS = 1500;
/** In the session's folder, which is read-only inside: made when an agent in a terminal may start. */
const RELEASE_FILE = "released";
/** How long a message stays on the bar. */
const NOTICE_MS = 15_000;
/** What is passed on to the agent. SIGTSTP and SIGCONT are job control: the terminal part handles them. */
const FORWARDED = ["SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const;

/** Everything that is known before the agent starts. */
export interface Prepared {
  readonly plan: PlanMessage;
  readonly view: SessionView;
  readonly command: Program;
  readonly isolation: Isolation;
  readonly changes: readonly EnvironmentChange[];
  /** Of the machine's loopback: what the agent must reach, whatever its network is. */
  readonly ports: readonly number[];
}

/** One launched agent, and what the session's daemon says about it meanwhile. */
export class Running implements LinkHandlers {
  readonly #request: LaunchRequest;
  readonly #file: string;
  readonly #inTerminal: boolean;
  readonly #endAsked = Promise.withResolvers<void>();
  readonly #hurry = new AbortController();
  /** A session that is shorter than the time of its question asks before the terminal stands. */
  readonly #attached = Promise.withResolvers<TerminalAgent>();
  #plan: PlanMessage | undefined;
  #signInShown: AbortController | undefined;
  #keeper: Keeper | undefined;
  #over = false;
  #isolation: Promise<Isolation> | undefined;
  /** Undefined where the agent is started at once, when it may. */
  #held: Promise<Held | undefined> | undefined;
  #terminal: Promise<PreparedTerminal> | undefined;
  #agent: AgentProcess | undefined;
  #screen: TerminalAgent | undefined;
  /** When it was started. */
  #agentSince: Instant | undefined;
  /** As it was before there was an agent, which can make a folder look like a project of its own. */
  readonly #project: string;
  /** Its limit is one of `#clock`. */
  #view: SessionView | undefined;
  readonly #ending = new Ending();
  #stopping: Promise<unknown> | undefined;
  #limitWatch: Disposable | undefined;
  #noticeWatch: Disposable | undefined;
  /** The end that a notice was planned for. */
  #toldOf: number | undefined;
  /** The agent is gone: who is in a hurry now does not want to wait for the daemon. */
  readonly #left = Promise.withResolvers<void>();
  readonly #clock = steadyClock(systemClock);

  constructor(request: LaunchRequest, file: string, inTerminal: boolean) {
    this.#request = request;
    this.#file = file;
    this.#inTerminal = inTerminal;
    this.#project = projectOf(request.context.cwd);
  }

  /** The terminal is prepared, and the sandbox looked at and planned, while the daemon talks to AWS. */
  plan(plan: PlanMessage): void {
    const { env, actor, context, mayStepDown, dryRun } = this.#request;
    this.#plan = plan;
    // A folder, a file or a terminal that is already open would be a way around the sandbox.
    if (plan.isolation.level !== "none") closeInherited((stat) => stat.isFIFO());
    // Before the daemon makes the session's folder: of a launcher and a daemon that both die now, somebody must know.
    this.#keep();
    if (this.#inTerminal && !dryRun) {
      this.#terminal = this.#prepareTerminal();
      this.#terminal.catch(() => {});
    }
    const place = { env, actor, file: this.#file, context };
    this.#isolation = isolate(place, plan.isolation, plan.folder, { may: mayStepDown, say: (text) => this.say(text) });
    // It is awaited in `prepared`; a session that fails before has its own error.
    this.#isolation
      .then(({ level, plan }) => {
        // Reading the plan of level `none` would make one.
        if (level !== "none") for (const text of plan.warnings) this.say(text);
      })
      .catch(() => {});
  }

  /** The sandbox is made while the daemon talks to AWS. What runs in it until the session stands is our own shell. */
  environment({ childEnvironment, port }: EnvironmentMessage): void {
    this.#held = this.#hold(childEnvironment, port);
    // It is awaited in `#carryOut`.
    this.#held.catch(() => {});
  }

  async #hold(set: Record<string, string>, port: number | undefined): Promise<Held | undefined> {
    const [isolation, terminal] = [await this.#isolation, await this.#terminal];
    const plan = this.#plan;
    if (!plan || !isolation?.sealed || this.#over) return undefined;
    const { command } = this.#command(set, plan);
    const ports = neededPorts(port, command.env["AWS_ENDPOINT_URL"]);
    if (terminal === undefined) return new Held(isolation, plan.folder, () => ({ plain: this.#spawn(command, isolation, ports) }));
    const [{ startShim }, { sizeOf }] = await Promise.all([import("../terminal/shim-host.ts"), import("../terminal/attach.ts")]);
    // Before the PTY, whose master every later child inherits.
    this.#keep();
    const { human, output, openPty } = terminal;
    const size = sizeOf(output);
    return new Held(isolation, plan.folder, () => ({
      shim: startShim(openPty, { ...this.#place(command, isolation, ports, plan), modes: human.modes, size }),
    }));
  }

  step({ state, text }: StepMessage): void {
    const { print } = this.#request.context;
    // Another daemon goes through the start again: the terminal is the agent's by now.
    if (this.#screen) {
      if (state === "warning") this.say(text);
    } else if (this.#inTerminal || this.#request.dryRun) print.step(state, text);
    else if (state === "warning") print.warn(text);
  }

  async ask(kind: QuestionKind, prompt: string, minutes?: number): Promise<string> {
    if (kind === "sign-in") return this.#showSignIn(prompt);
    // Once there is an agent, its terminal is not read for us: an overlay asks.
    if (kind === "mfa" && this.#screen) return (await this.#screen.code("MFA code", [prompt])) ?? "";
    if (kind === "expiry" || kind === "extend")
      return this.#inTerminal ? String(await askForTime(await this.#attached.promise, kind, prompt, minutes)) : "0";
    if (!this.#inTerminal) {
      throw kind === "mfa"
        ? new AgentRunError("mfa", "the profile wants an MFA code, and there is no terminal to ask for it", {
            hint: "run it in a terminal, or take mfa_serial out of the profile",
          })
        : new AgentRunError("base-credentials", `the ${prompt} is needed, and there is no terminal to ask for it`, {
            hint: "run it in a terminal, or name other base credentials with --aws-profile",
          });
    }
    // The modes that the question changes were read by then.
    await this.#terminal;
    const { askLine } = await import("../terminal/prompt.ts");
    const { streams } = this.#request.context;
    return askLine(streams.stdin as ReadStream, streams.stderr as WriteStream, `${prompt}: `, { hidden: kind === "passphrase" });
  }

  signedIn(problem: string | undefined): void {
    this.#signInShown?.abort();
    this.say(problem === undefined ? "signed in: the session goes on" : `not signed in: ${problem}`);
  }

  /** Stands until the daemon says that it is over, or the human gives it up. */
  async #showSignIn(prompt: string): Promise<string> {
    this.#signInShown = new AbortController();
    await askToSignIn(await this.#attached.promise, prompt, this.#signInShown.signal);
    return "";
  }

  status(view: SessionView): void {
    // The daemon knows what was asked for; a demo may have less.
    const ahead = this.#clock.ahead();
    const endsAt = view.endsAt === undefined ? {} : { endsAt: view.endsAt + ahead };
    this.#view = { ...view, ...endsAt, limitAt: view.limitAt + ahead, isolation: this.#view?.isolation ?? view.isolation };
    this.#watchLimit();
    void this.#watchEnd();
    this.#paintBar();
  }

  end(cause: Cause, graceMs: number, revoking: boolean): void {
    // Who pressed the key, or let the agent leave, knows.
    if (this.#ending.cause === undefined && cause !== "exited") void this.#notify(cause);
    this.#ending.cut(cause, graceMs, revoking);
    this.#endAsked.resolve();
    this.#showProgress();
    void this.#stop(graceMs);
  }

  revocation(report: RevocationReport): void {
    this.#ending.report(report);
    this.#showProgress();
  }

  #showProgress(): void {
    const lines = this.#ending.progress(this.#request.actor);
    if (lines) this.#screen?.progress(lines);
  }

  interrupted(state: "lost" | "restored" | "unrestored", why: string): void {
    const words = {
      lost: `the daemon is gone (${why}); restoring the session`,
      restored: "the daemon was restarted; the session goes on",
      unrestored: `the session cannot be restored, and is ended: ${why}`,
    };
    this.say(words[state]);
  }

  /** To the human, wherever it can be seen now. */
  say(text: string): void {
    if (this.#screen) this.#screen.notice(text, NOTICE_MS);
    else this.#request.context.print.warn(text);
  }

  /** Runs the agent, or describes what would run. Gives the exit status. Throws AgentRunError `isolation` or `lease`. */
  async run(link: SessionLink, ready: ReadyMessage): Promise<number> {
    const prepared = await this.#prepared(ready);
    return this.#request.dryRun ? describeDryRun(this.#request, prepared) : this.#carryOut(link, prepared);
  }

  /** All is over: what was prepared is let go. */
  async leave(): Promise<void> {
    this.#over = true;
    await (await this.#held?.catch(() => undefined))?.end();
    // The daemon does it too, but who sees us gone looks for it.
    if (this.#held && this.#view === undefined && this.#plan) rmSync(this.#plan.folder, { recursive: true, force: true });
    const prepared = await this.#terminal?.catch(() => undefined);
    if (this.#screen === undefined) prepared?.human.close();
    this.#keeper?.dismiss();
  }

  async #prepared(ready: ReadyMessage): Promise<Prepared> {
    const isolation = await this.#isolation;
    const plan = this.#plan;
    if (!plan || !isolation)
      throw new AgentRunError("lease", "the daemon began a session without its plan", { hint: "agent-run daemon stop" });
    const { command, changes } = this.#command(ready.childEnvironment, plan);
    const view = { ...ready.view, isolation: isolation.level };
    this.#view = view;
    return { plan, view, isolation, changes, command, ports: neededPorts(ready.port, command.env["AWS_ENDPOINT_URL"]) };
  }

  #command(set: Record<string, string>, { pass, isolation }: PlanMessage): Pick<Prepared, "command" | "changes"> {
    const { env, args, context } = this.#request;
    const child = childEnvironment({ human: env, set, pass, allow: isolation.allow });
    return { command: { file: this.#file, args, cwd: context.cwd, env: child.env }, changes: child.changes };
  }

  #spawn(command: Program, isolation: Isolation, ports: readonly number[]): PlainAgent {
    return spawnPlain(command, { wrap: (inner) => isolation.wrap(inner, ports), sealed: isolation.sealed });
  }

  /** Of an agent in a terminal. */
  #place(command: Program, isolation: Isolation, ports: readonly number[], { folder }: PlanMessage) {
    const releaseFile = isolation.sealed ? join(folder, RELEASE_FILE) : undefined;
    return { command, wrap: (inner: Program) => isolation.wrap(inner, ports), releaseFile };
  }

  /** Starts the agent, waits for its end, and for everything to be wiped. Gives the exit status. */
  async #carryOut(link: SessionLink, prepared: Prepared): Promise<number> {
    const { plan, command, isolation, ports } = prepared;
    const { intro, context } = this.#request;
    const held = await this.#held;
    // Ended before there was an agent: none is started.
    if (this.#ending.cause !== undefined) {
      await held?.end();
      return this.#close(link, prepared, {});
    }
    const waiting = await held?.take();
    if (intro !== undefined && this.#inTerminal) context.print.out(intro);
    // Before the PTY, whose master every later child inherits, and before processes that nothing else ties to us.
    if (this.#inTerminal || !isolation.sealed) this.#keep();
    this.#agentSince = systemClock.now();
    await using agent = this.#inTerminal
      ? await this.#attach(link, prepared, waiting)
      : this.#released(waiting, () => this.#spawn(command, isolation, ports));
    this.#agent = agent;
    this.#keep();
    link.spawned(agent.pid, processInfo(agent.pid)?.started ?? "", isolation.level);
    const passOn = (name: NodeJS.Signals): void => {
      if (this.#ending.isAgentGone) this.#left.resolve();
      agent.signal(name);
      // The terminal is gone: an agent that does not leave by itself is ended.
      if (name === "SIGHUP") void this.#stop(plan.graceMs);
    };
    for (const name of FORWARDED) process.on(name, passOn);
    const ticking = this.#screen ? setInterval(() => this.#paintBar(), BAR_TICK_MS) : undefined;
    if (this.#ending.cause) void this.#stop(plan.graceMs);
    this.#watchLimit();
    if (this.#inTerminal) setTimeout(() => void this.#watchEnd(), LATER_MS).unref();

    const exit = await agent.exited;
    this.#limitWatch?.[Symbol.dispose]();
    this.#noticeWatch?.[Symbol.dispose]();
    clearInterval(ticking);
    await this.#stopping;
    await agent.stop(0);
    const status = await this.#close(link, prepared, exit);
    for (const name of FORWARDED) process.off(name, passOn);
    return status;
  }

  #released(waiting: Waiting | undefined, spawn: () => PlainAgent): PlainAgent {
    const agent = waiting !== undefined && "plain" in waiting ? waiting.plain : spawn();
    agent.release();
    return agent;
  }

  /** Everything is wiped and said. Gives the exit status. */
  async #close(link: SessionLink, { plan, isolation, view }: Prepared, exit: ProcessExit): Promise<number> {
    const left = await this.#leftBehind(isolation);
    link.exited({ ...exit, ...(left && left.changed.length > 0 ? { changed: recorded(left.changed) } : {}) });
    this.#ending.agentGone();
    this.#showProgress();
    // An agent that ended by itself has nothing more to show: its terminal is given back while the daemon wipes.
    const restoring = this.#ending.cause === undefined ? this.#screen?.restore() : undefined;
    restoring?.catch(() => {});
    const last = await link.lastWord(() => (this.#ending.isRevoking ? REVOKED_MS : LAST_WORD_MS), this.#left.promise);
    if (last === undefined) rmSync(plan.folder, { recursive: true, force: true });
    const notRemoved = isolation.release();
    await (restoring ?? this.#screen?.restore());
    const cause = last?.view.cause ?? this.#ending.cause ?? "lost";
    const { print, streams } = this.#request.context;
    if (this.#screen && streams.stderr.isTTY) streams.stderr.write(freshRow(streams.stderr.columns, cause));
    const revocations = last?.revocations ?? this.#ending.revocations;
    const notes = endNotes(last, notRemoved, this.#ending.isRevoking);
    sayEnd(print, { view: last?.view ?? this.#view ?? view, cause, notes, revocations, left, quiet: !this.#inTerminal });
    return exitStatus(exit, cause);
  }

  #keep(): void {
    if (this.#over || this.#request.dryRun) return;
    this.#keeper ??= startKeeper(this.#request.context);
  }

  /** Undefined where no agent ran, and in a home or wider, where nothing is a project. */
  async #leftBehind(isolation: Isolation): Promise<LeftBehind | undefined> {
    const project = this.#project;
    if (this.#agentSince === undefined || project === "/" || project === this.#request.env["HOME"]) return undefined;
    const made = isolation.level === "none" ? [] : isolation.plan.entries.filter(({ standIn }) => standIn !== undefined);
    const { leftBehind } = await import("../isolation/left-behind.ts");
    return leftBehind(project, this.#agentSince, new Set(made.map(({ path }) => path)));
  }

  async #prepareTerminal(): Promise<PreparedTerminal> {
    const { stdin, stdout } = this.#request.context.streams;
    const { prepareTerminal } = await import("../terminal/attach.ts");
    return prepareTerminal(stdin as ReadStream, stdout as WriteStream);
  }

  async #attach(link: SessionLink, { plan, command, isolation, ports }: Prepared, waiting: Waiting | undefined): Promise<TerminalAgent> {
    const { env, bar } = this.#request;
    const { attachTerminal } = await import("../terminal/attach.ts");
    const shim = waiting !== undefined && "shim" in waiting ? waiting.shim : undefined;
    const attaching = attachTerminal(await (this.#terminal ?? this.#prepareTerminal()), {
      ...this.#place(command, isolation, ports, plan),
      shim,
      env,
      agent: this.#request.actor,
      details: () => (this.#view ? sessionDetails(this.#view, this.#clock.now()) : []),
      killKey: plan.killKey,
      nested: env["AGENT_RUN"] === "1",
      bar: bar && this.#view ? barState(this.#view, this.#clock.now(), plan.killKey) : undefined,
      onKill: () => this.#kill(link, plan.graceMs),
      signIn: { needed: () => this.#view?.signIn === true, begin: () => link.signIn() },
    });
    attaching.catch(() => shim?.end());
    const screen = await attaching;
    this.#screen = screen;
    this.#attached.resolve(screen);
    return screen;
  }

  /** The human confirmed at the bar. Access is cut first; a second confirmation skips the grace. */
  #kill(link: SessionLink, graceMs: number): void {
    if (this.#ending.cause) {
      this.#hurry.abort();
      if (this.#ending.isAgentGone) this.#left.resolve();
      return;
    }
    this.#ending.killed();
    link.kill();
    void within(this.#endAsked.promise, CUT_FIRST_MS).then(() => this.#stop(graceMs));
  }

  /** The agent does not outlive its limit because nobody says that it is over. */
  #watchLimit(): void {
    const limitAt = this.#view?.limitAt;
    this.#limitWatch?.[Symbol.dispose]();
    if (limitAt === undefined || this.#plan === undefined) return;
    const { graceMs } = this.#plan;
    const look = (): void => {
      if (this.#ending.cause !== undefined || this.#view?.limitAt !== limitAt) return;
      this.say("the daemon does not answer at the time limit: the agent is ended");
      this.end("expired", graceMs, false);
    };
    this.#limitWatch = this.#clock.at(limitAt + SILENT_MS, () => setTimeout(look, READ_FIRST_MS).unref());
  }

  /** Two minutes before the end the human is told, wherever they are looking; once for each end. */
  async #watchEnd(): Promise<void> {
    const view = this.#view;
    if (!this.#screen || view?.endsAt === undefined || view.endsAt === this.#toldOf) return;
    const { noticeAt } = await import("./end-notice.ts");
    const { endsAt } = view;
    this.#toldOf = endsAt;
    this.#noticeWatch?.[Symbol.dispose]();
    this.#noticeWatch = this.#clock.at(noticeAt(view) ?? endsAt, () => {
      const now = this.#clock.now();
      if (this.#ending.cause === undefined && now < endsAt) void this.#notify(now);
    });
  }

  /** Only of a session in a terminal: scripts have nobody to tell. */
  async #notify(what: Cause | Instant): Promise<void> {
    const [screen, view, { env }] = [this.#screen, this.#view, this.#request];
    if (!screen || !view) return;
    const { notify } = await import("./end-notice.ts");
    notify(view, what, this.#plan?.notify ?? "auto", env, (sequence) => screen.send(sequence));
  }

  #stop(graceMs: number): Promise<unknown> | undefined {
    this.#stopping ??= this.#agent?.stop(graceMs, this.#hurry.signal);
    return this.#stopping;
  }

  #paintBar(): void {
    const killKey = this.#plan?.killKey;
    if (this.#screen && this.#view && killKey) this.#screen.setBar(barState(this.#view, this.#clock.now(), killKey));
  }
}
