// xterm.js, made to do what other terminals do where it does otherwise. Used by shadow.ts, and by the tests for the terminals that they compare.
import type xterm from "@xterm/headless";
import { NEVER_KEPT, OF_THE_FRAME, SIDE_MARGINS } from "./modes.ts";

/** What we use of it that is not in its public interface. */
interface Internals {
  readonly _core: {
    readonly _inputHandler: Handler;
    readonly _bufferService: { readonly buffer: Screen; readonly buffers: Screens };
    readonly coreService: { isCursorHidden: boolean; readonly decPrivateModes: { origin: boolean } };
  };
}

export interface Handler {
  setModePrivate(params: Params): boolean;
  resetModePrivate(params: Params): boolean;
  readonly _charsetService: { _charsets: unknown[]; glevel: number; setgLevel(level: number): void };
  saveCursor(): boolean;
  restoreCursor(): boolean;
  softReset(params: unknown): boolean;
  screenAlignmentPattern(): boolean;
  cursorCharAbsolute(params: Params): boolean;
  charPosAbsolute(params: Params): boolean;
  _moveCursor(columns: number, rows: number): void;
  _restrictCursor(): void;
  readonly _parser: { precedingJoinState: number };
  insertLines(params: Params): boolean;
  deleteLines(params: Params): boolean;
  cursorUp(params: Params): boolean;
  cursorDown(params: Params): boolean;
  readonly _curAttrData: Pen;
  eraseInDisplay(params: unknown, protect?: boolean): boolean;
  print(data: Uint32Array, start: number, end: number): void;
}

/** The attributes of what is printed next. */
interface Pen {
  fg: number;
  bg: number;
  extended: { urlId: number; clone(): Pen["extended"] };
  updateExtended(): void;
}

interface Params {
  readonly length: number;
  readonly params: readonly number[];
}

interface Line {
  isWrapped: boolean;
  fill(cell: unknown): void;
  readonly length: number;
  getWidth(x: number): number;
  hasContent(x: number): number;
  setCell(x: number, cell: unknown): void;
  resize(cols: number, fill: unknown): void;
  getString(x: number): string;
  addCodepointToCell(x: number, code: number, width: number): void;
}

interface Lines {
  length: number;
  get(index: number): Line | undefined;
  push(line: unknown): void;
  splice(start: number, deleted: number): void;
}

/** The main or the alternate one. */
interface Screen {
  x: number;
  y: number;
  readonly ybase: number;
  savedX: number;
  savedY: number;
  scrollTop: number;
  scrollBottom: number;
  tabs: unknown;
  readonly lines: Lines;
  getNullCell(attributes?: unknown): unknown;
  getBlankLine(fill: unknown): unknown;
}

interface Screens {
  readonly active: Screen;
  readonly normal: Screen;
  readonly alt: Screen;
  activateNormalBuffer(): void;
  activateAltBuffer(fill: unknown): void;
}

export const coreOf = (terminal: xterm.Terminal): Internals["_core"] => (terminal as unknown as Internals)._core;

/**
 * What the compositor sees to in every terminal, VT510 manual and xterm: DECRC brings back all character sets and origin mode, DECALN resets the margins, and
 * these are the same on both screens; ED of the scrollback leaves the saved cursor alone; RIS shows the cursor.
 */
export function asTheManual(terminal: xterm.Terminal): void {
  const { _inputHandler: handler, _bufferService: service, coreService } = coreOf(terminal);
  const { _charsetService: charsets } = handler;
  const saved = new WeakMap<Screen, { sets: unknown[]; level: number; origin: boolean }>();
  before(handler, "saveCursor", () => {
    saved.set(service.buffer, { sets: [...charsets._charsets], level: charsets.glevel, origin: coreService.decPrivateModes.origin });
  });
  const restore = handler.restoreCursor.bind(handler);
  handler.restoreCursor = () => {
    const { sets, level, origin } = saved.get(service.buffer) ?? { sets: [], level: 0, origin: false };
    coreService.decPrivateModes.origin = origin;
    restore();
    charsets._charsets = [...sets];
    charsets.setgLevel(level);
    return true;
  };
  before(handler, "softReset", () => saved.delete(service.buffer));
  before(handler, "screenAlignmentPattern", () => {
    service.buffer.scrollTop = 0;
    service.buffer.scrollBottom = terminal.rows - 1;
  });
  const erase = handler.eraseInDisplay.bind(handler);
  handler.eraseInDisplay = (params, protect) => {
    const { buffer } = service;
    const { ybase } = buffer;
    erase(params, protect);
    buffer.savedY -= ybase - buffer.ybase;
    return true;
  };
  kept(service.buffers, ({ scrollTop, scrollBottom }) => ({ scrollTop, scrollBottom }));
  knowSideMargins(terminal);
  knowKeptModes(terminal);
}

/** Private modes that DECSTR changes. */
const SOFT = [1, 6, 7, 25, SIDE_MARGINS];

