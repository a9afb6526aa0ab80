// What the daemon can be asked: one literal table of names and handlers. Called by socket.ts after its checks.
import { PROTOCOL, stopRequest } from "../control/protocol.ts";
import {
  consoleRequest,
  type DaemonStatus,
  extendRequest,
  forgetRequest,
  killRequest,
  signInRequest,
  signOutRequest,
} from "../control/requests.ts";
import { checked, Mismatch, type Shape } from "../control/shape.ts";
import { AgentRunError } from "../core/error.ts";
import type { SessionHost } from "../session/host.ts";

/** What the handlers work on. */
export interface Served {
  readonly host: SessionHost;
  readonly version: string;
  readonly startedAt: number;
  /** Whether `leave` was called: no session may begin any more. */
  leaving(): boolean;
  /** Ends every session, then the daemon; resolves when the sessions are wiped. */
  leave(): Promise<void>;
}

export type Handler = (served: Served, body: unknown) => Promise<unknown> | unknown;

/** Method and exact path to handler. The answer of a handler is sent as JSON. `GET /v1/lease` is an upgrade: socket.ts. */
export const routes: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ["GET /v1/status", status],
  ["POST /v1/kill", kill],
  ["POST /v1/extend", extend],
  ["POST /v1/forget", forget],
  ["POST /v1/console", console],
  ["POST /v1/sign-in", signIn],
  ["POST /v1/sign-out", signOut],
  ["POST /v1/stop", stop],
]);

/** The sessions that keep a daemon busy. */
export const busySessions = (host: SessionHost): number => host.views().filter((view) => view.state !== "ended").length;

function status(served: Served): DaemonStatus {
  return {
    protocol: PROTOCOL,
    version: served.version,
    pid: process.pid,
    startedAt: served.startedAt,
    sessions: served.host.views().filter((view) => view.state !== "ended"),
    signIns: served.host.signIns(),
    mfa: served.host.mfaHeld(),
  };
}

function kill(served: Served, body: unknown): Promise<unknown> {
  return served.host.kill(understood(killRequest, body));
}

function extend(served: Served, body: unknown): Promise<unknown> {
  const { session, byMs } = understood(extendRequest, body);
  return served.host.extend(session, byMs);
}

function forget(served: Served, body: unknown): { forgotten: boolean; mfaForgotten: string[] } {
  const { mfa = false, signedIn } = understood(forgetRequest, body);
  if (signedIn !== undefined) served.host.dropSignIn(signedIn);
  const mfaForgotten = mfa ? served.host.forgetMfa() : [];
  served.host.forgetBases();
  return { forgotten: true, mfaForgotten };
}

function console(served: Served, body: unknown): Promise<unknown> {
  return served.host.console(understood(consoleRequest, body).session);
}

function signIn(served: Served, body: unknown): { kept: boolean } {
  return { kept: served.host.keepSignIn(understood(signInRequest, body).session) };
}

async function signOut(served: Served, body: unknown): Promise<{ wasHere: boolean }> {
  const { startUrl, source } = understood(signOutRequest, body);
  return { wasHere: await served.host.endSignIn(startUrl, source) };
}

async function stop(served: Served, body: unknown): Promise<unknown> {
  const { onlyIdle } = understood(stopRequest, body);
  const ended = busySessions(served.host);
  if (onlyIdle && ended > 0) {
    throw new AgentRunError("daemon-version", `the daemon holds ${ended} session(s)`, { hint: "agent-run ps" });
  }
  await served.leave();
  return { ended };
}

function understood<T>(shape: Shape<T>, body: unknown): T {
  const parsed = checked(shape, body);
  if (parsed instanceof Mismatch) throw new AgentRunError("usage", "the body of the request is not what this path takes");
  return parsed.value;
}
