// The shortest text of a policy that decides the same, for STS's limit on session policies. Called by session before AssumeRole, and by setup.
import { distinct } from "./overlap.ts";
import { parsePolicy } from "./parse.ts";
import type { PolicyDocument, Principal, Statement } from "./types.ts";

/** STS AssumeRole: the plain text of inline and managed session policies together, in characters. */
export const LONGEST_SESSION_POLICY = 2048;

/**
 * Writes a policy without white space, without lists of one, without actions that another entry of the same list covers and without repeated
 * entries. Statements, their order and their Sids stay, so that every decision names the same statement.
 * @param policy a document, or the text of an identity or session policy
 * @throws AgentRunError `policy` when the text is no policy
 */
export function minifyPolicy(policy: PolicyDocument | string): string {
  const document = typeof policy === "string" ? parsePolicy(policy, "policy") : policy;
  const statements = document.statements.map(statementValue);
  return JSON.stringify({
    // Without the element, IAM assumes 2008-10-17.
    Version: document.version === "2008-10-17" ? undefined : document.version,
    Statement: shortest(statements),
  });
}

function statementValue(statement: Statement): unknown {
  return {
    Sid: statement.sid || undefined,
    Effect: statement.effect,
    Principal: principalValue(statement.principal),
    NotPrincipal: principalValue(statement.notPrincipal),
    Action: statement.action && shortest(distinct("action", statement.action)),
    NotAction: statement.notAction && shortest(distinct("action", statement.notAction)),
    Resource: statement.resource && shortest(distinctResources(statement.resource)),
    NotResource: statement.notResource && shortest(distinctResources(statement.notResource)),
    Condition: conditionValue(statement),
  };
}

function shortest<T>(list: readonly T[]): T | readonly T[] {
  const [only] = list;
  return list.length === 1 && only !== undefined ? only : list;
}

function distinctResources(resources: readonly string[]): readonly string[] {
  return resources.includes("*") ? ["*"] : [...new Set(resources)];
}

function principalValue(principal: Principal | undefined): unknown {
  if (principal === undefined || principal === "*") return principal;
  return Object.fromEntries(Object.entries(principal).map(([type, names]) => [type, shortest([...new Set(names)])]));
}

function conditionValue({ conditions }: Statement): unknown {
  if (conditions.length === 0) return undefined;
  const blocks = new Map<string, Record<string, unknown>>();
  for (const { operator, ifExists, set, key, values } of conditions) {
    const name = `${set ? `${set}:` : ""}${operator}${ifExists ? "IfExists" : ""}`;
    const block = blocks.get(name) ?? {};
    block[key] = shortest([...new Set(values)]);
    blocks.set(name, block);
  }
  return Object.fromEntries(blocks);
}
