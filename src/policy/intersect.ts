// What several policies allow together, written as statements again. Called by compile-session.ts.
import { AgentRunError } from "../core/error.ts";
import { apart, common, distinct, type PatternKind, within } from "./overlap.ts";
import type { Condition, Statement } from "./types.ts";

/** A statement, and what to call it where it is said how long a policy has become. */
export interface Part {
  readonly label: string;
  readonly statement: Statement;
}

/**
 * The Allow statements that allow what both lists allow: each of one cut by each of the other. Never wider than either.
 * @throws AgentRunError `policy` where the intersection cannot be written as statements
 */
export function intersectAllows(one: readonly Part[], other: readonly Part[]): Part[] {
  return withoutCovered(one.flatMap((left) => other.flatMap((right) => cut(left, right) ?? [])));
}

function cut(left: Part, right: Part): Part | undefined {
  const label = left.label === right.label ? left.label : `${left.label} within ${right.label}`;
  const fail = (what: string): AgentRunError =>
    new AgentRunError("policy", `cannot write what ${left.label} and ${right.label} both allow: ${what}`, {
      hint: "write the narrower of the two out, without wildcards in the middle, NotAction or NotResource",
    });
  const actions = cutLists("action", sideOf(left.statement, "action"), sideOf(right.statement, "action"), fail);
  const resources = cutLists("resource", sideOf(left.statement, "resource"), sideOf(right.statement, "resource"), fail);
  if (actions.list.length === 0 && !actions.negated) return undefined;
  if (resources.list.length === 0 && !resources.negated) return undefined;
  const conditions = cutConditions(left.statement.conditions, right.statement.conditions, fail);
  if (conditions === undefined) return undefined;
  return {
    label,
    statement: {
      ...left.statement,
      sid: left.statement.sid ?? right.statement.sid,
      action: actions.negated ? undefined : actions.list,
      notAction: actions.negated ? actions.list : undefined,
      resource: resources.negated ? undefined : resources.list,
      notResource: resources.negated ? resources.list : undefined,
      conditions,
    },
  };
}

interface Side {
  readonly list: readonly string[];
  readonly negated: boolean;
}

function sideOf(statement: Statement, kind: PatternKind): Side {
  const list = kind === "action" ? statement.action : statement.resource;
  if (list) return { list, negated: false };
  return { list: (kind === "action" ? statement.notAction : statement.notResource) ?? [], negated: true };
}

function cutLists(kind: PatternKind, left: Side, right: Side, fail: (what: string) => AgentRunError): Side {
  if (left.negated && right.negated) return { list: distinct(kind, [...left.list, ...right.list]), negated: true };
  if (left.negated) return cutLists(kind, right, left, fail);
  if (right.negated) {
    const kept = left.list.filter((text) => !right.list.some((not) => within(kind, not, text)));
    const crossing = kept.find((text) => right.list.some((not) => !apart(kind, not, text)));
    if (crossing !== undefined) throw fail(`'${crossing}' is in part what a Not${kind === "action" ? "Action" : "Resource"} leaves out`);
    return { list: kept, negated: false };
  }
  const list = left.list.flatMap((one) =>
    right.list.flatMap((other) => {
      const found = common(kind, one, other);
      if (found === undefined) throw fail(`'${one}' and '${other}' cross`);
      return found;
    }),
  );
  return { list: distinct(kind, list), negated: false };
}

/** Operators that hold when none of their values is met: both lists hold when none of all values is. */
const NEGATED = /Not/;

/** Both conditions at once; undefined where they can never hold together. */
function cutConditions(
  left: readonly Condition[],
  right: readonly Condition[],
  fail: (what: string) => AgentRunError,
): readonly Condition[] | undefined {
  const result = [...left];
  for (const condition of right) {
    const index = result.findIndex((one) => sameTest(one, condition));
    const met = result[index];
    if (!met) {
      result.push(condition);
      continue;
    }
    if (sameValues(met.values, condition.values)) continue;
    if (NEGATED.test(condition.operator) && condition.set === undefined) {
      result[index] = { ...met, values: [...new Set([...met.values, ...condition.values])] };
    } else if (
      condition.operator === "StringEquals" &&
      condition.set === undefined &&
      !condition.ifExists &&
      ![...met.values, ...condition.values].some((value) => value.includes("${"))
    ) {
      const values = met.values.filter((value) => condition.values.includes(value));
      if (values.length === 0) return undefined;
      result[index] = { ...met, values };
    } else {
      throw fail(`both have a condition ${condition.operator} on ${condition.key}`);
    }
  }
  return result;
}

const sameValues = (one: readonly string[], other: readonly string[]): boolean =>
  one.every((value) => other.includes(value)) && other.every((value) => one.includes(value));

const sameTest = (one: Condition, other: Condition): boolean =>
  one.operator === other.operator &&
  one.set === other.set &&
  one.ifExists === other.ifExists &&
  one.key.toLowerCase() === other.key.toLowerCase();

/** Without statements that another one holds within itself; of two that are the same the first stays. */
function withoutCovered(parts: readonly Part[]): Part[] {
  return parts.filter(
    ({ statement }, index) =>
      !parts.some(
        ({ statement: wide }, at) => at !== index && holdsWithin(wide, statement) && (at < index || !holdsWithin(statement, wide)),
      ),
  );
}

function holdsWithin(wide: Statement, narrow: Statement): boolean {
  return (
    wide.conditions.every((condition) =>
      narrow.conditions.some((one) => sameTest(one, condition) && JSON.stringify(one.values) === JSON.stringify(condition.values)),
    ) &&
    listWithin("action", wide.action, narrow.action) &&
    listWithin("resource", wide.resource, narrow.resource)
  );
}

/** Whether each entry of `narrow` lies in one of `wide`; a negated side is never known to. */
export function listWithin(kind: PatternKind, wide: readonly string[] | undefined, narrow: readonly string[] | undefined): boolean {
  return wide !== undefined && narrow?.every((text) => wide.some((one) => within(kind, one, text))) === true;
}
