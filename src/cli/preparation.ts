// What is made ready while the daemon asks AWS: the terminal, isolation and the sandbox; then the agent's start in them. Held by running.ts.
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { ReadStream, WriteStream } from "node:tty";
import type { EnvironmentMessage, PlanMessage, ReadyMessage, SessionView } from "../control/protocol.ts";
import type { Command as Program } from "../core/command.ts";
import { AgentRunError } from "../core/error.ts";
import { closeInherited } from "../core/inherited.ts";
import { forwarderVariables } from "../isolation/forwarder-variables.ts";
import type { Isolation } from "../isolation/isolate.ts";
import { childEnvironment, type EnvironmentChange } from "../session/environment.ts";
import type { AttachOptions, PreparedTerminal, TerminalAgent } from "../terminal/attach.ts";
import { isInBackground } from "../terminal/foreground.ts";
import { type PlainAgent, type PlainOptions, spawnPlain } from "../terminal/plain.ts";
import { Held, type Waiting } from "./held.ts";
import { isTerminal } from "./is-terminal.ts";
import { isolate, neededPorts } from "./isolate.ts";
import type { LaunchRequest } from "./launch.ts";

/** In the session's folder, which is read-only inside: made when an agent in a terminal may start. */
const RELEASE_FILE = "released";

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

type OwnStreams = Pick<PlainOptions, "output" | "nothingToRead" | "held">;

export class Preparation {
  readonly #request: LaunchRequest;
  readonly #file: string;
  readonly #inTerminal: boolean;
  readonly #say: (text: string) => void;
  #plan: PlanMessage | undefined;
  #over = false;
  /** What was made of the daemon's newest message, and the text of that. The daemon says the same twice: early, so that the sandbox can be made, and when the session stands. */
  #made: (Pick<Prepared, "command" | "changes"> & { readonly of: string }) | undefined;
  #isolation: Promise<Isolation> | undefined;
  /** The sandbox that waits. Undefined where there is none, and the agent is started only when it may. */
  #held: Promise<Held | undefined> | undefined;
  #terminal: Promise<PreparedTerminal> | undefined;

  /**
   * @param file the agent's program
   * @param say to the human
   */
  constructor(request: LaunchRequest, file: string, inTerminal: boolean, say: (text: string) => void) {
    this.#request = request;
    this.#file = file;
    this.#inTerminal = inTerminal;
    this.#say = say;
  }

