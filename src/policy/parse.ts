// IAM policy text to PolicyDocument, strictly: whatever IAM would read in two ways, or not at all, is an error with its place. Called by every reader of policies.
import { readConditions } from "./condition-reader.ts";
import { described, type JsonNode, nodeOf, type Place, pathTo, policyFault, readJson } from "./json.ts";
import { readPrincipal } from "./principal.ts";
import type { Effect, PolicyDocument, Principal, Statement } from "./types.ts";
import { readTemplate, variableBeforeResourcePart } from "./variables.ts";

/** Bucket, key and trust policies name principals; what is attached to an identity, or sent as a session policy, does not. */
export interface ParseOptions {
  readonly kind?: "identity" | "resource";
}

type ObjectNode = Extract<JsonNode, { kind: "object" }>;
type Version = PolicyDocument["version"];
type Kind = NonNullable<ParseOptions["kind"]>;

const ELEMENTS = ["Version", "Id", "Statement"];
const STATEMENT_ELEMENTS = [
  "Sid",
  "Effect",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Principal",
  "NotPrincipal",
  "Condition",
] as const;
type StatementElement = (typeof STATEMENT_ELEMENTS)[number];

/**
 * Reads a policy from its JSON text. The grammar is that of the IAM User Guide (reference_policies_grammar).
 * @param source names the policy in errors and decisions: a file, an ARN, a setting
 * @throws AgentRunError `policy` with source, line, column and JSON path
 */
export function parsePolicy(text: string, source: string, options: ParseOptions = {}): PolicyDocument {
  return readDocument(readJson(text, source), { source, text }, options.kind ?? "identity");
}

/**
 * The same for a policy that is a value already; errors then have a JSON path but no line.
 * @throws AgentRunError `policy`
 */
export function parsePolicyValue(value: unknown, source: string, options: ParseOptions = {}): PolicyDocument {
  return readDocument(nodeOf(value, source), { source, text: undefined }, options.kind ?? "identity");
}

function readDocument(root: JsonNode, place: Place, kind: Kind): PolicyDocument {
  if (root.kind !== "object") throw policyFault(place, root.at, "", `a policy is an object, not ${described(root)}`);
  onlyKnown(root, place, "", ELEMENTS, "a policy");
  const id = root.entries.get("Id");
  if (id && id.kind !== "string") throw policyFault(place, id.at, "Id", `must be a string, not ${described(id)}`);
  const version = readVersion(root.entries.get("Version"), place);
  const block = root.entries.get("Statement");
  if (!block) throw policyFault(place, root.at, "", "has no Statement");
  const nodes = block.kind === "array" ? block.items : [block];
  if (nodes.length === 0) throw policyFault(place, block.at, "Statement", "is empty");
  const sids = new Set<string>();
  const statements = nodes.map((node, index) => {
    const path = block.kind === "array" ? pathTo("Statement", index) : "Statement";
    if (node.kind !== "object") throw policyFault(place, node.at, path, `a statement is an object, not ${described(node)}`);
    const statement = readStatement(node, { place, version, kind }, path, index);
    if (statement.sid && sids.has(statement.sid)) {
      throw policyFault(place, node.entries.get("Sid")?.at, pathTo(path, "Sid"), `'${statement.sid}' names an earlier statement too`);
    }
    if (statement.sid) sids.add(statement.sid);
    return statement;
  });
  return { source: place.source, version, statements };
}

function readVersion(node: JsonNode | undefined, place: Place): Version {
  if (!node) return "2008-10-17";
  const text = node.kind === "string" ? node.text : described(node);
  if (text === "2012-10-17" || text === "2008-10-17") return text;
  throw policyFault(place, node.at, "Version", `'${text}' is no version of the policy language`, 'write "Version": "2012-10-17"');
}

/** What holds for every statement of a document. */
interface Around {
  readonly place: Place;
  readonly version: Version;
  readonly kind: Kind;
}

