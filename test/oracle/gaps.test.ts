// The known gaps of docs/terminal.md, each with a stream that shows it: one that no longer differs is closed, and fails here until it is struck out there.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Compositor } from "../../src/terminal/compositor.ts";
import { asTheManual } from "../../src/terminal/emulator.ts";
import { openShadow } from "../../src/terminal/shadow.ts";
import { coreOf, onPrivateModes } from "../../src/terminal/xterm-internals.ts";
import { snapshot, type VtScreen, vtScreen } from "../terminal/vt-screen.ts";

const SIZE = { cols: 20, rows: 8 };
const BAR = "=".repeat(SIZE.cols);

interface Pair {
  readonly outer: VtScreen;
  readonly oracle: VtScreen;
  write(bytes: string | Uint8Array): void;
  /** The bar is painted. */
  paint(): void;
  /** The bar is painted if it may be. */
  pause(): void;
  /** The copy of the screen is loaded. */
  load(): void;
  resize(rows: number): void;
}

function pair(): Pair {
  const [outer, oracle] = [vtScreen(SIZE.cols, SIZE.rows), vtScreen(SIZE.cols, SIZE.rows - 1)];
  const compositor = new Compositor({ size: SIZE, reserve: true, emit: (bytes) => outer.write(bytes), marker: () => false });
  compositor.bar = BAR;
  compositor.begin();
  compositor.paint();
  return {
    outer,
    oracle,
    write(bytes) {
      oracle.write(bytes);
      compositor.write(Buffer.from(bytes as string));
    },
    paint: () => compositor.paint(),
    pause() {
      if (compositor.mayPaint) compositor.paint();
    },
    load: () => compositor.adopt(openShadow(compositor.agentSize, { x: 0, y: 0 })),
    resize(rows) {
      outer.terminal.resize(SIZE.cols, rows);
      oracle.terminal.resize(SIZE.cols, rows - 1);
      const size = { cols: SIZE.cols, rows };
      compositor.resize(size, compositor.mayPull(size) ? outer.terminal.buffer.active.cursorY : undefined);
    },
  };
}

const lines = (count: number): string => Array.from({ length: count }, (_, i) => `line ${i}\r\n`).join("");
/** Whether each row continues the one above it. */
const wrapped = ({ terminal: { buffer } }: VtScreen): boolean[] =>
  Array.from({ length: SIZE.rows - 1 }, (_, y) => buffer.active.getLine(buffer.active.baseY + y)?.isWrapped ?? false);
const all = (screen: VtScreen): unknown => snapshot(screen, SIZE.rows - 1);

/** By the words of docs/terminal.md: what is done, and what of the screen differs from the oracle's then. */
type Gap = [title: string, act: (pair: Pair) => void, what?: (screen: VtScreen) => unknown];
const gaps: Gap[] = [
  [
    "A taller window has blank rows.",
    ({ load, write, resize }) => {
      load();
      write(lines(30));
      resize(5);
      resize(SIZE.rows);
    },
  ],
  [
    "Other widths of characters",
    ({ load, write, paint, outer, oracle }) => {
      narrowEmoji(outer);
      narrowEmoji(oracle);
      load();
      write("🙂\x1b7\r\n");
      paint();
      write("\x1b8x");
    },
  ],
];

/** Each line of screen and scrollback that is not blank. */
const content = ({ terminal: { buffer } }: VtScreen): string[] =>
  Array.from({ length: buffer.active.length }, (_, y) => buffer.active.getLine(y)?.translateToString(true) ?? "").filter(
    (line) => line !== "" && line !== BAR,
  );

/** Whether the human's terminal is one that does as the VT510 manual says, or xterm.js as it is; the agent's always is one. */
const kinds = [
  ["xterm.js", false],
  ["a terminal after the VT510 manual", true],
] as const;

