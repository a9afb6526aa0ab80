// What the program before bubblewrap does: leaves the session keyring and the machine's abstract sockets, and puts the sandbox's whole file system together at one
// folder, which bwrap then takes as its root. bwrap reads the table of all mounts for each one that it makes; here each is three calls of mount(2)'s newer family (Linux 5.12). Pure.
import { type Call, LIST_FD, NEXT_LIST_FD } from "./call-list.ts";
import type { Arch } from "./machine-code.ts";
import type { MachineMount } from "./mounted.ts";
import type { Mount, Mounts } from "./mounts.ts";
import { KEYRING_REFUSED } from "./own-programs.ts";
import { nearestAbove, parentOf, within } from "./path.ts";

/** linux/mount.h, linux/fcntl.h, linux/sched.h, linux/keyctl.h, asm-generic/errno-base.h and ioctls.h; named as there. */
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
const AT_RECURSIVE = 0x8000;
const OPEN_TREE_CLONE = 1;
const O_CLOEXEC = 0o2000000;
const [O_WRONLY, O_NOCTTY, O_NONBLOCK] = [1, 0o400, 0o4000];
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const [MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV] = [1, 2, 4];
const [MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_UNBINDABLE, MS_PRIVATE] = [2, 4, 8, 1 << 17, 1 << 18];
const CLONE_NEWUSER_NEWNS = 0x1002_0000;
const KEYCTL_JOIN_SESSION_KEYRING = 1;
const S_IFREG = 0o100000;
const [TCGETS, TIOCGSID] = [0x5401, 0x5429];
const [ENOENT, EEXIST] = [2, 17];

/** struct mount_attr: what is set, what is cleared, propagation, a user namespace; eight bytes each. */
const attributes = (set: number, propagation = 0): Uint8Array => {
  const made = new Uint8Array(32);
  new DataView(made.buffer).setUint32(0, set, true);
  new DataView(made.buffer).setUint32(16, propagation, true);
  return made;
};
/** What is mounted in it later does not come along, nor goes what is unmounted. */
const READ_ONLY = attributes(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, MS_PRIVATE);
const WRITABLE = attributes(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, MS_PRIVATE);
const DEVICE = attributes(MOUNT_ATTR_NOSUID, MS_PRIVATE);
/** It goes on as the machine's own: see `follows`. */
const [READ_ONLY_FOLLOWING, WRITABLE_FOLLOWING] = [READ_ONLY, WRITABLE].map((each) => attributes(each[0] ?? 0)) as [Uint8Array, Uint8Array];
const CLOSED = attributes(MOUNT_ATTR_RDONLY);
const ATTRIBUTES_SIZE = READ_ONLY.length;
/** linux/landlock.h, struct landlock_ruleset_attr: no files, no network, LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET; eight bytes each. */
const OWN_SOCKETS = Uint8Array.from({ length: 24 }, (_, index) => (index === 16 ? 1 : 0));

export interface Prelude {
  /** The program of prelude.ts, for `arch`. */
  readonly program: string;
  readonly arch: Arch;
  /** Whether a fresh session keyring takes the place of the human's. */
  readonly keyring: boolean;
  /** The empty folder at which it puts the file system together; undefined where bwrap does. */
  readonly root: string | undefined;
  readonly uid: number;
  readonly gid: number;
  /** The machine's own mounts. */
  readonly machine?: readonly MachineMount[];
}

const refused = (what: string): string =>
  `agent-run: error: ${what} (start again; if it stays so, agent-run doctor tries a sandbox out): the kernel ended it with errno `;

/**
 * Without a `root` all mounts are left to bwrap; else it is an empty folder, absolute, on which the sandbox's root is mounted, complete but for /proc. That is in user
 * and mount namespaces of its own, in which bwrap makes those of the sandbox: they end with it.
 * @param ownSockets whether abstract sockets of the machine are out of reach, where the kernel knows how (Linux 6.12) and there is a `root`
 * @param isFollowed whether another list, for the program inside, waits to be found at the same descriptor
 */
