// Session ids and endpoint tokens: the names of a run, and the proof of its agent.
import { randomBytes } from "node:crypto";

/** `sess_` and 8 lower-case hex digits; also the role session name that AWS sees. */
export type SessionId = `sess_${string}`;

const SESSION_ID = /^sess_[0-9a-f]{8}$/;

/** A random one, from the system's generator. */
export function newSessionId(): SessionId {
  return `sess_${randomBytes(4).toString("hex")}`;
}

/** Whether a text has the form of one; says nothing about a session of that name. */
export function isSessionId(text: string): text is SessionId {
  return SESSION_ID.test(text);
}

/** What a human typed for one: the 8 digits alone, as bar and prompt show them, are its id too. Any other text is given back as it is. */
export function typedSession(text: string): string {
  return /^[0-9a-f]{8}$/.test(text) ? `sess_${text}` : text;
}

/** 256 random bits as base64url: no character that a header, a shell or an INI file would change. */
export function newToken(): string {
  return randomBytes(32).toString("base64url");
}
