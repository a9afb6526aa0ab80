// The part of the plan about caches and package stores: yours where there are some, an empty one for the run where a tool would make it. Used by plan.ts and plan-agents.ts.
import { CACHE_VARIABLES, CACHES, type Cache, SHELL_CACHES } from "./caches.ts";
import { joined, parentOf, within } from "./path.ts";
import type { IsolationInput } from "./plan.ts";
import type { PlanBuilder } from "./plan-builder.ts";
import type { Facts, Place } from "./plan-facts.ts";
import { expand } from "./plan-stores.ts";

/** What `planCaches` looks at: the caches, and what tells whether a missing one is made. */
export function cachePlaces(input: IsolationInput): Place[] {
  const paths = [...cachePaths(input), ...shellCaches(input)];
  if (!makesMissing(input)) return paths.map((path) => ({ path }));
  const tools = new Set(CACHES.flatMap(({ madeBy }) => (madeBy === undefined || madeBy === "any" ? [] : madeBy)));
  const programs = onPath(input).flatMap((folder) => [...tools].map((tool) => joined(folder, tool)));
  const above = new Set(wanted(input).flatMap(({ path }) => foldersAbove(path, input)));
  return [...paths.map((path) => ({ path })), ...[...programs, ...above].map((path) => ({ path, alone: true as const }))];
}

/** After the stores and agents, whose entries count more. */
export function planCaches(
  builder: PlanBuilder,
  input: IsolationInput,
  facts: Facts,
  leadsAway: (path: string, real: string) => boolean,
): void {
  // On macOS nothing stands in for a folder.
  const own = input.platform === "darwin" ? [] : CACHES.flatMap((cache) => (cache.own ? pathsOf(cache, input) : []));
  for (const path of cachePaths(input)) {
    const found = facts.found.get(path);
    if (input.level === "strict") {
      // In home, which is empty and writable, they need no place of their own.
      if (builder.isTooWide(path) || input.homes.some((home) => within(path, home))) continue;
      builder.put({ path: found?.real ?? path, access: "empty", kind: "folder", reason: "a cache of its own: yours serves what you run" });
    } else if (found?.kind === "folder" && !builder.isTooWide(found.real)) {
      const how = own.includes(path)
        ? ({ access: "empty", reason: "tells how your build daemons are reached: gone at the end" } as const)
        : ({ access: "writable", reason: "a cache" } as const);
      if (!leadsAway(path, found.real)) builder.put({ path: found.real, kind: "folder", ...how });
    }
  }
  for (const path of shellCaches(input)) {
    const found = facts.found.get(path);
    if ((found?.kind === "file" || found?.kind === "folder") && !leadsAway(path, found.real))
      builder.put({ path: found.real, access: "read-only", kind: found.kind, reason: "your shell runs it when it starts" });
  }
  if (!makesMissing(input)) return;
  const folders = onPath(input);
  for (const { path, madeBy } of wanted(input)) {
    if (facts.found.has(path)) continue;
    const isHere = madeBy === "any" || folders.some((folder) => madeBy.some((tool) => facts.found.has(joined(folder, tool))));
    if (isHere) makeMissing(builder, facts, path);
  }
}

/** At strict caches are not shared. */
function shellCaches(input: IsolationInput): string[] {
  if (input.level !== "standard") return [];
  const name = input.env["USER"] ?? input.env["LOGNAME"] ?? "";
  return SHELL_CACHES.flatMap((place) => expand(place.replace("%USER", name), input));
}

/** A tool whose store can not be made fails at its first use. At strict home takes it; on macOS nothing can stand in for a folder. */
function makesMissing(input: IsolationInput): boolean {
  return input.level === "standard" && input.platform === "linux";
}

/** An empty folder in place of the topmost one that is missing: nothing of it is left for what runs later as the human. */
function makeMissing(builder: PlanBuilder, facts: Facts, path: string): void {
  let top = path;
  while (parentOf(top) !== "/" && !facts.found.has(parentOf(top)) && !facts.homes.includes(parentOf(top))) top = parentOf(top);
  const above = parentOf(top);
  const real = facts.homes.includes(above) ? above : facts.found.get(above)?.kind === "folder" ? facts.found.get(above)?.real : undefined;
  if (real === undefined) return;
  const place = `${real}${top.slice(above.length)}`;
  if (builder.isTooWide(place) || builder.forbidden(place) !== undefined || builder.hiddenBecause(place) !== undefined) return;
  if (builder.isWritable(place) || within(place, facts.project)) return;
  builder.put({
    ...{ path: place, access: "empty", kind: "folder", reason: "a cache that you have none of: gone at the end" },
    // Home is put together anew; elsewhere there must be something to mount on.
    ...(facts.homes.includes(real) ? {} : { standIn: "folder" as const }),
  });
}

type Wanted = { readonly path: string; readonly madeBy: NonNullable<Cache["madeBy"]> };

/** Where each tool would make its store, if it is missing. */
function wanted(input: IsolationInput): Wanted[] {
  const named = CACHE_VARIABLES.flatMap((name): Wanted[] => {
    const path = folderIn(input, name);
    return path === undefined ? [] : [{ path, madeBy: "any" }];
  });
  const tabled = CACHES.flatMap((cache): Wanted[] => {
    const path =
      moved(cache, input) ?? expand(cache.path, input).findLast((each) => !input.homes.slice(1).some((home) => within(each, home)));
    return path === undefined || cache.madeBy === undefined ? [] : [{ path, madeBy: cache.madeBy }];
  });
  return [...named, ...tabled];
}

function moved({ variable, below }: Cache, input: IsolationInput): string | undefined {
  const folder = variable === undefined ? undefined : folderIn(input, variable);
  const around = below === undefined ? undefined : folderIn(input, below[0]);
  return folder ?? (below && around !== undefined ? joined(around, below[1]) : undefined);
}

/** The folder that a variable names, the first where it names several. */
function folderIn({ env }: IsolationInput, variable: string): string | undefined {
  const [first = ""] = (env[variable] ?? "").split(":");
  return first.startsWith("/") && first.length > 1 ? first.replace(/\/+$/, "") : undefined;
}

/** Every cache by its usual place and by where a variable moved it to, there or not. */
export function cachePaths(input: IsolationInput): string[] {
  const places = CACHES.flatMap((cache) => pathsOf(cache, input));
  return [...new Set([...places, ...CACHE_VARIABLES.flatMap((name) => folderIn(input, name) ?? [])])];
}

function pathsOf(cache: Cache, input: IsolationInput): string[] {
  const elsewhere = moved(cache, input);
  return [...expand(cache.path, input), ...(elsewhere === undefined ? [] : [elsewhere])];
}

/** The folders between home, or the root, and `path`. */
function foldersAbove(path: string, { homes }: IsolationInput): string[] {
  const above: string[] = [];
  for (let folder = parentOf(path); folder !== "/" && !homes.includes(folder); folder = parentOf(folder)) above.push(folder);
  return above;
}

function onPath({ env }: IsolationInput): string[] {
  return [...new Set((env["PATH"] ?? "").split(":").filter((folder) => folder.startsWith("/")))];
}
