// Runs a real program in the terminal and, beside it, feeds what it wrote, recorded by script(1), to a fresh terminal one row shorter. Used by the
// tests of programs and of agents.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";
import { demoBundle, removeDemo } from "../terminal/demo-bundle.ts";
import { barShows, node, openOuter, pause } from "../terminal/outer.ts";
import { snapshot, vtScreen } from "../terminal/vt-screen.ts";

export const COLS = 80;
export const ROWS = 24;

/** Keys, and where it matters what must come to stand on the screen, or must be gone from it, before it is compared; or another size of the window. */
export type Key =
  | string
  | { readonly type: string; readonly shows: string }
  | { readonly type: string; readonly hides: string }
  | { readonly cols: number; readonly rows: number };

/** Until a program has shown all that a key brings about, also on a machine with more to do. */
const PATIENCE_MS = 15_000;
/** A text that is waited for has longer: an agent takes its time to start. */
const START_MS = 90_000;
/** A key that brings about no output is given this long to bring some. */
const NO_OUTPUT_MS = 250;

export interface Stage {
  /** A folder of the stage's own, the programs' home; a file `text` of 400 lines is in it. */
  readonly folder: string;
  readonly demo: string;
  /** Runs `command` in a shell, types each of `keys` in turn, and waits after every one until the screen is the oracle's. */
  compare(command: string, keys: readonly Key[], env?: Readonly<Record<string, string>>): Promise<void>;
  close(): void;
}

/** Builds the launcher and makes the folder. */
export async function openStage(): Promise<Stage> {
  const demo = await demoBundle();
  const folder = mkdtempSync(join(tmpdir(), "programs-"));
  let logs = 0;
  const lines = Array.from({ length: 400 }, (_, i) => `${i} the quick brown fox ${"jumps ".repeat(i % 17)}\n`);
  writeFileSync(join(folder, "text"), lines.join(""));
  return {
    folder,
    demo,
    async compare(command, keys, env = {}) {
      const log = join(folder, `log-${logs++}`);
      try {
        await compare(demo, log, command, keys, { HOME: folder, ...env, PROGRAM_LOG: log });
      } finally {
        endLeftovers(`PROGRAM_LOG=${log}`);
      }
    },
    close() {
      rmSync(folder, { recursive: true, force: true });
      removeDemo(demo);
    },
  };
}

async function compare(
  demo: string,
  log: string,
  command: string,
  keys: readonly Key[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const settings = { DEMO_TICK_MS: "150", LC_ALL: "C.UTF-8", ...env };
  await using outer = openOuter(node, [demo, "script", "-qefc", `${command}; sleep 60`, log], { cols: COLS, rows: ROWS, env: settings });
  await outer.until("the bar", barShows("script"), PATIENCE_MS);
  const written = (): Buffer => {
    const all = existsSync(log) ? readFileSync(log) : Buffer.alloc(0);
    const end = all.lastIndexOf("\nScript done on");
    return all.subarray(all.indexOf(0x0a) + 1, end < 0 ? all.length : end);
  };
  let rows = ROWS;
  /** From which byte on the window had which size. */
  const resizes: { from: number; cols: number; rows: number }[] = [];
  const pictures = (): [unknown, unknown] => {
    const oracle = vtScreen(COLS, ROWS - 1);
    const all = written();
    let done = 0;
    for (const resize of resizes) {
      oracle.write(all.subarray(done, resize.from));
      oracle.terminal.resize(resize.cols, resize.rows - 1);
      done = resize.from;
    }
    oracle.write(all.subarray(done));
    const both: [unknown, unknown] = [snapshot(outer.screen, rows - 1), snapshot(oracle, rows - 1)];
    oracle.terminal.dispose();
    return both;
  };
  for (const key of ["", ...keys]) {
    const before = written().length;
    const { type, shows, hides } = { type: "", shows: "", hides: "", ...(typeof key === "string" ? { type: key } : key) };
    if (typeof key !== "string" && "cols" in key) {
      rows = key.rows;
      resizes.push({ ...key, from: before });
      outer.resize(key.cols, key.rows);
    }
    if (type !== "") outer.type(type);
    if (shows !== "") await outer.until(shows, (screen) => screen.rows().some((row) => row.includes(shows)), START_MS);
    if (hides !== "") await outer.until(`no ${hides}`, (screen) => !screen.rows().some((row) => row.includes(hides)), START_MS);
    const start = performance.now();
    const since = (): number => performance.now() - start;
    while (written().length === before && since() < (before === 0 ? PATIENCE_MS : NO_OUTPUT_MS)) await pause(20);
    for (let length = -1; ; ) {
      const now = written().length;
      const [is, ought] = pictures();
      const bar = outer.screen.row(rows - 1);
      if (now === length && isDeepStrictEqual(is, ought) && bar.includes("readonly@")) break;
      if (since() > PATIENCE_MS)
        expect({ command, key, is, bar }).toEqual({ command, key, is: ought, bar: expect.stringContaining("readonly@") });
      length = now;
      await pause(80);
    }
  }
}

/**
 * Ends what still runs with this mark in its environment: a terminal that goes away without a hangup leaves programs that spin, such as vttest, and some
 * agents start daemons.
 */
export function endLeftovers(mark: string): void {
  for (const pid of marked(mark)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // Gone by now.
    }
  }
}

/** Who runs with this mark in its environment. */
export function marked(mark: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(mark);
      } catch {
        // Gone, or another user's.
        return false;
      }
    });
}
