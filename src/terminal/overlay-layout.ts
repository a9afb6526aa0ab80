// What of an overlay fits on a screen, and where: rows of words, no drawing. Pure. Used by overlays.tsx.
import { cleanText, columns, shorten } from "./clean-text.ts";
import type { OverlayState, OverlayView } from "./overlay.ts";
import type { Size } from "./pty.ts";

/** A key and what it does. */
export interface KeyWords {
  readonly shown: string;
  readonly label: string;
}

export interface OverlayRows {
  /** With a border around it; else these rows are the last ones of the screen, from edge to edge. */
  readonly boxed: boolean;
  /** Columns for words. */
  readonly width: number;
  readonly title: string;
  readonly lines: readonly string[];
  /** Whether keys count yet; undefined where there is no row for it. */
  readonly status: string | undefined;
  readonly armed: boolean;
  /** Side by side in a row where there is little room. */
  readonly keys: readonly (readonly KeyWords[])[];
  /** How many parts the lines have. More than one: the space bar shows the next. */
  readonly pages: number;
}

const WIDEST = 64;
/** Smaller than this, a border has no room for words. */
const SMALLEST_BOX = { cols: 24, rows: 7 };
/** Columns and rows that a border takes, with a space at either side. */
const BORDER = { cols: 4, rows: 2 };
/** Between two keys in a row. */
export const KEY_GAP = 2;
const SHOWN_WIDTH = 8;
const ARMED = ["press a key:", ""];
const EARLY = ["too soon: that key did not count, wait ...", "too soon: it did not count, wait ...", "too soon, wait ...", "too soon"];
const NOT_YET = ["a moment, keys do not count yet ...", "keys do not count yet ...", "wait ..."];
const MORE = { shown: "Space", label: "more" };

/** The rows of `view` on a screen of `size`: as much as fits, the keys before the words. */
export function layoutOverlay(view: OverlayView, size: Size, state: OverlayState): OverlayRows {
  const boxed = size.cols >= SMALLEST_BOX.cols && size.rows >= SMALLEST_BOX.rows;
  const width = boxed ? Math.min(WIDEST, size.cols - 2) - BORDER.cols : size.cols;
  const height = boxed ? size.rows - BORDER.rows : size.rows;
  // The blank lines between paragraphs stand only where everything fits.
  const spaced = view.lines.flatMap((line) => (line === "" ? [""] : wrapped(cleanText(line), width)));
  const lines = spaced.filter((line) => line !== "");
  const listed = view.choices.map(({ shown, label }) => [{ shown, label: cleanText(label) }]);
  const brief = view.choices.map(({ shown, label, brief }) => ({ shown, label: cleanText(brief ?? label) }));
  const title = cleanText(view.title);
  // The word on whether keys count stands on a row of its own, or beside the title where rows are few.
  const roomFor = (keys: readonly unknown[]): number => height - 1 - (boxed && keys.length > 0 ? 1 : 0) - keys.length;
  const rows = (keys: readonly (readonly KeyWords[])[], shown: readonly string[], pages: number): OverlayRows => {
    const part = pages > 1 ? `${(state.page % pages) + 1}/${pages}` : "";
    const word = view.choices.length === 0 ? "" : statusOf(state, boxed ? width - (part === "" ? 0 : columns(part) + 2) : 0);
    const status = [word, part].filter((text) => text !== "").join("  ");
    if (boxed) return { boxed, width, title: shorten(title, width - 2), lines: shown, status, armed: state.armed, keys, pages };
    const room = width - columns(status) - 1;
    const beside = status === "" || room < 4 ? shorten(title, width) : `${shorten(title, room).padEnd(room)} ${status}`;
    return { boxed, width, title: beside, lines: shown, status: undefined, armed: state.armed, keys, pages };
  };

  const roomy = [...spaced, ""];
  if (boxed && roomFor(listed) >= roomy.length) return rows(listed, roomy, 1);
  for (const keys of [listed, flowed(brief, width)]) if (roomFor(keys) >= lines.length) return rows(keys, lines, 1);
  // Where rows are few, the first key and the next page come before the other keys of what is only there to be read.
  const few = view.choices[0]?.key === "escape" && !boxed ? brief.slice(0, 1) : brief;
  const flow = flowed([...few, MORE], width);
  const room = roomFor(flow);
  if (room < 1) return rows(flowed(brief, width).slice(0, Math.max(1, height - 1)), [], 1);
  const pages = Math.ceil(lines.length / room);
  const from = (state.page % pages) * room;
  return rows(flow, lines.slice(from, from + room), pages);
}

/** Whether keys count yet: in the longest words that fit. */
function statusOf({ armed, early }: OverlayState, width: number): string {
  const words = armed ? ARMED : early ? EARLY : NOT_YET;
  return words.find((text) => columns(text) <= width) ?? words.at(-1) ?? "";
}

/** Text of a key and its label, as both forms set it. */
export const keyText = ({ shown, label }: KeyWords, listed: boolean): string =>
  listed ? `${shown.padEnd(SHOWN_WIDTH)}${label}` : `${shown} ${label}`;

/** As many keys a row as fit. */
function flowed(keys: readonly KeyWords[], width: number): KeyWords[][] {
  const rows: KeyWords[][] = [];
  let used = 0;
  for (const key of keys) {
    const needed = columns(keyText(key, false));
    const last = rows.at(-1);
    if (last === undefined || used + KEY_GAP + needed > width) {
      rows.push([key]);
      used = needed;
    } else {
      last.push(key);
      used += KEY_GAP + needed;
    }
  }
  return rows;
}

/** Lines of at most `width` columns. Two blanks and more in `text` hold a label and its value apart: what follows stays below the value. */
function wrapped(text: string, width: number): string[] {
  const [, label = ""] = /^(.*?\S {2,})\S/.exec(text) ?? [];
  const indent = columns(label) <= width / 3 ? columns(label) : 0;
  const lines: string[] = [];
  let line = text.slice(0, indent);
  let empty = true;
  const flush = (): void => {
    lines.push(line.trimEnd());
    line = " ".repeat(indent);
    empty = true;
  };
  for (const word of text.slice(indent).split(" ")) {
    let rest = word;
    if (!empty && columns(line) + 1 + columns(rest) > width) flush();
    // An ARN, or a path: cut where the row ends.
    while (columns(line) + columns(rest) > width && width > indent) {
      const head = headOf(rest, width - columns(line));
      if (head === "") break;
      line += head;
      rest = rest.slice(head.length);
      flush();
    }
    line = empty ? line + rest : `${line} ${rest}`;
    empty = false;
  }
  flush();
  return lines;
}

/** The beginning of `text` that fills at most `width` columns. */
function headOf(text: string, width: number): string {
  let head = "";
  for (const character of text) {
    if (columns(head + character) > width) break;
    head += character;
  }
  return head;
}
