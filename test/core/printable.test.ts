// What texts of others may bring onto a terminal: for any text at all, nothing that acts or hides.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { oneLine, printable, printableJson } from "../../src/core/printable.ts";

/** By code point, and not by the classes that the code itself uses. */
function isHarmful(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  const ranges = [
    ...[
      [0x00, 0x09],
      [0x0b, 0x1f],
      [0x7f, 0x9f],
      [0xad, 0xad],
      [0x61c, 0x61c],
      [0x34f, 0x34f],
      [0x180b, 0x180f],
      [0x200b, 0x200f],
    ],
    ...[
      [0x2028, 0x202e],
      [0x2060, 0x206f],
      [0x3164, 0x3164],
      [0xd800, 0xdfff],
      [0xfe00, 0xfe0f],
      [0xfeff, 0xfeff],
      [0xffa0, 0xffa0],
    ],
    ...[
      [0xfff0, 0xfffb],
      [0xfffe, 0xffff],
      [0x1d173, 0x1d17a],
      [0xe0000, 0xe0fff],
    ],
  ] as const;
  return ranges.some(([first = 0, last = 0]) => code >= first && code <= last);
}

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.array(fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit))).map((units) => units.join("")),
  fc
    .array(
      fc.constantFrom(
        "\x1b]0;",
        "\x9b31m",
        "\u202e",
        "\u061c",
        "\u00ad",
        "\u2028",
        "\u{e0041}",
        "\ufe0f",
        "\ud800",
        "\r",
        "\n",
        "a",
        "é",
        "😀",
      ),
    )
    .map((parts) => parts.join("")),
);

describe("a text for the human", () => {
  it("holds no character that moves, hides or reorders, whatever it was", () => {
    fc.assert(
      fc.property(text, (any) => {
        expect([...printable(any)].filter(isHarmful)).toEqual([]);
        expect(oneLine(any)).not.toContain("\n");
      }),
    );
  });

  it("is as it was where nothing in it harms", () => {
    for (const harmless of ["plain\ntwo lines", "Ünïcödé 日本語 हिन्दी עברית 😀", "C:\\path ~/x", "\ue0b0"])
      expect(printable(harmless)).toBe(harmless);
  });

  it("shows where something was, character by character", () => {
    expect(printable("a\x1b[8mb\u202ec\u{e0041}d")).toBe("a\ufffd[8mb\ufffdc\ufffdd");
  });

  it("does not pile marks over the rows above and below", () => {
    expect(printable(`z${"\u0301".repeat(5000)}`).length).toBeLessThan(10);
  });
});

describe("JSON for programs", () => {
  it("means the same and holds no such character", () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), text, fc.dictionary(text, text)), (value) => {
        const json = JSON.stringify(value);
        const shown = printableJson(json);
        expect(JSON.parse(shown)).toEqual(JSON.parse(json));
        expect([...shown].filter(isHarmful)).toEqual([]);
      }),
    );
  });

  it("escapes what lies beyond the first plane as two units", () => {
    expect(printableJson('"\u{e0041}\u009b"')).toBe('"\\udb40\\udc41\\u009b"');
  });
});
