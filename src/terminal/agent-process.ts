// A running agent, as the launcher holds it, in a terminal or on plain pipes; and how one is stopped. Made by plain.ts and attach.ts.
import { monotonic, within } from "../core/clock.ts";
import type { ProcessExit } from "../core/command.ts";
import { handlesTermAlone, signal } from "../core/process-tree.ts";
import type { AgentTree } from "./agent-tree.ts";

export interface AgentProcess {
  /** The top of the agent's tree: killing this one, and all below it, ends the agent. */
  readonly pid: number;
  /** Resolves once, after the last byte of the agent's output was delivered. Never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** Sends a signal once to the agent's foreground process group. */
  signal(name: NodeJS.Signals): void;
  /**
   * SIGHUP and SIGTERM to every process of the agent, then, after `graceMs` or as soon as `hurry` aborts, SIGKILL until none is left. Who handles
   * SIGTERM and would die of SIGHUP gets no SIGHUP.
   * `escalated` tells whether SIGKILL was needed; `left` holds the pids that outlived even that (uninterruptible ones).
   */
  stop(graceMs: number, hurry?: AbortSignal): Promise<StopResult>;
  /** Stops without grace whatever is left. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface StopResult {
  readonly escalated: boolean;
  readonly left: number[];
}

/** SIGKILL cannot be refused, but a process in an uninterruptible system call dies only when that returns. */
const KILL_PATIENCE_MS = 3000;
/** Our own shim reports the exit after the agent's last process is gone; when it cannot (its terminal stalls), it goes too. */
const SHIM_PATIENCE_MS = 700;
/** How long it waits between two looks: less at first, when most are gone at once. */
const FIRST_POLL_MS = 1;
const POLL_MS = 15;

/**
 * Carries out `AgentProcess.stop` over a tree. The processes of ours above the agent (sandbox, shim) go last, so that the shim can still
 * report how the agent ended and no output is lost.
 * @param ended resolves when the agent's exit was reported
 */
export async function stopTree(tree: AgentTree, ended: Promise<unknown>, graceMs: number, hurry?: AbortSignal): Promise<StopResult> {
  if (tree.isGone) return { escalated: false, left: [] };
  const first = tree.look();
  if (first.agent.length === 0 && first.above.length === 0) {
    // Nothing is left that could start another process, so that nobody need look again.
    tree.stopLooking();
    return { escalated: false, left: [] };
  }
  const until = monotonic() + graceMs;
  const asked = new Set<number>();
  const ask = (): number => {
    const { agent } = tree.look();
    const leaving = new Set(agent.map(({ pid }) => pid).filter((pid) => asked.has(pid)));
    for (const { pid, parent } of agent) {
      // What somebody who was asked starts now may be what his handler needs; once it is an orphan it is asked too.
      if (asked.has(pid) || leaving.has(parent)) continue;
      asked.add(pid);
      // Interactive shells ignore SIGTERM and leave at SIGHUP. SIGCONT: a suspended process would not see the others before it is continued.
      const names = handlesTermAlone(pid) ? (["SIGTERM", "SIGCONT"] as const) : (["SIGHUP", "SIGTERM", "SIGCONT"] as const);
      for (const name of names) signal(pid, name);
    }
    return agent.length;
  };
  let pause = FIRST_POLL_MS;
  const longer = (): number => {
    const now = pause;
    pause = Math.min(2 * pause, POLL_MS);
    return now;
  };
  while (ask() > 0 && monotonic() < until && !hurry?.aborted) await nap(Math.min(longer(), until - monotonic()), hurry);

  let escalated = false;
  const deadline = monotonic() + KILL_PATIENCE_MS;
  pause = FIRST_POLL_MS;
  for (;;) {
    const { agent } = tree.look();
    if (agent.length === 0 || monotonic() > deadline) break;
    escalated = true;
    for (const { pid } of agent) signal(pid, "SIGKILL");
    await nap(longer());
  }
  await within(ended, SHIM_PATIENCE_MS);
  return { escalated, left: await killTree(tree, deadline) };
}

/** SIGKILL to all of it, what is ours above the agent too, until nothing is left. Gives who outlived even that. */
export async function killTree(tree: AgentTree, deadline = monotonic() + KILL_PATIENCE_MS): Promise<number[]> {
  for (let pause = FIRST_POLL_MS; ; pause = Math.min(2 * pause, POLL_MS)) {
    const { agent, above } = tree.look();
    const all = [...agent, ...above];
    if (all.length === 0) {
      tree.stopLooking();
      return [];
    }
    if (monotonic() > deadline) return all.map(({ pid }) => pid);
    for (const { pid } of all) signal(pid, "SIGKILL");
    await nap(pause);
  }
}

function nap(ms: number, hurry?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      hurry?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, Math.max(1, ms));
    hurry?.addEventListener("abort", done);
  });
}
