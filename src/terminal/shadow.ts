// A second copy of the agent's screen in memory, for what the human's terminal cannot be asked: what is under an overlay, where a saved cursor is.
// Loaded by screen.ts after the agent runs; fed lazily, and spared the lines of a flood that nobody can see any more.
import xterm from "@xterm/headless";
import { Backlog, type Content, LONGEST_WAIT, SCROLLBACK } from "./backlog.ts";
import { type Attributes, isFragile, linkOf, sgr, UNPROTECTED } from "./cell-style.ts";
import { asInUnicode } from "./character-widths.ts";
import { asTheConsole, resizeAsTheConsole } from "./console-emulator.ts";
import { asMostTerminals, asTheManual } from "./emulator.ts";
import { boundCounts, boundLinks, boundStrings } from "./emulator-bounds.ts";
import { boundCells, keepAlternateRows } from "./emulator-memory.ts";
import { resizeEmulator } from "./emulator-resize.ts";
import type { Size } from "./pty.ts";
import { overdrawn } from "./redraws.ts";
import type { TerminalKind } from "./terminal-look.ts";
import { coreOf } from "./xterm-internals.ts";

export interface Shadow {
  /** Hands over output. */
  feed(bytes: Uint8Array, content: Content): void;
  /** Works through what was handed over. */
  drain(): void;
  /** `row`: where the cursor is on the human's terminal now, 0-based. Lines that only the shadow has pulled out of its scrollback go back there. */
  resize(size: Size, row?: number): void;
  /** 0-based; `x` equals the width when the cursor waits behind the last column. Valid after `drain`. */
  readonly cursor: { readonly x: number; readonly y: number };
  /** Rows above this one show what was there before the agent: unknown to us, not to be drawn. */
  readonly firstKnownRow: number;
  /**
   * Text and SGR that draw rows `from` to before `to`, 0-based, with CUP, erasing what else is in them. Autowrap is off before and after. `wrap`: no margin is in the way
   * of rows that continue the one above.
   */
  rows(from: number, to: number, wrap: boolean): string;
  /** The last `count` lines of the scrollback, drawn as the first rows, as `rows` does with `wrap`; empty where one of them is not known. */
  scrolledOut(count: number): string;
  /**
   * Moves to the last column and prints the character there. `row`: of the cursor, as CUP counts it (CHA is wrong in xterm.js in origin mode); undefined: the
   * terminal's cursor is in it, and not in origin mode.
   */
  lastCell(row: number | undefined): string;
  /**
   * Moves back to the character before the cursor and prints it again, so that a combining one can join it; empty where it would not be the same. `printed`: what came
   * last, which may not have fit. `asWritten`: in the character set in use.
   */
  joinable(row: number, insert: boolean, printed: string, asWritten: boolean): string;
  /** SGR of the cursor, and whether text is protected from selective erasing (DECSCA). */
  attributes(): string;
  /** The same when it holds something that not every terminal's DECRC brings back (xterm.js: underlines), else empty. */
  fragileAttributes(): string;
}

const AUTOWRAP = "\x1b[?7h";
const NO_AUTOWRAP = "\x1b[?7l";
const CLOSE_LINK = "\x1b]8;;\x07";

interface Internals {
  readonly _core: {
    readonly _writeBuffer: { writeSync(bytes: Uint8Array): void };
    readonly _inputHandler: { readonly _curAttrData: Attributes };
    readonly _bufferService: {
      readonly buffer: { y: number };
      scroll(attributes: unknown): void;
    };
  };
}

/**
 * @param at where the cursor stood when the agent started, 0-based; undefined when the terminal did not say
 * @param kind what the human's terminal is
 */
