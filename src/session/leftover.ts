// What a session may leave when its own launcher could not clean up: processes of the agent, and the session's folder. Called by session.ts and sessions.ts.
import { readFileSync, rmSync } from "node:fs";
import { readSession, unendedSessions } from "../audit/verify.ts";
import { sleep } from "../core/clock.ts";
import type { SessionId } from "../core/id.ts";
import { type Machine, thisMachine } from "../core/machine.ts";
import { allProcesses, descendants, handlesTermAlone, processInfo, signal } from "../core/process-tree.ts";
import { carriesMark } from "../core/session-mark.ts";

/** The process that the launcher started; `started` tells it from a later one of the same pid. */
export interface Spawned {
  readonly pid: number;
  readonly started: string;
}

const ROUND_MS = 25;

/** Whether that very process lives. */
export const isThere = ({ pid, started }: Spawned): boolean => processInfo(pid)?.started === started;

/** What the audit names of a session whose daemon is not there. */
export interface Known {
  readonly launcher: Spawned | undefined;
  readonly agent: Spawned | undefined;
  readonly machine: Machine | undefined;
  /** Time of the last record; empty where there is none. */
  readonly at: string;
}

/** Never throws. After a reboot none of its processes is there, whoever has their numbers now. */
export function lastKnown(folder: string, session: SessionId): Known {
  try {
    const { records } = readSession(folder, session, new Set());
    const machine = asMachine(records.findLast(({ data }) => data["machine"] !== undefined)?.data["machine"]);
    const launcher = asSpawned(records.findLast(({ data }) => data["launcher"] !== undefined)?.data["launcher"]);
    const at = records.at(-1)?.at ?? "";
    const isOver = machine !== undefined && machine.id === thisMachine().id && machine.boot !== thisMachine().boot;
    if (isOver) return { launcher: launcher && { ...launcher, started: "before the last boot" }, agent: undefined, machine, at };
    return { launcher, agent: asSpawned(records.findLast(({ kind }) => kind === "spawned")?.data), machine, at };
  } catch {
    return { launcher: undefined, agent: undefined, machine: undefined, at: "" };
  }
}

/** Whether it is of another machine that has the same state folder: nobody here can tell whether it lives. */
export const isElsewhere = ({ machine }: Known): boolean => machine !== undefined && machine.id !== thisMachine().id;

export interface Elsewhere {
  readonly session: SessionId;
  readonly host: string;
  /** When it was last recorded. */
  readonly at: string;
}

/** Sessions of other machines that have not ended, with the name of theirs. `here`: those of this one's daemon. */
export function sessionsElsewhere(folder: string, here: readonly string[]): Elsewhere[] {
  return unendedSessions(folder).flatMap((session) => {
    if (here.includes(session)) return [];
    const known = lastKnown(folder, session);
    return isElsewhere(known) ? [{ session, host: known.machine?.host ?? "", at: known.at }] : [];
  });
}

function asMachine(data: unknown): Machine | undefined {
  const { id, host, boot } = (data ?? {}) as Partial<Machine>;
  return typeof id === "string" && typeof host === "string" && typeof boot === "string" ? { id, host, boot } : undefined;
}

function asSpawned(data: unknown): Spawned | undefined {
  const { pid, started } = (data ?? {}) as Partial<Spawned>;
  return typeof pid === "number" && typeof started === "string" ? { pid, started } : undefined;
}

/**
 * Ends every process of a session: what is below `spawned`, and (Linux) what carries the session's mark, so that a process that left the
 * tree is found too. They are asked as the launcher asks (see stopTree), then SIGKILL after `graceMs`, or when only what is ours is left of it; repeated
 * until nothing is left or `limitMs` is over.
 * Gives how many are still there; where nobody could look (no descriptor was left all the while) at least one. Never rejects.
 */
export async function endProcesses(session: SessionId, spawned: Spawned | undefined, graceMs: number, limitMs: number): Promise<number> {
  const seen = new Map<number, string>();
  const collect = (): number[] | undefined => {
    try {
      for (const info of processesOf(session, spawned)) seen.set(info.pid, info.started);
    } catch {
      return undefined;
    }
    for (const [pid, started] of seen) if (processInfo(pid)?.started !== started) seen.delete(pid);
    return [...seen.keys()];
  };
  const begun = performance.now();
  let isAsked = false;
  if (graceMs > 0) for (const pid of (collect() ?? []).filter(isTheAgents)) isAsked = ask(pid) || isAsked;
  for (;;) {
    const left = collect();
    const elapsed = performance.now() - begun;
    if (left?.length === 0) return 0;
    if (elapsed > limitMs) return left?.length ?? Math.max(1, seen.size);
    if (elapsed >= graceMs || (isAsked && left && !left.some(isTheAgents))) for (const pid of left ?? []) signal(pid, "SIGKILL");
    await sleep(ROUND_MS);
  }
}

/** SIGCONT: who was stopped would not see the others. */
function ask(pid: number): boolean {
  const names = handlesTermAlone(pid) ? (["SIGTERM", "SIGCONT"] as const) : (["SIGHUP", "SIGTERM", "SIGCONT"] as const);
  return names.map((name) => signal(pid, name)).some(Boolean);
}

/** Neither the sandbox nor the shell above the agent, with which the sandbox would end (shim.ts and tie.ts have its text). An agent that looks like one has no grace. */
function isTheAgents(pid: number): boolean {
  if (processInfo(pid)?.name === "bwrap") return false;
  try {
    return !readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("agent_run_status");
  } catch {
    return true;
  }
}

function processesOf(session: SessionId, spawned: Spawned | undefined) {
  const all = allProcesses();
  const root = spawned === undefined ? undefined : all.find((info) => info.pid === spawned.pid && info.started === spawned.started);
  const below = root ? [root, ...descendants(root.pid, all)] : [];
  // We are below no agent: whoever named such a process (init, our own) meant harm or was wrong.
  const tree = below.some((info) => info.pid === process.pid) ? [] : below;
  const strays = all.filter((info) => !tree.includes(info) && info.pid !== process.pid && carriesMark(info.pid, session));
  return [...tree, ...strays];
}

/** Removes the session's folder with all that is in it. Throws what the file system says. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
