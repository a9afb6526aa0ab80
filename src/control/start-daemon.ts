// Finds the daemon of this user, and starts it where none answers: one, however many launches at once. Called by every command that needs it.
import type { ChildProcess } from "node:child_process";
import { monotonic, sleep, systemClock } from "../core/clock.ts";
import type { Command } from "../core/command.ts";
import { AgentRunError } from "../core/error.ts";
import { FEW_PROCESSES } from "../core/few-processes.ts";
import { daemonLock, daemonLog, type Environment, type Paths } from "../core/paths.ts";
import { signal } from "../core/process-tree.ts";
import { noAnswerInTime, nobodyAnswers, openLease, type Question, requestJson } from "./client.ts";
import { watchForSleeper } from "./hung-daemon.ts";
import type { Lease } from "./lease.ts";
import { lockHolder, takeLock } from "./lock.ts";
import { type DaemonMessage, hello, type LauncherMessage, PROTOCOL, stopReply } from "./protocol.ts";
import { checkedSocket } from "./runtime-folder.ts";
import type { Of } from "./shape.ts";
import { continueStopped } from "./stopped-daemon.ts";

export interface StartOptions {
  /** What runs the daemon in the foreground. Of its environment only `daemonEnvironment` is passed on, and it runs in `/`. */
  readonly startCommand: Command;
  /** This launcher's version. */
  readonly version: string;
  /** How long to wait for a daemon, in milliseconds. */
  readonly limitMs?: number;
}

export interface RunningDaemon {
  readonly socket: string;
  readonly pid: number;
  readonly version: string;
  /** What the human should know: `the daemon is version 1.0.0 …`. */
  readonly note: string | undefined;
}

export interface LeaseOn {
  readonly lease: Lease<LauncherMessage, DaemonMessage>;
  readonly daemon: RunningDaemon;
}

/** 20 launches at once on a loaded machine with two cores take 6 s. */
const START_LIMIT_MS = 15_000;
const POLL_MS = 20;
/** What a daemon may take for a second request: one that was late with the first, and one that slept on while it waited. */
const LATE_MS = 5000;
const ASLEEP_MS = 1000;
/** A daemon whose runtime folder was removed makes it anew sooner than that (WATCH_MS in daemon.ts), unless another one has its lock by then. */
const CUT_OFF_MS = 4000;
/** A daemon may leave between two requests of a launcher; each time there is another one to find or to start. */
const LEASE_ATTEMPTS = 3;

