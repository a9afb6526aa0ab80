// Modes of a terminal as stty(1) says them: what an agent's own terminal takes over of the human's, and whether somebody has changed that one. Used by
// private-terminal.ts.
import { spawn } from "node:child_process";

/** Descriptor 3 is the human's terminal, 4 the agent's. */
const COPY = 'PATH="/usr/bin:/bin";stty -a <&3;stty "$(stty -g <&3)" <&4;stty "$@" <&4';
const BOTH = 'PATH="/usr/bin:/bin";stty -g <&3;stty -a <"$1"';
/** A job in the background may write. */
const ALWAYS = ["-tostop"];
/** What a terminal is without a program that has changed it: one of the pipeline may have done so by now. */
const AT_REST = ["icanon", "isig", "iexten", "echo", "opost", "icrnl"];

export interface Copied {
  /** What is typed for an end of file (Ctrl-D); undefined where nothing is. */
  readonly endOfFile: number | undefined;
  /** A line end becomes CR LF on it. */
  readonly returns: boolean;
}

/**
 * Gives the terminal `to` the modes of the one that is descriptor `from`.
 * @param isDumb its modes are what its program chose (Emacs' shell has no echo), not what somebody else did
 */
export async function copiedModes(from: number, to: number, isDumb: boolean): Promise<Copied> {
  const text = await said(COPY, [...ALWAYS, ...(isDumb ? [] : AT_REST)], [from, to]);
  const key = /\beof = \^(.)/.exec(text)?.[1];
  return { endOfFile: key === undefined ? undefined : key.charCodeAt(0) & 0x1f, returns: has(text, "opost") && has(text, "onlcr") };
}

/** The modes of the one as `stty -g` has them, and of the other, a terminal by its name, as `stty -a` has. */
export async function bothModes(one: number, other: string): Promise<readonly [string, string]> {
  const text = await said(BOTH, [other], [one]);
  const end = text.indexOf("\n") + 1;
  return [text.slice(0, end), text.slice(end)];
}

/** Whether it shows what is typed, a line at a time. */
export function echoes(text: string): boolean {
  return ["icanon", "echo", "icrnl", "opost", "onlcr"].every((mode) => has(text, mode));
}

/** Whether nobody has changed it to read keys, or a password. */
export function isAtRest(text: string, isDumb: boolean): boolean {
  return has(text, "icanon") && (isDumb || has(text, "echo"));
}

function has(text: string, mode: string): boolean {
  return new RegExp(`(?:^|\\s)${mode}(?:[\\s;]|$)`).test(text);
}

/** What a program of the shell says about terminals, which are its descriptors from 3 on: never 0 to 2, which libuv makes blocking in the child. */
async function said(program: string, words: readonly string[], terminals: readonly number[]): Promise<string> {
  const child = spawn("/bin/sh", ["-c", program, "sh", ...words], {
    stdio: ["ignore", "pipe", "ignore", ...terminals],
    detached: true,
    env: {},
  });
  let text = "";
  child.stdout?.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  await new Promise<void>((resolve) => {
    child.on("error", () => resolve());
    child.on("close", () => resolve());
  });
  return text;
}
