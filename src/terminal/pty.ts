// The PTY: our own narrow interface over node-pty, with a paced writer of our own. Loaded by attach.ts only when there is a terminal.
import { writeSync } from "node:fs";
import type { Socket } from "node:net";
import { constants } from "node:os";
import { spawn } from "@lydell/node-pty";
import type { Command, ProcessExit } from "../core/command.ts";
import { spawnWithChannel } from "./channel-pty.ts";
import { type Handle, readDirectly } from "./direct-reader.ts";

export interface Size {
  readonly cols: number;
  readonly rows: number;
}

export interface PtyHost {
  readonly pid: number;
  /** How the process on the PTY itself (sandbox or shim) ended; after its last output, unless `pause` held that back. */
  readonly exited: Promise<ProcessExit>;
  /** Queues bytes for the agent; never blocks, never spins. */
  write(bytes: Uint8Array): void;
  resize(size: Size): void;
  pause(): void;
  resume(): void;
}

/** The kernel takes about 64 KB for a reader that does not read; then the writer looks again after this, doubling. */
const FIRST_RETRY_MS = 2;
const LAST_RETRY_MS = 64;

/**
 * Starts `command` on a new PTY of that size. What `onData` gets is its own to keep.
 * node-pty's own `write` is never called: it spins on a full PTY (microsoft/node-pty, pull request 956).
 */
export function openPty(command: Command, size: Size, onData: (bytes: Buffer) => void): PtyHost {
  const pty = command.channel
    ? spawnWithChannel(command, command.channel, size)
    : spawn(command.file, [...command.args], {
        name: command.env["TERM"] ?? "dumb",
        cols: size.cols,
        rows: size.rows,
        cwd: command.cwd,
        env: { ...command.env },
        encoding: null,
      });
  // `fd` is the master, `_socket` its reader, which reports the end to node-pty when it is closed: the type declarations say none of it.
  const { fd, _socket: own } = pty as unknown as { fd: number; _socket: Socket };
  const reader = readDirectly(own as unknown as Handle, onData);
  reader.onClose(() => own.destroy());
  own.once("close", () => reader.destroy());

  const queue: Uint8Array[] = [];
  let retry: NodeJS.Timeout | undefined;
  let wait = FIRST_RETRY_MS;
  let closed = false;

  const drain = (): void => {
    retry = undefined;
    while (queue.length > 0 && !closed) {
      const head = queue[0] as Uint8Array;
      let written: number;
      try {
        written = writeSync(fd, head);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== "EAGAIN" && code !== "EINTR") {
          queue.length = 0;
          return;
        }
        written = 0;
      }
      if (written === 0) {
        retry = setTimeout(drain, wait);
        wait = Math.min(wait * 2, LAST_RETRY_MS);
        return;
      }
      wait = FIRST_RETRY_MS;
      if (written === head.length) queue.shift();
      else queue[0] = head.subarray(written);
    }
  };

  // The number of a closed descriptor may soon be another file's.
  reader.onClose(() => {
    closed = true;
    clearTimeout(retry);
  });
  const exited = new Promise<ProcessExit>((resolve) => {
    pty.onExit(({ exitCode, signal }) => {
      resolve(signal ? { signal: signalName(signal) } : { code: exitCode });
    });
  });

  return {
    pid: pty.pid,
    exited,
    write(bytes) {
      if (closed || bytes.length === 0) return;
      queue.push(bytes);
      if (retry === undefined) drain();
    },
    resize(next) {
      if (closed) return;
      try {
        pty.resize(Math.max(1, next.cols), Math.max(1, next.rows));
      } catch {
        // The agent has just ended, and its terminal with it (ENOTTY, EBADF).
      }
    },
    pause: reader.pause,
    resume: reader.resume,
  };
}

function signalName(number: number): NodeJS.Signals {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return (found?.[0] ?? "SIGKILL") as NodeJS.Signals;
}
