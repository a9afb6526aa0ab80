// One daemon for a state folder: who has it, and where that one's control socket is. Taken by the daemon; asked by start-daemon.ts before it starts one.
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { sleep, systemClock } from "../core/clock.ts";
import { AgentRunError, isNoRoom, messageOf } from "../core/error.ts";
import { isSameFolder } from "../core/folder.ts";
import { ownHost } from "../core/host.ts";
import { controlSocket, type Paths, stateLock, stateRuntime } from "../core/paths.ts";
import { type Lock, lockHolder, takeLock } from "./lock.ts";

const POLL_MS = 50;

/**
 * Takes the state folder for this process; one that leaves just now is waited for.
 * @throws AgentRunError `daemon` where another one keeps it, `state-folder`
 */
export async function takeState(paths: Paths, limitMs: number): Promise<Lock> {
  const deadline = systemClock.now() + limitMs;
  for (;;) {
    const lock = takeOrGoWithout(paths);
    if (lock) {
      noteRuntime(paths);
      return lock;
    }
    if (systemClock.now() > deadline)
      throw heldElsewhere(paths, lockHolder(stateLock(paths, ownHost())), runtimeOfState(paths) ?? "another folder");
    await sleep(POLL_MS);
  }
}

/** Where there is no room for a lock and nobody has it: what a dead daemon left must be ended all the same. */
function takeOrGoWithout(paths: Paths): Lock | undefined {
  const base = stateLock(paths, ownHost());
  try {
    return takeLock(base);
  } catch (error) {
    if (!isNoRoom(error) || lockHolder(base) !== undefined) throw error;
    return { [Symbol.dispose]: () => {} };
  }
}

/** The daemon that has this state folder while nobody gets to it: its runtime folder was removed, and it makes that anew in a moment. */
export function cutOffDaemon(paths: Paths): number | undefined {
  return existsSync(controlSocket(paths)) ? undefined : lockHolder(stateLock(paths, ownHost()));
}

/** The runtime folder of a living daemon that has this state folder and is reached by another one than ours. */
export function otherRuntime(paths: Paths): { readonly pid: number; readonly runtime: string } | undefined {
  const pid = lockHolder(stateLock(paths, ownHost()));
  const runtime = pid === undefined ? undefined : runtimeOfState(paths);
  if (pid === undefined || runtime === undefined || isSameFolder(runtime, paths.runtime)) return undefined;
  return { pid, runtime };
}

/** What to say of it, with what brings both together. */
export function heldElsewhere({ state, runtime }: Paths, pid: number | undefined, other: string): AgentRunError {
  if (isSameFolder(other, runtime))
    return new AgentRunError("daemon", `process ${pid} is a daemon that nobody gets to, and may hold sessions`, { hint: `kill ${pid}` });
  const parent = /^(.+)\/agent-run$/.exec(other)?.[1];
  return new AgentRunError(
    "daemon",
    `the daemon that runs (process ${pid}) is reached in ${other}, here it would be in ${runtime}, and both keep their records in ${state}`,
    {
      hint:
        `${parent === undefined ? "set XDG_RUNTIME_DIR and TMPDIR as they were where it was started" : `export XDG_RUNTIME_DIR=${parent}`}, ` +
        "end its sessions there, or set AGENT_RUN_HOME here for both at a time",
    },
  );
}

function noteRuntime(paths: Paths): void {
  const file = stateRuntime(paths, ownHost());
  try {
    writeFileSync(`${file}.${process.pid}`, `${paths.runtime}\n`, { mode: 0o600 });
    renameSync(`${file}.${process.pid}`, file);
  } catch (error) {
    if (isNoRoom(error)) return;
    throw new AgentRunError("state-folder", `cannot write ${file}: ${messageOf(error)}`, {
      hint: `make ${paths.state} writable for you, or set AGENT_RUN_HOME`,
      cause: error,
    });
  }
}

function runtimeOfState(paths: Paths): string | undefined {
  try {
    return readFileSync(stateRuntime(paths, ownHost()), "utf8").trimEnd() || undefined;
  } catch {
    return undefined;
  }
}
