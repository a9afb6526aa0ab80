// A run from launch to wipe, as the launcher sees it: session, isolation, agent, bar, end. Called by run.ts and demo.ts.
// Who waits for whom: the daemon waits for our `exited` after its `end` (its grace plus 2 s); we wait for its `ended` (LAST_WORD_MS) after the agent is gone.
import { constants, userInfo } from "node:os";
import type { ReadStream, WriteStream } from "node:tty";
import type { Cause, OpenMessage, Overrides, PlanMessage, ReadyMessage, SessionView, StepMessage } from "../control/protocol.ts";
import { openLeaseOrStart } from "../control/start-daemon.ts";
import { systemClock, within } from "../core/clock.ts";
import type { ProcessExit, Command as Program } from "../core/command.ts";
import { AgentRunError } from "../core/error.ts";
import type { Environment } from "../core/paths.ts";
import { processInfo } from "../core/process-tree.ts";
import type { Isolation } from "../isolation/isolate.ts";
import { childEnvironment, type EnvironmentChange } from "../session/environment.ts";
import type { AgentProcess } from "../terminal/agent-process.ts";
import type { TerminalAgent } from "../terminal/attach.ts";
import { resolveExecutable } from "../terminal/executable.ts";
import { spawnPlain } from "../terminal/plain.ts";
import { barState } from "./bar-state.ts";
import type { Context } from "./command.ts";
import { describeDryRun } from "./dry-run.ts";
import { askExpiry } from "./expiry-question.ts";
import { isolate } from "./isolate.ts";
import { type LinkHandlers, SessionLink } from "./session-link.ts";
import { sourceEnvironment } from "./source-environment.ts";
import { startCommand } from "./start-command.ts";
import { endNotes, sayEnd } from "./summary.ts";

export interface LaunchRequest {
  readonly agent: string;
  readonly args: readonly string[];
  /** The `agent-actor` tag. */
  readonly actor: string;
  /** The human's environment, from which the agent's is made. */
  readonly env: Environment;
  readonly overrides: Overrides;
  readonly bar: boolean;
  readonly dryRun: boolean;
  /** Whether a machine without isolation may go on without it, saying so: the demo alone, which holds no real access. */
  readonly mayStepDown: boolean;
  /** Printed once the session stands, before the agent starts in a terminal. */
  readonly intro?: string;
  readonly context: Context;
}

