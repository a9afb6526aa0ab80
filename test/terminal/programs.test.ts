// Real programs against the oracle: what each wrote, recorded by script(1), in a fresh terminal one row shorter, is what stands above the bar.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { demoBundle, removeDemo } from "./demo-bundle.ts";
import { barShows, node, openOuter, pause } from "./outer.ts";
import { snapshot, vtScreen } from "./vt-screen.ts";

const COLS = 80;
const ROWS = 24;
const has = (program: string): boolean => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;

let demo = "";
let folder = "";
beforeAll(async () => {
  demo = await demoBundle();
  folder = mkdtempSync(join(tmpdir(), "programs-"));
  writeFileSync(
    join(folder, "text"),
    Array.from({ length: 400 }, (_, i) => `${i} the quick brown fox ${"jumps ".repeat(i % 17)}\n`).join(""),
  );
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  removeDemo(demo);
});

/** Runs `command`, types each of `keys` in turn, and compares after every one. */
async function compare(command: string, keys: readonly string[], env: Record<string, string> = {}): Promise<void> {
  const log = join(folder, "log");
  rmSync(log, { force: true });
  const settings = { DEMO_TICK_MS: "150", LC_ALL: "C.UTF-8", ...env };
  await using outer = openOuter(node, [demo, "script", "-qefc", `${command}; sleep 30`, log], { cols: COLS, rows: ROWS, env: settings });
  await outer.until("the bar", barShows("script"));
  const written = (): Buffer => {
    const all = readFileSync(log);
    const start = all.indexOf(0x0a) + 1;
    const end = all.lastIndexOf("\nScript done on");
    return all.subarray(start, end < 0 ? all.length : end);
  };
  const settled = async (): Promise<void> => {
    let before = -1;
    for (let same = 0; same < 4; ) {
      await pause(60);
      const now = outer.received().replace(/\x1b7[\s\S]*?\x1b8/gu, "").length;
      same = now === before ? same + 1 : 0;
      before = now;
    }
  };
  await pause(250);
  for (const key of ["", ...keys]) {
    if (key !== "") outer.type(key);
    await settled();
    const oracle = vtScreen(COLS, ROWS - 1);
    oracle.write(written());
    expect({ key, ...snapshot(outer.screen, ROWS - 1) }).toEqual({ key, ...snapshot(oracle, ROWS - 1) });
    expect(outer.screen.row(ROWS - 1)).toContain("readonly@");
  }
}

describe("programs in the terminal look as they do alone", () => {
  it("bash: prompts, lines that scroll, clear, reset, line editing at the right edge", async () => {
    await compare("bash --norc", [
      "seq 1 60\r",
      `echo ${"x".repeat(70)}`,
      "yyyy\x01\x1bf",
      "\r",
      "clear\r",
      "ls -la /etc\r",
      "reset\r",
      "printf '\\e[5;10Hhere\\e[20;1H'\r",
    ]);
  }, 60_000);

  it.skipIf(!has("vim"))(
    "vim (needs vim): scrolling, a split, a search, leaving",
    async () => {
      const keys = ["\x06", "\x06", "G", "gg", ":split\r", "\x17j\x04", "\x05\x05\x05", "/fox\r", "onew line\x1b", ":q!\r", ":q!\r"];
      await compare(`vim -u NONE -N ${folder}/text`, keys);
    },
    60_000,
  );

  it.skipIf(!has("less"))(
    "less (needs less): with and without the alternate screen",
    async () => {
      for (const options of ["", "-X", "-S"]) await compare(`less ${options} ${folder}/text`, [" ", "k", "G", "b", "/99\r", "q"]);
    },
    60_000,
  );

  it.skipIf(!has("tmux"))(
    "tmux inside (needs tmux): panes, scrolling in a region, its status line on the agent's last row",
    async () => {
      const tmux = "env -u TMUX tmux -L inner-test -f /dev/null";
      await compare(`${tmux} new-session -x 80 -y 23 'sh' \\; set status-right x \\; set status-interval 0`, [
        "seq 1 50\r",
        '\x02"',
        "seq 1 40\r",
        "\x02%",
        "seq 5\r",
      ]);
      spawnSync("tmux", ["-L", "inner-test", "kill-server"]);
    },
    60_000,
  );

  it("a stream of sequences, cut by pauses of its own", async () => {
    const parts = [
      "\\033[2;10r",
      "\\033[999;1Hlow",
      "\\nlower",
      "\\033[r\\033[H",
      "\\0337\\033[8;8H",
      "abc",
      "\\0338saved",
      "\\033[?1049halt",
      "\\033[?1049lback",
    ];
    await compare(
      `sh -c 'stty -opost; for s in ${parts.map((part) => `"${part}"`).join(" ")}; do printf "$s"; sleep 0.1; done; sleep 20'`,
      [],
    );
  }, 30_000);
});
