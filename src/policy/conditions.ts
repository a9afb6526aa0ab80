// Whether the conditions of a statement hold for a request. Called by compile.ts, once a statement, and by evaluate.ts, once a decision.
import { operatorNamed, type Test } from "./operators.ts";
import type { Condition, PolicyDocument, RequestContext } from "./types.ts";
import { fill, type Lookup, literalTemplate, readTemplate, type Template } from "./variables.ts";

/** The request's context with its keys in lower case, made when the first condition or variable asks for it. */
export class ContextView {
  readonly #context: RequestContext;
  #values: Map<string, string | readonly string[]> | undefined;

  constructor(context: RequestContext) {
    this.#context = context;
  }

  /** What the request has under a lower-case key. An empty list counts as absent. */
  get(key: string): string | readonly string[] | undefined {
    this.#values ??= new Map(Object.entries(this.#context).map(([name, value]) => [name.toLowerCase(), value]));
    const value = this.#values.get(key);
    return typeof value === "object" && value.length === 0 ? undefined : value;
  }

  /** For policy variables: multivalued keys cannot be used as one. */
  readonly single: Lookup = (key) => {
    const value = this.get(key.toLowerCase());
    return typeof value === "string" ? value : undefined;
  };
}

/** True, false, or undefined where the request's value is not of the type that the operator compares. */
export type Verdict = boolean | undefined;

export type CompiledCondition = (context: ContextView) => Verdict;

/** Compiles one condition. It must have come through the parser, which has checked operator and values. */
export function compileCondition(condition: Condition, version: PolicyDocument["version"]): CompiledCondition {
  const operator = operatorNamed(condition.operator);
  if (!operator) return () => undefined;
  const key = condition.key.toLowerCase();
  if (operator.name === "Null") {
    const asked = condition.values.map((value) => value.toLowerCase());
    return (context) => asked.includes(String(isNull(context.get(key))));
  }
  const tests = condition.values.map((value) => compileValue(value, operator.variables && version === "2012-10-17", operator.compile));
  const verdict = (value: string, context: ContextView): Verdict => {
    for (const test of tests) {
      const found = test(value, context);
      if (found === undefined) return undefined;
      if (found) return !operator.negated;
    }
    return operator.negated;
  };
  const { ifExists, set } = condition;
  if (set === undefined) {
    return (context) => {
      const value = context.get(key);
      if (value === undefined) return ifExists || operator.negated;
      return typeof value === "string" ? verdict(value, context) : undefined;
    };
  }
  return (context) => {
    const value = context.get(key);
    if (value === undefined && ifExists) return true;
    const values = typeof value === "string" ? [value] : (value ?? []);
    if (values.every((one) => one === "")) return set === "ForAllValues";
    return setVerdict(
      values.map((one) => verdict(one, context)),
      set,
    );
  };
}

type ValueTest = (value: string, context: ContextView) => Verdict;

function compileValue(
  text: string,
  variables: boolean,
  compile: (pieces: NonNullable<ReturnType<typeof fill>>) => Test | undefined,
): ValueTest {
  const read = variables ? readTemplate(text) : literalTemplate(text);
  if (typeof read === "string") return () => undefined;
  const template: Template = read;
  if (template.constant) {
    const test = compile(fill(template, () => undefined) ?? []);
    return test ?? (() => undefined);
  }
  return (value, context) => {
    const pieces = fill(template, context.single);
    return pieces === undefined ? false : compile(pieces)?.(value);
  };
}

/** ForAllValues: every value of the request; ForAnyValue: at least one. */
function setVerdict(verdicts: readonly Verdict[], set: "ForAllValues" | "ForAnyValue"): Verdict {
  const decisive = set === "ForAnyValue";
  if (verdicts.includes(decisive)) return decisive;
  return verdicts.includes(undefined) ? undefined : !decisive;
}

/** A list of nothing but empty strings is the null data set that `"Null": "false"` is there to refuse; one empty string is a value. */
function isNull(value: string | readonly string[] | undefined): boolean {
  return value === undefined || (typeof value === "object" && value.every((one) => one === ""));
}
