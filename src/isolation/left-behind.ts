// Looks, when the agent is gone, which files that run later were made or changed in the project meanwhile. Called by the launcher; nothing is done before.
// The agent chose every name and all that is in there: names need not be text, and neither a folder nor a file need have an end.
import { lstatSync, opendirSync, type Stats } from "node:fs";
import { join } from "node:path";
import { plainFile } from "../core/plain-file.ts";
import { isLeftOut, linkRunsLater, rankOf, runsLater, runsWhole } from "./runs-later.ts";

const DEEPEST = 12;
/** A large tree is looked at from the top as far as this: some milliseconds. */
const MOST_FOLDERS = 2000;
const MOST_ENTRIES = 20_000;
/** An agent can fill each of the folders: a second. */
const MOST_IN_ALL = 200_000;
/** Of a package.json. */
const LONGEST = 65_536;

export interface LeftBehind {
  /** Paths below the project, what matters most first. */
  readonly changed: readonly string[];
  /** Whether the tree was too large to look at as a whole; `hidden` when what was not looked at came into being or changed meanwhile. */
  readonly partly: false | true | "hidden";
}

interface Folder {
  readonly below: string;
  readonly depth: number;
  readonly isNew: boolean;
  /** It came there as a whole, with files that are as old as they were. */
  readonly isMoved: boolean;
}

/**
 * What was made or changed since `since` (milliseconds), by whomever. The kernel's change time counts, which no program can set back; a rename sets it too, of a
 * whole folder its own alone.
 * @param made absolute paths that we made ourselves
 * @param mostInAll after so many names no further folder is looked into
 */
export function leftBehind(project: string, since: number, made: ReadonlySet<string>, mostInAll = MOST_IN_ALL): LeftBehind {
  return new Search(project, since, made).whole(mostInAll);
}

/** One walk through a project, from the top down. Byte by byte inside, so that names that are no UTF-8 are found too. */
class Search {
  readonly #root: string;
  readonly #since: number;
  readonly #ours: ReadonlySet<string>;
  readonly #changed: string[] = [];
  readonly #waiting: Folder[] = [{ below: "", depth: 0, isNew: true, isMoved: false }];
  #partly: LeftBehind["partly"] = false;
  #listed = 0;

  constructor(project: string, since: number, made: ReadonlySet<string>) {
    this.#root = latin1(project);
    this.#since = since;
    this.#ours = new Set([...made].map(latin1));
  }

  whole(mostInAll: number): LeftBehind {
    let looked = 0;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (looked >= MOST_FOLDERS || this.#listed >= mostInAll) this.#leave(next.isNew);
      else this.#look(next);
      looked += 1;
    }
    const names = this.#changed.map((path) => Buffer.from(path, "latin1").toString("utf8"));
    return { changed: names.sort((left, right) => rankOf(left) - rankOf(right) || (left < right ? -1 : 1)), partly: this.#partly };
  }

  /** Something is not looked at. */
  #leave(isNew: boolean): void {
    this.#partly = isNew ? "hidden" : this.#partly || true;
  }

  #look(folder: Folder): void {
    const { entries, all } = entriesOf(join(this.#root, folder.below));
    this.#listed += entries.length;
    if (all === false || (all === "closed" && folder.isNew)) this.#leave(true);
    const isBare = looksBare(folder.below, entries);
    for (const { name, kind } of entries) {
      const path = folder.below === "" ? name : `${folder.below}/${name}`;
      if (kind === "folder") this.#folder(path, folder);
      else if (kind === "link" ? linkRunsLater(path) : runsLater(path) || (isBare && BARE.has(name))) this.#file(name, path, folder);
    }
  }

  #folder(path: string, around: Folder): void {
    if (isLeftOut(path)) return;
    const stat = this.#stat(path, around);
    const isNew = this.#isNews(stat);
    // A rename changes this time of a folder, and none of what is in it. Which files were in one whose list has changed too cannot be told.
    const isMoved = around.isMoved || (isNew && stat !== undefined && (stat.mtimeMs < this.#since || runsWhole(path)));
    if (around.depth < DEEPEST) this.#waiting.push({ below: path, depth: around.depth + 1, isNew, isMoved });
    else this.#leave(isNew);
  }

  /** One that runs later, or a link to such. */
  #file(name: string, path: string, around: Folder): void {
    const file = join(this.#root, path);
    if (this.#ours.has(file)) return;
    const stat = this.#stat(path, around);
    if (stat !== undefined && (around.isMoved || this.#isNews(stat)) && !isIdlePackage(name, file, stat)) this.#changed.push(path);
  }

  /** Undefined where there is none, and in a folder that can be listed and not be searched. */
  #stat(path: string, around: Folder): Stats | undefined {
    let stat: Stats | undefined;
    try {
      stat = lstatSync(Buffer.from(join(this.#root, path), "latin1"), { throwIfNoEntry: false });
    } catch {
      // Not to be searched.
    }
    if (stat === undefined && around.isNew) this.#leave(true);
    return stat;
  }

  #isNews(stat: Stats | undefined): boolean {
    return stat !== undefined && stat.ctimeMs >= this.#since;
  }
}

const latin1 = (path: string): string => Buffer.from(path).toString("latin1");

interface Entry {
  readonly name: string;
  readonly kind: "folder" | "link" | "file";
}

/** `closed`: it cannot be looked at. One that is gone by now holds nothing. */
function entriesOf(folder: string): { entries: Entry[]; all: boolean | "closed" } {
  const entries: Entry[] = [];
  try {
    using open = opendirSync(Buffer.from(folder, "latin1") as unknown as string, { encoding: "latin1" });
    for (let entry = open.readSync(); entry !== null; entry = open.readSync()) {
      if (entries.length >= MOST_ENTRIES) return { entries, all: false };
      entries.push({ name: entry.name, kind: entry.isDirectory() ? "folder" : entry.isSymbolicLink() ? "link" : "file" });
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") return { entries, all: "closed" };
  }
  return { entries, all: true };
}

/** Of a repository without a work tree: what makes it one, and what says where its configuration is. */
const BARE: ReadonlySet<string> = new Set(["HEAD", "config", "config.worktree", "commondir"]);

/** A repository without a work tree: git reads its configuration in any folder that looks like one (gitrepository-layout(5)). */
function looksBare(folder: string, entries: readonly Entry[]): boolean {
  if (`/${folder}/`.includes("/.git/")) return false;
  const names = new Set(entries.map(({ name }) => name));
  return names.has("HEAD") && (names.has("commondir") || ["objects", "refs", "config"].every((name) => names.has(name)));
}

/** Of a package.json: what runs nothing and has nothing fetched, whichever tool reads it. */
const IDLE_KEYS: ReadonlySet<string> = new Set(
  "name version private type description license author keywords homepage main module types exports sideEffects".split(" "),
);

/** A package that says no more than what it is runs nothing. Read as JSON: a key can be spelled with escapes. */
function isIdlePackage(name: string, file: string, stat: Stats): boolean {
  if (name !== "package.json" || !stat.isFile() || stat.size > LONGEST) return false;
  try {
    const value: unknown = JSON.parse(plainFile(Buffer.from(file, "latin1"), LONGEST) ?? "");
    return typeof value === "object" && value !== null && Object.keys(value).every((key) => IDLE_KEYS.has(key));
  } catch {
    return false;
  }
}
