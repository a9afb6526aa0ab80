// What tells the processes of a session from all others, whatever they do to their parents and their terminal. Set where an agent is started, looked for by whoever ends one.
import { existsSync, readFileSync } from "node:fs";
import type { Command } from "./command.ts";
import { isSessionId, type SessionId } from "./id.ts";

/** util-linux: runs a program under changed resource limits. */
const PRLIMIT = "/usr/bin/prlimit";
/** Above every number that somebody would choose. */
const BASE = 2 ** 40;
const HARD_LIMIT = /^Max file locks\s+\S+\s+(\S+)/m;

/**
 * The command, so that it and all that it will ever start can be found again, also those that leave the tree and start over with an empty environment.
 *
 * RLIMIT_LOCKS limits nothing since Linux 2.4.25 (getrlimit(2)), is inherited by every child, shown to everybody (proc(5), /proc/pid/limits), and who has
 * lowered its hard limit cannot raise it again: its value is the mark. An agent that lowers it further on purpose is found by its environment only. The
 * command comes back as it is elsewhere than on Linux, where `prlimit` is missing, and inside a session whose own mark is lower.
 */
export function markedCommand(command: Command): Command {
  const session = sessionOf(command);
  if (session === undefined || process.platform !== "linux" || !existsSync(PRLIMIT)) return command;
  const limit = limitOf(session);
  const now = hardLimit("self");
  if (now !== undefined && now < limit) return command;
  return { ...command, file: PRLIMIT, args: [`--locks=${limit}:${limit}`, "--", command.file, ...command.args] };
}

/** The session that a command runs in, as its environment says. */
export function sessionOf({ env }: Pick<Command, "env">): SessionId | undefined {
  const session = env["AGENT_RUN_SESSION"] ?? "";
  return isSessionId(session) ? session : undefined;
}

/**
 * Whether a process was started in the session: by what it was given as its environment (/proc/pid/environ), or by its limit. Linux only; false where
 * neither can be read.
 */
export function carriesMark(pid: number, session: SessionId): boolean {
  if (process.platform !== "linux") return false;
  try {
    if (`\0${readFileSync(`/proc/${pid}/environ`, "latin1")}`.includes(`\0AGENT_RUN_SESSION=${session}\0`)) return true;
  } catch {
    // Another user's, or gone.
  }
  return hardLimit(pid) === limitOf(session);
}

function limitOf(session: SessionId): number {
  return BASE + Number.parseInt(session.slice("sess_".length), 16);
}

/** Undefined where there is none, or nothing to read. */
function hardLimit(pid: number | "self"): number | undefined {
  try {
    const limit = Number(HARD_LIMIT.exec(readFileSync(`/proc/${pid}/limits`, "latin1"))?.[1]);
    return Number.isNaN(limit) ? undefined : limit;
  } catch {
    return undefined;
  }
}
