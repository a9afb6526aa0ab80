// Makes and removes stand-ins: empty files and folders that are there so that the sandbox has something to cover read-only. Used by isolate.ts, and for
// launchers that were killed by session/sessions.ts.
import {
  accessSync,
  appendFileSync,
  constants,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statfsSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { AgentRunError, messageOf } from "../core/error.ts";
import { makeFolder } from "../core/folder.ts";
import { thisMachine } from "../core/machine.ts";
import { plainFile } from "../core/plain-file.ts";
import type { IsolationPlan } from "./plan.ts";

/** Every stand-in that was made on this machine and not yet removed, one JSON line each: those of a launcher that was killed are removed by the daemon. */
const listFile = (state: string): string => join(state, `stand-ins.${thisMachine().id}`);

interface StandIn {
  readonly path: string;
  /** A file's content; absent for a folder. */
  readonly file?: string;
}

/**
 * Makes what the plan covers where nothing is there, and notes it in the state folder first. Gives the paths that need no cover: nobody of this user,
 * and so no agent, can make them; and folders for the run alone that could not be made.
 * @throws AgentRunError `isolation` when one cannot be made that the agent could make: the run must not start then
 */
export function makeStandIns(plan: IsolationPlan, state: string): ReadonlySet<string> {
  const needless = new Set<string>();
  for (const entry of plan.entries) {
    if (entry.standIn === undefined || statSync(entry.path, { throwIfNoEntry: false })) continue;
    try {
      if (entry.standIn === "folder") makeNoted(entry.path, state);
      else {
        makeNoted(dirname(entry.path), state);
        note({ path: entry.path, file: entry.standIn.file }, state);
        writeFileSync(entry.path, entry.standIn.file, { mode: entry.standIn.mode ?? 0o600, flag: "wx" });
      }
    } catch (error) {
      if (codeOf(error) === "EEXIST") continue;
      // What is only there to be mounted on protects nothing.
      if (entry.access === "empty" || isOutOfReach(entry.path)) {
        needless.add(entry.path);
        continue;
      }
      throw new AgentRunError("isolation", `cannot protect ${entry.path}: ${messageOf(error)}`, {
        hint: `make ${dirname(entry.path)} writable for you, or run with --isolation none`,
        cause: error,
      });
    }
  }
  return needless;
}

/** Whether the nearest folder that is there belongs to another user and is closed to us: we can neither write to it nor change its mode. */
function isOutOfReach(path: string): boolean {
  const folder = dirname(path);
  const stat = statSync(folder, { throwIfNoEntry: false });
  if (!stat) return folder !== path && isOutOfReach(folder);
  if (stat.uid === process.getuid?.()) return false;
  try {
    accessSync(folder, constants.W_OK);
    return false;
  } catch {
    return true;
  }
}

function makeNoted(path: string, state: string): void {
  if (statSync(path, { throwIfNoEntry: false })) return;
  makeNoted(dirname(path), state);
  note({ path }, state);
  mkdirSync(path, { mode: 0o700 });
}

function note(standIn: StandIn, state: string): void {
  makeFolder(state);
  appendFileSync(listFile(state), `${JSON.stringify(standIn)}\n`, { mode: 0o600 });
}

/**
 * Removes the stand-ins that nobody used, unless another session is still there: the kernel lifts a cover in every sandbox when what it covers is
 * removed. On a file system that machines share, where sessions of another one may have covered them, they stay. Gives a sentence for each that could not
 * be removed.
 */
export function removeStandIns(state: string, sessionFolder: string, isShared = isOnNetwork): string[] {
  const others = list(dirname(sessionFolder)).filter((name) => name.startsWith("sess_") && name !== basename(sessionFolder));
  if (others.length > 0) return [];
  let lines: string[];
  try {
    lines = readFileSync(listFile(state), "utf8").split("\n");
  } catch {
    return [];
  }
  rmSync(listFile(state), { force: true });
  return lines
    .filter((line) => line !== "")
    .toReversed()
    .flatMap((line) => parse(line) ?? [])
    .filter(({ path }) => !isShared(dirname(path)))
    .flatMap((standIn) => remove(standIn));
}

/** NFS, SMB (in three kinds), AFS, Ceph, Lustre, GPFS and BeeGFS, by statfs(2) and their own sources. */
const NETWORKED = new Set([0x6969, 0x517b, 0xfe534d42, 0xff534d42, 0x5346414f, 0x6b414653, 0xc36400, 0xbd00bd0, 0x47504653, 0x19830326]);

function isOnNetwork(folder: string): boolean {
  try {
    return process.platform === "linux" && NETWORKED.has(statfsSync(folder).type);
  } catch {
    // It is gone, and what was in it too.
    return false;
  }
}

/** A line cut short by a crash is left out: what it names was not made yet. */
function parse(line: string): StandIn | undefined {
  try {
    return JSON.parse(line) as StandIn;
  } catch {
    return undefined;
  }
}

const GONE_OR_USED = new Set<unknown>(["ENOENT", "ENOTDIR", "ENOTEMPTY", "EEXIST"]);

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

function remove({ path, file }: StandIn): string[] {
  try {
    if (file === undefined) rmdirSync(path);
    else {
      // Whoever could write there meanwhile may have put a pipe in its place, with which this process would wait.
      const text = plainFile(path, file.length + 1);
      if (text === file) unlinkSync(path);
      else if (text === undefined && lstatSync(path, { throwIfNoEntry: false }))
        return [`${path} was left behind: it cannot be read any more`];
    }
    return [];
  } catch (error) {
    return GONE_OR_USED.has(codeOf(error)) ? [] : [`${path} was left behind: ${messageOf(error)}`];
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
