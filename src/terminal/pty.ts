// The PTY: our own narrow interface over node-pty. Loaded by attach.ts only when there is a terminal.
import type { Socket } from "node:net";
import { constants } from "node:os";
import { spawn } from "@lydell/node-pty";
import type { Command, ProcessExit } from "../core/command.ts";
import { spawnWithChannel } from "./channel-pty.ts";
import { type Handle, readDirectly } from "./direct-reader.ts";
import { openPacedWriter } from "./paced-writer.ts";

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

/**
 * Starts `command` on a new PTY of that size. What `onData` gets is as it was only until it gets the next.
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
  const reader = readDirectly(own as unknown as Handle, onData, true);
  reader.onClose(() => own.destroy());
  own.once("close", () => reader.destroy());

  const writer = openPacedWriter(fd);
  let closed = false;
  reader.onClose(() => {
    closed = true;
    writer.close();
  });
  const exited = new Promise<ProcessExit>((resolve) => {
    pty.onExit(({ exitCode, signal }) => {
      resolve(signal ? { signal: signalName(signal) } : { code: exitCode });
    });
  });

  return {
    pid: pty.pid,
    exited,
    write: writer.write,
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
