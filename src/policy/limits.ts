// Conditions that a profile sets (regions, addresses, sizes, tags, hours), as the Deny statements that hold them. Called by session/profile.ts.
// A condition is a Deny, not part of an Allow, so that it also holds over what managed policies and the policies of resources allow.

/** A statement as IAM writes it. */
export interface DenyJson {
  readonly Effect: "Deny";
  readonly [element: string]: unknown;
}

export interface LabelledDeny {
  /** The setting it comes from. */
  readonly label: string;
  readonly statement: DenyJson;
}

export interface Limits {
  readonly regions?: readonly string[] | undefined;
  readonly source_ip?: readonly string[] | undefined;
  readonly source_vpc?: readonly string[] | undefined;
  readonly instance_types?: readonly string[] | undefined;
  readonly database_classes?: readonly string[] | undefined;
  readonly abac?: readonly Abac[] | undefined;
  readonly actors?: readonly ActorRule[] | undefined;
}

/** Actions that are for what belongs to the principal's own tag only. Exactly one of the three is set. */
export interface Abac {
  readonly actions: readonly string[];
  /** ARNs with `${aws:PrincipalTag/…}` in their path. */
  readonly resources?: readonly string[] | undefined;
  /** DynamoDB: the value that each leading key must have, such as `${aws:PrincipalTag/tenant}`. */
  readonly leading_key?: string | undefined;
  /** A tag that resource and principal must share. */
  readonly shared_tag?: string | undefined;
}

export interface ActorRule {
  readonly deny: readonly string[];
  /** Values of the session tag `agent-actor`; absent: any agent. */
  readonly actors?: readonly string[] | undefined;
}

/**
 * Services that have one endpoint for the world: their requests carry us-east-1, or the region of that endpoint, whatever the human chose
 * (AWS Control Tower guide, "Deny access to AWS based on the requested AWS Region").
 */
const GLOBAL = [
  "account:*",
  "budgets:*",
  "ce:*",
  "cloudfront:*",
  "globalaccelerator:*",
  "health:*",
  "iam:*",
  "organizations:*",
  "route53:*",
  "s3:ListAllMyBuckets",
  "sts:*",
  "support:*",
];

const only = <T>(list: readonly T[]): T | readonly T[] => (list.length === 1 && list[0] !== undefined ? list[0] : list);

const deny = (statement: Readonly<Record<string, unknown>>): DenyJson => ({
  Effect: "Deny",
  ...("NotResource" in statement ? {} : { Resource: "*" }),
  ...statement,
});

/** The Deny statements of a profile's conditions, each with the setting that it comes from. */
export function limitDenies(limits: Limits): LabelledDeny[] {
  const found: LabelledDeny[] = [];
  const put = (name: string, statement: Readonly<Record<string, unknown>>): void => {
    found.push({ label: `conditions.${name}`, statement: deny(statement) });
  };
  if (limits.regions) {
    put("regions", { NotAction: GLOBAL, Condition: { StringNotEquals: { "aws:RequestedRegion": only(limits.regions) } } });
  }
  const network = networkCondition(limits);
  if (network) put(limits.source_ip ? "source_ip" : "source_vpc", { Action: "*", Condition: network });
  if (limits.instance_types) {
    put("instance_types", {
      Action: "ec2:RunInstances",
      Resource: "arn:aws:ec2:*:*:instance/*",
      Condition: { StringNotLike: { "ec2:InstanceType": only(limits.instance_types) } },
    });
  }
  if (limits.database_classes) {
    put("database_classes", {
      Action: ["rds:CreateDBInstance*", "rds:ModifyDBInstance", "rds:RestoreDBInstance*"],
      // A change that leaves the class alone does not say one.
      Condition: { StringNotLike: { "rds:DatabaseClass": only(limits.database_classes) }, Null: { "rds:DatabaseClass": "false" } },
    });
  }
  for (const rule of limits.abac ?? []) for (const statement of abacDenies(rule)) put("abac", statement);
  for (const { deny: actions, actors } of limits.actors ?? []) {
    const key = "aws:PrincipalTag/agent-actor";
    put("actors", { Action: only(actions), Condition: actors ? { StringLike: { [key]: only(actors) } } : { Null: { [key]: "false" } } });
  }
  return found;
}

/**
 * A request through a VPC endpoint has no source address, one over the internet no VPC; what AWS does on the caller's behalf comes from AWS's own
 * addresses. So where both are set one of the two must be right, and calls on behalf are let through (IAM User Guide, "AWS: Denies access to AWS
 * based on the source IP").
 */
function networkCondition({ source_ip, source_vpc }: Limits): Readonly<Record<string, unknown>> | undefined {
  if (!source_ip && !source_vpc) return undefined;
  const exists = source_ip && source_vpc ? "IfExists" : "";
  return {
    ...(source_ip ? { [`NotIpAddress${exists}`]: { "aws:SourceIp": only(source_ip) } } : {}),
    ...(source_vpc ? { [`StringNotEquals${exists}`]: { "aws:SourceVpc": only(source_vpc) } } : {}),
    Bool: { "aws:ViaAWSService": "false" },
  };
}

/**
 * A tag that is not there makes the variable match nothing, so each of these denies then. Leading keys are several in one request: one that is
 * another's is enough, and a request without any (a scan) reads all.
 */
function abacDenies({ actions, resources, leading_key, shared_tag }: Abac): Readonly<Record<string, unknown>>[] {
  const Action = only(actions);
  if (resources) return [{ Action, NotResource: only(resources) }];
  if (leading_key !== undefined) {
    return [
      { Action, Condition: { "ForAnyValue:StringNotEquals": { "dynamodb:LeadingKeys": leading_key } } },
      { Action, Condition: { Null: { "dynamodb:LeadingKeys": "true" } } },
    ];
  }
  if (shared_tag === undefined) return [];
  return [{ Action, Condition: { StringNotEquals: { [`aws:ResourceTag/${shared_tag}`]: `\${aws:PrincipalTag/${shared_tag}}` } } }];
}

/** The Deny of everything after an instant, second by second as IAM compares. */
export function denyAfter(endsAt: number, actions: string | readonly string[] = "*"): DenyJson {
  return deny({ Action: actions, Condition: { DateGreaterThan: { "aws:CurrentTime": iso(endsAt) } } });
}

export function denyBefore(startsAt: number, actions: string | readonly string[]): DenyJson {
  return deny({ Action: actions, Condition: { DateLessThan: { "aws:CurrentTime": iso(startsAt) } } });
}

const iso = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`;
