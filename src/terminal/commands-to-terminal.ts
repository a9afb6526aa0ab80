// What an isolated agent's output must not ask of the human's terminal: to run commands, to hand out the clipboard or files. Pure. Used by compositor.ts.
// The sandbox hides the sockets for the same (kitty's, Emacs', Vim's, GNU screen's, the display's); these are the ways to them through the terminal itself.
import type { Multiplexer } from "./terminal-look.ts";

const CONTROLS = /[\x00-\x1f\x7f]/g;

/** Operating system commands, by number and what it begins with. */
const OSC: readonly RegExp[] = [
  // The clipboard is asked for (xterm ctlseqs; kitty's own protocol): who has copied keys has them there. Setting it is left.
  /^0*52;[^;]*;\?/,
  /^0*5522;(?:[^;]*:)?type=read(?:[:;]|$)/,
  // Emacs (vterm, eat) calls functions, Vim's terminal opens files and calls functions, GNU screen runs its commands.
  /^0*(?:51|83);/,
  // ConEmu runs macros and programs.
  /^0*9;[67];/,
  // kitty and iTerm2 ask the human for files.
  /^0*5113;/,
  /^0*1337;RequestUpload/,
];

/** Where the second field has not even begun, nobody can tell. */
const UNCLEAR = /^0*52;[^;]*$/;

/** @param whole `payload` is all of it, and not only how it begins */
export function isCommandOsc(payload: string, whole: boolean): boolean {
  const text = payload.replace(CONTROLS, "");
  return OSC.some((one) => one.test(text)) || (!whole && UNCLEAR.test(text));
}

/**
 * kitty's remote control and its like (`@kitty-cmd`), and tmux's control mode, in which a terminal takes the agent for its multiplexer.
 * @param head from behind the introducer to the final: `1000p`
 */
export function isCommandDcs(head: string): boolean {
  const text = head.replace(CONTROLS, "");
  return text.endsWith("@") || /^0*1000(?:;.*)?p$/.test(text);
}

/** Whether a multiplexer hands the DCS to the terminal that it is in: tmux's begins with `tmux;`, whose first letter is its final, and which nothing else has; in GNU screen all do. */
export function passesThrough(head: string, multiplexer: Multiplexer | undefined): boolean {
  return multiplexer === "screen" || head.replace(CONTROLS, "") === "t";
}
