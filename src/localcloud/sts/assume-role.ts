// AssumeRole: who may become which role, with what name, tags and source identity, and for how long. Called by sts.ts.
// Source: STS API Reference, AssumeRole; IAM user guide, "Pass session tags in AWS STS", "Monitor and control actions taken with assumed roles".
import type { PolicyDocument, RequestContext } from "../../policy/types.ts";
import type { Role, Session } from "../account.ts";
import { decide, refusal } from "../authorize.ts";
import type { Call } from "../call.ts";
import { AwsFault, constraint } from "../fault.ts";
import type { Params } from "../params.ts";
import { isoSeconds } from "../trail.ts";
import type { XmlTree } from "../xml.ts";
import { checkName, duration, mfa, type SessionPolicies, sessionPolicies, sessionTags } from "./inputs.ts";
import { credentials, lifetime } from "./issue.ts";

const LONGEST_SECONDS = 43_200;
const CHAINED_SECONDS = 3600;
const DEFAULT_SECONDS = 3600;

/** @throws AwsFault everything that STS says no with */
export function assumeRole(call: Call, params: Params): XmlTree {
  const arn = params.required("RoleArn");
  if (arn.length < 20) throw constraint(arn, "roleArn", "have length greater than or equal to 20");
  if (!/^arn:aws[\w-]*:iam::\d{12}:role\/.+$/.test(arn)) throw new AwsFault("ValidationError", 400, `${arn} is invalid`);
  const name = checkName(params.required("RoleSessionName"), "roleSessionName");
  const seconds = duration(params, LONGEST_SECONDS);
  const asked = params.get("SourceIdentity");
  if (asked !== undefined) checkName(asked, "sourceIdentity");
  const externalId = params.get("ExternalId");
  if (externalId !== undefined && !/^[\w+=,.@:/-]{2,1224}$/.test(externalId)) {
    throw constraint(externalId, "externalId", "satisfy regular expression pattern: [\\w+=,.@:\\/-]*");
  }
  const tags = chainTags(call, params);
  const policies = sessionPolicies(call, params, tags.all);
  if (call.caller.type === "Account") throw new AwsFault("AccessDenied", 403, "Roles may not be assumed by root accounts.");
  const sourceIdentity = chainSourceIdentity(call, asked);
  const mfaAt = mfa(call, params);
  const role = trusted(call, arn, { name, externalId, sourceIdentity, tags, mfa: mfaAt !== undefined });
  const lasting = allowedSeconds(call, role, seconds);
  return issue(call, role, lasting, { name, tags, sourceIdentity, policies, mfaAt });
}

interface ChainTags {
  readonly requested: ReadonlyMap<string, string>;
  /** Requested and inherited. */
  readonly all: ReadonlyMap<string, string>;
  readonly transitive: ReadonlySet<string>;
  readonly transitiveRequested: readonly string[];
}

/** The caller's transitive tags go on and cannot be replaced; the requested ones come on top. */
function chainTags(call: Call, params: Params): ChainTags {
  const requested = sessionTags(params);
  const keys = new Map([...requested.keys()].map((key) => [key.toLowerCase(), key]));
  const transitiveRequested = params.list("TransitiveTagKeys").map((key) => {
    const known = keys.get(key.toLowerCase());
    if (known === undefined) {
      throw new AwsFault("InvalidParameterValue", 400, "The specified transitive tag key must be included in the requested tags.");
    }
    return known;
  });
  const session = call.caller.session;
  const inherited = [...(session?.tags ?? [])].filter(([key]) => session?.transitive.has(key));
  if (inherited.some(([key]) => keys.has(key.toLowerCase()))) {
    throw new AwsFault(
      "InvalidParameterValue",
      400,
      "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
    );
  }
  return {
    requested,
    all: new Map([...inherited, ...requested]),
    transitive: new Set([...inherited.map(([key]) => key), ...transitiveRequested]),
    transitiveRequested,
  };
}

function chainSourceIdentity(call: Call, asked: string | undefined): string | undefined {
  const inherited = call.caller.session?.sourceIdentity;
  if (inherited !== undefined && asked !== undefined && asked !== inherited) {
    throw new AwsFault("ValidationError", 400, "The source identity is already set for this assume role session");
  }
  return inherited ?? asked;
}

interface Wish {
  readonly name: string;
  readonly externalId: string | undefined;
  readonly sourceIdentity: string | undefined;
  readonly tags: ChainTags;
  readonly mfa: boolean;
}

/**
 * The role, once its trust policy and the caller's own policies allow all that this request does. Each action sees the condition keys that
 * the service authorization reference lists for it: a request tag is no key of SetSourceIdentity, a session name none of TagSession.
 */
