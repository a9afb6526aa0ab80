// When an agent is gone: what it put in the place of a link of the human's, or where nothing was and no mount could be, is moved aside, and the link is
// there again. Used by isolate.ts, and for launchers that were killed by session/sessions.ts. What lies in an agent's folder was the agent's to change:
// each folder on the way is entered by a descriptor of the one before, and none by a link (Linux: /proc/self/fd and O_PATH, open(2)).
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { AgentRunError, messageOf } from "../core/error.ts";
import { thisMachine } from "../core/machine.ts";
import { randomHex } from "../core/random.ts";
import { parentOf } from "./path.ts";
import type { Kept } from "./plan.ts";

export interface PutBack {
  readonly path: string;
  /** What is there again. */
  readonly again: "link" | "nothing";
  /** Where what was there is now; none where a link had only been taken away. */
  readonly aside: readonly string[];
  /** Why it could not be done, or not wholly. */
  readonly problem?: string;
}

/** Of each session of this machine what it keeps, one JSON line each: written before its agent starts, removed when all is back. */
const notesFolder = (state: string): string => join(state, "kept", thisMachine().id);

/** What was moved aside, a folder a session. No agent sees it, and nothing reads it; the human takes out what they want, and removes it: doctor says so. */
export const asideFolder = (state: string): string => join(state, "set-aside");

/** An agent of another session may put something there again meanwhile. */
const ATTEMPTS = 5;

/** Linux's own, the same on x64 and arm64: a descriptor that stands for a place, and needs no leave to read it. */
const O_PATH = 0o10000000;
const FOLDER = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Notes it for whoever ends the session. To be called before there is an agent.
 * @throws AgentRunError `isolation` when it cannot be noted: the run must not start then
 */
export function noteKept(kept: readonly Kept[], state: string, session: string): void {
  if (kept.length === 0) return;
  const folder = notesFolder(state);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, session), kept.map((each) => `${JSON.stringify(each)}\n`).join(""), { mode: 0o600 });
  } catch (error) {
    const hint = `make ${folder} writable for you`;
    throw new AgentRunError("isolation", `cannot note what is to be put back when the run is over: ${messageOf(error)}`, {
      hint,
      cause: error,
    });
  }
}

/** Puts back what is noted for a session whose agent is gone. Gives what was not as it should be. */
export function putBack(state: string, session: string): PutBack[] {
  const done = putBackNoted(state, session);
  // What could not be put back is tried again before the next launch.
  if (done.some(({ problem }) => problem !== undefined)) return done;
  try {
    rmSync(join(notesFolder(state), session), { force: true });
  } catch {
    // The same: it will find all as it was.
  }
  return done;
}

/**
 * The same for every session that is noted, before a launch looks at the machine: so that what an agent put there is not taken for the human's.
 * @param isThere whether a session may still have its agent, and needs its notes
 */
export function putBackAll(state: string, isThere: (session: string) => boolean): PutBack[] {
  let sessions: string[];
  try {
    sessions = readdirSync(notesFolder(state));
  } catch {
    return [];
  }
  return sessions.flatMap((session) => (isThere(session) ? putBackNoted(state, session) : putBack(state, session)));
}

/** For the human, without a full stop. */
export function putBackText({ path, again, aside, problem }: PutBack): string {
  const there = aside.length === 0 ? "" : `; what was there is now ${aside.join(" and ")}`;
  if (problem !== undefined) return `${path} could not be put back as it was before the run: ${problem}${there}`;
  if (again === "nothing") return `${path} was made meanwhile, and would count later: it was moved away${there}`;
  return `${path}, a link of yours, was ${aside.length === 0 ? "taken away" : "replaced"} meanwhile: it is back${there}`;
}

function putBackNoted(state: string, session: string): PutBack[] {
  let lines: string[];
  try {
    lines = readFileSync(join(notesFolder(state), session), "utf8").split("\n");
  } catch {
    return [];
  }
  return lines.flatMap((line) => parse(line) ?? []).flatMap((kept) => putBackOne(kept, join(asideFolder(state), session)) ?? []);
}

