// The part of the plan about an agent's own state: writable, but for what runs later or steers it. Used by plan-agents.ts.
import type { KnownAgent } from "./agents.ts";
import { absolute, baseOf, joined, parentOf, within } from "./path.ts";
import type { IsolationInput } from "./plan.ts";
import { belowRoots, databases, isElsewhere, isMadeUp, type ProtectedPath, protectedPaths, stateFolders } from "./plan-agent-paths.ts";
import type { PlanBuilder } from "./plan-builder.ts";
import type { Child, Facts, Found } from "./plan-facts.ts";
import { leadsAway, rootAround, throughRoot, type WritableRoot, whereMade } from "./plan-roots.ts";
import { expand } from "./plan-stores.ts";

/** Each is a mount of its own, and bwrap takes longer for each that there is. */
const MOST_PROGRAMS = 64;

/** An agent can have made any number. */
const MOST_LINKS = 256;

/** An agent whose own state is planned, and what that is planned from. */
export interface OwnAgent {
  readonly builder: PlanBuilder;
  readonly input: IsolationInput;
  readonly facts: Facts;
  readonly known: KnownAgent;
  /** It is the one that runs, and was not only given back. */
  readonly running: boolean;
  /** Where agents write, its own folders that are made for it among them. */
  readonly roots: readonly WritableRoot[];
}

const ownReason = (known: KnownAgent): string => `${known.name}'s own state`;

/** Everything of one agent: its folders, databases and files, and its settings, which are covered. */
export function planOwnState(own: OwnAgent): void {
  const { builder, input, known, roots } = own;
  for (const path of stateFolders(known, input)) ownFolder(own, path);
  for (const path of databases(known, input)) ownDatabase(own, path);
  for (const { path, content } of known.files) ownFile(own, absolute(path, input.home, "/"), content);
  for (const protectedPath of protectedPaths(known, input, known.protect)) ownSetting(own, protectedPath);
  for (const path of belowRoots(known.fresh, known, input)) freshFolder(own, path);
  for (const { path, keys } of known.told) {
    const places = isElsewhere(path) ? expand(path, input) : belowRoots([path], known, input);
    for (const place of places) builder.tell({ path: throughRoot(place, roots), ...(keys ? { keys } : {}) });
  }
}

const PROGRAM = /\.(sh|bash|zsh|fish|py|js|mjs|cjs|ts|rb|pl|config\.toml)$/;

function ownFolder(own: OwnAgent, path: string): void {
  const { builder, input, facts, known, running, roots } = own;
  const found = facts.found.get(path);
  if (!found && (!running || !path.startsWith(`${input.home}/`))) return;
  const real = found?.real ?? path;
  if (builder.isTooWide(real) || leadsAway(builder, path, real, roots)) return;
  const children = facts.listings.get(real) ?? [];
  const programs = children.filter((child) => child.kind === "file" && (child.runs || PROGRAM.test(child.name)));
  if (programs.length > MOST_PROGRAMS) {
    closeFolder(own, real, programs.length);
    return;
  }
  const reason = ownReason(known);
  builder.put({ path: real, access: "writable", kind: "folder", reason, ...(found ? {} : { standIn: "folder" as const }) });
  byItsName(own, path, found, reason);
  keepLinks(own, real, children);
  const why = `a program or settings in ${known.name}'s folder`;
  for (const { name } of programs) builder.put({ path: joined(real, name), access: "read-only", kind: "file", reason: why });
}

/** @param content of what stands in for it where it is missing */
function ownFile(own: OwnAgent, path: string, content: string): void {
  const { builder, facts, known, running } = own;
  const found = facts.found.get(path);
  if (!found && !running) return;
  const reason = ownReason(known);
  builder.put({ path: found?.real ?? path, access: "writable", kind: "file", reason, ...(found ? {} : { standIn: { file: content } }) });
  byItsName(own, path, found, reason);
}

