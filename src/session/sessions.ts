// All sessions of a daemon: opens them, ends them, and ends what a dead daemon left. The daemon's SessionHost.
import { openAudit } from "../audit/log.ts";
import { readSession } from "../audit/verify.ts";
import type { Lease } from "../control/lease.ts";
import type { Cause, DaemonMessage, LauncherMessage, OpenMessage } from "../control/protocol.ts";
import type { KillReply } from "../control/requests.ts";
import { toWireError } from "../control/wire-error.ts";
import { isLater } from "../core/began.ts";
import type { Clock } from "../core/clock.ts";
import { AgentRunError } from "../core/error.ts";
import { isSessionId, newSessionId, type SessionId } from "../core/id.ts";
import { thisMachine } from "../core/machine.ts";
import { auditFolder, type Paths, sessionFolder } from "../core/paths.ts";
import { forgetBases, forgetMfa, mfaSessions, signIns } from "../credentials/sources.ts";
import { signOut } from "../credentials/sso/portal.ts";
import { readSignIn } from "../credentials/sso/session.ts";
import { removeStandIns } from "../isolation/stand-ins.ts";
import { CleanUp } from "./clean-up.ts";
import { writeSessionFolder } from "./delivery.ts";
import type { SessionHost } from "./host.ts";
import { refuseOtherFolders } from "./other-folders.ts";
import { loadProfile, type Profile } from "./profile.ts";
import { Recovery } from "./recovery.ts";
import { Session } from "./session.ts";
import { SessionAudit } from "./session-audit.ts";
import { isBuried } from "./tombstones.ts";

export interface SessionsOptions {
  readonly paths: Paths;
  /** Where the shipped profiles are. */
  readonly packageFolder: string;
  readonly version: string;
  readonly clock: Clock;
  readonly log: (text: string) => void;
  /** Until what it gives is disposed, another daemon is started at once if this one dies. */
  readonly keep: () => Disposable;
}

