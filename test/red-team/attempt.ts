// What an attempt of the red team is, what can stop it, and how it is judged. The attempts are in attempts/, one file a group.
import type { IsolationLevel } from "../../src/control/protocol.ts";
import { scopesSockets } from "../isolation/landlock.ts";

/** What stops an attempt, in the words of the table. */
export const MECHANISMS = {
  mounts: "what it looks for is not in its mount namespace",
  "read-only": "it is there to read, in a mount that takes no writes",
  processes: "a process namespace of its own: no other process is there, and none outlives it",
  ipc: "an IPC namespace of its own",
  network: "a network namespace of its own",
  landlock: "abstract sockets of its own, which the kernel tells from the machine's from Linux 6.12 on",
  "system calls": "the filter of system calls",
  privileges: "no capabilities, no new privileges",
  environment: "the agent's environment is made anew",
  descriptors: "what was open before the launch is closed",
  endpoint: "the endpoint's own checks: token, host, method, path",
  daemon: "what the daemon and the command line accept, from whom, in which state",
  launcher: "the launcher's own terminal: keys, bar and modes",
  "put back": "what is not as it was before is moved away when the run is over, and the human's link is there again",
  session: "the session's role and session policy, at AWS",
  plan: "the plan opens nothing by a path that an agent can have made",
  keyring: "a session keyring of its own",
  told: "what was made or changed that runs later is named when the run is over",
  trust: "settings of a repository count only when the human has trusted them",
} as const;

export type Mechanism = keyof typeof MECHANISMS;

/** `reached`: nothing stops it, which docs/threat-model.md says. `untried`: it would end the suite itself. */
export type Outcome = Mechanism | "reached" | "untried";

export const GROUPS = ["files", "processes", "sockets", "network", "persistence", "approval and kill", "audit", "holding up"] as const;

export interface Attempt {
  /** Unique, short: `aws-keys`. */
  readonly id: string;
  readonly group: (typeof GROUPS)[number];
  /** What it tries, as a row of the table says it. */
  readonly what: string;
  /** The language of `program`; a shell when absent. */
  readonly with?: "python" | "node";
  /**
   * Runs inside, in the project's folder. It has reached its goal when it prints a canary or a line that begins with REACHED. Where it is stopped at
   * level `none` too, it must print a line that begins with CONTROL, which shows that it works but for what stops it.
   */
  readonly program: string;
  /** A shell line of the human's, after the session: what makes a planted program run, or looks what was left. Judged as the program is. */
  readonly later?: string;
  /**
   * A shell line of the human's while it runs, once it has printed READY, judged as `later` is; `<id>-over` is made in the project then. The identity gate
   * of a session that begins meanwhile refuses it, after a second, unless `passes` says that it does not.
   */
  readonly meanwhile?: string;
  readonly passes?: true;
  /** In a session of its own, after all others: it does harm to what they need. */
  readonly alone?: "always" | "where it is reached";
  readonly standard: Outcome;
  /** As `standard` when absent. */
  readonly strict?: Outcome;
  readonly none: Outcome;
  /** This machine's kernel may stop it, by a setting that it has or has not: at `none`, or wherever else nothing stops it too. */
  readonly kernelMay?: true | "everywhere";
  /** For what `standard` does not stop: the words, in bold, under which docs/threat-model.md says so. */
  readonly gap?: string;
}

/** What was seen of one attempt at one level. */
export interface Seen {
  readonly id: string;
  /** All that it printed, and all that the human's line printed. */
  readonly output: string;
  /** Whether what the human's line would have started by the plant's doing left its mark. */
  readonly marked: boolean;
  /** Its session ended before it did, so that it shows nothing. */
  readonly cutOff?: boolean;
}

export interface Verdict {
  readonly reached: boolean;
  /** What shows that; the canaries by name, never by value. */
  readonly evidence: string;
  readonly control: boolean;
  readonly cutOff: boolean;
}

export function expected(attempt: Attempt, level: IsolationLevel): Outcome {
  if (level === "none") return attempt.none;
  return level === "strict" ? (attempt.strict ?? attempt.standard) : attempt.standard;
}

/** Whether what would stop it there is more than this machine's kernel has. */
export function isUnstopped(attempt: Attempt, level: IsolationLevel): boolean {
  return expected(attempt, level) === "landlock" && !scopesSockets;
}

/** Whether it may also not reach its goal there. */
export function isExcused(attempt: Attempt, level: IsolationLevel): boolean {
  return level === "none" ? attempt.kernelMay !== undefined : attempt.kernelMay === "everywhere" && expected(attempt, level) === "reached";
}

/** @param canaries each planted secret by what it is */
export function judge(seen: Seen, canaries: ReadonlyMap<string, string>): Verdict {
  const leaked = [...canaries].filter(([, canary]) => seen.output.includes(canary)).map(([name]) => `the secret '${name}'`);
  const said = seen.output.split("\n").filter((line) => line.startsWith("REACHED"));
  const evidence = [...leaked, ...(seen.marked ? ["a planted program ran as the human"] : []), ...said];
  return {
    reached: evidence.length > 0,
    evidence: evidence.length > 0 ? evidence.join("; ") : lastLine(seen.output),
    control: /^CONTROL/m.test(seen.output),
    cutOff: seen.cutOff ?? false,
  };
}

function lastLine(output: string): string {
  return output.trim().split("\n").at(-1)?.trim().slice(0, 120) ?? "";
}
