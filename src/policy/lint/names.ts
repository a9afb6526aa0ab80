// Names that AWS does not know, and names that do not go together: actions, condition keys, operators, resources. Called by lint.ts.
import { nearest } from "../../core/nearest.ts";
import type { ActionFacts } from "../catalogue.ts";
import type { Condition, Statement } from "../types.ts";
import { finding, type Raw, some } from "./finding.ts";
import { overlaps } from "./overlap.ts";
import { entriesOf, hasWildcard, isAnyResource, type Subject } from "./subject.ts";

/** Checks one statement's names. */
export function nameFindings(statement: Statement, subject: Subject): Raw[] {
  return [...unknownActions(statement, subject), ...unmatched(statement, subject), ...conditionFindings(statement, subject)];
}

function unknownActions(statement: Statement, { catalogue }: Subject): Raw[] {
  const element = statement.action ? "Action" : "NotAction";
  return (statement.action ?? statement.notAction ?? []).flatMap((action, index) => {
    if (/^\*+$/.test(action) || catalogue.matching(action).length > 0) return [];
    const [service = ""] = action.split(":");
    const meant = hasWildcard(action) ? undefined : catalogue.meant(action);
    const known = hasWildcard(service) || catalogue.hasService(service);
    const reason = known ? `'${action}' is no action of AWS` : `'${action}': AWS has no service '${service}'`;
    const fix = meant ? `write ${meant}` : "take it out, or look the name up in the service authorization reference";
    return [finding("unknown-action", statement, { steps: [element, index], reason, fix })];
  });
}

/** Explicit actions of which none of the statement's resources can be the target. */
function unmatched(statement: Statement, { catalogue, kind }: Subject): Raw[] {
  const { resource } = statement;
  if (!resource || kind === "resource" || kind === "trust" || resource.some((one) => /^\*+$/.test(one))) return [];
  return entriesOf(statement, catalogue).flatMap(({ pattern, index, actions }) => {
    if (actions.length === 0 || actions.some((action) => hasTarget(action, resource))) return [];
    const [first] = actions;
    const needs = first && first.resources.length > 0 ? some(first.resources.map((arn) => arn.replace(/\$\{Partition\}/g, "aws"))) : "*";
    const reason = `${pattern} never works on ${some(resource)}: ${needs === "*" ? "it has no resource of its own" : "its resources are of another form"}`;
    return [
      finding("never-matches", statement, { steps: ["Action", index], reason, fix: `put it into a statement with "Resource": "${needs}"` }),
    ];
  });
}

function hasTarget({ name, resources }: ActionFacts, patterns: readonly string[]): boolean {
  // S3 holds what has no bucket against `arn:aws:s3:::*` (IAM User Guide, the example of reference_policies_evaluation-logic_policy-eval-basics).
  if (resources.length === 0 && name.startsWith("s3:") && patterns.some((pattern) => pattern.includes(":s3:") && isAnyResource(pattern)))
    return true;
  return patterns.some((pattern) => resources.some((one) => overlaps(pattern, one)));
}

function conditionFindings(statement: Statement, subject: Subject): Raw[] {
  return statement.conditions.flatMap((condition) => {
    const steps = ["Condition", spelled(condition), condition.key];
    const type = subject.catalogue.keyType(condition.key);
    if (type === undefined) {
      if (subject.kind === "trust" || subject.kind === "resource") return [];
      return [
        finding("unknown-condition-key", statement, {
          steps,
          reason: `no request has the key ${condition.key}`,
          fix: keyHint(statement, condition, subject),
        }),
      ];
    }
    return [...unsupported(statement, condition, steps, subject), ...typeFindings(statement, condition, steps, type)];
  });
}

/** The operator as it stands in the policy. */
export function spelled({ operator, ifExists, set }: Condition): string {
  return `${set ? `${set}:` : ""}${operator}${ifExists ? "IfExists" : ""}`;
}

