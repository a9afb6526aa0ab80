// What of a profile's role is in the account already. Read only. Called by cli/setup.ts before and after it changes anything.
import type { IAMClient, Tag } from "@aws-sdk/client-iam";
import type { DesiredRole, ManagedDocument } from "./desired.ts";

export interface FoundPolicy {
  readonly arn: string;
  readonly text: string;
  readonly defaultVersion: string;
  /** Ids of the other versions, oldest first. */
  readonly otherVersions: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
}

export interface FoundRole {
  readonly arn: string;
  readonly trust: string;
  readonly description: string;
  readonly maxSessionSeconds: number;
  readonly boundaryArn: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly attached: readonly string[];
  readonly inline: readonly string[];
}

export interface Found {
  readonly role: FoundRole | undefined;
  readonly policy: FoundPolicy | undefined;
  readonly boundary: FoundPolicy | undefined;
}

/** @throws what the SDK throws, such as AccessDenied of iam:GetRole */
export async function readFound(iam: IAMClient, desired: DesiredRole): Promise<Found> {
  const [role, policy, boundary] = await Promise.all([
    findRole(iam, desired.name),
    findPolicy(iam, desired.policy),
    desired.boundary && findPolicy(iam, desired.boundary),
  ]);
  return { role, policy, boundary };
}

/** A role by its name in the client's account; undefined when there is none. @throws what the SDK throws */
export async function findRole(iam: IAMClient, RoleName: string): Promise<FoundRole | undefined> {
  const { GetRoleCommand, ListAttachedRolePoliciesCommand, ListRolePoliciesCommand } = await import("@aws-sdk/client-iam");
  const role = (await unlessMissing(iam.send(new GetRoleCommand({ RoleName }))))?.Role;
  if (!role) return undefined;
  const attached = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName, MaxItems: 1000 }));
  const inline = await iam.send(new ListRolePoliciesCommand({ RoleName, MaxItems: 1000 }));
  return {
    arn: role.Arn ?? "",
    trust: decodeURIComponent(role.AssumeRolePolicyDocument ?? ""),
    description: role.Description ?? "",
    maxSessionSeconds: role.MaxSessionDuration ?? 3600,
    boundaryArn: role.PermissionsBoundary?.PermissionsBoundaryArn,
    tags: tagRecord(role.Tags),
    attached: (attached.AttachedPolicies ?? []).flatMap(({ PolicyArn }) => PolicyArn ?? []),
    inline: inline.PolicyNames ?? [],
  };
}

async function findPolicy(iam: IAMClient, { arn: PolicyArn }: ManagedDocument): Promise<FoundPolicy | undefined> {
  const { GetPolicyCommand, GetPolicyVersionCommand, ListPolicyVersionsCommand } = await import("@aws-sdk/client-iam");
  const policy = (await unlessMissing(iam.send(new GetPolicyCommand({ PolicyArn }))))?.Policy;
  if (!policy) return undefined;
  const VersionId = policy.DefaultVersionId ?? "v1";
  const { PolicyVersion: version } = await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId }));
  const { Versions: versions = [] } = await iam.send(new ListPolicyVersionsCommand({ PolicyArn }));
  const others = versions.flatMap(({ VersionId: id }) => (id === undefined || id === VersionId ? [] : id));
  return {
    arn: PolicyArn,
    text: decodeURIComponent(version?.Document ?? ""),
    defaultVersion: VersionId,
    otherVersions: others.sort((a, b) => Number(a.slice(1)) - Number(b.slice(1))),
    tags: tagRecord(policy.Tags),
  };
}

const tagRecord = (tags: readonly Tag[] = []): Record<string, string> =>
  Object.fromEntries(tags.map(({ Key, Value }) => [Key ?? "", Value ?? ""]));

async function unlessMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof Error && /^NoSuchEntity/.test(error.name)) return undefined;
    throw error;
  }
}
