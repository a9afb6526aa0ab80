// The part of the plan about agents: the running agent's own state, other agents' state. Used by plan.ts.
import { KNOWN_AGENTS, type KnownAgent, type Protected } from "./agents.ts";
import { absolute, baseOf, depth, joined, parentOf, within } from "./path.ts";
import type { IsolationInput } from "./plan.ts";
import type { PlanBuilder } from "./plan-builder.ts";
import { cachePaths, planCaches } from "./plan-caches.ts";
import type { Child, Facts, Found, Place } from "./plan-facts.ts";
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

/** Each is a mount of its own, and bwrap takes longer for each that there is. */
const MOST_PROGRAMS = 64;
/** An agent can have made any number. */
const MOST_LINKS = 256;

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
function madeRoots(known: KnownAgent, input: IsolationInput, facts: Facts): WritableRoot[] {
  return stateFolders(known, input).flatMap((path) => (facts.found.has(path) ? [] : [{ path, real: whereMade(path, facts) }]));
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
    const running = runs(known, input, facts);
    if (running || input.allow.includes(known.name))
      ownState(builder, input, facts, known, running, [...roots, ...madeRoots(known, input, facts)]);
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
    const children = facts.listings.get(real) ?? [];
    const programs = children.filter(
      (child) => child.kind === "file" && (child.runs || /\.(sh|bash|zsh|fish|py|js|mjs|cjs|ts|rb|pl|config\.toml)$/.test(child.name)),
    );
    if (programs.length > MOST_PROGRAMS) {
      closeFolder(builder, real, children, reason, `${real} holds ${programs.length} programs`);
      continue;
    }
    builder.put({ path: real, access: "writable", kind: "folder", reason, ...(found ? {} : { standIn: "folder" as const }) });
    byItsName(builder, input, path, found, reason);
    keepLinks(builder, input, real, children);
    const why = `a program or settings in ${known.name}'s folder`;
    for (const { name } of programs) builder.put({ path: joined(real, name), access: "read-only", kind: "file", reason: why });
  }
  for (const path of databases(known, input)) ownDatabase(builder, facts, roots, path, reason);
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
    byItsName(builder, input, path, found, reason);
  }
  for (const protectedPath of protectedPaths(known, input, known.protect))
    ownSetting(builder, input, facts, known, running, roots, protectedPath);
  for (const path of belowRoots(known.fresh, known, input)) {
    const found = facts.found.get(path);
    if (!found && keepsLink(builder, facts, roots, path)) continue;
    if (known.needsFresh && input.platform === "darwin") {
      builder.tell({ path: throughRoot(path, roots) });
      continue;
    }
    if ((!found && !(running && isMadeUp(path, known, input))) || (found && leadsAway(builder, path, found.real, roots))) continue;
    builder.put({
      ...{ path: found?.real ?? whereMade(path, facts), access: "empty", kind: "folder" },
      reason: `${known.name} runs what is in it unasked: gone at the end`,
      ...(found ? {} : { standIn: "folder" as const }),
    });
  }
  for (const { path, keys } of known.told) {
    const places = isElsewhere(path) ? expand(path, input) : belowRoots([path], known, input);
    for (const place of places) builder.tell({ path: throughRoot(place, roots), ...(keys ? { keys } : {}) });
  }
}

function ownDatabase(builder: PlanBuilder, facts: Facts, roots: readonly WritableRoot[], path: string, reason: string): void {
  const found = facts.found.get(parentOf(path));
  if (!found || builder.isWritable(found.real) || leadsAway(builder, path, found.real, roots)) return;
  const others = (facts.listings.get(found.real) ?? []).filter(({ name }) => !name.startsWith(baseOf(path)));
  if (others.length > 0 || builder.isTooWide(found.real)) {
    builder.warn(`${path} can not be written, as ${found.real} holds more than that database: give it a folder of its own`);
  } else builder.put({ path: found.real, access: "writable", kind: "folder", reason });
}

/** Links directly in a folder that the agent writes, which lead out of it: to dotfiles, to a program. They are the human's; an agent makes none such. */
function keepLinks(builder: PlanBuilder, input: IsolationInput, folder: string, children: readonly Child[]): void {
  const links = children.flatMap((child) => (child.kind === "link" ? [child] : []));
  for (const { name, target } of links.slice(0, MOST_LINKS)) {
    if (!within(absolute(target, input.home, folder), folder)) builder.keep({ path: joined(folder, name), folder, target });
  }
}

/** Whether there is a link at `path` itself, in a folder that agents write: a mount would be where it leads, and it is put back at the end instead. */
function keepsLink(builder: PlanBuilder, facts: Facts, roots: readonly WritableRoot[], path: string): boolean {
  const root = rootAround(path, roots);
  const place = throughRoot(path, roots);
  const child = root && facts.listings.get(parentOf(place))?.find(({ name }) => name === baseOf(place));
  if (child?.kind !== "link") return false;
  builder.keep({ path: place, folder: root?.real ?? parentOf(place), target: child.target });
  return true;
}

function keepNothing(builder: PlanBuilder, roots: readonly WritableRoot[], path: string): void {
  const root = rootAround(path, roots);
  if (root) builder.keep({ path, folder: root.real });
}

/** The nearest. */
function rootAround(path: string, roots: readonly WritableRoot[]): WritableRoot | undefined {
  const around = roots.filter((root) => [root.path, root.real].some((folder) => path !== folder && within(path, folder)));
  return around.toSorted((left, right) => depth(right.real) - depth(left.real))[0];
}

/** Where something that is missing would be made: a folder above it may be a link. */
function whereMade(path: string, facts: Facts): string {
  for (let above = parentOf(path); above !== "/"; above = parentOf(above)) {
    const found = facts.found.get(above);
    if (found) return `${found.real}${path.slice(above.length)}`;
  }
  return path;
}

