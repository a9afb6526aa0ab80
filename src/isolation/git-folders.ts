// Finds the git folders of a project, and which files of theirs run programs later: see protectGit in plan-project.ts. Used by facts.ts.
// An earlier agent may have made all of what is looked at here: a link, a pointer or a pipe in it must open nothing, and hold up nothing.
import { type Dirent, existsSync, lstatSync, opendirSync, readdirSync, type Stats, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { AgentRunError } from "../core/error.ts";
import { plainFile } from "../core/plain-file.ts";
import { NOT_LOOKED_AT } from "./build-folders.ts";
import { gitValues } from "./git-config.ts";
import { within } from "./path.ts";
import type { GitFolder } from "./plan-facts.ts";
import { realOf } from "./real-path.ts";

/** Each is some mounts. */
const MOST_MODULES = 24;
const MOST_WORKTREES = 16;
const MOST_NESTED = 16;
const MOST_INCLUDES = 8;
const LONGEST_CONFIG = 262_144;
/** What of a git folder is covered: see protectGit in plan-project.ts. */
const GUARDED = ["config", "config.worktree", "hooks", "commondir"] as const;

export interface GitFolders {
  readonly folders: readonly GitFolder[];
  /** Those that were one too many. */
  readonly left: readonly string[];
  /** Folders of the human's own that are closed to them, so that nobody knows what is in them: an agent could open them. */
  readonly closed: readonly string[];
  /** Where `.git` leads, when that is no git folder of this project's. */
  readonly elsewhere: string | undefined;
}

/**
 * The git folders of a project: its own, the one it shares with its main work tree, those of its other work trees, of submodules of them all, and of
 * repositories in it. A `.git` that leads out of the project counts only when what it leads to points back at it, as git itself writes it: else
 * whoever writes in the project could open any folder (gitrepository-layout(5)).
 * @throws AgentRunError `isolation` where the project's own cannot be looked at
 */
export function gitFolders(project: string, home: string): GitFolders {
  const describe = (path: string, kind: GitFolder["kind"], pointer?: string): GitFolder => describeFolder(path, kind, home, pointer);
  const dot = join(project, ".git");
  const stat = lstatSync(dot, { throwIfNoEntry: false });
  const left: string[] = [];
  const closed: string[] = [];
  const take = (paths: readonly string[], most: number): readonly string[] => {
    left.push(...paths.slice(most));
    return paths.slice(0, most);
  };
  const nested = take(nestedIn(project, closed), MOST_NESTED).map((path) => describe(path, "nested"));
  const real = stat && realOf(stat.isFile() ? (named(dot) ?? dot) : dot);
  const own = real !== undefined && isOurs(project, dot, real, stat?.isFile() === true) ? real : undefined;
  if (own === undefined) return { folders: nested, left, closed, elsewhere: stat && !stat.isDirectory() ? (real ?? dot) : undefined };
  requireOpen(own);
  const common = commonOf(own, project);
  if (common === undefined)
    return { folders: [describe(own, "own"), ...nested], left, closed, elsewhere: resolve(own, textOf(join(own, "commondir")).trim()) };
  requireOpen(common);
  const others = take(
    foldersIn(join(common, "worktrees"), closed).filter((path) => path !== own),
    MOST_WORKTREES,
  );
  // Each work tree has submodules of its own.
  const around = [...new Set([own, common, ...others])];
  const modules = take(
    around.flatMap((path) => modulesIn(join(path, "modules"), closed)),
    MOST_MODULES,
  ).map((path) => describe(path, "submodule", pointerOf(treeOf(path))));
  const folders = [
    describe(own, "own", stat?.isFile() ? dot : undefined),
    ...(common === own ? [] : [describe(common, "shared")]),
    ...modules,
    ...others.map((path) => describe(path, "worktree", treePointer(path))),
    ...nested,
  ];
  return { folders, left, closed, elsewhere: undefined };
}

/** What a `.git` file names. */
function named(dot: string): string | undefined {
  const text = /^gitdir: (.+)$/m.exec(textOf(dot))?.[1]?.trim();
  return text === undefined ? undefined : resolve(dirname(dot), text);
}

/** Whether `folder`, to which the project's `.git` leads, is that project's: it lies in it, or points back at it. */
function isOurs(project: string, dot: string, folder: string, isPointer: boolean): boolean {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return false;
  if (!isPointer && within(folder, project)) return true;
  if (basename(dirname(folder)) === "worktrees") {
    const back = treePointer(folder);
    return back !== "" && realOf(back) === realOf(dot);
  }
  return treeOf(folder) === project;
}

/** The `.git` file of the work tree whose git folder this is; from 2.48 on git may name it by a path from there (worktree.useRelativePaths). */
function treePointer(folder: string): string {
  const text = textOf(join(folder, "gitdir")).trim();
  return text === "" || isAbsolute(text) ? text : resolve(folder, text);
}

/** Where the work tree of a submodule's git folder is. */
function treeOf(folder: string): string | undefined {
  const tree = gitValues(textOf(join(folder, "config")), ["core"], "worktree").at(-1);
  return tree === undefined ? undefined : realOf(resolve(folder, tree));
}

const pointerOf = (tree: string | undefined): string | undefined => (tree === undefined ? undefined : join(tree, ".git"));

/** The folder that `own` shares with other work trees; `own` itself where it shares none, undefined where its `commondir` leads where git puts none. */
function commonOf(own: string, project: string): string | undefined {
  const shared = textOf(join(own, "commondir")).trim();
  const common = shared === "" ? own : realOf(resolve(own, shared));
  if (common === own) return own;
  const isWorktree = basename(dirname(own)) === "worktrees" && dirname(dirname(own)) === common;
  // In the project's own folder the agent could have made it.
  const isMade = isWorktree && !within(project, own) && ["HEAD", "objects", "refs"].every((name) => existsSync(join(common, name)));
  return isMade ? common : undefined;
}

/** Git folders of submodules, and of theirs. */
function modulesIn(folder: string, closed: string[], levels = 2): string[] {
  return foldersIn(folder, closed).flatMap((path) => {
    if (existsSync(join(path, "HEAD"))) return [path, ...modulesIn(join(path, "modules"), closed)];
    return levels > 0 ? modulesIn(path, closed, levels - 1) : [];
  });
}

/** Repositories directly in the project's folder: of one that holds many, all. */
function nestedIn(project: string, closed: string[]): string[] {
  // An agent can make a hundred thousand: each is asked once, for what counts in it.
  return foldersIn(project, closed, (path) => {
    const name = basename(path);
    if (NOT_LOOKED_AT.has(name) || name === ".git") return false;
    try {
      return lstatSync(join(path, ".git"), { throwIfNoEntry: false })?.isDirectory() === true;
    } catch {
      return isOpen(path, closed);
    }
  })
    .map((path) => join(path, ".git"))
    .filter((path) => statOf(path)?.isDirectory() && isOpen(path, closed));
}

/** Folders in a folder that can be looked at; none where it is not there, or itself a link. */
function foldersIn(folder: string, closed: string[], counts: (path: string) => boolean = () => true): string[] {
  let entries: Dirent[];
  try {
    if (!lstatSync(folder).isDirectory()) return [];
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    isOpen(folder, closed);
    return [];
  }
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(folder, name))
    .filter((path) => counts(path) && isOpen(path, closed));
}

