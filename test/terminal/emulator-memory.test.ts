// What an emulator's alternate screen is made of is used again, and shows nothing of before.
import { describe, expect, it } from "vitest";
import { keepAlternateRows } from "../../src/terminal/emulator-memory.ts";
import { resizeEmulator } from "../../src/terminal/emulator-resize.ts";
import { coreOf } from "../../src/terminal/xterm-internals.ts";
import { snapshot, type VtScreen, vtScreen } from "./vt-screen.ts";

const COLS = 12;
const ROWS = 5;
const ENTER = "\x1b[?1049h";
const LEAVE = "\x1b[?1049l";

/** What an agent may leave on its alternate screen. */
const LEFT = [
  "text",
  "a line that wraps onto the next rows",
  "x".repeat(COLS * (ROWS + 3)),
  `${"x".repeat(COLS * 3)}\x1b[2;1H\x1b[${COLS}X\x1b[3;1H\x1b[${COLS}X`,
  "\x1b[44m\x1b[2J\x1b[m",
  "\x1b[44m  \x1b[m",
  // Of the row where it has no room, a cell has the attributes.
  `\x1b[3;${COLS}H\x1b[7m漢`,
  "\x1b[3;1H漢字 e\u0301 🙂",
  "one\r\ntwo\r\nthree\r\nfour\r\nfive\r\nsix\r\nseven",
  "\x1b[2;4rlow\x1b[4;1H\n\n\n\x1b[5;12Hx",
  '\x1b]8;;https://example.org\x07link\x1b]8;;\x07\x1b[1"qkept',
];

function two(): { ours: VtScreen; plain: VtScreen; both: (text: string) => void } {
  const [ours, plain] = [vtScreen(COLS, ROWS), vtScreen(COLS, ROWS)];
  keepAlternateRows(ours.terminal);
  const both = (text: string): void => {
    ours.write(text);
    plain.write(text);
    expect(snapshot(ours, ROWS)).toEqual(snapshot(plain, ROWS));
  };
  return { ours, plain, both };
}

describe("an alternate screen", () => {
  it("that is shown again looks as a new one does, with and without a background, whatever was on it", () => {
    const { both } = two();
    for (const left of LEFT) {
      for (const background of ["", "\x1b[41m"]) {
        both(ENTER);
        both(left);
        both(`\x1b[m${LEAVE}`);
        both(`${background}${ENTER}\x1b[m`);
        both("new");
        both(LEAVE);
      }
    }
  });

  it("that is shown for the first time after the window got fewer rows scrolls within them", () => {
    const screen = vtScreen(COLS, ROWS);
    keepAlternateRows(screen.terminal);
    resizeEmulator(screen.terminal, COLS, ROWS - 2);
    for (let time = 0; time < 2; time++) {
      screen.write(`${ENTER}\x1b[H1\r\n2\r\n3\r\n4`);
      expect(screen.rows()).toEqual(["2", "3", "4"]);
      expect(screen.terminal.buffer.active.baseY).toBe(0);
      screen.write(LEAVE);
    }
  });

  it("has the rows that it had, as long as the size is the same", () => {
    const { ours, plain, both } = two();
    const rows = () => {
      const { lines } = coreOf(ours.terminal)._bufferService.buffers.alt;
      return Array.from({ length: lines.length }, (_, y) => lines.get(y));
    };
    both(ENTER);
    for (const left of [...LEFT, ...LEFT]) {
      both(left);
      const before = new Set(rows());
      both(LEAVE + ENTER);
      expect(rows().filter((row) => !before.has(row) || row?.isWrapped !== false)).toEqual([]);
    }
    const first = rows();
    both(`\x1b[2J${LEAVE}`);
    for (const { terminal } of [ours, plain]) resizeEmulator(terminal, COLS + 3, ROWS);
    both(`${ENTER}a longer line`);
    expect(new Set([...first, ...rows()]).size).toBe(2 * ROWS);
  });
});
