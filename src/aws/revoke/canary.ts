// Whether a deny holds: a call with the denied keys, again and again, until IAM refuses it for that very reason. Called by revoke.ts.
// Never GetCallerIdentity, which works under every deny (STS API reference, GetCallerIdentity).
import { type Clock, sleep } from "../../core/clock.ts";
import { AgentRunError } from "../../core/error.ts";
import { evaluate } from "../../policy/evaluate.ts";
import { parsePolicyValue } from "../../policy/parse.ts";
import type { PolicyDocument } from "../../policy/types.ts";
import { type Connection, ec2Client, iamClient, s3Client } from "../client.ts";
import type { AwsCredentials } from "../credentials.ts";
import { readFailure } from "../failure.ts";
import { type CanaryAction, canaryActions } from "./canary-actions.ts";

/**
 * `denied`: by an identity-based policy's explicit deny, which is what a revocation writes. `refused`: denied, but it was not said by what. `expired`: the
 * keys are over, and tell nothing any more.
 */
export type CanaryAnswer = "allowed" | "denied" | "refused" | "expired" | { readonly failed: string };

export type Confirmation =
  | { readonly confirmed: true; readonly calls: number }
  | { readonly confirmed: false; readonly why: string; readonly calls: number };

const FIRST_PAUSE_MS = 150;
const LONGEST_PAUSE_MS = 2000;
/** IAM answers from many machines, which learn of a change at different times: one refusal is not enough. */
const IN_A_ROW = 2;

/** The widest role there can be, so that only the session policy decides. */
const anything = parsePolicyValue({ Version: "2012-10-17", Statement: { Effect: "Allow", Action: "*", Resource: "*" } }, "any role");

/**
 * The call that tells most: the one asked for, else the first that the session policy allows, else one that it at least does not deny itself, since then
 * AWS names the revocation as the reason. Undefined where the session policy denies them all.
 */
export function chooseCanary(
  sessionPolicy: PolicyDocument | undefined,
  principal: string,
  roleArn: string,
  asked?: CanaryAction | undefined,
): CanaryAction | undefined {
  if (asked !== undefined) return asked;
  const outcomeOf = (action: CanaryAction) =>
    evaluate(
      { principal, action, resource: action === "iam:GetRole" ? roleArn : "*", context: {} },
      { identity: [anything], session: sessionPolicy && [sessionPolicy] },
    ).outcome;
  const outcomes = canaryActions.map((action) => ({ action, outcome: outcomeOf(action) }));
  return (
    outcomes.find(({ outcome }) => outcome === "allowed")?.action ?? outcomes.find(({ outcome }) => outcome === "implicitDeny")?.action
  );
}

/** One canary call. Loads the service's client at its first. */
export async function canaryCall(
  action: CanaryAction,
  connection: Connection,
  keys: AwsCredentials,
  roleArn: string,
): Promise<() => Promise<CanaryAnswer>> {
  const send = await senders[action](connection, keys, roleArn);
  return async () => {
    try {
      await send();
      return "allowed";
    } catch (error) {
      if (error instanceof AgentRunError) return { failed: error.message };
      const { name, text } = readFailure(error);
      if (/^(ExpiredToken|RequestExpired)/.test(name)) return "expired";
      if (!/^(AccessDenied|UnauthorizedOperation|Client\.UnauthorizedOperation)/.test(name)) return { failed: `${name}: ${text}` };
      return /with an explicit deny in an? identity-based policy/i.test(text) ? "denied" : "refused";
    }
  };
}

const senders: Record<CanaryAction, (connection: Connection, keys: AwsCredentials, roleArn: string) => Promise<() => Promise<unknown>>> = {
  "ec2:DescribeRegions": async (connection, keys) => {
    const { DescribeRegionsCommand } = await import("@aws-sdk/client-ec2");
    const client = await ec2Client(connection, keys);
    return () => client.send(new DescribeRegionsCommand({}));
  },
  "s3:ListAllMyBuckets": async (connection, keys) => {
    const { ListBucketsCommand } = await import("@aws-sdk/client-s3");
    const client = await s3Client(connection, keys);
    return () => client.send(new ListBucketsCommand({}));
  },
  "iam:GetRole": async (connection, keys, roleArn) => {
    const { GetRoleCommand } = await import("@aws-sdk/client-iam");
    const client = await iamClient(connection, keys);
    return () => client.send(new GetRoleCommand({ RoleName: roleArn.slice(roleArn.lastIndexOf("/") + 1) }));
  },
  "iam:ListRoles": async (connection, keys) => {
    const { ListRolesCommand } = await import("@aws-sdk/client-iam");
    const client = await iamClient(connection, keys);
    return () => client.send(new ListRolesCommand({ MaxItems: 1 }));
  },
};

/**
 * Polls until the call is denied twice in a row, with a pause that grows to 2 s. A refusal counts when AWS says that it is the explicit deny of an
 * identity-based policy, or when the same call was allowed before.
 * @param limitMs from which on it gives up
 */
export async function awaitDeny(call: () => Promise<CanaryAnswer>, clock: Clock, limitMs: number): Promise<Confirmation> {
  const until = clock.now() + limitMs;
  let allowedBefore = false;
  let inARow = 0;
  let last: CanaryAnswer = "allowed";
  for (let calls = 1, nap = FIRST_PAUSE_MS; ; calls += 1) {
    last = await call();
    if (last === "allowed") allowedBefore = true;
    inARow = last === "denied" || (last === "refused" && allowedBefore) ? inARow + 1 : 0;
    if (inARow === IN_A_ROW) return { confirmed: true, calls };
    if (last === "expired" || clock.now() >= until) return { confirmed: false, why: whyNot(last), calls };
    await sleep(inARow > 0 ? FIRST_PAUSE_MS : nap);
    nap = Math.min(LONGEST_PAUSE_MS, nap * 1.5);
  }
}

function whyNot(last: CanaryAnswer): string {
  if (last === "allowed") return "the call still succeeds";
  if (last === "expired") return "the newest of its keys has expired meanwhile, and aws refuses it for that";
  if (last === "refused") return "the call was refused all along, and aws does not say by what";
  return typeof last === "string" ? "it took too long" : last.failed;
}
