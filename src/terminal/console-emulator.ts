// xterm.js, made to do what the Linux console does with what console-reader.ts gives (drivers/tty/vt/vt.c). Used by shadow.ts where the terminal is one.
import type xterm from "@xterm/headless";
import { cellsOf, countCells } from "./character-widths.ts";
import { movesWithinOrigin } from "./emulator.ts";
import { resizeEmulator } from "./emulator-resize.ts";
import { coreOf, type Handler, kept } from "./xterm-internals.ts";

/** What is left of a wide character that is cut. */
const FIRST_HALF = 0xfffd;
const HALVES = Uint32Array.of(FIRST_HALF, 0x20);

const SOFT_HYPHEN = 0xad;

/** Of a pen in xterm.js. */
const COLOUR = 0x3ffffff;
const BLINK = 0x20000000;

/** ED, EL, IL, DL, ICH, DCH and ECH: after them no cursor waits behind the last column. */
const END_WAITING = "JKLM@PX";

/**
 * One saved cursor for both screens, on its place on the screen, which waits nowhere and brings back no origin mode; margins and tab stops for both; CUU and CUD that
 * stop at no margin; IL and DL that leave the column; DECALN that leaves margins and cursor alone, but for one
 * that waits, and has the colours of the text, not its other attributes. Without autowrap no cursor comes to wait. TBC at the cursor sets a tab stop.
 */
export function asTheConsole(terminal: xterm.Terminal): void {
  const { _inputHandler: handler, _bufferService: service, coreService } = coreOf(terminal);
  const { _curAttrData: pen } = handler;
  const fresh = { x: 0, y: 0, fg: pen.fg, bg: pen.bg, extended: pen.extended.clone() };
  let saved = fresh;
  handler.saveCursor = () => {
    const { buffer } = service;
    const { fg, bg, extended } = handler._curAttrData;
    saved = { x: Math.min(buffer.x, terminal.cols - 1), y: buffer.y, fg, bg, extended: extended.clone() };
    return true;
  };
  const moveTo = (x: number, y: number): void => {
    const { buffer } = service;
    const { origin } = coreService.decPrivateModes;
    buffer.x = Math.min(x, terminal.cols - 1);
    buffer.y = Math.max(origin ? buffer.scrollTop : 0, Math.min(y, origin ? buffer.scrollBottom : terminal.rows - 1));
  };
  handler.restoreCursor = () => {
    const { fg, bg, extended } = saved;
    Object.assign(handler._curAttrData, { fg, bg, extended: extended.clone() });
    moveTo(saved.x, saved.y);
    return true;
  };
  terminal.parser.registerEscHandler({ final: "c" }, () => {
    saved = fresh;
    coreService.isCursorHidden = false;
    terminal.options.convertEol = false;
    return false;
  });
  handler.cursorUp = ({ params }) => {
    moveTo(service.buffer.x, service.buffer.y - (params[0] || 1));
    return true;
  };
  handler.cursorDown = ({ params }) => {
    moveTo(service.buffer.x, service.buffer.y + (params[0] || 1));
    return true;
  };
  const align = handler.screenAlignmentPattern.bind(handler);
  handler.screenAlignmentPattern = () => {
    const { x, y } = service.buffer;
    const { fg, bg } = pen;
    pen.fg &= COLOUR | BLINK;
    pen.bg &= COLOUR;
    align();
    Object.assign(pen, { fg, bg });
    moveTo(x, y);
    return true;
  };
  for (const name of ["insertLines", "deleteLines"] as const) {
    const method = handler[name].bind(handler);
    handler[name] = ({ params }) => {
      const { buffer } = service;
      const { x, y } = buffer;
      // One line of those that it moves always stays; and it does so above the top margin too.
      const lines = Math.min(params[0] || 1, buffer.scrollBottom - y);
      const { scrollTop } = buffer;
      buffer.scrollTop = Math.min(scrollTop, y);
      if (lines > 0) method({ length: 1, params: [lines] });
      Object.assign(buffer, { x, scrollTop });
      return true;
    };
  }
  const print = keepingHalves(terminal);
  handler.print = (data, start, end) => {
    for (let at = start; at < end; at++) {
      const { buffer } = service;
      const { x } = buffer;
      const width = widthOf(terminal, data[at] ?? 0);
      const line = buffer.lines.get(buffer.ybase + buffer.y);
      // A wide character in the last column is cut: its second half goes to the next row.
      const cut = x === terminal.cols - 1 && width === 2;
      // A mark that has nothing to join is nothing.
      const joinsBlank = line?.getWidth(x - 1) === 1 && line.hasContent(x - 1) === 0;
      const alone = width === 0 && (handler._parser.precedingJoinState === 0 || joinsBlank);
      // Others after a reset.
      const { decPrivateModes } = coreService;
      const { wraparound } = decPrivateModes;
      // One that waits goes on in the next row, also where nothing wraps by now.
      decPrivateModes.wraparound ||= x === terminal.cols;
      if (cut) print(HALVES, 0, 2);
      else if (!alone) print(data, at, at + 1);
      decPrivateModes.wraparound = wraparound;
      if (!wraparound) endWaiting();
    }
  };
  const endWaiting = (): void => {
    service.buffer.x = Math.min(service.buffer.x, terminal.cols - 1);
  };
  for (const final of END_WAITING) {
    terminal.parser.registerCsiHandler({ final }, () => {
      endWaiting();
      return false;
    });
  }
  terminal.parser.registerCsiHandler({ final: "g" }, ([what]) => (what === 0 ? handler.tabSet() : false));
  const toAlternate = service.buffers.activateAltBuffer.bind(service.buffers);
  service.buffers.activateAltBuffer = (fill) => {
    endWaiting();
    toAlternate(fill);
  };
  movesWithinOrigin(terminal);
  kept(service.buffers, ({ scrollTop, scrollBottom, tabs }) => ({ scrollTop, scrollBottom, tabs }));
  countCells(terminal, (code) => widthOf(terminal, code));
}

