// The bar before Ink is loaded, and wherever it cannot be: the same parts, set without it. Used by screen.ts.
import { type BarState, GAP, layoutBar, type Part, widthOf } from "./bar-layout.ts";
import { toned } from "./bar-style.ts";

/** One line of exactly `width` columns: text and SGR. */
export function plainBar(state: BarState, killKey: string, width: number, colour: boolean): string {
  const parts = layoutBar(state, killKey, width);
  if (parts.left.length + parts.right.length === 0) return blank(width, colour);
  const set = (side: readonly Part[]): string => side.map(({ tone, text }) => toned(tone, text, colour)).join(blank(GAP, colour));
  const room = Math.max(0, width - widthOf(parts));
  const between = parts.left.length > 0 && parts.right.length > 0 ? room + GAP : room;
  return `${blank(Math.min(1, width), colour)}${set(parts.left)}${blank(between, colour)}${set(parts.right)}${blank(width > 1 ? 1 : 0, colour)}`;
}

function blank(count: number, colour: boolean): string {
  return count <= 0 ? "" : toned("plain", " ".repeat(count), colour);
}
