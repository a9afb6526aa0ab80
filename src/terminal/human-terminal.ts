// The human's real terminal: raw mode, non-blocking writes with a limit, and its state given back whatever happens. Used by attach.ts.
import { spawn } from "node:child_process";
import { writeSync } from "node:fs";
import type { ReadStream, WriteStream } from "node:tty";
import { type Guard, startGuard } from "./guard.ts";

/** Above this much unwritten output the agent's PTY is paused; below a quarter of it, it goes on. */
const HIGH_WATER = 131_072;
/** A terminal that takes nothing for this long at the end is given up: the launcher must be able to leave. */
const DRAIN_DEADLINE_MS = 2000;

/** POSIX names only. Not Node's `setRawMode`: it leaves output processing on, which would turn the agent's bare line feeds into CR LF. */
const RAW = [
  "-icanon",
  "-echo",
  "-isig",
  "-iexten",
  "-ixon",
  "-icrnl",
  "-inlcr",
  "-igncr",
  "-istrip",
  "-brkint",
  "-parmrk",
  "-inpck",
  "-opost",
];

export interface HumanTerminal {
  /** Modes as they were, for `stty`. */
  readonly modes: string;
  readonly guard: Guard;
  /** Who is told when too much is unwritten (true: stop producing) and when that is over. */
  onPressure(handler: (high: boolean) => void): void;
  raw(): Promise<void>;
  /** Gives the modes back as they were. */
  cooked(): Promise<void>;
  write(bytes: Uint8Array | string): void;
  /** All that `run` writes goes out at its end, in one piece. */
  together(run: () => void): void;
  /** Resolves when everything was written, or the deadline for a stalled terminal has passed. */
  drained(): Promise<void>;
  /** Dismisses the guard. */
  close(): void;
}

/** Reads the modes and starts the guard; nothing is changed yet. */
export async function openHumanTerminal(input: ReadStream, output: WriteStream): Promise<HumanTerminal> {
  let onPressure: (high: boolean) => void = () => undefined;
  const inputFd = (input as unknown as { fd: number }).fd;
  const outputFd = (output as unknown as { fd: number }).fd;
  const modes = (await stty(inputFd, ["-g"])).trim();
  const guard = startGuard(modes, inputFd, outputFd);
  // A terminal that reads nothing must not stop our timers: the session's end is one of them.
  const handle = (output as unknown as { _handle?: { setBlocking?: (on: boolean) => void } })._handle;
  handle?.setBlocking?.(false);
  // The window may be gone (EIO, EPIPE): SIGHUP tells the caller.
  const ignore = (): void => undefined;
  output.on("error", ignore);

  let waiting = 0;
  let high = false;
  let idle: (() => void)[] = [];
  let gathered: Uint8Array[] = [];
  let scheduled = false;
  let together = false;

  const written = (length: number): void => {
    waiting -= length;
    if (high && waiting < HIGH_WATER / 4) {
      high = false;
      onPressure(false);
    }
    if (waiting === 0) {
      for (const resolve of idle) resolve();
      idle = [];
    }
  };
  const send = (bytes: Uint8Array): void => {
    let taken = 0;
    // What the terminal takes at once needs no stream, and a key's echo waits for none.
    if (waiting === bytes.length) {
      try {
        taken = writeSync(outputFd, bytes);
      } catch {
        // EAGAIN: the terminal is busy. Whatever else it is, the stream meets it too.
      }
    }
    if (taken === bytes.length) written(taken);
    else output.write(taken === 0 ? bytes : bytes.subarray(taken), () => written(bytes.length));
  };
  const flush = (): void => {
    if (gathered.length === 0) return;
    const bytes = gathered.length === 1 ? (gathered[0] as Uint8Array) : Buffer.concat(gathered);
    gathered = [];
    send(bytes);
  };
  const endOfTurn = (): void => {
    scheduled = false;
    flush();
  };

  return {
    modes,
    guard,
    onPressure(handler) {
      onPressure = handler;
    },
    async raw() {
      await stty(inputFd, [...RAW, "min", "1", "time", "0"]);
    },
    async cooked() {
      await stty(inputFd, [modes]);
    },
    write(text) {
      const bytes = typeof text === "string" ? Buffer.from(text, "utf8") : text;
      if (bytes.length === 0) return;
      waiting += bytes.length;
      gathered.push(bytes);
      if (!together && !scheduled) {
        scheduled = true;
        setImmediate(endOfTurn);
      }
      if (!high && waiting > HIGH_WATER) {
        high = true;
        onPressure(true);
      }
    },
    together(run) {
      together = true;
      try {
        run();
      } finally {
        together = false;
        flush();
      }
    },
    async drained() {
      flush();
      if (waiting === 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, DRAIN_DEADLINE_MS);
        idle.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    },
    close() {
      // What a stalled terminal has not taken is given up; a blocking write would hang our exit.
      if (waiting === 0) handle?.setBlocking?.(true);
      guard.dismiss();
    },
  };
}

/**
 * What stty(1) says. It is not waited for in a blocking way: the agent can start meanwhile. It shares our process group, so that the system stops all of us
 * where we are in the background (SIGTTOU); the Ctrl-C or Ctrl-Z of somebody who is quick must not end or stop it alone, half done.
 */
function stty(fd: number, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    // The terminal as descriptor 0 is made blocking in the child; node's own description of it is another, opened anew by libuv.
    const child = spawn("/bin/sh", ["-c", 'trap "" INT QUIT TSTP;exec stty "$@"', "sh", ...args], {
      stdio: [fd, "pipe", "ignore"],
      env: { PATH: "/usr/bin:/bin" },
    });
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    child.on("error", () => resolve(text));
    child.on("close", () => resolve(text));
  });
}
