// What of an environment a shell does not hand on as it got it, and how the last shell before the agent makes it whole again. Used by shim.ts and tie.ts.
import { readlinkSync } from "node:fs";
import { basename } from "node:path";
import type { Command } from "../core/command.ts";

/** Names that a POSIX shell keeps in its environment; dash drops others, such as bash's exported functions. */
const SHELL_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** dash sets these anew at its start, and refuses to start at all where OPTIND is no number. The last are our own scripts'. */
const DASH_SETS = /^(IFS|OPTIND|PPID|agent_run_.*)$/;

/** What any other shell may set, count or take away: bash's own variables, and those of POSIX. */
const SHELLS_SET =
  /^(IFS|OPTIND|OPTERR|OPTARG|PPID|PS[0-9]|LINENO|OLDPWD|SHLVL|_|UID|EUID|GROUPS|RANDOM|SRANDOM|SECONDS|EPOCH.*|BASH.*|SHELLOPTS|FUNCNAME|HISTCMD|COMP_.*|DIRSTACK|PIPESTATUS|POSIXLY_CORRECT|agent_run_.*)$/;

/** The kernel takes no string of 128 KB or more (execve(2), MAX_ARG_STRLEN); a unit of JavaScript's strings is 3 bytes at most. */
const PIECE = 40_000;

/** `stty` and the shells are POSIX's own, and so is this. */
const ENV = "/usr/bin/env";

export interface Carried {
  /** What the shells in between get. */
  readonly env: Readonly<Record<string, string>>;
  /** For the last shell: puts `env` before the command that is its arguments. Empty where the shells change nothing. */
  readonly script: string;
}

/**
 * Hands an environment through shells and bubblewrap, so that the command gets it byte for byte. Values are in no argument of a process that stays: they
 * go by variables, and are arguments of `env` alone, which becomes the command at once.
 * @param added names that something else in between may add
 * @param sh what stands behind /bin/sh
 */
export function carried(
  { env, cwd, file }: Pick<Command, "env" | "cwd" | "file">,
  added: readonly string[] = [],
  sh: string = shell(),
): Carried {
  const dash = sh === "dash";
  const changed = (name: string): boolean => !SHELL_NAME.test(name) || (dash ? DASH_SETS : SHELLS_SET).test(name);
  const lost = new Map(Object.entries(env).filter(([name]) => changed(name)));
  // Where it names another way to the folder, each of them puts the real one there.
  if (env["PWD"] !== undefined && (!dash || env["PWD"] !== cwd)) lost.set("PWD", env["PWD"]);
  const surplus = ["PWD", ...(dash ? [] : ["OLDPWD", "SHLVL", "_"]), ...added].filter((name) => !(name in env));
  if (lost.size === 0 && surplus.length === 0) return { env, script: "" };

  // It takes a name out of the environment at that; others remember what they were given.
  if (lost.size === 0 && dash) return { env, script: `unset ${surplus.join(" ")}` };

  const through: Record<string, string> = {};
  const words: string[] = [];
  for (const [name, value] of lost) {
    const pieces = inPieces(`${name}=${value}`).map((piece) => {
      const variable = `agent_run_carried_${Object.keys(through).length}`;
      through[variable] = piece;
      return variable;
    });
    words.push(`"${pieces.map((variable) => `$${variable}`).join("")}"`);
  }
  // To `env` a file with such a name would be one more variable.
  const start = file.includes("=") ? " /usr/bin/nice -n 0" : "";
  const unset = surplus.map((name) => ` -u ${name}`).join("");
  const rest = Object.entries(env).filter(([name]) => !lost.has(name));
  return {
    env: Object.fromEntries([...rest, ...Object.entries(through)]),
    script: `set -- ${ENV}${unset} -- ${words.join(" ")}${start} "$@";${["unset", ...Object.keys(through)].join(" ")}`,
  };
}

/** Between two characters, never within one. */
function inPieces(text: string): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length; ) {
    const end = at + PIECE;
    const within = (text.charCodeAt(end - 1) & 0xfc00) === 0xd800 && end < text.length;
    pieces.push(text.slice(at, within ? end - 1 : end));
    at = within ? end - 1 : end;
  }
  return pieces;
}

let known: string | undefined;

/** What /bin/sh is: a name such as `dash` where it is a link, else only `sh`. */
export function shell(): string {
  try {
    known ??= basename(readlinkSync("/bin/sh"));
  } catch {
    known = "sh";
  }
  return known;
}