function trusted(call: Call, arn: string, wish: Wish): Role {
  const role = [...call.cloud.account.roles.values()].find((candidate) => candidate.arn === arn);
  const trust = role?.permissions.at(call.now)?.trust;
  const tagContext = requestTags(wish.tags);
  const source = wish.sourceIdentity === undefined ? {} : { "sts:SourceIdentity": wish.sourceIdentity };
  const external = wish.externalId === undefined ? {} : { "sts:ExternalId": wish.externalId };
  const withMfa = wish.mfa ? { "aws:MultiFactorAuthPresent": "true", "aws:MultiFactorAuthAge": "0" } : {};
  const resourceTags = Object.fromEntries([...(role?.tags ?? [])].map(([key, value]) => [`aws:ResourceTag/${key}`, value]));
  const common = { ...withMfa, ...resourceTags };
  const assume = { ...common, ...external, ...source, ...tagContext, "sts:RoleSessionName": wish.name };
  demand(call, arn, trust, "sts:AssumeRole", assume);
  if (wish.tags.all.size > 0) demand(call, arn, trust, "sts:TagSession", { ...common, ...tagContext });
  if (wish.sourceIdentity !== undefined) demand(call, arn, trust, "sts:SetSourceIdentity", { ...common, ...source });
  if (!role) throw new Error("a role without a trust policy was trusted");
  return role;
}

function requestTags(tags: ChainTags): RequestContext {
  const context: Record<string, string | string[]> = {};
  for (const [key, value] of tags.all) context[`aws:RequestTag/${key}`] = value;
  if (tags.all.size > 0) context["aws:TagKeys"] = [...tags.all.keys()];
  if (tags.transitive.size > 0) context["sts:TransitiveTagKeys"] = [...tags.transitive];
  return context;
}

/** The trust policy must allow it, and where it does not name the caller, the caller's own policies too. STS gives a reason for an explicit deny only. */
function demand(call: Call, resource: string, trust: PolicyDocument | undefined, action: string, context: RequestContext): void {
  const need = { action, resource, context };
  const decision = decide(call, need, trust ? [trust] : []);
  if (decision.outcome === "allowed") return;
  if (decision.outcome === "explicitDeny") throw refusal(call, need, decision);
  throw new AwsFault("AccessDenied", 403, `User: ${call.caller.arn} is not authorized to perform: ${action} on resource: ${resource}`);
}

function allowedSeconds(call: Call, role: Role, asked: number | undefined): number {
  const chained = call.caller.type === "AssumedRole";
  if (chained && asked !== undefined && asked > CHAINED_SECONDS) {
    const text = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.";
    throw new AwsFault("ValidationError", 400, text);
  }
  if (asked !== undefined && asked > role.maxSessionSeconds) {
    throw new AwsFault("ValidationError", 400, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
  }
  return asked ?? Math.min(DEFAULT_SECONDS, role.maxSessionSeconds);
}

interface Granted extends Omit<Wish, "externalId" | "mfa"> {
  readonly policies: SessionPolicies;
  readonly mfaAt: number | undefined;
}

function issue(call: Call, role: Role, seconds: number, granted: Granted): XmlTree {
  const { account } = call.cloud;
  const session: Session = {
    kind: "role",
    name: granted.name,
    ...lifetime(call, seconds),
    tags: granted.tags.all,
    transitive: granted.tags.transitive,
    sourceIdentity: granted.sourceIdentity,
    policies: granted.policies.documents,
    mfaAt: granted.mfaAt,
  };
  const key = account.issue(role, session);
  role.lastUsedAt = call.now;
  const arn = account.sessionArn(`assumed-role/${role.name}/${granted.name}`);
  const result = {
    Credentials: credentials(key),
    AssumedRoleUser: { AssumedRoleId: `${role.id}:${granted.name}`, Arn: arn },
    PackedPolicySize: granted.policies.packedPercent,
    SourceIdentity: granted.sourceIdentity,
  };
  noteAssumption(call, role, granted, { accessKeyId: key.accessKeyId, arn, expiresAt: session.expiresAt });
  return result;
}

/** In the record the tags are a map named principalTags, inherited ones apart; AWS shows the session token there too, we do not. */
function noteAssumption(call: Call, role: Role, granted: Granted, given: { accessKeyId: string; arn: string; expiresAt: number }): void {
  const { requested, all, transitiveRequested } = granted.tags;
  const inherited = [...all].filter(([key]) => !requested.has(key));
  const { tags: _tags, ...request } = call.notes.request as Record<string, unknown>;
  call.notes.request = {
    ...request,
    ...(requested.size > 0 && { principalTags: Object.fromEntries(requested) }),
    ...(inherited.length > 0 && { incomingTransitiveTags: Object.fromEntries(inherited) }),
    ...(transitiveRequested.length > 0 && { transitiveTagKeys: transitiveRequested }),
  };
  call.notes.response = {
    credentials: { accessKeyId: given.accessKeyId, expiration: isoSeconds(given.expiresAt) },
    assumedRoleUser: { assumedRoleId: `${role.id}:${granted.name}`, arn: given.arn },
    ...(granted.sourceIdentity !== undefined && { sourceIdentity: granted.sourceIdentity }),
  };
  call.notes.resources.push(
    { type: "AWS::IAM::AccessKey", name: given.accessKeyId },
    { type: "AWS::STS::AssumedRole", name: given.arn },
    { type: "AWS::IAM::Role", name: role.arn },
  );
}
