// A session's keys denied in IAM, beside the agent's end: on its role, and on the roles that it may have gone on to. Started by end-at-aws.ts.
import type { SessionCredentials } from "../aws/credentials.ts";
import { parseArn } from "../aws/identity.ts";
import { canaryCall, chooseCanary } from "../aws/revoke/canary.ts";
import { revokeSession } from "../aws/revoke/revoke.ts";
import type { Cause, RevocationReport } from "../control/protocol.ts";
import type { Clock, Instant } from "../core/clock.ts";
import type { SessionId } from "../core/id.ts";
import { Secret } from "../core/secret.ts";
import { evaluate } from "../policy/evaluate.ts";
import { parsePolicyValue } from "../policy/parse.ts";
import type { PolicyDocument } from "../policy/types.ts";
import type { Grant } from "./grant.ts";
import type { Profile } from "./profile.ts";

export interface RevocationOptions {
  readonly session: SessionId;
  readonly profile: Profile;
  readonly grant: Grant;
  /** The newest keys of the session, a copy that is wiped at the end: what shows whether the deny holds. */
  readonly keys: SessionCredentials | undefined;
  readonly keysExpireAt: Instant;
  readonly revokeAll: boolean;
  /** Nobody waits until the deny holds: it is written, and looked at for a moment. */
  readonly briefly: boolean;
  readonly clock: Clock;
  readonly since: number;
  readonly onReport: (report: RevocationReport) => void;
}

/** A role that another role's session assumed gives it an hour at most (STS API reference, AssumeRole: role chaining). */
const CHAINED_MS = 3_600_000;
const LOAD_AHEAD_MS = 1500;

/** Whether an end of this cause revokes, as the profile wants it. Keys that nobody fetched need none. */
export function isRevoked({ revoke }: Profile, cause: Cause, handedOut: boolean): boolean {
  return handedOut && (revoke === "always" || (revoke === "kill" && cause === "killed"));
}

/**
 * Loads what a revocation needs, once the agent had time to start: at the kill itself it would keep the endpoint from answering for 50 ms. What is not there any
 * more (this version was replaced meanwhile) is told by the revocation that needs it.
 */
export function loadAhead(): void {
  const load = (): Promise<unknown> => import("@aws-sdk/client-iam").then(() => import("@aws-sdk/client-ec2"));
  setTimeout(() => void load().catch(() => undefined), LOAD_AHEAD_MS).unref();
}

/** Denies the session on all its roles, side by side. Never rejects; gives the last report for each. */
export async function revoke(options: RevocationOptions): Promise<RevocationReport[]> {
  const { session, profile, grant, keys, clock, since, onReport, revokeAll, keysExpireAt } = options;
  const { roleArn, base } = grant;
  try {
    if (profile.grant !== "assume-role") {
      const why = `what grant = "${profile.grant}" gives carries no session of a role that could be denied alone`;
      const report: RevocationReport = { role: roleArn, state: "failed", why, hint: "give agents a role of their own: agent-run setup" };
      onReport(report);
      return [report];
    }
    const action = chooseCanary(profile.sessionPolicy.document, grant.identity.arn, roleArn, profile.canary);
    const { briefly } = options;
    const looks = keys !== undefined && action !== undefined;
    const canary = looks ? { action, briefly, call: () => canaryCall(action, grant.connection, keys, roleArn) } : undefined;
    const common = { session, base, iam: () => grant.iam(), clock, since, onReport };
    const chainedUntil = Math.max(keysExpireAt, clock.now() + CHAINED_MS);
    return await Promise.all([
      revokeSession({ ...common, roleArn, until: keysExpireAt, revokeAll, canary }),
      // Nobody but the agent holds keys of its sessions there, so that nobody can look.
      ...chainedRoles(profile, roleArn).map((role) => revokeSession({ ...common, roleArn: role, until: chainedUntil, revokeAll: false })),
    ]);
  } finally {
    wipe(keys);
  }
}

/** Keys to look with after the broker has overwritten its own. */
export function copyOf(keys: SessionCredentials | undefined): SessionCredentials | undefined {
  return (
    keys && { ...keys, secretAccessKey: new Secret(keys.secretAccessKey.reveal()), sessionToken: new Secret(keys.sessionToken.reveal()) }
  );
}

export function wipe(keys: SessionCredentials | undefined): void {
  keys?.secretAccessKey.wipe();
  keys?.sessionToken.wipe();
}

/** The roles that the session may have gone on to: those that the profile names, else those that its session policy names and allows. */
function chainedRoles(profile: Profile, roleArn: string): string[] {
  const own = parseArn(roleArn);
  const named = profile.chainedRoles.map((role) =>
    role.startsWith("arn:") ? role : `arn:${own?.partition}:iam::${own?.account}:role/${role}`,
  );
  const { document } = profile.sessionPolicy;
  const inPolicy = document.statements
    .flatMap(({ effect, resource }) => (effect === "Allow" ? (resource ?? []) : []))
    .filter((arn) => /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/.test(arn) && mayAssume(document, arn));
  return [...new Set(named.length > 0 ? named : inPolicy)].filter((role) => role !== roleArn);
}

/** Whether the session policy leaves some role open that nobody names: then sessions there may live on. */
export function mayGoOn({ sessionPolicy }: Profile, roleArn: string): boolean {
  return mayAssume(sessionPolicy.document, `arn:aws:iam::${parseArn(roleArn)?.account}:role/any-other`);
}

const anything = parsePolicyValue({ Version: "2012-10-17", Statement: { Effect: "Allow", Action: "*", Resource: "*" } }, "any role");

function mayAssume(session: PolicyDocument, role: string): boolean {
  const request = { principal: role.replace(":role/", ":user/"), action: "sts:AssumeRole", resource: role, context: {} };
  return evaluate(request, { identity: [anything], session: [session] }).outcome === "allowed";
}