export function preludeCalls(
  mounts: Mounts,
  { keyring, root, uid, gid, machine = [] }: Omit<Prelude, "program" | "arch">,
  ownSockets: boolean,
  isFollowed = false,
): Call[] {
  const says = refused("its list cannot be closed");
  return [
    // keyctl(2), KEYCTL_JOIN_SESSION_KEYRING without a name: a new, empty one, which all that is started from here on inherits. Nothing in the old one is possessed
    // any more then, neither by a program nor where the kernel itself looks for a key.
    ...(keyring ? [{ name: "keyctl", args: [KEYCTL_JOIN_SESSION_KEYRING, 0], says: KEYRING_REFUSED } as const] : []),
    ...(root === undefined ? [] : [...namespaces(uid, gid), ...mountCalls(mounts, root, machine), ...(ownSockets ? scoped() : [])]),
    // bwrap must not inherit it.
    ...(isFollowed ? [{ name: "dup3", args: [NEXT_LIST_FD, LIST_FD, 0], says } as const] : []),
    { name: "close", args: [isFollowed ? NEXT_LIST_FD : LIST_FD], says },
  ];
}

/** user_namespaces(7): who gives up setgroups(2) may map its own group. */
function namespaces(uid: number, gid: number): Call[] {
  const says = refused("there are no user and mount namespaces for the sandbox");
  const write = (file: string, text: string): Call[] => [
    { name: "openat", args: [AT_FDCWD, `/proc/self/${file}`, O_WRONLY | O_CLOEXEC, 0], says, keeps: true },
    { name: "write", args: [0, text, text.length], says, takes: true },
    { name: "close", args: [0], says, takes: true },
  ];
  return [
    { name: "unshare", args: [CLONE_NEWUSER_NEWNS], says },
    ...write("setgroups", "deny"),
    ...write("uid_map", `${uid} ${uid} 1`),
    ...write("gid_map", `${gid} ${gid} 1`),
  ];
}

/** landlock(7): whoever may in their user namespace leaves the machine's abstract sockets, and all that they start does. An older kernel, or one without Landlock, refuses. */
function scoped(): Call[] {
  const says = refused("the machine's abstract sockets cannot be left");
  return [
    { name: "landlock_create_ruleset", args: [OWN_SOCKETS, OWN_SOCKETS.length, 0], says, keeps: true, allowed: "any", skips: 2 },
    { name: "landlock_restrict_self", args: [0, 0], says, takes: true },
    { name: "close", args: [0], says, takes: true },
  ];
}

function mountCalls({ ownRoot, system, inDev, closed, links }: Mounts, root: string, mounted: readonly MachineMount[]): Call[] {
  const says = refused("the sandbox's file system cannot be put together");
  const tree = new Tree(root, mounted);
  const machine = { kind: "shown", path: "/", source: "/", of: "folder", writable: false, mayBeGone: false } as const;
  const [first = machine, ...rest] = ownRoot ? system : [machine, ...system];
  return [
    ...tree.mount(first),
    // What is mounted below it must not come along where a folder around it is shown.
    { name: "mount", args: [0, root, 0, MS_UNBINDABLE, 0], says },
    ...rest.flatMap((mount) => tree.mount(mount)),
    ...links.flatMap((path) => tree.link(path)),
    ...tree.devices(),
    ...inDev.flatMap((mount) => tree.mount(mount)),
    ...tree.folders("/proc"),
    ...closed.flatMap((path): Call[] => {
      return within(path, "/proc") ? [] : [{ name: "mount_setattr", args: [AT_FDCWD, tree.at(path), 0, CLOSED, ATTRIBUTES_SIZE], says }];
    }),
    { name: "mount", args: [0, root, 0, MS_PRIVATE, 0], says },
  ];
}

