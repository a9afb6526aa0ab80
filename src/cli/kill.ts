// `agent-run kill`: ends sessions from anywhere, and denies their keys in IAM; says what is cut and what is not.
import { readdirSync } from "node:fs";
import { readSession } from "../audit/verify.ts";
import { documentForAdministrator, singleName } from "../aws/revoke/deny.ts";
import { type KillReply, killReply } from "../control/requests.ts";
import { ask } from "../control/start-daemon.ts";
import { cutOffDaemon } from "../control/state-holder.ts";
import { began } from "../core/began.ts";
import { sleep } from "../core/clock.ts";
import { AgentRunError } from "../core/error.ts";
import { isSessionId, type SessionId, typedSession } from "../core/id.ts";
import { auditFolder, type Paths } from "../core/paths.ts";
import { oneLine } from "../core/printable.ts";
import { isBuried } from "../session/tombstones.ts";
import { statusOf } from "./ask-daemon.ts";
import { atMost, type Command, type Context, textValue, type Values } from "./command.ts";
import { confirm } from "./confirm.ts";
import { revokeElsewhere } from "./kill-elsewhere.ts";
import { forgottenText } from "./mfa-lines.ts";
import { isDenied, progressLines, withReport } from "./revocation-lines.ts";

/** Longer than the longest grace that a profile is likely to give its agent, and than a revocation is looked after. */
const KILL_LIMIT_MS = 150_000;

/** As long as a session whose daemon died may take to be back, and the daemon that follows to end what does not come. */
const TAKEN_OVER_MS = 5000;
const ASK_AGAIN_MS = 200;

type Killed = KillReply["killed"][number];

export const kill: Command = {
  name: "kill",
  outside: true,
  usage: "kill <session>|--all|--actor <agent>|--project <name> [--role <arn>] [--revoke-all] [--print-policy] [--json]",
  summary: "end a session now, from anywhere, and deny its keys at AWS",
  description:
    "At once, and without network: the session's endpoint serves no credential any more. Then, side by side, the agent is\n" +
    "asked to leave (SIGHUP, SIGTERM) and after its grace ended (SIGKILL), and the keys that it had fetched are denied in\n" +
    'IAM by an inline policy on the role (not with revoke = "never"). The report says how long each took, and what could\n' +
    "not be done. A session that no daemon here holds, of another machine too, is denied with its role's --role.",
  options: [
    { name: "all", help: "every session of yours on this machine that began before" },
    { name: "actor", value: "<agent>", help: "those of this agent: claude" },
    { name: "project", value: "<name>", help: "those of this project" },
    { name: "role", value: "<arn>", multiple: true, help: "deny it on this role though it does not run here; repeatable" },
    { name: "revoke-all", help: "where the role is full: deny every session of it that began until now" },
    { name: "print-policy", help: "end nothing; print what an administrator would attach" },
    { name: "aws-profile", value: "<name>", help: "with --role: your own credentials" },
    { name: "region", value: "<region>", help: "with --role: the region of your AWS" },
    { name: "json", help: "the report as JSON" },
  ],
  examples: [
    ["agent-run kill sess_a8f3b21c", "ends this one; a8f3b21c, as on the bar, does too"],
    ["agent-run kill --all", "ends all"],
    ["agent-run kill --actor claude", "ends all of claude's"],
    ["agent-run kill sess_a8f3b21c --role arn:aws:iam::123456789012:role/agent", "denies one of another machine"],
    ["agent-run kill sess_a8f3b21c --print-policy", "for an administrator"],
  ],
  async run(values, words, context) {
    const wanted = selection(values, words);
    const { paths, print } = context;
    if (values["print-policy"] === true) return await printPolicy(wanted, context);
    const reply = await killHere(paths, wanted);
    let killed: Killed[] = reply?.killed ?? [];
    if (killed.length === 0 && wanted.session !== "all") killed = [await killElsewhere(wanted.session, values, context)];
    else killed = await Promise.all(killed.map((one) => lastResort(one, values, context)));
    if (values["json"] === true) print.json(killed);
    else if (killed.length > 0) for (const one of killed) report(one, context);
    else if (!reply?.left) print.note(values["all"] === true ? "no session runs" : "no such session runs");
    for (const serial of reply?.mfaForgotten ?? []) print.note(forgottenText(serial));
    for (const session of reply?.left ?? []) print.note(`${session} began after this command and goes on: agent-run kill ${session}`);
    return killed.some(({ revocations = [] }) => revocations.some(({ state }) => state === "failed")) ? 1 : 0;
  },
};

