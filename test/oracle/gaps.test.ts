// The known gaps of docs/terminal.md, each with a stream that shows it: one that no longer differs is closed, and fails here until it is struck out there.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Compositor } from "../../src/terminal/compositor.ts";
import { openShadow } from "../../src/terminal/shadow.ts";
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
const gaps: [title: string, act: (pair: Pair) => void, what?: (screen: VtScreen) => unknown][] = [
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
    "DECALN resets the margins",
    ({ load, write }) => {
      load();
      write("\x1b[2;4r\x1b#8\x1b[4;1H\n\n");
    },
  ],
  [
    "Hyperlinks and character sets across DECSC and DECRC",
    ({ load, write, paint }) => {
      load();
      write("\x1b)0\x1b7\x1b)B");
      paint();
      write("\x1b8\x0eqqq");
    },
  ],
  [
    "What the wrapping of lines was",
    ({ load, write, resize }) => {
      load();
      write(`\x1b[?45h${lines(4)}${"x".repeat(30)}\r\n${lines(2)}\x1b[?1049h`);
      resize(SIZE.rows - 2);
      resize(SIZE.rows - 1);
      write("\x1b[?1049l");
    },
    wrapped,
  ],
  [
    "Other widths of characters",
    ({ load, write, paint, outer, oracle }) => {
      wideEmoji(outer);
      wideEmoji(oracle);
      load();
      write("🙂\x1b7\r\n");
      paint();
      write("\x1b8x");
    },
  ],
  [
    "Invalid UTF-8 inside a sequence",
    ({ load, write }) => {
      load();
      write(Buffer.from([0x61, 0x1b, 0x5b, 0xc3, 0x31, 0x6d, 0x62]));
    },
  ],
];

/** Each line of screen and scrollback that is not blank. */
const content = ({ terminal: { buffer } }: VtScreen): string[] =>
  Array.from({ length: buffer.active.length }, (_, y) => buffer.active.getLine(y)?.translateToString(true) ?? "").filter(
    (line) => line !== "" && line !== BAR,
  );

/** What once was a gap. */
const closed: typeof gaps = [
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
    "REP after a region that is none",
    ({ load, write }) => {
      load();
      write("e\x1b[;1r\x1b[3b");
    },
  ],
];

/** In the terminal an emoji takes two cells, and in our copy of the screen one. */
function wideEmoji({ terminal }: VtScreen): void {
  const width = (code: number): 1 | 2 => (code > 0xffff ? 2 : 1);
  terminal.unicode.register({ version: "wide", wcwidth: width, charProperties: (code) => width(code) << 1 });
  terminal.unicode.activeVersion = "wide";
}

describe("known gaps", () => {
  it("are those of docs/terminal.md", () => {
    const docs = readFileSync(join(import.meta.dirname, "..", "..", "docs", "terminal.md"), "utf8");
    const told = [...docs.slice(docs.indexOf("## Known gaps")).matchAll(/^- \*\*(.+?)\*\*/gm)].map(([, title]) => title);
    expect(gaps.map(([title]) => title)).toEqual(told);
  });

  it.each(gaps)("there still is this one: %s", (...gap) => {
    const [, act, what = all] = gap as (typeof gaps)[number];
    const screens = pair();
    act(screens);
    expect(what(screens.outer)).not.toEqual(what(screens.oracle));
  });

  it.each(closed)("there no longer is this one: %s", (...gap) => {
    const [, act, what = all] = gap as (typeof gaps)[number];
    const screens = pair();
    act(screens);
    expect(what(screens.outer)).toEqual(what(screens.oracle));
  });
});
