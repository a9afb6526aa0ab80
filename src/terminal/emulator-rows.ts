// What xterm.js does at the end of a row, and with rows that continue others, made what other terminals do. Used by emulator.ts.
import type xterm from "@xterm/headless";
import { coreOf } from "./xterm-internals.ts";

/**
 * Without autowrap, a wide character that does not fit into the last column is not printed, and a narrow one there leaves no half of a wide one (xterm). A row
 * that wraps onto itself, on the last row below a region, continues no other.
 */
export function endsRows(terminal: xterm.Terminal): void {
  const { _inputHandler: handler, _bufferService: service, coreService, unicodeService } = coreOf(terminal);
  const fits = (code: number): boolean => {
    const { buffer } = service;
    const last = terminal.cols - 1;
    const line = buffer.lines.get(buffer.ybase + buffer.y);
    const width = buffer.x < last ? 1 : unicodeService.wcwidth(code);
    if (width === 2) {
      buffer.x = last;
      return false;
    }
    // Waiting behind a wide character.
    if (width === 1 && buffer.x > last && line?.getWidth(last - 1) === 2) line.setCell(last - 1, buffer.getNullCell(handler._curAttrData));
    return true;
  };
  const print = handler.print.bind(handler);
  handler.print = (data, start, end) => {
    const { buffer } = service;
    const { wraparound } = coreService.decPrivateModes;
    if (wraparound && buffer.scrollBottom === terminal.rows - 1) {
      print(data, start, end);
      return;
    }
    for (let at = start; at < end; at++) {
      const line = buffer.y === terminal.rows - 1 ? buffer.lines.get(buffer.ybase + buffer.y) : undefined;
      const continues = line?.isWrapped;
      if (wraparound || fits(data[at] ?? 0)) print(data, at, at + 1);
      if (line !== undefined && buffer.scrollBottom !== terminal.rows - 1) line.isWrapped = continues === true;
    }
  };
}

/** IL, SD and RI: the row below the ones that come in continues nothing. Terminals keep with the row above whether it goes on; xterm.js keeps it with the one below. */
export function insertsRows(terminal: xterm.Terminal): void {
  const { _inputHandler: handler, _bufferService: service } = coreOf(terminal);
  const inserts =
    <A extends unknown[]>(method: (...params: A) => boolean, at: () => number) =>
    (...params: A): boolean => {
      const { lines, ybase } = service.buffer;
      const top = ybase + at();
      const line = lines.get(top);
      const done = method(...params);
      if (line !== undefined && lines.get(top) !== line) line.isWrapped = false;
      return done;
    };
  const cursor = (): number => service.buffer.y;
  handler.insertLines = inserts(handler.insertLines.bind(handler), cursor);
  handler.reverseIndex = inserts(handler.reverseIndex.bind(handler), cursor);
  handler.scrollDown = inserts(handler.scrollDown.bind(handler), () => service.buffer.scrollTop);
}
