// A program on a new PTY that has Node's channel to us besides, as node-pty cannot start one. Used by pty.ts.
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Socket } from "node:net";
import { constants } from "node:os";
import { ReadStream } from "node:tty";
import { CHANNEL_FD, type Channel, type Command } from "../core/command.ts";
import { native } from "./native-pty.ts";
import type { Size } from "./pty.ts";

/** Leads a session (Node's `detached`), and so gets the terminal that it opens as its own (tty_ioctl(4)). */
const PROGRAM = 'exec <>"$0" >&0 2>&0;exec "$@"';
/** After the last process is gone its output is read to the end, unless somebody holds that back. */
const LAST_OUTPUT_MS = 200;

/** The part of node-pty's terminal that `openPty` uses. */
export interface ChannelPty {
  readonly pid: number;
  readonly fd: number;
  readonly _socket: Socket;
  resize(cols: number, rows: number): void;
  onExit(run: (exit: { exitCode: number; signal?: number }) => void): void;
}

/** @throws Error when it cannot be spawned */
export function spawnWithChannel(command: Command, channel: Channel, size: Size): ChannelPty {
  const { master, slave, pty } = native.open(size.cols, size.rows);
  const socket = new ReadStream(master);
  // The end of a PTY reads as EIO.
  socket.on("error", () => undefined);
  // Nothing closes the master in a child; another file takes its number there.
  const nothing = openSync("/dev/null", "r");
  try {
    const stdio: ("ignore" | "ipc" | number)[] = [slave, slave, slave];
    while (stdio.length < master) stdio.push(stdio.length === CHANNEL_FD ? "ipc" : "ignore");
    stdio[master] = nothing;
    const args = ["-c", PROGRAM, pty, command.file, ...(command.argsClosing?.([master]) ?? command.args)];
    const child = spawn("/bin/sh", args, { cwd: command.cwd, env: { ...command.env }, stdio, detached: true });
    if (child.pid === undefined) throw new Error(`/bin/sh cannot be started in ${command.cwd}`);
    channel.attach(child);
    const ended = Promise.withResolvers<{ exitCode: number; signal?: number }>();
    child.on("error", () => ended.resolve({ exitCode: 126 }));
    child.on("exit", (code, signal) => {
      const exit = { exitCode: code ?? 0, ...(signal === null ? {} : { signal: constants.signals[signal] }) };
      if (socket.destroyed) return ended.resolve(exit);
      const late = setTimeout(() => socket.destroy(), LAST_OUTPUT_MS);
      socket.once("close", () => {
        clearTimeout(late);
        ended.resolve(exit);
      });
    });
    return {
      pid: child.pid,
      fd: master,
      _socket: socket,
      resize: (cols, rows) => native.resize(master, cols, rows, 0, 0),
      onExit: (run) => void ended.promise.then(run),
    };
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    // As long as it were open here, nobody would be told that the last process has gone.
    closeSync(slave);
    closeSync(nothing);
  }
}