/** Knows which mount each place lies in: in a fresh folder it must be made first, elsewhere it is there. */
class Tree {
  readonly #root: string;
  readonly #machine: readonly MachineMount[];
  readonly #mounted = new Map<string, Mount["kind"]>();
  readonly #made = new Set<string>();

  constructor(root: string, machine: readonly MachineMount[]) {
    this.#root = root;
    this.#machine = machine;
  }

  at(path: string): string {
    return path === "/" ? this.#root : this.#root + path;
  }

  mount(mount: Mount): Call[] {
    const { path } = mount;
    const says = refused(`${path} cannot be put into the sandbox`);
    if (mount.kind === "shown") return this.#shown(mount);
    if (mount.kind === "link")
      return [...this.folders(parentOf(path)), { name: "symlinkat", args: [mount.target, AT_FDCWD, this.at(path)], says }];
    const made = this.folders(path);
    this.#mounted.set(path, "fresh");
    return [...made, { name: "mount", args: ["tmpfs", this.at(path), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755"], says }];
  }

  /** It cannot be removed or renamed then. Where it is gone by now, or the kernel mounts on no link, it is put back at the end all the same. */
  link(path: string): Call[] {
    const says = refused(`${path} cannot be put into the sandbox`);
    const rest: Call[] = [
      { name: "mount_setattr", args: [0, "", AT_EMPTY_PATH, READ_ONLY, ATTRIBUTES_SIZE], says, takes: true },
      { name: "move_mount", args: [0, "", AT_FDCWD, this.at(path), MOVE_MOUNT_F_EMPTY_PATH], says, takes: true, allowed: "any" },
      { name: "close", args: [0], says, takes: true },
    ];
    const flags = OPEN_TREE_CLONE | AT_SYMLINK_NOFOLLOW | O_CLOEXEC;
    return [{ name: "open_tree", args: [AT_FDCWD, path, flags], says, keeps: true, allowed: "any", skips: rest.length }, ...rest];
  }

  /** Its source is looked up in the machine's own tree, where nothing has changed; a link that was put into it meanwhile is met by mounted.ts, as bwrap's is. */
  #shown(mount: Mount & { readonly kind: "shown" }, attributes?: Uint8Array): Call[] {
    const { path, source, of, writable } = mount;
    const following = this.#follows(source);
    const [read, write] = following ? [READ_ONLY_FOLLOWING, WRITABLE_FOLLOWING] : [READ_ONLY, WRITABLE];
    const attr = attributes ?? (writable ? write : read);
    const says = refused(`${path} cannot be put into the sandbox`);
    const place = of === "folder" ? this.folders(path) : this.#file(path);
    this.#mounted.set(path, "shown");
    const rest: Call[] = [
      ...place,
      { name: "mount_setattr", args: [0, "", AT_EMPTY_PATH | AT_RECURSIVE, attr, ATTRIBUTES_SIZE], says, takes: true },
      { name: "move_mount", args: [0, "", AT_FDCWD, this.at(path), MOVE_MOUNT_F_EMPTY_PATH], says, takes: true },
      { name: "close", args: [0], says, takes: true },
    ];
    const flags = OPEN_TREE_CLONE | AT_RECURSIVE | O_CLOEXEC;
    const gone = mount.mayBeGone ? { allowed: ENOENT, skips: rest.length } : {};
    return [{ name: "open_tree", args: [AT_FDCWD, source, flags], says, keeps: true, ...gone }, ...rest];
  }

  /**
   * Whether what is mounted and unmounted there meanwhile comes and goes inside too, writable as it is: only where something is mounted in it already, so that the
   * human can unmount that, or where an automounter mounts. Of the whole machine what lies on its root's file system never does.
   */
  #follows(source: string): boolean {
    return this.#machine.some(({ point, type }) => {
      if (!within(point, source) || within(point, "/proc")) return false;
      return type === "autofs" || (source !== "/" && point !== source);
    });
  }

  /** The folder and those above it, as far as they lie in fresh ones. */
  folders(path: string): Call[] {
    if (this.#made.has(path) || this.#mounted.has(path) || this.#isThere(path)) return [];
    this.#made.add(path);
    const says = refused(`${path} cannot be made in the sandbox`);
    return [...this.folders(parentOf(path)), { name: "mkdirat", args: [AT_FDCWD, this.at(path), 0o755], says, allowed: EEXIST }];
  }

  /** As bubblewrap's `--dev`: the devices that every program expects, and terminals of its own. */
  devices(): Call[] {
    const says = refused("/dev cannot be put into the sandbox");
    const link = (target: string, name: string): Call => ({ name: "symlinkat", args: [target, AT_FDCWD, this.at(`/dev/${name}`)], says });
    const device = (name: string): Call[] =>
      this.#shown({ kind: "shown", path: `/dev/${name}`, source: `/dev/${name}`, of: "file", writable: true, mayBeGone: false }, DEVICE);
    return [
      ...this.mount({ kind: "fresh", path: "/dev" }),
      ...["null", "zero", "full", "random", "urandom", "tty"].flatMap(device),
      ...["stdin", "stdout", "stderr"].map((name, index) => link(`/proc/self/fd/${index}`, name)),
      ...[link("/proc/self/fd", "fd"), link("/proc/kcore", "core"), link("pts/ptmx", "ptmx")],
      ...[...this.folders("/dev/pts"), ...this.folders("/dev/shm")],
      { name: "mount", args: ["devpts", this.at("/dev/pts"), "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620"], says },
      ...this.#console(says),
    ];
  }

  /**
   * The terminal that the agent has, under the one name that ttyname(3) still finds: its own is of another /dev/pts. What stdout's name leads to must be the
   * controlling terminal (ioctl_tty(2), TIOCGSID): in a container it can be another one's. Where it cannot be told (it is another user's, after su; it has hung up),
   * there is no such name.
   */
  #console(says: string): Call[] {
    const [path, name, answer] = [this.at("/dev/console"), new Uint8Array(4096), new Uint8Array(64)];
    const shows: Call[] = [
      { name: "close", args: [0], says, takes: true },
      { name: "open_tree", args: [AT_FDCWD, name, OPEN_TREE_CLONE | O_CLOEXEC], says, keeps: true },
      { name: "mknodat", args: [AT_FDCWD, path, S_IFREG | 0o666, 0], says },
      { name: "mount_setattr", args: [0, "", AT_EMPTY_PATH, DEVICE, ATTRIBUTES_SIZE], says, takes: true },
      { name: "move_mount", args: [0, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH], says, takes: true },
      { name: "close", args: [0], says, takes: true },
    ];
    const opens: Call[] = [
      { name: "readlinkat", args: [AT_FDCWD, "/proc/self/fd/1", name, name.length - 1], says },
      {
        ...{ name: "openat", args: [AT_FDCWD, name, O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0], says, keeps: true },
        ...{ allowed: "any", skips: 1 + shows.length },
      },
      { name: "ioctl", args: [0, TIOCGSID, answer], says, takes: true, allowed: "any", skips: shows.length },
    ];
    const skips = opens.length + shows.length;
    return [{ name: "ioctl", args: [1, TCGETS, answer], says, allowed: "any", skips }, ...opens, ...shows];
  }

  #file(path: string): Call[] {
    if (this.#isThere(path)) return [];
    const says = refused(`${path} cannot be made in the sandbox`);
    return [
      ...this.folders(parentOf(path)),
      { name: "mknodat", args: [AT_FDCWD, this.at(path), S_IFREG | 0o644, 0], says, allowed: EEXIST },
    ];
  }

  #isThere(path: string): boolean {
    return path === "/" || nearestAbove(path, this.#mounted) !== "fresh";
  }
}
