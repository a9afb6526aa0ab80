// What the second copy of the agent's screen holds.
import { expect, it } from "vitest";
import { openShadow } from "../../src/terminal/shadow.ts";

it("keeps as many marks of a character as anybody reads, and no more however many come", () => {
  const shadow = openShadow({ cols: 20, rows: 4 }, { x: 0, y: 0 });
  const letter = `a${"\u0301".repeat(20)}`;
  shadow.feed(Buffer.from(`${letter}b${"\u0302".repeat(50_000)}c`), "lines");
  shadow.drain();
  const row = shadow.rows(0, 1, false);
  expect(row).toContain(`${letter}b\u0302`);
  expect(row.length).toBeLessThan(300);
  expect(shadow.cursor).toEqual({ x: 3, y: 0 });
});
