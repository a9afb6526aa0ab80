// The human's real terminal: raw mode, writing to it, and its state given back whatever happens. Used by attach.ts and agent-keys.ts.
import { spawn } from "node:child_process";
import type { ReadStream, WriteStream } from "node:tty";
import { type Guard, startGuard } from "./guard.ts";
import { openOutput, type TerminalOutput } from "./terminal-output.ts";

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

/** `echonl` has no effect there: it is what others who hide what is typed take away, so that it is seen. */
const RAW_SHARED = [...RAW.filter((mode) => mode !== "-isig" && mode !== "-opost"), "echonl"];

export interface HumanTerminal {
  readonly output: TerminalOutput;
  /** Modes as they were, for `stty`. */
  readonly modes: string;
  readonly guard: Guard;
  /** @param shared others write to it too, and are in its foreground: line ends, and Ctrl-C, Ctrl-Z and Ctrl-\\ stay its own */
  raw(shared?: boolean): Promise<void>;
  /** Gives the modes back as they were. Of this and `raw` the one that was called last holds. */
  cooked(): Promise<void>;
  /** Dismisses the guard. */
  close(): void;
}

/** Reads the modes and starts the guard; nothing is changed yet. */
export async function openHumanTerminal(input: ReadStream, output: WriteStream): Promise<HumanTerminal> {
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

  const out = openOutput(output, outputFd);

  // One after the other: of two that run side by side either may be the last.
  let setting: Promise<unknown> | undefined;
  const set = async (args: readonly string[]): Promise<void> => {
    const before = setting;
    const mine = before === undefined ? stty(inputFd, args) : before.then(() => stty(inputFd, args));
    setting = mine;
    await mine;
    if (setting === mine) setting = undefined;
  };

  return {
    modes,
    guard,
    output: out,
    raw: (shared = false) => set([...(shared ? RAW_SHARED : RAW), "min", "1", "time", "0"]),
    cooked: () => set([modes]),
    close() {
      // What a stalled terminal has not taken is given up; a blocking write would hang our exit.
      if (out.isEmpty()) handle?.setBlocking?.(true);
      guard.dismiss();
    },
  };
}

/**
 * What stty(1) says. It is not waited for in a blocking way: the agent can start meanwhile. It shares our process group, so that the system stops all of us
 * where we are in the background (SIGTTOU); the Ctrl-C or Ctrl-Z of somebody who is quick must not end or stop it alone, half done.
 */
export function stty(fd: number, args: readonly string[]): Promise<string> {
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
