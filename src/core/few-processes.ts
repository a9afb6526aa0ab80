// What to say where the system gives a user no more processes (ulimit -u): Node then aborts at its start, or waits for threads for ever. Used by whoever
// starts one of our own.
import { readdirSync, readFileSync } from "node:fs";

export const FEW_PROCESSES =
  "where processes are limited (ulimit -u), agent-run needs some 40 free ones, its threads counted: raise it, or end others";

/** Whether that is how what was said ended. */
export const isForWantOfProcesses = (said: string): boolean => /\bEAGAIN\b|SIGABRT|Resource temporarily unavailable/.test(said);

const ENOUGH = 40;

/**
 * Whether the user has too few left for a launch, this process's own threads counted as left: what dies for want of a thread says nothing (Linux, where
 * root is not held to the limit).
 */
export function isShortOfProcesses(): boolean {
  const uid = process.getuid?.();
  const limit = Number(/^Max processes +(\d+)/m.exec(read("/proc/self/limits"))?.[1] ?? Number.POSITIVE_INFINITY);
  if (uid === 0 || limit === Number.POSITIVE_INFINITY) return false;
  const threads = (status: string): number =>
    Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]) === uid ? Number(/^Threads:\s+(\d+)/m.exec(status)?.[1]) : 0;
  const taken = readdirSync("/proc").reduce((sum, name) => (/^\d/.test(name) ? sum + threads(read(`/proc/${name}/status`)) : sum), 0);
  return limit - taken + threads(read("/proc/self/status")) < ENOUGH;
}

/** Empty where it is gone meanwhile. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
