// A terminal whose table of widths is another than ours: its own saved cursor brings it back after a paint, not what our copy of the screen says.
import { describe, expect, it } from "vitest";
import { Compositor } from "../../src/terminal/compositor.ts";
import { openShadow } from "../../src/terminal/shadow.ts";
import { snapshot, type VtScreen, vtScreen } from "../terminal/vt-screen.ts";

const SIZE = { cols: 40, rows: 8 };
const OTHER = "other";
/** The copy of the screen gives an emoji or a Chinese character two cells; this gives each character one. */
const width = (): 1 => 1;

function otherScreen(rows: number): VtScreen {
  const screen = vtScreen(SIZE.cols, rows);
  screen.terminal.unicode.register({ version: OTHER, wcwidth: width, charProperties: () => width() << 1 });
  screen.terminal.unicode.activeVersion = OTHER;
  return screen;
}

describe("a terminal that counts the cells of characters otherwise", () => {
  it("shows a line with them as it does alone, with the bar painted after every piece", () => {
    const [outer, oracle] = [otherScreen(SIZE.rows), otherScreen(SIZE.rows - 1)];
    const compositor = new Compositor({ size: SIZE, reserve: true, emit: (bytes) => outer.write(bytes), marker: () => false });
    compositor.bar = "=".repeat(SIZE.cols);
    compositor.begin();
    const shadow = openShadow(compositor.agentSize, { x: 0, y: 0 });
    compositor.adopt(shadow);
    for (const piece of ["🙂🙂 one ", "🙂 two\x1b[31m", " three 漢字", "\r\nnext 🙂", "!\x1b7\x1b[7;1H🙂🙂", "\x1b[Kx", "\r\n\r\n🙂 end"]) {
      oracle.write(piece);
      compositor.write(Buffer.from(piece));
      compositor.paint();
      expect(snapshot(outer, SIZE.rows - 1)).toEqual(snapshot(oracle, SIZE.rows - 1));
      expect(outer.row(SIZE.rows - 1)).toBe(compositor.bar);
    }
    shadow.drain();
    expect(shadow.cursor.x).not.toBe(outer.terminal.buffer.active.cursorX);
  });
});
