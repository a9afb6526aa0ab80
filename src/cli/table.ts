// Rows and columns for a terminal or a pipe. Called by the listing commands.
import { stripVTControlCharacters } from "node:util";
import { folded } from "./fold.ts";

/** Of the terminal's columns, for the last of ours to be folded in; with fewer it goes on at the left. */
const LEAST = 20;

/**
 * Left-aligned columns, two spaces between, no trailing spaces; the first row is the heading.
 * @param columns of the terminal, in which the last column is folded below itself
 */
export function table(cells: readonly (readonly string[])[], columns?: number): string {
  // A name with a line break in it must not look like a row of its own.
  const rows = cells.map((row) => row.map((cell) => cell.replace(/[\r\n\u2028\u2029]+/g, " ")));
  const widths: number[] = [];
  for (const row of rows) for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, width(cell));
  const most = columns ?? Number.POSITIVE_INFINITY;
  const before = widths.slice(0, -1).reduce((sum, each) => sum + each + 2, 0);
  const margin = " ".repeat(most - before >= LEAST ? before : 4);
  return rows
    .flatMap((row) => {
      const head = row.slice(0, -1).map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - width(cell) + 2));
      return folded(head.join(""), row.at(-1) ?? "", most, margin).map((line) => line.trimEnd());
    })
    .join("\n");
}

function width(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}
