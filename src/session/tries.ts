// How often daemons died over what one session left: a record that ends every daemon that reads it must not end them for ever. Used by recovery.ts and `ps`.
import { appendFileSync, readdirSync, rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { isSessionId, type SessionId } from "../core/id.ts";
import type { Paths } from "../core/paths.ts";

export const MOST_TRIES = 3;
const PREFIX = "recovering.";

/** A file a session in the runtime folder, a byte a try that has not come to its end. Where none can be written, nothing is counted. */
export class Tries {
  readonly #folder: string;

  constructor({ runtime }: Paths) {
    this.#folder = runtime;
  }

  fileOf(id: SessionId): string {
    return join(this.#folder, `${PREFIX}${id}`);
  }

  /** Before a step that may end this process. False: too many have been ended by it. */
  begin(id: SessionId, most = MOST_TRIES): boolean {
    if (this.#count(id) >= most) return false;
    quietly(() => appendFileSync(this.fileOf(id), ".", { mode: 0o600 }));
    return true;
  }

  /** That step is over, and more are to come. */
  passed(id: SessionId): void {
    const count = this.#count(id);
    if (count <= 1) this.over(id);
    else quietly(() => truncateSync(this.fileOf(id), count - 1));
  }

  over(id: SessionId): void {
    quietly(() => rmSync(this.fileOf(id), { force: true }));
  }

  /** Those that nobody tries to end any more. */
  givenUp(): SessionId[] {
    let names: string[] = [];
    quietly(() => {
      names = readdirSync(this.#folder);
    });
    return names
      .filter((name) => name.startsWith(PREFIX))
      .map((name) => name.slice(PREFIX.length))
      .filter(isSessionId)
      .filter((id) => this.#count(id) >= MOST_TRIES);
  }

  #count(id: SessionId): number {
    let size: number | undefined;
    quietly(() => {
      size = statSync(this.fileOf(id), { throwIfNoEntry: false })?.size;
    });
    return size ?? 0;
  }
}

function quietly(doing: () => void): void {
  try {
    doing();
  } catch {
    // A full or closed folder: see above.
  }
}
