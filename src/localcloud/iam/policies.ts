// Policies of roles, inline and attached, and managed policies. Called by iam.ts.

import type { ManagedPolicy } from "../account.ts";
import { authorize } from "../authorize.ts";
import type { Call } from "../call.ts";
import { AwsFault } from "../fault.ts";
import type { Params } from "../params.ts";
import { readPolicy } from "../sts/inputs.ts";
import { isoSeconds } from "../trail.ts";
import type { XmlTree } from "../xml.ts";
import { allowedRole, allowedUser, checkName, managedPolicy, noSuchEntity, page } from "./lookup.ts";

/** All inline policies of a role together, white space not counted (IAM user guide, "IAM and AWS STS quotas"). */
const MOST_INLINE = 10_240;
const MOST_ATTACHED = 10;
const LONGEST_MANAGED = 6144;

const inlineSize = (texts: Iterable<string>): number => [...texts].reduce((sum, text) => sum + text.replace(/\s/g, "").length, 0);

export function putRolePolicy(call: Call, params: Params): undefined {
  const role = allowedRole(call, params);
  const name = checkName(params.required("PolicyName"), "policyName", 128);
  const text = params.required("PolicyDocument");
  readPolicy(text, name);
  if (inlineSize(new Map(role.inline).set(name, text).values()) > MOST_INLINE) {
    throw new AwsFault("LimitExceeded", 409, `Maximum policy size of ${MOST_INLINE} bytes exceeded for role ${role.name}`);
  }
  role.inline.set(name, text);
  call.cloud.account.changed(role);
}

export function getRolePolicy(call: Call, params: Params): XmlTree {
  const role = allowedRole(call, params);
  const name = params.required("PolicyName");
  const text = role.inline.get(name);
  if (text === undefined) throw noSuchEntity(`The role policy with name ${name} cannot be found.`);
  return { RoleName: role.name, PolicyName: name, PolicyDocument: encodeURIComponent(text) };
}

export function deleteRolePolicy(call: Call, params: Params): undefined {
  const role = allowedRole(call, params);
  const name = params.required("PolicyName");
  if (!role.inline.delete(name)) throw noSuchEntity(`The role policy with name ${name} cannot be found.`);
  call.cloud.account.changed(role);
}

export function listRolePolicies(call: Call, params: Params): XmlTree {
  const { shown, more } = page(params, [...allowedRole(call, params).inline.keys()].sort());
  return { PolicyNames: shown, ...more };
}

export function attachRolePolicy(call: Call, params: Params): undefined {
  const arn = params.required("PolicyArn");
  const role = allowedRole(call, params, { "iam:PolicyARN": arn });
  if (!call.cloud.account.policies.has(arn)) throw noSuchEntity(`Policy ${arn} does not exist or is not attachable.`);
  if (role.attached.size >= MOST_ATTACHED && !role.attached.has(arn)) {
    throw new AwsFault("LimitExceeded", 409, `Cannot exceed quota for PoliciesPerRole: ${MOST_ATTACHED}`);
  }
  role.attached.add(arn);
  call.cloud.account.changed(role);
}

export function detachRolePolicy(call: Call, params: Params): undefined {
  const arn = params.required("PolicyArn");
  const role = allowedRole(call, params, { "iam:PolicyARN": arn });
  if (!role.attached.delete(arn)) throw noSuchEntity(`Policy ${arn} was not found.`);
  call.cloud.account.changed(role);
}

function attachedShapes(call: Call, params: Params, arns: ReadonlySet<string>): XmlTree {
  const { shown, more } = page(params, [...arns]);
  return { AttachedPolicies: shown.map((arn) => ({ PolicyName: managedPolicy(call, arn).name, PolicyArn: arn })), ...more };
}

export function listAttachedRolePolicies(call: Call, params: Params): XmlTree {
  return attachedShapes(call, params, allowedRole(call, params).attached);
}

