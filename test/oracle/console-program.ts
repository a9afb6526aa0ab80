// Runs a real program on a virtual terminal of the kernel and, beside it, writes what it wrote, recorded by script(1), to one of a row less. Used by
// console-outside.test.ts.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";
import { type LinuxConsole, openLinuxConsole } from "../terminal/linux-console.ts";
import { node, pause } from "../terminal/outer.ts";
import { COLS, endLeftovers, ROWS, type Stage } from "./program.ts";

const PATIENCE_MS = 20_000;
const POLL_MS = 60;
/** A key that brings about no output is given this long to bring some. */
const NO_OUTPUT_MS = 250;

export type ConsoleKey = string | { readonly type: string; readonly shows: string } | { readonly cols: number; readonly rows: number };

interface Launched extends AsyncDisposable {
  readonly console: LinuxConsole;
  readonly exited: Promise<number | null>;
}

/** Leads a session, and so gets the terminal that it opens as its own. */
const ON_TERMINAL = 'exec <>"$0" >&0 2>&0;stty sane iutf8;exec "$@"';

/** The launcher with this agent on a virtual terminal. */
export function launchOnConsole(stage: Stage, agent: readonly string[], env: Readonly<Record<string, string>> = {}): Launched {
  const console = openLinuxConsole({ cols: COLS, rows: ROWS });
  const child = spawn("/bin/sh", ["-c", ON_TERMINAL, console.tty, node, stage.demo, ...agent], {
    detached: true,
    stdio: "ignore",
    env: { PATH: process.env["PATH"], HOME: stage.folder, TERM: "linux", LC_ALL: "C.UTF-8", PS1: "$ ", DEMO_TICK_MS: "150", ...env },
  });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  return {
    console,
    exited,
    async [Symbol.asyncDispose]() {
      child.kill("SIGHUP");
      await exited;
      console.close();
    },
  };
}

export async function until(what: string, console: LinuxConsole, holds: (rows: readonly string[]) => boolean): Promise<void> {
  for (const start = performance.now(); !holds(console.rows()); await pause(POLL_MS)) {
    if (performance.now() - start > PATIENCE_MS) throw new Error(`the console never came to show ${what}:\n${console.rows().join("\n")}`);
  }
}

/** Runs `command` in a shell, types each of `keys` in turn, and waits after every one until both consoles show the same. */
export async function compareOnConsole(stage: Stage, name: string, command: string, keys: readonly ConsoleKey[]): Promise<void> {
  const log = join(stage.folder, `${name}.log`);
  const mark = `PROGRAM_LOG=${log}`;
  const bare = openLinuxConsole({ cols: COLS, rows: ROWS - 1 });
  await using launched = launchOnConsole(stage, ["script", "-qefc", `${command}; sleep 60`, log], { PROGRAM_LOG: log });
  const outer = launched.console;
  let rows = ROWS;
  let done = 0;
  /** What the program has written since, on the bare console too. Gives how much it was. */
  const catchUp = (): number => {
    const all = existsSync(log) ? readFileSync(log) : Buffer.alloc(0);
    if (done === 0) done = all.indexOf(0x0a) + 1;
    const more = done === 0 ? Buffer.alloc(0) : all.subarray(done);
    bare.write(more);
    done += more.length;
    return more.length;
  };
  try {
    await until("the bar", outer, (all) => all[ROWS - 1]?.includes("readonly@") === true);
    for (const key of ["", ...keys]) {
      const { type, shows } = typeof key === "string" ? { type: key, shows: "" } : "cols" in key ? { type: "", shows: "" } : key;
      if (typeof key !== "string" && "cols" in key) {
        rows = key.rows;
        bare.resize({ cols: key.cols, rows: key.rows - 1 });
        outer.resize(key);
      }
      if (type !== "") outer.type(type);
      if (shows !== "") {
        await until(shows, outer, (all) => all.some((row) => row.includes(shows)));
        continue;
      }
      const start = performance.now();
      const since = (): number => performance.now() - start;
      while (catchUp() === 0 && since() < NO_OUTPUT_MS) await pause(POLL_MS);
      for (let before: unknown; ; await pause(POLL_MS)) {
        const more = catchUp();
        const [is, ought] = [outer.snapshot(rows - 1), bare.snapshot(rows - 1)];
        const bar = outer.row(rows - 1);
        if (more === 0 && isDeepStrictEqual(is, before) && isDeepStrictEqual(is, ought) && bar.includes("readonly@")) break;
        if (since() > PATIENCE_MS) expect({ key, is, bar }).toEqual({ key, is: ought, bar: expect.stringContaining("readonly@") });
        before = is;
      }
    }
  } finally {
    endLeftovers(mark);
    bare.close();
  }
}
