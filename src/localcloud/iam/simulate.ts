// SimulatePrincipalPolicy: what a user's or role's own policies would decide, with the context that was given and no other. Called by iam.ts.
import { evaluate } from "../../policy/evaluate.ts";
import type { Decision, PolicyDocument, PolicyRequest, PolicySet } from "../../policy/types.ts";
import type { Role, User } from "../account.ts";
import { authorize } from "../authorize.ts";
import type { Call } from "../call.ts";
import { AwsFault } from "../fault.ts";
import type { Params } from "../params.ts";
import { readPolicy } from "../sts/inputs.ts";
import type { XmlTree } from "../xml.ts";
import { noSuchEntity, page } from "./lookup.ts";

const NO_PERMISSIONS: { identity: readonly PolicyDocument[]; boundary: readonly PolicyDocument[] | undefined } = {
  identity: [],
  boundary: undefined,
};

/** IAM API Reference: session policies have no part in it, and keys that are not given are missing. */
export function simulatePrincipalPolicy(call: Call, params: Params): XmlTree {
  const source = params.required("PolicySourceArn");
  const { account } = call.cloud;
  authorize(call, { action: "iam:SimulatePrincipalPolicy", resource: source });
  const holder = [...account.users.values(), ...account.roles.values()].find((candidate) => candidate.arn === source);
  if (!holder) throw noSuchEntity(`The entity with name ${source.slice(source.lastIndexOf("/") + 1)} cannot be found.`);
  const actions = params.list("ActionNames");
  const bad = actions.find((action) => !/^[\w-]+:[\w*?]+$/.test(action));
  if (actions.length === 0 || bad !== undefined) {
    throw new AwsFault("InvalidInput", 400, `Invalid Entity Arn: ${bad ?? "at least one action is needed"}`);
  }
  const given = params.list("ResourceArns");
  const resources = given.length > 0 ? given : ["*"];
  const policies = policiesFor(call, params, holder);
  const context = contextEntries(params);
  const caller = params.get("CallerArn") ?? source;
  const results = actions.flatMap((action) =>
    resources.map((resource) => {
      const request = { principal: caller, action, resource, context };
      return shape(request, policies, evaluate(request, policies));
    }),
  );
  const { shown, more } = page(params, results);
  return { ...more, EvaluationResults: shown };
}

function policiesFor(call: Call, params: Params, holder: User | Role): PolicySet {
  const now = holder.permissions.at(call.now) ?? NO_PERMISSIONS;
  const extra = params.list("PolicyInputList").map((text, index) => readPolicy(text, `PolicyInputList.${index + 1}`));
  const replaced = params
    .list("PermissionsBoundaryPolicyInputList")
    .map((text, index) => readPolicy(text, `PermissionsBoundaryPolicyInputList.${index + 1}`));
  const boundary = replaced.length > 0 ? replaced : now.boundary;
  const resource = params.get("ResourcePolicy");
  return {
    identity: [...now.identity, ...extra],
    ...(boundary && { boundary }),
    ...(resource !== undefined && { resource: [readPolicy(resource, "ResourcePolicy", "resource")] }),
  };
}

function contextEntries(params: Params): Record<string, string | string[]> {
  const context: Record<string, string | string[]> = {};
  for (const entry of params.structures("ContextEntries")) {
    const values = entry.list("ContextKeyValues");
    const single = !(entry.get("ContextKeyType") ?? "string").endsWith("List");
    context[entry.get("ContextKeyName") ?? ""] = single && values[0] !== undefined ? values[0] : values;
  }
  return context;
}

/** The keys that the policies ask for and that nobody gave. */
function missingKeys({ context }: PolicyRequest, policies: PolicySet): string[] {
  const given = new Set(Object.keys(context).map((key) => key.toLowerCase()));
  const documents = [policies.identity, policies.boundary, policies.resource].flatMap((kind) => kind ?? []);
  const asked = documents.flatMap(({ statements }) => statements.flatMap(({ conditions }) => conditions.map(({ key }) => key)));
  return [...new Set(asked)].filter((key) => !given.has(key.toLowerCase()));
}

function shape(request: PolicyRequest, policies: PolicySet, decision: Decision): XmlTree {
  const { action, resource } = request;
  const { statement } = decision;
  const position = { Line: 1 + (statement?.index ?? 0), Column: 1 };
  const matched = statement
    ? [{ SourcePolicyId: statement.source, SourcePolicyType: "IAM Policy", StartPosition: position, EndPosition: position }]
    : [];
  return {
    EvalActionName: action,
    EvalResourceName: resource,
    EvalDecision: decision.outcome,
    MatchedStatements: matched,
    MissingContextValues: missingKeys(request, policies),
    ...(policies.boundary && {
      PermissionsBoundaryDecisionDetail: {
        AllowedByPermissionsBoundary:
          decision.missing !== "boundary" && !(decision.outcome === "explicitDeny" && statement?.kind === "boundary"),
      },
    }),
  };
}
