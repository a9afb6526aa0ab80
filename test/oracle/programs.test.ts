// Real programs against the oracle: what each wrote, recorded by script(1), in a fresh terminal one row shorter, is what stands above the bar.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { demoBundle, removeDemo } from "../terminal/demo-bundle.ts";
import { barShows, node, openOuter, pause } from "../terminal/outer.ts";
import { snapshot, vtScreen } from "../terminal/vt-screen.ts";

const COLS = 80;
const ROWS = 24;
const has = (program: string): boolean => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;

let demo = "";
let folder = "";
let logs = 0;
beforeAll(async () => {
  demo = await demoBundle();
  folder = mkdtempSync(join(tmpdir(), "programs-"));
  writeFileSync(
    join(folder, "text"),
    Array.from({ length: 400 }, (_, i) => `${i} the quick brown fox ${"jumps ".repeat(i % 17)}\n`).join(""),
  );
});
afterAll(() => {
  endLeftovers(folder);
  rmSync(folder, { recursive: true, force: true });
  removeDemo(demo);
});

/** What still runs with this home: a terminal that goes away without a hangup leaves programs that spin, such as vttest. */
function endLeftovers(home: string): void {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (readFileSync(`/proc/${pid}/environ`, "latin1").includes(`HOME=${home}\0`)) process.kill(Number(pid), "SIGKILL");
    } catch {
      // Gone, or another user's.
    }
  }
}

/** Until a program has shown all that a key brings about, also on a machine with more to do. */
const PATIENCE_MS = 15_000;
/** A key that brings about no output is given this long to bring some. */
const NO_OUTPUT_MS = 250;

/**
 * Runs `command`, types each of `keys` in turn, and waits after every one until the screen is the oracle's: a terminal one row shorter that got what
 * the program wrote, as script(1) recorded it inside.
 */
async function compare(command: string, keys: readonly string[], env: Record<string, string> = {}): Promise<void> {
  const log = join(folder, `log-${logs++}`);
  const settings = { DEMO_TICK_MS: "150", LC_ALL: "C.UTF-8", HOME: folder, ...env };
  await using outer = openOuter(node, [demo, "script", "-qefc", `${command}; sleep 60`, log], { cols: COLS, rows: ROWS, env: settings });
  await outer.until("the bar", barShows("script"));
  const written = (): Buffer => {
    const all = existsSync(log) ? readFileSync(log) : Buffer.alloc(0);
    const end = all.lastIndexOf("\nScript done on");
    return all.subarray(all.indexOf(0x0a) + 1, end < 0 ? all.length : end);
  };
  const pictures = (): [unknown, unknown] => {
    const oracle = vtScreen(COLS, ROWS - 1);
    oracle.write(written());
    const both: [unknown, unknown] = [snapshot(outer.screen, ROWS - 1), snapshot(oracle, ROWS - 1)];
    oracle.terminal.dispose();
    return both;
  };
  for (const key of ["", ...keys]) {
    const before = written().length;
    if (key !== "") outer.type(key);
    const start = performance.now();
    const since = (): number => performance.now() - start;
    while (written().length === before && since() < (before === 0 ? PATIENCE_MS : NO_OUTPUT_MS)) await pause(20);
    for (let length = -1; ; ) {
      const now = written().length;
      const [is, ought] = pictures();
      if (now === length && isDeepStrictEqual(is, ought)) break;
      if (since() > PATIENCE_MS) expect({ command, key, is }).toEqual({ command, key, is: ought });
      length = now;
      await pause(80);
    }
    expect(outer.screen.row(ROWS - 1)).toContain("readonly@");
  }
  endLeftovers(folder);
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

  it.skipIf(!has("htop"))(
    "htop (needs htop): its setup and back",
    async () => {
      await compare("htop -d 600", ["\x1bOQ", "\x1b", "\x1b[B\x1b[B", "t", "q"]);
    },
    90_000,
  );

  it("top: help and back", async () => {
    await compare("top -d 600 -n 9", ["h", "\x1b", "q"]);
  }, 90_000);

  it.skipIf(!has("vttest"))(
    "vttest (needs vttest): cursor movements, screen features, character sets, double-sized characters, VT102 features",
    async () => {
      for (const menu of ["1", "2", "3"]) await compare("vttest 23x80.132", [`${menu}\r`, ...Array.from({ length: 14 }, () => "\r")]);
      await compare("vttest 23x80.132", ["8\r", ...Array.from({ length: 12 }, () => "\r")]);
    },
    240_000,
  );

  it.skipIf(!has("mc"))(
    "mc (needs mc): panels, a menu, a viewer",
    async () => {
      await compare(`mc --nosubshell ${folder} /etc`, ["\x1b[B", "\t", "\x1b[20~", "\x1b\x1b", "\x1b[21~"], { TERM: "xterm-256color" });
    },
    90_000,
  );

  it.skipIf(!has("emacs"))(
    "emacs -nw (needs emacs): scrolling, a split, a search",
    async () => {
      await compare(`emacs -nw -q --no-splash ${folder}/text`, ["\x16", "\x182", "\x18o", "\x13fox", "\r", "\x1b>", "\x18\x03"]);
    },
    120_000,
  );

  it.skipIf(!has("nvim"))(
    "neovim (needs nvim): scrolling, a split, a search",
    async () => {
      await compare(`nvim -u NONE -i NONE ${folder}/text`, ["\x06", "G", "gg", ":split\r", "/fox\r", "onew\x1b", ":qa!\r"]);
    },
    120_000,
  );
});
