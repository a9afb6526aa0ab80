// Questions to the daemon for commands that must not start one. Called by ps, audit, daemon, credentials and login.
import { type DaemonStatus, daemonStatus, forgetReply } from "../control/protocol.ts";
import { ask } from "../control/start-daemon.ts";
import type { Paths } from "../core/paths.ts";

/** The daemon's status, or undefined when none runs. */
export function statusOf(paths: Paths): Promise<DaemonStatus | undefined> {
  return ask(paths, "GET", "/v1/status", undefined, daemonStatus);
}

/** The sessions that a living daemon holds now. */
export async function openSessions(paths: Paths): Promise<ReadonlySet<string>> {
  const status = await statusOf(paths);
  return new Set(status?.sessions.filter((session) => session.state !== "ended").map((session) => session.session) ?? []);
}

/** What is stored has changed: a daemon that remembers what it found there looks again. None need run. */
export async function tellDaemonToForget(paths: Paths): Promise<void> {
  await ask(paths, "POST", "/v1/forget", {}, forgetReply);
}
