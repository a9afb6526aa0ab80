// Looks, when the agent is gone, which files that run later were made or changed in the project meanwhile. Called by the launcher; nothing is done before.
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { NOT_LOOKED_AT, runsLater } from "./runs-later.ts";

const DEEPEST = 5;
/** A large tree is looked at from the top as far as this: some milliseconds. */
const MOST_FOLDERS = 600;

export interface LeftBehind {
  /** Paths below the project, sorted. */
  readonly changed: readonly string[];
  /** Whether the tree was too large to look at as a whole. */
  readonly partly: boolean;
}

/**
 * What was made or changed since `since` (milliseconds), by whomever. The kernel's change time counts, which no program can set back; a rename sets it too.
 * @param made absolute paths that we made ourselves
 */
export function leftBehind(project: string, since: number, made: ReadonlySet<string>): LeftBehind {
  const changed: string[] = [];
  const waiting = [{ below: "", depth: 0 }];
  let looked = 0;
  for (let next = waiting.shift(); next !== undefined && looked < MOST_FOLDERS; next = waiting.shift()) {
    looked += 1;
    for (const entry of entriesOf(join(project, next.below))) {
      const path = next.below === "" ? entry.name : `${next.below}/${entry.name}`;
      if (entry.isDirectory()) {
        if (next.depth < DEEPEST && !isLeftOut(path, entry.name)) waiting.push({ below: path, depth: next.depth + 1 });
      } else if (runsLater(path) && !made.has(join(project, path)) && isNews(join(project, path), since)) changed.push(path);
    }
  }
  return { changed: changed.sort(), partly: waiting.length > 0 };
}

function isLeftOut(path: string, name: string): boolean {
  const git = path.lastIndexOf(".git/");
  return NOT_LOOKED_AT.has(name) || (git >= 0 && NOT_LOOKED_AT.has(path.slice(git)));
}

function entriesOf(folder: string): ReturnType<typeof readFolder> {
  try {
    return readFolder(folder);
  } catch {
    return [];
  }
}

const readFolder = (folder: string) => readdirSync(folder, { withFileTypes: true });

function isNews(file: string, since: number): boolean {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (stat === undefined || stat.ctimeMs < since) return false;
  // A package without scripts runs nothing.
  return !file.endsWith("/package.json") || !stat.isFile() || /"scripts"/.test(textOf(file));
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return '"scripts"';
  }
}