/** The host that `runDaemon` is given. */
export function createSessions(options: SessionsOptions): SessionHost {
  const { paths, clock, log, keep } = options;
  const sessions = new Map<SessionId, Session>();
  const cleanUp = new CleanUp({ paths, clock, log });
  let leaving: Cause | undefined;

  const open = async (message: OpenMessage, lease: Lease<DaemonMessage, LauncherMessage>): Promise<void> => {
    if (leaving) throw new AgentRunError("daemon", "the daemon is leaving", { hint: "run the command again" });
    refuseOtherFolders(paths, message);
    const startsAt = Math.min(message.resume?.startedAt ?? Number.POSITIVE_INFINITY, clock.now());
    const profile = loadProfile(paths, options.packageFolder, message.overrides, { cwd: message.cwd, startsAt });
    const id = message.resume ? resumable(message.resume.session, message.resume.limitAt, profile) : newSessionId();
    // Taken before anything is made that would have to be cleaned up after a crash.
    using _ = keep();
    // Made before the launcher plans: from then on no other session's end removes the stand-ins that the plan counts on.
    if (!message.resume) writeSessionFolder(sessionFolder(paths, id), {});
    lease.send(planMessage(id, profile, sessionFolder(paths, id)));
    let trouble: string | undefined;
    let session: Session | undefined;
    const opening = openAudit(
      auditFolder(paths),
      id,
      {
        kind: message.resume ? "resumed" : "start",
        data: {
          actor: message.actor,
          profile: profile.name,
          repository: profile.repository,
          cwd: message.cwd,
          developer: message.developer,
          delivery: profile.delivery,
          isolation: profile.isolation.level,
          dryRun: message.dryRun,
          launcher: message.launcher,
          machine: { ...thisMachine() },
        },
      },
      {
        clock,
        onTrouble: (error) => {
          trouble = error?.message;
          session?.announce();
        },
      },
    );
    session = new Session({
      id,
      open: message,
      profile,
      lease,
      audit: new SessionAudit(opening),
      auditTrouble: () => trouble,
      paths,
      clock,
      version: options.version,
      onRevoked: (revoked, iam) => cleanUp.ended(revoked, iam),
    });
    sessions.set(id, session);
    if (leaving) void session.end(leaving);
    await session.start();
    await session.ended;
    sessions.delete(id);
    if (session.leavesCovered) removeCovered(id);
  };

  /** Removes the stand-ins that no launcher removes. While other sessions run they stay: the end of the last one removes them. */
  const removeCovered = (id: SessionId): void => {
    if (sessions.size > 0) return;
    for (const text of removeStandIns(paths.state, sessionFolder(paths, id))) log(text);
  };

  const recovery = new Recovery({ paths, clock, log, keep, isHeld: (id) => sessions.has(id), removeCovered });

  /** A session may come back only as it was: not ended, not killed, not past its limit, not with other limits. */
  const resumable = (id: string, limitAt: number, profile: Profile): SessionId => {
    const { records } = readSession(auditFolder(paths), id, new Set());
    const over = records.some((record) => record.kind === "kill" || record.kind === "end") || isBuried(paths, id) || limitAt <= clock.now();
    if (!isSessionId(id) || over || sessions.has(id) || recovery.isLost(id)) {
      throw new AgentRunError("session-not-found", `session ${id} has ended and cannot come back`, { hint: "start the agent again" });
    }
    // The agent can write the repository's file: a session that it narrowed must not come back wider.
    const repository = records.findLast((record) => record.kind === "start" || record.kind === "resumed")?.data["repository"];
    if (typeof repository === "string" && repository !== profile.repository) {
      throw new AgentRunError("session-not-found", `session ${id} cannot come back: the repository's .agent-run.toml has changed since`, {
        hint: "read it, agent-run trust, and start the agent again",
      });
    }
    return id;
  };

  const named = (which: string): Session => {
    const session = [...sessions.values()].find(({ id }) => id === which);
    if (!session) throw notHere(which);
    return session;
  };

  return {
    open(message, lease) {
      open(message, lease).catch((error: unknown) => {
        lease.send({ type: "failed", error: toWireError(error) });
        lease.close();
      });
    },

    views: () => [...sessions.values()].map((session) => session.view()),

    async kill({ session: which, actor, project, revokeAll = false, typed }): Promise<KillReply> {
      const meant = [...sessions.values()].filter((session) => {
        const view = session.view();
        return (
          (which === "all" || session.id === which) && view.actor === (actor ?? view.actor) && view.project === (project ?? view.project)
        );
      });
      const left = meant.filter(({ launcher }) => launcher !== undefined && typed !== undefined && isLater(launcher.started, typed));
      const chosen = meant.filter((session) => !left.includes(session));
      if (which !== "all" && meant.length === 0) throw notHere(which);
      // Whoever ends all sessions wants the next one to ask for a code again.
      const mfaForgotten = which === "all" && actor === undefined && project === undefined ? forgetMfa() : [];
      const killed = chosen.map(async (session) => {
        await session.end("killed", revokeAll);
        const { timings, notes, revocations } = session.ending;
        const { endpointClosedMs = 0, agentGoneMs } = timings;
        const { fetches, consoleOpened, delivery, credentialsExpireAt } = session.view();
        return {
          session: session.id,
          endpointClosedMs,
          ...(agentGoneMs === undefined ? {} : { agentGoneMs }),
          ...(fetches > 0 || consoleOpened || delivery === "env" ? { keysExpireAt: credentialsExpireAt } : {}),
          revocations: [...revocations],
          notes,
        };
      });
      return {
        killed: await Promise.all(killed),
        ...(left.length > 0 ? { left: left.map(({ id }) => id) } : {}),
        ...(mfaForgotten.length > 0 ? { mfaForgotten } : {}),
      };
    },

    async extend(which, byMs) {
      return named(which).extend(byMs);
    },

    forgetBases,
    mfaHeld: () => mfaSessions.held(),
    forgetMfa,
    async console(which) {
      return named(which).console();
    },

    signIns: () => signIns.onlyHere().map(({ startUrl }) => startUrl),

    keepSignIn(text) {
      const session = readSignIn(text);
      if (session) signIns.adopt(session);
      if (session) forgetBases();
      return session !== undefined;
    },

    dropSignIn: (startUrl) => void signIns.drop(startUrl),

    async endSignIn(startUrl, source) {
      const session = signIns.drop(startUrl);
      forgetBases();
      if (session) await signOut(session, source).catch(() => log("identity center was not told of a sign-out: it could not be reached"));
      return session !== undefined;
    },

    async endAll(cause) {
      leaving = cause;
      await Promise.all([...sessions.values()].map((session) => session.end(cause)));
    },

    async recover() {
      cleanUp.plan();
      recovery.begin();
    },
  };
}

const notHere = (which: string): AgentRunError =>
  new AgentRunError("session-not-found", `no session '${which}' runs here`, { hint: "agent-run ps", exitStatus: 1 });

/** What the launcher needs to prepare the agent's place while the daemon talks to AWS. */
function planMessage(session: SessionId, { isolation, pass, graceMs, killKey, notify }: Profile, folder: string): DaemonMessage {
  const { level, allow, write, hide, nested, network } = isolation;
  return {
    type: "plan",
    session,
    folder,
    isolation: { level, allow: [...allow], write: [...write], hide: [...hide], nested, network: [...network] },
    pass: [...pass],
    graceMs,
    killKey,
    notify,
  };
}
