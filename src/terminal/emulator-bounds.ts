// Keeps what a few bytes of an agent can have xterm.js do, and what it remembers of strings, within bounds. Used by shadow.ts.
import type xterm from "@xterm/headless";
import { type Counted, coreOf, type Handler, type Link, type StringHandler } from "./xterm-internals.ts";

/** A smaller window than that of a few thousand cells may grow, and then shows more of them. */
const FEWEST_REPEATED = 4_000;
/** In UTF-16 units. Of all strings the copy of a screen needs links alone, whose limit in terminals is some 2,000. */
const LONGEST_STRING = 16_384;
/** More links than fit on a screen, and in UTF-16 units what they lead to; the oldest are forgotten. */
const MOST_LINKS = 10_000;
const MOST_OF_LINKS = 2_000_000;

/** Sequences that xterm.js carries out once for each of what their number says, which may be two thousand million. */
const REPEATED: readonly (keyof Counted)[] = [
  "scrollUp",
  "scrollDown",
  "insertLines",
  "deleteLines",
  "scrollLeft",
  "scrollRight",
  "cursorForwardTab",
  "cursorBackwardTab",
  "repeatPrecedingCharacter",
];
const bounded = new WeakSet<StringHandler>();

/** Not more often than there are rows, columns, or cells: what comes after that changes nothing. */
export function boundCounts(terminal: xterm.Terminal): void {
  const { _inputHandler: handler } = coreOf(terminal);
  for (const name of REPEATED) {
    const method = handler[name].bind(handler);
    handler[name] = (params) => {
      const { cols, rows } = terminal;
      const count = params.params[0] ?? 0;
      if (name === "repeatPrecedingCharacter") params.params[0] = fewer(count, inARow(terminal), rows);
      else params.params[0] = Math.min(count, Math.max(cols, rows));
      return method(params);
    };
  }
}

/** How many of the character that was printed last fill a row. */
function inARow(terminal: xterm.Terminal): number {
  const width = (coreOf(terminal)._inputHandler._parser.precedingJoinState >> 1) & 3;
  return Math.max(1, Math.floor(terminal.cols / Math.max(1, width)));
}

/** Whole rows are left out, so that the last one ends where it did. */
function fewer(count: number, row: number, rows: number): number {
  const most = row * Math.max(rows + 1, Math.floor(FEWEST_REPEATED / row));
  return count <= most ? count : most + ((count - most) % row);
}

/** xterm.js gathers 10 million characters of a string before it gives up. */
export function boundStrings(terminal: xterm.Terminal): void {
  for (const { _handlers } of stringParsers(coreOf(terminal)._inputHandler)) {
    for (const handler of Object.values(_handlers).flat()) {
      const prototype = Object.getPrototypeOf(handler) as StringHandler;
      if (bounded.has(prototype)) continue;
      bounded.add(prototype);
      const put = prototype.put;
      prototype.put = function (this: StringHandler, data, start, end) {
        if (this._data.length + end - start <= LONGEST_STRING) put.call(this, data, start, end);
        else {
          this._data = "";
          this._hitLimit = true;
        }
      };
    }
  }
}

const stringParsers = ({ _parser }: Handler) => [_parser._oscParser, _parser._dcsParser];

/**
 * xterm.js marks the rows of each link, and forgets where it leads when they are gone, but not when it is written over: a flood of links on one row would make the launcher
 * grow without end. Here links are remembered by number alone.
 * @returns where the link of a number leads
 */
export function boundLinks(terminal: xterm.Terminal): (id: number) => Link | undefined {
  const links = new Map<number, Link>();
  const named = new Map<string, number>();
  let last = 0;
  let size = 0;
  const service = coreOf(terminal)._oscLinkService;
  service.registerLink = (link) => {
    const key = link.id === undefined ? undefined : keyOf(link);
    const known = key === undefined ? undefined : named.get(key);
    if (known !== undefined) return known;
    links.set(++last, link);
    size += sizeOf(link);
    if (key !== undefined) named.set(key, last);
    for (const [id, oldest] of links) {
      if (links.size <= MOST_LINKS && size <= MOST_OF_LINKS) break;
      links.delete(id);
      size -= sizeOf(oldest);
      named.delete(keyOf(oldest));
    }
    return last;
  };
  service.addLineToLink = () => undefined;
  return (id) => links.get(id);
}

const sizeOf = ({ id = "", uri }: Link): number => id.length + uri.length;
const keyOf = ({ id, uri }: Link): string => `${id};${uri}`;
