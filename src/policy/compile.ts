// A document's statements, made ready for many decisions. Called by evaluate.ts; compiled once a document, kept as long as the document lives.
import { type CompiledCondition, type ContextView, compileCondition, type Verdict } from "./conditions.ts";
import { actionPattern } from "./match.ts";
import type { PolicyDocument, Statement } from "./types.ts";
import { fill, literalTemplate, readTemplate } from "./variables.ts";
import { fits, resourcePattern } from "./wildcard.ts";

/** What one decision asks of each statement. */
export interface Asked {
  /** In lower case. */
  readonly action: string;
  readonly resource: string;
  readonly context: ContextView;
}

export interface CompiledStatement {
  readonly statement: Statement;
  /**
   * Whether the statement applies, its principal left aside. What cannot be told (a value of the wrong type, a NotResource whose variable has no
   * value) closes: a Deny applies, an Allow does not.
   */
  readonly applies: (asked: Asked) => boolean;
}

export interface CompiledDocument {
  readonly source: string;
  readonly allows: readonly CompiledStatement[];
  readonly denies: readonly CompiledStatement[];
}

const compiled = new WeakMap<PolicyDocument, CompiledDocument>();

/** The compiled form of a document. Documents are never changed after parsing. */
export function compile(document: PolicyDocument): CompiledDocument {
  const known = compiled.get(document);
  if (known) return known;
  const statements = document.statements.map((statement) => compileStatement(statement, document.version));
  const fresh = {
    source: document.source,
    allows: statements.filter(({ statement }) => statement.effect === "Allow"),
    denies: statements.filter(({ statement }) => statement.effect === "Deny"),
  };
  compiled.set(document, fresh);
  return fresh;
}

function compileStatement(statement: Statement, version: PolicyDocument["version"]): CompiledStatement {
  const action = compileActions(statement);
  const resource = compileResources(statement, version);
  const conditions = statement.conditions.map((condition) => compileCondition(condition, version));
  const closing = statement.effect === "Deny";
  const applies = (asked: Asked): boolean => {
    if (!action(asked.action)) return false;
    const onResource = resource(asked);
    if (onResource === false) return false;
    const underConditions = conditions.length === 0 || all(conditions, asked.context);
    if (underConditions === false) return false;
    return onResource === undefined || underConditions === undefined ? closing : true;
  };
  return { statement, applies };
}

function compileActions(statement: Statement): (action: string) => boolean {
  const positive = statement.action !== undefined;
  const patterns = (statement.action ?? statement.notAction ?? []).map(actionPattern);
  const exact = new Set(patterns.flatMap((pattern) => (pattern.kind === "exact" ? [pattern.text] : [])));
  const wild = patterns.filter((pattern) => pattern.kind !== "exact");
  return (action) => (exact.has(action) || wild.some((pattern) => fits(pattern, action))) === positive;
}

/** One entry of Resource; undefined while its variable has no value. */
type ResourceTest = (asked: Asked) => Verdict;

function compileResources(statement: Statement, version: PolicyDocument["version"]): (asked: Asked) => Verdict {
  const entries = statement.resource ?? statement.notResource;
  if (!entries) return () => true;
  const tests = entries.map((text) => compileResource(text, version));
  const positive = statement.resource !== undefined;
  return (asked) => {
    let unknown = false;
    for (const test of tests) {
      const found = test(asked);
      if (found) return positive;
      if (found === undefined) unknown = true;
    }
    if (positive) return false;
    return unknown ? undefined : true;
  };
}

function compileResource(text: string, version: PolicyDocument["version"]): ResourceTest {
  const template = version === "2012-10-17" ? readTemplate(text) : literalTemplate(text);
  if (typeof template === "string") return () => undefined;
  if (template.constant) {
    const pattern = resourcePattern(fill(template, () => undefined) ?? []);
    return ({ resource }) => fits(pattern, resource);
  }
  // Where the fixed beginning differs, no value of the variable matters; nearly every request ends here.
  const beginning = /^[^*?$]*/.exec(text)?.[0] ?? "";
  return ({ resource, context }) => {
    if (!resource.startsWith(beginning)) return false;
    const pieces = fill(template, context.single);
    return pieces && fits(resourcePattern(pieces), resource);
  };
}

function all(conditions: readonly CompiledCondition[], context: ContextView): Verdict {
  let verdict: Verdict = true;
  for (const condition of conditions) {
    const found = condition(context);
    if (found === false) return false;
    if (found === undefined) verdict = undefined;
  }
  return verdict;
}
