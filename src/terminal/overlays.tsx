// Draws an overlay with Ink, as a box that fits the terminal, or as plain rows where no box does. Imported by overlay-host.ts when it is needed.
import { Box, renderToString, Text } from "ink";
import { columns } from "./clean-text.ts";
import type { OverlayState, OverlayView } from "./overlay.ts";
import { KEY_GAP, keyText, layoutOverlay, type OverlayRows } from "./overlay-layout.ts";
import type { Size } from "./pty.ts";
import type { Look } from "./terminal-look.ts";

const bold = (text: string): string => `\x1b[1m${text}\x1b[22m`;
const loudly = (text: string, colour: boolean): string => (colour ? `\x1b[1;97;41m${text}\x1b[0m` : `\x1b[1;7m${text}\x1b[0m`);

function keyRow(keys: OverlayRows["keys"][number], armed: boolean, listed: boolean): string {
  // A key that does not count yet looks like any other word.
  return keys
    .map((key) => {
      const text = keyText(key, listed);
      return armed ? bold(text.slice(0, key.shown.length)) + text.slice(key.shown.length) : text;
    })
    .join(" ".repeat(KEY_GAP));
}

function Dialog({ rows, loud, look }: { rows: OverlayRows; loud: boolean; look: Look }) {
  const { title, lines, status, keys, armed } = rows;
  const listed = keys.every((row) => row.length === 1);
  const body = [...lines, ...(status === undefined || keys.length === 0 ? [] : [status]), ...keys.map((row) => keyRow(row, armed, listed))];
  return (
    <Box width={rows.width + 4} borderStyle={look.border} flexDirection="column" paddingX={1}>
      <Text wrap="truncate">{loud ? loudly(` ${title} `, look.colour) : bold(title)}</Text>
      <Text wrap="truncate">{body.map((line) => line || " ").join("\n")}</Text>
    </Box>
  );
}

/** CUP, text and SGR. `top` is the first row that they touch, 1-based. */
export interface DrawnOverlay {
  readonly text: string;
  readonly top: number;
}

/** Draws as much of `view` as fits on a screen of `size`; `low` as below. */
export function drawOverlay(view: OverlayView, size: Size, state: OverlayState, look: Look, low: boolean): DrawnOverlay {
  return drawOverlayRows(layoutOverlay(view, size, state), size, view.loud, look, low);
}

/**
 * Draws `rows` on a screen of `size`: a box in its middle, or the last rows.
 * @param low at the bottom in any case: what is above may not be ours to bring back
 */
export function drawOverlayRows(rows: OverlayRows, size: Size, loud: boolean, look: Look, low = false): DrawnOverlay {
  const drawn = rows.boxed ? box(rows, loud, look) : bare(rows, size, loud, look);
  const width = rows.boxed ? rows.width + 4 : size.cols;
  const above = size.rows - drawn.length;
  const top = Math.max(1, (rows.boxed && !low ? Math.floor(above / 2) : above) + 1);
  const left = Math.max(1, Math.floor((size.cols - width) / 2) + 1);
  const text = drawn
    .slice(0, size.rows)
    .map((line, index) => `\x1b[${top + index};${left}H\x1b[m${" ".repeat(width)}\x1b[${top + index};${left}H${line}\x1b[m`)
    .join("");
  return { text, top };
}

function box(rows: OverlayRows, loud: boolean, look: Look): string[] {
  return renderToString(<Dialog rows={rows} loud={loud} look={look} />, { columns: rows.width + 4 }).split("\n");
}

/** A screen of one row shows its keys alone, with the title behind them. */
function bare({ title, lines, keys, armed, width }: OverlayRows, size: Size, loud: boolean, look: Look): string[] {
  const head = (text: string): string => {
    const cut = [...text].slice(0, width).join("");
    const filled = cut + " ".repeat(Math.max(0, width - columns(cut)));
    return loud ? loudly(filled, look.colour) : `\x1b[7m${filled}\x1b[27m`;
  };
  const rows = keys.map((row) => keyRow(row, armed, false));
  if (size.rows > 1) return [head(title), ...lines, ...rows];
  return [head(`${(keys[0] ?? []).map((key) => keyText(key, false)).join(" ".repeat(KEY_GAP))}: ${title}`)];
}
