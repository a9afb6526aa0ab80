// A few empty files in the runtime folder, to be given up for what a daemon must make there to end what is left, when somebody has taken all other inodes.
// Laid by the daemon; used by its lock and its socket.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isNoRoom } from "./error.ts";

/** Each daemon in a row makes a link for its lock, another to let go of it, and a socket. */
const SPARES = 8;
const fileOf = (folder: string, number: number): string => join(folder, `spare.${number}`);

/** While there is room. Disposing takes them away. */
export function laySpares(folder: string): Disposable {
  for (let number = 1; number <= SPARES; number += 1) {
    try {
      writeFileSync(fileOf(folder, number), "", { mode: 0o600 });
    } catch {
      break;
    }
  }
  return {
    [Symbol.dispose]() {
      while (giveUpSpare(folder)) {
        // One after the other; in a folder that nobody gets to any more, none.
      }
    },
  };
}

/** Makes what must be made, giving up what it takes. Throws what `make` throws. */
export async function withRoom<Made>(folder: string, make: () => Made | Promise<Made>): Promise<Made> {
  for (;;) {
    try {
      return await make();
    } catch (error) {
      if (!isNoRoom(error) || !giveUpSpare(folder)) throw error;
    }
  }
}

/** Gives up one of them. Whether there was one. */
function giveUpSpare(folder: string): boolean {
  for (let number = SPARES; number > 0; number -= 1) {
    try {
      rmSync(fileOf(folder, number));
      return true;
    } catch {
      // Another one, then.
    }
  }
  return false;
}
