// Output that joins the character before it, where a paint of ours has come between: that character must be the last that the terminal printed. Used by
// compositor.ts.
import type { Frame } from "./frame.ts";
import { bytesJoin, joins } from "./last-printed.ts";

const ESC = 0x1b;
const ST = "\u009c";
/** Of a C1 control in UTF-8. */
const C1 = 0xc2;
/** Second bytes of SOS, PM and APC, after ESC and in their C1 form. */
const STRINGS = [0x58, 0x5e, 0x5f];
const C1_STRINGS = [0x98, 0x9e, 0x9f];
/** ESC, CAN, SUB and what may be ST. */
const ENDS = [ESC, 0x18, 0x1a, 0x9c];

/** SOS, PM or APC up to where something else breaks it off: for a terminal nothing was printed, and nothing said. */
function isUnheard(bytes: Uint8Array): boolean {
  const [first, second = 0] = bytes;
  const begins = (first === ESC && STRINGS.includes(second)) || (first === C1 && C1_STRINGS.includes(second));
  return begins && ENDS.every((end) => bytes.indexOf(end, 2) < 0);
}

export class AfterPaint {
  readonly #frame: Frame;
  readonly #emit: (text: string) => void;
  /** What the terminal printed last is ours. */
  #printedOurs = true;
  /** What comes next may not fit, and then nothing of it is printed; the console cuts it. */
  #mayNotFit = false;

  constructor(frame: Frame, emit: (text: string) => void) {
    this.#frame = frame;
    this.#emit = emit;
  }

  /** We wrote something: what the agent printed last, `lastPrinted`, is no longer what the terminal printed last. */
  begin(lastPrinted: string): void {
    const frame = this.#frame;
    this.#printedOurs = true;
    // What had nothing to join stands alone: nothing joins it, nor is it repeated.
    frame.beforePaint = joins(lastPrinted) ? "" : lastPrinted;
    frame.joinable = "";
    this.#mayNotFit = false;
    if (frame.beforePaint === "" || frame.shadow === undefined) return;
    const asWritten = !frame.modes.plainCharsets;
    const joinable = frame.shadow.joinable(frame.row(frame.shadow), frame.modes.insert, lastPrinted, asWritten);
    this.#mayNotFit = !frame.modes.wrap && !frame.console && frame.shadow.cursor.x >= frame.size.cols - 1;
    frame.joinable = joinable !== "" && !asWritten && lastPrinted.endsWith(ST) ? joinable + ST : joinable;
  }

  /** Output of the agent is about to go out. */
  passes(bytes: Uint8Array): void {
    if (!this.#printedOurs || isUnheard(bytes)) return;
    const frame = this.#frame;
    frame.beforePaint = "";
    this.#printedOurs = false;
    const joining = bytesJoin(bytes);
    if (frame.joinable !== "" && (joining || this.#mayNotFit)) this.#emit(frame.joinable);
    // Where the cursor is put back, xterm and VTE have it join a cell there. Should a terminal have it join what was printed last, that is the last cell of our row.
    else if (joining) frame.damaged = true;
  }
}
