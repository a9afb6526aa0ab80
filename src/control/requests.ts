// What a command asks of a daemon that runs, and the one reply to it: the schemas. Read by the daemon's routes and by the commands; no launch needs them.
import { revocation, sessionId, sessionView, text } from "./protocol.ts";
import { atLeast, boolean, list, number, type Of, object, optional, record, string } from "./shape.ts";

export const daemonStatus = object({
  protocol: number,
  version: string(),
  pid: number,
  startedAt: number,
  sessions: list(sessionView),
  /** Start URLs of sign-ins that are in no keyring. */
  signIns: optional(list(string())),
  /** MFA devices whose last code still holds, and until when. */
  mfa: optional(list(object({ serial: text, until: number }))),
});

export const killRequest = object({
  /** A session id, or `all`. */
  session: string(),
  /** Of these only those of that agent, and of that project. */
  actor: optional(text),
  project: optional(text),
  /** Where a role is full, deny every session of it that began until now. */
  revokeAll: optional(boolean),
  /** When the command was typed, as ProcessInfo's `started`: sessions whose launcher began later are left, and named. */
  typed: optional(text),
});

export const killReply = object({
  killed: list(
    object({
      session: sessionId,
      endpointClosedMs: number,
      agentGoneMs: optional(number),
      /** Until when keys that the agent has fetched stay valid at AWS; absent where it has none. */
      keysExpireAt: optional(number),
      revocations: optional(list(revocation)),
      notes: list(string()),
    }),
  ),
  /** Those that would have been meant, and began after the command was typed. */
  left: optional(list(sessionId)),
  /** MFA devices whose code no longer holds. */
  mfaForgotten: optional(list(text)),
});

export const extendRequest = object({
  session: sessionId,
  /** Milliseconds; absent: the human chooses. */
  byMs: optional(atLeast(1000)),
});

export const extendReply = object({
  session: sessionId,
  /** What the human answered. */
  extended: boolean,
  limitAt: number,
});

export const consoleRequest = object({ session: sessionId });

export const consoleReply = object({
  session: sessionId,
  /** Whom the console will show. */
  arn: string(),
  /** Signs a browser in: as good as the session's keys. */
  url: string(),
  keysExpireAt: number,
});

/** A sign-in that no keyring keeps: the daemon's memory does, for as long as it lives. */
export const signInRequest = object({ session: string() });
export const signInReply = object({ kept: boolean });

/** Forgets it, and tells Identity Center so where only the daemon had it. */
export const signOutRequest = object({
  startUrl: text,
  /** As in `open`: how Identity Center is reached. */
  source: record(string()),
});
export const signOutReply = object({ wasHere: boolean });

/** Base credentials that were found are found anew; and where `mfa` says so, with another code. */
export const forgetRequest = object({
  mfa: optional(boolean),
  /** Start URL of a sign-in that the keyring has now: one in memory alone is out of date. */
  signedIn: optional(text),
});
export const forgetReply = object({ forgotten: boolean, mfaForgotten: optional(list(text)) });

export type DaemonStatus = Of<typeof daemonStatus>;
export type KillRequest = Of<typeof killRequest>;
export type KillReply = Of<typeof killReply>;
export type ExtendReply = Of<typeof extendReply>;
export type ConsoleReply = Of<typeof consoleReply>;
