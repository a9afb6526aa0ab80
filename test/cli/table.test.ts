// Listings, as text.
import { expect, it } from "vitest";
import { table } from "../../src/cli/table.ts";

it("a cell with a line break in it is no row of its own", () => {
  expect(
    table([
      ["session", "agent"],
      ["sess_1", "ev\nsess_0  forged"],
    ]).split("\n"),
  ).toHaveLength(2);
});
