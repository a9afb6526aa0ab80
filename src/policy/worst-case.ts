// Policies as they are at their widest: what could be allowed, whatever the request brings. Called by destructive.ts.
import { actionMatches } from "./match.ts";
import type { PolicyDocument, PolicySet, RequestContext, Statement } from "./types.ts";

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

/** One resource for each pattern that an Allow of these policies opens for the action. */
export function probeResources(policies: PolicySet, action: string): string[] {
  const documents = Object.values(policies).flatMap((list: readonly PolicyDocument[] | undefined) => list ?? []);
  const patterns = documents.flatMap(({ statements }) =>
    statements
      .filter(({ effect, action: actions, notAction }) => {
        if (effect !== "Allow") return false;
        return actions ? actions.some((one) => actionMatches(one, action)) : !notAction?.some((one) => actionMatches(one, action));
      })
      .flatMap(({ resource }) => resource ?? []),
  );
  return [...new Set(patterns.map((pattern) => pattern.replace(VARIABLE, FILLER).replace(/\*+/g, FILLER).replaceAll("?", "x")))];
}
