// Changes the size of an emulator, without what xterm.js does otherwise than every terminal. Used by shadow.ts, console-emulator.ts and the tests.
import type xterm from "@xterm/headless";
import { coreOf, type Line, linePrototype } from "./xterm-internals.ts";

const mended = new WeakSet<Line>();

/**
 * Changes the size. A narrower xterm.js 6.0 keeps what its alternate screen had beyond the last column, and lets a deletion bring it in; it leaves half of a
 * wide character; it has its alternate screen scroll into a scrollback when that is shown for the first time after it got fewer rows; and it moves the
 * saved cursor by all lines that any row has come to take, as far as its scrollback goes; and it gives the marks of a character to others when lines wrap anew. No
 * other terminal does.
 */
export function resizeEmulator(terminal: xterm.Terminal, cols: number, rows: number): void {
  keepMarks(linePrototype(terminal));
  const { buffers } = coreOf(terminal)._bufferService;
  const screens = [buffers.normal, buffers.alt];
  const saved = screens.map(({ savedY, ybase }) => savedY - ybase);
  terminal.resize(cols, rows);
  if (buffers.alt.lines.length === 0) buffers.alt.lines.maxLength = rows;
  const empty = buffers.normal.getNullCell();
  for (let y = 0; y < buffers.alt.lines.length; y++) buffers.alt.lines.get(y)?.resize(cols, empty);
  for (const [index, screen] of screens.entries()) {
    screen.savedY = Math.max(0, screen.ybase + (saved[index] ?? 0));
    for (let y = 0; y < screen.lines.length; y++) {
      const line = screen.lines.get(y);
      if (line !== undefined) withoutHalves(line, empty);
    }
  }
}

/** What is copied from one line to another has its own marks; and what is not, too. */
function keepMarks(prototype: Line): void {
  if (mended.has(prototype)) return;
  mended.add(prototype);
  const copy = prototype.copyCellsFrom;
  prototype.copyCellsFrom = function (this: Line, ...copied) {
    const [from, at, to, length] = copied;
    const kept = { ...this._combined };
    for (const [x, chars] of Object.entries(from._combined)) {
      const offset = Number(x) - at;
      if (offset >= 0 && offset < length) kept[to + offset] = chars;
    }
    copy.call(this, ...copied);
    this._combined = kept;
  };
}

/** Half of a wide character becomes a blank. */
function withoutHalves(line: Line, blank: unknown): void {
  for (let x = 0; x < line.length; x++) {
    const width = line.getWidth(x);
    if (width === 2 && x + 1 < line.length && line.getWidth(x + 1) === 0) x++;
    else if (width === 2 || (width === 0 && line.hasContent(x) === 0)) line.setCell(x, blank);
  }
}
