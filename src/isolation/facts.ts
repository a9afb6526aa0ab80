// Looks at the machine for the plan: what exists, where links lead, which sockets somebody listens on. Read once a launch by isolate.ts.
import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { gitFolders } from "./git-folders.ts";
import type { Child, Facts, Found, Place } from "./plan-facts.ts";
import { realOf } from "./real-path.ts";

/** A folder with more entries than this is not assembled entry by entry: each would be a mount. */
const MOST_CHILDREN = 64;
/** How much of a store is searched for links that lead out of it. */
const MOST_LINKS_LOOKED_AT = 400;
/** An agent of another session can bind any number of sockets by relative names. */
const MOST_RELATIVE = 64;
/** Of a folder with more files the rest counts as programs, unseen. */
const MOST_LOOKED_AT = 10_000;

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
  const git = gitFolders(project, homes[0] ?? "/");
  return {
    homes: [...new Set(homes)],
    project,
    cwd: realOf(request.cwd) ?? request.cwd,
    found,
    links,
    listings,
    sockets: listeningSockets(),
    git: git.folders,
    gitLeft: git.left,
    gitClosed: git.closed,
    gitElsewhere: git.elsewhere,
    resolver: realOf("/etc/resolv.conf"),
    windowsDrives: windowsDrives(),
  };
}

/**
 * Tells paths of which a part is not there: of the places in a home, most. Each folder on the way is listed once, which takes less than asking for all that
 * may be in it. Only what any file system tells apart counts, and only where the folder could be read.
 */
function missingIn(homes: readonly string[]): (path: string) => boolean {
  const inside = homes.map((home) => `${home}/`);
  const listed = new Map<string, ReadonlySet<string> | undefined>(homes.map((home) => [home, lowerNames(home)]));
  const gone = new Set<string>();
  const isMissing = (path: string): boolean => {
    const end = path.lastIndexOf("/");
    const folder = path.slice(0, end);
    if (gone.has(folder)) return true;
    if (!listed.has(folder)) {
      if (isMissing(folder)) {
        gone.add(folder);
        return true;
      }
      listed.set(folder, lowerNames(folder));
    }
    const names = listed.get(folder);
    if (names === undefined || names.size === 0) return false;
    const name = path.slice(end + 1).toLowerCase();
    return !names.has(name) && /^[\w.-]*[a-z0-9][\w.-]*$/.test(name);
  };
  return (path) => inside.some((home) => path.startsWith(home)) && isMissing(path);
}

/** Undefined where there is none to list. */
function lowerNames(folder: string): ReadonlySet<string> | undefined {
  try {
    return new Set(readdirSync(folder).map((name) => name.toLowerCase()));
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
  return kind && { kind, real, own: stat.uid === process.getuid?.() };
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
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry, index): Child[] => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return [{ name: entry.name, kind: "folder" }];
      const runs = (): boolean => index >= MOST_LOOKED_AT || ((statOf(path)?.mode ?? 0) & 0o111) !== 0;
      if (entry.isFile()) return [{ name: entry.name, kind: "file", runs: runs() }];
      const target = entry.isSymbolicLink() ? targetOf(path) : undefined;
      return target === undefined ? [] : [{ name: entry.name, kind: "link", target }];
    });
  } catch {
    return [];
  }
}

/** Undefined where the link is gone by now: programs lock by links that come and go, and the others in the folder count all the same. */
function targetOf(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}

/**
 * Paths of Unix sockets that somebody listens on. proc(5), `/proc/net/unix`, lists the name that each was bound by (flag 0x10000 is `__SO_ACCEPTCON`), which says
 * where it is now only as a rule: OpenSSH links its own to another name in the same folder, and a relative name counts from where its program was.
 */
function listeningSockets(): string[] {
  const bound = textOf("/proc/net/unix")
    .split("\n")
    .flatMap((line) => {
      const match = /^\S+: \S+ \S+ (\S+) (\S+) \S+ +\d+ ([^@].*)$/.exec(line);
      return match && (match[1] === "00010000" || match[2] === "0002") ? [match[3] ?? ""] : [];
    });
  const whole = new Set(bound.filter((name) => name.startsWith("/")));
  const relative = new Set(bound.filter((name) => !name.startsWith("/")).slice(0, MOST_RELATIVE));
  const around = relative.size > 0 ? new Set(namesIn("/proc").flatMap((pid) => targetOf(`/proc/${pid}/cwd`) ?? [])) : [];
  const gone = [...whole].filter((path) => !isSocket(path));
  const beside = [...new Set(gone.map(dirname))].flatMap((folder) => namesIn(folder).map((name) => join(folder, name)));
  const guessed = [...relative].flatMap((name) => [...around].map((folder) => join(folder, name)));
  const sockets = [...whole, ...beside, ...guessed].filter(isSocket);
  const found = [...new Set(sockets.flatMap((path) => realOf(path) ?? []))];
  return process.getuid?.() === 0 ? found.filter((path) => isOpen(dirname(path))) : found;
}

/** Whether root gets there without privileges, which its agent has none of: what that cannot reach cannot be covered either. */
function isOpen(folder: string): boolean {
  const { uid = 0, gid = 0, mode = 0 } = statOf(folder) ?? {};
  const bit = uid === 0 ? 0o100 : process.getgroups?.().includes(gid) ? 0o10 : 1;
  return (mode & bit) !== 0 && (folder === "/" || isOpen(dirname(folder)));
}

function isSocket(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true;
  } catch {
    return false;
  }
}

/** Nothing where it cannot be read. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Under WSL: where the Windows drives are mounted, and the program that starts Windows programs. */
function windowsDrives(): string[] {
  if (!/microsoft/i.test(textOf("/proc/sys/kernel/osrelease"))) return [];
  const drives = textOf("/proc/mounts")
    .split("\n")
    .flatMap((line) => {
      const [source, path, type, options] = line.split(" ");
      const windows = type === "drvfs" || ((type === "9p" || type === "virtiofs") && /aname=drvfs|^[A-Z]:\\/.test(`${options} ${source}`));
      return windows && path ? [path.replaceAll("\\040", " ")] : [];
    });
  return [...new Set([...drives, "/init"])];
}
