// A terminal in memory, and everything of it that can be compared: cells, attributes, cursor, scrollback, modes.
import xterm from "@xterm/headless";

export interface VtScreen {
  readonly terminal: xterm.Terminal;
  write(bytes: Uint8Array | string): void;
  /** Text of a row of the viewport, 0-based, without blanks at its end. */
  row(y: number): string;
  rows(): string[];
}

interface Internals {
  readonly _core: { readonly _writeBuffer: { writeSync(bytes: Uint8Array): void } };
}

export function vtScreen(cols: number, rows: number): VtScreen {
  const terminal = new xterm.Terminal({ cols, rows, scrollback: 1000, allowProposedApi: true, logLevel: "off" });
  const { _core } = terminal as unknown as Internals;
  const row = (y: number): string =>
    terminal.buffer.active.getLine(terminal.buffer.active.baseY + y)?.translateToString(true, 0, terminal.cols) ?? "";
  return {
    terminal,
    write: (bytes) => _core._writeBuffer.writeSync(typeof bytes === "string" ? Buffer.from(bytes, "utf8") : bytes),
    row,
    rows: () => Array.from({ length: terminal.rows }, (_, y) => row(y)),
  };
}

function cells(screen: VtScreen, y: number): string {
  const { active } = screen.terminal.buffer;
  const line = active.getLine(active.baseY + y);
  let text = "";
  for (let x = 0; x < screen.terminal.cols; x++) {
    const cell = line?.getCell(x);
    if (cell === undefined) break;
    const flags = [
      cell.isBold(),
      cell.isDim(),
      cell.isItalic(),
      cell.isUnderline(),
      cell.isInverse(),
      cell.isInvisible(),
      cell.isStrikethrough(),
    ];
    const style = `${flags.map((on) => (on ? 1 : 0)).join("")}.${cell.getFgColorMode()}.${cell.getFgColor()}.${cell.getBgColorMode()}.${cell.getBgColor()}`;
    const chars = cell.getChars() === " " ? "" : cell.getChars();
    text += style === "0000000.0.-1.0.-1" ? `${chars || (cell.getWidth() === 0 ? "" : "·")}` : `‹${style}›${chars}`;
  }
  return text;
}

/** What an agent's terminal of `rows` rows shows and is: two of these are equal exactly when nobody can tell the terminals apart. */
export function snapshot(screen: VtScreen, rows: number): Record<string, unknown> {
  const { active, normal } = screen.terminal.buffer;
  const scrollback = Array.from(
    { length: active.type === "normal" ? active.baseY : 0 },
    (_, y) => normal.getLine(y)?.translateToString(true) ?? "",
  );
  const { modes } = screen.terminal;
  return {
    rows: Array.from({ length: rows }, (_, y) => cells(screen, y)),
    cursor: `${active.cursorY};${active.cursorX}`,
    buffer: active.type,
    scrollback,
    modes: { ...modes },
  };
}
