// Lints policies: each by itself, and together what they leave open. Pure; called by `agent-run policy lint`, `agent-run check` and tests.
import type { Instant } from "../../core/clock.ts";
import type { Catalogue } from "../catalogue.ts";
import { charactersSent, compileSession } from "../compile-session.ts";
import { LONGEST_SESSION_POLICY, minifyPolicy } from "../minify.ts";
import { parsePolicyValue } from "../parse.ts";
import type { PolicyDocument, PolicySet, Statement } from "../types.ts";
import { codes, type Finding, type Raw, some } from "./finding.ts";
import { grantFindings } from "./grants.ts";
import { nameFindings } from "./names.ts";
import { byStatement, openDestruction, openPaths } from "./paths.ts";
import { principalFindings } from "./principals.ts";
import { reachFindings } from "./reach.ts";
import { isCeiling, type PolicyKind, type Subject } from "./subject.ts";

export interface LintInput {
  readonly kind: PolicyKind;
  readonly document: PolicyDocument;
  /** The text as AWS stores it, for its length; absent where only the document is known. */
  readonly text?: string | undefined;
}

export interface LintOptions {
  readonly catalogue: Catalogue;
  readonly now?: Instant | undefined;
  /** Actions that the policies are there for, such as a profile's `accepts`: that they are allowed is no finding. */
  readonly accepts?: readonly string[] | undefined;
  /** Characters of the one session policy that is made of all session documents, which has their limit then. */
  readonly sent?: number | undefined;
}

/**
 * All findings of these policies, in the order of the documents and their statements. Policies given together are taken for those of one session: an
 * escalation path counts only where role policy, boundary and session policy all leave it open.
 */
export function lintPolicies(inputs: readonly LintInput[], { catalogue, now, accepts = [], sent }: LintOptions): Finding[] {
  const accepted = new Set(accepts.map((action) => action.toLowerCase()));
  const first = inputs.find(({ kind }) => kind === "session");
  const alone = inputs.flatMap((input) => {
    const subject: Subject = { kind: input.kind, document: input.document, catalogue, accepts: accepted, now };
    const raw = [
      ...documentFindings(input, sent === undefined || input.kind !== "session" ? lengthOf(input) : input === first ? sent : 0),
      ...input.document.statements.flatMap((statement) => statementFindings(statement, subject)),
    ];
    return raw.map((one) => complete(one, input.document.source));
  });
  // Where everything is allowed, each way to more of it is said already.
  const whole = new Set(alone.filter(({ code }) => code === "admin-everything").map(({ source, steps }) => `${steps[1]} ${source}`));
  const found = [...alone, ...togetherFindings(inputs, accepted).filter(({ source, steps }) => !whole.has(`${steps[1]} ${source}`))];
  const order = new Map(inputs.map(({ document }, index) => [document.source, index]));
  const statementOf = ({ steps }: Finding): number => (typeof steps[1] === "number" ? steps[1] : -1);
  return found.sort(
    (left, right) => (order.get(left.source) ?? 0) - (order.get(right.source) ?? 0) || statementOf(left) - statementOf(right),
  );
}

function complete(raw: Raw, source: string): Finding {
  return { ...raw, source, severity: raw.severity ?? codes[raw.code].severity };
}

function statementFindings(statement: Statement, subject: Subject): Raw[] {
  return [
    ...nameFindings(statement, subject),
    ...grantFindings(statement, subject),
    ...principalFindings(statement, subject),
    ...reachFindings(statement, subject),
    ...oldVariables(statement, subject),
  ];
}

function oldVariables(statement: Statement, { document }: Subject): Raw[] {
  if (document.version === "2012-10-17") return [];
  const texts = [...(statement.resource ?? []), ...(statement.notResource ?? []), ...statement.conditions.flatMap(({ values }) => values)];
  const found = texts.find((text) => text.includes("${"));
  if (found === undefined) return [];
  return [
    {
      code: "variable-in-old-version",
      steps: ["Statement", statement.index],
      sid: statement.sid,
      reason: `without "Version": "2012-10-17" '${found}' is these very letters, and matches nothing`,
      fix: 'write "Version": "2012-10-17"',
    },
  ];
}

