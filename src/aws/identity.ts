// Who a set of credentials is, and whether that is who it must be. Called by session at the start steps 2 and 4, and by the credential sources.
import { AgentRunError } from "../core/error.ts";
import { elementAt } from "./answer-xml.ts";
import { endpointOf } from "./client.ts";
import type { AwsCredentials } from "./credentials.ts";
import { explainFailure } from "./failure.ts";
import { callSts, type StsClient } from "./sts.ts";

export interface CallerIdentity {
  readonly account: string;
  readonly arn: string;
  readonly userId: string;
}

export interface Arn {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  readonly account: string;
  /** All after the fifth colon: `role/team/deploy`. */
  readonly resource: string;
}

/** Takes an ARN apart; undefined when it is none. Format: AWS General Reference, "Amazon Resource Names". */
export function parseArn(text: string): Arn | undefined {
  const match = /^arn:(aws(?:-[a-z]+)*):([a-z0-9-]+):([a-z0-9-]*):(\d{12}|aws|):(\S+)$/.exec(text);
  if (!match) return undefined;
  const [, partition = "", service = "", region = "", account = "", resource = ""] = match;
  return { partition, service, region, account, resource };
}

export interface RoleArn {
  /** The whole, as it was given. */
  readonly arn: string;
  readonly partition: string;
  readonly account: string;
  /** `/` or `/team/sub/`. */
  readonly path: string;
  readonly name: string;
}

/**
 * Takes a role's ARN apart.
 * @param where the flag or setting that it came from, for the error
 * @throws AgentRunError `profile`
 */
export function parseRoleArn(text: string, where: string): RoleArn {
  const arn = parseArn(text);
  const match = /^role(\/(?:[\x21-\x7e]+\/)?)([\w+=,.@-]{1,64})$/.exec(arn?.resource ?? "");
  if (arn?.service !== "iam" || !/^\d{12}$/.test(arn.account) || !match) {
    throw new AgentRunError("profile", `${where}: '${text}' is not the arn of a role`, {
      hint: "write it as arn:aws:iam::<12-digit account>:role/<name>",
    });
  }
  return { arn: text, partition: arn.partition, account: arn.account, path: match[1] ?? "/", name: match[2] ?? "" };
}

/**
 * The ARN that a role's session has in GetCallerIdentity and CloudTrail. AWS leaves the role's path out of it (IAM guide, "IAM identifiers").
 * @throws AgentRunError `profile` when `roleArn` is not the ARN of a role
 */
export function assumedRoleArn(roleArn: string, sessionName: string): string {
  const role = parseRoleArn(roleArn, "role");
  return `arn:${role.partition}:sts::${role.account}:assumed-role/${role.name}/${sessionName}`;
}

/** Whether the caller is itself a role session: an AssumeRole from it is role chaining, which AWS limits to one hour. */
export const isRoleSession = (arn: string): boolean => parseArn(arn)?.resource.startsWith("assumed-role/") === true;

/**
 * Asks STS who the client's credentials are. Needs no permission, and works under an explicit deny.
 * @param heldBy the AWS profile that holds them, where one does
 * @throws AgentRunError `base-credentials` (rejected, expired, clock) or `sts-unreachable`
 */
export async function callerIdentity(client: StsClient, heldBy?: string): Promise<CallerIdentity> {
  try {
    const { result } = await callSts(client, "GetCallerIdentity");
    const [account, arn, userId] = ["Account", "Arn", "UserId"].map((name) => elementAt(result, name)?.text);
    if (account && arn && userId) return { account, arn, userId };
  } catch (error) {
    throw await explainFailure(error, client, "sts:GetCallerIdentity", "base-credentials", heldBy);
  }
  throw new AgentRunError("identity", "sts answered GetCallerIdentity without an account, arn or user id", {
    hint: "check what answers at the endpoint: --endpoint-url, AWS_ENDPOINT_URL",
  });
}

const MOST_REMEMBERED = 100;

/**
 * Remembers who an access key is, so that a second launch need not ask: a key id never changes its owner. Emulators may give the same id to others,
 * so the endpoint counts too. Holds no secret.
 */
export function createIdentityCache(): { of(client: StsClient, credentials: AwsCredentials): Promise<CallerIdentity> } {
  const known = new Map<string, CallerIdentity>();
  return {
    async of(client, credentials) {
      const key = `${await endpointOf(client)} ${credentials.accessKeyId}`;
      const found = known.get(key);
      if (found) return found;
      const identity = await callerIdentity(client, credentials.heldBy);
      if (known.size >= MOST_REMEMBERED) known.delete(known.keys().next().value ?? "");
      known.set(key, identity);
      return identity;
    },
  };
}

/** Throws AgentRunError `root-identity` for an account's root user: no policy bounds what it hands on. */
export function refuseRoot(identity: CallerIdentity): void {
  if (parseArn(identity.arn)?.resource !== "root") return;
  throw new AgentRunError(
    "root-identity",
    `the base credentials are the root user of account ${identity.account}; agent-run does not use them`,
    {
      hint: "use an IAM user, role or SSO profile: agent-run --aws-profile <name> …, and delete the root user's access keys",
    },
  );
}

/**
 * @param accounts the accounts that the profile allows; empty: any
 * @throws AgentRunError `identity` naming found and allowed
 */
export function requireAccount(identity: CallerIdentity, accounts: readonly string[]): void {
  if (accounts.length === 0 || accounts.includes(identity.account)) return;
  throw new AgentRunError("identity", `the credentials are of account ${identity.account}, the profile allows ${accounts.join(", ")}`, {
    hint: "choose the right account with --aws-profile, or change accounts in the profile",
  });
}

/**
 * The identity gate: the new credentials must be exactly this session of this role in this account.
 * @throws AgentRunError `identity` saying expected and found
 */
export function confirmIdentity(identity: CallerIdentity, expected: { roleArn: string; sessionName: string; account: string }): void {
  confirmArn(identity, assumedRoleArn(expected.roleArn, expected.sessionName), expected.account);
}

/**
 * The same for a session of any kind: a federated user, a role session that is used as it is.
 * @throws AgentRunError `identity` saying expected and found
 */
export function confirmArn(identity: CallerIdentity, arn: string, account: string): void {
  const wrong = identity.arn !== arn ? identity.arn : identity.account !== account ? `account ${identity.account}` : undefined;
  if (wrong === undefined) return;
  throw new AgentRunError("identity", `the session is not who it must be: expected ${arn} in account ${account}, found ${wrong}`, {
    hint: "nothing was launched; check the role's arn in the profile or --role, and --endpoint-url",
  });
}
