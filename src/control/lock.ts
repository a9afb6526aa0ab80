// A lock between processes that a killed holder never keeps. Taken by start-daemon.ts (who starts) and by the daemon (who serves).
import { readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { basename, dirname } from "node:path";
import { AgentRunError, messageOf } from "../core/error.ts";
import { processInfo } from "../core/process-tree.ts";

/** Disposing it releases the lock. */
export type Lock = Disposable;

const RELEASED = "released";

/**
 * Takes the lock, or gives undefined when a living process holds it (this one included).
 *
 * A lock is a row of symbolic links `<base>.1`, `<base>.2`, …, each pointing at `pid started` (made in one step, so never half written).
 * Who made the highest number holds it while that process lives; after its death, or release, whoever makes the next number first has
 * it. The highest number is never removed: removing a dead lock and making a new one are two steps, between which a second process
 * that saw the same dead lock would remove the new one.
 * @throws AgentRunError `runtime-folder` when the folder cannot be written
 */
export function takeLock(base: string): Lock | undefined {
  const own = processInfo(process.pid);
  const highest = numbers(base).at(-1) ?? 0;
  if (!own || holderOf(base, highest) !== undefined) return undefined;
  const link = `${base}.${highest + 1}`;
  try {
    symlinkSync(`${own.pid} ${own.started}`, link);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return undefined;
    throw new AgentRunError("runtime-folder", `cannot write in the folder ${dirname(base)}: ${messageOf(error)}`, {
      hint: `chmod 700 ${dirname(base)}, or set AGENT_RUN_HOME to a folder of your own`,
      cause: error,
    });
  }
  // Others may have gone on counting, and have cleared this number away, since it was read.
  if (numbers(base).at(-1) !== highest + 1) {
    rmSync(link, { force: true });
    return undefined;
  }
  for (const lower of numbers(base).slice(0, -1)) rmSync(`${base}.${lower}`, { force: true });
  return { [Symbol.dispose]: () => release(link, own.pid) };
}

/** The pid of the living process that holds the lock. */
export function lockHolder(base: string): number | undefined {
  return holderOf(base, numbers(base).at(-1) ?? 0);
}

function release(link: string, pid: number): void {
  try {
    symlinkSync(RELEASED, `${link}.${pid}`);
    renameSync(`${link}.${pid}`, link);
  } catch {
    // The folder is gone or read-only: the lock ends with this process.
  }
}

function holderOf(base: string, number: number): number | undefined {
  let target: string;
  try {
    target = readlinkSync(`${base}.${number}`);
  } catch {
    return undefined;
  }
  const [pid = "", started] = target.split(/ (.*)/s);
  return /^\d+$/.test(pid) && processInfo(Number(pid))?.started === started ? Number(pid) : undefined;
}

/** The numbers that are there, ascending. */
function numbers(base: string): number[] {
  const prefix = `${basename(base)}.`;
  let names: string[];
  try {
    names = readdirSync(dirname(base));
  } catch {
    return [];
  }
  return names
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((a, b) => a - b);
}
