// What is told of a control string by its bytes alone.
import { expect, it } from "vitest";
import { isPalette, isShort, restoresState } from "../../src/terminal/control-string.ts";
import { State } from "../../src/terminal/vt-table.ts";

it.each([
  ["\x1b]R", true],
  ["\x1b]P1a2B3c4", true],
  ["\x1b]P1a2B3c", false],
  ["\x1b]P1a2B3cx", false],
  ["\x1b]P1a2B3c45", false],
  ["\x1b]0;title", false],
])("%j sets the palette of the Linux console: %s", (text, is) => {
  const bytes = Buffer.from(`..${text}..`, "latin1");
  expect(isPalette(bytes, 2, bytes.length - 2)).toBe(is);
});

it.each([
  ["\x1bP1$t", true],
  ["\x1bP1$\0\x7ft", true],
  ["\x1bP$q", false],
  ["\x1bP1t", false],
  ["\x1bP1$tt", false],
])("%j is DECRSPS, which puts the cursor anywhere: %s", (text, is) => {
  expect(restoresState(Buffer.from(text, "latin1"), text.length - 1)).toBe(is);
});

it("holds an OSC of 4096 bytes, and of any other string 64", () => {
  expect([4096, 4097].map((length) => isShort(State.oscString, length))).toEqual([true, false]);
  expect([64, 65].map((length) => isShort(State.sosPmApcString, length))).toEqual([true, false]);
});
