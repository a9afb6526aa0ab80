// The parser's transition table after the VT500 model (vt100.net/emu/dec_ansi_parser), its states named as there. Data for scanner.ts.

export const State = {
  ground: 0,
  escape: 1,
  escapeIntermediate: 2,
  csiEntry: 3,
  csiParam: 4,
  csiIntermediate: 5,
  csiIgnore: 6,
  dcsEntry: 7,
  dcsParam: 8,
  dcsIntermediate: 9,
  dcsPassthrough: 10,
  dcsIgnore: 11,
  oscString: 12,
  sosPmApcString: 13,
} as const;

export const Action = {
  /** Nothing to do: the byte goes on its way with its sequence. */
  none: 0,
  print: 1,
  execute: 2,
  clear: 3,
  collect: 4,
  param: 5,
  escDispatch: 6,
  csiDispatch: 7,
  /** A sequence that means nothing is complete. */
  csiIgnored: 8,
  oscStart: 9,
  oscPut: 10,
  oscEnd: 11,
  /** The start of a DCS, SOS, PM or APC string. */
  stringStart: 12,
  stringEnd: 13,
  /** CAN, SUB, or a byte that cannot be there: the sequence so far is void. */
  abort: 14,
  /** Non-ASCII where only ASCII can be: void, and the byte with it, as xterm.js does. */
  error: 15,
} as const;

/** 1: an action after which what was printed before is no longer what was printed last. */
export const RESETS = new Uint8Array(16);
for (const action of [Action.execute, Action.escDispatch, Action.csiDispatch, Action.oscEnd, Action.stringEnd, Action.abort])
  RESETS[action] = 1;

/** Column of every code point above U+009F. */
export const NON_ASCII = 0xa0;
export const STATES = 14;

/** `TABLE[state << 8 | code]` is `action << 4 | next state`; `code` is an ASCII or C1 control code, or NON_ASCII. */
export const TABLE: Uint8Array = build();

function build(): Uint8Array {
  const table = new Uint8Array(STATES << 8);
  const S = State;
  const A = Action;
  const on = (states: readonly number[], from: number, to: number, action: number, next: number | "same"): void => {
    for (const state of states) {
      for (let code = from; code <= to; code++) table[(state << 8) | code] = (action << 4) | (next === "same" ? state : next);
    }
  };
  const all = Object.values(S);
  const escapes = [S.escape, S.escapeIntermediate];
  const csi = [S.csiEntry, S.csiParam, S.csiIntermediate, S.csiIgnore];
  const dcs = [S.dcsEntry, S.dcsParam, S.dcsIntermediate];
  const strings = [S.dcsPassthrough, S.dcsIgnore, S.oscString, S.sosPmApcString];

  // C0 acts at once, also inside a sequence; inside strings it is part of the string; DEL is nothing.
  on([...escapes, ...csi, ...dcs], NON_ASCII, NON_ASCII, A.error, S.ground);
  on([S.ground, ...escapes, ...csi], 0x00, 0x1f, A.execute, "same");
  on([...dcs, ...strings], 0x00, 0x1f, A.none, "same");
  on(all, 0x7f, 0x7f, A.none, "same");
  on([S.ground], 0x20, 0x7e, A.print, "same");
  on([S.ground], NON_ASCII, NON_ASCII, A.print, "same");

  on([S.escape], 0x20, 0x2f, A.collect, S.escapeIntermediate);
  on([S.escape], 0x30, 0x7e, A.escDispatch, S.ground);
  on([S.escapeIntermediate], 0x20, 0x2f, A.collect, "same");
  on([S.escapeIntermediate], 0x30, 0x7e, A.escDispatch, S.ground);

  on([S.csiEntry], 0x20, 0x2f, A.collect, S.csiIntermediate);
  on([S.csiEntry, S.csiParam], 0x30, 0x3b, A.param, S.csiParam);
  on([S.csiEntry], 0x3c, 0x3f, A.collect, S.csiParam);
  on([S.csiParam], 0x3c, 0x3f, A.none, S.csiIgnore);
  on([S.csiParam, S.csiIntermediate], 0x20, 0x2f, A.collect, S.csiIntermediate);
  on([S.csiIntermediate], 0x30, 0x3f, A.none, S.csiIgnore);
  on([S.csiEntry, S.csiParam, S.csiIntermediate], 0x40, 0x7e, A.csiDispatch, S.ground);
  on([S.csiIgnore], 0x20, 0x3f, A.none, "same");
  on([S.csiIgnore], NON_ASCII, NON_ASCII, A.none, "same");
  on([S.csiIgnore], 0x40, 0x7e, A.csiIgnored, S.ground);

  on([S.dcsEntry], 0x20, 0x2f, A.none, S.dcsIntermediate);
  on([S.dcsEntry, S.dcsParam], 0x30, 0x3b, A.none, S.dcsParam);
  on([S.dcsEntry], 0x3c, 0x3f, A.none, S.dcsParam);
  on([S.dcsParam], 0x3c, 0x3f, A.none, S.dcsIgnore);
  on([S.dcsParam, S.dcsIntermediate], 0x20, 0x2f, A.none, S.dcsIntermediate);
  on([S.dcsIntermediate], 0x30, 0x3f, A.none, S.dcsIgnore);
  on(dcs, 0x40, 0x7e, A.none, S.dcsPassthrough);
  on([S.dcsPassthrough, S.dcsIgnore, S.sosPmApcString], 0x20, 0x7e, A.none, "same");
  on([S.dcsPassthrough, S.dcsIgnore, S.sosPmApcString], NON_ASCII, NON_ASCII, A.none, "same");
  on([S.oscString], 0x20, 0x7e, A.oscPut, "same");
  on([S.oscString], NON_ASCII, NON_ASCII, A.oscPut, "same");
  on([S.oscString], 0x07, 0x07, A.oscEnd, S.ground);

  // From anywhere: the C1 controls, CAN and SUB, ESC.
  on(all, 0x80, 0x9f, A.abort, S.ground);
  on([S.ground], 0x80, 0x9f, A.none, S.ground);
  on([S.ground], 0x18, 0x18, A.execute, S.ground);
  on([S.ground], 0x1a, 0x1a, A.execute, S.ground);
  on([...escapes, ...csi, ...dcs, ...strings], 0x18, 0x18, A.abort, S.ground);
  on([...escapes, ...csi, ...dcs, ...strings], 0x1a, 0x1a, A.abort, S.ground);
  on(all, 0x1b, 0x1b, A.clear, S.escape);
  on(all, 0x90, 0x90, A.stringStart, S.dcsEntry);
  on(all, 0x98, 0x98, A.stringStart, S.sosPmApcString);
  on(all, 0x9b, 0x9b, A.clear, S.csiEntry);
  on(all, 0x9d, 0x9d, A.oscStart, S.oscString);
  on(all, 0x9e, 0x9f, A.stringStart, S.sosPmApcString);
  on([S.dcsPassthrough, S.dcsIgnore, S.sosPmApcString], 0x9c, 0x9c, A.stringEnd, S.ground);
  on([S.oscString], 0x9c, 0x9c, A.oscEnd, S.ground);

  // The 7-bit forms of the introducers.
  on([S.escape], 0x50, 0x50, A.stringStart, S.dcsEntry);
  on([S.escape], 0x58, 0x58, A.stringStart, S.sosPmApcString);
  on([S.escape], 0x5b, 0x5b, A.clear, S.csiEntry);
  on([S.escape], 0x5d, 0x5d, A.oscStart, S.oscString);
  on([S.escape], 0x5e, 0x5f, A.stringStart, S.sosPmApcString);
  return table;
}
