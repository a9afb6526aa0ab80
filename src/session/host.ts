// What the daemon needs of the sessions that it holds. Implemented in this folder, used by daemon/.
import type { Lease } from "../control/lease.ts";
import type { Cause, DaemonMessage, LauncherMessage, OpenMessage, SessionView } from "../control/protocol.ts";
import type { ConsoleReply, ExtendReply, KillReply, KillRequest } from "../control/requests.ts";
import type { MfaHeld } from "../credentials/mfa-sessions.ts";

export interface SessionHost {
  /**
   * A launcher opened a lease and sent its first message. The host owns the lease from now on: it sets the lease's handler before it returns,
   * ends the session when the lease closes, and closes the lease when the session has ended.
   */
  open(message: OpenMessage, lease: Lease<DaemonMessage, LauncherMessage>): void;
  /** Every session that is not yet forgotten; one in state `ended` does not keep the daemon alive. */
  views(): SessionView[];
  /**
   * Ends one session, or `all`, or of those the sessions of one agent or project.
   * @throws AgentRunError `session-not-found`
   */
  kill(request: KillRequest): Promise<KillReply>;
  /**
   * Asks the human at the session's own terminal for more time: `byMs`, or as much as they choose.
   * @throws AgentRunError `session-not-found`, and as `requireExtendable`
   */
  extend(session: string, byMs: number | undefined): Promise<ExtendReply>;
  /** Forgets the base credentials that were found: what is stored has changed. */
  forgetBases(): void;
  /** MFA devices whose code still holds; while there is one, the daemon stays. */
  mfaHeld(): MfaHeld[];
  /** From now on a code is asked for. Gives the devices of those that held. */
  forgetMfa(): string[];
  /**
   * The AWS console as a session's role.
   * @throws AgentRunError `session-not-found`, and as `openConsole`
   */
  console(session: string): Promise<ConsoleReply>;
  /** Start URLs of sign-ins that are in no keyring; while there is one, the daemon stays. */
  signIns(): string[];
  /** Keeps a sign-in, as `sessionText` wrote it, in memory. False for a text that is none. */
  keepSignIn(text: string): boolean;
  /** Forgets a sign-in that is kept elsewhere by now. Identity Center is not told: the new one may be of the same session there. */
  dropSignIn(startUrl: string): void;
  /** Forgets a sign-in; one that was nowhere else is ended at Identity Center too. Whether it was here alone. */
  endSignIn(startUrl: string, source: Readonly<Record<string, string>>): Promise<boolean>;
  /** Ends every session and resolves when all are wiped. Sessions that are opened afterwards are refused. */
  endAll(cause: Cause): Promise<void>;
  /** Runs before the socket is there: ends and records the sessions that a dead daemon left open in the audit and in files. */
  recover(): Promise<void>;
}