/** XTSAVE and XTRESTORE, of modes that the output has set or that are known without; xterm.js has neither. */
function knowKeptModes(terminal: xterm.Terminal): void {
  const { _inputHandler: handler, coreService } = coreOf(terminal);
  const { parser } = terminal;
  const set = new Map<number, boolean>();
  const kept = new Map<number, boolean | undefined>();
  const each = (final: string, act: (mode: number) => void): void => {
    parser.registerCsiHandler({ prefix: "?", final }, (modes) => {
      for (const mode of modes) if (typeof mode === "number") act(mode);
      return true;
    });
  };
  onPrivateModes(handler, (mode, on) => set.set(mode, on));
  each("s", (mode) => kept.set(mode, mode === 6 ? coreService.decPrivateModes.origin : set.get(mode)));
  const restore = (mode: number): void => {
    const on = NEVER_KEPT.has(mode) ? undefined : (kept.get(mode) ?? OF_THE_FRAME.get(mode));
    if (on === undefined) {
      if (kept.has(mode)) set.delete(mode);
      return;
    }
    const params = { length: 1, params: [mode] };
    if (on) handler.setModePrivate(params);
    else handler.resetModePrivate(params);
  };
  each("r", restore);
  before(handler, "softReset", () => {
    for (const mode of SOFT) set.delete(mode);
  });
  parser.registerEscHandler({ final: "c" }, () => {
    coreService.isCursorHidden = false;
    terminal.options.convertEol = false;
    set.clear();
    return false;
  });
}

/** Where left and right margins are allowed (DECLRMM), `CSI s` sets them (DECSLRM) and saves no cursor. xterm.js has no such margins. */
export function knowSideMargins(terminal: xterm.Terminal): void {
  const { _inputHandler: handler } = coreOf(terminal);
  let allowed = false;
  onPrivateModes(handler, (mode, on) => {
    if (mode === SIDE_MARGINS) allowed = on;
  });
  before(handler, "softReset", () => (allowed = false));
  terminal.parser.registerEscHandler({ final: "c" }, () => {
    allowed = false;
    return false;
  });
  terminal.parser.registerCsiHandler({ final: "s" }, () => allowed);
}

/** `act` comes before what DECSET and DECRST do. */
function onPrivateModes(handler: Handler, act: (mode: number, on: boolean) => void): void {
  for (const [name, on] of [
    ["setModePrivate", true],
    ["resetModePrivate", false],
  ] as const) {
    const method = handler[name].bind(handler);
    handler[name] = (params) => {
      for (let i = 0; i < params.length; i++) act(params.params[i] ?? 0, on);
      return method(params);
    };
  }
}

/**
 * What terminals do by themselves, but for those that are xterm.js: a saved cursor stays where it is on the screen when lines scroll, with whether it
 * waits behind the last column, and all attributes; tab stops are the same on both screens; relative moves are so in origin mode too; a row that wraps onto itself, on the last row below a region, continues no other.
 */
export function asMostTerminals(terminal: xterm.Terminal): void {
  const { _inputHandler: handler, _bufferService: service } = coreOf(terminal);
  const { _curAttrData: pen } = handler;
  const fresh = { x: 0, y: 0, extended: pen.extended.clone() };
  const saved = new WeakMap<Screen, { x: number; y: number; extended: Pen["extended"] }>();
  before(handler, "saveCursor", () => {
    const { x, y } = service.buffer;
    saved.set(service.buffer, { x, y, extended: handler._curAttrData.extended.clone() });
  });
  const restore = handler.restoreCursor.bind(handler);
  handler.restoreCursor = () => {
    const { buffer } = service;
    const { x, y, extended } = saved.get(buffer) ?? fresh;
    buffer.savedX = x;
    buffer.savedY = buffer.ybase + y;
    restore();
    const { _curAttrData: now } = handler;
    // The open link stays.
    const { urlId } = now.extended;
    now.extended = extended.clone();
    now.extended.urlId = urlId;
    now.updateExtended();
    if (x === terminal.cols) buffer.x = x;
    return true;
  };
  before(handler, "softReset", () => saved.delete(service.buffer));
  kept(service.buffers, ({ tabs }) => ({ tabs }));
  movesWithinOrigin(terminal);
  const print = handler.print.bind(handler);
  handler.print = (data, start, end) => {
    const { buffer } = service;
    if (buffer.scrollBottom === terminal.rows - 1) {
      print(data, start, end);
      return;
    }
    for (let at = start; at < end; at++) {
      const line = buffer.y === terminal.rows - 1 ? buffer.lines.get(buffer.ybase + buffer.y) : undefined;
      const continues = line?.isWrapped;
      print(data, at, at + 1);
      if (line !== undefined) line.isWrapped = continues === true;
    }
  };
}

