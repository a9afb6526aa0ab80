// A program on a new PTY that has Node's channel to us besides, as node-pty cannot start one. Used by pty.ts.
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Socket } from "node:net";
import { constants } from "node:os";
import * as nodePty from "@lydell/node-pty";
import { CHANNEL_FD, type Channel, type Command } from "../core/command.ts";
import type { Size } from "./pty.ts";

/** What node-pty's declarations leave out. */
interface Pair {
  readonly _fd: number;
  readonly _pty: string;
  readonly _socket: Socket;
  readonly _slave: Socket & { readonly _handle: { readonly fd: number } };
  resize(cols: number, rows: number): void;
}

const openPair = (nodePty as unknown as { open(options: { cols: number; rows: number; encoding: null }): Pair }).open;

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
  const pair = openPair({ ...size, encoding: null });
  const { _fd: master, _slave: slave } = pair;
  // Nothing closes the master in a child; another file takes its number there.
  const nothing = openSync("/dev/null", "r");
  try {
    const stdio: ("ignore" | "ipc" | number)[] = [slave._handle.fd, slave._handle.fd, slave._handle.fd];
    while (stdio.length < master) stdio.push(stdio.length === CHANNEL_FD ? "ipc" : "ignore");
    stdio[master] = nothing;
    const args = ["-c", PROGRAM, pair._pty, command.file, ...(command.argsClosing?.([master]) ?? command.args)];
    const child = spawn("/bin/sh", args, { cwd: command.cwd, env: { ...command.env }, stdio, detached: true });
    if (child.pid === undefined) throw new Error(`/bin/sh cannot be started in ${command.cwd}`);
    channel.attach(child);
    const ended = Promise.withResolvers<{ exitCode: number; signal?: number }>();
    child.on("error", () => ended.resolve({ exitCode: 126 }));
    child.on("exit", (code, signal) => {
      const exit = { exitCode: code ?? 0, ...(signal === null ? {} : { signal: constants.signals[signal] }) };
      if (pair._socket.destroyed) return ended.resolve(exit);
      const late = setTimeout(() => pair._socket.destroy(), LAST_OUTPUT_MS);
      pair._socket.once("close", () => {
        clearTimeout(late);
        ended.resolve(exit);
      });
    });
    return {
      pid: child.pid,
      fd: master,
      _socket: pair._socket,
      resize: (cols, rows) => pair.resize(cols, rows),
      onExit: (run) => void ended.promise.then(run),
    };
  } catch (error) {
    pair._socket.destroy();
    throw error;
  } finally {
    slave.destroy();
    closeSync(nothing);
  }
}