export function listAttachedUserPolicies(call: Call, params: Params): XmlTree {
  return attachedShapes(call, params, allowedUser(call, params).attached);
}

export function listUserPolicies(call: Call, params: Params): XmlTree {
  const { shown, more } = page(params, [...allowedUser(call, params).inline.keys()].sort());
  return { PolicyNames: shown, ...more };
}

export function getUserPolicy(call: Call, params: Params): XmlTree {
  const user = allowedUser(call, params);
  const name = params.required("PolicyName");
  const text = user.inline.get(name);
  if (text === undefined) throw noSuchEntity(`The user policy with name ${name} cannot be found.`);
  return { UserName: user.name, PolicyName: name, PolicyDocument: encodeURIComponent(text) };
}

function policyShape(call: Call, policy: ManagedPolicy, whole = true): XmlTree {
  const { users, roles } = call.cloud.account;
  const holders = [...users.values(), ...roles.values()];
  return {
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: "v1",
    AttachmentCount: holders.filter((holder) => holder.attached.has(policy.arn)).length,
    PermissionsBoundaryUsageCount: holders.filter((holder) => holder.boundary === policy.arn).length,
    IsAttachable: true,
    Description: whole ? policy.description : undefined,
    CreateDate: isoSeconds(policy.createdAt),
    UpdateDate: isoSeconds(policy.createdAt),
  };
}

export function createPolicy(call: Call, params: Params): XmlTree {
  const { account } = call.cloud;
  const name = checkName(params.required("PolicyName"), "policyName", 128);
  const path = params.get("Path") ?? "/";
  const text = params.required("PolicyDocument");
  const arn = account.arn(`policy${path}${name}`);
  authorize(call, { action: "iam:CreatePolicy", resource: arn, shown: `policy ${name}` });
  if (account.policies.has(arn))
    throw new AwsFault("EntityAlreadyExists", 409, `A policy called ${name} already exists. Duplicate names are not allowed.`);
  readPolicy(text, name);
  if (inlineSize([text]) > LONGEST_MANAGED)
    throw new AwsFault("LimitExceeded", 409, `Cannot exceed quota for PolicySize: ${LONGEST_MANAGED}`);
  return { Policy: policyShape(call, account.addPolicy(account.id, name, path, text, params.get("Description"))) };
}

export function deletePolicy(call: Call, params: Params): undefined {
  const policy = allowedPolicy(call, params);
  const { account } = call.cloud;
  const holders = [...account.users.values(), ...account.roles.values()];
  if (holders.some((holder) => holder.attached.has(policy.arn) || holder.boundary === policy.arn)) {
    throw new AwsFault("DeleteConflict", 409, "Cannot delete a policy attached to entities.");
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
  return { Policy: { ...policyShape(call, allowedPolicy(call, params)), Tags: [] } };
}

/** A policy here has one version. */
export function getPolicyVersion(call: Call, params: Params): XmlTree {
  const policy = allowedPolicy(call, params);
  const version = params.required("VersionId");
  if (version !== "v1") throw noSuchEntity(`Policy ${policy.arn} version ${version} does not exist or is not attachable.`);
  const shape = {
    Document: encodeURIComponent(policy.text),
    VersionId: "v1",
    IsDefaultVersion: true,
    CreateDate: isoSeconds(policy.createdAt),
  };
  return { PolicyVersion: shape };
}

export function listPolicies(call: Call, params: Params): XmlTree {
  authorize(call, { action: "iam:ListPolicies", resource: call.cloud.account.arn("policy/") });
  const scope = params.get("Scope") ?? "All";
  const own = (policy: ManagedPolicy): boolean => policy.arn.startsWith(`arn:aws:iam::${call.cloud.account.id}:`);
  const all = [...call.cloud.account.policies.values()].filter((policy) => scope === "All" || (scope === "Local") === own(policy));
  const { shown, more } = page(params, all);
  return { Policies: shown.map((policy) => policyShape(call, policy, false)), ...more };
}