function readStatement(node: ObjectNode, { place, version, kind }: Around, path: string, index: number): Statement {
  onlyKnown(node, place, path, STATEMENT_ELEMENTS, "a statement");
  const get = (element: StatementElement): JsonNode | undefined => node.entries.get(element);
  const need = (one: StatementElement, other: StatementElement): void => {
    if (get(one) && get(other)) throw policyFault(place, get(other)?.at, path, `has both ${one} and ${other}`, "keep one of the two");
    if (!get(one) && !get(other)) throw policyFault(place, node.at, path, `has neither ${one} nor ${other}`);
  };
  need("Action", "NotAction");
  if (kind === "identity" || get("NotResource")) need("Resource", "NotResource");
  if (kind === "resource") need("Principal", "NotPrincipal");
  for (const element of kind === "identity" ? (["Principal", "NotPrincipal"] as const) : []) {
    const found = get(element);
    if (!found) continue;
    const hint = `remove ${element}: only the policies of resources and role trust policies name principals`;
    throw policyFault(place, found.at, pathTo(path, element), "is not allowed in an identity or session policy", hint);
  }
  const actions = (element: "Action" | "NotAction"): string[] | undefined =>
    texts(get(element), place, pathTo(path, element), (text) => checkAction(text));
  const resources = (element: "Resource" | "NotResource"): string[] | undefined =>
    texts(get(element), place, pathTo(path, element), (text) => checkResource(text, version, kind));
  const principal = (element: "Principal" | "NotPrincipal"): Principal | undefined => {
    const found = get(element);
    return found && readPrincipal(found, place, pathTo(path, element));
  };
  return {
    index,
    sid: readSid(get("Sid"), place, pathTo(path, "Sid"), kind),
    effect: readEffect(get("Effect"), node, place, path),
    action: actions("Action"),
    notAction: actions("NotAction"),
    resource: resources("Resource"),
    notResource: resources("NotResource"),
    principal: principal("Principal"),
    notPrincipal: principal("NotPrincipal"),
    conditions: readConditions(get("Condition"), place, version, pathTo(path, "Condition")),
  };
}

function readSid(node: JsonNode | undefined, place: Place, path: string, kind: Kind): string | undefined {
  if (!node) return undefined;
  if (node.kind !== "string") throw policyFault(place, node.at, path, `must be a string, not ${described(node)}`);
  if (kind === "identity" && !/^[A-Za-z0-9]*$/.test(node.text)) {
    throw policyFault(place, node.at, path, `'${node.text}' has characters other than letters and digits`);
  }
  return node.text;
}

function readEffect(node: JsonNode | undefined, statement: ObjectNode, place: Place, path: string): Effect {
  if (!node) throw policyFault(place, statement.at, path, "has no Effect", 'write "Effect": "Allow" or "Effect": "Deny"');
  if (node.kind === "string" && (node.text === "Allow" || node.text === "Deny")) return node.text;
  const found = node.kind === "string" ? `'${node.text}'` : described(node);
  throw policyFault(place, node.at, pathTo(path, "Effect"), `must be Allow or Deny, not ${found}`);
}

/** One string or a list of them, at least one; `check` gives a sentence about what is wrong. */
function texts(node: JsonNode | undefined, place: Place, path: string, check: (text: string) => string | undefined): string[] | undefined {
  if (!node) return undefined;
  const items = node.kind === "array" ? node.items : [node];
  if (items.length === 0) throw policyFault(place, node.at, path, "is empty");
  return items.map((item, index) => {
    const itemPath = node.kind === "array" ? pathTo(path, index) : path;
    if (item.kind !== "string") throw policyFault(place, item.at, itemPath, `must be a string, not ${described(item)}`);
    const problem = check(item.text);
    if (problem) throw policyFault(place, item.at, itemPath, problem);
    return item.text;
  });
}

function checkAction(text: string): string | undefined {
  if (/^\*+$/.test(text) || /^[\w*?-]+:[\w*?-]+$/.test(text)) return undefined;
  if (text.includes("${")) return `'${text}': variables are not allowed here`;
  return `'${text}' is no action: actions are written service:Name, such as s3:GetObject`;
}

function checkResource(text: string, version: Version, kind: Kind): string | undefined {
  if (/^\*+$/.test(text)) return undefined;
  if (text === "") return "is an empty string";
  if (!text.startsWith("arn:")) {
    return kind === "resource" ? undefined : `'${text}' is no resource: write an ARN (arn:partition:service:region:account:resource) or *`;
  }
  if (text.split(":").length < 6 && !text.endsWith("*")) return `'${text}' has fewer than the six parts of an ARN`;
  if (version === "2008-10-17") return undefined;
  const template = readTemplate(text);
  if (typeof template === "string") return template;
  return variableBeforeResourcePart(template) ? `'${text}' has a variable before the fifth colon` : undefined;
}

function onlyKnown(node: ObjectNode, place: Place, path: string, known: readonly string[], what: string): void {
  for (const [key, value] of node.entries) {
    if (known.includes(key)) continue;
    const meant = known.find((name) => name.toLowerCase() === key.toLowerCase());
    const hint = meant ? `write ${meant}: element names are case-sensitive` : `known are ${known.join(", ")}`;
    throw policyFault(place, value.at, pathTo(path, key), `is no element of ${what}`, hint);
  }
}
