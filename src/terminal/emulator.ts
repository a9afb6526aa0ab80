// xterm.js, made to do what other terminals do where it does otherwise. Used by shadow.ts, and by the tests for the terminals that they compare.
import type xterm from "@xterm/headless";
import { endsRows, insertsRows } from "./emulator-rows.ts";
import { NEVER_KEPT, OF_THE_FRAME, SIDE_MARGINS } from "./modes.ts";
import { before, coreOf, kept, onPrivateModes, type Pen, type Screen } from "./xterm-internals.ts";

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

/**
 * What terminals do by themselves, but for those that are xterm.js: a saved cursor stays where it is on the screen when lines scroll, with whether it
 * waits behind the last column, and all attributes; tab stops are the same on both screens; relative moves are so in origin mode too; and what emulator-rows.ts says of rows.
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
  endsRows(terminal);
  insertsRows(terminal);
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