const DAEMON_VARIABLES = new Set(["PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "AGENT_RUN_HOME"]);

/**
 * The daemon's whole environment: where things are and nothing of what this terminal holds; it serves other terminals too. What a
 * session needs of the human's environment comes with its `open` message.
 */
export function daemonEnvironment(env: Environment): Record<string, string> {
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && (DAEMON_VARIABLES.has(entry[0]) || entry[0].startsWith("XDG_") || entry[0].startsWith("AGENT_RUN_TEST_")),
  );
  return Object.fromEntries(kept);
}

/**
 * Gives the daemon that answers on this user's control socket, starting one where none does. An idle daemon of another version is replaced; a
 * busy one is kept when it speaks our protocol, and `note` says so.
 * @throws AgentRunError `runtime-folder`, `state-folder`, `daemon` (with the last lines of its log), `daemon-version`
 */
export async function connectOrStart(paths: Paths, options: StartOptions): Promise<RunningDaemon> {
  const socket = checkedSocket(paths);
  using _ = continueStopped(paths);
  const deadline = systemClock.now() + (options.limitMs ?? START_LIMIT_MS);
  const begun = monotonic();
  using held = new DisposableStack();
  let mayStart = false;
  let attempt: { readonly child: ChildProcess; failure(): AgentRunError | undefined } | undefined;
  for (;;) {
    const found = await ask(paths, { path: "/v1/status", answer: hello });
    if (found) {
      const kept = judge(found, options.version, socket);
      if (kept) return kept;
      await replaceIdle(paths);
    } else {
      const failure = attempt?.failure();
      if (failure) throw failure;
      if (mayStart) {
        attempt ??= await start(paths, options.startCommand, monotonic() - begun < CUT_OFF_MS);
      } else {
        const lock = takeLock(`${daemonLock(paths)}.start`);
        if (lock) {
          held.use(lock);
          mayStart = true;
          continue; // Whoever held the lock before may have started it since we asked.
        }
      }
    }
    if (systemClock.now() > deadline) throw tooLate(paths, attempt?.child);
    await sleep(POLL_MS);
  }
}

/**
 * A lease on the daemon that `connectOrStart` gives, with `first` sent on it; in a single round trip where one of our version serves already.
 * @throws AgentRunError as `connectOrStart`
 */
export async function openLeaseOrStart(paths: Paths, options: StartOptions, first: LauncherMessage): Promise<LeaseOn> {
  const socket = checkedSocket(paths);
  using _ = continueStopped(paths);
  const begun = monotonic();
  let patienceMs: number | undefined;
  const orHung = (error: unknown): undefined => {
    if (noAnswerInTime(error)) patienceMs = LATE_MS;
    else return orNoneForUs(error);
  };
  using sleeper = watchForSleeper(paths);
  const opening = openLease(socket, options.version, first).catch(orHung);
  const asleep = sleeper.found.then(() => {
    void opening.then((late) => late?.lease.close());
    patienceMs = ASLEEP_MS;
  });
  const ready = (await Promise.race([opening, asleep])) ?? undefined;
  if (ready?.version === options.version)
    return { lease: ready.lease, daemon: { socket, pid: ready.pid, version: ready.version, note: undefined } };
  ready?.lease.close();
  const replaced = patienceMs === undefined ? undefined : await replaceHung(paths, patienceMs, begun);
  for (let attempt = 1; ; attempt += 1) {
    const started = await connectOrStart(paths, options);
    const daemon = replaced === undefined ? started : { ...started, note: replaced };
    const opened = await openLease(socket, options.version).catch(orNobody);
    if (opened) {
      opened.lease.send(first);
      return { lease: opened.lease, daemon };
    }
    if (attempt === LEASE_ATTEMPTS)
      throw new AgentRunError("daemon", "the daemon left as soon as it was there", { hint: `see ${daemonLog(paths)}` });
  }
}

/**
 * One request to the daemon if there is one, with the checks of the folder; undefined when none answers. For `ps`, `kill`, `daemon stop`.
 * @throws AgentRunError as `requestJson`, and `runtime-folder`
 */
export async function ask<T>(paths: Paths, question: Question<T>): Promise<T | undefined> {
  using _ = continueStopped(paths);
  return await requestJson(checkedSocket(paths), question).catch(orNobody);
}

/** For `catch`: undefined where nobody answered. */
function orNobody(error: unknown): undefined {
  if (!nobodyAnswers(error)) throw error;
}

/** For `catch`: undefined where nobody answered, or a daemon of another protocol, or one that was asked to do what it must not now. */
function orNoneForUs(error: unknown): undefined {
  if (error instanceof AgentRunError && error.code === "daemon-version") return undefined;
  return orNobody(error);
}

/** What to do with a daemon that answered: keep it, or (undefined) replace it. */
function judge(found: Of<typeof hello>, version: string, socket: string): RunningDaemon | undefined {
  const daemon = { socket, pid: found.pid, version: found.version };
  if (found.version === version && found.protocol === PROTOCOL) return { ...daemon, note: undefined };
  if (found.sessions.length === 0) return undefined;
  const busy = found.sessions.length === 1 ? "1 session" : `${found.sessions.length} sessions`;
  if (found.protocol === PROTOCOL) {
    return { ...daemon, note: `the daemon is version ${found.version}, this is ${version}: it is replaced when its ${busy} ended` };
  }
  throw new AgentRunError("daemon-version", `the daemon is version ${found.version}, holds ${busy}, and does not understand ${version}`, {
    hint: "let its sessions end, or end them with 'agent-run kill --all', then try again",
  });
}

/** Asks an idle daemon to leave. It may have got a session or be gone by now: the caller looks again. */
async function replaceIdle(paths: Paths): Promise<void> {
  await ask(paths, { path: "/v1/stop", body: { onlyIdle: true }, answer: stopReply }).catch(orNoneForUs);
}

/**
 * Ends a daemon that leaves a second request unanswered too: nobody is served by it, and the launchers of its sessions take them to the next one. Gives
 * what the human should know; undefined when it answers after all.
 */
async function replaceHung(paths: Paths, patienceMs: number, since: number): Promise<string | undefined> {
  try {
    await ask(paths, { path: "/v1/status", answer: hello, limitMs: patienceMs });
    return undefined;
  } catch (error) {
    const holder = lockHolder(daemonLock(paths));
    if (holder === undefined || !noAnswerInTime(error)) throw error;
    signal(holder, "SIGKILL");
    return `the daemon (process ${holder}) did not answer for ${Math.round((monotonic() - since) / 1000)} s and was replaced; its sessions go on with the new one`;
  }
}

/**
 * Undefined where one is there that comes back by itself. Loaded here and not above: a launch that finds a daemon needs none of it.
 * @param mayWait whether there is still time for that
 */
async function start(paths: Paths, command: Command, mayWait: boolean) {
  const [{ spawnDaemon }, { cutOffDaemon, heldElsewhere, otherRuntime }] = await Promise.all([
    import("./spawn-daemon.ts"),
    import("./state-holder.ts"),
  ]);
  // One that leaves still has its lock.
  if (mayWait && cutOffDaemon(paths) !== undefined && lockHolder(daemonLock(paths)) === undefined) return undefined;
  const other = otherRuntime(paths);
  if (other) {
    // An idle one leaves; one that is busy, or that nobody gets to, keeps its sessions.
    const left = await ask({ ...paths, runtime: other.runtime }, { path: "/v1/stop", body: { onlyIdle: true }, answer: stopReply }).catch(
      () => undefined,
    );
    if (!left) throw heldElsewhere(paths, other.pid, other.runtime);
  }
  return spawnDaemon(paths, { ...command, cwd: "/", env: daemonEnvironment(command.env) });
}

/** @param started the daemon that was started, which has had all the time that there was */
function tooLate(paths: Paths, started: ChildProcess | undefined): AgentRunError {
  const serving = lockHolder(daemonLock(paths));
  if (started?.pid !== undefined && serving === undefined) {
    // It has come to nothing: not even to the lock.
    started.kill("SIGKILL");
    return new AgentRunError("daemon", "the daemon was started and did not come up", { hint: `see ${daemonLog(paths)}; ${FEW_PROCESSES}` });
  }
  const holder = serving ?? lockHolder(`${daemonLock(paths)}.start`);
  return new AgentRunError("daemon", `no daemon answers${holder === undefined ? "" : `, though process ${holder} holds its lock`}`, {
    hint: holder === undefined ? `see ${daemonLog(paths)}` : `see ${daemonLog(paths)}, or end it: kill -9 ${holder}`,
  });
}
