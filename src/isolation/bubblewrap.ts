// Carries out a plan on Linux with bubblewrap: turns it into bwrap's arguments and wraps a command with them. Pure; isolate.ts writes the files.
import type { Channel, Command } from "../core/command.ts";
import { type Call, callList, LIST_FD, NEXT_LIST_FD } from "./call-list.ts";
import { listenCalls } from "./listen-calls.ts";
import type { Arch } from "./machine-code.ts";
import { type Mount, type Mounts, mountsOf } from "./mounts.ts";
import { ELSEWHERE } from "./own-cgroup.ts";
import { within } from "./path.ts";
import type { IsolationPlan } from "./plan.ts";
import { type Prelude, preludeCalls } from "./prelude-calls.ts";

/** Files that the wrapped command reads at its start. They must exist before it is spawned. */
export interface LaunchFile {
  readonly path: string;
  readonly content: string | Uint8Array;
  readonly mode: number;
}

export interface BubblewrapOptions {
  /** Absolute path of bwrap. */
  readonly bwrap: string;
  /** A POSIX shell: it opens the descriptors that the prelude and bwrap read, then becomes the first of them. */
  readonly sh: string;
  /** Start of the names of the files that are written for this command, in a private folder: `<folder>/isolation-1`. */
  readonly files: string;
  /** The compiled seccomp filter for this machine; undefined leaves system calls unfiltered. */
  readonly filter: Uint8Array | undefined;
  /** What goes before bwrap; undefined keeps the human's session keyring and leaves all mounts to bwrap. */
  readonly prelude: Prelude | undefined;
  /** The program that is the first process inside, and starts the command; undefined leaves that to bwrap, whose own can be traced from inside. */
  readonly init: string | undefined;
  /** The folder of a cgroup that all of it is moved to; undefined leaves it in the launcher's. */
  readonly cgroup?: string | undefined;
  /** Loopback ports of a network of its own that are listened on inside and served from outside. */
  readonly served?: Served | undefined;
}

/** Ports that are listened on inside and answered outside. */
export interface Served {
  readonly ports: readonly number[];
  /** The program of prelude.ts, for `arch`: it listens. */
  readonly program: string;
  readonly arch: Arch;
  /** Takes over what it hands out. */
  readonly attach: Channel["attach"];
}

/** The same in every launch and in the probe: own namespaces, no privileges, dies with its parent, the controlling terminal kept. */
export const NAMESPACE_ARGUMENTS: readonly string[] = [
  ...["--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"],
  ...["--cap-drop", "ALL", "--die-with-parent"],
];

/** What Node sets for a child that it has a channel to. */
export const CHANNEL_VARIABLES = ["NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE"];

/** Variables that the shell in between, or bwrap, would change. */
const TOUCHED_BY_SHELLS = ["PWD", "OLDPWD", "SHLVL", "_"];

/**
 * Wraps `command` so that it runs inside the plan. The result keeps the terminal, standard streams, environment and exit status of the command (a
 * signal that ends it becomes status 128+n). Its process must not be in the terminal's foreground group together with the agent: the outer bwrap
 * would die of the Ctrl-C that the agent handles. docs/isolation.md says how the launcher sees to that.
 */
