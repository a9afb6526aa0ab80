// The session policy that is sent: several policies intersected, conditions and narrowing on top, as short as it can be said. Called by session/profile.ts.
import { AgentRunError } from "../core/error.ts";
import { intersectAllows, type Part } from "./intersect.ts";
import type { LabelledDeny } from "./limits.ts";
import { LONGEST_SESSION_POLICY, minifyPolicy } from "./minify.ts";
import { apart, distinct } from "./overlap.ts";
import { parsePolicyValue } from "./parse.ts";
import { mergeStatements, openUnderSeal, simplifyDenies } from "./simplify.ts";
import type { PolicyDocument, Statement } from "./types.ts";

/** One policy of several. Its Allow statements narrow what the others allow; one without any only takes away. */
export interface SessionSource {
  /** What to call it: a file's name, `--allow`. */
  readonly label: string;
  readonly document: PolicyDocument;
}

export interface SessionPolicyRequest {
  /** In order; what all of them allow is allowed. */
  readonly sources: readonly SessionSource[];
  readonly denies?: readonly LabelledDeny[] | undefined;
  /**
   * Managed policies that STS adds to the inline one: what they allow counts too, so nothing is allowed inline then, and the sources hold as
   * denials of all that they do not allow.
   */
  readonly managedArns?: readonly string[] | undefined;
  /** Characters to keep free where that is possible: for the end of the session. */
  readonly reserve?: number | undefined;
}

export interface CompiledSession {
  /** As it is sent to STS. */
  readonly text: string;
  /** What the session can do at the most: with managed policies, all that is not denied. */
  readonly document: PolicyDocument;
  /** Of `text` and the ARNs together; STS takes 2,048. */
  readonly characters: number;
}

/** Code `policy`: all that could be said shorter is, and STS would still refuse it. */
export class SessionPolicyTooLong extends AgentRunError {
  readonly characters: number;
  constructor(characters: number, message: string, hint: string) {
    super("policy", message, { hint });
    this.characters = characters;
  }
}

/**
 * Intersects, narrows, simplifies and measures. Whatever the result allows, each source allows; whatever a source denies, the result denies.
 * Pure: no clock, no files.
 * @throws AgentRunError `policy`: an intersection that cannot be written; nothing left; too long, with what weighs how much
 */
export function compileSession(request: SessionPolicyRequest): CompiledSession {
  const { sources, managedArns = [] } = request;
  for (const { label, document } of sources) {
    if (document.version === "2008-10-17" && JSON.stringify(document.statements).includes("${")) {
      throw new AgentRunError("policy", `${label} has variables, but no "Version": "2012-10-17"`, {
        hint: 'add "Version": "2012-10-17" to it',
      });
    }
  }
  const allowing = sources.filter(({ document }) => document.statements.some(({ effect }) => effect === "Allow"));
  const allows = intersected(allowing);
  const denies = [
    ...sources.flatMap((source) => partsOf(source, "Deny")),
    ...(request.denies ?? []).map(({ label, statement }) => ({ label, statement: statementOf(statement, label) })),
  ];
  const sealed = allowing.length > 1 || managedArns.length > 0 ? sealsOf(allows, managedArns.length > 0) : [];
  const sent = managedArns.length > 0 ? [] : allows;
  const arns = managedArns.reduce((sum, arn) => sum + arn.length, 0);
  return shortest({ allows: sent, denies: [...sealed, ...denies] }, arns, request.reserve ?? 0, managedArns.length > 0);
}

function intersected(sources: readonly SessionSource[]): Part[] {
  const [first, ...others] = sources;
  if (!first) return [];
  let left = partsOf(first, "Allow");
  for (const source of others) {
    const next = intersectAllows(left, partsOf(source, "Allow"));
    if (next.length === 0) {
      throw new AgentRunError("policy", `${source.label} leaves nothing: ${first.label} allows none of it, and narrowing never widens`, {
        hint: "name actions and resources that the profile allows: agent-run profiles show <name>, or choose another profile with -p",
      });
    }
    left = next;
  }
  return left;
}

function partsOf({ label, document }: SessionSource, effect: Statement["effect"]): Part[] {
  return document.statements
    .filter((statement) => statement.effect === effect)
    .map((statement) => ({ label: statement.sid ? `${label} ${statement.sid}` : `${label} statement ${statement.index + 1}`, statement }));
}

function statementOf(json: unknown, label: string): Statement {
  const [statement] = parsePolicyValue({ Version: "2012-10-17", Statement: [json] }, label).statements;
  if (!statement) throw new AgentRunError("internal", `${label} gives no statement`);
  return statement;
}

/**
 * What the Allow statements leave out, as denials: explicit, because a missing Allow does not bind the policies of resources that let everyone in.
 * @param exact whether they must hold all by themselves, without the Allow statements
 */
