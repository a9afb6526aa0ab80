// Managed policies and their versions. Called by iam.ts.
import type { ManagedPolicy, PolicyVersion } from "../account.ts";
import { authorize } from "../authorize.ts";
import type { Call } from "../call.ts";
import { AwsFault } from "../fault.ts";
import type { Params } from "../params.ts";
import { readPolicy } from "../sts/inputs.ts";
import { isoSeconds } from "../trail.ts";
import type { XmlTree } from "../xml.ts";
import { checkName, managedPolicy, noSuchEntity, page, tagList } from "./lookup.ts";
import { inlineSize } from "./policies.ts";
import { newTags } from "./roles.ts";

/** White space not counted (IAM user guide, "IAM and AWS STS quotas"). */
const LONGEST_MANAGED = 6144;
const MOST_VERSIONS = 5;

function policyShape(call: Call, policy: ManagedPolicy, whole = true): XmlTree {
  const { users, roles } = call.cloud.account;
  const holders = [...users.values(), ...roles.values()];
  return {
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: policy.inForce.id,
    AttachmentCount: holders.filter((holder) => holder.attached.has(policy.arn)).length,
    PermissionsBoundaryUsageCount: holders.filter((holder) => holder.boundary === policy.arn).length,
    IsAttachable: true,
    Description: whole ? policy.description : undefined,
    CreateDate: isoSeconds(policy.createdAt),
    UpdateDate: isoSeconds(policy.versions.at(-1)?.createdAt ?? policy.createdAt),
  };
}

export function createPolicy(call: Call, params: Params): XmlTree {
  const { account } = call.cloud;
  const name = checkName(params.required("PolicyName"), "policyName", 128);
  const path = params.get("Path") ?? "/";
  const { tags } = newTags(params);
  const arn = account.arn(`policy${path}${name}`);
  authorize(call, { action: "iam:CreatePolicy", resource: arn, shown: `policy ${name}` });
  if (account.policies.has(arn))
    throw new AwsFault("EntityAlreadyExists", 409, `A policy called ${name} already exists. Duplicate names are not allowed.`);
  const text = policyText(params, name);
  const policy = account.addPolicy(account.id, name, path, text, params.get("Description"));
  for (const [key, value] of tags) policy.tags.set(key, value);
  return { Policy: policyShape(call, policy) };
}

function policyText(params: Params, name: string): string {
  const text = params.required("PolicyDocument");
  readPolicy(text, name);
  if (inlineSize([text]) > LONGEST_MANAGED)
    throw new AwsFault("LimitExceeded", 409, `Cannot exceed quota for PolicySize: ${LONGEST_MANAGED}`);
  return text;
}

export function deletePolicy(call: Call, params: Params): undefined {
  const policy = allowedPolicy(call, params);
  const { account } = call.cloud;
  const holders = [...account.users.values(), ...account.roles.values()];
  if (holders.some((holder) => holder.attached.has(policy.arn) || holder.boundary === policy.arn)) {
    throw new AwsFault("DeleteConflict", 409, "Cannot delete a policy attached to entities.");
  }
  if (policy.versions.length > 1) {
    throw new AwsFault(
      "DeleteConflict",
      409,
      "This policy has more than one version. Before you delete a policy, you must delete the policy's versions.",
    );
  }
  account.policies.delete(policy.arn);
}

function allowedPolicy(call: Call, params: Params): ManagedPolicy {
  const arn = params.required("PolicyArn");
  const name = arn.slice(arn.lastIndexOf("/") + 1);
  authorize(call, { action: `iam:${call.operation}`, resource: arn, shown: `policy ${name}` });
  return managedPolicy(call, arn);
}

export function getPolicy(call: Call, params: Params): XmlTree {
  const policy = allowedPolicy(call, params);
  return { Policy: { ...policyShape(call, policy), Tags: tagList(policy.tags) ?? [] } };
}

function versionShape(policy: ManagedPolicy, version: PolicyVersion, whole: boolean): XmlTree {
  return {
    Document: whole ? encodeURIComponent(version.text) : undefined,
    VersionId: version.id,
    IsDefaultVersion: version === policy.inForce,
    CreateDate: isoSeconds(version.createdAt),
  };
}

function versionOf(policy: ManagedPolicy, params: Params): PolicyVersion {
  const id = params.required("VersionId");
  const version = policy.versions.find((candidate) => candidate.id === id);
  if (!version) throw noSuchEntity(`Policy ${policy.arn} version ${id} does not exist or is not attachable.`);
  return version;
}

export function getPolicyVersion(call: Call, params: Params): XmlTree {
  const policy = allowedPolicy(call, params);
  return { PolicyVersion: versionShape(policy, versionOf(policy, params), true) };
}

export function listPolicyVersions(call: Call, params: Params): XmlTree {
  const policy = allowedPolicy(call, params);
  const { shown, more } = page(params, policy.versions.toReversed());
  return { Versions: shown.map((version) => versionShape(policy, version, false)), ...more };
}

export function createPolicyVersion(call: Call, params: Params): XmlTree {
  const policy = allowedPolicy(call, params);
  const text = policyText(params, policy.name);
  if (policy.versions.length >= MOST_VERSIONS) {
    throw new AwsFault(
      "LimitExceeded",
      409,
      "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.",
    );
  }
  const last = policy.versions.at(-1)?.id ?? "v0";
  const version = { id: `v${Number(last.slice(1)) + 1}`, text, createdAt: call.cloud.account.clock.now() };
  policy.versions.push(version);
  if (params.get("SetAsDefault") === "true") call.cloud.account.putInForce(policy, version);
  return { PolicyVersion: versionShape(policy, version, false) };
}

export function setDefaultPolicyVersion(call: Call, params: Params): undefined {
  const policy = allowedPolicy(call, params);
  call.cloud.account.putInForce(policy, versionOf(policy, params));
}

export function deletePolicyVersion(call: Call, params: Params): undefined {
  const policy = allowedPolicy(call, params);
  const version = versionOf(policy, params);
  if (version === policy.inForce) throw new AwsFault("DeleteConflict", 409, "Cannot delete the default version of a policy.");
  policy.versions.splice(policy.versions.indexOf(version), 1);
}

export function tagPolicy(call: Call, params: Params): undefined {
  const { tags } = newTags(params);
  const policy = allowedPolicy(call, params);
  for (const [key, value] of tags) policy.tags.set(key, value);
}

export function listPolicies(call: Call, params: Params): XmlTree {
  authorize(call, { action: "iam:ListPolicies", resource: call.cloud.account.arn("policy/") });
  const scope = params.get("Scope") ?? "All";
  const own = (policy: ManagedPolicy): boolean => policy.arn.startsWith(`arn:aws:iam::${call.cloud.account.id}:`);
  const all = [...call.cloud.account.policies.values()].filter((policy) => scope === "All" || (scope === "Local") === own(policy));
  const { shown, more } = page(params, all);
  return { Policies: shown.map((policy) => policyShape(call, policy, false)), ...more };
}
