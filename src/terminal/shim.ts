// The small shell program between the PTY and the agent: it leads the session, sets the terminal's modes, and says in-band when the agent
// stopped or ended, so that those words come after the agent's last byte. Used by attach.ts.

import { readFileSync } from "node:fs";
import { constants } from "node:os";
import type { Command, ProcessExit } from "../core/command.ts";
import { carried, shell } from "./carried.ts";
import { INIT_IS_TIED } from "./tie.ts";

/** The bit of the shim's umask that says that the agent ended; the eight below it are its status. */
const ENDED = 0o400;

/** Private OSC number of our markers; never sent to the human's terminal. */
export const MARKER_OSC = "7777";

const STOPPED = `printf '\\033]${MARKER_OSC};%s;stop\\007' "$agent_run_nonce";kill -STOP $$`;

/** The agent runs, and is continued as often as it was stopped. */
const IN_OTHERS = ['(exec "$@" 2>&3 3>&-);agent_run_status=$?', `while kill -0 %%;do ${STOPPED};fg >/dev/null;agent_run_status=$?;done`];

/** bash hands over the terminal that is its stderr, and leaves a loop when a job in it is stopped. */
const IN_BASH = [
  '{ (exec "$@" 2>&3 3>&-);agent_run_status=$?;} 2>&3',
  `agent_run_next(){ kill -0 %%||return;${STOPPED};fg >/dev/null 2>&3;agent_run_status=$?;agent_run_next;}`,
  "agent_run_next",
];

/**
 * `set -m` puts the agent in a process group of its own and hands it the terminal, so that Ctrl-Z stops it as a shell's job and not as a
 * member of an orphaned group, to which the kernel gives no stops. The shim stops itself after each word, and waits to be continued or killed.
 * The agent keeps its stderr; the shell's own remarks (`Terminated`) go nowhere: its stderr is given back in a subshell, since dash redirects itself
 * for as long as a plain command runs. Before its last word it keeps the status in its umask: an agent that has stopped its terminal's output
 * (tcflow(3), TCOOFF) would have it wait for ever with that word; see `silentStatus`.
 *
 * In a sandbox the shim is there before the agent may be started. It says its first word, then stops itself until the launcher continues it; the file
 * that it looks for then tells the launcher's SIGCONT from others'.
 *
 * The markers' random text comes into being here and is said in the first of them, before there is an agent: in arguments or environment the agent
 * could read it (`/proc/<shim>/cmdline`). Its variable is never exported, whatever the environment that the shell starts with.
 */
const program = (tie: readonly string[], hold: readonly string[], sh: string): string =>
  [
    "set +ax;unset agent_run_nonce agent_run_status",
    'PATH="/usr/bin:/bin:$PATH" stty "$1" 2>/dev/null;shift',
    "exec 3>&2 2>/dev/null",
    `read -r agent_run_nonce </proc/sys/kernel/random/uuid||agent_run_nonce=$(PATH="/usr/bin:/bin:$PATH";od -An -N16 -tx1 /dev/urandom|tr -d ' \\n')`,
    `[ -n "$agent_run_nonce" ]||{ echo 'agent-run: no random numbers for the session' >&3;exit 126; }`,
    ...tie,
    // Nobody is at the terminal's other side (EIO): the launcher has died, and there shall be no agent.
    `printf '\\033]${MARKER_OSC};%s;start\\007' "$agent_run_nonce"||exit 126`,
    ...hold,
    "set -m",
    ...(sh === "bash" ? IN_BASH : IN_OTHERS),
    'umask "$((4|agent_run_status>>6&3))$((agent_run_status>>3&7))$((agent_run_status&7))"',
    `printf '\\033]${MARKER_OSC};%s;exit;%d\\007' "$agent_run_nonce" "$agent_run_status"`,
    "kill -STOP $$",
  ].join(";");

/** What is waited for before there may be an agent; `$1` is the file. */
const HOLD = ['until [ -e "$1" ];do kill -STOP $$;done', "shift"];

