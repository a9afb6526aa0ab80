// The one error of the product: a closed code, a message, and the command or setting that mends it. Thrown everywhere, printed by cli.

/** Every way the product itself can fail. Tests and `docs/` look at these, never at messages. */
export const errorCodes = [
  "usage",
  "config",
  "profile",
  "policy",
  "no-credentials",
  "base-credentials",
  "keyring",
  "root-identity",
  "identity",
  "assume-role",
  "mfa",
  "sts-unreachable",
  "restriction",
  "agent-not-found",
  "agent-not-executable",
  "isolation",
  "runtime-folder",
  "state-folder",
  "daemon",
  "daemon-version",
  "lease",
  "session-not-found",
  "audit",
  "local-cloud",
  "output",
  "internal",
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface ErrorDetails {
  /** What mends it: a command to run or a setting to change. Printed after `agent-run: hint:`. */
  hint?: string | undefined;
  cause?: unknown;
  /** Exit status when this ends the command; 125 (our own failure) unless told otherwise. */
  exitStatus?: number | undefined;
}

/** A failure that a user can read: lower case, no full stop, names the flag, file and line, quotes the input, never a secret. */
export class AgentRunError extends Error {
  override readonly name = "AgentRunError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly exitStatus: number;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
    this.exitStatus = details.exitStatus ?? 125;
  }
}

/** The message of anything that was thrown, for use inside another message. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.errors.length > 0 && thrown.message === "") return messageOf(thrown.errors[0]);
  if (thrown instanceof Error) return thrown.message === "" ? thrown.name : thrown.message;
  return String(thrown);
}

/** Whether the disk is full, or what of it is this user's, by bytes or by files. */
export function isNoRoom(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown };
  return code === "ENOSPC" || code === "EDQUOT" || (error instanceof AgentRunError && isNoRoom(cause));
}
