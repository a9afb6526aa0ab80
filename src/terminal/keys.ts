// The name of a key that was pressed, whichever way the terminal sent it: for overlays, which act on names. Pure. Used by overlay-host.ts.
import type { TapEvent } from "./key-tap.ts";

/** `escape`, `enter`, `backspace`, or a printable character in lower case. */
export type KeyName = string;

const NAMES: Record<number, KeyName> = { 8: "backspace", 10: "enter", 13: "enter", 27: "escape", 127: "backspace" };

/** The keys in an event, in order; releases, repeats, and keys that no overlay knows are left out. */
export function keyNames(event: TapEvent): KeyName[] {
  if (event.kind !== "key") return [];
  if (event.csi !== undefined) return fromCsi(event.csi.body, event.csi.final);
  const text = new TextDecoder().decode(event.bytes);
  if (text === "\x1b") return ["escape"];
  if (text.startsWith("\x1b")) return [];
  return [...text].flatMap(
    (character) => NAMES[character.charCodeAt(0)] ?? (character >= " " && character !== "\x7f" ? character.toLowerCase() : []),
  );
}

function fromCsi(body: string, final: string): KeyName[] {
  const groups = body.split(";").map((group) => group.split(":").map(Number));
  const named = (code: number, modifiers: number, event: number): KeyName[] => {
    // Ctrl, Alt and the like make it another key; Shift and the locks do not.
    if (event !== 1 || ((modifiers - 1) & ~(1 | 64 | 128)) !== 0 || !Number.isInteger(code)) return [];
    return [NAMES[code] ?? (code >= 0x20 && code < 0xe000 ? String.fromCodePoint(code).toLowerCase() : "")].filter((name) => name !== "");
  };
  if (final === "u") {
    const [code = 0, , base] = groups[0] ?? [];
    return named(code > 0x7f && base !== undefined && base > 0 ? base : code, groups[1]?.[0] || 1, groups[1]?.[1] || 1);
  }
  if (final === "~" && groups[0]?.[0] === 27) return named(groups[2]?.[0] ?? 0, groups[1]?.[0] || 1, 1);
  if (final === "_") {
    const [, , unicode = 0, down = 0, state = 0] = groups.map(([value]) => value ?? 0);
    return down === 1 && (state & 0xf) === 0 ? named(unicode, 1, 1) : [];
  }
  return [];
}
