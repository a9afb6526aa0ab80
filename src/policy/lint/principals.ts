// Who is let in: the principals of trust policies and of resource policies. Called by lint.ts.
import type { Statement } from "../types.ts";
import { finding, type Raw, some } from "./finding.ts";
import type { Subject } from "./subject.ts";

/** Checks one Allow of a policy that names principals. */
export function principalFindings(statement: Statement, { kind }: Subject): Raw[] {
  if (statement.effect !== "Allow" || (kind !== "trust" && kind !== "resource")) return [];
  if (statement.notPrincipal) {
    return [
      finding("public-exposure", statement, {
        steps: ["NotPrincipal"],
        reason: "allows everyone but a few, people without an account among them",
        fix: "list who is allowed in Principal",
      }),
    ];
  }
  const { principal } = statement;
  if (principal === undefined) return [];
  const named = principal === "*" ? { AWS: ["*"] } : principal;
  return [
    ...everyone(statement, named["AWS"] ?? []),
    ...services(statement, named["Service"] ?? [], kind),
    ...federated(statement, named["Federated"] ?? [], kind),
    ...accounts(statement, named["AWS"] ?? [], kind),
    ...several(statement, named, kind),
  ];
}

/** Keys that keep everyone else out. */
const NARROWS =
  /^(?:aws:(?:principalorgid|principalorgpaths|principalaccount|principalarn|sourcearn|sourceaccount|sourceorgid|sourcevpc|sourcevpce|sourceip|userid|principaltag\/.*)|kms:calleraccount|sts:externalid)$/i;
const narrowed = (statement: Statement): boolean =>
  statement.conditions.some(
    ({ key, operator, ifExists, values }) =>
      NARROWS.test(key) && !ifExists && !operator.includes("Not") && operator !== "Null" && !values.includes("*"),
  );

const conditionKeys = (statement: Statement): string[] => statement.conditions.map(({ key }) => key.toLowerCase());

function everyone(statement: Statement, names: readonly string[]): Raw[] {
  if (!names.includes("*") || narrowed(statement)) return [];
  return [
    finding("public-exposure", statement, {
      steps: ["Principal"],
      reason: "open to everyone, in every account",
      fix: 'name who it is for, or add "StringEquals": { "aws:PrincipalOrgID": "o-…" }',
    }),
  ];
}

/** A service that anybody may point at this resource (IAM User Guide, confused-deputy); its own compute services act for their own role only. */
function services(statement: Statement, names: readonly string[], kind: Subject["kind"]): Raw[] {
  const own =
    /^(?:ec2|lambda|ecs-tasks|eks-auth|pods\.eks|edgelambda|ssm|codebuild|glue|sagemaker)\.amazonaws\.com(?:\.cn)?$|^pods\.eks\.amazonaws\.com$/;
  const asked = conditionKeys(statement);
  const open = names.filter((name) => kind === "resource" || !own.test(name));
  if (open.length === 0 || asked.some((key) => /^aws:source(?:account|arn|orgid|orgpaths)$/.test(key))) return [];
  const reason = `${some(open)} acts for every customer of AWS, and can be told to use this`;
  return [
    finding("missing-condition", statement, {
      steps: ["Principal"],
      reason,
      fix: 'add "StringEquals": { "aws:SourceAccount": "<your account>" }',
    }),
  ];
}

/** An identity provider signs in all of its users: which of them, the subject says. */
function federated(statement: Statement, names: readonly string[], kind: Subject["kind"]): Raw[] {
  const oidc = names.filter((name) =>
    /oidc-provider\/|^(?:accounts\.google\.com|cognito-identity\.amazonaws\.com|graph\.facebook\.com|www\.amazon\.com)$/.test(name),
  );
  if (kind !== "trust" || oidc.length === 0) return [];
  const asked = statement.conditions.filter(({ key }) => /:(?:sub|amr|repository|job_workflow_ref)$/i.test(key));
  const open = asked.every(
    ({ operator, values }) => operator.includes("Not") || values.some((value) => /^\*?$|^repo:\*|^repo:[^/]+\/\*:?\*?$/.test(value)),
  );
  if (asked.length > 0 && !open) return [];
  const reason = `every user of ${some(oidc)} may assume this role`;
  return [
    finding("public-exposure", statement, {
      steps: ["Principal"],
      reason,
      fix: 'add "StringEquals" for its ":sub" and ":aud", such as repo:my-org/my-repo:ref:refs/heads/main',
    }),
  ];
}

/** An account as a whole, or somebody's user: with an external id a third party cannot be talked into it. */
function accounts(statement: Statement, names: readonly string[], kind: Subject["kind"]): Raw[] {
  if (kind !== "trust" || !(statement.action ?? []).some((action) => /^(?:sts:(?:assumerole|\*)|\*)$/i.test(action))) return [];
  const whole = names.filter((name) => /^(?:\d{12}|arn:[^:]+:iam::\d{12}:root)$/.test(name));
  if (whole.length === 0 || narrowed(statement) || conditionKeys(statement).some((key) => key === "aws:multifactorauthpresent")) return [];
  const reason = `everybody in ${some(whole)} whose own policies allow it may assume this role`;
  return [
    finding("missing-condition", statement, {
      steps: ["Principal"],
      reason,
      fix: 'name the one user or role, or add "StringEquals": { "sts:ExternalId": "…" }',
    }),
  ];
}

/** A role is one function's or tool's: taken away from one, it must not break another. */
function several(statement: Statement, named: Readonly<Record<string, readonly string[]>>, kind: Subject["kind"]): Raw[] {
  const holders = [...(named["Service"] ?? []), ...(named["Federated"] ?? []), ...(named["AWS"] ?? [])];
  if (kind !== "trust" || holders.length < 2) return [];
  return [
    finding("shared-role", statement, {
      steps: ["Principal"],
      reason: `${holders.length} may assume this role: ${some(holders)}`,
      fix: "give each function or tool a role of its own",
    }),
  ];
}
