// Short ways to write policies and requests for the tests of this folder.
import { evaluate } from "../../src/policy/evaluate.ts";
import { parsePolicyValue } from "../../src/policy/parse.ts";
import type { Decision, PolicyDocument, PolicyRequest, RequestContext } from "../../src/policy/types.ts";

export const ACCOUNT = "111122223333";
export const SESSION = `arn:aws:sts::${ACCOUNT}:assumed-role/examplerole/examplerolesessionname`;
export const ROLE = `arn:aws:iam::${ACCOUNT}:role/examplerole`;
export const USER = `arn:aws:iam::${ACCOUNT}:user/exampleuser`;

export type Json = Readonly<Record<string, unknown>>;

export function identity(statements: readonly Json[] | Json, source = "identity"): PolicyDocument {
  return parsePolicyValue({ Version: "2012-10-17", Statement: statements }, source);
}

export function resourcePolicy(statements: readonly Json[] | Json, source = "resource"): PolicyDocument {
  return parsePolicyValue({ Version: "2012-10-17", Statement: statements }, source, { kind: "resource" });
}

export const allow = (action: unknown, resource: unknown = "*", more: Json = {}): Json => ({
  Effect: "Allow",
  Action: action,
  Resource: resource,
  ...more,
});
export const deny = (action: unknown, resource: unknown = "*", more: Json = {}): Json => ({
  ...allow(action, resource, more),
  Effect: "Deny",
});

export function request(action: string, resource = "*", context: RequestContext = {}, principal = SESSION): PolicyRequest {
  return { principal, action, resource, context };
}

/** Whether one Allow with this Condition applies in this context. */
export function holds(condition: Json, context: RequestContext): boolean {
  return decideUnder("Allow", condition, context).outcome === "allowed";
}

/** Whether one Deny with this Condition applies in this context. */
export function denies(condition: Json, context: RequestContext): boolean {
  return decideUnder("Deny", condition, context).outcome === "explicitDeny";
}

function decideUnder(effect: string, condition: Json, context: RequestContext): Decision {
  const statement = { Effect: effect, Action: "s3:GetObject", Resource: "*", Condition: condition };
  return evaluate(request("s3:GetObject", "arn:aws:s3:::b/k", context), { identity: [identity([statement])] });
}
