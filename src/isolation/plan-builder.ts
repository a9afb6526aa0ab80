// Collects the entries of a plan and settles which wins where two name the same path. Used by plan.ts and the plan-*.ts beside it.
import type { Told } from "./agents.ts";
import { depth, nearestAbove, parentOf, within } from "./path.ts";
import type { Kept, PlanEntry } from "./plan.ts";
import type { Facts, Found } from "./plan-facts.ts";

/** How much of the machine a single entry must never cover or open: doing so would hide or give away everything. */
const WHOLE = [
  "/",
  "/bin",
  "/boot",
  "/dev",
  "/etc",
  "/home",
  "/lib",
  "/lib64",
  "/media",
  "/mnt",
  "/opt",
  "/proc",
  "/root",
  "/run",
  "/sbin",
  "/srv",
  "/sys",
];
const ALSO_WHOLE = ["/tmp", "/usr", "/usr/local", "/var", "/var/lib", "/var/tmp", "/Users", "/private", "/Volumes"];

/** `never` can not be given back, by nothing. */
type Firmness = "never" | "default";

export class PlanBuilder {
  readonly notes: string[] = [];
  readonly warnings: string[] = [];
  readonly told: Told[] = [];
  readonly #entries = new Map<string, PlanEntry>();
  readonly #never = new Map<string, string>();
  readonly #hiddenLinks = new Set<string>();
  readonly #kept = new Map<string, Kept>();
  readonly #facts: Facts;

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text);
  }

  /** What the human should know before the agent starts, not only when they ask for the plan. */
  warn(text: string): void {
    if (!this.warnings.includes(text)) this.warnings.push(text);
  }

  /** What stays writable and is to be looked at when the run is over. */
  tell(told: Told): void {
    this.told.push(told);
  }

  /** What no mount can hold is put back when the run is over. */
  keep(kept: Kept): void {
    if (!this.#kept.has(kept.path)) this.#kept.set(kept.path, kept);
  }

  /** Of that, what the agent can change. */
  kept(): Kept[] {
    return [...this.#kept.values()].filter(({ path }) => {
      return !this.#entries.has(path) && nearestAbove(path, this.#entries)?.access === "writable" && this.isWritable(path);
    });
  }

  has(path: string): boolean {
    return this.#entries.has(path);
  }

  hidesLink(path: string): boolean {
    return this.#hiddenLinks.has(path);
  }

  /** Adds an entry. A hidden path stays hidden, and what is protected stays read-only: the later entry loses against those. */
  put(entry: PlanEntry): void {
    const before = this.#entries.get(entry.path);
    if (before && strength(before) > strength(entry)) return;
    this.#entries.set(entry.path, entry);
  }

  /** Hides what was found, and with it the link `asked` that led there. */
  hide(found: Found, reason: string, firmness: Firmness, asked?: string): void {
    if (asked && asked !== found.real) this.#hiddenLinks.add(asked);
    if (this.isTooWide(found.real)) {
      this.note(`${found.real} is not hidden (${reason}): it holds too much else`);
      return;
    }
    if (firmness === "never") this.#never.set(found.real, reason);
    this.put({ path: found.real, access: "hidden", kind: found.kind === "folder" ? "folder" : "file", reason });
  }

  /** Marks a path that no entry may open again, whether it exists or not. */
  forbid(path: string, reason: string): void {
    this.#never.set(path, reason);
  }

  /** Why `path` must not be opened, or undefined when it may be. */
  forbidden(path: string): string | undefined {
    for (const [place, reason] of this.#never) if (within(path, place)) return reason;
    return undefined;
  }

  /** The reason of the hidden entry that holds `path`, if one does; a folder as wide as /run holds others' things by right. */
  hiddenBecause(path: string): string | undefined {
    const around = this.#around(path);
    return around?.access === "hidden" && !this.isTooWide(around.path) ? around.reason : undefined;
  }

  /** The entry of the path, or of the nearest folder above it that has one. */
  #around(path: string): PlanEntry | undefined {
    return this.#entries.get(path) ?? nearestAbove(path, this.#entries);
  }

  /** Whether what lies at the path outside is there inside. */
  shows(path: string): boolean {
    const around = this.#around(path);
    return around === undefined || around.access === "read-only" || around.access === "writable";
  }

  /** Whether the agent can make the path itself. */
  isWritable(path: string): boolean {
    const around = this.#around(path);
    // A home below it is put together later, to read.
    if (around === undefined || this.#facts.homes.some((home) => within(path, home) && within(home, around.path))) return false;
    return around.access === "writable" || around.access === "empty";
  }

  /** Whether the path is so high up that it holds a home, or is a folder of the system. */
  isTooWide(path: string): boolean {
    return WHOLE.includes(path) || ALSO_WHOLE.includes(path) || this.#facts.homes.some((home) => within(home, path));
  }

  /** Folders, outside of writable ones and of what is not shown at all, that hold a hidden file: see `assemble`. */
  parentsOfHiddenFiles(): string[] {
    const parents = [...this.#entries.values()]
      .filter((entry) => entry.access === "hidden" && entry.kind === "file")
      .map((entry) => parentOf(entry.path));
    return [...new Set(parents)].filter((folder) => {
      if (within(folder, "/proc")) return false;
      const around = this.#around(folder);
      return !around || around.access === "read-only" || (around.access === "assembled" && around.path !== "/");
    });
  }

  /** All entries, parents before children, with a pin on every folder between a writable one and what is protected or hidden in it. */
  entries(): PlanEntry[] {
    for (const entry of [...this.#entries.values()])
      if (entry.access === "read-only" || entry.access === "hidden" || entry.access === "empty") this.#pinAbove(entry);
    return [...this.#entries.values()]
      .filter((entry) => !this.#isGoneAnyway(entry) && !this.#isInHidden(entry))
      .sort((left, right) => depth(left.path) - depth(right.path) || (left.path < right.path ? -1 : 1));
  }

  /** Whether the entry would open a part of what is hidden: a path that an agent chose (a link, a pointer) may have led there. */
  #isInHidden(entry: PlanEntry): boolean {
    if (entry.access === "hidden" || entry.opens) return false;
    for (let folder = parentOf(entry.path); folder !== "/"; folder = parentOf(folder)) {
      const around = this.#entries.get(folder);
      if (around?.opens) return false;
      if (around?.access === "hidden") return !this.isTooWide(folder);
    }
    return false;
  }

  /** Where nothing is shown but what is listed, what is hidden need not be listed. */
  #isGoneAnyway(entry: PlanEntry): boolean {
    // /proc is mounted anew in every sandbox, with all that the kernel puts there.
    if (entry.access !== "hidden" || !this.#entries.has("/") || within(entry.path, "/proc")) return false;
    const around = nearestAbove(entry.path, this.#entries)?.access;
    return around === "assembled" || around === "empty" || around === "hidden";
  }

  #pinAbove({ path, standIn }: PlanEntry): void {
    for (let folder = parentOf(path); folder !== "/"; folder = parentOf(folder)) {
      const own = this.#entries.get(folder);
      const around = own ?? nearestAbove(folder, this.#entries);
      if (around?.access !== "writable") return;
      const above = nearestAbove(folder, this.#entries);
      if (own && above?.access !== "writable") return;
      const reason = own?.reason ?? "a mount of its own, so that it can not be renamed away";
      const made = own === undefined && standIn !== undefined ? { standIn: "folder" as const } : {};
      this.#entries.set(folder, { ...made, ...(own ?? {}), path: folder, access: "writable", kind: "folder", reason, pinned: true });
    }
  }
}

function strength(entry: PlanEntry): number {
  return { hidden: 5, "read-only": 3, writable: 2, empty: 2, link: 1, assembled: 4 }[entry.access];
}
