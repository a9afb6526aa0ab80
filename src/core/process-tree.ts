// Processes as the kernel tells them: who is below whom, and whether a pid still means the same process. Linux reads /proc, others ask ps.
import { closeSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { constants } from "node:os";

export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** Changes when a pid is used again: clock ticks since boot on Linux, the start date elsewhere. */
  readonly started: string;
  readonly name: string;
}

/** One process, or undefined when there is none (a zombie counts as none). */
export function processInfo(pid: number): ProcessInfo | undefined {
  return process.platform === "linux" ? readStat(pid) : fromPs().find((info) => info.pid === pid);
}

/** Whether a process of ours was stopped, by SIGSTOP or from a shell, and waits for SIGCONT. Linux only; false elsewhere. */
export function isStopped(pid: number): boolean {
  const text = process.platform === "linux" ? readStatText(pid) : undefined;
  return text?.charAt(text.lastIndexOf(")") + 2) === "T";
}

/** Whether a process has a terminal, and another process group has it now: a job that its shell has put aside, or started with `&`. Linux only; false elsewhere. */
export function isBackgroundJob(pid: number): boolean {
  const text = process.platform === "linux" ? readStatText(pid) : undefined;
  if (text === undefined) return false;
  const [, , group, , terminal, foreground] = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return terminal !== "0" && foreground !== group;
}

/** Whether a process does something of its own at SIGTERM, and SIGHUP would end it before that is done (proc(5), /proc/pid/status). Linux only; false elsewhere. */
export function handlesTermAlone(pid: number): boolean {
  let text: string;
  try {
    text = process.platform === "linux" ? readFileSync(`/proc/${pid}/status`, "latin1") : "";
  } catch {
    return false;
  }
  const has = (set: "SigCgt" | "SigIgn", name: "SIGHUP" | "SIGTERM"): boolean => {
    const mask = BigInt(`0x${new RegExp(`^${set}:\\s*([0-9a-f]+)$`, "m").exec(text)?.[1] ?? "0"}`);
    return ((mask >> BigInt(constants.signals[name] - 1)) & 1n) === 1n;
  };
  return has("SigCgt", "SIGTERM") && !has("SigCgt", "SIGHUP") && !has("SigIgn", "SIGHUP");
}

/** Every process of the machine that we may see. */
export function allProcesses(): ProcessInfo[] {
  return process.platform === "linux" ? named(readdirSync("/proc"), 0, Number.POSITIVE_INFINITY) : fromPs();
}

/**
 * The same without those that are surely older than this process, which saves most of the work on a machine with hundreds of them. The kernel numbers
 * processes upwards and begins anew at a limit (pid_max, proc(5)): while this one is so young that the limit cannot have been reached twice, and was
 * not reached once, what is younger has a number between its own and the last that was given.
 */
export function youngerProcesses(): ProcessInfo[] {
  if (process.platform !== "linux") return fromPs();
  const names = readdirSync("/proc");
  // Read after the names: whoever is among them has a number by then.
  const last = lastNumber();
  const between = process.uptime() < YOUNG_S && last >= process.pid;
  return between ? named(names, process.pid, last) : named(names, 0, Number.POSITIVE_INFINITY);
}

const YOUNG_S = 1;
/** As many are not started in that time, unless somebody means to; who means to leaves a session more simply (session-mark.ts). */
const MANY = 32_768;

/** The number that was given last; 0 where it says nothing. */
function lastNumber(): number {
  try {
    if (Number(readFileSync("/proc/sys/kernel/pid_max", "latin1")) < MANY) return 0;
    return Number(readFileSync("/proc/loadavg", "latin1").trim().split(" ").at(-1));
  } catch {
    return 0;
  }
}

function named(names: readonly string[], above: number, last: number): ProcessInfo[] {
  const found: ProcessInfo[] = [];
  for (const name of names) {
    const pid = Number(name);
    const info = pid > above && pid <= last ? readStat(pid) : undefined;
    if (info !== undefined) found.push(info);
  }
  return found;
}

/** The living children of a process that has one thread, oldest first: proc(5), /proc/pid/task/tid/children. None where the kernel does not tell. */
export function childrenOf(pid: number): ProcessInfo[] {
  try {
    const text = process.platform === "linux" ? readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1") : "";
    return text.split(" ").flatMap((child) => (child === "" ? [] : (readStat(Number(child)) ?? [])));
  } catch {
    return [];
  }
}

/** All processes below `root`, nearest first, `root` not included. */
export function descendants(root: number, processes: readonly ProcessInfo[] = allProcesses()): ProcessInfo[] {
  const found: ProcessInfo[] = [];
  let parents = new Set([root]);
  while (parents.size > 0) {
    const children = processes.filter((info) => parents.has(info.parent) && info.pid !== root);
    found.push(...children);
    parents = new Set(children.map((info) => info.pid));
  }
  return found;
}

/** Sends a signal. Gives false when the process is gone or not ours. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

/** Longer than any line of /proc/pid/stat: 52 numbers and a name of 64 bytes at most. */
const stat = Buffer.alloc(2048);

/** One read into the same memory: a machine has hundreds of processes, and `readFileSync` takes twice as long. */
function readStatText(pid: number): string | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(`/proc/${pid}/stat`, "r");
    return stat.toString("latin1", 0, readSync(descriptor, stat, 0, stat.length, 0));
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** proc(5), /proc/pid/stat: the name is in parentheses and may itself hold parentheses and spaces. */
function readStat(pid: number): ProcessInfo | undefined {
  const text = readStatText(pid);
  if (text === undefined) return undefined;
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  const [state, parent, group, session, ...rest] = text.slice(close + 2).split(" ");
  if (state === "Z" || state === "X") return undefined;
  return {
    pid,
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    started: rest[15] ?? "",
    name: text.slice(open + 1, close),
  };
}

function fromPs(): ProcessInfo[] {
  // Loaded here only: it costs the launcher some milliseconds, and Linux needs none of it.
  const { execFileSync } = process.getBuiltinModule("node:child_process");
  const text = execFileSync("ps", ["-axo", "pid=,ppid=,pgid=,stat=,lstart=,comm="], {
    encoding: "utf8",
    env: { LC_ALL: "C", PATH: "/bin:/usr/bin" },
  });
  return text.split("\n").flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\d+\s+\S+\s+\d+)\s+(.*)$/.exec(line);
    if (!match || match[4]?.startsWith("Z")) return [];
    return [
      {
        pid: Number(match[1]),
        parent: Number(match[2]),
        group: Number(match[3]),
        session: 0,
        started: match[5] ?? "",
        name: match[6] ?? "",
      },
    ];
  });
}