  /** The terminal is prepared, and the sandbox looked at and planned. */
  begin(plan: PlanMessage): void {
    const { env, actor, context, mayStepDown, dryRun } = this.#request;
    this.#plan = plan;
    // A folder, a file or a terminal that is already open would be a way around the sandbox.
    if (plan.isolation.level !== "none") closeInherited((stat) => stat.isFIFO());
    if (this.#inTerminal && !dryRun) {
      this.#terminal = this.#prepareTerminal();
      this.#terminal.catch(() => {});
    }
    const place = { env, actor, file: this.#file, context };
    this.#isolation = isolate(place, plan.isolation, plan.folder, { may: mayStepDown, say: this.#say });
    // It is awaited in `finish`; a session that fails before has its own error.
    this.#isolation
      .then((isolation) => {
        for (const text of isolation.plan?.warnings ?? []) this.#say(text);
      })
      .catch(() => {});
  }

  /** The sandbox is made, and what becomes the agent is started. What runs until the session stands is our own shell. */
  hold({ childEnvironment, port }: EnvironmentMessage): void {
    this.#held = this.#hold(childEnvironment, port);
    // It is awaited in `held`.
    this.#held.catch(() => {});
  }

  async #hold(set: Record<string, string>, port: number | undefined): Promise<Held | undefined> {
    const [isolation, terminal] = [await this.#isolation, await this.#terminal];
    const plan = this.#plan;
    if (!plan || !isolation || this.#over) return undefined;
    // Where nothing is held, `finish` has it ready.
    const { command } = this.#command(set, plan);
    if (!isolation.sealed && (isolation.level !== "none" || terminal !== undefined)) return undefined;
    const ports = neededPorts(port, command.env["AWS_ENDPOINT_URL"]);
    if (terminal === undefined) {
      const streams = isolation.sealed ? await this.#ownStreams() : { held: true };
      return new Held(isolation, plan.folder, () => ({ plain: this.#spawn(command, isolation, ports, streams) }));
    }
    const [{ startShim }, { sizeOf }] = await Promise.all([import("../terminal/shim-host.ts"), import("../terminal/terminal-output.ts")]);
    const { human, output, openPty } = terminal;
    const size = sizeOf(output);
    return new Held(isolation, plan.folder, () => ({
      shim: startShim(openPty, { ...this.#place(command, isolation, ports, plan), modes: human.modes, size }),
    }));
  }

  /** Resolves when the terminal's modes were read, so that others may change them. */
  async terminalRead(): Promise<void> {
    await this.#terminal;
    if (!this.#inTerminal) await this.#held?.catch(() => undefined);
  }

  /** The session stands. Throws AgentRunError `isolation` or `lease`. */
  async finish(ready: ReadyMessage): Promise<Prepared> {
    const isolation = await this.#isolation;
    const plan = this.#plan;
    if (!plan || !isolation)
      throw new AgentRunError("lease", "the daemon began a session without its plan", { hint: "agent-run daemon stop" });
    const { command, changes } = this.#command(ready.childEnvironment, plan);
    const view = { ...ready.view, isolation: isolation.level };
    return { plan, view, isolation, changes, command, ports: neededPorts(ready.port, command.env["AWS_ENDPOINT_URL"]) };
  }

  /** The sandbox that waits for its agent. Undefined where none does. */
  async held(): Promise<Held | undefined> {
    return this.#held;
  }

  /** Starts an agent without a terminal of its own, or lets the one start that `waiting` holds. */
  async start({ command, isolation, ports }: Prepared, waiting: Waiting | undefined): Promise<PlainAgent> {
    const streams = waiting === undefined && isolation.sealed ? await this.#ownStreams() : {};
    const agent = waiting !== undefined && "plain" in waiting ? waiting.plain : this.#spawn(command, isolation, ports, streams);
    agent.release();
    return agent;
  }

  /** The same in a terminal of its own. */
  async attach(
    { plan, command, isolation, ports }: Prepared,
    waiting: Waiting | undefined,
    view: Omit<AttachOptions, "command" | "wrap" | "check" | "releaseFile" | "shim" | "env" | "closed">,
  ): Promise<TerminalAgent> {
    const { attachTerminal } = await import("../terminal/attach.ts");
    const shim = waiting !== undefined && "shim" in waiting ? waiting.shim : undefined;
    const place = this.#place(command, isolation, ports, plan);
    const attaching = attachTerminal(await (this.#terminal ?? this.#prepareTerminal()), {
      ...place,
      ...view,
      // The same as with the display's own sockets.
      closed: isolation.level !== "none" && !plan.isolation.allow.includes("desktop"),
      shim,
      env: this.#request.env,
    });
    attaching.catch(() => shim?.end());
    return attaching;
  }

  /**
   * All is over: what was prepared is let go.
   * @param began whether the session stood
   * @param attached whether the terminal went to an agent, who gives it back
   */
  async leave(began: boolean, attached: boolean): Promise<void> {
    this.#over = true;
    await (await this.#held?.catch(() => undefined))?.end();
    // The daemon removes it too, but whoever sees that we are gone expects it gone as well.
    if (!began && this.#plan) rmSync(this.#plan.folder, { recursive: true, force: true });
    const prepared = await this.#terminal?.catch(() => undefined);
    if (!attached) prepared?.human.close();
  }

  #command(set: Record<string, string>, { pass, isolation }: PlanMessage): Pick<Prepared, "command" | "changes"> {
    const made = JSON.stringify(set);
    if (this.#made?.of === made) return this.#made;
    const { env, args, context } = this.#request;
    const forwarder = forwarderVariables(isolation.level, isolation.network ?? [], []);
    const child = childEnvironment({ human: env, set: { ...set, ...forwarder }, pass, allow: isolation.allow });
    this.#made = { of: made, command: { file: this.#file, args, cwd: context.cwd, env: child.env }, changes: child.changes };
    return this.#made;
  }

  #spawn(command: Program, isolation: Isolation, ports: readonly number[], streams: OwnStreams): PlainAgent {
    const { sealed } = isolation;
    const complain = (problem: unknown): void => this.#request.context.print.error(problem);
    return spawnPlain(command, {
      wrap: (inner) => isolation.wrap(inner, ports),
      check: (pid) => isolation.check(pid),
      complain,
      sealed,
      ...streams,
    });
  }

  /** What a sandbox gets in the place of a terminal of the human's. As stdin none is left to a job in the background, which has nothing to read there. */
  async #ownStreams(): Promise<OwnStreams> {
    const { context, env } = this.#request;
    const nothingToRead = isTerminal(0) && isInBackground();
    if (isTerminal(0) && !nothingToRead) {
      const { openPrivateTerminal } = await import("../terminal/private-terminal.ts");
      return { output: openPrivateTerminal(context.streams, env["TERM"] === "dumb") };
    }
    if (!(isTerminal(1) || isTerminal(2))) return { nothingToRead };
    const { openPrivateOutput } = await import("../terminal/private-output.ts");
    return { nothingToRead, output: openPrivateOutput(context.streams) };
  }

  /** Of an agent in a terminal. */
  #place(command: Program, isolation: Isolation, ports: readonly number[], { folder }: PlanMessage) {
    const releaseFile = isolation.sealed ? join(folder, RELEASE_FILE) : undefined;
    const check = (pid: number): void => isolation.check(pid);
    return { command, wrap: (inner: Program) => isolation.wrap(inner, ports), check, releaseFile };
  }

  async #prepareTerminal(): Promise<PreparedTerminal> {
    const { stdin, stdout } = this.#request.context.streams;
    const { prepareTerminal } = await import("../terminal/attach.ts");
    return prepareTerminal(stdin as ReadStream, stdout as WriteStream);
  }
}
