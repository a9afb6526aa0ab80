// Tells a daemon that hangs from one that is merely slow: its main thread sleeps on while a request waits for it. Called by start-daemon.ts.
import { readFileSync } from "node:fs";
import { daemonLock, type Paths } from "../core/paths.ts";
import { lockHolder } from "./lock.ts";

const LOOK_EVERY_MS = 250;
/** A daemon that can answer is woken by the request at once; one that waits for the processor does not sleep. */
const ASLEEP_LOOKS = 5;

export interface Sleeper extends Disposable {
  /** Resolves when the holder of the daemon's lock has slept for more than a second on end (Linux); may never resolve. */
  readonly found: Promise<void>;
}

/** Looks from now on, until it is disposed of. Begin when a request was sent. */
export function watchForSleeper(paths: Paths): Sleeper {
  const { promise, resolve } = Promise.withResolvers<void>();
  let before: string | undefined;
  let looks = 0;
  const timer = setInterval(() => {
    const holder = lockHolder(daemonLock(paths));
    const now = holder === undefined ? undefined : sleepOf(holder);
    looks = now !== undefined && now === before ? looks + 1 : 0;
    before = now;
    if (looks >= ASLEEP_LOOKS) resolve();
  }, LOOK_EVERY_MS).unref();
  return { found: promise, [Symbol.dispose]: () => clearInterval(timer) };
}

/** The same text as long as the main thread has not run in between (proc(5), /proc/pid/status); undefined when it does not sleep, or nobody can tell. */
function sleepOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/status`, "latin1");
    // Not D: a disk that is slow is waited for.
    if (!/^State:\s*S/m.test(text)) return undefined;
    const switches = text.match(/^(?:non)?voluntary_ctxt_switches:\s*\d+$/gm);
    return switches?.length === 2 ? `${pid} ${switches.join(" ")}` : undefined;
  } catch {
    return undefined;
  }
}
