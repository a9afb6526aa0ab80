// The part of the plan about credential stores: where they are, which are hidden, which the human gave back. Used by plan.ts.
import { absolute, depth, joined, parentOf, within } from "./path.ts";
import type { IsolationInput } from "./plan.ts";
import type { PlanBuilder } from "./plan-builder.ts";
import type { Facts, Found, Place } from "./plan-facts.ts";
import { AWS_STORES, ROOT_STORES, STORES, type Store } from "./stores.ts";

const XDG: Readonly<Record<string, { variable: string; standard: string }>> = {
  $config: { variable: "XDG_CONFIG_HOME", standard: ".config" },
  $data: { variable: "XDG_DATA_HOME", standard: ".local/share" },
  $state: { variable: "XDG_STATE_HOME", standard: ".local/state" },
  $cache: { variable: "XDG_CACHE_HOME", standard: ".cache" },
};

/** Every store's paths, to be looked at; links in a store are followed, since what they lead to is part of it. */
export function storePlaces(input: IsolationInput): Place[] {
  return everyStore(input).flatMap((store) => pathsOf(store, input).map((path) => ({ path, followLinks: true as const })));
}

/**
 * @param leadsAway the folder that agents write and that `path` lies in, where `real` does not: a link of an agent's, perhaps, to have the next launch
 * hide what it needs
 */
export function planStores(
  builder: PlanBuilder,
  input: IsolationInput,
  facts: Facts,
  leadsAway: (path: string, real: string) => string | undefined,
): void {
  let left = MOST_LINKS_FOLLOWED;
  const isTrap = (path: string, real: string): boolean => {
    const root = leadsAway(path, real);
    if (root === undefined) return false;
    left -= 1;
    if (left >= 0 && facts.homes.some((home) => within(real, home)) && mayGo(real, input, facts)) return false;
    builder.warn(`${path} leads out of ${root}, where agents write, to ${left < 0 ? "too many places" : real}: not hidden there`);
    return true;
  };
  const hide = (store: Store, path: string, found: Found): void => {
    if (isTrap(path, found.real)) return;
    const rule = isNeverGiven(store) ? "never" : "default";
    builder.hide(found, store.what, rule, path);
    for (const link of facts.links)
      if (link.place === path && !isTrap(path, link.found.real))
        builder.hide(link.found, `${store.what}; a link in ${path} leads here`, rule);
  };
  for (const store of everyStore(input)) {
    for (const path of pathsOf(store, input)) {
      if (isNeverGiven(store)) builder.forbid(path, store.what);
      const found = facts.found.get(path);
      if (found === undefined) continue;
      if (input.allow.includes(store.name) && mayGiveBack(builder, store, path, found)) giveBack(builder, input, store, path, found);
      else hide(store, path, found);
    }
  }
  hideSockets(builder, input, facts);
}

const isNeverGiven = (store: Store): boolean => AWS_STORES.includes(store) || ROOT_STORES.includes(store);

/** Not what lies in a store that is never given, whatever link or variable leads there. */
function mayGiveBack(builder: PlanBuilder, store: Store, path: string, { real }: Found): boolean {
  if (isNeverGiven(store)) return false;
  const reason = builder.forbidden(real);
  if (reason !== undefined) builder.warn(`isolation.allow = "${store.name}": ${path} is not given back, for it is part of ${reason}`);
  return reason === undefined;
}

/** What `isolation.allow` names: to read, and to write where `isolation.write` names the path too. */
function giveBack(builder: PlanBuilder, input: IsolationInput, store: Store, path: string, found: Found): void {
  const asked = input.write.some((text) => absolute(text, input.home, input.cwd) === path);
  builder.put({
    path: found.real,
    access: asked ? "writable" : "read-only",
    kind: found.kind === "folder" ? "folder" : "file",
    reason: `${store.what}; given back: isolation.allow = "${store.name}"${asked ? ", isolation.write" : ""}`,
    opens: true,
  });
}

