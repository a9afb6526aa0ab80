// The kill key: how it is written in the configuration, and every form in which a terminal may send it. Pure. Used by attach.ts, key-tap.ts and the settings.
import { AgentRunError } from "../core/error.ts";

export interface KillKey {
  /** As it is shown: `ctrl-k`. */
  readonly name: string;
  /** The single byte of a control key, undefined for a function key. */
  readonly byte: number | undefined;
  /** Unicode code point of the key without modifiers (kitty, modifyOtherKeys); for a function key its kitty number or 0. */
  readonly code: number;
  /** win32-input-mode: virtual key code. */
  readonly virtual: number;
  /** Function key: the legacy sequences after ESC, and what kitty sends: `CSI 1;m P` or `CSI 15;m ~`. */
  readonly functionKey: { readonly legacy: readonly string[]; readonly number: number; readonly final: string } | undefined;
}

/** Control keys that are the same byte as a key that no terminal can do without, or that must stay the agent's. */
const TAKEN: Record<string, string> = {
  c: "interrupts the agent",
  z: "suspends the agent",
  d: "ends its input",
  m: "is Enter",
  j: "is Enter on some terminals",
  i: "is Tab",
  h: "is Backspace",
  "[": "is Escape",
};
const PUNCTUATION = "\\]^_@";
const WINDOWS_PUNCTUATION: Record<string, number> = { "\\": 0xdc, "]": 0xdd, "^": 0x36, _: 0xbd, "@": 0x32 };

/** xterm and VT220 forms, and the Linux console's for F1 to F5. */
const FUNCTION_KEYS: Record<number, { legacy: string[]; number: number; final: string }> = Object.fromEntries(
  [11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 23, 24].map((number, index) => {
    const letter = "PQRS"[index];
    const legacy = [
      `[${number}~`,
      ...(letter === undefined ? [] : [`O${letter}`, `[${letter}`]),
      ...(index < 5 ? [`[[${"ABCDE"[index]}`] : []),
    ];
    return [index + 1, { legacy, number: letter === undefined ? number : 1, final: letter ?? "~" }];
  }),
);

/**
 * Reads `ctrl-k`, `ctrl-\`, `ctrl-]`, `f12` and the like, in any case; `^k` and `c-k` are taken too.
 * @throws AgentRunError `config`
 */
export function parseKey(text: string): KillKey {
  const name = text.trim().toLowerCase();
  const fn = /^f([1-9]|1[0-2])$/.exec(name);
  if (fn !== null) {
    const number = Number(fn[1]);
    return { name, byte: undefined, code: 0, virtual: 0x6f + number, functionKey: FUNCTION_KEYS[number] };
  }
  const key = /^(?:ctrl[-+]|c-|\^)(.)$/.exec(name)?.[1];
  if (key === undefined || !(/[a-z]/.test(key) || PUNCTUATION.includes(key) || key === "[")) {
    throw new AgentRunError("config", `'${text}' is not a key that can end the agent`, {
      hint: 'write kill_key = "ctrl-k", "ctrl-\\\\", "ctrl-]" or "f12"',
    });
  }
  if (TAKEN[key] !== undefined) {
    throw new AgentRunError("config", `'${text}' cannot be the kill key: it ${TAKEN[key]}`, { hint: 'use kill_key = "ctrl-k" or "f12"' });
  }
  const code = key.charCodeAt(0);
  const virtual = /[a-z]/.test(key) ? code - 32 : (WINDOWS_PUNCTUATION[key] ?? 0);
  return { name: `ctrl-${key}`, byte: key === "@" ? 0 : code & 0x1f, code, virtual, functionKey: undefined };
}

/** Modifier bits without the locks: kitty sends Caps Lock (64) and Num Lock (128) along. */
const LOCKS = 64 | 128;
const CTRL = 4;

export type KeyEvent = "press" | "release" | undefined;

/**
 * Whether a CSI is the kill key: `body` is what stands between `ESC [` and the final character.
 * kitty: `code[:shifted[:base]];modifiers[:event]u` (sw.kovidgoyal.net/kitty/keyboard-protocol); xterm modifyOtherKeys: `27;modifiers;code~`;
 * win32-input-mode: `virtual;scan;unicode;down;state;repeat_` (microsoft/terminal, spec 4999).
 */
export function matchCsi(key: KillKey, body: string, final: string): KeyEvent {
  if (!/^[\d;:]*$/.test(body)) return undefined;
  const groups = body.split(";").map((group) => group.split(":").map((digits) => (digits === "" ? undefined : Number(digits))));
  const wanted = key.functionKey === undefined ? CTRL : 0;
  const modified = (group: readonly (number | undefined)[] | undefined): boolean => (((group?.[0] ?? 1) - 1) & ~LOCKS) === wanted;
  const event = (group: readonly (number | undefined)[] | undefined): KeyEvent => (group?.[1] === 3 ? "release" : "press");
  if (final === "_" && groups.length >= 4)
    return matchWindows(
      key,
      groups.map(([value]) => value ?? 0),
    );
  if (key.functionKey !== undefined) {
    const { number, final: its, legacy } = key.functionKey;
    if (legacy.includes(`[${body}${final}`)) return "press";
    return final === its && (groups[0]?.[0] ?? 1) === number && groups.length === 2 && modified(groups[1]) ? event(groups[1]) : undefined;
  }
  if (final === "u" && groups.length >= 2 && modified(groups[1])) {
    const [code, , base] = groups[0] ?? [];
    // The key of a layout in another script: its place on a Latin keyboard counts. In a Latin layout the letter does.
    return code === key.code || (base === key.code && (code ?? 0) > 0x7f) ? event(groups[1]) : undefined;
  }
  if (final === "~" && groups.length === 3 && groups[0]?.[0] === 27 && modified(groups[1])) {
    return groups[2]?.[0] === key.code ? "press" : undefined;
  }
  return undefined;
}

const WINDOWS_ALT = 0x3;
const WINDOWS_CTRL = 0xc;
const WINDOWS_SHIFT = 0x10;

function matchWindows(key: KillKey, [virtual, , , down, state = 0]: readonly number[]): KeyEvent {
  if (virtual !== key.virtual || (state & (WINDOWS_ALT | WINDOWS_SHIFT)) !== 0) return undefined;
  if (((state & WINDOWS_CTRL) !== 0) !== (key.functionKey === undefined)) return undefined;
  return down === 0 ? "release" : "press";
}
