// One launched agent, from its session's plan to the end: process, bar, kill. Loaded by launch.ts while the daemon is at work.
// Who waits for whom: the daemon waits for our `exited` after its `end` (its grace plus 2 s); we wait for its `ended` (LAST_WORD_MS, or where it
// revokes REVOKED_MS) after the agent is gone; the kill key or a signal ends that waiting, and the daemon goes on alone.
import { rmSync } from "node:fs";
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
import type { ProcessExit } from "../core/command.ts";
import { processInfo } from "../core/process-tree.ts";
import type { AgentProcess } from "../terminal/agent-process.ts";
import type { TerminalAgent } from "../terminal/attach.ts";
import { barState } from "./bar-state.ts";
import { Ending, exitStatus } from "./ending.ts";
import type { Waiting } from "./held.ts";
import { isolationPlan } from "./isolate.ts";
import type { LaunchRequest } from "./launch.ts";
import { type Found, Leftovers } from "./leftovers.ts";
import { PassedOn } from "./passed-on.ts";
import { Preparation, type Prepared } from "./preparation.ts";
import { Questions } from "./questions.ts";
import { sessionDetails } from "./session-details.ts";
import type { LinkHandlers, SessionLink } from "./session-link.ts";
import { endNotes, freshRow, recorded, sayEnd } from "./summary.ts";
import { TimeWatch } from "./time-watch.ts";

const LAST_WORD_MS = 3000;
/** Where keys are being denied in IAM: as long as the daemon looks whether it holds, and what the calls may take. */
const REVOKED_MS = 90_000;
/** How long a kill waits for the daemon to cut the access first; the agent is ended then all the same. */
const CUT_FIRST_MS = 300;
const BAR_TICK_MS = 1000;
/** What is not needed at the start is loaded when the agent had time to start. */
const LATER_MS = 1500;
/** How long a message stays on the bar. */
const NOTICE_MS = 15_000;
/** How long a terminal has to be given back before the look at what the agent left; one that is stalled is waited for later. */
const GIVEN_BACK_MS = 200;

/** One launched agent, and what the session's daemon says about it meanwhile. */
export class Running implements LinkHandlers {
  readonly #request: LaunchRequest;
  readonly #inTerminal: boolean;
  readonly #atTerminal: boolean;
  readonly #endAsked = Promise.withResolvers<void>();
  readonly #hurry = new AbortController();
  #plan: PlanMessage | undefined;
  #agent: AgentProcess | undefined;
  #screen: TerminalAgent | undefined;
  readonly #leftovers: Leftovers;
  /** Its limit is one of `#clock`. */
  #view: SessionView | undefined;
  readonly #ending = new Ending();
  #stopping: Promise<unknown> | undefined;
  /** The agent is gone: who is in a hurry now does not want to wait for the daemon. */
  readonly #left = Promise.withResolvers<void>();
  readonly #clock = steadyClock(systemClock);
  readonly #preparation: Preparation;
  readonly #questions: Questions;
  readonly #time: TimeWatch;

  /**
   * @param inTerminal whether the agent runs in a terminal of ours
   * @param atTerminal whether the human sits at one, which may be too plain for that
   */
  constructor(request: LaunchRequest, file: string, inTerminal: boolean, atTerminal: boolean) {
    this.#request = request;
    this.#inTerminal = inTerminal;
    this.#atTerminal = atTerminal;
    this.#leftovers = new Leftovers(request.context.cwd, request.env["HOME"] ?? "");
    this.#preparation = new Preparation(request, file, inTerminal, (text) => this.say(text));
    this.#questions = new Questions({ atTerminal, inTerminal }, request.context.streams, () => this.#preparation.terminalRead());
    this.#time = new TimeWatch(this.#clock, () => this.#view, { silence: () => this.#onSilence(), notice: (now) => this.#notify(now) });
  }

  plan(plan: PlanMessage): void {
    this.#plan = plan;
    this.#preparation.begin(plan);
  }

