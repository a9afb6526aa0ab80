// May this caller do this? Asks the policy evaluator, and words a refusal as AWS does. Called by every handler before it acts.
import { evaluate } from "../policy/evaluate.ts";
import type { Decision, PolicyDocument, PolicyKind, RequestContext } from "../policy/types.ts";
import type { Call } from "./call.ts";
import { policiesOf } from "./caller.ts";
import { AwsFault } from "./fault.ts";

export interface Need {
  /** `s3:GetObject` */
  readonly action: string;
  /** ARN or `*`. */
  readonly resource: string;
  /** The resource in the text of a refusal, where the service shows it otherwise: `role agent-demo`. */
  readonly shown?: string;
  /** Condition keys of this request beside those that every request has. */
  readonly context?: RequestContext;
}

/**
 * The decision, nothing thrown.
 * @param trust the policies of a resource that only its own policy opens: a role's trust policy
 */
export function decide(call: Call, need: Need, trust?: readonly PolicyDocument[]): Decision {
  const { cloud, caller, now } = call;
  const context = { ...call.context, ...need.context };
  const request = { principal: caller.arn, action: need.action, resource: need.resource, context };
  const policies = policiesOf(cloud.account, caller, now);
  return trust ? evaluate(request, { ...policies, resource: trust }, { resourceMustAllow: true }) : evaluate(request, policies);
}

/** @throws AwsFault the access denied error of the call's service */
export function authorize(call: Call, need: Need): void {
  const decision = decide(call, need);
  if (decision.outcome !== "allowed") throw refusal(call, need, decision);
}

const KIND: Record<PolicyKind, string> = {
  identity: "identity-based policy",
  session: "session policy",
  boundary: "permissions boundary",
  resource: "resource-based policy",
  serviceControl: "service control policy",
};

/** IAM user guide, "Troubleshoot access denied error messages". */
export function refusal(call: Call, need: Need, decision: Decision): AwsFault {
  const subject = `User: ${call.caller.arn} is not authorized to perform: ${need.action}`;
  const arn = need.resource === "*" ? undefined : (need.shown ?? need.resource);
  const object = arn === undefined ? "" : ` on resource: ${call.service === "s3" ? `"${arn}"` : arn}`;
  const text = `${subject}${object}${reason(need, decision)}`;
  if (call.service === "ec2") {
    return new AwsFault("UnauthorizedOperation", 403, `You are not authorized to perform this operation. ${text}`);
  }
  if (call.service === "cloudtrail") return new AwsFault("AccessDeniedException", 400, text);
  return new AwsFault("AccessDenied", 403, text);
}

function reason(need: Need, decision: Decision): string {
  if (decision.outcome === "explicitDeny") {
    const kind = KIND[decision.statement?.kind ?? "identity"];
    return ` with an explicit deny in ${kind.startsWith("identity") ? "an" : "a"} ${kind}`;
  }
  return ` because no ${KIND[decision.missing ?? "identity"]} allows the ${need.action} action`;
}
