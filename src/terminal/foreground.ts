// Which process group has a terminal now: the one that a signal for the agent is for, and that the human types to. Used by attach.ts and the launcher.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { processInfo } from "../core/process-tree.ts";

/** Whether another process group than ours has our terminal now, so that what is typed there is not for us. */
export function isInBackground(): boolean {
  const group = foregroundGroup(process.pid);
  return group !== undefined && group !== processInfo(process.pid)?.group;
}

/** The foreground process group of the terminal of `pid`; undefined when it has none. proc(5): field 8, tpgid. */
export function foregroundGroup(pid: number): number | undefined {
  const group = process.platform === "linux" ? fromProc(pid) : fromPs(pid);
  return Number.isInteger(group) && group > 0 ? group : undefined;
}

function fromProc(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[5]);
  } catch {
    return 0;
  }
}

function fromPs(pid: number): number {
  try {
    return Number(execFileSync("ps", ["-o", "tpgid=", "-p", String(pid)], { encoding: "utf8", env: { PATH: "/bin:/usr/bin" } }).trim());
  } catch {
    return 0;
  }
}