  environment(environment: EnvironmentMessage): void {
    // A terminal that reads an answer just now has not the modes that the agent is to have.
    if (!this.#questions.isOpen || this.#inTerminal) this.#preparation.hold(environment);
  }

  step({ state, text }: StepMessage): void {
    const { print } = this.#request.context;
    // Another daemon goes through the start again: the terminal is the agent's by now.
    if (this.#screen) {
      if (state === "warning") this.say(text);
    } else if (this.#atTerminal || this.#request.dryRun) this.#questions.beside(() => print.step(state, text));
    else if (state === "warning") print.warn(text);
  }

  ask(kind: QuestionKind, prompt: string, minutes?: number): Promise<string> {
    return this.#questions.ask(kind, prompt, minutes);
  }

  signedIn(problem: string | undefined): void {
    this.#questions.signedIn();
    this.say(problem === undefined ? "signed in: the session goes on" : `not signed in: ${problem}`);
  }

  status(view: SessionView): void {
    // The daemon knows what was asked for; a demo may have less.
    const ahead = this.#clock.ahead();
    const endsAt = view.endsAt === undefined ? {} : { endsAt: view.endsAt + ahead };
    // What the bar would show all the while is said once where there is none.
    if (!this.#screen && view.trouble !== undefined && view.trouble !== this.#view?.trouble) this.say(view.trouble);
    this.#view = { ...view, ...endsAt, limitAt: view.limitAt + ahead, isolation: this.#view?.isolation ?? view.isolation };
    this.#time.watchLimit();
    void this.#watchEnd();
    this.#paintBar();
  }

  end(cause: Cause, graceMs: number, revoking: boolean): void {
    if (cause !== "exited") void this.#notify(cause);
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
    else this.#questions.beside(() => this.#request.context.print.warn(text));
  }

  /** Runs the agent, or describes what would run. Gives the exit status. Throws AgentRunError `isolation` or `lease`. */
  async run(link: SessionLink, ready: ReadyMessage): Promise<number> {
    const prepared = await this.#preparation.finish(ready);
    this.#view = prepared.view;
    return this.#request.dryRun ? this.#describe(prepared) : this.#carryOut(link, prepared);
  }

  async #describe(prepared: Prepared): Promise<number> {
    const { env, actor, context } = this.#request;
    const { plan, command, isolation } = prepared;
    const settings = { ...plan.isolation, level: isolation.level };
    const place = isolation.plan ?? (await isolationPlan({ env, actor, file: command.file, context }, settings));
    return (await import("./dry-run.ts")).describeDryRun(this.#request, prepared, place);
  }

  /** All is over: what was prepared is let go. */
  async leave(): Promise<void> {
    await this.#preparation.leave(this.#view !== undefined, this.#screen !== undefined);
  }

  /** Starts the agent, waits for its end, and for everything to be wiped. Gives the exit status. */
  async #carryOut(link: SessionLink, prepared: Prepared): Promise<number> {
    const { plan, isolation } = prepared;
    const { intro, context } = this.#request;
    const held = await this.#preparation.held();
    // Ended before there was an agent: none is started.
    if (this.#ending.cause !== undefined) {
      await held?.end();
      return this.#close(link, prepared, {});
    }
    const waiting = await held?.take();
    if (intro !== undefined && this.#atTerminal) context.print.text(intro(this.#inTerminal ? prepared.plan.killKey : undefined));
    this.#leftovers.begin();
    this.#questions.handedOver();
    await using agent = this.#inTerminal ? await this.#attach(link, prepared, waiting) : await this.#preparation.start(prepared, waiting);
    this.#agent = agent;
    link.spawned(agent.pid, processInfo(agent.pid)?.started ?? "", isolation.level);
    using signals = new PassedOn((name) => {
      if (this.#ending.isAgentGone) this.#left.resolve();
      agent.signal(name);
      // The terminal is gone: an agent that does not leave by itself is ended.
      if (name === "SIGHUP") void this.#stop(plan.graceMs);
    });
    const ticking = this.#screen ? setInterval(() => this.#paintBar(), BAR_TICK_MS) : undefined;
    if (this.#ending.cause) void this.#stop(plan.graceMs);
    this.#time.watchLimit();
    setTimeout(() => {
      this.#leftovers.loadAhead();
      if (this.#inTerminal) void this.#watchEnd();
    }, LATER_MS).unref();

    const exit = await agent.exited;
    this.#time[Symbol.dispose]();
    clearInterval(ticking);
    await this.#stopping;
    await agent.stop(0);
    return await this.#close(link, prepared, exit, signals);
  }

  /** Everything is wiped and said. Gives the exit status. */
  async #close(link: SessionLink, { plan, isolation, view }: Prepared, exit: ProcessExit, signals?: PassedOn): Promise<number> {
    // First of all: whatever holds us up from here on, the daemon wipes.
    link.exited(exit);
    this.#ending.agentGone();
    this.#showProgress();
    // An agent that ended by itself has nothing more to show: its terminal is given back while the daemon wipes.
    if (this.#screen && this.#ending.cause === undefined) await within(this.#screen.restore(), GIVEN_BACK_MS).catch(() => {});
    const find = (): Promise<Found> => this.#leftovers.find(isolation);
    const { changed, notes: putBack, left } = await (signals?.exceptWhile(find) ?? find());
    link.left(recorded(changed));
    const last = await link.lastWord(() => (this.#ending.isRevoking ? REVOKED_MS : LAST_WORD_MS), this.#left.promise);
    if (last === undefined) rmSync(plan.folder, { recursive: true, force: true });
    const notRemoved = isolation.release();
    await this.#screen?.restore();
    const cause = last?.view.cause ?? this.#ending.cause ?? "lost";
    const { print, streams } = this.#request.context;
    // Who looks at the bar sees why it went, wherever stderr goes.
    const besides = this.#screen !== undefined && !streams.stderr.isTTY && cause !== "exited";
    const shown = besides ? streams.stdout : streams.stderr;
    if (this.#screen && shown.isTTY) shown.write(freshRow(shown.columns, cause));
    const revocations = last?.revocations ?? this.#ending.revocations;
    const notes = endNotes(last, [...putBack, ...notRemoved], this.#ending.isRevoking);
    sayEnd(print, { view: last?.view ?? this.#view ?? view, cause, notes, revocations, left, quiet: !this.#atTerminal, besides });
    return exitStatus(exit, cause);
  }

  async #attach(link: SessionLink, prepared: Prepared, waiting: Waiting | undefined): Promise<TerminalAgent> {
    const { env, bar, actor } = this.#request;
    const { killKey, graceMs } = prepared.plan;
    const screen = await this.#preparation.attach(prepared, waiting, {
      agent: actor,
      details: () => (this.#view ? sessionDetails(this.#view, this.#clock.now()) : []),
      killKey,
      nested: env["AGENT_RUN"] === "1",
      bar: bar && this.#view ? barState(this.#view, this.#clock.now(), killKey) : undefined,
      onKill: () => this.#kill(link, graceMs),
      signIn: { needed: () => this.#view?.signIn === true, begin: () => link.signIn() },
    });
    this.#screen = screen;
    this.#questions.attached(screen);
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

  #onSilence(): void {
    if (this.#ending.cause !== undefined || this.#plan === undefined) return;
    this.say("the daemon does not answer at the time limit: the agent is ended");
    this.end("expired", this.#plan.graceMs, false);
  }

  async #watchEnd(): Promise<void> {
    if (this.#screen) await this.#time.watchEnd();
  }

  /** Of a session in a terminal, for scripts have nobody to tell; and while it is not ending, for who pressed the key knows. */
  async #notify(what: Cause | Instant): Promise<void> {
    const [screen, view, { env }] = [this.#screen, this.#view, this.#request];
    if (!screen || !view || this.#ending.cause !== undefined) return;
    const found = await import("./end-notice.ts").catch(() => undefined);
    found?.notify(view, what, this.#plan?.notify ?? "auto", env, (sequence) => screen.send(sequence));
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