/** One that is empty at each run. */
function freshFolder(own: OwnAgent, path: string): void {
  const { builder, input, facts, known, running, roots } = own;
  const found = facts.found.get(path);
  if (!found && keepsLink(own, path)) return;
  if (known.needsFresh && input.platform === "darwin") {
    builder.tell({ path: throughRoot(path, roots) });
    return;
  }
  if (found ? leadsAway(builder, path, found.real, roots) : !running || !isMadeUp(path, known, input)) return;
  builder.put({
    path: found?.real ?? whereMade(path, facts),
    access: "empty",
    kind: "folder",
    reason: `${known.name} runs what is in it unasked: gone at the end`,
    ...(found ? {} : { standIn: "folder" as const }),
  });
}

function ownDatabase({ builder, facts, known, roots }: OwnAgent, path: string): void {
  const found = facts.found.get(parentOf(path));
  if (!found || builder.isWritable(found.real) || leadsAway(builder, path, found.real, roots)) return;
  const others = (facts.listings.get(found.real) ?? []).filter(({ name }) => !name.startsWith(baseOf(path)));
  if (others.length > 0 || builder.isTooWide(found.real)) {
    builder.warn(`${path} can not be written, as ${found.real} holds more than that database: give it a folder of its own`);
  } else builder.put({ path: found.real, access: "writable", kind: "folder", reason: ownReason(known) });
}

function ownSetting(own: OwnAgent, { path, apart, standIn, onlyAbsent, itsOwn }: ProtectedPath): void {
  const { builder, input, facts, known, running, roots } = own;
  const why = `${known.name}'s settings or hooks: they would run later as you`;
  const found = facts.found.get(path);
  const isLink = keepsLink(own, path);
  if (!found) {
    // One that leads nowhere can neither be covered nor be written through.
    if (isLink) return;
    if (standIn === undefined || !running) {
      if (!itsOwn) keepNothing(own, whereMade(path, facts));
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
  byItsName(own, path, found, why);
  if (input.level !== "strict" || !apart || planted) return;
  for (const link of facts.links) if (link.place === path) showTarget(builder, link.found, why);
}

/** Links directly in a folder that the agent writes, which lead out of it: to dotfiles, to a program. They are the human's; an agent makes none such. */
function keepLinks({ builder, input }: OwnAgent, folder: string, children: readonly Child[]): void {
  const links = children.flatMap((child) => (child.kind === "link" ? [child] : []));
  for (const { name, target } of links.slice(0, MOST_LINKS)) {
    if (!within(absolute(target, input.home, folder), folder)) builder.keep({ path: joined(folder, name), folder, target });
  }
}

/** Whether there is a link at `path` itself, in a folder that agents write: a mount would be where it leads, and it is put back at the end instead. */
function keepsLink({ builder, facts, roots }: OwnAgent, path: string): boolean {
  const root = rootAround(path, roots);
  const place = throughRoot(path, roots);
  const child = root && facts.listings.get(parentOf(place))?.find(({ name }) => name === baseOf(place));
  if (child?.kind !== "link") return false;
  builder.keep({ path: place, folder: root?.real ?? parentOf(place), target: child.target });
  return true;
}

function keepNothing({ builder, roots }: OwnAgent, path: string): void {
  const root = rootAround(path, roots);
  if (root) builder.keep({ path, folder: root.real });
}

/** At strict, where home is empty, a link of the human's to what is shown is made anew. */
function byItsName({ builder, input }: OwnAgent, path: string, found: Found | undefined, reason: string): void {
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
function closeFolder({ builder, facts, known }: OwnAgent, folder: string, programs: number): void {
  const reason = ownReason(known);
  const children = facts.listings.get(folder) ?? [];
  builder.put({ path: folder, access: "read-only", kind: "folder", reason: `${reason}: too many programs to protect one by one` });
  const folders = children.filter(({ kind }) => kind === "folder");
  const open = folders.length > MOST_PROGRAMS ? [] : folders;
  for (const { name } of open) builder.put({ path: joined(folder, name), access: "writable", kind: "folder", reason });
  const but = open.length > 0 ? "only the folders in it are" : "nothing in it is";
  builder.warn(
    `${folder} holds ${programs} programs, more than can be protected one by one: ${but} writable until most of them are removed`,
  );
}