/** Whether what is in a folder can be looked at. One of another user's that cannot is closed to the agent too; one of the human's own is noted. */
function isOpen(folder: string, closed: string[]): boolean {
  try {
    opendirSync(folder).closeSync();
    lstatSync(`${folder}/.`);
    return true;
  } catch {
    if (statOf(folder)?.uid === process.geteuid?.()) closed.push(folder);
    return false;
  }
}

function requireOpen(folder: string): void {
  const closed: string[] = [];
  if (isOpen(folder, closed)) return;
  throw new AgentRunError("isolation", `the project's git folder ${folder} is closed to you: what runs later in it cannot be protected`, {
    hint: closed.length > 0 ? `chmod u+rwx '${folder}'` : `check its owner and mode: ls -ld '${folder}'`,
  });
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function describeFolder(path: string, kind: GitFolder["kind"], home: string, pointer: string | undefined): GitFolder {
  const there = (name: string) => lstatSync(join(path, name), { throwIfNoEntry: false });
  const has = (name: string): boolean => there(name) !== undefined;
  const links = GUARDED.filter((name) => there(name)?.isSymbolicLink());
  const config = links.length > 0 ? "" : textOf(join(path, "config"));
  return {
    path,
    kind,
    config: has("config"),
    hooks: has("hooks"),
    worktreeConfig: has("config.worktree"),
    readsWorktreeConfig: gitValues(config, ["extensions"], "worktreeconfig").length > 0,
    commonPointer: has("commondir"),
    ...includedBy(join(path, "config"), config, home),
    ...(pointer !== undefined && isPlain(pointer) && statOf(pointer)?.isFile() ? { pointer } : {}),
    ...(links.length > 0 ? { links } : {}),
  };
}

/** Files that a git configuration reads beside itself, and those that they read: `include.path` and `includeIf.….path` (git-config(1)). */
function includedBy(config: string, text: string, home: string): Pick<GitFolder, "includes" | "includesMore"> {
  const found = new Map<string, boolean>();
  const waiting = [{ file: config, text }];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    for (const value of gitValues(next.text, ["include", "includeif"], "path")) {
      const whole = value.startsWith("~/") ? join(home, value.slice(2)) : resolve(dirname(next.file), value);
      const real = realOf(whole);
      if (found.has(real ?? whole)) continue;
      // Where there is none yet, one is made to be covered: not by way of links. A folder is no configuration, and covered it would be closed to the agent.
      if (real === undefined ? !isPlain(whole) || !canBeThere(whole) : statOf(real)?.isDirectory()) continue;
      if (found.size >= MOST_INCLUDES) return { includes: listed(found), includesMore: true };
      found.set(real ?? whole, real !== undefined);
      if (real !== undefined) waiting.push({ file: real, text: textOf(real) });
    }
  }
  return { includes: listed(found) };
}

const listed = (found: ReadonlyMap<string, boolean>) => [...found].map(([path, there]) => ({ path, there }));

/** Whether a file can have that name: what none can need not be covered (limits.h: NAME_MAX, PATH_MAX). */
function canBeThere(path: string): boolean {
  return !path.includes("\0") && Buffer.byteLength(path) < 4096 && Buffer.byteLength(basename(path)) <= 255;
}

/** Whether a path is the one that a mount there gets: no link is on the way, nor `..`. */
function isPlain(path: string): boolean {
  const folder = dirname(path);
  return resolve(path) === path && realOf(folder) === folder;
}

function textOf(path: string): string {
  return plainFile(path, LONGEST_CONFIG) ?? "";
}
