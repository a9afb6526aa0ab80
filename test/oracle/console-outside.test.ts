// The real Linux console as the human's terminal: what an agent shows above the bar is what a console of one row less shows that got the agent's own bytes.
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Compositor } from "../../src/terminal/compositor.ts";
import { ConsoleReader } from "../../src/terminal/console-reader.ts";
import { hasLinuxConsole, type LinuxConsole, openLinuxConsole } from "../terminal/linux-console.ts";
import { pause } from "../terminal/outer.ts";
import { consoleDifference } from "./console-fuzz.ts";
import { compareOnConsole, launchOnConsole, until } from "./console-program.ts";
import { consoleStream } from "./console-streams.ts";
import { COLS, endLeftovers, openStage, ROWS, type Stage } from "./program.ts";

const has = (program: string): boolean => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
const SMALL = { cols: 20, rows: 8 };
const STREAMS = 150;
/** Seeds beyond those that differed once. */
const MENDED = [
  5300447, 5301430, 5301534, 5302670, 5302704, 5303186, 5303628, 5305448, 5308441, 5309262, 5309422, 5306355, 5308345, 5309875, 5309913,
  5401216, 5401819, 5402038, 5402201, 5404511, 5424223,
];

const write = (text: string): { kind: "write"; bytes: Buffer } => ({ kind: "write", bytes: Buffer.from(text) });
const PAUSE = { kind: "pause" } as const;

const present = hasLinuxConsole();
let stage: Stage;
beforeAll(async () => {
  if (present) stage = await openStage();
});
afterAll(() => {
  if (!present) return;
  endLeftovers(`HOME=${stage.folder}`);
  stage.close();
});

/** On two small consoles, of which one has a row less. */
function onTwo(compare: (outer: LinuxConsole, bare: LinuxConsole) => void): void {
  const [outer, bare] = [openLinuxConsole(SMALL), openLinuxConsole({ ...SMALL, rows: SMALL.rows - 1 })];
  try {
    compare(outer, bare);
  } finally {
    outer.close();
    bare.close();
  }
}

