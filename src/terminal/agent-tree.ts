// Every process that belongs to one agent, also those that left its session or lost their parents. Used by plain.ts, attach.ts and stopTree.
import type { SessionId } from "../core/id.ts";
import { childrenOf, descendants, type ProcessInfo, processInfo, signal, youngerProcesses } from "../core/process-tree.ts";
import { carriesMark } from "../core/session-mark.ts";

export interface TreeView {
  /** The agent's own processes. */
  readonly agent: ProcessInfo[];
  /** Ours above it: the sandbox (`bwrap`) and the shim. Signals for the agent are not for them. */
  readonly above: ProcessInfo[];
}

/** bubblewrap forwards nothing and dies of the signals that are meant for the agent. */
const SANDBOX_NAME = "bwrap";
/** A daemon that double-forks between two looks is still found by its session or its environment; this is for one that changed both. */
const LOOK_EVERY_MS = 10_000;

/**
 * The agent's processes: all below `root`; all whose session such a process was in; and, on Linux, all that carry the mark of the agent-run session. What
 * was seen once stays known, by pid and start time, when its parents are gone.
 */
export class AgentTree {
  readonly #root: number;
  readonly #hasShim: boolean;
  readonly #mark: SessionId | undefined;
  readonly #known = new Map<number, string>();
  readonly #sessions = new Set<number>();
  readonly #unmarked = new Map<number, string>();
  readonly #foreignSession: number;
  /** Our own start: nothing of the agent is older. */
  readonly #since: number;
  readonly #timer: NodeJS.Timeout;
  #isGone = false;

  constructor(root: number, options: { hasShim: boolean; mark: SessionId | undefined }) {
    this.#root = root;
    this.#hasShim = options.hasShim;
    this.#mark = options.mark;
    const own = processInfo(process.pid);
    this.#foreignSession = own?.session ?? 0;
    this.#since = Number(own?.started ?? 0);
    this.#learn(processInfo(root));
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref();
  }

  /** Reads the process table and gives what is alive now. */
  look(): TreeView {
    // Also where its sandbox is gone: one whose first process is traced from inside cannot leave before its tracer does (ptrace(2), PTRACE_O_TRACEEXIT).
    const all = youngerProcesses();
    const alive = new Map(all.map((info) => [info.pid, info]));
    for (const [pid, started] of this.#known) {
      if (alive.get(pid)?.started !== started) this.#known.delete(pid);
    }
    for (const pid of this.#unmarked.keys()) if (!alive.has(pid)) this.#unmarked.delete(pid);
    let before = -1;
    while (before !== this.#known.size) {
      before = this.#known.size;
      for (const pid of [...this.#known.keys()]) {
        this.#learn(alive.get(pid));
        for (const below of descendants(pid, all)) this.#learn(below);
      }
      for (const info of all) {
        if (this.#known.has(info.pid) || info.pid === process.pid) continue;
        if (this.#sessions.has(info.session) || this.#carriesMark(info)) this.#learn(info);
      }
    }
    const above = this.#above(all);
    const ours = new Set(above.map(({ pid }) => pid));
    return { above, agent: all.filter(({ pid }) => this.#known.has(pid) && !ours.has(pid)) };
  }

  /** Sends one signal to a process group of the agent, sparing the sandbox. */
  signalGroup(group: number, name: NodeJS.Signals): void {
    const members = youngerProcesses().filter((info) => info.group === group);
    if (members.length > 0 && members.every((info) => info.name !== SANDBOX_NAME)) {
      signal(-group, name);
      return;
    }
    for (const info of members) if (info.name !== SANDBOX_NAME) signal(info.pid, name);
  }

  /** The shim's pid as seen from here. */
  shim(): number | undefined {
    return this.#hasShim ? this.first() : undefined;
  }

  /** The first process that is not the sandbox's: the shim, or what becomes the agent. */
  first(): number | undefined {
    return (this.#firstBelow() ?? this.#spine(youngerProcesses()).find((info) => info.name !== SANDBOX_NAME))?.pid;
  }

  /** Whether a stop found all of it ended. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Every process has ended. */
  stopLooking(): void {
    clearInterval(this.#timer);
    this.#isGone = true;
  }

  /** The same by asking each for its child, which takes less than reading the process table. */
  #firstBelow(): ProcessInfo | undefined {
    let next = processInfo(this.#root);
    if (next?.started !== this.#known.get(this.#root)) return undefined;
    while (next?.name === SANDBOX_NAME) [next] = childrenOf(next.pid);
    return next;
  }

  #learn(info: ProcessInfo | undefined): void {
    if (info === undefined || info.pid === process.pid) return;
    this.#known.set(info.pid, info.started);
    if (info.session !== 0 && info.session !== this.#foreignSession) this.#sessions.add(info.session);
  }

  #above(all: readonly ProcessInfo[]): ProcessInfo[] {
    const spine = this.#spine(all);
    const sandbox = all.filter((info) => this.#known.has(info.pid) && info.name === SANDBOX_NAME);
    return this.#hasShim ? [...new Set([...spine, ...sandbox])] : sandbox;
  }

  /** From the root down through the sandbox to the first process in it. */
  #spine(all: readonly ProcessInfo[]): ProcessInfo[] {
    const spine: ProcessInfo[] = [];
    let next = all.find((info) => info.pid === this.#root && this.#known.get(info.pid) === info.started);
    while (next !== undefined) {
      const current = next;
      spine.push(current);
      next = current.name === SANDBOX_NAME ? all.find((info) => info.parent === current.pid) : undefined;
    }
    return spine;
  }

  /** A child has its parent's environment and limits from its first moment on, so that one look at each process is enough. */
  #carriesMark({ pid, started }: ProcessInfo): boolean {
    if (this.#mark === undefined || Number(started) < this.#since || this.#unmarked.get(pid) === started) return false;
    if (carriesMark(pid, this.#mark)) return true;
    this.#unmarked.set(pid, started);
    return false;
  }
}
