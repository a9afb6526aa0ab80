// tmux as the human's terminal: what a program shows above the bar is what a pane of that height shows that got the program's own bytes, as tmux itself
// tells it (capture-pane). A second witness beside xterm.js, which also reads the agent's output for us.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { node, pause } from "../terminal/outer.ts";
import { COLS, marked, openStage, ROWS, type Stage } from "./program.ts";

const has = (program: string): boolean => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
const server = `agent-run-oracle-${process.pid}`;
const tmux = (...args: string[]): string => execFileSync("tmux", ["-L", server, "-f", "/dev/null", ...args], { encoding: "utf8" });
const PATIENCE_MS = 20_000;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  if (has("tmux"))
    tmux("new-session", "-d", "-s", "base", "-x", String(COLS), "-y", String(ROWS), "sleep 600", ";", "set", "-g", "status", "off");
});
afterAll(async () => {
  if (has("tmux")) spawnSync("tmux", ["-L", server, "kill-server"]);
  const start = performance.now();
  // A pane that goes takes all with it that ran in there.
  while (marked(`HOME=${stage.folder}`).length > 0) {
    if (performance.now() - start > PATIENCE_MS) throw new Error(`still there: ${marked(`HOME=${stage.folder}`).join(" ")}`);
    await pause(50);
  }
  stage.close();
}, 2 * PATIENCE_MS);

/** A pane of `rows` rows in which `command` runs. */
function open(name: string, rows: number, command: string): void {
  const settings = ["DEMO_TICK_MS=150", "LC_ALL=C.UTF-8", `HOME=${stage.folder}`, "PS1=$ "].flatMap((setting) => ["-e", setting]);
  tmux("new-session", "-d", "-s", name, "-x", String(COLS), "-y", String(rows), ...settings, command);
}

/** Scrollback and rows with their attributes, then cursor and modes of a pane. */
function look(name: string, rows: number): string[] {
  const flags =
    "cursor_x cursor_y alternate_on cursor_flag insert_flag keypad_cursor_flag keypad_flag wrap_flag origin_flag mouse_any_flag";
  const state = flags.split(" ").map((flag) => `${flag}=#{${flag}}`);
  const capture = ["capture-pane", "-e", "-p", "-t", name, "-S", "-", "-E", String(rows - 1)];
  return tmux(...capture, ";", "display", "-p", "-t", name, `history=#{history_size} ${state.join(" ")}`).split("\n");
}

async function compare(name: string, command: string, keys: readonly string[]): Promise<void> {
  const log = join(stage.folder, `${name}.log`);
  open(name, ROWS, `'${node}' '${stage.demo}' script -qefc '${command}; sleep 60' '${log}'`);
  const bar = (): string => tmux("capture-pane", "-p", "-t", name, "-S", String(ROWS - 1));
  const start = performance.now();
  // script(1) writes a line of its own first.
  const begun = (): boolean => existsSync(log) && readFileSync(log).includes("\n");
  for (; !begun() || !bar().includes("readonly@"); await pause(30)) {
    if (performance.now() - start > PATIENCE_MS) throw new Error(`no bar: ${bar()}`);
  }
  open(`${name}-bare`, ROWS - 1, `stty raw -echo; exec tail -n +2 -f '${log}'`);
  for (const key of ["", ...keys]) {
    if (key !== "") tmux("send-keys", "-t", name, "-H", ...[...Buffer.from(key)].map((byte) => byte.toString(16)));
    const typed = performance.now();
    await pause(150);
    for (let before = ""; ; await pause(50)) {
      const [is, ought] = [look(name, ROWS - 1), look(`${name}-bare`, ROWS - 1)];
      const now = JSON.stringify(is);
      if (now === before && now === JSON.stringify(ought) && bar().includes("readonly@")) break;
      if (performance.now() - typed > PATIENCE_MS)
        expect({ key, is, bar: bar() }).toEqual({ key, is: ought, bar: expect.stringContaining("readonly@") });
      before = now;
    }
  }
  tmux("kill-session", "-t", name, ";", "kill-session", "-t", `${name}-bare`);
}

describe.skipIf(!has("tmux"))("in tmux (needs tmux) a program looks as it does in a pane one row less", () => {
  it("bash: lines that scroll, clear, reset, a line that wraps", async () => {
    await compare("bash", "bash --norc", ["seq 1 60\r", `echo ${"x".repeat(90)}\r`, "clear\r", "ls -la /etc\r", "reset\r", "seq 5\r"]);
  }, 60_000);

  it("sequences that clear, reset and limit the screen leave no bar in the scrollback", async () => {
    const print = (text: string): string => `printf '${text.replaceAll("\x1b", "\\033").replaceAll("\n", "\\n")}'\r`;
    await compare("sequences", "bash --norc --noediting", [
      "seq 1 40\r",
      print("\x1b[H\x1b[2Jafter 2J\n"),
      "seq 1 40\r",
      print("\x1bcafter RIS\n"),
      "seq 1 40\r",
      print("\x1b[H\x1b[Jafter home and ED\n"),
      print("\x1b[2;9r\x1b[23;1Hlow\n\n\n\x1b[r\x1b[5;5Hx\n"),
      print("\x1b[?1049h\x1b[2Jalternate\x1b[999;1Hlow\n\n\x1b[?1049lback\n"),
      print("\x1b[999;999Hcorner\n"),
      print("\x1b[!pafter DECSTR\n"),
      "seq 1 30\r",
    ]);
  }, 60_000);

  it.skipIf(!has("vim"))(
    "vim (needs vim): scrolling, a split, leaving",
    async () => {
      await compare("vim", `vim -u NONE -N ${stage.folder}/text`, ["\x06", "G", ":split\r", "\x17j\x04", "/fox\r", ":qa!\r"]);
    },
    60_000,
  );

  it.skipIf(!has("less"))(
    "less (needs less): with and without the alternate screen",
    async () => {
      const keys = [" ", "k", "G", "b", "/99\r", "q"];
      await Promise.all(["", "-X"].map((option) => compare(`less${option}`, `less ${option} ${stage.folder}/text`, keys)));
    },
    60_000,
  );

  it.skipIf(!has("htop"))(
    "htop (needs htop): its setup and back",
    async () => {
      await compare("htop", "htop -d 600", ["\x1bOQ", "\x1b", "t", "q"]);
    },
    60_000,
  );
});
