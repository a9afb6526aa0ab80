// Why a request is decided as it is: every statement with the part of it that did not match. Called by `agent-run policy explain`.
import { type Asked, compile } from "./compile.ts";
import { ContextView } from "./conditions.ts";
import { evaluate } from "./evaluate.ts";
import { some } from "./lint/finding.ts";
import type { Condition, Decision, Effect, PolicyDocument, PolicyKind, PolicyRequest, PolicySet, Statement } from "./types.ts";

export interface StatementReport {
  readonly kind: PolicyKind;
  readonly source: string;
  readonly index: number;
  readonly sid: string | undefined;
  readonly effect: Effect;
  readonly applies: boolean;
  /** What did not match, a sentence each; empty for a statement that applies. */
  readonly why: readonly string[];
}

export interface Explanation {
  readonly decision: Decision;
  readonly statements: readonly StatementReport[];
}

/** The decision, and what each statement had to say. Principals of resource policies are left aside. */
export function explain(request: PolicyRequest, policies: PolicySet): Explanation {
  const asked: Asked = { action: request.action.toLowerCase(), resource: request.resource, context: new ContextView(request.context) };
  const kinds = Object.entries(policies) as [PolicyKind, readonly PolicyDocument[] | undefined][];
  const statements = kinds.flatMap(([kind, documents]) =>
    (documents ?? []).flatMap((document) =>
      document.statements.map((statement): StatementReport => {
        const applies = appliesTo(statement, document, asked);
        const { index, sid, effect } = statement;
        return {
          kind,
          source: document.source,
          index,
          sid,
          effect,
          applies,
          why: applies ? [] : reasons(statement, document, request, asked),
        };
      }),
    ),
  );
  return { decision: evaluate(request, policies), statements };
}

function appliesTo(statement: Statement, { source, version }: PolicyDocument, asked: Asked): boolean {
  const { allows, denies } = compile({ source, version, statements: [statement] });
  return [...allows, ...denies].every((one) => one.applies(asked));
}

/** Each part of the statement is tried alone, with the others opened wide. */
function reasons(statement: Statement, document: PolicyDocument, request: PolicyRequest, asked: Asked): string[] {
  const open = { ...statement, action: ["*"], notAction: undefined, resource: ["*"], notResource: undefined, conditions: [] };
  const fails = (part: Partial<Statement>): boolean => !appliesTo({ ...open, ...part }, document, asked);
  const { action, notAction, resource, notResource, conditions } = statement;
  const why: string[] = [];
  if (action && fails({ action })) why.push(`${request.action} is none of ${some(action)}`);
  if (notAction && fails({ action: undefined, notAction })) why.push(`${request.action} is left out by NotAction`);
  if (resource && fails({ resource })) why.push(`${request.resource} is none of ${some(resource)}`);
  if (notResource && fails({ resource: undefined, notResource })) why.push(`${request.resource} is left out by NotResource`);
  for (const condition of conditions) if (fails({ conditions: [condition] })) why.push(unmet(condition, asked));
  return why;
}

function unmet({ operator, ifExists, set, key, values }: Condition, { context }: Asked): string {
  const found = context.get(key.toLowerCase());
  const has = found === undefined ? `has no ${key}` : `has ${key} = ${[found].flat().join(", ")}`;
  return `the request ${has}, and ${set ? `${set}:` : ""}${operator}${ifExists ? "IfExists" : ""} asks for ${values.join(" or ")}`;
}