/** What once was a gap. */
const closed: Gap[] = [
  [
    "132 columns, in a terminal that clears for them",
    ({ load, write, pause, resize, outer }) => {
      clearsAtDeccolm(outer);
      load();
      write("before\r\n\x1b[?40h\x1b[?3hafter");
      pause();
      resize(SIZE.rows + 1);
      write("\x1b[?3;25s\x1b[?40;3l\x1b[?3;25rend\x1b[?7;3;4l\x1b[?3;1049hx");
      pause();
    },
  ],
  ...kinds.flatMap(([name, manual]): Gap[] => [
    [
      `DECALN and the margins, in ${name}`,
      ({ load, write, pause, resize, outer, oracle }) => {
        asTheManual(oracle.terminal);
        if (manual) asTheManual(outer.terminal);
        load();
        write("\x1b[2;4r\x1b[?6h\x1b#8\x1b[4;1H\n\nx");
        pause();
        // Drawn again by the copy of the screen.
        resize(SIZE.rows + 1);
        write("y\x1b[?6l\x1b[8;1H\nend");
        pause();
      },
    ],
    ...["", "paint"].flatMap((paints): Gap[] =>
      [
        ["DECSC and DECRC", "\x1b7", "\x1b8"],
        ["SCOSC and SCORC", "\x1b[s", "\x1b[u"],
        ["1048, among others", "\x1b[?1048h", "\x1b[?25;1048;7l"],
        ["1049", "\x1b[?1049h", "\x1b[?1049l"],
      ].map(
        ([title, save = "", restore = ""]): Gap => [
          `character sets across ${title}, ${paints === "" ? "without" : "with"} a paint between, in ${name}`,
          ({ load, write, paint, resize, outer, oracle }) => {
            asTheManual(oracle.terminal);
            if (manual) asTheManual(outer.terminal);
            load();
            const between = paints === "" ? () => undefined : paint;
            between();
            write(`\x1b)0${save}\x1b)B`);
            between();
            write(`${restore}\x0eqq`);
            between();
            write(`${save}\x0f\x1b(0\x1b)B`);
            between();
            write(`${restore}qq\x0fqq\r\n\x1b)B${save}\x1b)0`);
            between();
            write(`${restore}\x0eqq`);
            // Drawn again by the copy of the screen.
            resize(SIZE.rows + 1);
            write("q\x0fq");
          },
        ],
      ),
    ),
  ]),
  [
    "a hyperlink across DECSC and DECRC, in a terminal that does not save it",
    ({ load, write, paint, outer }) => {
      savesNoLink(outer);
      load();
      write("\x1b7\x1b]8;;http://x\x1b\\a\x1b8b");
      paint();
      write("c");
    },
  ],
  ...["\x1b[?45h", "\x1b[4h", "\x1b[2;5r", "\x1b[?69h"].map(
    (mode): Gap => [
      `what the wrapping of lines was, under ${JSON.stringify(mode)}`,
      ({ load, write, resize }) => {
        load();
        write(`${lines(4)}${"x".repeat(30)}\r\n${lines(2)}${mode}\x1b[?1049h`);
        resize(SIZE.rows - 2);
        resize(SIZE.rows - 1);
        write("\x1b[?1049l");
      },
      wrapped,
    ],
  ),
  ...["c3", "e6bc", "f09f99", "80", "9b", "c0af", "e08080", "eda080", "f4908080", "f8", "ff", "efbbbf"].map(
    (hex): Gap => [
      `bytes inside a sequence that are no character: ${hex}`,
      ({ load, write, paint }) => {
        load();
        const invalid = Buffer.from(hex, "hex");
        for (const sequence of [
          "\x1b[31m",
          "\x1b[3;4H",
          "\x1b[2;4r",
          "\x1b(0",
          "\x1b7",
          "\x1b[\n1C",
          "\x1b[1<2m",
          "\x1b8",
          "\x1bP1$qm\x1b\\",
        ]) {
          for (let at = 1; at < Math.min(4, sequence.length); at++) {
            write(Buffer.concat([Buffer.from(`e\u0301q${sequence.slice(0, at)}`), invalid, Buffer.from(sequence.slice(at))]));
            paint();
          }
        }
      },
    ],
  ),
  [
    "what the wrapping of lines was, behind an alternate screen while the size changes",
    ({ load, write, resize }) => {
      load();
      write(`${lines(4)}${"x".repeat(30)}\r\n${lines(2)}\x1b[?1049h`);
      resize(SIZE.rows - 2);
      resize(SIZE.rows - 1);
      write("\x1b[?1049l");
    },
    wrapped,
  ],
  [
    "what the wrapping of lines was, after more of them than the terminal has now",
    ({ load, write, resize }) => {
      load();
      write(`${lines(2)}${"x".repeat(30)}\r\n${"y".repeat(90)}`);
      resize(SIZE.rows - 3);
      resize(SIZE.rows - 1);
      resize(SIZE.rows);
    },
    content,
  ],
  [
    "a taller window has lines twice",
    ({ load, write, resize }) => {
      load();
      write(lines(30));
      resize(5);
      resize(SIZE.rows);
    },
    content,
  ],
  [
    "a paint before the copy of the screen is loaded",
    ({ write, pause, load }) => {
      write(`${"x".repeat(SIZE.cols)}\x1b[31m`);
      pause();
      write("y\x1b7\x1b[4:3m\x1b[5;5Hz");
      pause();
      load();
      pause();
      write("\x1b8\x1b[H\x1b[4:5mu");
      pause();
      write("v");
    },
  ],
  [
    "combining characters after a malformed sequence",
    ({ load, write, paint }) => {
      load();
      write("e\x1b[1<2m");
      paint();
      write("\u0301");
    },
  ],
  [
    "REP after a pause, of a character with its combining ones",
    ({ load, write, paint }) => {
      load();
      write("e\u0301");
      paint();
      write("\x1b[3b");
    },
  ],
  [
    "REP after a pause, a lone ESC before it",
    ({ load, write, paint }) => {
      load();
      write("e\x1b\x1b[");
      paint();
      write("3b");
    },
  ],
  [
    "REP after a control character inside a sequence that then is none",
    ({ load, write, paint }) => {
      load();
      write("e\u009b\r\n\x1b");
      paint();
      write("[3b");
    },
  ],
  [
    "an answer about the cursor on the last row, below a region",
    ({ load, write }) => {
      load();
      write("\x1b[;4r\x1b[40e\n\x1b[6n");
    },
    ({ answers }) => answers,
  ],
  [
    "a character set that is not known everywhere, over a paint",
    ({ load, write, paint }) => {
      load();
      write("\x1b(E\x1b(I");
      paint();
      write("\x0f~");
    },
  ],
  [
    "the right half's locking shifts, over a paint",
    ({ load, write, paint }) => {
      load();
      write("\x1b}q\x1b(0");
      paint();
      write("q");
    },
  ],
  [
    "a title that ESC has ended, when something must be painted",
    ({ load, write, resize }) => {
      load();
      write("\x1b]2;title\x1b");
      resize(SIZE.rows + 1);
    },
    ({ title }) => title,
  ],
  [
    "a link that began on a line that is gone, drawn again",
    ({ load, write, resize }) => {
      load();
      write(`\x1b[?1049h\x1b]8;;http://x\x1b\\${"x".repeat(SIZE.cols + 1)}\x1b]8;;\x1b\\${"\r\n".repeat(SIZE.rows - 2)}`);
      resize(SIZE.rows + 1);
    },
    (screen) => snapshot(screen, SIZE.rows - 1, "cells"),
  ],
  [
    "a saved cursor, after the window has become so small that it is outside",
    ({ load, write, resize }) => {
      load();
      write("\x1b[6;5H\x1b7\x1b[H");
      resize(3);
      write("\x1b8\n\n\x1b8x");
    },
    ({ terminal: { buffer } }) => [buffer.active.cursorY, buffer.active.cursorX],
  ],
  [
    "emoji before a saved cursor, over a paint and drawn again",
    ({ load, write, paint, resize }) => {
      load();
      write("🙂 ✅\x1b7\r\n");
      paint();
      write(`\x1b8x\r\n${"⏳".repeat(SIZE.cols / 2 - 1)}ab`);
      paint();
      write("👩");
      paint();
      write("\u200d");
      resize(SIZE.rows + 1);
      write("c");
    },
  ],
  [
    "REP after a region that is none",
    ({ load, write }) => {
      load();
      write("e\x1b[;1r\x1b[3b");
    },
  ],
];

