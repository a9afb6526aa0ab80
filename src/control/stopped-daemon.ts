// A daemon that somebody stopped (SIGSTOP, Ctrl-Z where it runs in the foreground) is told to go on when it is needed. Called by start-daemon.ts.
import { daemonLock, type Paths } from "../core/paths.ts";
import { isStopped, signal } from "../core/process-tree.ts";
import { lockHolder } from "./lock.ts";

/** A daemon that runs has answered by then; after that it is looked at this often. */
const LOOK_EVERY_MS = 250;

/**
 * Until it is disposed of: sends SIGCONT to the holder of the daemon's lock whenever it is stopped. The lock lies in a folder that only this user writes,
 * and names the process with its start time, so that no other process is meant.
 */
export function continueStopped(paths: Paths): Disposable {
  const timer = setInterval(() => {
    const holder = lockHolder(daemonLock(paths));
    if (holder !== undefined && isStopped(holder)) signal(holder, "SIGCONT");
  }, LOOK_EVERY_MS).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
