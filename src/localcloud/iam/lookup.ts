// What the IAM handlers share: finding users, roles and policies, the permission checks, paging, the shapes of answers.
import type { ManagedPolicy, Role, User } from "../account.ts";
import { authorize } from "../authorize.ts";
import type { Call } from "../call.ts";
import { AwsFault, constraint } from "../fault.ts";
import type { Params } from "../params.ts";
import { isoSeconds } from "../trail.ts";
import type { XmlTree } from "../xml.ts";

export const noSuchEntity = (text: string): AwsFault => new AwsFault("NoSuchEntity", 404, text);

/** @throws AwsFault `ValidationError` */
export function checkName(value: string, field: string, longest: number): string {
  if (value.length < 1) throw constraint(value, field, "have length greater than or equal to 1");
  if (value.length > longest) throw constraint(value, field, `have length less than or equal to ${longest}`);
  if (!/^[\w+=,.@-]+$/.test(value))
    throw new AwsFault(
      "ValidationError",
      400,
      `The specified value for ${field} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-`,
    );
  return value;
}

function tagContext(tags: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries(
    [...tags].flatMap(([key, value]) => [
      [`aws:ResourceTag/${key}`, value],
      [`iam:ResourceTag/${key}`, value],
    ]),
  );
}

/**
 * The role that `RoleName` names, once the caller may do this to it. The permission is asked for first: a caller without it does not learn
 * whether the role is there.
 * @param more condition keys of the action
 */
export function allowedRole(call: Call, params: Params, more: Readonly<Record<string, string>> = {}): Role {
  const name = checkName(params.required("RoleName"), "roleName", 64);
  const role = call.cloud.account.roles.get(name);
  const resource = role?.arn ?? call.cloud.account.arn(`role/${name}`);
  const context = { ...tagContext(role?.tags ?? new Map()), ...more };
  authorize(call, { action: `iam:${call.operation}`, resource, shown: `role ${name}`, context });
  call.notes.resources.push({ type: "AWS::IAM::Role", name: resource });
  if (!role) throw noSuchEntity(`The role with name ${name} cannot be found.`);
  return role;
}

/** As `allowedRole`, for `UserName`; without one, the caller. */
export function allowedUser(call: Call, params: Params): User {
  const asked = params.get("UserName");
  if (asked === undefined && call.caller.holder?.kind !== "user") {
    throw new AwsFault("ValidationError", 400, "Must specify userName when calling with non-User credentials");
  }
  const name = checkName(asked ?? call.caller.holder?.name ?? "", "userName", 64);
  const user = call.cloud.account.users.get(name);
  const resource = user?.arn ?? call.cloud.account.arn(`user/${name}`);
  authorize(call, { action: `iam:${call.operation}`, resource, shown: `user ${name}`, context: tagContext(user?.tags ?? new Map()) });
  if (!user) throw noSuchEntity(`The user with name ${name} cannot be found.`);
  return user;
}

/** @throws AwsFault `NoSuchEntity` */
export function managedPolicy(call: Call, arn: string): ManagedPolicy {
  if (!/^arn:aws:iam::(?:aws|\d{12}):policy\/.+$/.test(arn)) throw new AwsFault("ValidationError", 400, `ARN ${arn} is not valid.`);
  const policy = call.cloud.account.policies.get(arn);
  if (!policy) throw noSuchEntity(`Policy ${arn} was not found.`);
  return policy;
}

/** One page of a listing by `Marker` and `MaxItems`, and the elements that say so. */
export function page<T>(params: Params, all: readonly T[]): { shown: T[]; more: XmlTree } {
  const most = params.integer("MaxItems") ?? 100;
  if (most < 1) throw constraint(String(most), "maxItems", "have value greater than or equal to 1");
  if (most > 1000) throw constraint(String(most), "maxItems", "have value less than or equal to 1000");
  const marker = params.get("Marker");
  const from = marker === undefined ? 0 : Number(Buffer.from(marker, "base64").toString());
  if (!Number.isInteger(from) || from < 0) throw new AwsFault("ValidationError", 400, `Invalid Marker: ${marker}`);
  const truncated = all.length > from + most;
  const next = truncated ? Buffer.from(String(from + most)).toString("base64") : undefined;
  return { shown: all.slice(from, from + most), more: { IsTruncated: truncated, Marker: next } };
}

export function tagList(tags: ReadonlyMap<string, string>): XmlTree[] | undefined {
  return tags.size === 0 ? undefined : [...tags].map(([Key, Value]) => ({ Key, Value }));
}

function boundaryShape(holder: Role | User): XmlTree | undefined {
  return holder.boundary === undefined ? undefined : { PermissionsBoundaryType: "Policy", PermissionsBoundaryArn: holder.boundary };
}

/** ListRoles leaves out tags, boundary and last use (IAM API Reference). */
export function roleShape(role: Role, whole = true): XmlTree {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: role.arn,
    CreateDate: isoSeconds(role.createdAt),
    AssumeRolePolicyDocument: encodeURIComponent(role.trust),
    Description: role.description,
    MaxSessionDuration: role.maxSessionSeconds,
    ...(whole && {
      PermissionsBoundary: boundaryShape(role),
      Tags: tagList(role.tags),
      RoleLastUsed: role.lastUsedAt === undefined ? {} : { LastUsedDate: isoSeconds(role.lastUsedAt), Region: "us-east-1" },
    }),
  };
}

export function userShape(user: User): XmlTree {
  return {
    Path: user.path,
    UserName: user.name,
    UserId: user.id,
    Arn: user.arn,
    CreateDate: isoSeconds(user.createdAt),
    PermissionsBoundary: boundaryShape(user),
    Tags: tagList(user.tags),
  };
}