interface Internals {
  readonly _core: { readonly _inputHandler: { restoreCursor(): void; setHyperlink(data: string): void } };
}

/** As tmux and others; xterm does where mode 40 allows it: the screen is cleared, and the cursor home. */
function clearsAtDeccolm({ terminal }: VtScreen): void {
  const { _inputHandler: handler, _bufferService: service } = coreOf(terminal);
  onPrivateModes(handler, (mode) => {
    if (mode !== 3) return;
    handler.eraseInDisplay({ length: 1, params: [2] });
    service.buffer.x = 0;
    service.buffer.y = 0;
  });
}

/** DECRC leaves the hyperlink open that is. */
function savesNoLink({ terminal }: VtScreen): void {
  const { _inputHandler } = (terminal as unknown as Internals)._core;
  let link = ";";
  terminal.parser.registerOscHandler(8, (data) => {
    link = data;
    return false;
  });
  terminal.parser.registerEscHandler({ final: "8" }, () => {
    _inputHandler.restoreCursor();
    _inputHandler.setHyperlink(link);
    return true;
  });
}

/** In the terminal an emoji takes one cell, as in xterm.js by itself, and in our copy of the screen two. */
function narrowEmoji({ terminal }: VtScreen): void {
  terminal.unicode.activeVersion = "6";
}

describe("known gaps", () => {
  it("are those of docs/terminal.md", () => {
    const docs = readFileSync(join(import.meta.dirname, "..", "..", "docs", "terminal.md"), "utf8");
    const told = [...docs.slice(docs.indexOf("## Known gaps")).matchAll(/^- \*\*(.+?)\*\*/gm)].map(([, title]) => title);
    expect(gaps.map(([title]) => title)).toEqual(told);
  });

  it.each(gaps)("there still is this one: %s", (...gap) => {
    const [, act, what = all] = gap as Gap;
    const screens = pair();
    act(screens);
    expect(what(screens.outer)).not.toEqual(what(screens.oracle));
  });

  it.each(closed)("there no longer is this one: %s", (...gap) => {
    const [, act, what = all] = gap as Gap;
    const screens = pair();
    act(screens);
    expect(what(screens.outer)).toEqual(what(screens.oracle));
  });
});
