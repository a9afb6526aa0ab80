// What of an agent's own state it must be able to write though it counts in later sessions, outside too: which of it was made or changed in a run.
// Remembered by isolate.ts, asked by the launcher when the agent is gone. The agent may have put anything there: each look has an end.
import { lstatSync, readdirSync, type Stats } from "node:fs";
import { plainFile } from "../core/plain-file.ts";
import type { Told } from "./agents.ts";

/** Of a JSON file. */
const LONGEST = 16_777_216;
/** Of all that is read at the end of a run: a second or two. */
const MOST_READ = 4 * LONGEST;
const MOST_ENTRIES = 2000;
/** Of one file; and so long is what is said of one. Who makes more, or names it longer, cannot drown the rest. */
const MOST_NAMES = 20;
const LONGEST_NAME = 200;

/** The texts of the files of which only a part counts, by path. To be kept in memory: they may hold tokens of the human's. */
export function rememberTold(told: readonly Told[]): ReadonlyMap<string, string> {
  return new Map(
    told.flatMap(({ path, keys }) => {
      const text = keys && plainFile(path, LONGEST);
      return text === undefined ? [] : [[path, text]];
    }),
  );
}

/**
 * What was made or changed since `since` (milliseconds), with home as `~`: paths, and of files that were remembered `path: the.key`.
 * @param before as `rememberTold` gave it
 */
export function toldChanges(told: readonly Told[], since: number, before: ReadonlyMap<string, string>, home: string): string[] {
  let left = MOST_READ;
  const read = (path: string): unknown => {
    const text = left > 0 ? plainFile(path, LONGEST) : undefined;
    left -= text?.length ?? 0;
    return parsed(text);
  };
  const then = new Map([...before].map(([path, text]) => [path, parsed(text)]));
  let known: unknown[] | undefined;
  // A copy that an agent makes of such a file says nothing new where it says what that file said, or says now.
  const knownOf = (path: string, each: string): readonly unknown[] => {
    if (!path.includes("*")) return [then.get(each)];
    known ??= [...then.values(), ...[...then.keys()].map(read)];
    return known;
  };
  const changed = told.flatMap(({ path, keys }) => {
    const news = matching(path).filter((each) => isNews(each, since) || cameAlong(each, path, since));
    return keys ? news.flatMap((each) => changedKeys(each, read(each), knownOf(path, each), keys)) : news;
  });
  return [...new Set(changed)].map((path) => (path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path));
}

function isNews(path: string, since: number): boolean {
  const stat = statOf(path);
  return stat !== undefined && stat.ctimeMs >= since;
}

/** Whether it came there with a folder that was moved: a rename changes this time of a folder, and none of what is in it. */
function cameAlong(path: string, pattern: string, since: number): boolean {
  const top = pattern.indexOf("/*");
  for (let folder = path; top > 0 && folder.lastIndexOf("/") >= top; ) {
    folder = folder.slice(0, folder.lastIndexOf("/"));
    const stat = statOf(folder);
    if (stat !== undefined && stat.ctimeMs >= since && stat.mtimeMs < since) return true;
  }
  return false;
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** The paths that a pattern stands for. */
function matching(pattern: string): string[] {
  const star = /\/\*(?=\/|$)/.exec(pattern);
  if (!star) return [pattern];
  const [folder, rest] = [pattern.slice(0, star.index), pattern.slice(star.index + 2)];
  try {
    if (!lstatSync(folder).isDirectory()) return [];
    return readdirSync(folder)
      .slice(0, MOST_ENTRIES)
      .flatMap((name) => (rest === "" ? `${folder}/${name}` : matching(`${folder}/${name}${rest}`)));
  } catch {
    return [];
  }
}

function changedKeys(path: string, now: unknown, then: readonly unknown[], keys: readonly (readonly string[])[]): string[] {
  if (now === undefined) return [path];
  const names = keys.flatMap((key) => {
    const earlier = then.map((each) => new Map(values(each, key)));
    return values(now, key).flatMap(([name, text]) => (earlier.some((each) => each.get(name) === text) ? [] : [name]));
  });
  const more = names.length > MOST_NAMES ? [`${path}: and ${names.length - MOST_NAMES} more`] : [];
  return [...names.slice(0, MOST_NAMES).map((name) => `${path}: ${name.slice(0, LONGEST_NAME)}`), ...more];
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What stands at a key, by its name; not what says nothing. What is too deep to be written out is equal to nothing. */
function values(value: unknown, [first, ...rest]: readonly string[], name = ""): [name: string, text: unknown][] {
  if (first === undefined) {
    const text = written(value);
    return text === undefined || ["null", "false", "[]", "{}", '""'].includes(String(text)) ? [] : [[name, text]];
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value)
    .filter(([key]) => first === "*" || key === first)
    .flatMap(([key, inner]) => values(inner, rest, name === "" ? key : `${name}.${key}`));
}

function written(value: unknown): unknown {
  try {
    return JSON.stringify(value);
  } catch {
    return Symbol("deep");
  }
}
