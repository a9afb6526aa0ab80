// The small shell program between the PTY and the agent: it leads the session, sets the terminal's modes, and says in-band when the agent
// stopped or ended, so that those words come after the agent's last byte. Used by attach.ts.

import { constants } from "node:os";
import type { Command, ProcessExit } from "../core/command.ts";

/** Private OSC number of our markers; never sent to the human's terminal. */
export const MARKER_OSC = "7777";

/**
 * `set -m` puts the agent in a process group of its own and hands it the terminal, so that Ctrl-Z stops it as a shell's job and not as a
 * member of an orphaned group, to which the kernel gives no stops. The shim stops itself after each word, and waits to be continued or killed.
 * The agent keeps its stderr; the shell's own remarks (`Terminated`) go nowhere: its stderr is given back in a subshell, since dash redirects itself
 * for as long as a plain command runs.
 */
const PROGRAM = [
  'n=$1;s=$2;shift 2;PATH="$PATH:/usr/bin:/bin" stty "$s" 2>/dev/null',
  "exec 3>&2 2>/dev/null",
  "set -m",
  '(exec "$@" 2>&3 3>&-);rc=$?',
  `while kill -0 %%;do printf '\\033]${MARKER_OSC};%s;stop\\007' "$n";kill -STOP $$;fg >/dev/null;rc=$?;done`,
  `printf '\\033]${MARKER_OSC};%s;exit;%d\\007' "$n" "$rc"`,
  "kill -STOP $$",
].join(";");

/** Names that a POSIX shell keeps in its environment; others it drops, such as bash's exported functions. */
const SHELL_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * The command that runs `command` under the shim.
 * @param nonce random text that the markers carry
 * @param modes the terminal's modes as `stty -g` gives them
 */
export function shimCommand(command: Command, nonce: string, modes: string): Command {
  const odd = Object.entries(command.env).filter(([name]) => !SHELL_NAME.test(name));
  const carried = odd.length === 0 ? [] : ["/usr/bin/env", ...odd.map(([name, value]) => `${name}=${value}`)];
  return { ...command, file: "/bin/sh", args: ["-c", PROGRAM, "sh", nonce, modes, ...carried, command.file, ...command.args] };
}

export type Marker = { readonly kind: "stop" } | { readonly kind: "exit"; readonly exit: ProcessExit };

/** Reads the payload of a marker (`7777;<nonce>;stop`, `7777;<nonce>;exit;<status>`); undefined when it is not ours. */
export function readMarker(payload: string, nonce: string): Marker | undefined {
  const [number, its, kind, status] = payload.split(";");
  if (number !== MARKER_OSC || its !== nonce) return undefined;
  if (kind === "stop") return { kind };
  return kind === "exit" && status !== undefined ? { kind, exit: exitOf(Number(status)) } : undefined;
}

/** A shell's `$?`: 128+n means that signal n ended it (POSIX XCU 2.8.2); an agent that itself exits with such a number looks the same. */
export function exitOf(status: number): ProcessExit {
  const signal = Object.entries(constants.signals).find(([, number]) => status === 128 + number)?.[0];
  return signal === undefined ? { code: status & 0xff } : { signal: signal as NodeJS.Signals };
}
