// The part of the plan about agents: which of them runs, whose state is its own, and whose is hidden. Used by plan.ts.
import { KNOWN_AGENTS, type KnownAgent } from "./agents.ts";
import { parentOf, within } from "./path.ts";
import type { IsolationInput } from "./plan.ts";
import { belowRoots, databases, elsewhere, type ProtectedPath, protectedPaths, stateFolders } from "./plan-agent-paths.ts";
import type { PlanBuilder } from "./plan-builder.ts";
import { planCaches } from "./plan-caches.ts";
import type { Facts, Place } from "./plan-facts.ts";
import { planOwnState } from "./plan-own-state.ts";
import { leadsAway, madeRoots, writableRoots } from "./plan-roots.ts";
import { expand } from "./plan-stores.ts";

/** What only the running agent, or one that was given back, needs is not looked at for the others. */
export function agentPlaces(input: IsolationInput): Place[] {
  return KNOWN_AGENTS.flatMap((known) => {
    const uses = mayRun(known, input) || input.allow.includes(known.name);
    const settings = protectedPaths(known, input, uses ? known.protect : elsewhere(known));
    return [
      ...stateFolders(known, input).map((path) => ({ path, list: true as const })),
      ...settings.map(({ path, apart }) => (uses && apart ? { path, followLinks: true as const } : { path })),
      ...(uses ? foldersOf(settings, known, input).map((path) => ({ path, list: true as const })) : []),
      ...(uses ? databases(known, input).map((path) => ({ path: parentOf(path), list: true as const })) : []),
      ...(uses ? belowRoots(known.fresh, known, input).map((path) => ({ path })) : []),
      ...[...known.files.map((file) => file.path), ...known.hide].flatMap((place) => expand(place, input)).map((path) => ({ path })),
    ];
  });
}

/** Those deeper in the agent's folders that hold settings: one of these may be a link. */
function foldersOf(settings: readonly ProtectedPath[], known: KnownAgent, input: IsolationInput): string[] {
  const roots = stateFolders(known, input);
  const folders = settings.filter(({ path }) => roots.some((root) => within(path, root))).map(({ path }) => parentOf(path));
  return [...new Set(folders)].filter((folder) => roots.some((root) => folder !== root && within(folder, root)));
}

/** By its command's name. */
function mayRun(known: KnownAgent, input: IsolationInput): boolean {
  return known.commands.includes(input.agent) || known.generic?.command === input.agent;
}

/** A command that others may use too is the agent's only where it leads to the agent's program. */
function runs(known: KnownAgent, input: IsolationInput, facts: Facts): boolean {
  if (known.commands.includes(input.agent)) return true;
  if (known.generic?.command !== input.agent) return false;
  const [program = ""] = input.programs;
  return known.generic.leadsTo.test(facts.found.get(program)?.real ?? "");
}

/** The agent that runs, if it is one of those known by name. */
export function runningAgent(input: IsolationInput, facts: Facts): KnownAgent | undefined {
  return KNOWN_AGENTS.find((known) => runs(known, input, facts));
}

/** The state of the agent that runs, and of those that were given back, is theirs; that of all others is hidden. */
export function planAgents(builder: PlanBuilder, input: IsolationInput, facts: Facts): void {
  const roots = writableRoots(input, facts);
  for (const known of KNOWN_AGENTS) {
    const running = runs(known, input, facts);
    if (running || input.allow.includes(known.name)) {
      planOwnState({ builder, input, facts, known, running, roots: [...roots, ...madeRoots(known, input, facts)] });
    } else hideState(builder, input, facts, known);
    if (input.allow.includes("ide")) continue;
    for (const path of known.hide.flatMap((place) => expand(place, input))) {
      const found = facts.found.get(path);
      if (found) builder.hide(found, `the door of ${known.name} to your editor`, "default");
    }
  }
  planCaches(builder, input, facts, (path, real) => leadsAway(builder, path, real, roots));
}

function hideState(builder: PlanBuilder, input: IsolationInput, facts: Facts, known: KnownAgent): void {
  const places = [...elsewhere(known).map(({ path }) => path), ...known.files.map(({ path }) => path)].flatMap((place) =>
    expand(place, input),
  );
  for (const path of [...stateFolders(known, input), ...places]) {
    const found = facts.found.get(path);
    if (found)
      builder.hide(
        found,
        `${known.name}'s login, settings and state; give it back with isolation.allow = "${known.name}"`,
        "default",
        path,
      );
  }
}
