// GetFederationToken: a session of an IAM user cut down by a session policy, where there is no role to assume. Called by session/grant-ways.ts.
import { AgentRunError } from "../core/error.ts";
import { aheadOf, policyArns } from "./assume.ts";
import type { SessionCredentials } from "./credentials.ts";
import { explainFailure, readFailure } from "./failure.ts";
import { checkTagKeys } from "./names.ts";
import { sealed } from "./sealed.ts";
import { callSts, type StsClient } from "./sts.ts";

export interface FederationRequest {
  /** 2 to 32 of `[\w+=,.@-]` (STS API reference, GetFederationToken). */
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  /** IAM JSON. Without any session policy STS gives a session that may do nothing. */
  readonly sessionPolicy: string;
  readonly sessionPolicyArns: readonly string[];
  /** 900 to 129600. */
  readonly durationSeconds: number;
}

export interface Federated {
  readonly credentials: SessionCredentials;
  /** As in `AssumedRole`. */
  readonly aheadMs?: number;
}

/**
 * Asks STS for a federated session of the client's IAM user. Only a user's own long-lived keys can ask for one.
 * @throws AgentRunError `assume-role` with the statement that the user needs, `policy`, `base-credentials` or `sts-unreachable`
 */
export async function federationToken(client: StsClient, request: FederationRequest): Promise<Federated> {
  checkTagKeys(Object.keys(request.tags));
  try {
    const { result, date } = await callSts(client, "GetFederationToken", {
      Name: request.name,
      Policy: request.sessionPolicy,
      ...policyArns(request.sessionPolicyArns),
      DurationSeconds: request.durationSeconds,
      Tags: Object.entries(request.tags).map(([Key, Value]) => ({ Key, Value })),
    });
    return { credentials: sealed(result, "sts:GetFederationToken"), ...aheadOf(date) };
  } catch (error) {
    throw await refused(error, client);
  }
}

async function refused(thrown: unknown, client: StsClient): Promise<AgentRunError> {
  if (thrown instanceof AgentRunError) return thrown;
  const { name, text } = readFailure(thrown);
  if (/^AccessDenied/.test(name)) {
    if (/session credentials/i.test(text)) {
      return new AgentRunError(
        "base-credentials",
        "a federation token is given for an IAM user's own keys only, and these are a session's",
        {
          hint: 'choose the user\'s keys with --aws-profile, or set grant = "assume-role" and a role',
        },
      );
    }
    const Action = ["sts:GetFederationToken", "sts:TagSession"];
    const statement = JSON.stringify({ Effect: "Allow", Action, Resource: "arn:aws:sts::*:federated-user/sess_*" });
    return new AgentRunError("assume-role", `the base user may not ask for a tagged federation token: ${text}`, {
      hint: `add to the user's policies: ${statement}`,
    });
  }
  if (/^MalformedPolicyDocument/.test(name)) {
    return new AgentRunError("policy", `sts rejects the session policy: '${text}'`, { hint: "check session-policy.json of the profile" });
  }
  if (/^PackedPolicyTooLarge/.test(name)) {
    return new AgentRunError("policy", `session policy and tags are too large for sts: '${text}'`, {
      hint: "shorten the session policy with wildcards such as ec2:Describe*, or send fewer and shorter tags",
    });
  }
  return explainFailure(thrown, client, "sts:GetFederationToken", "assume-role");
}
