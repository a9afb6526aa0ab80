// The child's environment: the human's, without what gives access to clouds and accounts, with ours. Pure. Used by the launcher and by `agent-run env`.
import type { Environment } from "../core/paths.ts";
import {
  ACCESS_KEY_ID,
  AWS_NAMES,
  ENDPOINT_CHOICES,
  GIVEN_BACK,
  KEPT,
  type NameRule,
  REMOVED,
  SECRET_LOOKING,
  SET,
} from "./environment-names.ts";

export interface EnvironmentRequest {
  readonly human: Environment;
  /** Ours: these win over everything. */
  readonly set: Readonly<Record<string, string>>;
  /** Names that the human gives back one by one: `environment.pass` of the profile. */
  readonly pass: readonly string[];
  /** Names of `isolation.allow`, which give back the variables that go with what they open. */
  readonly allow: readonly string[];
}

export interface EnvironmentChange {
  readonly name: string;
  /** `kept` only where a rule would have removed it, or where a reader would expect that. */
  readonly action: "removed" | "set" | "kept";
  readonly reason: string;
}

export interface ChildEnvironment {
  readonly env: Record<string, string>;
  /** Sorted by name. Values are never in it. */
  readonly changes: readonly EnvironmentChange[];
}

/**
 * Builds the whole environment of the agent. AWS credential variables of the human never survive, whatever `pass` and `allow` say; `set` may hold the
 * session's own. The names and their reasons are in environment-names.ts.
 */
export function childEnvironment(request: EnvironmentRequest): ChildEnvironment {
  const env: Record<string, string> = {};
  const changes: EnvironmentChange[] = [];
  for (const [name, value] of Object.entries(request.human)) {
    if (value === undefined || Object.hasOwn(request.set, name)) continue;
    const verdict = judge(name, value, request);
    if (verdict.action !== "removed") define(env, name, value);
    if (verdict.reason !== undefined) changes.push({ name, action: verdict.action, reason: verdict.reason });
  }
  for (const [name, value] of Object.entries(request.set)) {
    define(env, name, value);
    const before = request.human[name];
    const reason = find(SET, name)?.reason ?? "for this session";
    changes.push({ name, action: "set", reason: before === undefined || before === value ? reason : `${reason}, in place of yours` });
  }
  return { env, changes: changes.sort((left, right) => (left.name < right.name ? -1 : 1)) };
}

type Verdict = { readonly action: "removed" | "kept"; readonly reason: string | undefined };

function judge(name: string, value: string, request: EnvironmentRequest): Verdict {
  const aws = find(AWS_NAMES, name);
  if (aws) return { action: "removed", reason: aws.reason };
  if (Object.hasOwn(request.set, "AWS_ENDPOINT_URL") && find([ENDPOINT_CHOICES], name)) {
    return { action: "removed", reason: "the session has an endpoint of its own, and AWS's tools refuse both" };
  }
  if (ACCESS_KEY_ID.test(value)) return { action: "removed", reason: "its value holds an AWS access key id" };
  if (request.pass.includes(name)) return { action: "kept", reason: "you asked: environment.pass" };
  for (const allowed of request.allow) {
    const given = find(GIVEN_BACK.get(allowed) ?? [], name);
    if (given) return { action: "kept", reason: given.reason };
  }
  const kept = find(KEPT, name);
  if (kept) return { action: "kept", reason: kept.reason };
  const removed = find(REMOVED, name);
  if (removed) return { action: "removed", reason: removed.reason };
  if (SECRET_LOOKING.test(name)) return { action: "removed", reason: "its name looks like a secret's; give it back with environment.pass" };
  return { action: "kept", reason: undefined };
}

/** The first rule that has a name, compared without regard to case: some tools read both spellings. */
function find(rules: readonly NameRule[], name: string): NameRule | undefined {
  const lower = name.toLowerCase();
  return rules[compiled(rules).findIndex((names) => names(lower))];
}

const known = new WeakMap<readonly NameRule[], ((lower: string) => boolean)[]>();

/** One test a rule, made once: an environment has a hundred names, and the tables have five hundred. */
function compiled(rules: readonly NameRule[]): ((lower: string) => boolean)[] {
  const before = known.get(rules);
  if (before) return before;
  const tests = rules.map(({ names }) => tester(names));
  known.set(rules, tests);
  return tests;
}

/** In a name of the tables, `*` stands for any characters. No regular expression: V8 would compile it in each launch anew, for half a millisecond. */
function tester(names: readonly string[]): (lower: string) => boolean {
  const lower = names.map((name) => name.toLowerCase());
  const exact = new Set(lower.filter((name) => !name.includes("*")));
  const patterns = lower.filter((name) => name.includes("*")).map((name) => name.split("*"));
  return (name) => exact.has(name) || patterns.some((parts) => matches(parts, name));
}

function matches(parts: readonly string[], name: string): boolean {
  const first = parts[0] ?? "";
  const last = parts.at(-1) ?? "";
  if (!name.startsWith(first)) return false;
  let from = first.length;
  for (const part of parts.slice(1, -1)) {
    const at = name.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return name.length - last.length >= from && name.endsWith(last);
}

/** A plain assignment would lose a variable that is named `__proto__`. */
function define(env: Record<string, string>, name: string, value: string): void {
  Object.defineProperty(env, name, { value, enumerable: true, writable: true, configurable: true });
}
