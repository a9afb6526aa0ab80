// The daemon's life: lock, recovery, socket; then it serves until it is told to leave, breaks, or nobody needs it. Called by `agent-run daemon`.
import { existsSync } from "node:fs";
import { lockHolder, takeLock } from "../control/lock.ts";
import { type Cause, hello } from "../control/protocol.ts";
import { checkedSocket } from "../control/runtime-folder.ts";
import { ask } from "../control/start-daemon.ts";
import { takeState } from "../control/state-holder.ts";
import { type Clock, sleep, systemClock } from "../core/clock.ts";
import { AgentRunError, messageOf } from "../core/error.ts";
import { privateFolder } from "../core/folder.ts";
import { daemonLock, type Paths } from "../core/paths.ts";
import { laySpares, withRoom } from "../core/spare-room.ts";
import type { SessionHost } from "../session/host.ts";
import type { Log } from "./log.ts";
import { busySessions } from "./routes.ts";
import { openDoor } from "./socket.ts";

export interface DaemonOptions {
  readonly paths: Paths;
  readonly version: string;
  readonly host: SessionHost;
  readonly log: Log;
  readonly clock?: Clock;
  /** Without a session and a connection for this long, in milliseconds, the daemon leaves. */
  readonly idleMs?: number;
  /** How often, in milliseconds, it looks whether its socket is still its own. */
  readonly watchMs?: number;
}

/** Why the daemon left. `other`: one serves already, and this one has done nothing. `broken` is for exit status 1, the rest for 0. */
export type Leaving = "idle" | "stopped" | "signal" | "broken" | "other";

const IDLE_MS = 600_000;
const WATCH_MS = 2000;
/** How long a leaving predecessor may hold the lock. */
const LOCK_MS = 10_000;
const POLL_MS = 50;
/** How long sessions may take to end before the daemon leaves regardless: more than the longest grace and revocation. */
const END_MS = 20_000;
const RECOVER_MS = 10_000;
const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/**
 * Runs the daemon of this user in this process until it leaves. Everything it opened is closed and removed when the promise settles.
 * @throws AgentRunError `runtime-folder`, `state-folder`, or `daemon` when another one holds the lock but does not answer
 */
