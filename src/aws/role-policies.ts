// A role's policies as IAM has them: inline, attached, boundary. Read only. Called by the restricted check, `policy lint` and `check`.
import type { IAMClient } from "@aws-sdk/client-iam";
import { AgentRunError } from "../core/error.ts";
import { parsePolicy } from "../policy/parse.ts";
import type { PolicyDocument, PolicySet } from "../policy/types.ts";
import { parseRoleArn } from "./identity.ts";

export interface RoleRead {
  readonly policies: PolicySet;
  /** The text of the trust policy; it is not parsed, so that one that we cannot read hinders nobody. */
  readonly trust: string;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * Reads what a role may do. Needs iam:GetRole, ListRolePolicies, GetRolePolicy, ListAttachedRolePolicies, GetPolicy and GetPolicyVersion.
 * @throws what the SDK throws; AgentRunError `restriction` when the role is not one of the client's account, `policy` when a document cannot be read
 */
export async function readRole(iam: IAMClient, roleArn: string, abortSignal: AbortSignal): Promise<RoleRead> {
  const {
    GetPolicyCommand,
    GetPolicyVersionCommand,
    GetRoleCommand,
    GetRolePolicyCommand,
    ListAttachedRolePoliciesCommand,
    ListRolePoliciesCommand,
  } = await import("@aws-sdk/client-iam");
  const RoleName = parseRoleArn(roleArn, "role").name;
  const { Role: role } = await iam.send(new GetRoleCommand({ RoleName }), { abortSignal });
  // IAM knows roles by name, in the account of whoever asks: another account's role of the same name must not be taken for ours.
  if (role?.Arn !== roleArn) {
    throw new AgentRunError("restriction", "the role is in another account than the base credentials");
  }

  const inlineNames = await allPages(async (Marker) => {
    const page = await iam.send(new ListRolePoliciesCommand({ RoleName, Marker }), { abortSignal });
    return { items: page.PolicyNames ?? [], next: page.IsTruncated ? page.Marker : undefined };
  });
  const attached = await allPages(async (Marker) => {
    const page = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName, Marker }), { abortSignal });
    return {
      items: (page.AttachedPolicies ?? []).map(({ PolicyArn }) => PolicyArn ?? ""),
      next: page.IsTruncated ? page.Marker : undefined,
    };
  });
  const inline = async (PolicyName: string): Promise<PolicyDocument> => {
    const { PolicyDocument: text } = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }), { abortSignal });
    return parsePolicy(decodeURIComponent(text ?? ""), `inline policy ${PolicyName} of ${roleArn}`);
  };
  const managed = async (PolicyArn: string): Promise<PolicyDocument> => {
    const { Policy: policy } = await iam.send(new GetPolicyCommand({ PolicyArn }), { abortSignal });
    const VersionId = policy?.DefaultVersionId;
    const { PolicyVersion: version } = await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId }), { abortSignal });
    return parsePolicy(decodeURIComponent(version?.Document ?? ""), PolicyArn);
  };

  const boundaryArn = role.PermissionsBoundary?.PermissionsBoundaryArn;
  const [identity, boundary] = await Promise.all([
    Promise.all([...inlineNames.map(inline), ...attached.map(managed)]),
    boundaryArn === undefined ? undefined : Promise.all([managed(boundaryArn)]),
  ]);
  return {
    policies: { identity, boundary },
    trust: decodeURIComponent(role.AssumeRolePolicyDocument ?? ""),
    tags: Object.fromEntries((role.Tags ?? []).map(({ Key, Value }) => [Key ?? "", Value ?? ""])),
  };
}

async function allPages<Item>(page: (marker: string | undefined) => Promise<{ items: Item[]; next: string | undefined }>): Promise<Item[]> {
  const items: Item[] = [];
  let marker: string | undefined;
  do {
    const { items: more, next } = await page(marker);
    items.push(...more);
    marker = next;
  } while (marker !== undefined);
  return items;
}
