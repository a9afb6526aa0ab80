// Keeps what xterm.js holds in memory within bounds, whatever an agent writes. Used by shadow.ts.
import type xterm from "@xterm/headless";
import { coreOf, type Line, linePrototype, type Screen } from "./xterm-internals.ts";

/** In UTF-16 units: several times what the longest emoji takes, or a letter under more marks than anybody reads. */
const LONGEST_CELL = 128;
const bounded = new WeakSet<Line>();

/** xterm.js puts all marks that come after a character into its cell: without a limit, an agent that sends nothing else has the launcher grow without end. */
export function boundCells(terminal: xterm.Terminal): void {
  const prototype = linePrototype(terminal);
  if (bounded.has(prototype)) return;
  bounded.add(prototype);
  const add = prototype.addCodepointToCell;
  prototype.addCodepointToCell = function (this: Line, x, code, width) {
    if (this.getString(x).length < LONGEST_CELL) add.call(this, x, code, width);
  };
}

/**
 * xterm.js makes each row of its alternate screen anew whenever that is shown: an agent that does nothing but switch has the launcher fill memory faster than it is
 * given back. Here they are made blank, and used again.
 */
export function keepAlternateRows(terminal: xterm.Terminal): void {
  const { buffers } = coreOf(terminal)._bufferService;
  const toAlternate = buffers.activateAltBuffer.bind(buffers);
  const toNormal = buffers.activateNormalBuffer.bind(buffers);
  let kept: Screen["lines"] | undefined;
  buffers.activateAltBuffer = (fill) => {
    const { alt, active } = buffers;
    const first = kept?.get(0);
    // Rows that were made when the screen had another size are of no use.
    if (active !== alt && kept?.length === terminal.rows && first?.length === terminal.cols) {
      first.fill(alt.getNullCell(fill));
      first.isWrapped = false;
      for (let y = 1; y < kept.length; y++) {
        const line = kept.get(y);
        // Each copy leaves something to collect, and most rows need none.
        if (line !== undefined && isBlank(line) && isBlank(first)) line.isWrapped = false;
        else line?.copyFrom(first);
      }
      alt.lines = kept;
    }
    kept = undefined;
    toAlternate(fill);
  };
  buffers.activateNormalBuffer = () => {
    const { alt, active } = buffers;
    if (active === alt) kept = alt.lines;
    toNormal();
  };
}

/** No character, and no attribute. */
function isBlank(line: Line): boolean {
  for (let x = 0; x < line.length; x++) if (line.hasContent(x) !== 0 || line.getFg(x) !== 0 || line.getBg(x) !== 0) return false;
  return true;
}
