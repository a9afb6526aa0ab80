// The human's side: runs the demo launcher in a real PTY and shows it on a terminal in memory, which answers queries as a real one does.
import { constants } from "node:os";
import { join } from "node:path";
import { spawn } from "@lydell/node-pty";
import type { ProcessExit } from "../../src/core/command.ts";
import { type VtScreen, vtScreen } from "./vt-screen.ts";

export const node: string = process.execPath;

export interface Outer extends AsyncDisposable {
  readonly screen: VtScreen;
  readonly pid: number;
  /** All bytes that the terminal got. */
  readonly received: () => string;
  readonly exited: Promise<ProcessExit>;
  type(keys: string): void;
  resize(cols: number, rows: number): void;
  /** Stops reading what comes, as a stalled terminal does. */
  stall(on: boolean): void;
  /** Waits for something to be true of the screen. */
  until(what: string, holds: (screen: VtScreen) => boolean, ms?: number): Promise<void>;
}

export interface OuterOptions {
  readonly cols?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether the terminal answers queries. */
  readonly answers?: boolean;
}

/** Starts `file` in a terminal of its own. */
export function openOuter(file: string, args: readonly string[], options: OuterOptions = {}): Outer {
  const { cols = 80, rows = 24 } = options;
  const screen = vtScreen(cols, rows);
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: process.env["HOME"] ?? "/",
    LANG: "C.UTF-8",
    TERM: "xterm-256color",
    ...options.env,
  };
  const pty = spawn(file, [...args], {
    name: env.TERM,
    cols,
    rows,
    env,
    encoding: null,
    cwd: join(import.meta.dirname, "..", ".."),
  });
  const chunks: Buffer[] = [];
  (pty.onData as unknown as (listener: (bytes: Buffer) => void) => void)((bytes) => {
    chunks.push(bytes);
    screen.write(bytes);
  });
  if (options.answers !== false) screen.terminal.onData((data) => pty.write(data));
  const exited = new Promise<ProcessExit>((resolve) => {
    pty.onExit(({ exitCode, signal }) => {
      const name = Object.entries(constants.signals).find(([, number]) => number === signal)?.[0];
      resolve(name === undefined ? { code: exitCode } : { signal: name as NodeJS.Signals });
    });
  });
  return {
    screen,
    pid: pty.pid,
    exited,
    received: () => Buffer.concat(chunks).toString("latin1"),
    type: (keys) => pty.write(keys),
    resize(nextCols, nextRows) {
      screen.terminal.resize(nextCols, nextRows);
      pty.resize(nextCols, nextRows);
    },
    stall: (on) => (on ? pty.pause() : pty.resume()),
    async until(what, holds, ms = 8000) {
      const end = performance.now() + ms;
      while (!holds(screen)) {
        if (performance.now() > end) throw new Error(`the screen never came to show ${what}:\n${screen.rows().join("\n")}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    async [Symbol.asyncDispose]() {
      try {
        process.kill(pty.pid, "SIGKILL");
      } catch {
        // gone already
      }
      await exited;
      screen.terminal.dispose();
    },
  };
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
export const shows =
  (text: string) =>
  (screen: VtScreen): boolean =>
    screen.rows().some((row) => row.includes(text));
export const barShows =
  (text: string) =>
  (screen: VtScreen): boolean =>
    screen.row(screen.terminal.rows - 1).includes(text);