/** A line cut short by a crash is left out: there was no agent yet. */
function parse(line: string): Kept | undefined {
  try {
    return line === "" ? undefined : (JSON.parse(line) as Kept);
  } catch {
    return undefined;
  }
}

/** Undefined where all is as it was, or the folder that held it is gone. */
function putBackOne({ path, folder, target }: Kept, asideIn: string): PutBack | undefined {
  const again = target === undefined ? ("nothing" as const) : ("link" as const);
  const aside: string[] = [];
  using handles = new DisposableStack();
  const enter = (place: string): number => {
    const handle = openSync(place, FOLDER);
    handles.defer(() => closeSync(handle));
    return handle;
  };
  try {
    let at = enter("/");
    for (const part of folder.split("/").slice(1)) at = enter(below(at, part));
    const names = path.slice(folder.length + 1).split("/");
    const name = names.pop() ?? "";
    for (const part of names) {
      if (target === undefined && kindOf(at, part) !== "folder") return undefined;
      if (target !== undefined) makeFolder(at, part, asideIn, aside);
      at = enter(below(at, part));
    }
    const changed = settle(at, name, target, asideIn, aside);
    return changed ? { path, again, aside: aside.map((each) => (each.startsWith("/") ? each : join(parentOf(path), each))) } : undefined;
  } catch (error) {
    return codeOf(error) === "ENOENT" && aside.length === 0 ? undefined : { path, again, aside, problem: messageOf(error) };
  }
}

/** A name in the folder that the descriptor stands for, wherever that has been moved. */
const below = (folder: number, name: string): string => `/proc/self/fd/${folder}/${name}`;

/** Whether anything had to be done. */
function settle(at: number, name: string, target: string | undefined, asideIn: string, aside: string[]): boolean {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const kind = kindOf(at, name);
    if (target === undefined ? kind === undefined : kind === "link" && linkAt(at, name) === target) return attempt > 0;
    if (kind !== undefined) setAside(at, name, asideIn, aside);
    if (target !== undefined) make(at, () => symlinkSync(target, below(at, name)));
  }
  throw new Error("something else comes there again and again");
}

function makeFolder(at: number, name: string, asideIn: string, aside: string[]): void {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const kind = kindOf(at, name);
    if (kind === "folder") return;
    if (kind !== undefined) setAside(at, name, asideIn, aside);
    make(at, () => mkdirSync(below(at, name), { mode: 0o700 }));
  }
}

/** Never over something that came there meanwhile. */
function make(at: number, making: () => void): void {
  try {
    allowed(at, making);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
}

/** To a folder that no agent sees; where a rename does not get there (another file system, a folder closed to writers) beside it, by a name that nothing looks for. */
function setAside(at: number, name: string, asideIn: string, aside: string[]): void {
  const mark = randomHex(4);
  const place = join(asideIn, `${name}-${mark}`);
  const beside = `${name}.set-aside-${mark}`;
  try {
    mkdirSync(asideIn, { recursive: true, mode: 0o700 });
    allowed(at, () => renameSync(below(at, name), place));
    aside.push(place);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    allowed(at, () => renameSync(below(at, name), below(at, beside)));
    aside.push(beside);
  }
}

/** An agent can have closed its own folder to writers. */
function allowed(at: number, doing: () => void): void {
  try {
    doing();
  } catch (error) {
    if (codeOf(error) !== "EACCES") throw error;
    chmodSync(`/proc/self/fd/${at}`, (fstatSync(at).mode & 0o777) | 0o700);
    doing();
  }
}

function kindOf(at: number, name: string): "folder" | "link" | "other" | undefined {
  let kind: "folder" | "link" | "other" | undefined;
  allowed(at, () => {
    const stat = lstatSync(below(at, name), { throwIfNoEntry: false });
    kind = stat && (stat.isDirectory() ? "folder" : stat.isSymbolicLink() ? "link" : "other");
  });
  return kind;
}

function linkAt(at: number, name: string): string | undefined {
  try {
    return readlinkSync(below(at, name));
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
