// Draws an overlay with Ink, as a box that fits the terminal, or as one line where no box does. Imported by screen.ts when it is needed.
import { Box, renderToString, Text } from "ink";
import { cleanText, columns, shorten } from "./clean-text.ts";
import type { OverlayView } from "./overlay.ts";
import type { Size } from "./pty.ts";

const WIDEST = 64;
/** Smaller than this, a box has no room for words. */
const SMALLEST_BOX = { cols: 24, rows: 7 };
const BORDERS = 2;
const PADDING = 2;

const bold = (text: string): string => `\x1b[1m${text}\x1b[22m`;
const loud = (text: string, colour: boolean): string => (colour ? `\x1b[1;97;41m${text}\x1b[0m` : `\x1b[1;7m${text}\x1b[0m`);

function Dialog({ view, width, lines, colour }: { view: OverlayView; width: number; lines: readonly string[]; colour: boolean }) {
  const title = ` ${shorten(cleanText(view.title), width - BORDERS - PADDING - 2)} `;
  return (
    <Box width={width} borderStyle="round" flexDirection="column" paddingX={1}>
      <Text>{view.loud ? loud(title, colour) : bold(title.trim())}</Text>
      {lines.map((line) => (
        <Text key={line} wrap="truncate">
          {line}
        </Text>
      ))}
      {view.choices.length > 0 ? <Text> </Text> : null}
      {view.choices.map(({ key, shown, label }) => (
        <Text key={key} wrap="truncate">
          {bold(shown.padEnd(8))}
          {cleanText(label)}
        </Text>
      ))}
    </Box>
  );
}

/** CUP, text and SGR that draw `view` in the middle of a screen of `size`. */
export function drawOverlayView(view: OverlayView, size: Size, colour: boolean): string {
  if (size.cols < SMALLEST_BOX.cols || size.rows < SMALLEST_BOX.rows) return oneLine(view, size, colour);
  const width = Math.min(WIDEST, size.cols - 2);
  const inner = width - BORDERS - PADDING;
  const room = size.rows - BORDERS - 1 - (view.choices.length > 0 ? view.choices.length + 1 : 0);
  const all = view.lines.flatMap((line) => wrapped(cleanText(line), inner));
  const lines = room > 0 ? all.slice(-room) : [];
  const drawn = renderToString(<Dialog view={view} width={width} lines={lines} colour={colour} />, { columns: width }).split("\n");
  const top = Math.max(1, Math.floor((size.rows - drawn.length) / 2) + 1);
  const left = Math.max(1, Math.floor((size.cols - width) / 2) + 1);
  return drawn
    .slice(0, size.rows)
    .map((line, index) => `\x1b[${top + index};${left}H\x1b[m${" ".repeat(width)}\x1b[${top + index};${left}H${line}\x1b[m`)
    .join("");
}

/** The last row of a terminal that is too small for a box: the keys before the words. */
function oneLine(view: OverlayView, size: Size, colour: boolean): string {
  const keys = view.choices.map(({ shown, label }) => `${shown} ${cleanText(label)}`).join(", ");
  const text = shorten(
    keys === "" ? `${cleanText(view.title)} ${cleanText(view.lines.at(-1) ?? "")}` : `${keys}: ${cleanText(view.title)}`,
    size.cols,
  );
  return `\x1b[${size.rows};1H${loud(text + " ".repeat(Math.max(0, size.cols - columns(text))), colour)}`;
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && columns(line) + 1 + columns(word) > width) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