const LAST_WORD_MS = 3000;
/** How long a kill waits for the daemon to cut the access first; the agent is ended then all the same. */
const CUT_FIRST_MS = 300;
const BAR_TICK_MS = 1000;
/** What is passed on to the agent. SIGTSTP and SIGCONT are job control: the terminal part handles them. */
const FORWARDED = ["SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const;

/** Runs the agent and gives the exit status of the whole command. Throws AgentRunError when nothing was started. */
export async function launch(request: LaunchRequest): Promise<number> {
  const { context } = request;
  const file = resolveExecutable(request.agent, request.env["PATH"], context.cwd);
  const inTerminal = context.stdin.isTTY === true && context.stdout.isTTY === true && request.env["TERM"] !== "dumb";
  const run = new Run(request, file, inTerminal);
  const { link, ready } = await SessionLink.open(
    async () => {
      const { lease, daemon } = await openLeaseOrStart(context.paths, { startCommand: startCommand(context), version: context.version });
      if (daemon.note !== undefined) run.say(daemon.note);
      return lease;
    },
    openMessage(request, inTerminal),
    run,
  );
  try {
    const prepared = await run.prepared(ready);
    return request.dryRun ? describeDryRun(request, prepared) : await run.carryOut(link, prepared);
  } finally {
    link.close();
  }
}

function openMessage({ context, actor, env, overrides, dryRun }: LaunchRequest, interactive: boolean): OpenMessage {
  return {
    type: "open",
    actor,
    developer: userInfo().username,
    cwd: context.cwd,
    overrides,
    source: sourceEnvironment(env),
    interactive,
    dryRun,
  };
}

/** Everything that is known before the agent starts. */
export interface Prepared {
  readonly plan: PlanMessage;
  readonly view: SessionView;
  readonly command: Program;
  readonly isolation: Isolation;
  readonly changes: readonly EnvironmentChange[];
}

/** One launched agent, and what the session's daemon says about it meanwhile. */
class Run implements LinkHandlers {
  readonly #request: LaunchRequest;
  readonly #file: string;
  readonly #inTerminal: boolean;
  readonly #endAsked = Promise.withResolvers<void>();
  readonly #hurry = new AbortController();
  /** A session that is shorter than the time of its question asks before the terminal stands. */
  readonly #attached = Promise.withResolvers<TerminalAgent>();
  #plan: PlanMessage | undefined;
  #isolation: Promise<Isolation> | undefined;
  #agent: AgentProcess | undefined;
  #screen: TerminalAgent | undefined;
  #view: SessionView | undefined;
  #notice: string | undefined;
  #cause: Cause | undefined;
  #stopping: Promise<unknown> | undefined;

  constructor(request: LaunchRequest, file: string, inTerminal: boolean) {
    this.#request = request;
    this.#file = file;
    this.#inTerminal = inTerminal;
  }

  /** The sandbox is looked at and planned while the daemon talks to AWS. */
  plan(plan: PlanMessage): void {
    const { env, actor, context, mayStepDown } = this.#request;
    this.#plan = plan;
    const place = { env, actor, file: this.#file, context };
    this.#isolation = isolate(place, plan.isolation, plan.folder, { may: mayStepDown, say: (text) => this.say(text) });
    // It is awaited in `prepared`; a session that fails before has its own error.
    this.#isolation.catch(() => {});
  }

  step({ state, text }: StepMessage): void {
    const { print } = this.#request.context;
    if (this.#inTerminal || this.#request.dryRun) print.step(state, text);
    else if (state === "warning") print.warn(text);
  }

  async ask(kind: "mfa" | "expiry", prompt: string): Promise<string> {
    if (kind === "expiry") return this.#inTerminal ? String(await askExpiry(await this.#attached.promise, prompt)) : "0";
    if (!this.#inTerminal) {
      throw new AgentRunError("mfa", "the profile wants an MFA code, and there is no terminal to ask for it", {
        hint: "run it in a terminal, or take mfa_serial out of the profile",
      });
    }
    const { askLine } = await import("../terminal/prompt.ts");
    return askLine(this.#request.context.stdin as ReadStream, process.stderr as WriteStream, `${prompt}: `);
  }

  status(view: SessionView): void {
    // The daemon knows what was asked for; a demo may have less.
    this.#view = { ...view, isolation: this.#view?.isolation ?? view.isolation };
    this.#paintBar();
  }

  end(cause: Cause, graceMs: number): void {
    this.#cause ??= cause;
    this.#endAsked.resolve();
    void this.#stop(graceMs);
  }

  interrupted(state: "lost" | "restored", why: string): void {
    this.say(state === "restored" ? "the daemon was restarted; the session goes on" : `the daemon is gone (${why}); restoring the session`);
  }

  /** To the human, wherever it can be seen now. */
  say(text: string): void {
    if (this.#screen) {
      this.#notice = text;
      this.#paintBar();
    } else this.#request.context.print.warn(text);
  }

  /** @throws AgentRunError `isolation` or `lease` */
  async prepared(ready: ReadyMessage): Promise<Prepared> {
    const { env, args, context } = this.#request;
    const isolation = await this.#isolation;
    const plan = this.#plan;
    if (!plan || !isolation)
      throw new AgentRunError("lease", "the daemon began a session without its plan", { hint: "agent-run daemon stop" });
    const child = childEnvironment({ human: env, set: ready.childEnvironment, pass: plan.pass, allow: plan.isolation.allow });
    const view = { ...ready.view, isolation: isolation.level };
    this.#view = view;
    return { plan, view, isolation, changes: child.changes, command: { file: this.#file, args, cwd: context.cwd, env: child.env } };
  }

  /** Starts the agent, waits for its end, and for everything to be wiped. Gives the exit status. */
  async carryOut(link: SessionLink, prepared: Prepared): Promise<number> {
    const { plan, command, isolation } = prepared;
    const { intro, context } = this.#request;
    if (intro !== undefined && this.#inTerminal) context.print.out(intro);
    await using agent = this.#inTerminal
      ? await this.#attach(link, prepared)
      : spawnPlain(isolation.wrap(command), { sealed: isolation.level !== "none" });
    this.#agent = agent;
    link.spawned(agent.pid, processInfo(agent.pid)?.started ?? "");
    const passOn = (name: NodeJS.Signals): void => {
      agent.signal(name);
      // The terminal is gone: an agent that does not leave by itself is ended.
      if (name === "SIGHUP") void this.#stop(plan.graceMs);
    };
    for (const name of FORWARDED) process.on(name, passOn);
    const ticking = this.#screen ? setInterval(() => this.#paintBar(), BAR_TICK_MS) : undefined;
    if (this.#cause) void this.#stop(plan.graceMs);

    const exit = await agent.exited;
    clearInterval(ticking);
    await this.#stopping;
    await agent.stop(0);
    const last = await link.exited(exit, LAST_WORD_MS);
    const notRemoved = isolation.release();
    await this.#screen?.restore();
    for (const name of FORWARDED) process.off(name, passOn);
    const cause = last?.view.cause ?? this.#cause ?? "lost";
    sayEnd(context.print, { view: last?.view ?? prepared.view, cause, notes: endNotes(last, notRemoved), quiet: !this.#inTerminal });
    return exitStatus(exit, cause);
  }

  async #attach(link: SessionLink, { plan, command, isolation }: Prepared): Promise<TerminalAgent> {
    const { context, env, bar } = this.#request;
    const { attachTerminal } = await import("../terminal/attach.ts");
    const screen = await attachTerminal({
      command,
      wrap: isolation.wrap,
      sealed: isolation.level !== "none",
      input: context.stdin as ReadStream,
      output: context.stdout as WriteStream,
      term: env["TERM"],
      noColor: Boolean(env["NO_COLOR"]),
      killKey: plan.killKey,
      nested: env["AGENT_RUN"] === "1",
      bar: bar && this.#view ? barState(this.#view, systemClock.now()) : undefined,
      onKill: () => this.#kill(link, plan.graceMs),
    });
    this.#screen = screen;
    this.#attached.resolve(screen);
    return screen;
  }

  /** The human confirmed at the bar. Access is cut first; a second confirmation skips the grace. */
  #kill(link: SessionLink, graceMs: number): void {
    if (this.#cause) {
      this.#hurry.abort();
      return;
    }
    this.#cause = "killed";
    link.kill();
    void within(this.#endAsked.promise, CUT_FIRST_MS).then(() => this.#stop(graceMs));
  }

  #stop(graceMs: number): Promise<unknown> | undefined {
    this.#stopping ??= this.#agent?.stop(graceMs, this.#hurry.signal);
    return this.#stopping;
  }

  #paintBar(): void {
    if (this.#screen && this.#view) this.#screen.setBar(barState(this.#view, systemClock.now(), this.#notice));
  }
}

/** The contract's exit status: 124 for time up, 137 for killed through us, else the agent's own, `128+n` for a signal. */
function exitStatus(exit: ProcessExit, cause: Cause): number {
  if (cause === "expired") return 124;
  if (cause === "killed") return 137;
  if (exit.signal !== undefined) return 128 + constants.signals[exit.signal];
  return exit.code ?? 125;
}
