// What we use of xterm.js that is not in its public interface, and how its methods are changed. Used by the emulator files and the tests for them.
import type xterm from "@xterm/headless";

interface Internals {
  readonly _core: {
    readonly _inputHandler: Handler;
    readonly _bufferService: { readonly buffer: Screen; readonly buffers: Screens };
    readonly coreService: { isCursorHidden: boolean; readonly decPrivateModes: { origin: boolean; wraparound: boolean } };
    readonly unicodeService: { wcwidth(code: number): number };
    readonly _oscLinkService: { registerLink(link: Link): number; addLineToLink(id: number, row: number): void };
  };
}

/** A hyperlink. */
export interface Link {
  readonly id?: string;
  readonly uri: string;
}

/** What gathers an OSC or DCS. */
export interface StringHandler {
  _data: string;
  _hitLimit: boolean;
  put(data: Uint32Array, start: number, end: number): void;
}

interface StringParser {
  readonly _handlers: Readonly<Record<number, readonly StringHandler[]>>;
}

/** Sequences whose number says how often they are carried out. */
export interface Counted {
  insertLines(params: Params): boolean;
  deleteLines(params: Params): boolean;
  scrollUp(params: Params): boolean;
  scrollDown(params: Params): boolean;
  scrollLeft(params: Params): boolean;
  scrollRight(params: Params): boolean;
  cursorForwardTab(params: Params): boolean;
  cursorBackwardTab(params: Params): boolean;
  repeatPrecedingCharacter(params: Params): boolean;
}

export interface Handler extends Counted {
  setModePrivate(params: Params): boolean;
  resetModePrivate(params: Params): boolean;
  readonly _charsetService: {
    _charsets: unknown[];
    readonly charset: Readonly<Record<string, string>> | undefined;
    glevel: number;
    setgLevel(level: number): void;
  };
  saveCursor(): boolean;
  restoreCursor(): boolean;
  softReset(params: unknown): boolean;
  tabSet(): boolean;
  screenAlignmentPattern(): boolean;
  cursorCharAbsolute(params: Params): boolean;
  charPosAbsolute(params: Params): boolean;
  _moveCursor(columns: number, rows: number): void;
  _restrictCursor(): void;
  readonly _parser: { precedingJoinState: number; readonly _oscParser: StringParser; readonly _dcsParser: StringParser };
  reverseIndex(): boolean;
  cursorUp(params: Params): boolean;
  cursorDown(params: Params): boolean;
  readonly _curAttrData: Pen;
  eraseInDisplay(params: unknown, protect?: boolean): boolean;
  print(data: Uint32Array, start: number, end: number): void;
}

/** The attributes of what is printed next. */
export interface Pen {
  fg: number;
  bg: number;
  extended: { urlId: number; clone(): Pen["extended"] };
  updateExtended(): void;
}

interface Params {
  readonly length: number;
  readonly params: number[] | Int32Array;
}

export interface Line {
  isWrapped: boolean;
  fill(cell: unknown): void;
  copyFrom(line: Line): void;
  copyCellsFrom(from: Line, at: number, to: number, length: number, backwards: boolean): void;
  /** Characters with their marks. */
  _combined: Record<number, string>;
  getFg(x: number): number;
  getBg(x: number): number;
  readonly length: number;
  getWidth(x: number): number;
  hasContent(x: number): number;
  setCell(x: number, cell: unknown): void;
  loadCell(x: number, cell: unknown): unknown;
  setCellFromCodepoint(x: number, code: number, width: number, attributes: unknown): void;
  resize(cols: number, fill: unknown): void;
  getString(x: number): string;
  addCodepointToCell(x: number, code: number, width: number): void;
}

interface Lines {
  length: number;
  maxLength: number;
  get(index: number): Line | undefined;
  push(line: unknown): void;
  splice(start: number, deleted: number): void;
}

/** The main or the alternate one. */
export interface Screen {
  x: number;
  y: number;
  readonly ybase: number;
  savedX: number;
  savedY: number;
  scrollTop: number;
  scrollBottom: number;
  tabs: unknown;
  lines: Lines;
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

/** What all lines of all terminals have in common. */
export const linePrototype = (terminal: xterm.Terminal): Line => Object.getPrototypeOf(coreOf(terminal)._bufferService.buffer.lines.get(0));

/** `act` comes before what xterm.js does. */
export function before(handler: Handler, name: "saveCursor" | "softReset" | "screenAlignmentPattern", act: () => unknown): void {
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

/** `act` comes before what DECSET and DECRST do. */
export function onPrivateModes(handler: Handler, act: (mode: number, on: boolean) => void): void {
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