export async function runDaemon(options: DaemonOptions): Promise<Leaving> {
  const { paths, host, log, version } = options;
  const clock = options.clock ?? systemClock;
  const idleMs = options.idleMs ?? IDLE_MS;
  process.umask(0o077);
  const path = checkedSocket(paths);
  privateFolder(paths.state, "state-folder");

  await using stack = new AsyncDisposableStack();
  const lock = await waitForLock(paths);
  if (!lock) return "other";
  stack.use(lock);
  stack.use(laySpares(paths.runtime));
  stack.use(await takeState(paths, LOCK_MS));

  const { promise: gone, resolve: go } = Promise.withResolvers<Leaving>();
  let ending: Promise<void> | undefined;
  let hide = (): void => {};
  /** The first call wins. From then on no launcher finds this daemon; sessions end; then `gone` resolves. */
  const leave = (why: Leaving, cause: Cause, details = ""): Promise<void> => {
    ending ??= (async () => {
      log.line(`leaving: ${why}${details}`);
      hide();
      await withLimit(async () => host.endAll(cause), END_MS, "ending the sessions", log);
      go(why);
    })();
    return ending;
  };

  stack.use(onSignals((name) => void leave("signal", "killed", ` ${name}`)));
  stack.use(
    onUncaught((error) => {
      log.line(`unexpected error: ${describe(error)}`);
      void leave("broken", "failed");
    }),
  );

  await withLimit(async () => host.recover(), RECOVER_MS, "recovery", log);
  const startedAt = clock.now();
  const served = { host, version, startedAt, leaving: () => ending !== undefined, leave: () => leave("stopped", "killed") };
  let door = stack.use(await openDoor(path, served, log));
  const doors = [door];
  hide = door.hide;
  if (ending) hide();
  log.line(`agent-run ${version} serves as process ${process.pid}`);

  let idleSince = clock.now();
  const busy = (): boolean =>
    doors.some((each) => each.connections() > 0) || busySessions(host) > 0 || host.signIns().length > 0 || host.mfaHeld().length > 0;
  const quiet = (): void => {
    idleSince = clock.now();
  };
  door.onQuiet(quiet);
  let idleTimer: Disposable | undefined;
  const look = (): void => {
    if (busy()) idleSince = clock.now();
    if (clock.now() - idleSince >= idleMs) void leave("idle", "killed");
    else idleTimer = clock.at(idleSince + idleMs, look);
  };
  look();
  stack.defer(() => idleTimer?.[Symbol.dispose]());

  /** Where the whole runtime folder was removed and nobody else serves in it by now, it is made anew: a kill must find its way to us. */
  const reopen = async (): Promise<boolean> => {
    try {
      if (ending || existsSync(path) || lockHolder(daemonLock(paths)) !== undefined) return false;
      checkedSocket(paths);
      const again = takeLock(daemonLock(paths));
      if (!again) return false;
      stack.use(again);
      door = stack.use(await openDoor(path, served, log));
      doors.push(door);
      door.onQuiet(quiet);
      hide = door.hide;
      if (ending) hide();
      log.line("the runtime folder was removed, and made anew");
      return true;
    } catch {
      return false;
    }
  };
  let lost = false;
  let reopening = false;
  const watchDoor = async (): Promise<void> => {
    if (reopening || door.reachable()) return;
    reopening = true;
    const isBack = await reopen();
    reopening = false;
    if (isBack) return;
    if (!lost) log.line("the control socket was removed or replaced: leaving as soon as no session is left");
    lost = true;
    if (!busy()) void leave("idle", "killed");
  };
  const watch = setInterval(() => void watchDoor(), options.watchMs ?? WATCH_MS);
  stack.defer(() => clearInterval(watch));

  return await gone;
}

/** The daemon's lock, or undefined when another daemon serves. */
async function waitForLock(paths: Paths): Promise<Disposable | undefined> {
  const deadline = systemClock.now() + LOCK_MS;
  for (;;) {
    const lock = await withRoom(paths.runtime, () => takeLock(daemonLock(paths)));
    if (lock) return lock;
    if (await ask(paths, { path: "/v1/status", answer: hello })) return undefined;
    if (systemClock.now() > deadline) {
      const holder = lockHolder(daemonLock(paths));
      throw new AgentRunError("daemon", `process ${holder} holds the daemon's lock and does not answer`, { hint: `kill -9 ${holder}` });
    }
    await sleep(POLL_MS);
  }
}

/** Waits at most `ms`; what fails or takes longer is logged and left behind, as everything that it holds dies with this process. */
async function withLimit(start: () => Promise<void>, ms: number, what: string, log: Log): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`took more than ${ms} ms`)), ms);
  try {
    await Promise.race([start(), late.promise]);
  } catch (error) {
    log.line(`${what} failed: ${describe(error)}`);
  } finally {
    clearTimeout(timer);
  }
}

function onSignals(run: (name: NodeJS.Signals) => void): Disposable {
  for (const name of SIGNALS) process.on(name, run);
  return {
    [Symbol.dispose]: () => {
      for (const name of SIGNALS) process.off(name, run);
    },
  };
}

function onUncaught(run: (error: unknown) => void): Disposable {
  process.on("uncaughtException", run);
  process.on("unhandledRejection", run);
  return {
    [Symbol.dispose]: () => {
      process.off("uncaughtException", run);
      process.off("unhandledRejection", run);
    },
  };
}

/** The message and where it came from, in one line. */
function describe(error: unknown): string {
  const place = error instanceof Error ? error.stack?.split("\n").find((line) => line.trimStart().startsWith("at ")) : undefined;
  return `${messageOf(error)}${place === undefined ? "" : ` (${place.trim()})`}`;
}
