// What the human's terminal can show, as far as its environment tells. Pure. Used by attach.ts, screen.ts and overlays.tsx.
import { hasUtf8 } from "../core/locale.ts";

export interface Look {
  /** Colours may be used; else bold, underlined and reversed tell what matters. */
  readonly colour: boolean;
  /** The border of a box: `classic` is ASCII. */
  readonly border: "round" | "single" | "classic";
}

export interface TerminalKind {
  readonly look: Look;
  /** It has an alternate screen, which an overlay can borrow. */
  readonly alternate: boolean;
  /** It is xterm.js, whose saved cursor moves with the text. */
  readonly xtermJs: boolean;
  /** The Linux console: it has sequences of its own. */
  readonly console: boolean;
  /** `ESC k` begins a title there, and GNU screen hands DCS strings to the terminal that it is in. */
  readonly multiplexer: Multiplexer | undefined;
}

export type Multiplexer = "tmux" | "screen";

/** Terminals of these names have no alternate screen. */
const NO_ALTERNATE = /^(linux|vt\d|ansi|dumb|cons25|hurd|mach)/;
/** TERM_PROGRAM of editors and terminals that are built on it. */
const XTERM_JS = /^(vscode|Hyper|Tabby)$/;
/** terminfo(5) gives these no colours. */
const MONOCHROME = /^(vt(52|1\d\d|2\d\d|3\d\d|4\d\d|5\d\d)|dumb|.*-m(ono)?$)/;

/**
 * Reads TERM, NO_COLOR (no-color.org: set and not empty), and the locale.
 * GNU screen (`screen…`, unless tmux alone says that it is it) ignores the alternate screen unless it was told otherwise (`altscreen on`).
 */
export function terminalKind(env: Readonly<Record<string, string | undefined>>): TerminalKind {
  const term = env["TERM"] || "dumb";
  const utf8 = hasUtf8(env);
  const gnuScreen = term.startsWith("screen") && (Boolean(env["STY"]) || !env["TMUX"]);
  const console = term.startsWith("linux");
  return {
    // The console's fonts have the lines of code page 437, and no round corners.
    look: { colour: !env["NO_COLOR"] && !MONOCHROME.test(term), border: !utf8 ? "classic" : console ? "single" : "round" },
    alternate: !NO_ALTERNATE.test(term) && !gnuScreen,
    // A multiplexer in it is the terminal then.
    xtermJs: XTERM_JS.test(env["TERM_PROGRAM"] ?? "") && !env["TMUX"] && !env["STY"],
    console,
    multiplexer: gnuScreen || env["STY"] ? "screen" : env["TMUX"] || term.startsWith("tmux") ? "tmux" : undefined,
  };
}