export function bubblewrapCommand(
  plan: IsolationPlan,
  command: Command,
  options: BubblewrapOptions,
): { command: Command; files: LaunchFile[] } {
  const blank = `${options.files}.blank`;
  const { served, init, prelude } = options;
  const mounts = mountsOf(plan.entries, blank, plan.kept);
  const root = prelude?.root;
  const args = [
    ...NAMESPACE_ARGUMENTS,
    ...(init === undefined ? [] : ["--as-pid-1"]),
    ...(plan.network === "own" ? ["--unshare-net"] : []),
    // The kernel's code that only an owner of a namespace reaches is out of reach then.
    ...(plan.nested ? [] : ["--disable-userns"]),
    ...(root === undefined ? mountArguments(mounts) : rootArguments(mounts, root)),
    ...workingFolder(plan, command),
    ...environment(command, served ? CHANNEL_VARIABLES : []),
  ];
  if (options.filter) args.push("--seccomp", "9");
  const files: LaunchFile[] = [
    { path: `${options.files}.args`, content: args.map((each) => `${each}\0`).join(""), mode: 0o600 },
    { path: blank, content: "", mode: 0o444 },
  ];
  if (options.filter) files.push({ path: `${options.files}.seccomp`, content: options.filter, mode: 0o600 });
  const list = (name: string, arch: Arch, calls: readonly Call[]): void =>
    void files.push({ path: `${options.files}.${name}`, content: callList(arch, calls), mode: 0o600 });
  if (prelude) list("calls", prelude.arch, preludeCalls(mounts, prelude, plan.abstractSockets === "own", served !== undefined));
  if (served) list("inside", served.arch, listenCalls(served.ports));
  const { aside } = command;
  const words = aside === undefined ? "" : ` ${aside.stderr}>&2 2>&${aside.to}`;
  const joins =
    options.cgroup === undefined
      ? ""
      : `echo 0 >${quoted(options.cgroup)}/cgroup.procs||{ echo 'agent-run: hint: ${ELSEWHERE}' >&2;exit 125;};`;
  const opens = [
    ...[`8<"$0.args"`, ...(options.filter ? [`9<"$0.seccomp"`] : [])],
    ...[...(prelude ? [`${LIST_FD}<"$0.calls"`] : []), ...(served ? [`${prelude ? NEXT_LIST_FD : LIST_FD}<"$0.inside"`] : [])],
  ];
  const script = `${joins}exec "$@"${words} ${opens.join(" ")}`;
  const program = [...(init === undefined ? [command.file] : onPath(command.file)), ...command.args];
  const inner = [...(init === undefined ? [] : [init]), ...(served ? [served.program] : []), ...program];
  const argsWith = (more: readonly string[]): string[] => {
    const outer = [...(prelude ? [prelude.program] : []), options.bwrap];
    const start = ["-c", script, options.files, ...outer, "--args", "8", ...more, "--"];
    return [...start, ...inner];
  };
  // What `--args` names is read, as a list of arguments, and closed: the caller puts an empty file there.
  const argsClosing = (descriptors: readonly number[]): string[] => argsWith(descriptors.flatMap((each) => ["--args", String(each)]));
  return {
    command: {
      file: options.sh,
      args: argsWith([]),
      cwd: command.cwd,
      env: command.env,
      argsClosing,
      ...(served ? { channel: { attach: served.attach } } : {}),
    },
    files,
  };
}

/** For a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Our first process starts a path alone: a shell looks up what is none. */
function onPath(file: string): string[] {
  return file.startsWith("/") ? [file] : ["/bin/sh", "-c", 'exec "$0" "$@"', file];
}

/** bwrap's arguments for all of the plan's mounts, in order. */
export function mountArguments({ ownRoot, system, inDev, inProc, closed }: Mounts): string[] {
  return [
    ...(ownRoot ? [] : ["--ro-bind", "/", "/"]),
    ...system.flatMap(mountArgument),
    // bwrap reads the whole list of mounts for each bind: what it can do later, it does cheaper later.
    ...["--dev", "/dev", "--proc", "/proc"],
    ...[...inDev, ...inProc].flatMap(mountArgument),
    // Children are mounted by now: what is left of these folders takes no new files.
    ...closed.flatMap((path) => ["--remount-ro", path]),
  ];
}

/** The same where all but /proc, which is that of the PID namespace, was put together at `root` before: see prelude-calls.ts. */
function rootArguments({ inProc, closed }: Mounts, root: string): string[] {
  return [
    ...["--dev-bind", root, "/", "--proc", "/proc"],
    ...inProc.flatMap(mountArgument),
    ...closed.filter((path) => within(path, "/proc")).flatMap((path) => ["--remount-ro", path]),
  ];
}

function mountArgument(mount: Mount): string[] {
  const { path } = mount;
  if (mount.kind === "fresh") return ["--tmpfs", path];
  if (mount.kind === "link") return ["--symlink", mount.target, path];
  return [`--${mount.writable ? "" : "ro-"}bind${mount.mayBeGone ? "-try" : ""}`, mount.source, path];
}

/** Programs look at PWD to show the path as the human typed it; kept where that path leads to the same folder inside. */
function workingFolder(plan: IsolationPlan, command: Command): string[] {
  const emptied = plan.entries.some((entry) => entry.access === "empty" && within(command.cwd, entry.path));
  return ["--chdir", emptied ? plan.cwd : command.cwd];
}

function environment(command: Command, added: readonly string[]): string[] {
  const touched = TOUCHED_BY_SHELLS.flatMap((name) => {
    const value = command.env[name];
    return value === undefined ? ["--unsetenv", name] : ["--setenv", name, value];
  });
  return [...touched, ...added.flatMap((name) => ["--unsetenv", name])];
}