describe.skipIf(!present)(
  "on the Linux console (needs virtual terminals of Linux 6.18, which containers mostly have not, and root)",
  () => {
    it.each([
      ["function keys' sequences, written", ["\x1b[[A", "x"]],
      ["the palette, set and reset, and what only looks so", ["\x1b]P1ff00ffx", "\x1b]P12", "34567y\x1b]Rz", "\x1b]Pzzz", "\x1b]xw"]],
      ["strings, and what ends them there", ["a\x1b]0;t\x07b", "\x1bPx\x07c\x1b_y\x07d", "\x1bXe", "\x1b]0;f\r\ng\x1b[31mh"]],
      ["UTF-8, chosen again", ["\x1b%G\u00e9", "\x1b%8\u00e9"]],
      ["private modes", ["\x1b[?5h", "\x1b[?25lx", `\x1b[?7l${"x".repeat(30)}`, "\x1b[?6h\x1b[9;9H", "\x1b[?1;1000;2004hy", "\x1b[?3hz"]],
      [
        "modes that it has not",
        ["a\x1b[?47hb", "\x1b[?47lc\x1b[?1047hd", "\x1b[?1048he\r\n\x1b[?1048lf", "\x1b[?2026hg", "\x1b[?69h\x1b[2;9sh"],
      ],
      ["a region, and text below it", ["\x1b[2;4r\x1b[7;1H", "a\n\nb", "x".repeat(30), "\x1b[4;1H\n\nc", "\x1b[rd"]],
      ["a region past the end", ["\x1b[5;5H\x1b[1;99r", "x", "\x1b[2;8ry", "\x1b[2;7rz"]],
      ["down, which stops at no margin", ["\x1b[99Ba", "\x1b[H\x1b[99Eb", "\x1b[99ec", "\x1b[3;5r\x1b[4;1H\x1b[99Bd", "\x1b[99Ae"]],
      ["origin mode and moves", ["\x1b[3;6r\x1b[?6h", "\x1b[Ba\x1b[Cb\x1b[9Cc", "\x1b7\x1b[?6l\x1b[Hd\x1b8e", "\x1b[ef"]],
      [
        "fonts, and control characters that they show",
        ["\x1b[11m\x01\x02abc", "\x07\x1b[10mabc", "\x1b[12mabc\x1b[m", "d\x1b[10m", "\x1b[3h\x06\x1b[3l"],
      ],
      ["character sets", ["\x1b(0qq\x1b)0\x0eqq", "qq\x1b7\x0fq\x1b8q", "\x0eq\x1b)Uab\x0f", "\x1b*0a\x1b-Ab", "\x1b Fc"]],
      [
        "the alternate screen, which newer kernels have, with the one saved cursor",
        ["ab\x1b[?1049h", "c\r\nd\x1b7", "e\x1b[?1049l", "f", "\x1b[?1049lg"],
      ],
      ["the cursor's form", ["\x1b[?6cx", "\x1b[?17;0;64cy", "\x1b[?cz"]],
      [
        "a cursor that waits behind the last column",
        ["x".repeat(20), "y", `${"x".repeat(19)}\x1b7`, "z\x1b8", `\x1b[31m${"x".repeat(40)}`, "\x1b[K", "w"],
      ],
      [
        "a cursor without autowrap, which waits nowhere",
        [`\x1b[?7l${"x".repeat(20)}`, "y\x1b[?7h", "z", `\r${"x".repeat(19)}e\u0301`, "\r\u00adx"],
      ],
      ["a cursor that waits, and wraps although autowrap has ended", [`${"x".repeat(20)}\x1b[?7l`, "yz", `\r${"x".repeat(25)}`, "w"]],
      ["a mark behind a blank, without autowrap", ["\x1b[?7l\x1b[20Ge\u0308", "\u0332", "x"]],
      ["TBC at the cursor, which sets a tab stop", ["\x1b[5G\x1b[g\r", "\tx", `\t${"x".repeat(12)}`, "y\r\x1b[3g\tz"]],
      ["DECALN, at a cursor that waits and in attributes", [`\x1b[1;4m${"x".repeat(20)}`, "\x1b#8", "y"]],
      ["resets that it has not, and that it has", ["\x1b[31m\x1b[2;3r\x1b[!p", "x\x1b#8", "y\x1b[3J", "z\x1bcw"]],
      [
        "colours of 256 and of 16 million",
        ["\x1b[38;5;99mx\x1b[48;2;200;30;200my", "\x1b[91mz\x1b[22mw\x1b[1;2mv", "\x1b[58;5;3mu\x1b[4:3mt\x1b[21ms"],
      ],
      ["lines, inserted and deleted", ["1\r\n2\r\n3\x1b[2A\x1b[9La", "\x1b[2;4r\x1b[H\x1b[L", "b\x1b[3;3H\x1b[Mc"]],
      ["answers", ["ab\x1b[6n", "\x1b[c\x1b[5n", "\x1bZ\x1b[>c\x1b[18t"]],
      ["wide and joined characters", ["漢e\u0301🙂", `${"x".repeat(14)}漢`, "👩‍👩‍👧", "y"]],
    ])("has %s", (_, parts) => {
      onTwo((outer, bare) => {
        const paused = parts.flatMap((part) => [write(part), PAUSE]);
        expect(consoleDifference(outer, bare, SMALL, paused)).toBeUndefined();
        // And under an overlay, which is drawn over it.
        const covered = parts.flatMap((part) => [write(part), { kind: "cover" } as const, { kind: "uncover" } as const]);
        expect(consoleDifference(outer, bare, SMALL, covered)).toBeUndefined();
      });
    });

    it.each(["\x1b[3B", "\x1b[3E", "\x1b[3e", "\x1b[99B", "\x1b[99E", "\x1b[99e", "\x1b[?6h\x1b[3B\x1b[9B", "\x1b[B\x1b[B\x1b[B"])(
      "keeps a move down off the bar's row, from the first byte on: %j",
      (moves) => {
        onTwo((outer, bare) => {
          const text = `\x1b[5;3H\x1b[31m${moves}low`;
          const compositor = new Compositor({
            size: SMALL,
            reserve: true,
            console: ConsoleReader,
            emit: (bytes) => outer.write(bytes),
            marker: () => false,
          });
          compositor.bar = "=".repeat(SMALL.cols);
          compositor.begin();
          compositor.paint();
          compositor.write(Buffer.from(text));
          bare.write(text);
          expect(outer.row(SMALL.rows - 1)).toBe(compositor.bar);
          expect(outer.snapshot(SMALL.rows - 1)).toEqual(bare.snapshot(SMALL.rows - 1));
        });
      },
    );

    it(`shows what was written, and the bar: ${STREAMS} streams, cut anywhere`, () => {
      onTwo((outer, bare) => {
        for (const seed of [...Array.from({ length: STREAMS }, (_, i) => i + 1), ...MENDED]) {
          const difference = consoleDifference(outer, bare, SMALL, consoleStream(seed));
          expect({ seed, difference }).toEqual({ seed, difference: undefined });
        }
      });
    });

    it("keeps half a wide character, whose other half is written over where rows are drawn again", () => {
      onTwo((outer, bare) => {
        const steps = ["\x1b[3;5r\x1b[7;1H漢字", "\r\x1b[7mx", "\x1b[4Gz", "\x1b[4h\x1b[Gy"].flatMap((part) => [write(part), PAUSE]);
        expect(consoleDifference(outer, bare, SMALL, steps)).toBeUndefined();
      });
    });

    const question = { type: "\x0b", shows: "press a key:" };

    it("shows bash as it is: lines that scroll, clear, a region, reset, other sizes, and a question over it", async () => {
      await compareOnConsole(stage, "bash", "bash --norc --noediting", [
        "seq 1 60\r",
        `echo ${"x".repeat(90)}\r`,
        question,
        "\x1b",
        "clear\r",
        "printf '\\e[2;9r\\e[24;1Hlow\\n\\n\\n\\e[r\\e[5;5H\\e[1;31mx\\e[m\\n'\r",
        "printf '\\e[99Bfar\\e[?6c'\r",
        { cols: COLS, rows: ROWS - 4 },
        "seq 5\r",
        { cols: COLS - 20, rows: ROWS + 5 },
        "seq 7\r",
        "reset\r",
        "seq 5\r",
      ]);
    }, 90_000);

    it.skipIf(!has("vim"))(
      "shows vim as it is (needs vim): scrolling, a split, another size, a question over it, leaving",
      async () => {
        const size = { cols: COLS - 10, rows: ROWS - 5 };
        const keys = ["\x06", "G", ":split\r", size, question, "\x1b", "/fox\r", ":qa!\r"];
        await compareOnConsole(stage, "vim", `vim -u NONE -N ${stage.folder}/text`, keys);
      },
      90_000,
    );

    it.skipIf(!has("less"))(
      "shows less as it is (needs less): forth and back, a search, leaving",
      async () => {
        await compareOnConsole(stage, "less", `less ${stage.folder}/text`, [" ", "k", "G", "b", "/99\r", "q"]);
      },
      90_000,
    );

    const waits = ["sh", "-c", "printf '\\033[?6cready'; sleep 60"];
    const ready = (rows: readonly string[]): boolean => rows.some((row) => row.includes("ready"));

    it("ends the agent by the kill key, and gives the console back", async () => {
      await using launched = launchOnConsole(stage, waits);
      const { console, exited } = launched;
      await until("the agent", console, ready);
      console.type(question.type);
      await until("the question", console, (rows) => rows.some((row) => row.includes(question.shows)));
      console.type(question.type);
      expect(await exited).toBe(137);
      expect(console.row(ROWS - 1)).toBe("");
    }, 60_000);

    it("knows F1 as the console sends it", async () => {
      await using launched = launchOnConsole(stage, waits, { DEMO_KEY: "f1" });
      const { console, exited } = launched;
      await until("the agent", console, ready);
      // The console itself sends its four bytes at once; one by one they may come too far apart for one key.
      for (let ended = false; !ended; ) {
        console.type("\x1b[[A");
        ended = await Promise.race([exited.then(() => true), pause(1500).then(() => false)]);
      }
      expect(await exited).toBe(137);
    }, 60_000);
  },
);
