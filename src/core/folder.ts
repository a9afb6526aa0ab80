// Private folders: made 0700, and refused when somebody else owns them or may write to them. And files that are only read, which nobody else may have written.
import { lstatSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { AgentRunError, type ErrorCode, messageOf } from "./error.ts";

/** Whether both lead to one folder; two that are not there are as good as one, and one that cannot be looked at is no other. */
export function isSameFolder(one: string, other: string): boolean {
  if (one === other) return true;
  try {
    const [a, b] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false, bigint: true }));
    return a?.ino === b?.ino && a?.dev === b?.dev;
  } catch {
    return false;
  }
}

/**
 * Makes a folder with mode 0700, and its parents where they are absent. Throws what the file system says. `recursive` of Node's own mkdir never returns
 * where the kernel says that what is there already is not (/proc).
 */
export function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

/**
 * Makes sure that `path` is a real folder of this user with mode 0700, creating it and its parents when absent.
 * @throws AgentRunError with `code` when it cannot be made, is a link, belongs to another user, or is open to others
 */
export function privateFolder(path: string, code: ErrorCode): void {
  try {
    makeFolder(path);
  } catch (error) {
    throw new AgentRunError(code, `cannot create the folder ${path}: ${messageOf(error)}`, {
      hint: "make its parent writable for you, or set AGENT_RUN_HOME to a folder of your own",
      cause: error,
    });
  }
  const stat = lstatSync(path);
  if (!stat.isDirectory()) {
    throw new AgentRunError(code, `${path} is not a folder`, { hint: `move it away: mv ${path} ${path}.old` });
  }
  const uid = process.getuid?.() ?? stat.uid;
  if (stat.uid !== uid) {
    throw new AgentRunError(code, `the folder ${path} belongs to user ${stat.uid}, not to you (${uid})`, {
      hint: "set AGENT_RUN_HOME or XDG_RUNTIME_DIR to a folder of your own",
    });
  }
  if ((stat.mode & 0o077) !== 0) {
    throw new AgentRunError(code, `the folder ${path} is open to other users (mode ${(stat.mode & 0o777).toString(8)})`, {
      hint: `chmod 700 ${path}`,
    });
  }
}

/**
 * Refuses a file or folder that another user could have written, by ssh's rule for its own settings: it belongs to you or root, and nobody else may write to it.
 * A group may that is yours alone, as some systems give each user one, of the same number. Links are followed; nothing is refused that is not there.
 * @throws AgentRunError with `code`
 */
export function refuseForeign(path: string, code: ErrorCode): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  const uid = process.getuid?.();
  if (stat === undefined || uid === undefined) return;
  if (stat.uid !== uid && stat.uid !== 0) {
    throw new AgentRunError(code, `${path} belongs to user ${stat.uid}, neither to you (${uid}) nor to root`, {
      hint: `look at what is in it, then sudo chown ${uid} ${path}`,
    });
  }
  const others = stat.gid === uid ? 0o002 : 0o022;
  if ((stat.mode & others) !== 0) {
    throw new AgentRunError(code, `other users may write to ${path} (mode ${(stat.mode & 0o777).toString(8)})`, {
      hint: `look at what is in it, then chmod go-w ${path}`,
    });
  }
}
