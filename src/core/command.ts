// A program to start, complete: what isolation wraps and the terminal spawns.
import type { ChildProcess } from "node:child_process";

export interface Command {
  /** Absolute path, or a name looked up on PATH by the spawn. */
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment: nothing is inherited beside it. */
  readonly env: Readonly<Record<string, string>>;
  /** It hands sockets out to us before it becomes what was asked for: whoever spawns it gives it Node's channel as `CHANNEL_FD`. */
  readonly channel?: Channel;
  /** The arguments, such that it closes these descriptors too, which it cannot but inherit. Undefined where it does not know how to. */
  readonly argsClosing?: (descriptors: readonly number[]) => readonly string[];
  /** Until it runs, its stderr is this descriptor: what is put around it says its own words to `to` as stderr. */
  readonly aside?: { readonly stderr: number; readonly to: number };
}

/** 3 is a sandbox's tie to the launcher (terminal/tie.ts). */
export const CHANNEL_FD = 4;

export interface Channel {
  /** Gets the process as soon as it is spawned. */
  attach(child: ChildProcess): void;
}

/** How a process ended: exactly one of the two is set. */
export interface ProcessExit {
  /** Exit code 0..255. */
  readonly code?: number;
  /** The signal's name, such as `SIGTERM`. */
  readonly signal?: NodeJS.Signals;
}
