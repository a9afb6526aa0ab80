// Why STS refused an AssumeRole, and the exact statement that lets it succeed. Called by assume.
import { AgentRunError } from "../core/error.ts";
import type { AssumeRequest } from "./assume.ts";
import { explainFailure, readFailure } from "./failure.ts";
import { parseArn } from "./identity.ts";
import type { StsClient } from "./sts.ts";

/** The AgentRunError for a failed AssumeRole. What every call can meet is left to `explainFailure`. */
export async function explainRefusal(thrown: unknown, client: StsClient, request: AssumeRequest): Promise<AgentRunError> {
  if (thrown instanceof AgentRunError) return thrown;
  const { name, text } = readFailure(thrown);
  if (/^AccessDenied/.test(name)) return accessDenied(text, request);
  if (name === "MalformedPolicyDocument" || name === "MalformedPolicyDocumentException") {
    return new AgentRunError("policy", `sts rejects the session policy: '${text}'`, { hint: "check session-policy.json of the profile" });
  }
  if (/^PackedPolicyTooLarge/.test(name) || /allotted space|packed size/i.test(text)) {
    const percent = /(\d+)\s*%/.exec(text)?.[1];
    return new AgentRunError(
      "policy",
      `session policy and tags are too large for sts${percent ? `: ${percent} % of what it allows` : ""}`,
      {
        hint: "shorten the session policy with wildcards such as ec2:Describe*, or send fewer and shorter tags",
      },
    );
  }
  if (/^Validation/.test(name) && /DurationSeconds/i.test(text)) {
    return new AgentRunError("assume-role", `sts refuses the duration: '${text}'`, {
      hint: `allow longer sessions (aws iam update-role --role-name ${roleName(request.roleArn)} --max-session-duration 3600), or pass a shorter --ttl`,
    });
  }
  if (/^(Validation|InvalidParameter)/.test(name) && /transitive/i.test(text)) {
    return new AgentRunError("assume-role", `the base session already carries a transitive tag that this session sets too: '${text}'`, {
      hint: `start from credentials that carry none of these as a transitive tag, as an agent's session does: ${Object.keys(request.tags ?? {}).join(", ")}`,
    });
  }
  return explainFailure(thrown, client, "sts:AssumeRole", "assume-role", request.heldBy);
}

function accessDenied(text: string, request: AssumeRequest): AgentRunError {
  const role = request.roleArn;
  if (/MultiFactorAuthentication|MFA/i.test(text)) {
    return new AgentRunError("mfa", request.mfa ? `sts rejects the mfa code of ${request.mfa.serial}` : `role ${role} asks for mfa`, {
      hint: request.mfa
        ? "wait for the next code: each code works once; check that the device's clock is right"
        : 'set mfa_serial = "arn:aws:iam::<account>:mfa/<device>" in the profile',
    });
  }
  const action = /not authorized to perform:? ?(sts:\w+)/i.exec(text)?.[1] ?? "sts:AssumeRole";
  const caller = request.callerArn ?? /User: (arn:\S+)/.exec(text)?.[1] ?? "the base identity";
  const explicit = /with an explicit deny in (?:an? |the )?([a-z -]+policy)/i.exec(text)?.[1];
  if (explicit) {
    return new AgentRunError("assume-role", `${action} on ${role} is explicitly denied to ${caller} by ${explicit}`, {
      hint: `no Allow can mend it: change or remove the Deny in that ${explicit}${whose(explicit)}`,
    });
  }
  // The other two kinds are what `statements` is about.
  const silent = /because no ((?!identity|resource-)[a-z -]*?(?:policy|boundary)) allows/i.exec(text)?.[1];
  if (silent) {
    return new AgentRunError("assume-role", `no ${silent} allows ${action} on ${role} to ${caller}`, {
      hint: `what the role and you are allowed does not count without it: let the ${silent} allow ${actionsOf(request).join(", ")} on ${role}${whose(silent)}`,
    });
  }
  if (action === "sts:TagSession" || action === "sts:SetSourceIdentity") {
    return new AgentRunError("assume-role", `the trust policy of ${role} does not allow ${action} to ${caller}`, {
      hint: statements(caller, request),
    });
  }
  // AWS answers the same for a role that is not there.
  const also = request.externalId
    ? "; there may be no such role, or the external id of the profile may be wrong"
    : request.mfa
      ? ""
      : "; there may be no such role, or it may also ask for an external id (external_id in the profile) or mfa (mfa_serial)";
  return new AgentRunError("assume-role", `${caller} may not assume ${role}`, { hint: `${statements(caller, request)}${also}` });
}

/** Who can change a policy that is of no account's own IAM. */
const whose = (policy: string): string => (/control policy/i.test(policy) ? ", as your organization's administrators can" : "");

function actionsOf({ tags, sourceIdentity }: AssumeRequest): string[] {
  const actions = ["sts:AssumeRole"];
  if (Object.keys(tags ?? {}).length > 0) actions.push("sts:TagSession");
  if (sourceIdentity !== undefined) actions.push("sts:SetSourceIdentity");
  return actions;
}

/** What is to be added where, as JSON that can be pasted. A trust policy's statement has a principal and no resource, an identity policy's the reverse. */
function statements(caller: string, request: AssumeRequest): string {
  const actions = actionsOf(request);
  const trust = JSON.stringify({ Effect: "Allow", ...principalOf(caller), Action: actions });
  const hint = `add to the trust policy of ${request.roleArn}: ${trust}`;
  if (parseArn(caller)?.account === parseArn(request.roleArn)?.account) return hint;
  return `${hint} and to the policies of ${caller}: ${JSON.stringify({ Effect: "Allow", Action: actions, Resource: request.roleArn })}`;
}

/**
 * A trust policy names roles, not their sessions. The role's path is not in the session's ARN; for Identity Center's roles it is known but for
 * the region, so they are matched by condition (IAM Identity Center guide, "Referencing permission sets in resource policies").
 */
function principalOf(caller: string): { Principal: { AWS: string }; Condition?: Record<string, Record<string, string>> } {
  const arn = parseArn(caller);
  const name = /^assumed-role\/([^/]+)\//.exec(arn?.resource ?? "")?.[1];
  if (!arn) return { Principal: { AWS: "arn:aws:iam::<account>:user/<you>" } };
  if (!name) return { Principal: { AWS: caller } };
  const role = `arn:${arn.partition}:iam::${arn.account}:role/`;
  if (!name.startsWith("AWSReservedSSO_")) return { Principal: { AWS: `${role}${name}` } };
  return {
    Principal: { AWS: `arn:${arn.partition}:iam::${arn.account}:root` },
    Condition: { ArnLike: { "aws:PrincipalArn": `${role}aws-reserved/sso.amazonaws.com/*${name}` } },
  };
}

const roleName = (arn: string): string => arn.slice(arn.lastIndexOf("/") + 1);
