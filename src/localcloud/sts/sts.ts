// STS (query protocol, 2011-06-15): the operations table. Registered in cloud.ts.
import type { Session } from "../account.ts";
import { authorize } from "../authorize.ts";
import type { Call, Service } from "../call.ts";
import { AwsFault, constraint } from "../fault.ts";
import type { Params } from "../params.ts";
import { queryHandler, queryOperation } from "../query-service.ts";
import type { XmlTree } from "../xml.ts";
import { assumeRole } from "./assume-role.ts";
import { checkName, duration, mfa, sessionPolicies, sessionTags } from "./inputs.ts";
import { credentials, lifetime } from "./issue.ts";

const NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/";
const LONGEST_SECONDS = 129_600;
const DEFAULT_SECONDS = 43_200;

/** Needs no permission and works even under an explicit deny (STS API Reference). */
function getCallerIdentity({ caller, cloud }: Call): XmlTree {
  return { Arn: caller.arn, UserId: caller.userId, Account: cloud.account.id };
}

/** Only for a user's long-lived keys; needs no permission, but MFA where the code is sent. */
function getSessionToken(call: Call, params: Params): XmlTree {
  const { caller, cloud } = call;
  const seconds = duration(params, LONGEST_SECONDS) ?? DEFAULT_SECONDS;
  if (caller.session) throw new AwsFault("AccessDenied", 403, "Cannot call GetSessionToken with session credentials");
  const mfaAt = mfa(call, params);
  const session: Session = { kind: "user", name: caller.holder?.name ?? "root", ...lifetime(call, seconds), ...PLAIN, mfaAt };
  return { Credentials: credentials(cloud.account.issue(caller.holder, session)) };
}

const PLAIN: Pick<Session, "tags" | "transitive" | "sourceIdentity" | "policies" | "mfaAt"> = {
  tags: new Map(),
  transitive: new Set(),
  sourceIdentity: undefined,
  policies: undefined,
  mfaAt: undefined,
};

/** The user's own rights cut down by the session policies; with none, nothing. */
function getFederationToken(call: Call, params: Params): XmlTree {
  const { caller, cloud } = call;
  const name = checkName(params.required("Name"), "name", 32);
  const seconds = duration(params, LONGEST_SECONDS) ?? DEFAULT_SECONDS;
  const tags = sessionTags(params);
  const policies = sessionPolicies(call, params, tags);
  if (caller.session) throw new AwsFault("AccessDenied", 403, "Cannot call GetFederationToken with session credentials");
  const resource = cloud.account.sessionArn(`federated-user/${name}`);
  const context: Record<string, string | string[]> = {};
  for (const [key, value] of tags) context[`aws:RequestTag/${key}`] = value;
  if (tags.size > 0) context["aws:TagKeys"] = [...tags.keys()];
  authorize(call, { action: "sts:GetFederationToken", resource, context });
  if (tags.size > 0) authorize(call, { action: "sts:TagSession", resource, context });
  const session: Session = { ...PLAIN, kind: "federated", name, ...lifetime(call, seconds), tags, policies: policies.documents };
  const key = cloud.account.issue(caller.holder, session);
  return {
    Credentials: credentials(key),
    FederatedUser: { FederatedUserId: `${cloud.account.id}:${name}`, Arn: resource },
    PackedPolicySize: policies.packedPercent,
  };
}

function getAccessKeyInfo({ cloud }: Call, params: Params): XmlTree {
  const id = params.required("AccessKeyId");
  if (id.length < 16) throw constraint(id, "accessKeyId", "have length greater than or equal to 16");
  if (!cloud.account.keys.has(id)) throw new AwsFault("ValidationError", 400, "Invalid access key");
  return { Account: cloud.account.id };
}

const OPERATIONS = {
  AssumeRole: assumeRole,
  GetAccessKeyInfo: getAccessKeyInfo,
  GetCallerIdentity: getCallerIdentity,
  GetFederationToken: getFederationToken,
  GetSessionToken: getSessionToken,
};

/** Federated users get no STS but GetCallerIdentity; a GetSessionToken session only AssumeRole beside it (IAM user guide, "Compare AWS STS credentials"). */
function checkSession({ caller, operation }: Call): void {
  const open: readonly string[] = caller.session?.kind === "user" ? ["GetCallerIdentity", "AssumeRole"] : ["GetCallerIdentity"];
  const limited = caller.session?.kind === "user" || caller.session?.kind === "federated";
  if (limited && !open.includes(operation) && Object.hasOwn(OPERATIONS, operation)) {
    throw new AwsFault("AccessDenied", 403, `Cannot call ${operation} with session credentials`);
  }
}

const handle = queryHandler({ namespace: NAMESPACE, version: "2011-06-15", operations: OPERATIONS, check: checkSession });

export const sts: Service = {
  name: "sts",
  dialect: "query",
  namespace: NAMESPACE,
  operation: queryOperation,
  handle,
  managementEvent: () => true,
};
