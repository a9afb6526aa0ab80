// The list of cases in README.md against the tests that it names.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..", "..");
const rows = readFileSync(join(import.meta.dirname, "README.md"), "utf8")
  .split("\n")
  .filter((line) => /^\| \d/.test(line))
  .map((line) => line.split("|").map((cell) => cell.trim()));

describe("the list of cases", () => {
  it("has all twenty-five, in order", () => {
    expect(rows.map(([, number]) => Number(number))).toEqual(Array.from({ length: 25 }, (_, i) => i + 1));
  });

  it.each(rows.flatMap(([, number, , file = "", titles = ""]) => titles.split("; ").map((title) => [number, file, title] as const)))(
    "names a test that is there: %s, in %s, '%s'",
    (_, file, title) => {
      expect(title).not.toBe("");
      expect(readFileSync(join(root, file), "utf8")).toContain(title);
    },
  );
});