function hideSockets(builder: PlanBuilder, input: IsolationInput, facts: Facts): void {
  const sockets = facts.sockets.filter(
    (socket) =>
      !HARMLESS_SOCKETS.some((prefix) => socket.startsWith(prefix)) && !socket.startsWith(`${facts.project}/`) && !builder.has(socket),
  );
  const isShown = new Set(sockets.filter((socket) => builder.shows(socket) || facts.homes.some((home) => within(socket, home))));
  const gone = sockets.filter((socket) => !isShown.has(socket)).map((real): Found => ({ kind: "socket", real }));
  const shown = gathered([...isShown], (folder) => !builder.isTooWide(folder) && mayGo(folder, input, facts));
  for (const place of [...gone, ...shown]) builder.hide(place, "a socket that a program outside listens on", "default");
}

const MOST_LINKS_FOLLOWED = 32;
const MOST_SOCKETS = 64;

/** Whether a run can do without what lies there: neither the project nor a program of the run. */
function mayGo(real: string, { packageFolder, programs, env }: IsolationInput, { project, cwd, found }: Facts): boolean {
  const path = (env["PATH"] ?? "").split(":");
  const needed = [project, cwd, ...[packageFolder, ...programs, ...path].flatMap((each) => [each, found.get(each)?.real ?? each])];
  return !needed.some((each) => within(each, real));
}

/** Where there are too many, as a session beside this one can make them, the folders that hold them in their place: each is a mount. */
function gathered(sockets: readonly string[], mayHide: (folder: string) => boolean): Found[] {
  let places = new Map(sockets.map((real): [string, Found] => [real, { kind: "socket", real }]));
  while (places.size > MOST_SOCKETS) {
    const open = [...places.keys()].filter((path) => mayHide(parentOf(path)));
    if (open.length === 0) break;
    const deepest = Math.max(...open.map(depth));
    const folders = new Set(open.filter((path) => depth(path) === deepest).map(parentOf));
    const others = [...places].filter(([path]) => ![...folders].some((folder) => within(path, folder)));
    places = new Map([...others, ...[...folders].map((real): [string, Found] => [real, { kind: "folder", real }])]);
  }
  return [...places.values()];
}

/** Name service of the system: without it, users have no names. */
const HARMLESS_SOCKETS = ["/var/lib/sss/"];

function everyStore(input: IsolationInput): Store[] {
  const others = STORES.filter(({ name, agent }) => !agent || name !== input.agent);
  return [...AWS_STORES, ...others, ...(input.uid === 0 ? ROOT_STORES : [])];
}

function pathsOf(store: Store, input: IsolationInput): string[] {
  const places = store.places.flatMap((place) => expand(place, input));
  const located = store.variables.flatMap((name) => (input.env[name] ?? "").split(":").filter((value) => value !== ""));
  return [...new Set([...places, ...located.map((value) => absolute(value, input.home, input.cwd))])];
}

/** The paths that a `~…`, `$config/…`, `$runtime/…`, `%VARIABLE/…` or plain entry of a table stands for. */
export function expand(place: string, input: IsolationInput): readonly string[] {
  const known = expanded.get(input) ?? new Map<string, readonly string[]>();
  const paths = known.get(place) ?? expandAnew(place, input);
  expanded.set(input, known.set(place, paths));
  return paths;
}

/** A plan asks for most of them several times. */
const expanded = new WeakMap<IsolationInput, Map<string, readonly string[]>>();

function expandAnew(place: string, input: IsolationInput): readonly string[] {
  if (place.startsWith("/")) return [place];
  const slash = place.indexOf("/");
  if (place.startsWith("%")) {
    const value = input.env[slash < 0 ? place.slice(1) : place.slice(1, slash)];
    if (value === undefined || value === "") return [];
    return [absolute(slash < 0 ? value : `${value}/${place.slice(slash + 1)}`, input.home, input.cwd)];
  }
  const [root, rest] = [place.slice(0, slash), place.slice(slash + 1)];
  if (root === "~") return input.homes.map((home) => joined(home, rest));
  if (root === "$runtime") {
    const runtime = input.env["XDG_RUNTIME_DIR"];
    return [...new Set([runtime, `/run/user/${input.uid}`])].flatMap((folder) => (folder?.startsWith("/") ? [joined(folder, rest)] : []));
  }
  const xdg = XDG[root];
  const moved = xdg && input.env[xdg.variable];
  const standard = input.homes.map((home) => joined(home, `${xdg?.standard}/${rest}`));
  return moved?.startsWith("/") ? [...new Set([...standard, joined(absolute(moved, "/", "/"), rest)])] : standard;
}