/** Characters without white space that AWS takes (IAM User Guide, reference_iam-quotas; STS API reference, AssumeRole). */
const LONGEST: Readonly<Record<PolicyKind, readonly [limit: number, what: string]>> = {
  session: [LONGEST_SESSION_POLICY, "a session policy"],
  identity: [10_240, "all inline policies of a role"],
  boundary: [6144, "a managed policy, which a boundary is"],
  trust: [2048, "a trust policy (4,096 where the quota was raised)"],
  resource: [20_480, "a bucket policy"],
  "service-control": [5120, "a service control policy"],
};

/** The characters that count against the limit of a kind: of a session policy those that would be sent, of others all but white space. */
function lengthOf({ kind, document, text }: LintInput): number {
  const sent = kind === "session" ? charactersSent(() => compileSession({ sources: [{ label: document.source, document }] })) : undefined;
  if (sent !== undefined) return sent;
  return kind === "session" || text === undefined ? minifyPolicy(document).length : JSON.stringify(JSON.parse(text)).length;
}

function documentFindings(input: LintInput, length: number): Raw[] {
  const [limit, what] = LONGEST[input.kind];
  const found: Raw[] = [];
  if (length > limit) {
    const reason = `${length} characters without white space; AWS takes ${limit} for ${what}`;
    found.push({
      code: "too-long",
      steps: [],
      sid: undefined,
      reason,
      fix: "merge statements, write lists shorter with wildcards such as ec2:Describe*, or drop Sids",
    });
  }
  if (input.document.version === "2008-10-17") {
    found.push({
      code: "old-version",
      steps: [],
      sid: undefined,
      reason: "no Version, so IAM reads it as of 2008: no policy variables",
      fix: 'write "Version": "2012-10-17"',
    });
  }
  return found;
}

const anything = parsePolicyValue({ Version: "2012-10-17", Statement: { Effect: "Allow", Action: "*", Resource: "*" } }, "any role");

/** What the session of these policies may do. A session policy alone is looked at as the grant that it bounds. */
function togetherFindings(inputs: readonly LintInput[], accepts: ReadonlySet<string>): Finding[] {
  const of = (kind: PolicyKind): PolicyDocument[] | undefined => {
    const documents = inputs.filter((input) => input.kind === kind).map(({ document }) => document);
    return documents.length > 0 ? documents : undefined;
  };
  const [identity, session, boundary, serviceControl] = [of("identity"), of("session"), of("boundary"), of("service-control")];
  const granting = identity ?? session;
  const ceilings = inputs.flatMap(({ kind, document }) => (isCeiling(kind) ? openCeiling(document, accepts) : []));
  if (!granting) return ceilings;
  const policies: PolicySet = { identity: granting, boundary, serviceControl, session: identity && session };
  const at = (statement: { source: string; index: number; sid: string | undefined }): Pick<Finding, "source" | "steps" | "sid"> => ({
    source: statement.source,
    steps: ["Statement", statement.index],
    sid: statement.sid,
  });
  const paths = byStatement(openPaths(policies, accepts)).map(({ statement, opened }): Finding => {
    const [first] = opened;
    const more =
      opened.length > 1
        ? `; ${opened.length - 1} more way${opened.length > 2 ? "s" : ""}: ${some(opened.slice(1).map(({ actions }) => actions.join(" + ")))}`
        : "";
    return {
      code: "privilege-escalation",
      severity: "error",
      ...at(statement),
      reason: `${first?.actions.join(" + ")} ${first?.what}${more}`,
      fix: "take one of the actions out, or deny it",
    };
  });
  const destruction = byStatement(openDestruction(policies, false, accepts)).map(
    ({ statement, opened }): Finding => ({
      code: "destructive",
      severity: "warning",
      ...at(statement),
      reason: `allows ${some(opened.map(({ actions }) => actions.join()))}`,
      fix: "deny what the task does not need: an explicit Deny holds whatever else allows it",
    }),
  );
  return [...paths, ...destruction, ...ceilings];
}

/** One that only denies stands beside AWS's own FullAWSAccess, or beside the policy that allows. */
function openCeiling(document: PolicyDocument, accepts: ReadonlySet<string>): Finding[] {
  const allowing = document.statements.some(({ effect }) => effect === "Allow") ? [] : [anything];
  const open = openDestruction({ identity: [anything], boundary: [...allowing, document] }, true, accepts);
  if (open.length === 0) return [];
  const fix = "deny these here, or allow only what the sessions need";
  const reason = `leaves ${open.length} destructive action${open.length === 1 ? "" : "s"} open: ${some(open.map(({ actions }) => actions.join()))}`;
  return [{ code: "ceiling-open", severity: "warning", source: document.source, steps: [], sid: undefined, reason, fix }];
}
