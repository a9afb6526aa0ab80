// What commands ask of a daemon that runs. None of them starts one, except giveSignInToDaemon. Called by ps, audit, daemon, credentials and login.
import { type DaemonStatus, daemonStatus, forgetReply, signInReply, signOutReply } from "../control/requests.ts";
import { ask, connectOrStart } from "../control/start-daemon.ts";
import { AgentRunError } from "../core/error.ts";
import { auditFolder, type Paths } from "../core/paths.ts";
import { sessionsElsewhere } from "../session/leftover.ts";
import type { Context } from "./command.ts";
import { sourceEnvironment } from "./source-environment.ts";
import { startCommand } from "./start-command.ts";

/** The daemon asks Identity Center before it answers. */
const SIGN_OUT_MS = 15_000;

/** The daemon's status, or undefined when none runs. */
export function statusOf(paths: Paths): Promise<DaemonStatus | undefined> {
  return ask(paths, { path: "/v1/status", answer: daemonStatus });
}

/** The sessions that a living daemon holds now, and those of other machines, of which nobody here can tell. */
export async function openSessions(paths: Paths): Promise<ReadonlySet<string>> {
  const status = await statusOf(paths);
  const here = status?.sessions.filter((session) => session.state !== "ended").map(({ session }) => session) ?? [];
  return new Set([...here, ...sessionsElsewhere(auditFolder(paths), here).map(({ session }) => session)]);
}

/**
 * Tells the daemon that stored keys or sign-ins have changed, so that it reads them again. Does nothing where no daemon runs.
 * @param signedIn start URL of a sign-in that the keyring has now
 */
export async function tellDaemonToForget(paths: Paths, signedIn?: string): Promise<void> {
  await ask(paths, { path: "/v1/forget", body: signedIn === undefined ? {} : { signedIn }, answer: forgetReply });
}

/** Makes the daemon forget its MFA codes: the next launch asks for one. Gives the devices whose codes were forgotten. */
export async function forgetMfaOfDaemon(paths: Paths): Promise<readonly string[]> {
  return (await ask(paths, { path: "/v1/forget", body: { mfa: true }, answer: forgetReply }))?.mfaForgotten ?? [];
}

/** Gives the daemon a sign-in that no keyring keeps. Starts a daemon where none runs, for its memory is the only place for it. Throws AgentRunError. */
export async function giveSignInToDaemon(context: Context, session: string): Promise<void> {
  await connectOrStart(context.paths, { startCommand: startCommand(context), version: context.version });
  const reply = await ask(context.paths, { path: "/v1/sign-in", body: { session }, answer: signInReply });
  if (!reply?.kept) throw new AgentRunError("daemon", "the daemon did not keep the sign-in", { hint: "agent-run daemon logs" });
}

/** Ends a sign-in that the daemon holds. Gives whether the daemon alone had it. */
export async function endSignInOfDaemon({ paths, env }: Context, startUrl: string): Promise<boolean> {
  const request = { startUrl, source: sourceEnvironment(env) };
  return (await ask(paths, { path: "/v1/sign-out", body: request, answer: signOutReply, limitMs: SIGN_OUT_MS }))?.wasHere ?? false;
}
