// The decision, in AWS's order: deny anywhere, service control, resource policy, identity, boundary, session. Called by localcloud, session checks and the gateway.
import { type Asked, type CompiledStatement, compile } from "./compile.ts";
import { ContextView } from "./conditions.ts";
import { type Caller, type Naming, naming, readCaller, surelyListed } from "./principal.ts";
import type { Decision, PolicyKind, PolicyRequest, PolicySet } from "./types.ts";

export interface EvaluateOptions {
  /** For what only a resource policy can open: role trust policies (`sts:AssumeRole`) and KMS keys. An absent one then allows nothing. */
  readonly resourceMustAllow?: boolean;
}

/** The order in which a deny is looked for, and so which of several is named. */
const KINDS: readonly PolicyKind[] = ["serviceControl", "resource", "boundary", "session", "identity"];

/**
 * Decides one request as IAM does (IAM User Guide, reference_policies_evaluation-logic). Pure: the same answer for the same input.
 *
 * Within an account an Allow of the resource policy that names the session, the user or everyone suffices by itself; one that names the role is
 * limited by boundary and session policy; one that names the account leaves it to the identity policies. Across accounts the resource
 * policy and the caller's own side must both allow. The account of a resource without one in its ARN (S3) is the context's `aws:ResourceAccount`,
 * else the caller's. Several documents of a kind are one: of service control policies, give those of one level.
 * The account root user gets no special treatment: give it an identity policy.
 */
export function evaluate(request: PolicyRequest, policies: PolicySet, options: EvaluateOptions = {}): Decision {
  const asked: Asked = { action: request.action.toLowerCase(), resource: request.resource, context: new ContextView(request.context) };
  let caller: Caller | undefined;
  const callerOf = (): Caller => {
    caller ??= readCaller(request.principal);
    return caller;
  };

  for (const kind of KINDS) {
    for (const document of policies[kind] ?? []) {
      const { source, denies } = compile(document);
      const found = denies.find((one) => one.applies(asked) && (kind !== "resource" || isDeniedBy(one, callerOf(), policies)));
      if (found) return { outcome: "explicitDeny", statement: named(kind, source, found) };
    }
  }

  if (policies.serviceControl && !allowOf("serviceControl", policies, asked)) return missing("serviceControl");

  const resource = policies.resource ?? (options.resourceMustAllow ? [] : undefined);
  const granted = resource && resourceAllow(resource, asked, callerOf());
  const crossing = resource !== undefined && crossesAccounts(request.resource, asked.context, callerOf());
  if (resource && !granted && (crossing || options.resourceMustAllow)) return missing("resource");
  if (granted && !crossing && granted.naming === "direct") return { outcome: "allowed", statement: granted.statement };

  const byRole = granted && !crossing && granted.naming === "role" ? granted.statement : undefined;
  const statement = byRole ?? allowOf("identity", policies, asked);
  if (!statement) return missing("identity");
  if (policies.boundary && !allowOf("boundary", policies, asked)) return missing("boundary");
  if (policies.session && !allowOf("session", policies, asked)) return missing("session");
  return { outcome: "allowed", statement };
}

type Named = NonNullable<Decision["statement"]>;

function named(kind: PolicyKind, source: string, { statement }: CompiledStatement): Named {
  return { kind, source, index: statement.index, sid: statement.sid };
}

function missing(kind: PolicyKind): Decision {
  return { outcome: "implicitDeny", missing: kind };
}

function allowOf(kind: Exclude<PolicyKind, "resource">, policies: PolicySet, asked: Asked): Named | undefined {
  for (const document of policies[kind] ?? []) {
    const { source, allows } = compile(document);
    const found = allows.find((one) => one.applies(asked));
    if (found) return named(kind, source, found);
  }
  return undefined;
}

const STRENGTH: Readonly<Record<Naming, number>> = { direct: 3, role: 2, account: 1 };

/** The Allow of the resource policies that names the caller most directly. */
function resourceAllow(
  documents: NonNullable<PolicySet["resource"]>,
  asked: Asked,
  caller: Caller,
): { readonly naming: Naming; readonly statement: Named } | undefined {
  let best: { naming: Naming; statement: Named } | undefined;
  for (const document of documents) {
    const { source, allows } = compile(document);
    for (const one of allows) {
      const how = namedBy(one, caller);
      if (!how || (best && STRENGTH[how] <= STRENGTH[best.naming]) || !one.applies(asked)) continue;
      best = { naming: how, statement: named("resource", source, one) };
    }
  }
  return best;
}

/** How an Allow names the caller. A statement without any principal names nobody. */
function namedBy({ statement }: CompiledStatement, caller: Caller): Naming | undefined {
  if (statement.principal !== undefined) return naming(statement.principal, caller);
  if (statement.notPrincipal !== undefined) return naming(statement.notPrincipal, caller) ? undefined : "direct";
  return undefined;
}

/**
 * Whether a Deny of a resource policy is meant for the caller. NotPrincipal denies every caller that has a permissions boundary, whatever it lists
 * (IAM User Guide, access_policies_boundaries).
 */
function isDeniedBy({ statement }: CompiledStatement, caller: Caller, policies: PolicySet): boolean {
  if (statement.principal !== undefined) return naming(statement.principal, caller) !== undefined;
  if (statement.notPrincipal !== undefined) return policies.boundary !== undefined || !surelyListed(statement.notPrincipal, caller);
  return true;
}

/** Only a twelve-digit owner counts: AWS's own policies have `aws` there, buckets nothing. */
function crossesAccounts(resource: string, context: ContextView, caller: Caller): boolean {
  const owner = context.single("aws:ResourceAccount") ?? resource.split(":")[4] ?? "";
  return caller.account !== undefined && /^\d{12}$/.test(owner) && owner !== caller.account;
}
