// A program to start, complete: what isolation wraps and the terminal spawns.

export interface Command {
  /** Absolute path, or a name looked up on PATH by the spawn. */
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment: nothing is inherited beside it. */
  readonly env: Readonly<Record<string, string>>;
}

/** How a process ended: exactly one of the two is set. */
export interface ProcessExit {
  /** Exit code 0..255. */
  readonly code?: number;
  /** The signal's name, such as `SIGTERM`. */
  readonly signal?: NodeJS.Signals;
}
