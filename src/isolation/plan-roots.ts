// The folders that agents write, in which a link may be theirs: it must open nothing. Used by all that plans.
import { KNOWN_AGENTS, type KnownAgent } from "./agents.ts";
import { depth, parentOf, within } from "./path.ts";
import type { IsolationInput } from "./plan.ts";
import { stateFolders } from "./plan-agent-paths.ts";
import type { PlanBuilder } from "./plan-builder.ts";
import { cachePaths } from "./plan-caches.ts";
import type { Facts } from "./plan-facts.ts";

/** A place that agents write: how it is named, and where that really is. */
export interface WritableRoot {
  readonly path: string;
  readonly real: string;
}

/** Where an agent of this or an earlier run may have put links: the project, caches, agents' own state. */
export function writableRoots(input: IsolationInput, facts: Facts): WritableRoot[] {
  const paths = [...cachePaths(input), ...KNOWN_AGENTS.flatMap((known) => stateFolders(known, input))];
  return [
    { path: input.project, real: facts.project },
    ...paths.flatMap((path) => {
      const found = facts.found.get(path);
      return found ? [{ path, real: found.real }] : [];
    }),
  ];
}

/** The running agent's folders that are made for it. */
export function madeRoots(known: KnownAgent, input: IsolationInput, facts: Facts): WritableRoot[] {
  return stateFolders(known, input).flatMap((path) => (facts.found.has(path) ? [] : [{ path, real: whereMade(path, facts) }]));
}

/** The root that holds `path` by name while what it leads to lies outside of it: an agent can have made such a link, and it must open nothing. */
export function rootLeft(path: string, real: string, roots: readonly WritableRoot[]): WritableRoot | undefined {
  return roots.find((root) => path !== root.path && (within(path, root.path) || within(path, root.real)) && !within(real, root.real));
}

/** The same, said to the human. */
export function leadsAway(builder: PlanBuilder, path: string, real: string, roots: readonly WritableRoot[]): boolean {
  const root = rootLeft(path, real, roots);
  if (root) builder.warn(`${path} leads out of ${root.path}, where agents write, to ${real}: it is not theirs to write`);
  return root !== undefined;
}

/** The nearest. */
export function rootAround(path: string, roots: readonly WritableRoot[]): WritableRoot | undefined {
  const around = roots.filter((root) => [root.path, root.real].some((folder) => path !== folder && within(path, folder)));
  return around.toSorted((left, right) => depth(right.real) - depth(left.real))[0];
}

/** Where a path is when the root that holds it is a link. */
export function throughRoot(path: string, roots: readonly WritableRoot[]): string {
  const root = roots.filter((each) => within(path, each.path)).toSorted((left, right) => depth(right.path) - depth(left.path))[0];
  return root ? `${root.real}${path.slice(root.path.length)}` : path;
}

/** Where something that is missing would be made: a folder above it may be a link. */
export function whereMade(path: string, facts: Facts): string {
  for (let above = parentOf(path); above !== "/"; above = parentOf(above)) {
    const found = facts.found.get(above);
    if (found) return `${found.real}${path.slice(above.length)}`;
  }
  return path;
}
