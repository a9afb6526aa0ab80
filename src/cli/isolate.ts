// The isolation of a run: what is known on the command line, handed to isolation/. Called by preparation.ts and env.ts.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { IsolationLevel } from "../control/protocol.ts";
import { AgentRunError } from "../core/error.ts";
import type { Environment } from "../core/paths.ts";
import type { Isolation, IsolationRequest } from "../isolation/isolate.ts";
import { notIsolated } from "../isolation/not-isolated.ts";
import type { IsolationPlan } from "../isolation/plan.ts";
import type { Context } from "./command.ts";

export interface Isolated {
  readonly env: Environment;
  /** The agent's short name. */
  readonly actor: string;
  /** The agent's program, absolute. */
  readonly file: string | undefined;
  readonly context: Context;
}

export interface IsolationSettings {
  readonly level: IsolationLevel;
  readonly allow: readonly string[];
  readonly write: readonly string[];
  readonly hide: readonly string[];
  readonly network?: readonly string[] | undefined;
  readonly nested?: boolean | undefined;
}

/**
 * Prepares it. `mayStepDown`: a machine that cannot isolate runs without, and `say` is told; else that is an error.
 * @throws AgentRunError `isolation`
 */
export async function isolate(
  run: Isolated,
  settings: IsolationSettings,
  folder: string,
  stepDown: { readonly may: boolean; readonly say: (text: string) => void },
): Promise<Isolation> {
  if (settings.level === "none") return notIsolated;
  const { prepareIsolation } = await import("../isolation/isolate.ts");
  const request = { ...requestOf(run, settings, folder), folder };
  try {
    return await prepareIsolation(request);
  } catch (error) {
    if (!stepDown.may || !(error instanceof AgentRunError) || error.code !== "isolation") throw error;
    stepDown.say(`not isolated, as this is only a demo: ${error.message}${error.hint === undefined ? "" : ` (${error.hint})`}`);
    return notIsolated;
  }
}

/** The session's endpoint, and AWS itself where that is on this machine's loopback: the demo's cloud, or one for tests. */
export function neededPorts(endpoint: number | undefined, awsUrl: string | undefined): number[] {
  const aws = awsUrl !== undefined && URL.canParse(awsUrl) ? new URL(awsUrl) : undefined;
  const local = aws !== undefined && ["127.0.0.1", "localhost"].includes(aws.hostname) && aws.port !== "" ? Number(aws.port) : undefined;
  return [...new Set([endpoint, local].filter((port) => port !== undefined))];
}

/** The plan alone; nothing is probed or made. */
export async function isolationPlan(run: Isolated, settings: IsolationSettings): Promise<IsolationPlan> {
  const { describeIsolation } = await import("../isolation/isolate.ts");
  return describeIsolation(requestOf(run, settings, undefined));
}

function requestOf(
  { env, actor, file, context }: Isolated,
  settings: IsolationSettings,
  sessionFolder: string | undefined,
): Omit<IsolationRequest, "folder"> {
  const { cwd, paths, packageFolder, self } = context;
  return {
    ...settings,
    uid: process.getuid?.() ?? 0,
    project: projectOf(cwd),
    cwd,
    agent: actor,
    paths,
    packageFolder,
    sessionFolder,
    env,
    programs: [...(file === undefined ? [] : [file]), self[0]],
  };
}

/** What the agent works on: the git root around the current folder, or that folder. */
export const projectOf = (cwd: string): string => gitRoot(cwd) ?? cwd;

/** The nearest folder at or above `folder` that holds `.git`. */
function gitRoot(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, ".git"))) return at;
    if (dirname(at) === at) return undefined;
  }
}

/** The plan as lines for a person: each path with what the agent can do there, and why. */
export function explain(plan: IsolationPlan): string[] {
  return [
    `isolation ${plan.level}: ${plan.namespaces.length > 0 ? `own ${plan.namespaces.join(", ")} namespaces; ` : ""}network ${plan.network}`,
    ...plan.entries.map(({ access, path, reason }) => `  ${access.padEnd(10)} ${path}  (${reason})`),
    ...plan.kept.map(
      ({ path, target }) =>
        `  put back   ${path}  (${target === undefined ? "not there" : "a link of yours"}: as it is now when the run is over)`,
    ),
    ...(plan.level === "none"
      ? []
      : [`sandboxes inside: ${plan.nested ? "may start" : "may not start; --allow-nested lets them, where the system can"}`]),
    ...(plan.namespaces.length > 0
      ? [`session keyring: ${plan.keyring === "fresh" ? "a fresh one, empty" : 'yours, isolation.allow = "session-keyring"'}`]
      : []),
    ...(plan.namespaces.length > 0 && plan.network === "shared"
      ? [
          `abstract sockets: ${plan.abstractSockets === "own" ? "the sandbox's own, from Linux 6.12 on" : 'yours too, isolation.allow = "desktop"'}`,
        ]
      : []),
    ...plan.warnings,
    ...plan.notes,
  ];
}
