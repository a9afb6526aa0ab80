// What the terminal tells the agent about its size and the mouse, made true for a screen that is one row shorter. No clock, no I/O. Used by screen.ts.
import type { TapEvent } from "./key-tap.ts";

const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder("latin1");

export interface Rows {
  /** Of the terminal. */
  readonly all: number;
  /** Of the agent's screen; the same where there is no bar. */
  readonly agent: number;
}

type MouseEvent = Extract<TapEvent, { kind: "mouse" }>;

/** Bits of a mouse report's button code (xterm ctlseqs, "Mouse Tracking"). */
const MOTION = 32;
const WHEEL = 64;
const NO_BUTTON = 3;

export class InputFilter {
  /** The button that is down, and where it went down: what follows is for the same one. */
  #pressed: "agent" | "bar" | undefined;
  /** Height of a cell in pixels, once the terminal has said it: mode 1016 reports positions in pixels. */
  cellHeight: number | undefined;

  /** The cursor that a CPR (`CSI row;column R`) reports, 0-based. */
  cursorReport(event: TapEvent): { x: number; y: number } | undefined {
    if (event.kind !== "reply" || event.csi?.final !== "R") return undefined;
    const match = /^(\d+);(\d+)$/.exec(event.csi.body);
    return match === null ? undefined : { y: Number(match[1]) - 1, x: Number(match[2]) - 1 };
  }

  /** The height that an answer to `CSI 16 t` tells (`CSI 6;height;width t`), in pixels. */
  cellReport(event: TapEvent): number | undefined {
    if (event.kind !== "reply" || event.csi?.final !== "t") return undefined;
    const height = Number(/^6;(\d+);\d+$/.exec(event.csi.body)?.[1] ?? 0);
    return height > 0 ? height : undefined;
  }

  /**
   * The bytes for the agent. A click on our row is not for it; a button that was pressed above is let go in its last row.
   * @param pixels the agent has asked for positions in pixels (mode 1016)
   * @param rowsAt how a terminal of so many rows would be shared
   */
  forAgent(event: TapEvent, rows: Rows, pixels: boolean, rowsAt: (all: number) => Rows): Uint8Array {
    if (event.kind === "kill") return event.bytes;
    if (event.kind === "mouse") return this.#mouse(event, rows, pixels);
    if (event.kind !== "reply" || event.csi?.final !== "t") return event.bytes;
    const told = resized(event.csi.body, rows, rowsAt);
    return told === event.csi.body ? event.bytes : encoder.encode(`\x1b[${told}t`);
  }

  /** The same while an overlay has the mouse: only that a button was let go. */
  whileCovered(event: TapEvent, rows: Rows, pixels: boolean): Uint8Array {
    if (event.kind !== "mouse" || this.#pressed !== "agent") return NOTHING;
    return parse(event.bytes).kind === "release" ? this.#mouse(event, rows, pixels) : NOTHING;
  }

  #mouse(event: MouseEvent, rows: Rows, pixels: boolean): Uint8Array {
    const report = parse(event.bytes);
    const unit = pixels && report.sgr ? this.cellHeight : 1;
    // Not known yet: better a click too many than one that is lost.
    if (unit === undefined) return event.bytes;
    const below = rows.agent < rows.all && Math.ceil(Math.max(1, event.row) / unit) > rows.agent;
    const owner = this.#pressed;
    if (report.kind === "press") this.#pressed ??= below ? "bar" : "agent";
    else if (report.kind === "release") this.#pressed = undefined;
    if (owner === "bar" && (report.kind === "release" || report.kind === "drag")) return NOTHING;
    if (!below) return event.bytes;
    const follows = owner === "agent" && (report.kind === "release" || report.kind === "drag");
    return follows ? report.inRow(Math.floor(rows.agent * unit)) : NOTHING;
  }
}

interface Report {
  /** A wheel that turns and a pointer that moves with no button down are `other`. */
  readonly kind: "press" | "release" | "drag" | "other";
  readonly sgr: boolean;
  /** The same report, in another row (or at another height in pixels). */
  readonly inRow: (row: number) => Uint8Array;
}

/** SGR (1006, and 1016 with pixels), urxvt (1015), and the first encoding (X10, and UTF-8 in mode 1005). */
function parse(bytes: Uint8Array): Report {
  const text = decoder.decode(bytes);
  const sgr = /^\x1b\[<(\d+);(\d+);\d+([Mm])$/.exec(text);
  if (sgr !== null) {
    const [, code = "", column = "", final = ""] = sgr;
    const kind = final === "m" ? "release" : kindOf(Number(code), false);
    return { kind, sgr: true, inRow: (row) => encoder.encode(`\x1b[<${code};${column};${row}${final}`) };
  }
  const urxvt = /^\x1b\[(\d+);(\d+);\d+M$/.exec(text);
  if (urxvt !== null) {
    const [, code = "", column = ""] = urxvt;
    return { kind: kindOf(Number(code) - 32, true), sgr: false, inRow: (row) => encoder.encode(`\x1b[${code};${column};${row}M`) };
  }
  const utf8 = bytes.length > 6 ? [...new TextDecoder().decode(bytes)] : undefined;
  const code = (utf8?.[3]?.codePointAt(0) ?? bytes[3] ?? 0) - 32;
  return {
    kind: kindOf(code, true),
    sgr: false,
    inRow: (row) => {
      if (utf8 !== undefined) return encoder.encode([...utf8.slice(0, 5), String.fromCodePoint(32 + row)].join(""));
      const changed = bytes.slice();
      changed[5] = 32 + row;
      return changed;
    },
  };
}

/** @param anonymous in this encoding a release does not say of which button */
function kindOf(code: number, anonymous: boolean): Report["kind"] {
  const button = code & 3;
  if ((code & WHEEL) !== 0) return "other";
  if ((code & MOTION) !== 0) return button === NO_BUTTON ? "other" : "drag";
  return anonymous && button === NO_BUTTON ? "release" : "press";
}

/**
 * XTWINOPS reports 4 (pixels), 8 (characters) and in-band resize 48 (both), as for a terminal without our row. The report may come before we have
 * heard of the new size ourselves, so the rows that it tells count, and not those that we know.
 */
function resized(body: string, rows: Rows, rowsAt: (all: number) => Rows): string {
  const [kind, ...rest] = body.split(";");
  const [first = 0, , third = 0] = rest.map(Number);
  const pixels = (height: number, { all, agent }: Rows): number => Math.floor((height * agent) / Math.max(1, all));
  if (kind === "8" && rest.length === 2) return `8;${rowsAt(first).agent};${rest[1]}`;
  if (kind === "4" && rest.length === 2) return `4;${pixels(first, rows)};${rest[1]}`;
  if (kind === "48" && rest.length === 4) return `48;${rowsAt(first).agent};${rest[1]};${pixels(third, rowsAt(first))};${rest[3]}`;
  return body;
}
