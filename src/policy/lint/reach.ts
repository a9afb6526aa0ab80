// Statements that never apply, that a Deny takes away, or that another one repeats; Denies with a hole. Called by lint.ts.
import { actionMatches } from "../match.ts";
import { readDate } from "../operands.ts";
import { operatorNamed } from "../operators.ts";
import { within } from "../overlap.ts";
import type { Condition, Statement } from "../types.ts";
import { finding, type Raw } from "./finding.ts";
import { spelled } from "./names.ts";
import type { Subject } from "./subject.ts";

/** Checks one statement against itself and the others. */
export function reachFindings(statement: Statement, subject: Subject): Raw[] {
  return [
    ...contradictions(statement),
    ...dates(statement, subject),
    ...values(statement),
    ...failsOpen(statement),
    ...shadowed(statement, subject),
    ...redundant(statement),
  ];
}

const stepsOf = (condition: Condition): string[] => ["Condition", spelled(condition), condition.key];
const sameKey = (left: Condition, right: Condition): boolean => left.key.toLowerCase() === right.key.toLowerCase();

/** Two conditions on a key that exclude one another. */
function contradictions(statement: Statement): Raw[] {
  const { conditions } = statement;
  return conditions.flatMap((one, index) =>
    conditions.slice(index + 1).flatMap((other) => {
      if (!sameKey(one, other) || one.set || other.set || !excludes(one, other)) return [];
      const reason = `${spelled(one)} and ${spelled(other)} on ${one.key} can never both hold`;
      return [
        finding("never-matches", statement, {
          steps: stepsOf(other),
          reason,
          fix: "conditions of a statement must all hold: make two statements of it",
        }),
      ];
    }),
  );
}

function excludes(one: Condition, other: Condition): boolean {
  if (one.ifExists || other.ifExists) return false;
  const names = [one, other].map(({ operator }) => operator);
  const absent = [one, other].find(
    ({ operator, values: asked }) => operator === "Null" && asked.every((value) => value.toLowerCase() === "true"),
  );
  const present = [one, other].find((condition) => condition !== absent);
  if (absent && present) return present.operator !== "Null" && operatorNamed(present.operator)?.negated === false;
  if (names.every((name) => name === "StringEquals" || name === "Bool"))
    return !one.values.some((value) => other.values.includes(value)) && !hasVariable([one, other]);
  const equal = [one, other].find(({ operator }) => operator === "StringEquals");
  const unequal = [one, other].find(({ operator }) => operator === "StringNotEquals");
  if (equal && unequal) return equal.values.every((value) => unequal.values.includes(value));
  return emptyRange(one, other, "Date", readDate) || emptyRange(one, other, "Numeric", Number);
}

const hasVariable = (conditions: readonly Condition[]): boolean =>
  conditions.some(({ values: asked }) => asked.some((value) => value.includes("${")));

function emptyRange(one: Condition, other: Condition, type: string, read: (text: string) => number | undefined): boolean {
  const bound = (beginning: string): number | undefined => {
    const found = [one, other].find(({ operator }) => operator.startsWith(`${type}${beginning}`));
    const [value] = found?.values ?? [];
    return found?.values.length === 1 && value !== undefined ? read(value) : undefined;
  };
  const [above, below] = [bound("GreaterThan"), bound("LessThan")];
  if (above === undefined || below === undefined) return false;
  const closed = one.operator.endsWith("ThanEquals") && other.operator.endsWith("ThanEquals");
  return closed ? above > below : above >= below;
}

/** Ranges that end in the past: an Allow is over, and a Deny denies nobody any more. */
function dates(statement: Statement, { now }: Subject): Raw[] {
  if (now === undefined) return [];
  return statement.conditions.flatMap((condition) => {
    if (!condition.operator.startsWith("DateLessThan") || !/^aws:(currenttime|epochtime)$/i.test(condition.key)) return [];
    const ends = condition.values.map((value) => readDate(value) ?? Number.POSITIVE_INFINITY);
    if (!ends.every((end) => end < now)) return [];
    const effect = statement.effect === "Deny" ? "this Deny denies nothing any more" : "this Allow allows nothing any more";
    const reason = `${condition.values.join(", ")} has passed, so ${effect}`;
    return [
      finding("fixed-date", statement, {
        steps: stepsOf(condition),
        reason,
        fix: "IAM knows no time of day: have the dates computed at each launch, or take the condition out",
      }),
    ];
  });
}

/** What some keys' values must look like (the services' own API references). */
const FORMS: Readonly<Record<string, readonly [RegExp, string]>> = {
  "aws:sourcevpc": [/^vpc-(?:[0-9a-f]{8}|[0-9a-f]{17})$/, "vpc-0123456789abcdef0"],
  "aws:sourcevpce": [/^vpce-(?:[0-9a-f]{8}|[0-9a-f]{17})$/, "vpce-0123456789abcdef0"],
  "aws:sourceaccount": [/^\d{12}$/, "123456789012"],
  "aws:principalaccount": [/^\d{12}$/, "123456789012"],
  "aws:resourceaccount": [/^\d{12}$/, "123456789012"],
  "aws:principalorgid": [/^o-[a-z0-9]{10,32}$/, "o-a1b2c3d4e5"],
  "aws:requestedregion": [/^[a-z]{2}(?:-[a-z]+)+-\d$/, "eu-central-1"],
};

