// Rows and columns for a terminal or a pipe. Called by the listing commands.
import { stripVTControlCharacters } from "node:util";

/** Left-aligned columns, two spaces between, no trailing spaces; the first row is the heading. */
export function table(cells: readonly (readonly string[])[]): string {
  // A name with a line break in it must not look like a row of its own.
  const rows = cells.map((row) => row.map((cell) => cell.replace(/[\r\n\u2028\u2029]+/g, " ")));
  const widths: number[] = [];
  for (const row of rows) for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, width(cell));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - width(cell)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function width(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}