/**
 * The command that runs `command` under the shim.
 * @param modes the terminal's modes as `stty -g` gives them
 * @param released the shim will be the first process in a sandbox with a PID namespace of its own, and wait in it until this file is there
 * @param sh what stands behind /bin/sh
 */
export function shimCommand(command: Command, modes: string, released: string | undefined, sh: string = shell()): Command {
  // node-pty gives one to who has none.
  const { env, script } = carried(command, ["TERM"], sh);
  const sealed = released !== undefined;
  const text = program(sealed ? [INIT_IS_TIED] : [], [...(sealed ? HOLD : []), ...(script === "" ? [] : [script])], sh);
  return {
    ...command,
    env,
    file: "/bin/sh",
    args: ["-c", text, "sh", modes, ...(sealed ? [released] : []), command.file, ...command.args],
  };
}

export type Marker = { readonly kind: "stop" } | { readonly kind: "exit"; readonly exit: ProcessExit };

const START = new RegExp(`\x1b\\]${MARKER_OSC};([0-9a-f-]{32,36});start\x07`);

/** Tells the shim's markers from what an agent prints that looks like them. */
export class Markers {
  #nonce: string | undefined;
  /** What came before the shim's first word: a sandbox that could not start. */
  #before: Buffer = Buffer.alloc(0);

  /** Takes output of the PTY until the shim has spoken, which it does before it starts the agent; gives what of it is to be shown by then. */
  greet(bytes: Buffer): Buffer {
    if (this.#nonce !== undefined) return bytes;
    const all = Buffer.concat([this.#before, bytes]);
    const found = START.exec(all.toString("latin1"));
    if (found === null) {
      this.#before = all;
      return Buffer.alloc(0);
    }
    this.#nonce = found[1] as string;
    this.#before = Buffer.alloc(0);
    return Buffer.concat([all.subarray(0, found.index), all.subarray(found.index + found[0].length)]);
  }

  /** Whether the shim has spoken. */
  get greeted(): boolean {
    return this.#nonce !== undefined;
  }

  /** What `greet` keeps when the shim never came to speak. */
  unsaid(): Buffer {
    const bytes = this.#before;
    this.#before = Buffer.alloc(0);
    return bytes;
  }

  /** Reads the payload of a marker (`7777;<nonce>;stop`, `7777;<nonce>;exit;<status>`); undefined when it is not the shim's. */
  read(payload: string): Marker | undefined {
    const [number, its, kind, status] = payload.split(";");
    if (number !== MARKER_OSC || this.#nonce === undefined || its !== this.#nonce) return undefined;
    if (kind === "stop") return { kind };
    return kind === "exit" && status !== undefined ? { kind, exit: exitOf(Number(status)) } : undefined;
  }

  /** Whether a marker may be in there; `before` came before it. */
  within(bytes: Buffer, before?: Buffer): boolean {
    const nonce = this.#nonce;
    if (nonce === undefined) return false;
    return (before === undefined ? bytes : Buffer.concat([before.subarray(-nonce.length), bytes])).includes(nonce);
  }
}

/**
 * How the agent ended, read from its shim without the terminal: undefined while it runs. Linux only (proc(5), /proc/pid/status, `Umask` since 4.7). Nobody
 * else sets a umask that takes the owner's own right to read away.
 */
export function silentStatus(shim: number): ProcessExit | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${shim}/status`, "latin1");
  } catch {
    return undefined;
  }
  const mask = Number.parseInt(/^Umask:\s+([0-7]+)$/m.exec(text)?.[1] ?? "0", 8);
  return (mask & ENDED) === 0 ? undefined : exitOf(mask & 0xff);
}

/** A shell's `$?`: 128+n means that signal n ended it (POSIX XCU 2.8.2); an agent that itself exits with such a number looks the same. */
export function exitOf(status: number): ProcessExit {
  const signal = Object.entries(constants.signals).find(([, number]) => status === 128 + number)?.[0];
  return signal === undefined ? { code: status & 0xff } : { signal: signal as NodeJS.Signals };
}
