// Carries out a plan on Linux with bubblewrap: turns it into bwrap's arguments and wraps a command with them. Pure; isolate.ts writes the files.
import type { Command } from "../core/command.ts";
import { CHANNEL_VARIABLES, listening, type Served } from "./loopback.ts";
import { ELSEWHERE } from "./own-cgroup.ts";
import { nearestAbove, within } from "./path.ts";
import type { IsolationPlan, PlanEntry } from "./plan.ts";

/** Files that the wrapped command reads at its start. They must exist before it is spawned. */
export interface LaunchFile {
  readonly path: string;
  readonly content: string | Uint8Array;
  readonly mode: number;
}

export interface BubblewrapOptions {
  /** Absolute path of bwrap. */
  readonly bwrap: string;
  /** A POSIX shell: it opens the two descriptors that bwrap reads, then becomes bwrap. */
  readonly sh: string;
  /** Start of the names of the files that are written for this command, in a private folder: `<folder>/isolation-1`. */
  readonly files: string;
  /** The compiled seccomp filter for this machine; undefined leaves system calls unfiltered. */
  readonly filter: Uint8Array | undefined;
  /** The program that joins a fresh session keyring, and then becomes bwrap; undefined keeps the human's. */
  readonly keyring: string | undefined;
  /** The program that is the first process inside, and starts the command; undefined leaves that to bwrap, whose own can be traced from inside. */
  readonly init: string | undefined;
  /** The folder of a cgroup that all of it is moved to; undefined leaves it in the launcher's. */
  readonly cgroup?: string | undefined;
  /** Loopback ports of a network of its own that are listened on inside and served from outside. */
  readonly served?: Served | undefined;
}

/** The same in every launch and in the probe: own namespaces, no privileges, dies with its parent, the controlling terminal kept. */
export const NAMESPACE_ARGUMENTS: readonly string[] = [
  ...["--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"],
  ...["--cap-drop", "ALL", "--die-with-parent"],
];

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
  const { served, init } = options;
  const args = [
    ...NAMESPACE_ARGUMENTS,
    ...(init === undefined ? [] : ["--as-pid-1"]),
    ...(plan.network === "own" ? ["--unshare-net"] : []),
    // The kernel's code that only an owner of a namespace reaches is out of reach then.
    ...(plan.nested ? [] : ["--disable-userns"]),
    ...mountArguments(plan, blank),
    ...workingFolder(plan, command),
    ...environment(command, served ? CHANNEL_VARIABLES : []),
  ];
  if (options.filter) args.push("--seccomp", "9");
  const files: LaunchFile[] = [
    { path: `${options.files}.args`, content: args.map((each) => `${each}\0`).join(""), mode: 0o600 },
    { path: blank, content: "", mode: 0o444 },
  ];
  if (options.filter) files.push({ path: `${options.files}.seccomp`, content: options.filter, mode: 0o600 });
  const { aside } = command;
  const words = aside === undefined ? "" : ` ${aside.stderr}>&2 2>&${aside.to}`;
  const joins =
    options.cgroup === undefined
      ? ""
      : `echo 0 >${quoted(options.cgroup)}/cgroup.procs||{ echo 'agent-run: hint: ${ELSEWHERE}' >&2;exit 125;};`;
  const script = `${joins}exec "$@"${words} 8<"$0.args"${options.filter ? ' 9<"$0.seccomp"' : ""}`;
  const program = [...(init === undefined ? [command.file] : onPath(command.file)), ...command.args];
  const inner = [...(init === undefined ? [] : [init]), ...(served ? listening(served, program) : program)];
  const argsWith = (more: readonly string[]): string[] => {
    const outer = [...(options.keyring === undefined ? [] : [options.keyring]), options.bwrap];
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

/** bwrap's arguments for the plan's mounts, in order. `blank` is an empty file that covers hidden files. */
export function mountArguments(plan: IsolationPlan, blank: string): string[] {
  const entries = new Map(plan.entries.map((entry) => [entry.path, entry]));
  const mounts = (anew: boolean): string[] =>
    plan.entries
      .filter((entry) => isMountedAnew(entry.path) === anew)
      .flatMap((entry) => {
        const above = nearestAbove(entry.path, entries);
        // What is around /dev and /proc says nothing of what is in them.
        return mountsOf(entry, anew && above && !isMountedAnew(above.path) ? undefined : above, blank);
      });
  const closed = plan.entries.filter((entry) => entry.access === "assembled" || isHiddenFolder(entry, nearestAbove(entry.path, entries)));
  return [
    // A plan that lists all that is there begins with an empty root of its own.
    ...(entries.has("/") ? [] : ["--ro-bind", "/", "/"]),
    ...mounts(false),
    // bwrap reads the whole list of mounts for each bind: what it can do later, it does cheaper later.
    ...["--dev", "/dev", "--proc", "/proc"],
    ...mounts(true),
    // Children are mounted by now: what is left of these folders takes no new files.
    ...closed.flatMap((entry) => ["--remount-ro", entry.path]),
  ];
}

/** Every sandbox has a /dev and a /proc of its own. */
function isMountedAnew(path: string): boolean {
  return within(path, "/dev") || within(path, "/proc");
}

/**
 * What vanished since the machine was looked at must not break the launch where it is only shown (`-try`); where a mount protects or covers
 * something, a failure is one.
 */
function mountsOf(entry: PlanEntry, above: PlanEntry | undefined, blank: string): string[] {
  const shown = above?.access ?? "read-only";
  const gone = shown === "hidden" || shown === "empty" || shown === "assembled";
  const { path } = entry;
  const source = entry.source ?? path;
  switch (entry.access) {
    case "hidden":
      if (gone && !isHiddenFolder(entry, above)) return [];
      return entry.kind === "folder" ? ["--tmpfs", path] : ["--ro-bind", blank, path];
    case "assembled":
      return ["--tmpfs", path];
    case "empty":
      return ["--tmpfs", path];
    case "link":
      return ["--symlink", entry.target ?? "", path];
    case "writable":
      if (gone) return ["--bind-try", source, path];
      return shown === "read-only" || entry.pinned ? ["--bind", source, path] : [];
    case "read-only":
      if (gone) return ["--ro-bind-try", source, path];
      return shown === "writable" ? ["--ro-bind", source, path] : [];
  }
}

/** A hidden folder needs a mount of its own unless what is around it leaves it out. */
function isHiddenFolder(entry: PlanEntry, above: PlanEntry | undefined): boolean {
  if (entry.access !== "hidden" || entry.kind !== "folder") return false;
  return above === undefined || above.access === "read-only" || above.access === "writable";
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
