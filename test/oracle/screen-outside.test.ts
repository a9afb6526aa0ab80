// GNU screen as the human's terminal, which borrows nobody its alternate screen and hands on what it has read: what a program shows above the bar is what a
// screen of one row less shows that got the program's own bytes.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { barShows, node, type Outer, openOuter, pause, shows } from "../terminal/outer.ts";
import { snapshot } from "../terminal/vt-screen.ts";
import { COLS, endLeftovers, openStage, ROWS, type Stage } from "./program.ts";

const has = (program: string): boolean => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
const PATIENCE_MS = 20_000;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  writeFileSync(join(stage.folder, "screenrc"), "startup_message off\nvbell off\naltscreen on\ndefutf8 on\n");
  mkdirSync(join(stage.folder, "screens"), { mode: 0o700 });
});
afterAll(() => {
  // The server of a screen outlives its terminal.
  endLeftovers(`HOME=${stage.folder}`);
  stage.close();
});

/** A terminal of `rows` rows with a screen in it, in which `command` runs. */
function open(rows: number, command: string): Outer {
  const env = { HOME: stage.folder, SCREENDIR: join(stage.folder, "screens"), LC_ALL: "C.UTF-8", DEMO_TICK_MS: "150", PS1: "$ " };
  return openOuter("screen", ["-U", "-c", join(stage.folder, "screenrc"), "-m", "/bin/sh", "-c", command], { cols: COLS, rows, env });
}

type Key = string | { readonly type: string; readonly shows: string };

async function compare(name: string, command: string, keys: readonly Key[]): Promise<void> {
  const log = join(stage.folder, `${name}.log`);
  await using outer = open(ROWS, `exec '${node}' '${stage.demo}' script -qefc '${command}; sleep 60' '${log}'`);
  await outer.until("the bar", barShows("readonly@"), PATIENCE_MS);
  // script(1) writes a line of its own first.
  for (const start = performance.now(); !(existsSync(log) && readFileSync(log).includes("\n")); await pause(30)) {
    if (performance.now() - start > PATIENCE_MS) throw new Error("script has not started");
  }
  await using bare = open(ROWS - 1, `stty raw -echo; exec tail -n +2 -f '${log}'`);
  for (const key of ["", ...keys]) {
    const { type, shows: text } = typeof key === "string" ? { type: key, shows: "" } : key;
    if (type !== "") outer.type(type);
    if (text !== "") await outer.until(text, shows(text), PATIENCE_MS);
    if (text !== "") continue;
    const typed = performance.now();
    await pause(150);
    for (let before = ""; ; await pause(50)) {
      // Its scrollback is its own, and which rows it lets continue others depends on how it draws them.
      const look = ({ screen }: Outer): unknown => ({ ...snapshot(screen, ROWS - 1), scrollback: [], wrapped: [] });
      const [is, ought] = [look(outer), look(bare)];
      const now = JSON.stringify(is);
      const bar = outer.screen.row(ROWS - 1);
      if (now === before && isDeepStrictEqual(is, ought) && bar.includes("readonly@")) break;
      if (performance.now() - typed > PATIENCE_MS)
        expect({ key, is, bar }).toEqual({ key, is: ought, bar: expect.stringContaining("readonly@") });
      before = now;
    }
  }
}

describe.skipIf(!has("screen"))("in GNU screen (needs screen) a program looks as it does in a screen of one row less", () => {
  it("bash: lines that scroll, clear, a region, reset, and a question over it", async () => {
    await compare("bash", "bash --norc --noediting", [
      "seq 1 60\r",
      `echo ${"x".repeat(90)}\r`,
      { type: "\x0b", shows: "press a key:" },
      "\x1b",
      "clear\r",
      "printf '\\e[2;9r\\e[23;1Hlow\\n\\n\\n\\e[r\\e[5;5H\\e[1;31mx\\e[m\\n'\r",
      "reset\r",
      "seq 5\r",
    ]);
  }, 60_000);

  it.skipIf(!has("vim"))(
    "vim (needs vim): scrolling, a split, a question over it, leaving",
    async () => {
      const question: Key = { type: "\x0b", shows: "press a key:" };
      await compare("vim", `vim -u NONE -N ${stage.folder}/text`, ["\x06", "G", ":split\r", question, "\x1b", "/fox\r", ":qa!\r"]);
    },
    60_000,
  );

  it.skipIf(!has("less"))(
    "less (needs less): forth and back, a search, leaving",
    async () => {
      await compare("less", `less ${stage.folder}/text`, [" ", "k", "G", "b", "/99\r", "q"]);
    },
    60_000,
  );
});
