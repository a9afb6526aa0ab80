// A terminal in memory, and everything of it that can be compared: cells, attributes, cursor, scrollback, modes.
import xterm from "@xterm/headless";
import { asInUnicode } from "../../src/terminal/character-widths.ts";

export interface VtScreen {
  readonly terminal: xterm.Terminal;
  write(bytes: Uint8Array | string): void;
  /** Text of a row of the viewport, 0-based, without blanks at its end. */
  row(y: number): string;
  rows(): string[];
  /** The last title that was set. */
  readonly title: string;
  /** What the terminal answered to queries, all of it. */
  readonly answers: string;
}

interface Internals {
  readonly _core: {
    readonly _writeBuffer: { writeSync(bytes: Uint8Array): void };
  };
}

export function vtScreen(cols: number, rows: number, scrollback = 1000): VtScreen {
  const terminal = new xterm.Terminal({ cols, rows, scrollback, allowProposedApi: true, logLevel: "off" });
  asInUnicode(terminal);
  const { _core } = terminal as unknown as Internals;
  const row = (y: number): string =>
    terminal.buffer.active.getLine(terminal.buffer.active.baseY + y)?.translateToString(true, 0, terminal.cols) ?? "";
  let title = "";
  let answers = "";
  terminal.onTitleChange((text) => {
    title = text;
  });
  terminal.onData((text) => {
    answers += text;
  });
  return {
    terminal,
    get title() {
      return title;
    },
    get answers() {
      return answers;
    },
    write: (bytes) => _core._writeBuffer.writeSync(typeof bytes === "string" ? Buffer.from(bytes, "utf8") : bytes),
    row,
    rows: () => Array.from({ length: terminal.rows }, (_, y) => row(y)),
  };
}

/** What xterm.js knows of a cell beside its public interface. */
interface Extras {
  getUnderlineStyle(): number;
  getUnderlineColor(): number;
  isProtected(): number;
  /** Bit 28: underlined. `isUnderline` is true of more: of hyperlinks, and of what DECRC half restored. */
  readonly fg: number;
  readonly extended: { readonly urlId: number };
}

interface LinkService {
  readonly _core: { readonly _oscLinkService: { getLinkData(id: number): { id?: string; uri: string } | undefined } };
}

const UNDERLINED = 0x10000000;
const PLAIN = "0000000000.0.-1.0.-1";

/** What is told of hyperlinks: where they lead, which cells are part of one, nothing. */
type Links = "targets" | "cells" | "none";

/** The cells of a line, counted from the top of the scrollback: the text and every attribute. */
function cells(screen: VtScreen, line: number, links: Links): string {
  const row = screen.terminal.buffer.active.getLine(line);
  const { _oscLinkService } = (screen.terminal as unknown as LinkService)._core;
  let text = "";
  for (let x = 0; x < screen.terminal.cols; x++) {
    const cell = row?.getCell(x);
    if (cell === undefined) break;
    const extras = cell as unknown as Extras;
    const underlined = (extras.fg & UNDERLINED) !== 0;
    const flags = [
      cell.isBold(),
      cell.isDim(),
      cell.isItalic(),
      underlined,
      cell.isBlink(),
      cell.isInverse(),
      cell.isInvisible(),
      cell.isStrikethrough(),
      cell.isOverline(),
      extras.isProtected(),
    ];
    let style = `${flags.map((on) => (on ? 1 : 0)).join("")}.${cell.getFgColorMode()}.${cell.getFgColor()}.${cell.getBgColorMode()}.${cell.getBgColor()}`;
    // xterm.js brings no style back in DECRC, only that there is a line.
    if (underlined) style += `.u${extras.getUnderlineStyle() || 1}:${extras.getUnderlineColor()}`;
    if (links !== "none" && extras.extended.urlId !== 0) {
      const link = _oscLinkService.getLinkData(extras.extended.urlId);
      style += links === "targets" ? `.${link?.id ?? ""};${link?.uri}` : ".link";
    }
    // What joins a blank looks the same whether that was printed or not.
    const chars = cell.getChars().replace(/^ /, "");
    const second = cell.getWidth() === 0 && row?.getCell(x - 1)?.getWidth() === 2;
    text += style === PLAIN ? `${chars || (second ? "" : "·")}` : `‹${style}›${chars}`;
  }
  return text;
}

/**
 * What an agent's terminal of `rows` rows shows and is: two of these are equal exactly when nobody can tell the terminals apart.
 * @param links xterm.js forgets where one leads when the line is deleted on which it began: by scrolling, or by a change of the width
 */
export function snapshot(screen: VtScreen, rows: number, links: Links = "targets"): Record<string, unknown> {
  const { active } = screen.terminal.buffer;
  return {
    rows: Array.from({ length: rows }, (_, y) => cells(screen, active.baseY + y, links)),
    // Not the first row, which may continue the scrollback, nor the last one: in xterm.js that continues itself, where text wraps below a region.
    wrapped: Array.from({ length: Math.max(0, rows - 2) }, (_, y) => active.getLine(active.baseY + y + 1)?.isWrapped === true),
    cursor: `${active.cursorY};${active.cursorX}`,
    buffer: active.type,
    scrollback: Array.from({ length: active.baseY }, (_, y) => cells(screen, y, links)),
    modes: { ...screen.terminal.modes },
  };
}
