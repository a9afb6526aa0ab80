// What the user database says of this user: a container's user (docker run --user 1000) is often in none.
import { userInfo } from "node:os";

/** The login name, or `uid-1000` where there is no entry. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? "unknown"}`;
  }
}

/** Not `homedir`, which gives HOME as it is. Undefined where there is no entry. */
export function databaseHome(): string | undefined {
  try {
    return userInfo().homedir;
  } catch {
    return undefined;
  }
}
