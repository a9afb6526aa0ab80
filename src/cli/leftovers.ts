// What an agent leaves on the machine that is the human's to know: links of theirs that had to be put back, files that run later. Held by running.ts.
import { type Instant, systemClock } from "../core/clock.ts";
import type { Isolation } from "../isolation/isolate.ts";
import type { LeftBehind } from "../isolation/left-behind.ts";
import { putBackText } from "../isolation/put-back.ts";
import { projectOf } from "./isolate.ts";

/** A file's times are those of the kernel's last tick, which was so long ago at most (current_time() in fs/inode.c; CONFIG_HZ of 100 and more). */
const TICK_MS = 10;

export interface Found {
  /** Paths of all that was changed. */
  readonly changed: readonly string[];
  /** What was put back, as the human is told. */
  readonly notes: readonly string[];
  /** Undefined where no agent ran. */
  readonly left: LeftBehind | undefined;
}

export class Leftovers {
  /** The project as it was found before the agent ran: an agent can make any folder look like a project. */
  readonly #project: string;
  readonly #home: string;
  /** The agent's start: every file that it made or changed is younger. */
  #since: Instant | undefined;

  constructor(cwd: string, home: string) {
    this.#project = projectOf(cwd);
    this.#home = home;
  }

  /** The agent is about to start. */
  begin(): void {
    this.#since = systemClock.now() - TICK_MS;
  }

  /** Loads the code that the end needs, so that it is there also when this version is replaced on disk meanwhile. */
  loadAhead(): void {
    Promise.all([import("../isolation/told.ts"), import("../isolation/left-behind.ts")]).catch(() => undefined);
  }

  /** Looks at what the agent left when it is gone. The agent made what is read here, so no failure in it keeps the end from going on. */
  async find(isolation: Isolation): Promise<Found> {
    const back = isolation.putBack();
    const paths = back.map(({ path }) => path);
    const left = await this.#leftBehind(isolation, new Set(paths)).catch((): LeftBehind => ({ changed: [], partly: "hidden" }));
    return { changed: [...paths, ...(left?.changed ?? [])], notes: back.map(putBackText), left };
  }

  /** A home, or a folder around one, is no project. */
  async #leftBehind(isolation: Isolation, back: ReadonlySet<string>): Promise<LeftBehind | undefined> {
    const [project, since, home] = [this.#project, this.#since, this.#home];
    if (since === undefined) return undefined;
    const { entries, told } = isolation.plan ?? { entries: [], told: [] };
    const made = new Set([...back, ...entries.flatMap(({ standIn, path }) => (standIn === undefined ? [] : [path]))]);
    const mine = told.filter(({ path }) => !back.has(path));
    const state = mine.length === 0 ? [] : (await import("../isolation/told.ts")).toldChanges(mine, since, isolation.remembered, home);
    if (project === "/" || project === home) return { changed: state, partly: false };
    const left = (await import("../isolation/left-behind.ts")).leftBehind(project, since, made);
    return { ...left, changed: [...state, ...left.changed] };
  }
}
