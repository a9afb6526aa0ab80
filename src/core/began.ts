// Which of two of our processes began first, by the kernel's own account: no clock that somebody sets has a say. Used by `kill` and by the daemon.
import { uptime } from "node:os";
import { processInfo } from "./process-tree.ts";

/** proc(5): what /proc/pid/stat counts in, whatever the kernel ticks in. */
const TICKS_PER_S = 100;
/** A command has this long to become Node; a script that worked for longer before it became the command was not the command yet. */
const TO_BECOME_NODE_S = 60;

/** When this command was typed, as `ProcessInfo.started`; undefined where the kernel does not tell. */
export function began(): string | undefined {
  const started = processInfo(process.pid)?.started;
  if (started === undefined || process.platform !== "linux") return started;
  const node = Math.floor((uptime() - process.uptime() - TO_BECOME_NODE_S) * TICKS_PER_S);
  return String(Math.max(Number(started), node));
}

/** Whether a process began after another one; false where it cannot be told. Linux counts hundredths of a second since boot, others name the second. */
export function isLater(started: string, than: string): boolean {
  const [one, other] = [started, than].map((text) => (/^\d+$/.test(text) ? Number(text) : Date.parse(text)));
  return (one ?? Number.NaN) > (other ?? Number.NaN);
}
