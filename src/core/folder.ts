// Private folders: made 0700, and refused when somebody else owns them or may write to them. And files that are only read, which nobody else may have written.
import { lstatSync, mkdirSync, statSync } from "node:fs";
import { AgentRunError, type ErrorCode, messageOf } from "./error.ts";

/** Whether both lead to one folder; two that are not there are as good as one. */
export function isSameFolder(one: string, other: string): boolean {
  if (one === other) return true;
  const [a, b] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false, bigint: true }));
  return a?.ino === b?.ino && a?.dev === b?.dev;
}

/**
 * Makes sure that `path` is a real folder of this user with mode 0700, creating it and its parents when absent.
 * @throws AgentRunError with `code` when it cannot be made, is a link, belongs to another user, or is open to others
 */
export function privateFolder(path: string, code: ErrorCode): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
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
