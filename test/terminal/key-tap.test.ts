// The kill key in every form that terminals send, and in none that only looks like it, at every place where a read may cut the bytes.
import { describe, expect, it } from "vitest";
import type { AgentRunError } from "../../src/core/error.ts";
import { KeyTap, type TapEvent } from "../../src/terminal/key-tap.ts";
import { parseKey } from "../../src/terminal/kill-key.ts";

const K = "ctrl-k";

const hits: [string, string, string?][] = [
  ["the control character", "\x0b"],
  ["kitty", "\x1b[107;5u"],
  ["kitty with an event type", "\x1b[107;5:1u"],
  ["kitty, repeated", "\x1b[107;5:2u"],
  ["kitty with Caps Lock", "\x1b[107;69u"],
  ["kitty with Num Lock", "\x1b[107;133u"],
  ["kitty with both locks", "\x1b[107;197:1u"],
  ["kitty with alternate keys", "\x1b[107:75;5u"],
  ["kitty with a Cyrillic layout", "\x1b[1083::107;5u"],
  ["kitty with a Cyrillic layout and shifted key", "\x1b[1083:1051:107;5:1u"],
  ["kitty with associated text", "\x1b[107;5;11u"],
  ["modifyOtherKeys", "\x1b[27;5;107~"],
  ["win32 input mode, left Ctrl", "\x1b[75;37;11;1;8;1_"],
  ["win32 input mode, right Ctrl and Num Lock", "\x1b[75;37;11;1;36;1_"],
  ["F12 of xterm", "\x1b[24~", "f12"],
  ["F12 of kitty", "\x1b[24;1:1~", "f12"],
  ["F1 of xterm", "\x1bOP", "f1"],
  ["F1 of the VT220", "\x1b[11~", "f1"],
  ["F1 of the Linux console", "\x1b[[A", "f1"],
  ["F1 of kitty with Num Lock", "\x1b[1;129P", "f1"],
  ["Ctrl-\\", "\x1c", "ctrl-\\"],
  ["Ctrl-\\ of kitty", "\x1b[92;5u", "ctrl-\\"],
  ["Ctrl-]", "\x1d", "ctrl-]"],
];

const misses: [string, string, string?][] = [
  ["Alt with it", "\x1b\x0b"],
  ["k alone, kitty", "\x1b[107u"],
  ["k alone with a lock", "\x1b[107;129u"],
  ["Ctrl-Shift-K", "\x1b[107;6u"],
  ["Ctrl-Shift-K with the shifted key", "\x1b[107:75;6u"],
  ["Ctrl-Alt-K", "\x1b[107;7u"],
  ["Super-Ctrl-K", "\x1b[107;13u"],
  ["Ctrl-J", "\x1b[106;5u"],
  ["Ctrl-T on a layout where it sits in the place of K", "\x1b[116::107;5u"],
  ["modifyOtherKeys with Shift", "\x1b[27;6;107~"],
  ["modifyOtherKeys of another key", "\x1b[27;5;106~"],
  ["win32 with Shift", "\x1b[75;37;11;1;24;1_"],
  ["win32 with Alt", "\x1b[75;37;11;1;10;1_"],
  ["win32 without Ctrl", "\x1b[75;37;107;1;0;1_"],
  ["win32, key up of another key", "\x1b[74;36;10;0;8;1_"],
  ["a bracketed paste with the character", "\x1b[200~a\x0bb\x1b[201~"],
  ["a bracketed paste with a kitty form", "\x1b[200~\x1b[107;5u\x1b[201~"],
  ["a bracketed paste with something like its end", "\x1b[200~\x1b[201\x0b\x1b\x1b[201~"],
  ["an X10 mouse report with the byte", "\x1b[M\x0b\x0b\x0b"],
  ["an SGR mouse report", "\x1b[<0;107;5M"],
  ["a colour report with the byte", "\x1b]11;rgb:00\x0b/00\x1b\\"],
  ["a DCS report with the byte", "\x1bP1$r\x0b\x1b\\"],
  ["a cursor report", "\x1b[107;5R"],
  ["Shift-F1", "\x1b[1;2P", "f1"],
  ["F11", "\x1b[23~", "f12"],
  ["text and arrows", "hello\x1b[A\x1bOB\x1b[1;5C \u00e9\u6f22"],
];

