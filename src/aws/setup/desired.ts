// What a profile's role is to be in the account: names, documents, limits. Pure. Read by plan.ts and by the templates.
import { AgentRunError } from "../../core/error.ts";
import { parsePolicy } from "../../policy/parse.ts";
import { fillPlaceholders, type PlaceholderValues, placeholdersOf } from "../../policy/placeholders.ts";

/** IAM user guide, "IAM and AWS STS quotas": characters of a managed policy and of a trust policy (default quota), white space not counted. */
const LONGEST_MANAGED_POLICY = 6144;
const LONGEST_TRUST_POLICY = 2048;
/** IAM API Reference, CreateRole: MaxSessionDuration in seconds. */
const SHORTEST_SESSION = 3600;
const LONGEST_SESSION = 43_200;

/** Tells what set-up made from what somebody else did: only that is changed or removed. */
export const OWNER_TAG = { key: "managed-by", value: "agent-run" } as const;

export interface ManagedDocument {
  readonly name: string;
  readonly arn: string;
  readonly description: string;
  /** The policy as JSON without white space. */
  readonly text: string;
}

export interface DesiredRole {
  readonly profile: string;
  readonly account: string;
  readonly partition: string;
  readonly name: string;
  readonly arn: string;
  readonly description: string;
  readonly maxSessionSeconds: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly trust: string;
  readonly policy: ManagedDocument;
  readonly boundary: ManagedDocument | undefined;
}

export interface RoleTemplate {
  /** Name of the file, for errors. */
  readonly file: string;
  readonly text: string;
}

export interface RoleRequest {
  readonly profile: string;
  readonly account: string;
  readonly partition: string;
  readonly name: string;
  /** Who may assume it. */
  readonly principal: string;
  readonly externalId: string;
  /** Whether it is to be assumed with MFA only. */
  readonly mfa: boolean;
  readonly region: string | undefined;
  readonly maxTtlMs: number;
  readonly trust: RoleTemplate;
  readonly policy: RoleTemplate;
  readonly boundary: RoleTemplate | undefined;
  /** More placeholders: `--set NAME=value`. */
  readonly values: PlaceholderValues;
}

/**
 * The role of a profile. The role's policy is a managed one, so that the 10,240 characters of inline policies stay free for revocations.
 * @throws AgentRunError `profile` for a placeholder without a value or a document past IAM's limits, `policy` for what is no policy
 */
export function desiredRole(request: RoleRequest): DesiredRole {
  const { account, partition, name, profile } = request;
  if (!/^[\w+=,.@-]{1,64}$/.test(name)) {
    throw new AgentRunError("profile", `'${name}' cannot be the name of a role`, {
      hint: "pass --role-name with up to 64 of the characters A-Z a-z 0-9 _+=,.@-",
    });
  }
  const values = {
    ...request.values,
    PRINCIPAL_ARN: request.principal,
    EXTERNAL_ID: request.externalId,
    ACCOUNT_ID: account,
    PARTITION: partition,
    ...(request.region === undefined ? {} : { REGION: request.region }),
  };
  const document = (suffix: string, template: RoleTemplate, what: string): ManagedDocument => ({
    name: `${name}${suffix}`,
    arn: `arn:${partition}:iam::${account}:policy/${name}${suffix}`,
    description: `${what} of ${name}, by agent-run setup ${profile}`,
    text: filled(template, values, "identity", LONGEST_MANAGED_POLICY),
  });
  const trust = filled(request.trust, values, "resource", LONGEST_TRUST_POLICY);
  return {
    profile,
    account,
    partition,
    name,
    arn: `arn:${partition}:iam::${account}:role/${name}`,
    description: `Restricted role for AI coding agents, profile ${profile} of agent-run`,
    maxSessionSeconds: Math.min(Math.max(Math.ceil(request.maxTtlMs / 1000), SHORTEST_SESSION), LONGEST_SESSION),
    tags: { Purpose: "ai-agent", [OWNER_TAG.key]: OWNER_TAG.value, "agent-run-profile": profile },
    trust: request.mfa ? filled(withMfa({ file: request.trust.file, text: trust }), values, "resource", LONGEST_TRUST_POLICY) : trust,
    policy: document("", request.policy, "permissions"),
    boundary: request.boundary && document("-boundary", request.boundary, "permissions boundary"),
  };
}

/** Each Allow of AssumeRole under the further condition that the caller's own session began with MFA (IAM user guide, "MFA-protected API access"). */
function withMfa({ file, text }: RoleTemplate): RoleTemplate {
  const policy: TrustJson = JSON.parse(text);
  const Statement = [policy.Statement].flat().map((statement) => {
    if (statement.Effect !== "Allow" || ![statement.Action].flat().some((action) => ASSUMES.test(action ?? "*"))) return statement;
    const { Bool, ...others } = statement.Condition ?? {};
    return { ...statement, Condition: { ...others, Bool: { ...Bool, "aws:MultiFactorAuthPresent": "true" } } };
  });
  return { file, text: JSON.stringify({ ...policy, Statement }) };
}

/** `sts:AssumeRole` in any spelling that covers it; without an `Action` it is `NotAction`, which covers too much to be left out. */
const ASSUMES = /^(\*|sts:(\*|a.*))$/i;

interface TrustStatement {
  readonly Effect: string;
  readonly Action?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}
interface TrustJson {
  readonly Statement: TrustStatement | readonly TrustStatement[];
}

function filled(template: RoleTemplate, values: PlaceholderValues, kind: "identity" | "resource", longest: number): string {
  const names = placeholdersOf(template.text);
  const unknown = names.find((name) => !Object.hasOwn(values, name));
  if (unknown !== undefined) {
    throw new AgentRunError("profile", `${template.file}: nothing is known to put in place of \${${unknown}}`, {
      hint: `pass --set ${unknown}=<value>`,
    });
  }
  const text = names.length === 0 ? template.text : JSON.stringify(fillPlaceholders(template.text, values, template.file));
  parsePolicy(text, template.file, { kind });
  const compact = JSON.stringify(JSON.parse(text));
  const length = compact.replaceAll(/\s/g, "").length;
  if (length > longest) {
    throw new AgentRunError("profile", `${template.file} has ${length} characters without white space; IAM takes ${longest}`, {
      hint: "merge statements, or shorten lists with wildcards such as ec2:Describe*",
    });
  }
  return compact;
}
