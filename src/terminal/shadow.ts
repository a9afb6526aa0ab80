// A second copy of the agent's screen in memory, for what the human's terminal cannot be asked: what is under an overlay, where a saved cursor is.
// Loaded by screen.ts after the agent runs; fed lazily, and spared the lines of a flood that nobody can see any more.
import xterm from "@xterm/headless";
import { Backlog, LONGEST_WAIT, SCROLLBACK } from "./backlog.ts";
import type { Size } from "./pty.ts";

export interface Shadow {
  /** Hands over output. `complex` as in backlog.ts: none of it can be left out. */
  feed(bytes: Uint8Array, complex: boolean): void;
  /** Works through what was handed over. */
  drain(): void;
  resize(size: Size): void;
  /** 0-based; `x` equals the width when the cursor waits behind the last column. Valid after `drain`. */
  readonly cursor: { readonly x: number; readonly y: number };
  /** Rows above this one show what was there before the agent: unknown to us, not to be drawn. */
  readonly firstKnownRow: number;
  /** Text and SGR that draw rows `from` to before `to`, 0-based, with CUP, erasing what else is in them. */
  rows(from: number, to: number): string;
  /** Moves to the last column of the cursor's row and prints the character there. */
  lastCell(): string;
  /** SGR of the cursor. */
  attributes(): string;
}

/** What we use of xterm.js's attributes, cells and their current value alike. The current value is not in the public interface. */
interface Attributes {
  isBold(): number;
  isDim(): number;
  isItalic(): number;
  isUnderline(): number;
  isBlink(): number;
  isInverse(): number;
  isInvisible(): number;
  isStrikethrough(): number;
  isOverline(): number;
  isFgRGB(): boolean;
  isBgRGB(): boolean;
  isFgPalette(): boolean;
  isBgPalette(): boolean;
  getFgColor(): number;
  getBgColor(): number;
}

interface Internals {
  readonly _core: {
    readonly _writeBuffer: { writeSync(bytes: Uint8Array): void };
    readonly _inputHandler: { readonly _curAttrData: Attributes };
  };
}

/** @param at where the cursor stood when the agent started, 0-based; undefined when the terminal did not say. */
export function openShadow(size: Size, at: { x: number; y: number } | undefined): Shadow {
  const terminal = new xterm.Terminal({
    cols: Math.max(2, size.cols),
    rows: Math.max(1, size.rows),
    scrollback: SCROLLBACK,
    allowProposedApi: true,
    logLevel: "off",
  });
  const internals = terminal as unknown as Internals;
  const start = Math.min(at?.y ?? 0, terminal.rows - 1);
  internals._core._writeBuffer.writeSync(Buffer.from(`${"\n".repeat(start)}\x1b[${(at?.x ?? 0) + 1}G`));
  const marker = terminal.registerMarker(0);
  let cleared = at === undefined;
  terminal.parser.registerCsiHandler({ final: "J" }, (params) => {
    if (params[0] === 2 || (terminal.buffer.active.cursorY === 0 && terminal.buffer.active.cursorX === 0)) cleared = true;
    return false;
  });

  const backlog = new Backlog();
  const drain = (): void => {
    for (const { bytes } of backlog.take()) {
      try {
        internals._core._writeBuffer.writeSync(bytes);
      } catch {
        // xterm.js 6.0 can lose a line of its alternate screen in a resize, and then fails on it: a blank screen is near enough to go on with.
        terminal.reset();
      }
    }
  };
  const cell = terminal.buffer.active.getNullCell();

  const rowText = (y: number, fill: boolean): string => {
    const buffer = terminal.buffer.active;
    const line = buffer.getLine(buffer.baseY + y);
    if (line === undefined) return "\x1b[m\x1b[K";
    let text = "";
    let style = "";
    let blanks = 0;
    for (let x = 0; x < line.length; x++) {
      const here = line.getCell(x, cell);
      if (here === undefined || here.getWidth() === 0) continue;
      const chars = here.getChars();
      const next = sgr(here as unknown as Attributes);
      if (!fill && chars === "" && next === "\x1b[m") {
        blanks++;
        continue;
      }
      if (blanks > 0) {
        text += `${style === "\x1b[m" || style === "" ? "" : "\x1b[m"}${" ".repeat(blanks)}`;
        style = "\x1b[m";
        blanks = 0;
      }
      if (next !== style) {
        text += next;
        style = next;
      }
      text += chars === "" ? " " : chars;
    }
    return `${style === "" ? "\x1b[m" : ""}${text}${blanks > 0 ? "\x1b[m\x1b[K" : ""}`;
  };

  return {
    feed(bytes, complex) {
      backlog.push(bytes, complex, terminal.rows);
      if (backlog.size > LONGEST_WAIT) drain();
    },
    drain,
    resize(next) {
      drain();
      terminal.resize(Math.max(2, next.cols), Math.max(1, next.rows));
    },
    get cursor() {
      const { cursorX: x, cursorY: y } = terminal.buffer.active;
      return { x, y };
    },
    get firstKnownRow() {
      const { active } = terminal.buffer;
      if (cleared || active.type === "alternate" || marker === undefined || marker.line < 0) return 0;
      const first = Math.max(0, marker.line - active.baseY);
      for (let y = 0; y < first; y++) {
        if (active.getLine(active.baseY + y)?.translateToString(true) !== "") return y;
      }
      return first;
    },
    rows(from, to) {
      const buffer = terminal.buffer.active;
      let text = "";
      for (let y = from; y < Math.min(to, terminal.rows); y++) {
        text += `\x1b[${y + 1};1H${rowText(y, buffer.getLine(buffer.baseY + y + 1)?.isWrapped === true)}`;
      }
      return text;
    },
    lastCell() {
      const buffer = terminal.buffer.active;
      const line = buffer.getLine(buffer.baseY + buffer.cursorY);
      const last = terminal.cols - 1;
      const wide = line?.getCell(last)?.getWidth() === 0;
      const here = line?.getCell(wide ? last - 1 : last);
      if (here === undefined) return "";
      return `\x1b[${wide ? last : last + 1}G${sgr(here as unknown as Attributes)}${here.getChars() || " "}`;
    },
    attributes: () => sgr(internals._core._inputHandler._curAttrData),
  };
}

/** The whole SGR of a cell, from a reset on. */
function sgr(cell: Attributes): string {
  let codes = "";
  if (cell.isBold()) codes += ";1";
  if (cell.isDim()) codes += ";2";
  if (cell.isItalic()) codes += ";3";
  if (cell.isUnderline()) codes += ";4";
  if (cell.isBlink()) codes += ";5";
  if (cell.isInverse()) codes += ";7";
  if (cell.isInvisible()) codes += ";8";
  if (cell.isStrikethrough()) codes += ";9";
  if (cell.isOverline()) codes += ";53";
  if (cell.isFgRGB()) codes += colour(38, cell.getFgColor());
  else if (cell.isFgPalette()) codes += palette(30, cell.getFgColor());
  if (cell.isBgRGB()) codes += colour(48, cell.getBgColor());
  else if (cell.isBgPalette()) codes += palette(40, cell.getBgColor());
  return `\x1b[${codes.slice(1)}m`;
}

function colour(code: number, rgb: number): string {
  return `;${code};2;${(rgb >> 16) & 0xff};${(rgb >> 8) & 0xff};${rgb & 0xff}`;
}

function palette(base: number, index: number): string {
  if (index < 8) return `;${base + index}`;
  return index < 16 ? `;${base + 52 + index}` : `;${base + 8};5;${index}`;
}
