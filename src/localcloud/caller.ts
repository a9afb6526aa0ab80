// Who makes a call, as ARNs, ids and condition keys show it. Made by pipeline.ts, read by every handler.
import type { Instant } from "../core/clock.ts";
import type { PolicyDocument, PolicySet, RequestContext } from "../policy/types.ts";
import type { AccessKey, Account, Permissions, Role, Session, User } from "./account.ts";

export type CallerType = "Account" | "User" | "AssumedRole" | "FederatedUser";

export interface Caller {
  /** `aws:PrincipalType` */
  readonly type: CallerType;
  readonly arn: string;
  /** `AIDA…`, `AROA…:session`, `123456789012:name`, or the account for root: `aws:userid`. */
  readonly userId: string;
  /** ARN of the user or role behind a session: `aws:PrincipalArn`. */
  readonly principalArn: string;
  readonly accessKeyId: string;
  readonly holder: User | Role | undefined;
  readonly session: Session | undefined;
}

export function callerOf(account: Account, key: AccessKey): Caller {
  const { holder, session, accessKeyId } = key;
  const common = { accessKeyId, holder, session };
  if (!holder) {
    const arn = account.arn("root");
    return { ...common, type: "Account", arn, userId: account.id, principalArn: arn };
  }
  if (session?.kind === "role") {
    const arn = account.sessionArn(`assumed-role/${holder.name}/${session.name}`);
    return { ...common, type: "AssumedRole", arn, userId: `${holder.id}:${session.name}`, principalArn: holder.arn };
  }
  if (session?.kind === "federated") {
    const arn = account.sessionArn(`federated-user/${session.name}`);
    return { ...common, type: "FederatedUser", arn, userId: `${account.id}:${session.name}`, principalArn: arn };
  }
  return { ...common, type: "User", arn: holder.arn, userId: holder.id, principalArn: holder.arn };
}

const NOTHING: Permissions = { identity: [], boundary: undefined, trust: undefined };
const ROOT: PolicyDocument = {
  source: "the account's root user",
  version: "2012-10-17",
  statements: [
    {
      index: 0,
      sid: undefined,
      effect: "Allow",
      action: ["*"],
      notAction: undefined,
      resource: ["*"],
      notResource: undefined,
      principal: undefined,
      notPrincipal: undefined,
      conditions: [],
    },
  ],
};

/** The policies that bound this caller at `now`; a federated user without a session policy may do nothing (STS API, GetFederationToken). */
export function policiesOf(account: Account, caller: Caller, now: Instant): PolicySet {
  const { holder, session } = caller;
  if (!holder) return { identity: [ROOT] };
  const known = (holder.kind === "user" ? account.users : account.roles).get(holder.name) === holder;
  const permissions = (known ? holder.permissions.at(now) : undefined) ?? NOTHING;
  const policies = session?.kind === "federated" ? (session.policies ?? []) : session?.policies;
  return {
    identity: permissions.identity,
    ...(permissions.boundary && { boundary: permissions.boundary }),
    ...(policies && { session: policies }),
  };
}

/** The session's tags over those of its user or role: `aws:PrincipalTag/…`. */
export function principalTags(caller: Caller): Map<string, string> {
  return new Map([...(caller.holder?.tags ?? []), ...(caller.session?.tags ?? [])]);
}

/** Condition keys about the caller. IAM user guide, "AWS global condition context keys", properties of the principal and of a role session. */
export function callerContext(account: Account, caller: Caller, now: Instant): RequestContext {
  const { session } = caller;
  const context: Record<string, string> = {
    "aws:PrincipalArn": caller.principalArn,
    "aws:PrincipalAccount": account.id,
    "aws:PrincipalType": caller.type,
    "aws:PrincipalIsAWSService": "false",
    "aws:userid": caller.userId,
    "aws:ViaAWSService": "false",
  };
  if (caller.type === "User" && caller.holder) context["aws:username"] = caller.holder.name;
  for (const [key, value] of principalTags(caller)) context[`aws:PrincipalTag/${key}`] = value;
  if (!session) return context;
  context["aws:TokenIssueTime"] = new Date(session.issuedAt).toISOString();
  context["aws:MultiFactorAuthPresent"] = String(session.mfaAt !== undefined);
  if (session.mfaAt !== undefined) context["aws:MultiFactorAuthAge"] = String(Math.floor((now - session.mfaAt) / 1000));
  if (session.sourceIdentity !== undefined) context["aws:SourceIdentity"] = session.sourceIdentity;
  return context;
}