/** CUU, CUD, CUF, CUB, CHA, HPA, HPR and VPR in origin mode: xterm.js counts the row from the top margin, where it stands already. */
export function movesWithinOrigin(terminal: xterm.Terminal): void {
  const { _inputHandler: handler, _bufferService: service } = coreOf(terminal);
  handler._moveCursor = (columns, rows) => {
    handler._restrictCursor();
    service.buffer.x += columns;
    service.buffer.y += rows;
    handler._restrictCursor();
  };
  handler.cursorCharAbsolute = ({ params }) => {
    service.buffer.x = (params[0] || 1) - 1;
    handler._restrictCursor();
    return true;
  };
  handler.charPosAbsolute = handler.cursorCharAbsolute;
}

/** In UTF-16 units: several times what the longest emoji takes, or a letter under more marks than anybody reads. */
const LONGEST_CELL = 128;
const bounded = new WeakSet<Line>();

/** xterm.js puts all marks that come after a character into its cell: without a limit, an agent that sends nothing else has the launcher grow without end. */
export function boundCells(terminal: xterm.Terminal): void {
  const line = coreOf(terminal)._bufferService.buffer.lines.get(0);
  const prototype = line && (Object.getPrototypeOf(line) as Line);
  if (prototype === undefined || bounded.has(prototype)) return;
  bounded.add(prototype);
  const add = prototype.addCodepointToCell;
  prototype.addCodepointToCell = function (this: Line, x, code, width) {
    if (this.getString(x).length < LONGEST_CELL) add.call(this, x, code, width);
  };
}

/**
 * xterm.js makes each row of its alternate screen anew whenever that is shown: an agent that does nothing but switch has the launcher fill memory faster than it is
 * given back. Here they are made blank, and used again.
 */
export function keepAlternateRows(terminal: xterm.Terminal): void {
  const { buffers } = coreOf(terminal)._bufferService;
  const toAlternate = buffers.activateAltBuffer.bind(buffers);
  buffers.activateAltBuffer = (fill) => {
    const { alt } = buffers;
    const kept = rowsOf.get(alt);
    rowsOf.delete(alt);
    // Rows that were made when the screen had another size are of no use.
    if (kept !== undefined && buffers.active !== alt && kept.length === terminal.rows && kept[0]?.length === terminal.cols) {
      const blank = alt.getNullCell(fill);
      for (const line of kept) {
        line.fill(blank);
        line.isWrapped = false;
        alt.lines.push(line);
      }
    }
    toAlternate(fill);
  };
  const toNormal = buffers.activateNormalBuffer.bind(buffers);
  buffers.activateNormalBuffer = () => {
    const { alt } = buffers;
    const { lines } = alt;
    const shown = buffers.active === alt && lines.length === terminal.rows;
    if (shown)
      rowsOf.set(
        alt,
        Array.from({ length: lines.length }, (_, y) => lines.get(y)).filter((line) => line !== undefined),
      );
    toNormal();
  };
}
const rowsOf = new WeakMap<Screen, Line[]>();

/** `act` comes before what xterm.js does. */
function before(handler: Handler, name: "saveCursor" | "softReset" | "screenAlignmentPattern", act: () => unknown): void {
  const method: (params: unknown) => boolean = handler[name].bind(handler);
  handler[name] = (params?: unknown) => {
    act();
    return method(params);
  };
}

/** What xterm.js has of each screen goes along from one to the other. */
export function kept(screens: Screens, what: (screen: Screen) => Partial<Screen>): void {
  const [toNormal, toAlternate] = [screens.activateNormalBuffer.bind(screens), screens.activateAltBuffer.bind(screens)];
  screens.activateNormalBuffer = () => {
    const goes = what(screens.active);
    toNormal();
    Object.assign(screens.active, goes);
  };
  screens.activateAltBuffer = (fill) => {
    const goes = what(screens.active);
    toAlternate(fill);
    Object.assign(screens.active, goes);
  };
}

/**
 * Changes the size. A narrower xterm.js 6.0 keeps what its alternate screen had beyond the last column, and lets a deletion bring it in; it leaves half of a
 * wide character; and it moves the saved cursor by all lines that any row has come to take, as far as its scrollback goes. No other terminal does.
 */
export function resizeEmulator(terminal: xterm.Terminal, cols: number, rows: number): void {
  const { buffers } = coreOf(terminal)._bufferService;
  const screens = [buffers.normal, buffers.alt];
  const saved = screens.map(({ savedY, ybase }) => savedY - ybase);
  terminal.resize(cols, rows);
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

/** Half of a wide character becomes a blank. */
function withoutHalves(line: Line, blank: unknown): void {
  for (let x = 0; x < line.length; x++) {
    const width = line.getWidth(x);
    if (width === 2 && x + 1 < line.length && line.getWidth(x + 1) === 0) x++;
    else if (width === 2 || (width === 0 && line.hasContent(x) === 0)) line.setCell(x, blank);
  }
}
