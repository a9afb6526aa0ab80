// Real programs against the oracle: what each wrote, recorded by script(1), in a fresh terminal one row shorter, is what stands above the bar.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, it } from "vitest";
import { openStage, type Stage } from "./program.ts";

const has = (program: string): boolean => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

describe("programs in the terminal look as they do alone", () => {
  it("bash: prompts, lines that scroll, clear, reset, line editing at the right edge", async () => {
    await stage.compare("bash --norc", [
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
    "vim (needs vim): scrolling, a split, a search, other sizes of the window, leaving",
    async () => {
      const sizes = [
        { cols: 60, rows: 18 },
        { cols: 100, rows: 30 },
        { cols: 80, rows: 24 },
      ];
      const keys = [
        "\x06",
        "\x06",
        "G",
        "gg",
        ":split\r",
        "\x17j\x04",
        "\x05\x05\x05",
        "/fox\r",
        ...sizes,
        "onew line\x1b",
        ":q!\r",
        ":q!\r",
      ];
      await stage.compare(`vim -u NONE -N ${stage.folder}/text`, keys);
    },
    60_000,
  );

  it.skipIf(!has("less"))(
    "less (needs less): with and without the alternate screen",
    async () => {
      for (const options of ["", "-X", "-S"])
        await stage.compare(`less ${options} ${stage.folder}/text`, [" ", "k", "G", "b", "/99\r", "q"]);
    },
    60_000,
  );

  it.skipIf(!has("tmux"))(
    "tmux inside (needs tmux): panes, scrolling in a region, its status line on the agent's last row",
    async () => {
      const tmux = "env -u TMUX tmux -L inner-test -f /dev/null";
      await stage.compare(`${tmux} new-session -x 80 -y 23 'sh' \\; set status-right x \\; set status-interval 0`, [
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

  it.skipIf(!has("screen"))(
    "GNU screen inside (needs screen): lines that scroll, a second window, a split, its own list",
    async () => {
      writeFileSync(`${stage.folder}/screenrc`, "startup_message off\nvbell off\ndefutf8 on\nshell /bin/sh\n");
      mkdirSync(`${stage.folder}/screens`, { mode: 0o700 });
      const keys = ["seq 1 50\r", "\x01c", "seq 1 40\r", "\x01S", "\x01\t", "\x01n", "ls -la /etc\r", "\x01X", "\x01n", '\x01"', "\r"];
      const env = { SCREENDIR: `${stage.folder}/screens`, PS1: "$ " };
      await stage.compare(`env -u STY screen -U -c ${stage.folder}/screenrc -m`, keys, env);
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
    await stage.compare(
      `sh -c 'stty -opost; for s in ${parts.map((part) => `"${part}"`).join(" ")}; do printf "$s"; sleep 0.1; done; sleep 20'`,
      [],
    );
  }, 30_000);

  it.skipIf(!has("htop"))(
    "htop (needs htop): its setup and back",
    async () => {
      await stage.compare("htop -d 600", ["\x1bOQ", "\x1b", "\x1b[B\x1b[B", "t", "q"]);
    },
    90_000,
  );

  it("top: help and back", async () => {
    await stage.compare("top -d 600 -n 9", ["h", "\x1b", "q"]);
  }, 90_000);

  it.skipIf(!has("vttest"))(
    "vttest (needs vttest): cursor movements, screen features, character sets, reports, VT102 features, and those of newer terminals",
    async () => {
      const next = (times: number): string[] => Array.from({ length: times }, () => "\r");
      const each = (items: string): string[] => [...items].flatMap((item) => [`${item}\r`, "\r"]);
      const menus = [
        ["1\r", ...next(14)],
        ["2\r", ...next(14)],
        ["3\r", ...next(14)],
        ["6\r", ...each("134567")],
        ["8\r", ...next(12)],
        ["11\r", "1\r", "6\r", ...next(4)],
        ["11\r", "5\r", ...each("123456789")],
        ["11\r", "6\r", ...each("2345")],
        ["11\r", "7\r", ...each("23456")],
        ["11\r", "8\r", "7\r", "3\r", ...next(4), "4\r", ...next(4), "5\r", ...next(4)],
      ];
      await Promise.all(menus.map((keys) => stage.compare("vttest 23x80.132", keys)));
    },
    240_000,
  );

  it.skipIf(!has("mc"))(
    "mc (needs mc): panels, a menu, a viewer",
    async () => {
      await stage.compare(`mc --nosubshell ${stage.folder} /etc`, ["\x1b[B", "\t", "\x1b[20~", "\x1b\x1b", "\x1b[21~"], {
        TERM: "xterm-256color",
      });
    },
    90_000,
  );

  it.skipIf(!has("emacs"))(
    "emacs -nw (needs emacs): scrolling, a split, a search",
    async () => {
      await stage.compare(`emacs -nw -q --no-splash ${stage.folder}/text`, [
        "\x16",
        "\x182",
        "\x18o",
        "\x13fox",
        "\r",
        "\x1b>",
        "\x18\x03",
      ]);
    },
    120_000,
  );

  it.skipIf(!has("nvim"))(
    "neovim (needs nvim): scrolling, a split, a search",
    async () => {
      await stage.compare(`nvim -u NONE -i NONE ${stage.folder}/text`, ["\x06", "G", "gg", ":split\r", "/fox\r", "onew\x1b", ":qa!\r"]);
    },
    120_000,
  );
});