/** Where a path is when the root that holds it is a link. */
function throughRoot(path: string, roots: readonly WritableRoot[]): string {
  const root = roots.filter((each) => within(path, each.path)).toSorted((left, right) => depth(right.path) - depth(left.path))[0];
  return root ? `${root.real}${path.slice(root.path.length)}` : path;
}

function ownSetting(
  builder: PlanBuilder,
  input: IsolationInput,
  facts: Facts,
  known: KnownAgent,
  running: boolean,
  roots: readonly WritableRoot[],
  { path, apart, standIn, onlyAbsent, itsOwn }: ProtectedPath,
): void {
  const why = `${known.name}'s settings or hooks: they would run later as you`;
  const found = facts.found.get(path);
  const isLink = keepsLink(builder, facts, roots, path);
  if (!found) {
    // One that leads nowhere can neither be covered nor be written through.
    if (isLink) return;
    if (standIn === undefined || !running) {
      if (!itsOwn) keepNothing(builder, roots, whereMade(path, facts));
      return;
    }
    if (standIn === "fresh" && known.needsFresh && input.platform === "darwin") {
      builder.tell({ path: whereMade(path, facts) });
      return;
    }
    const kind = typeof standIn === "string" ? "folder" : "file";
    const access = standIn === "fresh" ? "empty" : "read-only";
    builder.put({ path: whereMade(path, facts), access, kind, reason: why, standIn: standIn === "fresh" ? "folder" : standIn });
    return;
  }
  if (onlyAbsent) return;
  // What stands in a folder that the agent writes can be taken away where it is a link: a mount is where it leads.
  const planted = roots.some((root) => path !== root.path && within(path, root.path));
  // At strict only what is listed is there: a link that an agent may have made lists nothing.
  if (input.level === "strict" && leadsAway(builder, path, found.real, roots)) return;
  builder.put({ path: found.real, access: "read-only", kind: found.kind === "folder" ? "folder" : "file", reason: why });
  byItsName(builder, input, path, found, why);
  if (input.level !== "strict" || !apart || planted) return;
  for (const link of facts.links) if (link.place === path) showTarget(builder, link.found, why);
}

/** At strict, where home is empty, a link of the human's to what is shown is made anew. */
function byItsName(builder: PlanBuilder, input: IsolationInput, path: string, found: Found | undefined, reason: string): void {
  if (input.level !== "strict" || !found?.own || found.real === path || builder.shows(path) || builder.has(path)) return;
  builder.put({ path, access: "link", kind: "file", target: found.real, reason });
}

/** What a link in settings that no agent writes leads to, such as a file in a folder of dotfiles. */
function showTarget(builder: PlanBuilder, found: Found, reason: string): void {
  if (!found.own || found.kind === "socket" || builder.isTooWide(found.real) || builder.shows(found.real)) return;
  if (builder.forbidden(found.real) !== undefined || builder.hiddenBecause(found.real) !== undefined) return;
  builder.put({ path: found.real, access: "read-only", kind: found.kind, reason });
}

/** An agent that left thousands of programs must not keep the next launch from starting, nor anything of the human's without its cover. */
function closeFolder(builder: PlanBuilder, folder: string, children: readonly Child[], reason: string, what: string): void {
  builder.put({ path: folder, access: "read-only", kind: "folder", reason: `${reason}: too many programs to protect one by one` });
  const folders = children.filter(({ kind }) => kind === "folder");
  const open = folders.length > MOST_PROGRAMS ? [] : folders;
  for (const { name } of open) builder.put({ path: joined(folder, name), access: "writable", kind: "folder", reason });
  const but = open.length > 0 ? "only the folders in it are" : "nothing in it is";
  builder.warn(`${what}, more than can be protected one by one: ${but} writable until most of them are removed`);
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

function stateFolders(known: KnownAgent, input: IsolationInput): string[] {
  return [...known.roots, ...known.state].flatMap((place) => expand(place, input));
}

/** One that is named by a relative path lies in the agent's own folders. */
function databases(known: KnownAgent, input: IsolationInput): string[] {
  return known.databases.flatMap((name) => (input.env[name]?.startsWith("/") ? expand(`%${name}`, input) : []));
}

function belowRoots(paths: readonly string[], known: KnownAgent, input: IsolationInput): string[] {
  const folders = known.roots.flatMap((root) => expand(root, input));
  return paths.flatMap((path) => folders.map((folder) => joined(folder, path)));
}

/** Whether what is missing below a root is stood in for: in the first root, and in home; not in the home of the user database. */
function isMadeUp(path: string, known: KnownAgent, input: IsolationInput): boolean {
  const [first] = known.roots.flatMap((root) => expand(root, input));
  return within(path, input.home) || (first !== undefined && within(path, first));
}

/** `apart`: outside of the roots. */
type ProtectedPath = Protected & { readonly apart: boolean };

function protectedPaths(known: KnownAgent, input: IsolationInput, listed: readonly Protected[]): ProtectedPath[] {
  return listed.flatMap(({ standIn, ...each }) => {
    const apart = isElsewhere(each.path);
    const paths = apart ? expand(each.path, input) : belowRoots([each.path], known, input);
    return paths.map((path, index) => {
      const stands = standIn !== undefined && (apart ? index === 0 || within(path, input.home) : isMadeUp(path, known, input));
      return { ...each, path, apart, ...(stands ? { standIn } : {}) };
    });
  });
}

function elsewhere(known: KnownAgent): Protected[] {
  return known.protect.filter(({ path }) => isElsewhere(path));
}

/** Whether a protected path of the table is outside of the agent's roots. */
function isElsewhere(path: string): boolean {
  return /^[~$%]/.test(path);
}
