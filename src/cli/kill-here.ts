// A kill by the daemon that holds the session, or by the one that takes over from a daemon that died. Called by kill.ts.
import { readdirSync } from "node:fs";
import { readSession } from "../audit/verify.ts";
import { type KillReply, killReply } from "../control/requests.ts";
import { ask } from "../control/start-daemon.ts";
import { cutOffDaemon, heldElsewhere } from "../control/state-holder.ts";
import { began } from "../core/began.ts";
import { sleep } from "../core/clock.ts";
import { AgentRunError } from "../core/error.ts";
import { isSessionId } from "../core/id.ts";
import { auditFolder, type Paths } from "../core/paths.ts";
import { statusOf } from "./ask-daemon.ts";

/** Longer than the longest grace that a profile is likely to give its agent, and than a revocation is looked after. */
const KILL_LIMIT_MS = 150_000;

/** As long as a session whose daemon died may take to be back, and the daemon that follows to end what does not come. */
const TAKEN_OVER_MS = 5000;
const ASK_AGAIN_MS = 200;

type Killed = KillReply["killed"][number];

export interface Wanted {
  /** A session id, or `all`. */
  readonly session: string;
  readonly actor?: string;
  readonly project?: string;
  readonly revokeAll?: boolean;
}

export interface KilledHere {
  /** The daemon's reply; undefined where no daemon holds a session that was meant. */
  readonly reply: KillReply | undefined;
  /** Sessions that nobody held, and that the daemon which followed their own has ended meanwhile. */
  readonly lost: readonly string[];
  /** Those of them that are not ended yet. */
  readonly left: readonly string[];
}

/**
 * Has the daemon that holds the sessions kill them. A session whose folder is there although no daemon knows it has lost its daemon just now: its launcher
 * starts another, which is waited for.
 * @throws AgentRunError `daemon` where one holds the state that nobody gets to, and as `ask`
 */
export async function killHere(paths: Paths, wanted: Wanted): Promise<KilledHere> {
  const until = performance.now() + TAKEN_OVER_MS;
  // Whoever names one session means that one, whenever it began.
  const typed = wanted.session === "all" ? began() : undefined;
  // Looked at before the daemon is asked: a session that it ends meanwhile is not in its answer.
  const lost = foldersOf(paths, wanted.session);
  const kill = (session: string): Promise<KillReply | undefined> =>
    ask(paths, { path: "/v1/kill", body: { ...wanted, session, typed }, answer: killReply, limitMs: KILL_LIMIT_MS }).catch(orNotHere);
  let reply = await kill(wanted.session);
  for (let cutOff = cutOffDaemon(paths); reply === undefined && cutOff !== undefined; cutOff = cutOffDaemon(paths)) {
    if (performance.now() > until) throw heldElsewhere(paths, cutOff, paths.runtime);
    await sleep(ASK_AGAIN_MS);
    reply = await kill(wanted.session);
  }
  const killed: Killed[] = [...(reply?.killed ?? [])];
  const later = new Set(reply?.left);
  const settled = new Set([...later, ...killed.map(({ session }) => session)]);
  // Only these: a session that begins meanwhile was not meant.
  const missing = (): string[] => lost.filter((id) => !settled.has(id));
  const there = (): string[] => {
    const folders = foldersOf(paths, wanted.session);
    return missing().filter((id) => folders.includes(id));
  };
  while (there().length > 0) {
    const held = (await statusOf(paths))?.sessions.map(({ session }) => session) ?? [];
    for (const id of missing().filter((one) => held.includes(one))) {
      const again = await kill(id);
      killed.push(...(again?.killed ?? []));
      for (const one of again?.left ?? []) later.add(one);
      // Also where it is of another agent or project.
      settled.add(id);
    }
    if (there().length === 0 || performance.now() > until) break;
    await sleep(ASK_AGAIN_MS);
  }
  const left = there();
  return {
    reply: killed.length > 0 || later.size > 0 ? { ...reply, killed, left: [...later] } : reply,
    lost: missing().filter((id) => !left.includes(id) && isLost(paths, id)),
    left,
  };
}

/** Sessions whose folder is there: the one, or for `all` every one. */
function foldersOf(paths: Paths, session: string): string[] {
  try {
    return readdirSync(paths.runtime).filter((name) => isSessionId(name) && (session === "all" || session === name));
  } catch {
    return [];
  }
}

/** For `catch`: nothing where the daemon has no such session. */
function orNotHere(error: unknown): undefined {
  if (!(error instanceof AgentRunError) || error.code !== "session-not-found") throw error;
}

/** Whether a later daemon ended the session as lost. One whose record has no end yet counts too, for the record comes last. */
function isLost(paths: Paths, session: string): boolean {
  try {
    const { records } = readSession(auditFolder(paths), session, new Set());
    return (records.findLast(({ kind }) => kind === "end")?.data["cause"] ?? "lost") === "lost";
  } catch {
    return true;
  }
}
