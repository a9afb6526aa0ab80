// Looks at the machine for the plan: what exists, where links lead, which sockets somebody listens on. Read once a launch by isolate.ts.
import { lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync, type Stats, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import type { Child, Facts, Found, GitFolder, Place } from "./plan.ts";

/** A folder with more entries than this is not assembled entry by entry: each would be a mount. */
const MOST_CHILDREN = 64;
const MOST_SUBMODULES = 16;
/** How much of a store is searched for links that lead out of it. */
const MOST_LINKS_LOOKED_AT = 400;

export interface FactsRequest {
  readonly homes: readonly string[];
  /** The project and the current folder, as the human named them. */
  readonly project: string;
  readonly cwd: string;
  readonly places: readonly Place[];
}

/** Gives what is there. Nothing that is missing or unreadable is an error: it is simply not among the facts. */
export function gatherFacts(request: FactsRequest): Facts {
  const found = new Map<string, Found>();
  const links: { place: string; found: Found }[] = [];
  const missing = missingIn(request.homes);
  for (const place of request.places) {
    const there = missing(place.path) ? undefined : look(place.path);
    if (!there) continue;
    found.set(place.path, there);
    if (place.followLinks && there.kind === "folder")
      links.push(...linksOut(there.real).map((target) => ({ place: place.path, found: target })));
  }
  const homes = request.homes.flatMap((home) => realOf(home) ?? []);
  const listings = new Map<string, readonly Child[]>();
  const tooMany = new Set<string>();
  for (const home of homes) listings.set(home, children(home));
  for (const place of request.places) {
    const there = found.get(place.path);
    if (there?.kind === "folder" && place.list) listings.set(there.real, children(there.real));
    if (there?.kind !== "file" || place.alone) continue;
    const parent = dirname(there.real);
    if (listings.has(parent) || tooMany.has(parent)) continue;
    // Counted before anything is looked at one by one.
    if (namesIn(parent).length > MOST_CHILDREN) tooMany.add(parent);
    else listings.set(parent, children(parent));
  }
  const project = realOf(request.project) ?? request.project;
  return {
    homes: [...new Set(homes)],
    project,
    cwd: realOf(request.cwd) ?? request.cwd,
    found,
    links,
    listings,
    sockets: listeningSockets(),
    git: gitFolders(project),
    resolver: realOf("/etc/resolv.conf"),
    windowsDrives: windowsDrives(),
  };
}

/**
 * Tells paths of which a home has not even the first part: of the places that are looked at, most. Only what any file system tells apart counts, and
 * only where the home could be read.
 */
function missingIn(homes: readonly string[]): (path: string) => boolean {
  const known = homes.map((home) => ({ inside: `${home}/`, names: new Set(namesIn(home).map((name) => name.toLowerCase())) }));
  return (path) => {
    const home = known.find(({ inside }) => path.startsWith(inside));
    if (!home || home.names.size === 0) return false;
    const [first = ""] = path.slice(home.inside.length).split("/", 1);
    return /^[\w.-]*[A-Za-z0-9][\w.-]*$/.test(first) && !home.names.has(first.toLowerCase());
  };
}

/** The path with every symbolic link resolved; undefined where there is none. */
export function realOf(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}

function look(path: string): Found | undefined {
  const stat = statOf(path);
  if (!stat) return undefined;
  const real = realOf(path);
  if (!real) return undefined;
  const kind = stat.isDirectory() ? "folder" : stat.isFile() ? "file" : stat.isSocket() ? "socket" : undefined;
  return kind && { kind, real };
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** What links inside `folder` lead to outside of it, such as a key that lives in a dotfiles repository. Three levels deep. */
function linksOut(folder: string): Found[] {
  const targets: Found[] = [];
  let left = MOST_LINKS_LOOKED_AT;
  const visit = (at: string, levels: number): void => {
    for (const child of children(at)) {
      left -= 1;
      if (left < 0) return;
      const path = join(at, child.name);
      if (child.kind === "folder" && levels > 0) visit(path, levels - 1);
      if (child.kind !== "link") continue;
      const target = look(path);
      if (target && target.real !== folder && !target.real.startsWith(`${folder}/`)) targets.push(target);
    }
  };
  visit(folder, 2);
  return targets;
}

/** None where it cannot be read. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function children(folder: string): Child[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry): Child[] => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return [{ name: entry.name, kind: "folder" }];
      if (entry.isFile()) return [{ name: entry.name, kind: "file", runs: ((statOf(path)?.mode ?? 0) & 0o111) !== 0 }];
      if (entry.isSymbolicLink()) return [{ name: entry.name, kind: "link", target: readlinkSync(path) }];
      return [];
    });
  } catch {
    return [];
  }
}

/** Paths of Unix sockets that somebody listens on, as proc(5) `/proc/net/unix` lists them; flag 0x10000 is `__SO_ACCEPTCON`. */
function listeningSockets(): string[] {
  let text: string;
  try {
    text = readFileSync("/proc/net/unix", "utf8");
  } catch {
    return [];
  }
  const paths = text.split("\n").flatMap((line) => {
    const match = /^\S+: \S+ \S+ (\S+) (\S+) \S+ +\d+ (\/.*)$/.exec(line);
    return match && (match[1] === "00010000" || match[2] === "0002") ? [match[3] ?? ""] : [];
  });
  return [...new Set(paths)].flatMap((path) => {
    try {
      return lstatSync(path).isSocket() ? (realOf(path) ?? []) : [];
    } catch {
      return [];
    }
  });
}

/**
 * The git folders of a project: its own, the one it shares with its main work tree, those of its submodules. A `.git` file counts only when the
 * folder that it names points back at it, as git itself writes it: else a file in the project could open any folder (gitrepository-layout(5)).
 */
function gitFolders(project: string): GitFolder[] {
  const dot = join(project, ".git");
  const own = statOf(dot)?.isDirectory() ? realOf(dot) : pointedAt(dot);
  if (!own) return [];
  const shared = readOr(join(own, "commondir"), "").trim();
  const common = shared === "" ? own : realOf(resolve(own, shared));
  if (!common || (common !== own && dirname(dirname(own)) !== common)) return [];
  const folders: GitFolder[] = [describe(own, "own")];
  if (common !== own) folders.push(describe(common, "shared"));
  const modules: string[] = [];
  const visit = (at: string, levels: number): void => {
    for (const child of children(at)) {
      const path = join(at, child.name);
      if (child.kind !== "folder" || modules.length >= MOST_SUBMODULES) continue;
      if (statOf(join(path, "HEAD"))) modules.push(path);
      else if (levels > 0) visit(path, levels - 1);
    }
  };
  visit(join(common, "modules"), 2);
  return [...folders, ...modules.map((path) => describe(path, "submodule"))];
}

function pointedAt(dot: string): string | undefined {
  const named = /^gitdir: (.+)$/m.exec(readOr(dot, ""))?.[1]?.trim();
  const folder = named && realOf(isAbsolute(named) ? named : resolve(dirname(dot), named));
  if (!folder) return undefined;
  const back = readOr(join(folder, "gitdir"), "").trim();
  if (basename(dirname(folder)) === "worktrees") return back !== "" && realOf(back) === realOf(dot) ? folder : undefined;
  const tree = /^\s*worktree = (.+)$/m.exec(readOr(join(folder, "config"), ""))?.[1]?.trim();
  return tree && realOf(resolve(folder, tree)) === realOf(dirname(dot)) ? folder : undefined;
}

function describe(path: string, kind: GitFolder["kind"]): GitFolder {
  const has = (name: string): boolean => statOf(join(path, name)) !== undefined;
  return {
    path,
    kind,
    config: has("config"),
    hooks: has("hooks"),
    worktreeConfig: has("config.worktree"),
    readsWorktreeConfig: /^\s*worktreeconfig\b/im.test(readOr(join(path, "config"), "")),
    commonPointer: has("commondir"),
  };
}

function readOr(path: string, fallback: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return fallback;
  }
}

/** Under WSL: where the Windows drives are mounted, and the program that starts Windows programs. */
function windowsDrives(): string[] {
  if (!/microsoft/i.test(readOr("/proc/sys/kernel/osrelease", ""))) return [];
  const drives = readOr("/proc/mounts", "")
    .split("\n")
    .flatMap((line) => {
      const [source, path, type, options] = line.split(" ");
      const windows = type === "drvfs" || ((type === "9p" || type === "virtiofs") && /aname=drvfs|^[A-Z]:\\/.test(`${options} ${source}`));
      return windows && path ? [path.replaceAll("\\040", " ")] : [];
    });
  return [...new Set([...drives, "/init"])];
}
