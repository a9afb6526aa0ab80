// The Condition element of a policy: operator, keys and values, each checked. Called by parse.ts.
import { described, type JsonNode, type Place, pathTo, policyFault } from "./json.ts";
import { type Operator, operatorNamed } from "./operators.ts";
import type { Condition, PolicyDocument } from "./types.ts";
import { readTemplate } from "./variables.ts";

const OPERATOR = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/i;

/**
 * Reads `{"StringLike": {"aws:PrincipalTag/team": ["a*", "b"]}}` into one entry a key.
 * @throws AgentRunError `policy` for an unknown operator, a malformed key, and a value that the operator cannot compare
 */
export function readConditions(
  node: JsonNode | undefined,
  place: Place,
  version: PolicyDocument["version"],
  path: string,
): readonly Condition[] {
  if (!node) return [];
  if (node.kind !== "object") throw policyFault(place, node.at, path, `must be an object, not ${described(node)}`);
  const blocks = new Set<string>();
  return [...node.entries].flatMap(([name, block]) => {
    const inside = pathTo(path, name);
    if (blocks.has(name.toLowerCase())) throw policyFault(place, block.at, inside, "stands here twice, in different case");
    blocks.add(name.toLowerCase());
    const head = readOperator(name, block, place, inside);
    if (block.kind !== "object") throw policyFault(place, block.at, inside, `must be an object of keys, not ${described(block)}`);
    const seen = new Set<string>();
    return [...block.entries].map(([key, values]) => {
      const at = pathTo(inside, key);
      if (!/^[^\s:]+:.+$/.test(key)) throw policyFault(place, values.at, at, `'${key}' is no condition key: keys are written service:name`);
      if (seen.has(key.toLowerCase())) throw policyFault(place, values.at, at, "stands here twice, in different case");
      seen.add(key.toLowerCase());
      return { ...head.condition, key, values: readValues(values, head.operator, place, version, at) };
    });
  });
}

type Head = Pick<Condition, "operator" | "ifExists" | "set">;

function readOperator(name: string, block: JsonNode, place: Place, path: string): { operator: Operator; condition: Head } {
  const match = OPERATOR.exec(name);
  const operator = operatorNamed(match?.[2] ?? "");
  if (!match || !operator) {
    throw policyFault(place, block.at, path, `'${name}' is no condition operator`, "such as StringEquals, ArnLike, BoolIfExists, Null");
  }
  const set = match[1] && (match[1].toLowerCase() === "forallvalues" ? "ForAllValues" : "ForAnyValue");
  const ifExists = match[3] !== undefined;
  if (operator.name === "Null" && (ifExists || set)) {
    throw policyFault(place, block.at, path, "Null asks whether a key is there, and takes neither a qualifier nor IfExists");
  }
  return { operator, condition: { operator: operator.name, ifExists, set: set || undefined } };
}

/** One value or a list of them. Numbers and Booleans may stand without quotation marks. */
function readValues(node: JsonNode, operator: Operator, place: Place, version: PolicyDocument["version"], path: string): readonly string[] {
  const items = node.kind === "array" ? node.items : [node];
  if (items.length === 0) throw policyFault(place, node.at, path, "has no value to compare with");
  return items.map((item, index) => {
    const at = node.kind === "array" ? pathTo(path, index) : path;
    if (item.kind === "object" || item.kind === "array" || item.kind === "null") {
      throw policyFault(place, item.at, at, `must be a string, a number or a Boolean, not ${described(item)}`);
    }
    const problem = operator.variables ? checkText(item.text, version) : checkTyped(item.text, operator, version);
    if (problem) throw policyFault(place, item.at, at, problem);
    return item.text;
  });
}

function checkText(text: string, version: PolicyDocument["version"]): string | undefined {
  const template = version === "2012-10-17" ? readTemplate(text) : undefined;
  return typeof template === "string" ? template : undefined;
}

function checkTyped(text: string, operator: Operator, version: PolicyDocument["version"]): string | undefined {
  if (version === "2012-10-17" && text.includes("${"))
    return `${operator.name} takes no policy variables: only string and ARN operators do`;
  if (operator.compile([{ text, live: true }])) return undefined;
  return `'${text}' is not ${operator.expects ?? "a value"}`;
}
