// A cgroup of the agent's own, below the one that the launcher is in: whoever may have namespaces inside may mount the cgroups there too, from the one that the
// sandbox was made in on down, and so stop, freeze and end all that is in it (cgroups(7), cgroup.kill): your shell, the launcher, the daemon. Used by isolate.ts.
import { accessSync, constants, mkdirSync, readdirSync, readFileSync, rmdirSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { AgentRunError, messageOf } from "../core/error.ts";

/** Where the second version's cgroups are mounted: systemd's two layouts. */
const ROOTS = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];

/** More than that an agent makes to hold up who removes them. */
const MOST_INSIDE = 2000;

export interface Cgroup {
  /** The one that we are in. */
  readonly folder: string;
  /** Whether a cgroup can be made in it, and joined. */
  readonly isOpen: boolean;
}

/** The cgroup that this process is in, where it is this user's to steer: then an agent of the same user steers it too. */
export function steeredCgroup(text = ownCgroup(), roots: readonly string[] = ROOTS): Cgroup | undefined {
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
 * Makes the session's own in it, and gives its folder.
 * @throws AgentRunError `isolation` when it cannot be made
 */
export function makeCgroup({ folder }: Cgroup, session: string): string {
  const own = ownFolder(folder, session);
  try {
    mkdirSync(own);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return own;
    throw new AgentRunError(
      "isolation",
      `cannot make a cgroup for the agent, which could end your other programs without: ${messageOf(error)}`,
      {
        hint: "start agent-run in another terminal, or with --isolation strict",
        cause: error,
      },
    );
  }
  return own;
}

/** When nothing runs in it any more, with those that the agent made in it. Gives what could not be done. */
export function removeCgroup({ folder }: Cgroup, session: string): string[] {
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

/** Undefined also where it is closed to us, and so to the agent. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Empty where the kernel has none. */
function ownCgroup(): string {
  try {
    return readFileSync("/proc/self/cgroup", "utf8");
  } catch {
    return "";
  }
}

const ownFolder = (folder: string, session: string): string => join(folder, `agent-run-${session}`);

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
