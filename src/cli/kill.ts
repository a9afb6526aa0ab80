// `agent-run kill`: ends sessions from anywhere, and denies their keys in IAM; says what is cut and what is not.
import { readSession } from "../audit/verify.ts";
import { documentForAdministrator, singleName } from "../aws/revoke/deny.ts";
import type { KillReply } from "../control/requests.ts";
import { AgentRunError, messageOf } from "../core/error.ts";
import { isSessionId, type SessionId, typedSession } from "../core/id.ts";
import { auditFolder, type Paths } from "../core/paths.ts";
import { oneLine } from "../core/printable.ts";
import { isBuried } from "../session/tombstones.ts";
import { statusOf } from "./ask-daemon.ts";
import { atMost, type Command, type Context, textValue, type Values } from "./command.ts";
import { confirm } from "./confirm.ts";
import { revokeElsewhere } from "./kill-elsewhere.ts";
import { killHere, type Wanted } from "./kill-here.ts";
import { forgottenText } from "./mfa-lines.ts";
import { isDenied, progressLines, withReport } from "./revocation-lines.ts";

/** How a session was ended. `lost`: its daemon had died, and the daemon that followed ended it. */
type Killed = KillReply["killed"][number] & { readonly lost?: boolean };

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
    const { reply, lost, left } = await killHere(paths, wanted);
    let killed: Killed[] = reply?.killed ?? [];
    if (killed.length === 0 && wanted.session !== "all") killed = [await killElsewhere(wanted.session, values, context)];
    else killed = await Promise.all(killed.map((one) => lastResort(one, values, context)));
    if (values["all"] === true) killed.push(...(await Promise.all(lost.map((session) => denyLost(session, values, context)))));
    if (values["json"] === true) print.json(killed);
    else if (killed.length > 0) for (const one of killed) report(one, context);
    else if (!reply?.left && left.length === 0) print.note(values["all"] === true ? "no session runs" : "no such session runs");
    for (const serial of reply?.mfaForgotten ?? []) print.note(forgottenText(serial));
    for (const session of reply?.left ?? []) print.note(`${session} began after this command and goes on: agent-run kill ${session}`);
    for (const session of left)
      print.warn(`${session} is left by a daemon that died, and nobody has ended it yet: agent-run daemon start, which does`);
    return left.length > 0 || killed.some(({ revocations = [] }) => revocations.some(({ state }) => state === "failed")) ? 1 : 0;
  },
};

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

/** Denies the keys of a session that a later daemon ended: that one denies nothing, so the human's own credentials are used. */
async function denyLost(session: string, values: Values, context: Context): Promise<Killed> {
  try {
    return { ...(await killElsewhere(session, values, context)), lost: true };
  } catch (error) {
    return { session, endpointClosedMs: 0, notes: [`not denied at AWS: ${messageOf(error)}`], lost: true };
  }
}

/** What the audit knows of the session: the profile that it was run under, and its role unless it was killed before. */
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

function report({ session, lost, endpointClosedMs, agentGoneMs, keysExpireAt, revocations = [], notes }: Killed, { print }: Context): void {
  const gone = lost === true ? "had lost its daemon, and was ended" : "does not run here";
  print.text(`${session} ${agentGoneMs === undefined ? gone : "killed"}`);
  const cutMs = agentGoneMs === undefined ? undefined : endpointClosedMs;
  for (const line of progressLines({ cutMs, goneMs: agentGoneMs, revocations })) print.text(`  ${line}`);
  if (keysExpireAt !== undefined && !isDenied(revocations))
    print.text(`  not revoked at AWS: keys it fetched stay valid until ${new Date(keysExpireAt).toISOString()}`);
  for (const note of notes) print.text(`  ${oneLine(note)}`);
}

/** Prints the policy that an administrator would attach, on stdout alone; how to attach it goes to stderr. */
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