export function openShadow(
  size: Size,
  at: { x: number; y: number } | undefined,
  kind: Partial<Pick<TerminalKind, "xtermJs" | "console">> = {},
): Shadow {
  const terminal = new xterm.Terminal({
    cols: Math.max(2, size.cols),
    rows: Math.max(1, size.rows),
    // The console pulls no line out of one.
    scrollback: kind.console ? 0 : SCROLLBACK,
    allowProposedApi: true,
    logLevel: "off",
  });
  boundCells(terminal);
  boundStrings(terminal);
  boundCounts(terminal);
  keepAlternateRows(terminal);
  if (kind.console) asTheConsole(terminal);
  else {
    asTheManual(terminal);
    asInUnicode(terminal);
  }
  if (!kind.xtermJs && !kind.console) asMostTerminals(terminal);
  const internals = terminal as unknown as Internals;
  const start = Math.min(at?.y ?? 0, terminal.rows - 1);
  internals._core._writeBuffer.writeSync(Buffer.from(`${"\n".repeat(start)}\x1b[${(at?.x ?? 0) + 1}G`));
  const marker = terminal.registerMarker(0);
  let cleared = at === undefined || (at.x === 0 && at.y === 0);
  terminal.parser.registerCsiHandler({ final: "J" }, (params) => {
    if (params[0] === 2 || (terminal.buffer.active.cursorY === 0 && terminal.buffer.active.cursorX === 0)) cleared = true;
    return false;
  });

  const backlog = new Backlog(overdrawn);
  const drain = (): void => {
    if (backlog.size === 0) return;
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

  const linkAt = boundLinks(terminal);
  const openLink = (id: number): string => {
    const data = linkAt(id);
    return data === undefined ? CLOSE_LINK : `\x1b]8;${data.id === undefined ? "" : `id=${data.id}`};${data.uri}\x07`;
  };

  /** The console joins no mark to what stands in the last column where nothing wraps: there it comes with it. */
  const shown = (chars: string): string => (kind.console ? chars.normalize() : chars) || " ";

  /** The first character of what was printed, in the character set in use. */
  const shownAs = (printed: string): string => {
    const [first = ""] = printed;
    return coreOf(terminal)._inputHandler._charsetService.charset?.[first] ?? first;
  };

  /** It looks as what is printed now does. */
  const hasPen = (attributes: Attributes): boolean => {
    const pen = internals._core._inputHandler._curAttrData;
    return sgr(attributes) === sgr(pen) && linkOf(attributes) === linkOf(pen);
  };

  /** `fill`: to the last column, so that the next row can go on; `joins`: the cursor waits behind the end of the row before; `continues`: the row goes on in any case. */
  const rowText = (y: number, fill: boolean, joins: boolean, continues: boolean): string => {
    const buffer = terminal.buffer.active;
    const line = buffer.getLine(buffer.baseY + y);
    if (line === undefined) return "\x1b[m\x1b[K";
    const first = line.getCell(0, cell);
    // A character without width would not begin a row.
    let text = joins && first?.getWidth() === 0 ? " \r\x1b[m" : "\x1b[m";
    let empty = true;
    let style = "\x1b[m";
    let blanks = 0;
    let link = 0;
    const linked = (id: number): void => {
      if (id !== link) text += openLink(id);
      link = id;
    };
    for (let x = 0; x < line.length; x++) {
      const here = line.getCell(x, cell);
      if (here === undefined) break;
      const chars = here.getChars();
      // The second half of a wide character; one whose first half was written over is a blank.
      if (here.getWidth() === 0 && chars === "" && line.getCell(x - 1)?.getWidth() === 2) continue;
      const attributes = here as unknown as Attributes;
      const next = sgr(attributes);
      const url = linkOf(attributes);
      if (!fill && chars === "" && next === "\x1b[m" && url === 0) {
        linked(0);
        blanks++;
        continue;
      }
      if (blanks > 0) {
        text += `${style.endsWith("q") ? UNPROTECTED : ""}${style === "\x1b[m" ? "" : "\x1b[m"}${" ".repeat(blanks)}`;
        style = "\x1b[m";
        blanks = 0;
      }
      empty = false;
      linked(url);
      // A character without width that has a cell of its own must not join the one before.
      if (next !== style || here.getWidth() === 0) {
        text += (style.endsWith("q") ? UNPROTECTED : "") + next;
        style = next;
      }
      text += shown(chars);
    }
    linked(0);
    if (style.endsWith("q")) text += UNPROTECTED;
    return `${text}${continues && empty ? " " : ""}${blanks > 0 ? "\x1b[m\x1b[K" : ""}`;
  };

  /** Rows `from` to before `to`, `down` rows further down: `Shadow.rows`. */
  const drawn = (from: number, to: number, wrap: boolean, down: number): string => {
    const buffer = terminal.buffer.active;
    const continues = (y: number): boolean => buffer.getLine(buffer.baseY + y)?.isWrapped === true;
    let text = "";
    for (let y = from; y < to; y++) {
      const joins = wrap && y > from && continues(y);
      const joined = wrap && y + 1 < to && continues(y + 1);
      // Terminals keep whether a row continues the one above, for copying and for other widths: erasing from its start ends that.
      if (!joins) text += `\x1b[${y + down + 1};1H${!wrap || continues(y) ? "" : "\x1b[m\x1b[K"}`;
      if (joined && !joins) text += AUTOWRAP;
      text += rowText(y, joined, joins, continues(y));
      if (joins && !joined) text += NO_AUTOWRAP;
    }
    return text;
  };

  return {
    feed(bytes, content) {
      backlog.push(bytes, content, terminal);
      if (backlog.size > LONGEST_WAIT) drain();
    },
    drain,
    resize(next, row) {
      drain();
      if (kind.console) {
        resizeAsTheConsole(terminal, Math.max(2, next.cols), Math.max(1, next.rows));
        return;
      }
      const top = terminal.registerMarker(-terminal.buffer.active.cursorY);
      resizeEmulator(terminal, Math.max(2, next.cols), Math.max(1, next.rows));
      const pulled = (top?.line ?? 0) - terminal.buffer.active.baseY;
      top?.dispose();
      const only = row === undefined ? 0 : Math.min(pulled, terminal.buffer.active.cursorY - row);
      const { _bufferService } = internals._core;
      for (let i = 0; i < only; i++) _bufferService.scroll(terminal.buffer.active.getNullCell());
      if (only > 0) _bufferService.buffer.y -= only;
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
    rows: (from, to, wrap) => drawn(from, Math.min(to, terminal.rows), wrap, 0),
    scrolledOut(count) {
      const { active } = terminal.buffer;
      const known = active.baseY - count >= Math.max(0, marker?.line ?? 0);
      return known ? drawn(-count, 0, true, count) : "";
    },
    lastCell(row) {
      const buffer = terminal.buffer.active;
      const line = buffer.getLine(buffer.baseY + buffer.cursorY);
      const last = terminal.cols - 1;
      const wide = isSecondHalf(line?.getCell(last));
      const here = line?.getCell(wide ? last - 1 : last);
      if (here === undefined) return "";
      const attributes = here as unknown as Attributes;
      const url = linkOf(attributes);
      const text = `${sgr(attributes)}${shown(here.getChars())}`;
      const linked = url === 0 ? text : `${openLink(url)}${text}${CLOSE_LINK}`;
      const column = wide ? last : last + 1;
      // On the console one that came to wait goes on doing so when autowrap ends.
      const waits = kind.console && !terminal.modes.wraparoundMode;
      return `\x1b[${row === undefined ? `${column}G` : `${row};${column}H`}${waits ? `${AUTOWRAP}${linked}${NO_AUTOWRAP}` : linked}`;
    },
    joinable(row, insert, printed, asWritten) {
      const { active } = terminal.buffer;
      const line = active.getLine(active.baseY + active.cursorY);
      const wide = isSecondHalf(line?.getCell(active.cursorX - 1));
      const x = active.cursorX - (wide ? 2 : 1);
      const before = line?.getCell(x, cell);
      const chars = before?.getChars() ?? "";
      // The cursor may stand within a wide one.
      if (before === undefined || chars === "" || (before.getWidth() === 2 && !wide)) return "";
      if (!hasPen(before as unknown as Attributes) || (asWritten && !chars.includes(shownAs(printed)))) return "";
      return `\x1b[${row};${x + 1}H${insert ? `\x1b[${wide ? 2 : 1}P` : ""}${asWritten ? printed : chars}`;
    },
    attributes: () => sgr(internals._core._inputHandler._curAttrData, true),
    fragileAttributes() {
      const now = internals._core._inputHandler._curAttrData;
      return isFragile(now) ? sgr(now, true) : "";
    },
  };
}

/** Of a wide character; a combining one that stands alone takes a cell without width too. */
function isSecondHalf(cell: xterm.IBufferCell | undefined): boolean {
  return cell?.getWidth() === 0 && cell.getChars() === "";
}
