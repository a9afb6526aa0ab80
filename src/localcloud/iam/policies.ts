// Policies that users and roles have, inline and attached. Called by iam.ts.

import type { Call } from "../call.ts";
import { AwsFault } from "../fault.ts";
import type { Params } from "../params.ts";
import { readPolicy } from "../sts/inputs.ts";
import type { XmlTree } from "../xml.ts";
import { allowedRole, allowedUser, checkName, managedPolicy, noSuchEntity, page } from "./lookup.ts";

/** All inline policies of a role together, white space not counted (IAM user guide, "IAM and AWS STS quotas"). */
const MOST_INLINE = 10_240;
const MOST_ATTACHED = 10;

/** Characters, white space not counted. */
export const inlineSize = (texts: Iterable<string>): number => [...texts].reduce((sum, text) => sum + text.replace(/\s/g, "").length, 0);

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
