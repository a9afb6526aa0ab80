// Whether the session can do nothing destructive: what our session policy proves by itself, else what IAM tells of the role. Called by session at start step 5.
import type { IAMClient } from "@aws-sdk/client-iam";
import { AgentRunError } from "../core/error.ts";
import { destructiveAllowed } from "../policy/destructive.ts";
import { parsePolicyValue } from "../policy/parse.ts";
import type { PolicyDocument, PolicySet, RequestContext } from "../policy/types.ts";
import { isAbout } from "../policy/worst-case.ts";
import { networkFailure, readFailure } from "./failure.ts";
import { parseArn } from "./identity.ts";
import { readRole } from "./role-policies.ts";

export interface RestrictionRequest {
  readonly roleArn: string;
  /** ARN of the session. */
  readonly principal: string;
  /** The session policy that was sent; undefined when none was. */
  readonly sessionPolicy: PolicyDocument | undefined;
  /** A client of the base identity; made only when the session policy leaves something open. */
  readonly iam: () => Promise<IAMClient>;
  /** What is known of every request of the session, such as `aws:PrincipalTag/agent-session`. */
  readonly context?: RequestContext | undefined;
  /** For all calls together; the launch waits for it. */
  readonly budgetMs?: number | undefined;
}

export type Restriction =
  /** `allowed`: the catalogue's actions that the session may do all the same; empty is what one hopes for. */
  | { readonly verified: "by-policy" | "by-simulation" | "by-documents"; readonly allowed: readonly string[] }
  /** What it may surely do is in `allowed` all the same. */
  | { readonly verified: false; readonly why: string; readonly allowed: readonly string[] };

const BUDGET_MS = 4000;
/** SimulatePrincipalPolicy answers at most this many results a page, and takes this many actions well. */
const ACTIONS_A_CALL = 100;

/** The widest role there can be, so that only the session policy decides. */
const anything = parsePolicyValue({ Version: "2012-10-17", Statement: { Effect: "Allow", Action: "*", Resource: "*" } }, "any role");

/** What a session policy leaves open whatever the role, by the account: the same for every session of a profile, and 167 actions to decide. */
const leftOpen = new WeakMap<PolicyDocument, Map<string, string[]>>();

function openUnder({ sessionPolicy, context, principal }: RestrictionRequest, decide: () => string[]): string[] {
  if (sessionPolicy === undefined || context !== undefined) return decide();
  const accounts = leftOpen.get(sessionPolicy) ?? new Map<string, string[]>();
  leftOpen.set(sessionPolicy, accounts);
  const account = parseArn(principal)?.account ?? "";
  const known = accounts.get(account) ?? decide();
  accounts.set(account, known);
  return known;
}

/**
 * Checks the catalogue of `src/policy/destructive.ts` in three steps, each for what the one before left open: our session policy alone, without network;
 * IAM's simulation of the role; the role's own documents. Never throws: what could not be found out is said in `why`.
 */
export async function checkRestriction(request: RestrictionRequest): Promise<Restriction> {
  const session = request.sessionPolicy && [request.sessionPolicy];
  const actionsAllowed = (policies: PolicySet): string[] => [
    ...new Set(destructiveAllowed({ ...policies, session }, request.principal, request.context).map(({ action }) => action)),
  ];
  const open = openUnder(request, () => actionsAllowed({ identity: [anything] }));
  if (open.length === 0) return { verified: "by-policy", allowed: [] };

  const signal = AbortSignal.timeout(request.budgetMs ?? BUDGET_MS);
  let iam: IAMClient;
  let simulated: Map<string, string> | undefined;
  let noSimulation = "";
  try {
    iam = await request.iam();
    simulated = await simulate(iam, request, open, signal);
  } catch (error) {
    noSimulation = why(error, "iam:SimulatePrincipalPolicy", signal);
  }
  const surely = open.filter((action) => simulated?.get(action) === "allowed");
  if (surely.length === open.length) return { verified: "by-simulation", allowed: surely };
  try {
    const { policies } = await readRole(await request.iam(), request.roleArn, signal);
    // A deny that is none of the role's own documents' is the organisation's.
    const isDenied = (action: string): boolean => simulated?.get(action) === "explicitDeny" && !leavesOut(policies, action);
    return { verified: "by-documents", allowed: actionsAllowed(policies).filter((action) => !isDenied(action)) };
  } catch (error) {
    const noDocuments = why(error, "reading the role's policies", signal);
    const some = `the session policy leaves ${open.length} destructive action${open.length === 1 ? "" : "s"} open (${open[0]}${open.length > 1 ? ", …" : ""})`;
    // Simulated without a resource, an action counts as denied although the role may allow it on some resource, or deny it on all others (NotResource):
    // that proves nothing.
    return {
      verified: false,
      why: `${some}; ${[noSimulation, noDocuments].filter((text, index, all) => text && all.indexOf(text) === index).join("; ")}`,
      allowed: surely,
    };
  }
}

/** Whether a Deny of these policies is about the action and leaves some resources out: then what it denies elsewhere says nothing of them. */
function leavesOut(policies: PolicySet, action: string): boolean {
  const kinds: readonly PolicySet[keyof PolicySet][] = Object.values(policies);
  return kinds
    .flatMap((documents = []) => documents.flatMap(({ statements }) => statements))
    .some((statement) => statement.effect === "Deny" && statement.notResource !== undefined && isAbout(statement, action));
}

/**
 * IAM's own decision for each action on every resource (`*`): `allowed`, `explicitDeny` or `implicitDeny`. A deny that rests on keys that nobody gave (a
 * region that the session can choose) denies no real request for sure: it is none.
 */
async function simulate(
  iam: IAMClient,
  request: RestrictionRequest,
  actions: readonly string[],
  abortSignal: AbortSignal,
): Promise<Map<string, string>> {
  const { SimulatePrincipalPolicyCommand } = await import("@aws-sdk/client-iam");
  const decisions = new Map<string, string>();
  const ContextEntries = Object.entries(request.context ?? {}).map(([ContextKeyName, value]) => ({
    ContextKeyName,
    ContextKeyValues: [value].flat(),
    ContextKeyType: typeof value === "string" ? ("string" as const) : ("stringList" as const),
  }));
  for (let start = 0; start < actions.length; start += ACTIONS_A_CALL) {
    let Marker: string | undefined;
    do {
      const page = await iam.send(
        new SimulatePrincipalPolicyCommand({
          PolicySourceArn: request.roleArn,
          ActionNames: actions.slice(start, start + ACTIONS_A_CALL),
          ...(ContextEntries.length > 0 ? { ContextEntries } : {}),
          ...(Marker === undefined ? {} : { Marker }),
        }),
        { abortSignal },
      );
      for (const { EvalActionName, EvalDecision, MissingContextValues = [] } of page.EvaluationResults ?? []) {
        const decision = EvalDecision === "explicitDeny" && MissingContextValues.length > 0 ? "implicitDeny" : EvalDecision;
        if (EvalActionName && decision) decisions.set(EvalActionName, decision);
      }
      Marker = page.IsTruncated ? page.Marker : undefined;
    } while (Marker !== undefined);
  }
  return decisions;
}

function why(thrown: unknown, action: string, signal: AbortSignal): string {
  if (thrown instanceof AgentRunError) return thrown.message;
  if (signal.aborted) return "iam did not answer in time";
  const failure = readFailure(thrown);
  if (/^AccessDenied/.test(failure.name)) return `${action} is not allowed to the base identity`;
  return networkFailure(failure, "iam")?.message ?? `${action} failed with ${failure.name}`;
}
