// Shorter statements that decide the same: what is already denied is not denied twice. Called by compile-session.ts.
import { listWithin, type Part } from "./intersect.ts";
import { apart, distinct, within } from "./overlap.ts";
import type { Statement } from "./types.ts";

const everywhere = ({ resource, conditions }: Statement): boolean => resource?.includes("*") === true && conditions.length === 0;

/**
 * Denials without what another denial covers whatever the request: actions that a Deny NotAction leaves out anyway, a wider NotAction, repeated
 * actions. The decision stays the same for every request; which statement is named for it may change.
 */
export function simplifyDenies(parts: readonly Part[]): Part[] {
  const seals = parts.filter(({ statement }) => statement.notAction && everywhere(statement));
  const tightest = seals.filter(
    (part, index) =>
      !seals.some((other, at) => {
        const covers = listWithin("action", part.statement.notAction, other.statement.notAction);
        return at !== index && covers && (at < index || !listWithin("action", other.statement.notAction, part.statement.notAction));
      }),
  );
  const kept = parts.filter((part) => !seals.includes(part) || tightest.includes(part));
  const result: Part[] = [];
  for (const part of kept) {
    const { action } = part.statement;
    if (!action) {
      result.push(part);
      continue;
    }
    const before = result
      .filter(({ statement }) => statement.action && everywhere(statement))
      .flatMap(({ statement }) => statement.action ?? []);
    const left = distinct("action", action).filter(
      (text) =>
        !before.some((wide) => within("action", wide, text)) &&
        !tightest.some((seal) => seal.statement.notAction?.every((open) => apart("action", open, text))),
    );
    if (left.length > 0) result.push({ ...part, statement: { ...part.statement, action: left } });
  }
  return result;
}

/** One statement for all that differ in their actions alone. */
export function mergeStatements(parts: readonly Part[]): Part[] {
  const groups = new Map<string, Part>();
  for (const part of parts) {
    const { statement } = part;
    const { effect, resource, notResource, conditions } = statement;
    const key = JSON.stringify([effect, resource, notResource, conditions, statement.notAction]);
    const met = groups.get(key);
    const label = met && met.label !== part.label ? `${met.label}, ${part.label}` : part.label;
    const action = statement.action && distinct("action", [...(met?.statement.action ?? []), ...statement.action]);
    groups.set(key, { label, statement: { ...statement, sid: undefined, action } });
  }
  return [...groups.values()];
}

/**
 * Where one Allow on every resource and one Deny NotAction have the same list, the list need not stand twice: what the denial leaves may be allowed
 * as `*`. Other Allow statements then say nothing more.
 */
export function openUnderSeal(allows: readonly Part[], denies: readonly Part[]): readonly Part[] {
  for (const { statement: seal } of denies) {
    if (!seal.notAction || !everywhere(seal)) continue;
    const whole = allows.find(({ statement }) => everywhere(statement) && listWithin("action", statement.action, seal.notAction));
    if (whole) return [{ ...whole, statement: { ...whole.statement, action: ["*"], resource: ["*"] } }];
  }
  return allows;
}
