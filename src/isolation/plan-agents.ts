// The part of the plan about agents: the running agent's own state, other agents' state. Used by plan.ts.
import { KNOWN_AGENTS, type KnownAgent } from "./agents.ts";
import { absolute, joined, within } from "./path.ts";
import type { Facts, IsolationInput, Place } from "./plan.ts";
import type { PlanBuilder } from "./plan-builder.ts";
import { cachePaths, planCaches } from "./plan-caches.ts";
import { expand } from "./plan-stores.ts";

export function agentPlaces(input: IsolationInput): Place[] {
  return KNOWN_AGENTS.flatMap((known) => [
    ...stateFolders(known, input).map((path) => ({ path, list: true as const })),
    ...protectedPaths(known, input).map(({ path }) => ({ path })),
    ...[...known.files.map((file) => file.path), ...known.hide].flatMap((place) => expand(place, input)).map((path) => ({ path })),
  ]);
}

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

/** The root that holds `path` by name while what it leads to lies outside of it: an agent can have made such a link, and it must open nothing. */
export function rootLeft(path: string, real: string, roots: readonly WritableRoot[]): WritableRoot | undefined {
  return roots.find((root) => path !== root.path && (within(path, root.path) || within(path, root.real)) && !within(real, root.real));
}

/** The same, said to the human. */
function leadsAway(builder: PlanBuilder, path: string, real: string, roots: readonly WritableRoot[]): boolean {
  const root = rootLeft(path, real, roots);
  if (root) builder.warn(`${path} leads out of ${root.path}, where agents write, to ${real}: it is not theirs to write`);
  return root !== undefined;
}

export function planAgents(builder: PlanBuilder, input: IsolationInput, facts: Facts): void {
  const roots = writableRoots(input, facts);
  for (const known of KNOWN_AGENTS) {
    const running = known.commands.includes(input.agent);
    if (running || input.allow.includes(known.name)) ownState(builder, input, facts, known, running, roots);
    else hideState(builder, input, facts, known);
    if (input.allow.includes("ide")) continue;
    for (const path of known.hide.flatMap((place) => expand(place, input))) {
      const found = facts.found.get(path);
      if (found) builder.hide(found, `the door of ${known.name} to your editor`, "default");
    }
  }
  planCaches(builder, input, facts, (path, real) => leadsAway(builder, path, real, roots));
}

function ownState(
  builder: PlanBuilder,
  input: IsolationInput,
  facts: Facts,
  known: KnownAgent,
  running: boolean,
  roots: readonly WritableRoot[],
): void {
  const reason = `${known.name}'s own state`;
  for (const path of stateFolders(known, input)) {
    const found = facts.found.get(path);
    if (!found && (!running || !path.startsWith(`${input.home}/`))) continue;
    const real = found?.real ?? path;
    if (builder.isTooWide(real) || leadsAway(builder, path, real, roots)) continue;
    builder.put({ path: real, access: "writable", kind: "folder", reason, ...(found ? {} : { standIn: "folder" as const }) });
    for (const child of facts.listings.get(real) ?? []) {
      const runs = child.kind === "file" && (child.runs || /\.(sh|bash|zsh|fish|py|js|mjs|cjs|ts|rb|pl|config\.toml)$/.test(child.name));
      const why = `a program or settings in ${known.name}'s folder`;
      if (runs) builder.put({ path: joined(real, child.name), access: "read-only", kind: "file", reason: why });
    }
  }
  for (const file of known.files) {
    const path = absolute(file.path, input.home, "/");
    const found = facts.found.get(path);
    if (!found && !running) continue;
    builder.put({
      path: found?.real ?? path,
      access: "writable",
      kind: "file",
      reason,
      ...(found ? {} : { standIn: { file: file.content } }),
    });
  }
  for (const { path, standIn } of protectedPaths(known, input)) {
    const found = facts.found.get(path);
    const why = `${known.name}'s settings or hooks: they would run later as you`;
    // At strict only what is listed is there: a link that an agent may have made lists nothing.
    if (found && input.level === "strict" && leadsAway(builder, path, found.real, roots)) continue;
    if (found) builder.put({ path: found.real, access: "read-only", kind: found.kind === "folder" ? "folder" : "file", reason: why });
    else if (standIn && running)
      builder.put({ path, access: "read-only", kind: standIn === "folder" ? "folder" : "file", reason: why, standIn });
  }
}

function hideState(builder: PlanBuilder, input: IsolationInput, facts: Facts, known: KnownAgent): void {
  const elsewhere = known.protect.filter(({ path }) => isElsewhere(path)).map(({ path }) => path);
  const places = [...elsewhere, ...known.files.map(({ path }) => path)].flatMap((place) => expand(place, input));
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

function stateFolders(known: KnownAgent, input: IsolationInput): string[] {
  const moved = known.variable && input.env[known.variable];
  const standard = known.state.flatMap((place) => expand(place, input));
  return moved ? [absolute(moved, input.home, input.cwd), ...standard] : standard;
}

function protectedPaths(known: KnownAgent, input: IsolationInput): { path: string; standIn: KnownAgent["protect"][number]["standIn"] }[] {
  const moved = known.variable && input.env[known.variable];
  const folders = [...(moved ? [absolute(moved, input.home, input.cwd)] : []), ...expand(known.state[0] ?? "~/.", input)];
  return known.protect.flatMap((each) =>
    (isElsewhere(each.path) ? expand(each.path, input) : folders.map((folder) => joined(folder, each.path))).map((path, index) => ({
      path,
      standIn: index === 0 || within(path, input.home) ? each.standIn : undefined,
    })),
  );
}

/** Whether a protected path is outside of the agent's first state folder. */
function isElsewhere(path: string): boolean {
  return path.startsWith("~/") || path.startsWith("$");
}