function sealsOf(allows: readonly Part[], exact: boolean): Part[] {
  const negated = allows.find(({ statement }) => !statement.action || !statement.resource || (exact && statement.conditions.length > 0));
  if (negated && exact) throw inexact(negated.label);
  if (allows.length === 0 || negated) return [];
  const open = distinct(
    "action",
    allows.flatMap(({ statement }) => statement.action ?? []),
  );
  const seals: Part[] = [];
  const add = (json: Readonly<Record<string, unknown>>): void => {
    seals.push({ label: "nothing else", statement: statementOf({ Effect: "Deny", ...json }, "nothing else") });
  };
  if (!open.includes("*")) add({ NotAction: open, Resource: "*" });
  const byResources = new Map<string, { actions: string[]; resources: string[] }>();
  for (const action of open) {
    const overlapping = allows.filter(({ statement }) => statement.action?.some((other) => !apart("action", other, action)));
    const lists = new Set(overlapping.map(({ statement }) => JSON.stringify([...(statement.resource ?? [])].sort())));
    if (exact && lists.size > 1) throw inexact(overlapping[0]?.label ?? "");
    const resources = distinct(
      "resource",
      overlapping.flatMap(({ statement }) => statement.resource ?? []),
    );
    if (resources.includes("*")) continue;
    const key = JSON.stringify(resources);
    const group = byResources.get(key) ?? { actions: [], resources };
    group.actions.push(action);
    byResources.set(key, group);
  }
  for (const { actions, resources } of byResources.values()) add({ Action: actions, NotResource: resources });
  return seals;
}

const inexact = (label: string): AgentRunError =>
  new AgentRunError(
    "policy",
    `${label} cannot be held over managed policies: it has conditions, negations, or actions on differing resources`,
    {
      hint: "put it into the managed policies, or take session_policy_arns out of the profile",
    },
  );

interface Statements {
  readonly allows: readonly Part[];
  readonly denies: readonly Part[];
}

/** Each step shorter than the one before and deciding the same; the first that fits with room to spare is taken, else the shortest. */
function shortest(given: Statements, arns: number, reserve: number, managed: boolean): CompiledSession {
  const simple = { allows: given.allows, denies: simplifyDenies(given.denies) };
  const merged = { allows: mergeStatements(simple.allows), denies: simplifyDenies(mergeStatements(simple.denies)) };
  const steps: (() => Statements)[] = [
    () => simple,
    () => merged,
    () => ({ allows: openUnderSeal(merged.allows, merged.denies), denies: merged.denies }),
  ];
  let last: Statements = simple;
  let text = "";
  for (const step of steps) {
    last = step();
    text = written(last);
    if (text.length + arns <= LONGEST_SESSION_POLICY - reserve) break;
  }
  const characters = text.length + arns;
  if (characters > LONGEST_SESSION_POLICY) throw tooLong(last, characters, arns);
  const value = JSON.parse(text) as { Statement: unknown };
  const widest = { Sid: "ManagedPolicies", Effect: "Allow", Action: "*", Resource: "*" };
  const document = parsePolicyValue(managed ? { ...value, Statement: [value.Statement, widest].flat() } : value, "session policy");
  return { text, document, characters };
}

function written({ allows, denies }: Statements): string {
  const statements = [...allows, ...denies].map(({ statement }) => statement);
  const sids = new Set<string>();
  const unique = statements.map((statement, index) => {
    const sid = statement.sid && !sids.has(statement.sid) ? statement.sid : undefined;
    if (sid) sids.add(sid);
    return { ...statement, sid, index };
  });
  if (unique.length === 0) {
    // IAM takes no policy without a statement; this one says nothing.
    return '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"none:none","Resource":"*"}}';
  }
  return minifyPolicy({ source: "session policy", version: "2012-10-17", statements: unique });
}

function tooLong({ allows, denies }: Statements, characters: number, arns: number): AgentRunError {
  const weights = [...allows, ...denies]
    .map(({ label, statement }) => ({ label, size: written({ allows: [{ label, statement }], denies: [] }).length - 40 }))
    .concat(arns > 0 ? [{ label: "session_policy_arns", size: arns }] : [])
    .sort((one, other) => other.size - one.size);
  const told = weights.slice(0, 6).map(({ label, size }) => `${label} ${size}`);
  const rest = weights.length > told.length ? `, ${weights.length - told.length} more` : "";
  return new SessionPolicyTooLong(
    characters,
    `the session policy has ${characters} characters without white space, and sts takes ${LONGEST_SESSION_POLICY}: ${told.join(", ")}${rest}`,
    "shorten the longest with wildcards such as ec2:Describe*, narrow it with --allow, or move it into a managed policy and name that in session_policy_arns",
  );
}

/**
 * How many characters are sent to STS, also where they are too many.
 * @param compile what makes the session policy; it may throw SessionPolicyTooLong
 * @returns undefined where nothing can be sent for another reason
 */
export function charactersSent(compile: () => CompiledSession): number | undefined {
  try {
    return compile().characters;
  } catch (error) {
    if (error instanceof SessionPolicyTooLong) return error.characters;
    if (error instanceof AgentRunError) return undefined;
    throw error;
  }
}

/** `s3:GetObject`, `s3:GetObject=arn:aws:s3:::builds/*`: what `--allow` and `--deny` take. */
export function readNarrowing(entries: readonly string[], effect: Statement["effect"], label: string): SessionSource | undefined {
  if (entries.length === 0) return undefined;
  const Statement = entries.map((entry) => {
    const at = entry.indexOf("=");
    return { Effect: effect, Action: at === -1 ? entry : entry.slice(0, at), Resource: at === -1 ? "*" : entry.slice(at + 1) };
  });
  try {
    return { label, document: parsePolicyValue({ Version: "2012-10-17", Statement }, label) };
  } catch (error) {
    if (!(error instanceof AgentRunError) || error.hint !== undefined) throw error;
    throw new AgentRunError(error.code, error.message, { hint: "write it as s3:GetObject=arn:aws:s3:::builds/*", cause: error });
  }
}
