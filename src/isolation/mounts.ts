// A plan as mounts, in the order in which they are made: what bubblewrap.ts tells bwrap and prelude-calls.ts the kernel. Pure.
import { nearestAbove, within } from "./path.ts";
import type { Kept, PlanEntry } from "./plan.ts";

export type Mount =
  /** An empty folder in memory. */
  | { readonly kind: "fresh"; readonly path: string }
  /** What lies at `source`, with all that is mounted in it. */
  | {
      readonly kind: "shown";
      readonly path: string;
      readonly source: string;
      readonly of: PlanEntry["kind"];
      readonly writable: boolean;
      /** What vanished since the machine was looked at must not break a launch where it is only shown; where a mount protects or covers something, it does. */
      readonly mayBeGone: boolean;
    }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

export interface Mounts {
  /** Whether the root is an empty one of its own, else it is the machine's, to read. It is the first of `system` then. */
  readonly ownRoot: boolean;
  readonly system: readonly Mount[];
  /** In the sandbox's own /dev and /proc, once these are mounted. */
  readonly inDev: readonly Mount[];
  readonly inProc: readonly Mount[];
  /** Fresh folders that take nothing new once all is mounted. */
  readonly closed: readonly string[];
  /** Links of the human's where an agent writes: a mount on the link itself keeps it where it is. bwrap makes none, and put-back.ts sees to them all the same. */
  readonly links: readonly string[];
}

/**
 * @param entries of a plan: parents before children
 * @param blank an empty file that covers hidden files
 */
export function mountsOf(entries: readonly PlanEntry[], blank: string, kept: readonly Kept[] = []): Mounts {
  const planned = new Map(entries.map((entry) => [entry.path, entry]));
  const of = (where: (path: string) => boolean): Mount[] =>
    entries.flatMap((entry) => {
      if (!where(entry.path)) return [];
      const above = nearestAbove(entry.path, planned);
      // What is around /dev and /proc says nothing of what is in them.
      return mountOf(entry, isInOwn(entry.path) && above && !isInOwn(above.path) ? undefined : above, blank);
    });
  return {
    ownRoot: planned.has("/"),
    system: of((path) => !isInOwn(path)),
    inDev: of((path) => within(path, "/dev")),
    inProc: of((path) => within(path, "/proc")),
    closed: entries
      .filter((entry) => entry.access === "assembled" || isHiddenFolder(entry, nearestAbove(entry.path, planned)))
      .map(({ path }) => path),
    links: kept
      .filter(({ path, target }) => target !== undefined && nearestAbove(path, planned)?.source === undefined)
      .map(({ path }) => path),
  };
}

/** Every sandbox has a /dev and a /proc of its own. */
function isInOwn(path: string): boolean {
  return within(path, "/dev") || within(path, "/proc");
}

function mountOf(entry: PlanEntry, above: PlanEntry | undefined, blank: string): Mount[] {
  const around = above?.access ?? "read-only";
  const gone = around === "hidden" || around === "empty" || around === "assembled";
  const { path, kind, access } = entry;
  const shown = { kind: "shown", path, source: entry.source ?? path, of: kind, writable: access === "writable", mayBeGone: gone } as const;
  switch (access) {
    case "hidden":
      if (gone && !isHiddenFolder(entry, above)) return [];
      return [kind === "folder" ? { kind: "fresh", path } : { ...shown, source: blank, mayBeGone: false }];
    case "assembled":
    case "empty":
      return [{ kind: "fresh", path }];
    case "link":
      return [{ kind: "link", path, target: entry.target ?? "" }];
    case "writable":
      return gone || around === "read-only" || entry.pinned ? [shown] : [];
    case "read-only":
      return gone || around === "writable" ? [shown] : [];
  }
}

/** A hidden folder needs a mount of its own unless what is around it leaves it out. */
function isHiddenFolder(entry: PlanEntry, above: PlanEntry | undefined): boolean {
  if (entry.access !== "hidden" || entry.kind !== "folder") return false;
  return above === undefined || above.access === "read-only" || above.access === "writable";
}