/**
 * Changes the size as the kernel does (vc_do_resize): no row goes on in the next one, and of a screen that becomes lower than the cursor stands, rows at the top go, or on
 * both sides of it.
 */
export function resizeAsTheConsole(terminal: xterm.Terminal, cols: number, rows: number): void {
  const { _bufferService: service } = coreOf(terminal);
  const { buffer } = service;
  const before = terminal.rows;
  const { y } = buffer;
  const first = rows >= before || y <= rows ? 0 : before - y < rows ? before - rows : y - Math.floor(rows / 2);
  for (let i = 0; i < first; i++) {
    buffer.lines.splice(buffer.ybase, 1);
    buffer.lines.push(buffer.getBlankLine(buffer.getNullCell()));
  }
  buffer.y = Math.min(y - first, rows - 1);
  Object.defineProperty(service.buffers.normal, "_isReflowEnabled", { value: false, configurable: true });
  resizeEmulator(terminal, cols, rows);
  const { lines } = service.buffers.normal;
  for (let at = 0; at < lines.length; at++) lines.get(at)?.resize(cols, buffer.getNullCell());
}

/** What xterm.js prints, but for the half of a wide character whose other half is written over: it stays as it was. */
function keepingHalves(terminal: xterm.Terminal): Handler["print"] {
  const { _inputHandler: handler, _bufferService: service } = coreOf(terminal);
  const print = handler.print.bind(handler);
  return (data, start, end) => {
    const { buffer } = service;
    const line = buffer.lines.get(buffer.ybase + buffer.y);
    const width = widthOf(terminal, data[start] ?? 0);
    const [before, after] = [buffer.x - 1, buffer.x + width];
    const over = width > 0 && after < terminal.cols && !terminal.modes.insertMode;
    // A cell of its own: xterm.js's own blank is the same one each time.
    const stays = (x: number, isHalf: boolean | undefined): unknown =>
      over && isHalf ? line?.loadCell(x, terminal.buffer.active.getNullCell()) : undefined;
    const first = stays(before, line?.getWidth(before) === 2);
    const second = stays(after, line?.getWidth(after) === 0 && line.hasContent(after) === 0);
    print(data, start, end);
    if (first !== undefined) line?.setCellFromCodepoint(before, FIRST_HALF, 1, first);
    if (second !== undefined) line?.setCellFromCodepoint(after, 0, 1, second);
  };
}

/** Emoji take two cells since Linux 6.16; the vowels of Hangul are no marks, and a soft hyphen is one. */
function widthOf(terminal: xterm.Terminal, code: number): 0 | 1 | 2 {
  if (code === SOFT_HYPHEN) return 0;
  return (code >= 0x20 && code < 0x300) || (code >= 0x1160 && code <= 0x11ff) ? 1 : cellsOf(terminal, code);
}