function keyHint(statement: Statement, { key }: Condition, { catalogue }: Subject): string {
  const keys = entriesOf(statement, catalogue).flatMap(({ actions }) => actions.flatMap((action) => action.keys));
  const near = nearest(key, [...new Set([...keys, ...catalogue.globalKeys])]);
  return near ? `write ${near}` : "look the key up in the service authorization reference";
}

/** Keys of a service that none of the statement's actions brings: an Allow then never applies, a Deny with a positive operator neither. */
function unsupported(statement: Statement, condition: Condition, steps: readonly string[], { catalogue, kind }: Subject): Raw[] {
  if (!statement.action || condition.key.toLowerCase().startsWith("aws:") || kind === "trust") return [];
  const actions = entriesOf(statement, catalogue).flatMap((entry) => entry.actions);
  const without = actions.filter((action) => !action.keys.some((key) => sameKey(key, condition.key)));
  if (without.length === 0 || actions.length === 0) return [];
  if (without.length < actions.length && statement.action.some(hasWildcard)) return [];
  const names = some(without.map(({ name }) => name));
  const open = condition.ifExists || condition.operator.includes("Not") || condition.operator === "Null";
  const effect = open ? "so the condition is no restriction there" : "so the statement never applies to them";
  const reason = `${names}: requests of ${without.length === 1 ? "this action" : "these actions"} have no key ${condition.key}, ${effect}`;
  return [
    finding("unknown-condition-key", statement, {
      steps,
      reason,
      fix: "give these actions a statement of their own, without this condition",
    }),
  ];
}

function sameKey(known: string, key: string): boolean {
  const beginning = /^(.*?)(?:\$\{|<\w+>$)/.exec(known)?.[1];
  const lower = key.toLowerCase();
  return beginning === undefined ? known.toLowerCase() === lower : lower.startsWith(beginning.toLowerCase());
}

/** The operators that compare a type; text operators also compare what is written as text. */
const FAMILIES: Readonly<Record<string, RegExp>> = {
  Date: /^(?:Date|Numeric|Null)/,
  Numeric: /^(?:Numeric|Null)/,
  Bool: /^(?:Bool|Null|String)/,
  ARN: /^(?:Arn|String|Null)/,
  IPAddress: /^(?:IpAddress|NotIpAddress|Null)/,
  String: /^(?:String|Null|Arn|Bool|Numeric|Binary)/,
};

function typeFindings(statement: Statement, condition: Condition, steps: readonly string[], type: string): Raw[] {
  const list = type.startsWith("ArrayOf");
  const family = FAMILIES[list ? type.slice("ArrayOf".length) : type];
  const found: Raw[] = [];
  if (family && !family.test(condition.operator)) {
    found.push(
      finding("condition-type", statement, {
        steps,
        reason: `${condition.key} is of type ${type}, which ${condition.operator} does not compare`,
        fix: "use the operator of that type",
      }),
    );
  }
  if (list && condition.set === undefined && condition.operator !== "Null") {
    const reason = `${condition.key} has several values, and ${condition.operator} compares one`;
    found.push(
      finding("set-operator", statement, {
        steps,
        reason,
        fix: `write ForAllValues:${condition.operator} with a "Null": "false" beside it, or ForAnyValue:${condition.operator}`,
      }),
    );
  }
  return [...found, ...emptySet(statement, condition, steps)];
}

/** ForAllValues holds where the key is absent (IAM User Guide, reference_policies_condition-single-vs-multi-valued-context-keys). */
function emptySet(statement: Statement, condition: Condition, steps: readonly string[]): Raw[] {
  if (statement.effect !== "Allow" || condition.set !== "ForAllValues") return [];
  const guarded = statement.conditions.some(
    (one) =>
      one.key.toLowerCase() === condition.key.toLowerCase() &&
      ((one.operator === "Null" && one.values.every((value) => value.toLowerCase() === "false")) || one.set === "ForAnyValue"),
  );
  if (guarded) return [];
  const reason = `ForAllValues holds for every request without ${condition.key}, so this Allow does too`;
  return [finding("set-operator", statement, { steps, reason, fix: `add "Null": { "${condition.key}": "false" }` })];
}
