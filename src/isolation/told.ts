// What of an agent's own state it must be able to write though it counts in later sessions, outside too: which of it was made or changed in a run.
// Remembered by isolate.ts, asked by the launcher when the agent is gone. The agent may have put anything there: each look has an end.
import { lstatSync, readdirSync } from "node:fs";
import { plainFile } from "../core/plain-file.ts";
import type { Told } from "./agents.ts";

/** Of a JSON file. */
const LONGEST = 16_777_216;
const MOST_ENTRIES = 2000;

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
  const changed = told.flatMap(({ path, keys }) => {
    const news = matching(path).filter((each) => isNews(each, since));
    if (!keys) return news;
    // A copy that an agent makes of such a file says nothing new where it says what that file said, or says now.
    const known = (each: string): (string | undefined)[] =>
      path.includes("*") ? [...before.values(), ...before.keys().map((file) => plainFile(file, LONGEST))] : [before.get(each)];
    return news.flatMap((each) => changedKeys(each, known(each), keys));
  });
  return [...new Set(changed)].map((path) => (path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path));
}

function isNews(path: string, since: number): boolean {
  try {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    return stat !== undefined && stat.ctimeMs >= since;
  } catch {
    return false;
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

function changedKeys(path: string, before: readonly (string | undefined)[], keys: readonly (readonly string[])[]): string[] {
  const now = parsed(plainFile(path, LONGEST));
  if (now === undefined) return [path];
  const then = before.map(parsed);
  return keys.flatMap((key) => {
    const earlier = then.map((each) => new Map(values(each, key)));
    return values(now, key).flatMap(([name, text]) => (earlier.some((each) => each.get(name) === text) ? [] : [`${path}: ${name}`]));
  });
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What stands at a key, by its name; not what says nothing. */
function values(value: unknown, [first, ...rest]: readonly string[], name = ""): [name: string, text: string][] {
  if (first === undefined) {
    const text = JSON.stringify(value);
    return text === undefined || ["null", "false", "[]", "{}", '""'].includes(text) ? [] : [[name, text]];
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value)
    .filter(([key]) => first === "*" || key === first)
    .flatMap(([key, inner]) => values(inner, rest, name === "" ? key : `${name}.${key}`));
}