interface Wanted {
  /** A session id, or `all`. */
  readonly session: string;
  readonly actor?: string;
  readonly project?: string;
  readonly revokeAll?: boolean;
}

function selection(values: Values, words: readonly string[]): Wanted {
  atMost(words, 1, "kill");
  const session = words[0] === undefined ? undefined : typedSession(words[0]);
  const actor = textValue(values, "actor");
  const project = textValue(values, "project");
  const some = values["all"] === true || actor !== undefined || project !== undefined;
  if (some === (session !== undefined)) {
    throw new AgentRunError("usage", some ? "both a session and --all" : "which session?", {
      hint: "agent-run kill <session>, or agent-run kill --all",
      exitStatus: 2,
    });
  }
  return {
    session: session ?? "all",
    ...(actor === undefined ? {} : { actor }),
    ...(project === undefined ? {} : { project }),
    ...(values["revoke-all"] === true ? { revokeAll: true } : {}),
  };
}

/**
 * What the daemon that holds it says. A session whose folder is there while no daemon knows it has lost its own just now: its launcher brings another.
 */
async function killHere(paths: Paths, wanted: Wanted): Promise<KillReply | undefined> {
  const until = performance.now() + TAKEN_OVER_MS;
  // Who names one session knows it.
  const typed = wanted.session === "all" ? began() : undefined;
  const kill = (session: string): Promise<KillReply | undefined> =>
    ask(paths, { path: "/v1/kill", body: { ...wanted, session, typed }, answer: killReply, limitMs: KILL_LIMIT_MS }).catch(orNotHere);
  let reply = await kill(wanted.session);
  for (let cutOff = cutOffDaemon(paths); reply === undefined && cutOff !== undefined; cutOff = cutOffDaemon(paths)) {
    if (performance.now() > until) {
      throw new AgentRunError("daemon", `process ${cutOff} is a daemon that nobody gets to, and may hold sessions`, {
        hint: `kill ${cutOff}`,
      });
    }
    await sleep(ASK_AGAIN_MS);
    reply = await kill(wanted.session);
  }
  if (reply !== undefined && reply.killed.length > 0) return reply;
  const left = new Set(reply?.left);
  // Those alone: a session that begins meanwhile was not meant.
  const lost = foldersOf(paths, wanted.session);
  const killed: Killed[] = [];
  const missing = (): string[] => lost.filter((id) => !left.has(id) && !killed.some(({ session }) => session === id));
  while (foldersOf(paths, wanted.session).some((id) => missing().includes(id)) && performance.now() < until) {
    await sleep(ASK_AGAIN_MS);
    for (const id of missing()) {
      const again = await kill(id);
      killed.push(...(again?.killed ?? []));
      for (const later of again?.left ?? []) left.add(later);
    }
  }
  return killed.length > 0 || left.size > 0 ? { ...reply, killed, left: [...left] } : reply;
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

/** A session that runs nowhere here: denied on the roles that are named, else on that which the audit knows it had. */
async function killElsewhere(session: string, values: Values, context: Context): Promise<Killed> {
  const named = values["role"];
  const known = isSessionId(session) ? recorded(context.paths, session) : undefined;
  const roles = !isSessionId(session) ? [] : Array.isArray(named) ? named : known?.role === undefined ? [] : [known.role];
  if (!isSessionId(session) || roles.length === 0) {
    throw new AgentRunError("session-not-found", `no session '${session}' runs here`, {
      hint: "agent-run ps; to deny one of another machine, name its role with --role",
      exitStatus: 1,
    });
  }
  return { session, endpointClosedMs: 0, ...(await revokeElsewhere(session, roles, values, context, known?.profile)) };
}

/** What the audit knows of it: the profile that it was run under, and its role, unless it was killed before. */
function recorded(paths: Paths, session: SessionId): { readonly profile?: string; readonly role?: string } {
  try {
    const { records } = readSession(auditFolder(paths), session, new Set());
    const profile = records[0]?.data["profile"];
    const role = records.findLast(({ kind }) => kind === "identity")?.data["role"];
    return {
      ...(typeof profile === "string" ? { profile } : {}),
      ...(typeof role === "string" && !isBuried(paths, session) ? { role } : {}),
    };
  } catch {
    return {};
  }
}

/** Asks whether to deny the whole role where there was no room for the one session. */
async function lastResort(killed: Killed, values: Values, context: Context): Promise<Killed> {
  const { stdin, stderr } = context.streams;
  if (values["revoke-all"] === true || values["json"] === true || !stdin.isTTY || !stderr.isTTY) return killed;
  let { revocations = [], notes } = killed;
  for (const { role, why, hint } of revocations) {
    if (!hint?.includes("--revoke-all")) continue;
    context.print.warn(`${killed.session}: ${why}`);
    if (!(await confirm(context, `deny every session of ${role} that began until now?`, "--revoke-all"))) continue;
    const again = await revokeElsewhere(
      killed.session as SessionId,
      [role],
      { ...values, "revoke-all": true },
      context,
      recorded(context.paths, killed.session as SessionId).profile,
    );
    for (const report of again.revocations) revocations = withReport(revocations, report);
    notes = [...notes, ...again.notes];
  }
  return { ...killed, revocations, notes };
}

function report({ session, endpointClosedMs, agentGoneMs, keysExpireAt, revocations = [], notes }: Killed, { print }: Context): void {
  print.text(agentGoneMs === undefined ? `${session} does not run here` : `${session} killed`);
  const cutMs = agentGoneMs === undefined ? undefined : endpointClosedMs;
  for (const line of progressLines({ cutMs, goneMs: agentGoneMs, revocations })) print.text(`  ${line}`);
  if (keysExpireAt !== undefined && !isDenied(revocations))
    print.text(`  not revoked at AWS: keys it fetched stay valid until ${new Date(keysExpireAt).toISOString()}`);
  for (const note of notes) print.text(`  ${oneLine(note)}`);
}

/** What an administrator would attach, to stdout alone; how, to the human. */
async function printPolicy(wanted: Wanted, { paths, print }: Context): Promise<number> {
  const running = (await statusOf(paths))?.sessions ?? [];
  const chosen = running.filter(
    ({ session, actor, project }) =>
      (wanted.session === "all" || session === wanted.session) &&
      actor === (wanted.actor ?? actor) &&
      project === (wanted.project ?? project),
  );
  const sessions = wanted.session === "all" ? chosen.map(({ session }) => session) : [wanted.session];
  const [first] = sessions;
  if (first === undefined || !sessions.every(isSessionId)) {
    throw new AgentRunError("session-not-found", "no such session", { hint: "agent-run ps", exitStatus: 1 });
  }
  print.out(documentForAdministrator(sessions));
  const name = sessions.length === 1 ? singleName(first as SessionId) : "agent-run-revoke-by-hand";
  print.note(
    `attach it to the role: aws iam put-role-policy --role-name <role> --policy-name ${name} --policy-document file://policy.json`,
  );
  print.note("take it away when the last of their keys has expired");
  return 0;
}
