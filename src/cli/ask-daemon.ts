// Questions to the daemon for commands that must not start one. Called by ps, kill, audit and daemon.
import { nobodyAnswers, requestJson } from "../control/client.ts";
import { type DaemonStatus, daemonStatus } from "../control/protocol.ts";
import { controlSocket, type Paths } from "../core/paths.ts";

/** The daemon's status, or undefined when none runs. */
export async function statusOf(paths: Paths): Promise<DaemonStatus | undefined> {
  try {
    return await requestJson(controlSocket(paths), "GET", "/v1/status", undefined, daemonStatus);
  } catch (error) {
    if (nobodyAnswers(error)) return undefined;
    throw error;
  }
}

/** The sessions that a living daemon holds now. */
export async function openSessions(paths: Paths): Promise<ReadonlySet<string>> {
  const status = await statusOf(paths);
  return new Set(status?.sessions.filter((session) => session.state !== "ended").map((session) => session.session) ?? []);
}
