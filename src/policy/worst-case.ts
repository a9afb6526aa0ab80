// Policies as they are at their widest: what could be allowed, whatever the request brings. Called by destructive.ts and lint/paths.ts.
import { actionMatches } from "./match.ts";
import { common } from "./overlap.ts";
import type { PolicyDocument, PolicySet, RequestContext, Statement } from "./types.ts";

/** Patterns that cross one another have more in common the more of them there are, and a daemon that counts them does nothing else. */
const MOST_PAIRS = 10_000;
const MOST_MET = 64;

export interface Probes {
  readonly resources: readonly string[];
  /** False where there would be too many to try: whatever is not tried has to be taken as allowed. */
  readonly areAll: boolean;
}

/** Stands where a wildcard stood: a name that no policy mentions by chance. */
const FILLER = "agent-run-probe";
const VARIABLE = /\$\{([^},]*)[^}]*\}/g;

/**
 * The same policies with every doubt decided for the caller: an Allow loses the conditions on keys that the context does not tell, a Deny with such a
 * condition goes away; likewise with variables. Statement indexes stay as they were.
 */
export function worstCase(policies: PolicySet, context: RequestContext): PolicySet {
  const known = new Set(Object.keys(context).map((key) => key.toLowerCase()));
  const widen = (documents: readonly PolicyDocument[]): PolicyDocument[] =>
    documents.map((document) => ({
      ...document,
      statements: document.statements.flatMap((statement) => widest(statement, document, known) ?? []),
    }));
  const kinds = Object.entries(policies) as [keyof PolicySet, PolicySet[keyof PolicySet]][];
  return { identity: [], ...Object.fromEntries(kinds.map(([kind, documents]) => [kind, documents && widen(documents)])) };
}

function widest(statement: Statement, { version }: PolicyDocument, known: ReadonlySet<string>): Statement | undefined {
  const told = (text: string): boolean =>
    version === "2008-10-17" || [...text.matchAll(VARIABLE)].every(([, key = ""]) => !key.includes(":") || known.has(key.toLowerCase()));
  const certain = statement.conditions.filter((one) => known.has(one.key.toLowerCase()) && one.values.every(told));
  if (statement.effect === "Deny") {
    const sure = certain.length === statement.conditions.length && (statement.notResource ?? []).every(told);
    return sure ? statement : undefined;
  }
  return {
    ...statement,
    conditions: certain,
    resource: statement.resource?.map((text) => (told(text) ? text : text.replace(VARIABLE, "*"))),
    notResource: statement.notResource?.filter(told),
  };
}

/**
 * One resource for each pattern that an Allow of these policies opens for the action, and for what such patterns of all their kinds have in common, and
 * every Deny NotResource leaves out: a role that reaches `logs-*` and a session policy that reaches `*-prod` meet in a name that neither pattern leads to.
 * @param policies as `worstCase` gives them
 * @param context the same, for the variables that are left
 * @param known what was found for other actions of the same policies: most have the same resources
 */
export function probeResources(policies: PolicySet, action: string, context: RequestContext, known = new Map<string, Probes>()): Probes {
  const of = (documents: readonly PolicyDocument[] = []): string[] => documents.flatMap((document) => openedBy(document, action, context));
  const kinds = [policies.identity, policies.boundary, policies.session, policies.serviceControl].filter((kind) => kind !== undefined);
  if (kinds.some((documents) => documents.some((document) => deniesEverywhere(document, action)))) return { resources: [], areAll: true };
  const left = kinds.flatMap((documents) => documents.flatMap((document) => leftOutBy(document, action, context)));
  const limiting = [...kinds.map(of), ...left];
  const others = of(policies.resource);
  const key = JSON.stringify([limiting, others]);
  const probes = known.get(key) ?? probesOf(limiting, others);
  known.set(key, probes);
  return probes;
}

function probesOf(limiting: readonly (readonly string[])[], others: readonly string[]): Probes {
  const nothing = limiting.some((patterns) => patterns.length === 0);
  let met: ReadonlySet<string> | undefined = new Set(nothing ? [] : limiting[0]);
  for (const patterns of limiting.slice(1)) met = met && meeting(met, new Set(patterns));
  const patterns = new Set([...limiting.flat(), ...others, ...(met ?? [])]);
  const resources = [...new Set([...patterns].map(exampleOf))];
  return { resources, areAll: met !== undefined };
}

/** A text that fits the pattern; `${*}` stands for a star itself. */
function exampleOf(pattern: string): string {
  return pattern.replace(/\$\{([*?$])\}|\*+|\?/g, (text, literal?: string) => literal ?? (text === "?" ? "x" : FILLER));
}

/** What the patterns of both have in common; undefined where that is too much, or cannot be written. */
function meeting(one: ReadonlySet<string>, other: ReadonlySet<string>): ReadonlySet<string> | undefined {
  if (one.size * other.size > MOST_PAIRS) return undefined;
  const met = new Set<string>();
  for (const left of one) {
    for (const right of other) {
      const patterns = common("resource", left, right);
      for (const pattern of patterns ?? []) met.add(pattern);
      if (!patterns || met.size > MOST_MET) return undefined;
    }
  }
  return met;
}

/** The patterns of resources that the document's Allow statements open for an action, variables filled in; `*` for a NotResource. */
function openedBy({ statements, version }: PolicyDocument, action: string, context: RequestContext): string[] {
  return statements
    .filter((statement) => statement.effect === "Allow" && isAbout(statement, action))
    .flatMap(({ resource }) => resource?.map((text) => filled(text, version, context)) ?? ["*"]);
}

/** Of each Deny NotResource the patterns of what it does not deny. */
function leftOutBy({ statements, version }: PolicyDocument, action: string, context: RequestContext): string[][] {
  return statements
    .filter((statement) => statement.effect === "Deny" && isAbout(statement, action))
    .flatMap(({ notResource }) => (notResource ? [notResource.map((text) => filled(text, version, context))] : []));
}

function deniesEverywhere({ statements }: PolicyDocument, action: string): boolean {
  return statements.some(
    (one) => one.effect === "Deny" && isAbout(one, action) && one.conditions.length === 0 && one.resource?.includes("*") === true,
  );
}

/** Whether the statement's actions have it among them. */
export function isAbout({ action: actions, notAction }: Statement, action: string): boolean {
  return actions ? actions.some((one) => actionMatches(one, action)) : !notAction?.some((one) => actionMatches(one, action));
}

function filled(text: string, version: PolicyDocument["version"], context: RequestContext): string {
  if (version === "2008-10-17") return text;
  const values = new Map(Object.entries(context).map(([key, value]) => [key.toLowerCase(), value]));
  return text.replace(VARIABLE, (whole, key: string) => (key.includes(":") ? String(values.get(key.toLowerCase()) ?? "*") : whole));
}
