// What the terminal tells the agent about its size and the mouse, made true for a screen that is one row shorter. PURE. Used by screen.ts.
import type { TapEvent } from "./key-tap.ts";

const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();

export class InputFilter {
  /** The cursor that a CPR (`CSI row;column R`) reports, 0-based. */
  cursorReport(event: TapEvent): { x: number; y: number } | undefined {
    if (event.kind !== "reply" || event.csi?.final !== "R") return undefined;
    const match = /^(\d+);(\d+)$/.exec(event.csi.body);
    return match === null ? undefined : { y: Number(match[1]) - 1, x: Number(match[2]) - 1 };
  }

  /**
   * The bytes for the agent. A click on our row is not for it; a button that was pressed above is released in its last row.
   * @param rows of the terminal
   * @param agentRows of the agent's screen
   */
  forAgent(event: TapEvent, rows: number, agentRows: number): Uint8Array {
    if (event.kind === "kill" || agentRows === rows) return event.bytes;
    if (event.kind === "mouse") return event.row > agentRows ? mouseBelow(event.bytes, agentRows) : event.bytes;
    if (event.kind === "reply" && event.csi?.final === "t") return encoder.encode(`\x1b[${resized(event.csi.body, rows, agentRows)}t`);
    return event.bytes;
  }
}

/** XTWINOPS reports 4 (pixels), 8 (characters) and in-band resize 48 (both), as for a terminal without our row. */
function resized(body: string, rows: number, agentRows: number): string {
  const [kind, ...rest] = body.split(";").map(Number);
  const pixels = (height: number | undefined): number => Math.round(((height ?? 0) * agentRows) / rows);
  if (kind === 8 && rest[0] === rows) return `8;${agentRows};${rest[1]}`;
  if (kind === 4) return `4;${pixels(rest[0])};${rest[1]}`;
  if (kind === 48 && rest[0] === rows) return `48;${agentRows};${rest[1]};${pixels(rest[2])};${rest[3]}`;
  return body;
}

function mouseBelow(bytes: Uint8Array, agentRows: number): Uint8Array {
  const text = new TextDecoder("latin1").decode(bytes);
  const sgr = /^\x1b\[<(\d+);(\d+);\d+([Mm])$/.exec(text);
  if (sgr !== null) {
    const moves = (Number(sgr[1]) & 32) !== 0 || sgr[3] === "m";
    return moves ? encoder.encode(`\x1b[<${sgr[1]};${sgr[2]};${agentRows}${sgr[3]}`) : NOTHING;
  }
  const urxvt = /^\x1b\[(\d+);(\d+);\d+M$/.exec(text);
  const button = urxvt === null ? (bytes[3] ?? 0) : Number(urxvt[1]);
  const moves = ((button - 32) & 32) !== 0 || ((button - 32) & 3) === 3;
  if (!moves) return NOTHING;
  if (urxvt !== null) return encoder.encode(`\x1b[${urxvt[1]};${urxvt[2]};${agentRows}M`);
  const changed = bytes.slice();
  changed[5] = 32 + agentRows;
  return changed;
}
