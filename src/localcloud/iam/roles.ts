// Users and roles: reading, creating, deleting, trust, tags, boundary. Called by iam.ts.
import type { Role } from "../account.ts";
import { authorize } from "../authorize.ts";
import type { Call } from "../call.ts";
import { AwsFault, constraint } from "../fault.ts";
import type { Params } from "../params.ts";
import { readPolicy } from "../sts/inputs.ts";
import type { XmlTree } from "../xml.ts";
import { allowedRole, allowedUser, checkName, managedPolicy, page, roleShape, tagList, userShape } from "./lookup.ts";

export function getUser(call: Call, params: Params): XmlTree {
  return { User: userShape(allowedUser(call, params)) };
}

export function getRole(call: Call, params: Params): XmlTree {
  return { Role: roleShape(allowedRole(call, params)) };
}

export function listRoles(call: Call, params: Params): XmlTree {
  const prefix = params.get("PathPrefix") ?? "/";
  authorize(call, { action: "iam:ListRoles", resource: call.cloud.account.arn(`role${prefix}`) });
  const roles = [...call.cloud.account.roles.values()].filter((role) => role.path.startsWith(prefix));
  const { shown, more } = page(
    params,
    roles.sort((a, b) => (a.name < b.name ? -1 : 1)),
  );
  return { Roles: shown.map((role) => roleShape(role, false)), ...more };
}

/** IAM takes 1 to 12 hours (API Reference, CreateRole). */
function sessionSeconds(params: Params): number | undefined {
  const seconds = params.integer("MaxSessionDuration");
  if (seconds !== undefined && seconds < 3600)
    throw constraint(String(seconds), "maxSessionDuration", "have value greater than or equal to 3600");
  if (seconds !== undefined && seconds > 43_200)
    throw constraint(String(seconds), "maxSessionDuration", "have value less than or equal to 43200");
  return seconds;
}

export function newTags(params: Params): { tags: Map<string, string>; context: Record<string, string | string[]> } {
  const tags = new Map(params.tags("Tags").map(({ key, value }) => [key, value]));
  const context: Record<string, string | string[]> = {};
  for (const [key, value] of tags) context[`aws:RequestTag/${key}`] = value;
  if (tags.size > 0) context["aws:TagKeys"] = [...tags.keys()];
  if (tags.size > 50) throw constraint(`[${tags.size} tags]`, "tags", "have length less than or equal to 50");
  return { tags, context };
}

export function createRole(call: Call, params: Params): XmlTree {
  const { account } = call.cloud;
  const name = checkName(params.required("RoleName"), "roleName", 64);
  const path = params.get("Path") ?? "/";
  if (!/^\/(?:[\u0021-\u007f]*\/)?$/.test(path))
    throw new AwsFault(
      "ValidationError",
      400,
      "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.",
    );
  const trust = params.required("AssumeRolePolicyDocument");
  const seconds = sessionSeconds(params) ?? 3600;
  const { tags, context } = newTags(params);
  const boundary = params.get("PermissionsBoundary");
  const withBoundary = boundary === undefined ? context : { ...context, "iam:PermissionsBoundary": boundary };
  authorize(call, { action: "iam:CreateRole", resource: account.arn(`role${path}${name}`), context: withBoundary });
  if (account.roles.has(name)) throw new AwsFault("EntityAlreadyExists", 409, `Role with name ${name} already exists.`);
  readPolicy(trust, "trust policy", "resource");
  if (boundary !== undefined) managedPolicy(call, boundary);
  const role: Role = {
    kind: "role",
    ...account.holder("AROA", "role", name, path),
    trust,
    description: params.get("Description"),
    maxSessionSeconds: seconds,
    lastUsedAt: undefined,
  };
  for (const [key, value] of tags) role.tags.set(key, value);
  role.boundary = boundary;
  account.roles.set(name, role);
  account.changed(role);
  call.notes.resources.push({ type: "AWS::IAM::Role", name: role.arn });
  return { Role: roleShape(role) };
}

export function deleteRole(call: Call, params: Params): undefined {
  const role = allowedRole(call, params);
  if (role.inline.size > 0) throw new AwsFault("DeleteConflict", 409, "Cannot delete entity, must delete policies first.");
  if (role.attached.size > 0) throw new AwsFault("DeleteConflict", 409, "Cannot delete entity, must detach all policies first.");
  call.cloud.account.roles.delete(role.name);
}

export function updateRole(call: Call, params: Params): undefined {
  const role = allowedRole(call, params);
  role.maxSessionSeconds = sessionSeconds(params) ?? role.maxSessionSeconds;
  role.description = params.get("Description") ?? role.description;
}

export function updateAssumeRolePolicy(call: Call, params: Params): undefined {
  const role = allowedRole(call, params);
  const text = params.required("PolicyDocument");
  readPolicy(text, "trust policy", "resource");
  role.trust = text;
  call.cloud.account.changed(role);
}

export function tagRole(call: Call, params: Params): undefined {
  const { tags, context } = newTags(params);
  const role = allowedRole(call, params, context as Record<string, string>);
  for (const [key, value] of tags) role.tags.set(key, value);
}

export function untagRole(call: Call, params: Params): undefined {
  const role = allowedRole(call, params);
  for (const key of params.list("TagKeys")) role.tags.delete(key);
}

export function listRoleTags(call: Call, params: Params): XmlTree {
  const role = allowedRole(call, params);
  return { Tags: tagList(role.tags) ?? [], IsTruncated: false };
}

export function putRolePermissionsBoundary(call: Call, params: Params): undefined {
  const arn = params.required("PermissionsBoundary");
  const role = allowedRole(call, params, { "iam:PermissionsBoundary": arn });
  role.boundary = managedPolicy(call, arn).arn;
  call.cloud.account.changed(role);
}

export function deleteRolePermissionsBoundary(call: Call, params: Params): undefined {
  const role = allowedRole(call, params);
  role.boundary = undefined;
  call.cloud.account.changed(role);
}