function values(statement: Statement): Raw[] {
  return statement.conditions.flatMap((condition) => {
    const form = FORMS[condition.key.toLowerCase()];
    if (!form || !/^String(?:Not)?Equals$/.test(condition.operator)) return [];
    const wrong = condition.values.find((value) => !value.includes("${") && !form[0].test(value));
    if (wrong === undefined) return [];
    const hint = /[*?]/.test(wrong)
      ? `${condition.operator} takes wildcards as letters: write ${condition.operator.replace("Equals", "Like")}`
      : `write it as ${form[1]}`;
    return [finding("never-matches", statement, { steps: stepsOf(condition), reason: `no ${condition.key} is '${wrong}'`, fix: hint })];
  });
}

/** Keys that a request need not have (IAM User Guide, reference_policies_condition-keys). */
const MAY_BE_ABSENT =
  /^aws:(?:multifactorauthpresent|multifactorauthage|sourcevpc|sourcevpce|principaltag\/|requesttag\/|resourcetag\/|sourceidentity|viaawsservice)/i;

function failsOpen(statement: Statement): Raw[] {
  if (statement.effect !== "Deny") return [];
  return statement.conditions.flatMap((condition) => {
    const { operator, ifExists, set, key } = condition;
    const found: Raw[] = [];
    if (
      MAY_BE_ABSENT.test(key) &&
      !ifExists &&
      !set &&
      operator !== "Null" &&
      operatorNamed(operator)?.negated === false &&
      isDemand(condition)
    ) {
      const reason = `requests without ${key} are not denied`;
      found.push(finding("deny-fails-open", statement, { steps: stepsOf(condition), reason, fix: `write ${operator}IfExists` }));
    }
    const exempt = statement.conditions.some((one) => /^aws:(?:viaawsservice|calledvia|principalisawsservice)/i.test(one.key));
    if (/^aws:(?:sourceip|vpcsourceip|sourcevpce?)$/i.test(key) && operatorNamed(operator)?.negated === true && !exempt) {
      const reason = `calls that AWS services make for the caller do not come from ${key.toLowerCase() === "aws:sourceip" ? "these addresses" : "this network"} and are denied too`;
      found.push(
        finding("denies-service-calls", statement, {
          steps: stepsOf(condition),
          reason,
          fix: 'add "Bool": { "aws:ViaAWSService": "false" }',
        }),
      );
    }
    return found;
  });
}

/** A Deny of `false` or of another value demands something of the caller; one of `true` names what is refused. */
function isDemand({ operator, values: asked }: Condition): boolean {
  return operator === "Bool" ? asked.every((value) => value.toLowerCase() === "false") : operator.startsWith("Numeric");
}

/** An Allow of which an unconditional Deny of the same policy leaves nothing. */
function shadowed(statement: Statement, { document }: Subject): Raw[] {
  if (statement.effect !== "Allow" || !statement.action) return [];
  const denies = document.statements.filter(
    (one) => one.effect === "Deny" && one.conditions.length === 0 && !one.notPrincipal && !one.principal,
  );
  return statement.action.flatMap((action, index) => {
    const by = denies.find((deny) => deniesAll(deny, action) && coversResources(deny, statement));
    if (!by) return [];
    const reason = `${action} is denied by ${by.sid ? `'${by.sid}'` : `Statement[${by.index}]`}, whatever this statement allows`;
    return [finding("shadowed", statement, { steps: ["Action", index], reason, fix: "take it out of one of the two statements" })];
  });
}

function deniesAll({ action, notAction }: Statement, pattern: string): boolean {
  if (action) return action.some((one) => within("action", one, pattern));
  // Without a wildcard an action is either left out of NotAction or it is not.
  return !/[*?]/.test(pattern) && !(notAction ?? []).some((one) => actionMatches(one, pattern));
}

function coversResources(deny: Statement, { resource }: Statement): boolean {
  if (!deny.resource) return false;
  return (resource ?? ["*"]).every((one) => deny.resource?.some((wide) => within("resource", wide, one)));
}

/** What minify.ts would leave out of the statement's own lists. */
function redundant(statement: Statement): Raw[] {
  const found: Raw[] = [];
  for (const element of ["Action", "NotAction"] as const) {
    const list = element === "Action" ? statement.action : statement.notAction;
    for (const [index, action] of (list ?? []).entries()) {
      const by = list?.find(
        (other, at) => at !== index && within("action", other, action) && (at < index || !within("action", action, other)),
      );
      if (by !== undefined)
        found.push(
          finding("redundant", statement, { steps: [element, index], reason: `${by} covers ${action}`, fix: `take ${action} out` }),
        );
    }
  }
  return found;
}
