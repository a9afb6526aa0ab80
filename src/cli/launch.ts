// A run from launch to wipe. Called by run.ts and demo.ts. The daemon is asked first; the rest of the launcher is loaded while it works.
import { statSync } from "node:fs";
import type { OpenMessage, Overrides } from "../control/protocol.ts";
import { openLeaseOrStart } from "../control/start-daemon.ts";
import { AgentRunError, messageOf } from "../core/error.ts";
import type { Environment } from "../core/paths.ts";
import { processInfo } from "../core/process-tree.ts";
import { userName } from "../core/user.ts";
import { resolveExecutable } from "../terminal/executable.ts";
import type { Context } from "./command.ts";
import { isTerminal } from "./is-terminal.ts";
import type { NamedActions } from "./known-actions.ts";
import type { Running } from "./running.ts";
import { SessionLink } from "./session-link.ts";
import { sourceEnvironment } from "./source-environment.ts";
import { startCommand } from "./start-command.ts";

export interface LaunchRequest {
  readonly agent: string;
  readonly args: readonly string[];
  /** The `agent-actor` tag. */
  readonly actor: string;
  /** The human's environment, from which the agent's is made. */
  readonly env: Environment;
  readonly overrides: Overrides;
  readonly bar: boolean;
  /** `exec`: the program is only started and ended. It gets no bar and no keys of ours, not in a terminal either. */
  readonly plain?: boolean;
  readonly dryRun: boolean;
  /** Whether the run may go on without isolation on a machine that has none, and say so: only the demo may, which holds no real access. */
  readonly mayStepDown: boolean;
  /** Printed once the session stands, before the agent starts in a terminal; there is a kill key where we have the terminal's keys. */
  readonly intro?: (killKey: string | undefined) => string;
  readonly context: Context;
}

/**
 * Lets the kernel itself end this process at these signals. Node's own handlers have to run for that, which they cannot while a file system that does not answer
 * is waited for; they go with one of ours.
 */
export function leaveSignals(): void {
  const none = (): void => {};
  for (const name of ["SIGINT", "SIGTERM"]) process.on(name, none).off(name, none);
}

/** Whether the folder's name leads to the folder that we are in. A name that is not valid UTF-8 reads as another one, which may exist too. */
function isHere(cwd: string): boolean {
  try {
    const [named, own] = [statSync(cwd), statSync(".")];
    return named.ino === own.ino && named.dev === own.dev;
  } catch {
    return false;
  }
}

/** Throws AgentRunError `usage` for the first entry of `--allow` or `--deny` that names no action of AWS. */
async function refuseUnknownActions(named: NamedActions, packageFolder: string): Promise<void> {
  const { unknownActions } = await import("./known-actions.ts");
  let unknown: ReturnType<typeof unknownActions>;
  try {
    unknown = unknownActions(named, packageFolder);
  } catch (error) {
    throw new AgentRunError("internal", messageOf(error), { hint: "install agent-run again; in a clone: npm run build", cause: error });
  }
  for (const { list, action, hint } of unknown)
    throw new AgentRunError("usage", `--${list}: no action of aws is called '${action}'`, { hint, exitStatus: 2 });
}

/** Runs the agent and gives the exit status of the whole command. Throws AgentRunError when nothing was started. */
export async function launch(request: LaunchRequest): Promise<number> {
  leaveSignals();
  const { context } = request;
  if (!isHere(context.cwd))
    throw new AgentRunError(
      "agent-not-found",
      `the folder '${context.cwd}' ${context.cwd.includes("\ufffd") ? "has a name that is no UTF-8" : "is gone"}`,
      {
        hint: "cd to one that is there",
      },
    );
  const { allow, deny } = request.overrides;
  if (allow ?? deny) await refuseUnknownActions({ allow, deny }, context.packageFolder);
  const file = resolveExecutable(request.agent, request.env["PATH"], context.cwd);
  const atTerminal = request.plain !== true && isTerminal(0) && isTerminal(1);
  const inTerminal = atTerminal && request.env["TERM"] !== "dumb";
  const connect = async (first: OpenMessage) => {
    const options = { startCommand: startCommand(context), version: context.version };
    const { lease, daemon } = await openLeaseOrStart(context.paths, options, first);
    if (daemon.note !== undefined) context.print.warn(daemon.note);
    return lease;
  };
  let running: Running | undefined;
  const load = async (): Promise<Running> => {
    const module = await import("./running.ts");
    running = new module.Running(request, file, inTerminal, atTerminal);
    return running;
  };
  try {
    const { link, ready, handlers } = await SessionLink.open(connect, openMessage(request, inTerminal), load);
    try {
      const status = await handlers.run(link, ready);
      if (!request.dryRun) context.ran?.();
      return status;
    } finally {
      link.close();
    }
  } finally {
    await running?.leave();
  }
}

function openMessage({ context, actor, env, overrides, dryRun }: LaunchRequest, interactive: boolean): OpenMessage {
  return {
    type: "open",
    actor,
    developer: userName(),
    cwd: context.cwd,
    settings: context.paths.config,
    state: context.paths.state,
    overrides,
    source: sourceEnvironment(env),
    interactive,
    launcher: { pid: process.pid, started: processInfo(process.pid)?.started ?? "" },
    dryRun,
  };
}
