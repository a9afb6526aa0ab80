// Access keys of IAM users: two each at most, which can be switched off and deleted. Called by iam.ts.
import type { AccessKey, User } from "../account.ts";
import { authorize } from "../authorize.ts";
import type { Call } from "../call.ts";
import { AwsFault } from "../fault.ts";
import type { Params } from "../params.ts";
import { isoSeconds } from "../trail.ts";
import type { XmlTree } from "../xml.ts";
import { allowedUser, noSuchEntity } from "./lookup.ts";

/** IAM user guide, "IAM and AWS STS quotas". */
const MOST_KEYS = 2;

const keysOf = (call: Call, user: User): AccessKey[] =>
  [...call.cloud.account.keys.values()].filter((key) => key.holder === user && key.session === undefined);

const shape = (user: User, key: AccessKey): XmlTree => ({
  UserName: user.name,
  AccessKeyId: key.accessKeyId,
  Status: key.active ? "Active" : "Inactive",
  CreateDate: isoSeconds(key.createdAt),
});

export function createAccessKey(call: Call, params: Params): XmlTree {
  const user = allowedUser(call, params);
  if (keysOf(call, user).length >= MOST_KEYS)
    throw new AwsFault("LimitExceeded", 409, `Cannot exceed quota for AccessKeysPerUser: ${MOST_KEYS}`);
  const key = call.cloud.account.issue(user);
  return { AccessKey: { ...shape(user, key), SecretAccessKey: key.secret } };
}

export function listAccessKeys(call: Call, params: Params): XmlTree {
  const user = allowedUser(call, params);
  return { AccessKeyMetadata: keysOf(call, user).map((key) => shape(user, key)), IsTruncated: false };
}

export function updateAccessKey(call: Call, params: Params): undefined {
  const key = ownKey(call, params, allowedUser(call, params));
  const status = params.required("Status");
  if (status !== "Active" && status !== "Inactive")
    throw new AwsFault("ValidationError", 400, `Status ${status} is none of Active, Inactive`);
  key.active = status === "Active";
}

export function deleteAccessKey(call: Call, params: Params): undefined {
  call.cloud.account.keys.delete(ownKey(call, params, allowedUser(call, params)).accessKeyId);
}

export function getAccessKeyLastUsed(call: Call, params: Params): XmlTree {
  const id = params.required("AccessKeyId");
  const key = call.cloud.account.keys.get(id);
  const resource = key?.holder?.arn ?? "*";
  authorize(call, { action: "iam:GetAccessKeyLastUsed", resource });
  if (key?.holder?.kind !== "user") throw noSuchEntity(`The Access Key with id ${id} cannot be found.`);
  const { lastUsed } = key;
  return {
    UserName: key.holder.name,
    AccessKeyLastUsed: {
      ServiceName: lastUsed?.service ?? "N/A",
      Region: lastUsed === undefined ? "N/A" : call.cloud.region,
      LastUsedDate: lastUsed && isoSeconds(lastUsed.at),
    },
  };
}

function ownKey(call: Call, params: Params, user: User): AccessKey {
  const id = params.required("AccessKeyId");
  const key = keysOf(call, user).find(({ accessKeyId }) => accessKeyId === id);
  if (!key) throw noSuchEntity(`The Access Key with id ${id} cannot be found.`);
  return key;
}
