// Where a path really leads. Used inside this folder.
import { realpathSync } from "node:fs";

/** The path with every symbolic link resolved; undefined where there is none. */
export function realOf(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}
