// Reads a small file that an agent may have made, or have swapped for something else. Used by the launcher's looks at a project.
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

/**
 * The text of an ordinary file, or its first `most` bytes; undefined where there is none to read. A pipe, a device or a link to one would hold up the
 * launcher, or never end.
 */
export function plainFile(path: string | Buffer, most: number): string | undefined {
  try {
    const handle = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      const stat = fstatSync(handle);
      if (!stat.isFile()) return undefined;
      const buffer = Buffer.alloc(Math.min(stat.size, most));
      let length = 0;
      for (let read = 1; read > 0 && length < buffer.length; length += read)
        read = readSync(handle, buffer, length, buffer.length - length, null);
      return buffer.toString("utf8", 0, length);
    } finally {
      closeSync(handle);
    }
  } catch {
    return undefined;
  }
}
