// Whether the mounts of a sandbox are all there, where the plan has them, and show what it says as it says: both ways of mounting follow links, and an agent of another
// session can put one in a folder's place meanwhile. Pure; isolate.ts reads the two tables, before the agent may start.

import { mountsOf } from "./mounts.ts";
import { nearestAbove, within } from "./path.ts";
import type { Kept, PlanEntry } from "./plan.ts";

/** A line of proc(5) `/proc/pid/mountinfo`. */
interface Mount {
  readonly id: string;
  readonly parent: string;
  readonly device: string;
  /** Which part of the file system it shows. */
  readonly root: string;
  readonly point: string;
  /** With a comma before and behind each. */
  readonly options: string;
  readonly type: string;
}

/** One of the machine's, for prelude-calls.ts. */
export type MachineMount = Pick<Mount, "point" | "type">;

/** @param table `/proc/self/mountinfo` */
export function machineMounts(table: string): MachineMount[] {
  return table.split("\n").flatMap((line) => parse(line) ?? []);
}

class MountTable {
  readonly mounts: readonly Mount[];
  /** By the mount that each is on, then by its place. */
  readonly #on = new Map<string, Map<string, Mount>>();
  readonly #first: Mount | undefined;

  constructor(text: string) {
    this.mounts = text.split("\n").flatMap((line) => parse(line) ?? []);
    const ids = new Set(this.mounts.map(({ id }) => id));
    this.#first = this.mounts.find(({ parent, id }) => !ids.has(parent) || parent === id);
    for (const mount of this.mounts) {
      if (mount === this.#first) continue;
      const beside = this.#on.get(mount.parent) ?? new Map<string, Mount>();
      this.#on.set(mount.parent, beside.set(mount.point, beside.get(mount.point) ?? mount));
    }
  }

  /** The mount that `path` lies in, as it is seen: under others that were mounted over it there is nothing. */
  at(path: string): Mount | undefined {
    const places = foldersTo(path);
    let mount = this.#first;
    for (let next = mount; next !== undefined; ) {
      mount = next;
      const on: ReadonlyMap<string, Mount> | undefined = this.#on.get(next.id);
      const place = on && places.find((each) => on.has(each));
      next = place === undefined ? undefined : on?.get(place);
    }
    return mount !== undefined && within(path, mount.point) ? mount : undefined;
  }
}

/** `/`, `/a`, `/a/b`. */
function foldersTo(path: string): string[] {
  const places = ["/"];
  for (let end = path.indexOf("/", 1); end > 0; end = path.indexOf("/", end + 1)) places.push(path.slice(0, end));
  return path === "/" ? places : [...places, path];
}

/** Id, parent, device, root, point, options, then any number of optional fields, a dash, the type. */
const LINE = /^(\d+) (\d+) (\S+) (\S+) (\S+) (\S+) .*?- (\S+) /;

function parse(line: string): Mount | undefined {
  const [, id = "", parent = "", device = "", root = "", point = "", options = "", type = ""] = LINE.exec(line) ?? [];
  return id === "" ? undefined : { id, parent, device, root: plain(root), point: plain(point), options: `,${options},`, type };
}

/** Blanks, tabs, line ends and backslashes are octal there. */
const plain = (text: string): string =>
  text.includes("\\") ? text.replace(/\\([0-7]{3})/g, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))) : text;

/** What a file is called there that was replaced since it was mounted: it is still the one that was meant. */
const REPLACED = "//deleted";

/**
 * What tells the path of a mount that is not as planned, or is not there, or undefined when all are, from `/proc/<a process in the sandbox>/mountinfo` and the files that
 * cover hidden ones. Made ahead, while there is time.
 * @param outside the machine's table: the launcher's own
 * @param kept of the plan too: links that may have a mount each
 */
export function misplacedMounts(
  entries: readonly PlanEntry[],
  outside: string,
  kept: readonly Kept[] = [],
): (inside: string, blanks: readonly string[]) => string | undefined {
  const machine = new MountTable(outside);
  const devices = new Set(machine.mounts.map(({ device }) => device));
  const planned = new Map(entries.map((entry) => [entry.path, entry]));
  const shows = ({ device, root }: Mount, source: string): boolean => {
    const there = machine.at(source);
    // A root that is no mount (chroot(2)): what is around it is not known here.
    if (there === undefined) return true;
    const expected = joined(there.root, source.slice(there.point === "/" ? 0 : there.point.length));
    return device === there.device && (root === expected || root === `${expected}${REPLACED}`);
  };
  const isRight = (mount: Mount, blanks: readonly string[]): boolean => {
    const { point } = mount;
    const isOwn = within(point, "/dev") || within(point, "/proc");
    const entry = planned.get(point);
    if (entry !== undefined) {
      const { access, kind, source = point } = entry;
      if (access === "link" || (!isOwn && !isHeld(mount, access))) return false;
      if (access === "read-only" || access === "writable") return shows(mount, source);
      if (kind === "file") return blanks.some((blank) => shows(mount, blank));
      // The machine's own /run is one too.
      return mount.type === "tmpfs" && mount.root === "/" && !devices.has(mount.device);
    }
    if (point === "/") return isHeld(mount, "read-only") && shows(mount, "/");
    // What every sandbox has of its own, as bubblewrap makes it.
    if (isOwn) return true;
    if (links.includes(point)) return isHeld(mount, "read-only") && shows(mount, point);
    // A mount of the machine's that came along with what is around it.
    const around = nearestAbove(point, planned);
    if (around !== undefined && around.access !== "read-only" && around.access !== "writable") return false;
    const source = around === undefined ? point : `${around.source ?? around.path}${point.slice(around.path.length)}`;
    return machine.at(source)?.point === source && shows(mount, source);
  };
  // What is only shown may have vanished meanwhile, and is not there then.
  const { system, inDev, inProc, links } = mountsOf(entries, "", kept);
  const needed = [...system, ...inDev, ...inProc].filter((mount) => mount.kind === "fresh" || (mount.kind === "shown" && !mount.mayBeGone));
  return (inside, blanks) => {
    const sandbox = new MountTable(inside);
    return (
      sandbox.mounts.find((mount) => sandbox.at(mount.point) === mount && !isRight(mount, blanks))?.point ??
      needed.find(({ path }) => sandbox.at(path)?.point !== path)?.path
    );
  };
}

/** Whether the kernel holds what is in it to that. */
function isHeld({ options }: Mount, access: PlanEntry["access"]): boolean {
  const isOpen = access === "writable" || access === "empty";
  return options.includes(",nosuid,") && options.includes(",nodev,") && (isOpen || options.includes(",ro,"));
}

const joined = (root: string, rest: string): string => (root === "/" ? rest || "/" : `${root}${rest}`);
