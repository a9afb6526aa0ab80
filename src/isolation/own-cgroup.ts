// A cgroup of the agent's own, below the one that the launcher is in: whoever may have namespaces inside may mount the cgroups there too, from the one that the
// sandbox was made in on down, and so stop, freeze and end all that is in it (cgroups(7), cgroup.kill): your shell, the launcher, the daemon. Used by isolate.ts.
import { accessSync, constants, mkdirSync, readdirSync, readFileSync, rmdirSync, type Stats, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { sleep } from "../core/clock.ts";
import { AgentRunError, messageOf } from "../core/error.ts";

/** Where the second version's cgroups are mounted: systemd's two layouts. */
const ROOTS = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];

/** More than that an agent makes to hold up who removes them. */
const MOST_INSIDE = 2000;
/** How long it is waited, and how often looked, until all in it has ended. */
const EMPTY_MS = 2000;
const LOOK_MS = 20;

/** What to do where there can be none. */
export const ELSEWHERE = "start agent-run in a scope of its own (systemd-run --user --scope agent-run ...), or with --isolation strict";

export interface Cgroup {
  /** The one that we are in. */
  readonly folder: string;
  /** Whether a cgroup can be made in it, and joined. */
  readonly isOpen: boolean;
}

/** The cgroup that this process is in, where it is this user's to steer: then an agent of the same user steers it too. */
export function steeredCgroup(text = textOf("/proc/self/cgroup"), roots: readonly string[] = ROOTS): Cgroup | undefined {
  const path = /^0::(\/.*)$/m.exec(text)?.[1];
  if (path === undefined || path.includes("/..")) return undefined;
  for (const root of roots) {
    const folder = join(root, path);
    // The root of all cgroups has no such file.
    const stat = statOf(join(folder, "cgroup.freeze"));
    if (stat === undefined) continue;
    if (stat.uid !== process.getuid?.() && !isWritable(join(folder, "cgroup.freeze"))) return undefined;
    return { folder, isOpen: isWritable(folder) && isWritable(join(folder, "cgroup.procs")) };
  }
  return undefined;
}

/**
 * Makes the session's own in it, and gives its folder. Where that is, is noted in `files`, the session's folder, for whoever ends a session without its launcher.
 * @throws AgentRunError `isolation` when it cannot be made
 */
export function makeCgroup({ folder }: Pick<Cgroup, "folder">, session: string, files: string): string {
  const own = ownFolder(folder, session);
  try {
    writeFileSync(noteIn(files), own, { mode: 0o600 });
    mkdirSync(own);
    // Below threads that are steered one by one nobody can be in another kind (cgroups(7), cgroup v2 thread mode).
    const type = join(own, "cgroup.type");
    if (textOf(type) === "domain invalid\n") writeFileSync(type, "threaded");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return own;
    throw new AgentRunError(
      "isolation",
      `cannot make a cgroup for the agent, which could end your other programs without: ${messageOf(error)}`,
      {
        hint: ELSEWHERE,
        cause: error,
      },
    );
  }
  return own;
}

/** When nothing runs in it any more, with those that the agent made in it. Gives what could not be done. */
export function removeCgroup({ folder }: Pick<Cgroup, "folder">, session: string): string[] {
  const own = ownFolder(folder, session);
  let left = MOST_INSIDE;
  const remove = (at: string): void => {
    for (const entry of readdirSync(at, { withFileTypes: true })) if (entry.isDirectory() && left-- > 0) remove(join(at, entry.name));
    rmdirSync(at);
  };
  try {
    remove(own);
    return [];
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? [] : [`${own} was left behind: ${messageOf(error)}`];
  }
}

/**
 * The one of a session whose launcher has not removed it, as that noted it in the session's folder: what still runs in it is ended. Gives what could not be
 * done. Called by the daemon.
 */
export async function removeLeftCgroup(files: string, session: string, roots: readonly string[] = ROOTS): Promise<string[]> {
  const own = textOf(noteIn(files));
  // Whatever else somebody may have written there is not ours to end.
  if (basename(own) !== basename(ownFolder("", session)) || own.includes("/../") || !roots.some((root) => own.startsWith(`${root}/`)))
    return [];
  const until = performance.now() + EMPTY_MS;
  for (;;) {
    const left = removeCgroup({ folder: dirname(own) }, session);
    if (left.length === 0 || performance.now() > until) return left;
    try {
      writeFileSync(join(own, "cgroup.kill"), "1", { flag: "r+" });
    } catch {
      // Before Linux 5.14 there is no such file, and nothing in a cgroup of threads may be ended by it.
    }
    await sleep(LOOK_MS);
  }
}

/** Undefined also where it is closed to us, and so to the agent. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Empty where the kernel has none. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

const noteIn = (files: string): string => join(files, "cgroup");
const ownFolder = (folder: string, session: string): string => join(folder, `agent-run-${session}`);

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