const releases: [string, string][] = [
  ["kitty", "\x1b[107;5:3u"],
  ["kitty with a Cyrillic layout", "\x1b[1083::107;5:3u"],
  ["win32", "\x1b[75;37;11;0;8;1_"],
];

function tapped(chunks: readonly Uint8Array[], key = K): TapEvent[] {
  const tap = new KeyTap(parseKey(key));
  return [...chunks.flatMap((chunk) => tap.push(chunk)), ...tap.flush()];
}
const kills = (events: readonly TapEvent[]): number => events.filter(({ kind }) => kind === "kill").length;
const passed = (events: readonly TapEvent[]): string =>
  Buffer.concat(events.filter(({ kind }) => kind !== "kill").map(({ bytes }) => bytes)).toString("utf8");

/** The bytes whole, in two pieces and in three, at every place. */
function* cuts(text: string): Generator<Uint8Array[]> {
  const bytes = Buffer.from(text, "utf8");
  yield [bytes];
  for (let i = 1; i < bytes.length; i++) {
    yield [bytes.subarray(0, i), bytes.subarray(i)];
    for (let j = i + 1; j < bytes.length; j++) yield [bytes.subarray(0, i), bytes.subarray(i, j), bytes.subarray(j)];
  }
}

describe("the kill key", () => {
  it.each(hits)("is found: %s", (_, bytes, key = K) => {
    for (const chunks of cuts(`x${bytes}y`)) {
      const events = tapped(chunks, key);
      expect(kills(events)).toBe(1);
      expect(passed(events)).toBe("xy");
    }
  });

  it.each(misses)("is not found in %s, which passes untouched", (_, bytes, key = K) => {
    for (const chunks of cuts(`${bytes}z`)) {
      const events = tapped(chunks, key);
      expect(kills(events)).toBe(0);
      expect(passed(events)).toBe(`${bytes}z`);
    }
  });

  it.each(releases)("does not reach the agent when it is let go: %s", (_, bytes) => {
    for (const chunks of cuts(bytes)) expect(tapped(chunks)).toEqual([]);
  });

  it("is found again behind a paste", () => {
    for (const chunks of cuts("\x1b[200~\x0b\x1b[201~\x0b")) expect(kills(tapped(chunks))).toBe(1);
  });

  it("is found when a paste never ended and nothing more came", () => {
    const tap = new KeyTap(parseKey(K));
    tap.push(Buffer.from("\x1b[200~abc"));
    expect(tap.wait).toBe(2000);
    expect(tap.flush()).toEqual([]);
    expect(kills(tap.push(Buffer.from("\x0b")))).toBe(1);
  });

  it("keeps a lone Escape for 10 ms at most, the beginning of a sequence for 50", () => {
    const tap = new KeyTap(parseKey(K));
    expect(tap.push(Buffer.from("\x1b"))).toEqual([]);
    expect(tap.wait).toBe(10);
    expect(passed(tap.flush())).toBe("\x1b");
    expect(tap.wait).toBeUndefined();
    tap.push(Buffer.from("\x1b[1"));
    expect(tap.wait).toBe(50);
    expect(passed(tap.flush())).toBe("\x1b[1");
  });

  it("tells a held key from one that was pressed again", () => {
    expect(tapped([Buffer.from("\x1b[107;5:2u")])).toMatchObject([{ kind: "kill", repeat: true }]);
    expect(tapped([Buffer.from("\x1b[107;5u")])).toMatchObject([{ kind: "kill", repeat: false }]);
  });

  it.each(["ctrl-k", "Ctrl-K", "ctrl+k", "^k", "c-k", " ctrl-k "])("is configured as %j", (text) => {
    expect(parseKey(text)).toMatchObject({ name: "ctrl-k", byte: 0x0b });
  });

  it.each(["", "k", "ctrl-", "ctrl-kk", "f0", "f13", "alt-k", "ctrl-c", "ctrl-m", "ctrl-[", "ctrl-é", "\x0b"])("cannot be %j", (text) => {
    expect(() => parseKey(text)).toThrow(expect.objectContaining({ code: "config" }) as AgentRunError);
  });
});
