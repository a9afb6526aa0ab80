// Carries out a plan on macOS: as a profile for sandbox-exec, in Apple's own language for them (SBPL). Pure; isolate.ts writes the file.
// Of two rules that match, the later counts; a rename counts as file-write-unlink of what is moved. What it cannot do is in docs/isolation.md.
import type { Command } from "../core/command.ts";
import type { LaunchFile } from "./bubblewrap.ts";
import { nearestAbove, parentOf, within } from "./path.ts";
import type { IsolationPlan, PlanEntry } from "./plan.ts";
import { SANDBOX_EXEC } from "./sandbox-exec.ts";

export interface SeatbeltOptions {
  /** Start of the names of the files that are written for this command: `<folder>/isolation-1`. */
  readonly files: string;
  /** A private folder that stands in for the temp folders. */
  readonly temp: string;
  /** Whether the keychain was given back: isolation.allow = "vaults". */
  readonly keychain: boolean;
  /** Of the machine's loopback: what is in reach of a network of its own. */
  readonly ports: readonly number[];
}

/** What programs need of the system to work at all: users and groups, certificates' validity, logs, fonts, notices of changes. */
const SERVICES = [
  "com.apple.system.opendirectoryd.libinfo",
  "com.apple.system.opendirectoryd.membership",
  "com.apple.system.notification_center",
  "com.apple.system.logger",
  "com.apple.logd",
  "com.apple.trustd.agent",
  "com.apple.trustd",
  "com.apple.bsd.dirhelper",
  "com.apple.FontObjectsServer",
  "com.apple.fonts",
  "com.apple.SystemConfiguration.configd",
  "com.apple.SystemConfiguration.DNSConfiguration",
  "com.apple.networkd",
];
const KEYCHAIN_SERVICES = ["com.apple.SecurityServer", "com.apple.securityd.xpc", "com.apple.security.agent"];

/** Devices that any program uses; the terminal's own comes through its descriptors. */
const DEVICES = ["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx"];

/** Wraps `command`: the process that is started becomes it. Environment, terminal and exit status are its own. */
export function seatbeltCommand(
  plan: IsolationPlan,
  command: Command,
  options: SeatbeltOptions,
): { command: Command; files: LaunchFile[] } {
  const file = `${options.files}.sb`;
  return {
    command: {
      ...command,
      file: SANDBOX_EXEC,
      args: ["-f", file, command.file, ...command.args],
      env: { ...command.env, TMPDIR: options.temp },
    },
    files: [{ path: file, content: seatbeltProfile(plan, options), mode: 0o600 }],
  };
}

/** The profile's text. */
export function seatbeltProfile(plan: IsolationPlan, { temp, keychain, ports }: Omit<SeatbeltOptions, "files">): string {
  const services = [...SERVICES, ...(keychain ? KEYCHAIN_SERVICES : [])];
  const entries = new Map(plan.entries.map((entry) => [entry.path, entry]));
  return `${[
    "(version 1)",
    "(deny default)",
    "; its own processes, and no others",
    "(allow process-exec process-fork)",
    "(allow process-info* signal mach-priv-task-port (target same-sandbox))",
    "(allow sysctl-read user-preference-read ipc-posix-sem ipc-posix-shm iokit-get-properties pseudo-tty)",
    `(allow mach-lookup ${services.map((name) => `(global-name ${quoted(name)})`).join(" ")})`,
    "; files: first all of it, then what the plan says, parents before children",
    "(allow file-read* file-test-existence)",
    `(allow file-write* file-ioctl ${DEVICES.map(literal).join(" ")} (regex #"^/dev/(ttys[0-9]+|fd/[0-9]+)$"))`,
    ...plan.entries.flatMap((entry) => rulesOf(entry)),
    // What a mount can not hold, a rule can.
    ...plan.kept.map(({ path, target }) => `(deny file-write* ${target === undefined ? subpath(path) : literal(path)})`),
    ...unmovable(plan, entries),
    "; in place of the temp folders",
    `(allow file-read* file-write* ${subpath(temp)})`,
    "; how a program finds its way to a folder that is shown in one that is not",
    "(allow file-read-metadata)",
    ...network(plan, ports),
  ].join("\n")}\n`;
}

function rulesOf(entry: PlanEntry): string[] {
  const place = entry.kind === "folder" ? subpath(entry.path) : literal(entry.path);
  switch (entry.access) {
    case "hidden":
    case "empty":
      return [`(deny file-read* file-write* ${place})`];
    case "assembled":
      // The root of a view that lists all that is there; a folder's other entries stay as what is around them.
      return entry.path === "/" ? [`(deny file-read* file-write* ${place})`, `(allow file-read* ${literal("/")} ${SYSTEM})`] : [];
    case "read-only":
      return [`(allow file-read* ${place})`, `(deny file-write* ${place})`];
    case "writable":
      return [`(allow file-read* file-write* ${place})`];
    case "link":
      return [`(allow file-read* ${literal(entry.path)})`];
  }
}

/** What the system's own programs are made of, and where the loader looks. */
const SYSTEM = [
  ...["/System", "/usr", "/bin", "/sbin", "/Library/Developer", "/Library/Apple", "/Library/Frameworks", "/opt", "/dev"],
  ...["/private/etc/ssl", "/private/var/db/dyld", "/private/var/db/timezone", "/private/var/select", "/Applications/Xcode.app"],
]
  .map(subpath)
  .concat(
    [
      "hosts",
      "passwd",
      "group",
      "services",
      "protocols",
      "resolv.conf",
      "localtime",
      "shells",
      "profile",
      "bashrc",
      "zprofile",
      "zshrc",
    ].map((name) => literal(`/private/etc/${name}`)),
  )
  .join(" ");

/** What is protected in a writable folder cannot be moved away, and no folder around it. */
function unmovable(plan: IsolationPlan, entries: ReadonlyMap<string, PlanEntry>): string[] {
  const kept = new Set<string>();
  for (const entry of plan.entries) {
    if (entry.access !== "read-only" && entry.access !== "hidden") continue;
    for (let path = entry.path; path !== "/"; path = parentOf(path)) {
      const around = path === entry.path ? nearestAbove(path, entries) : (entries.get(path) ?? nearestAbove(path, entries));
      if (around?.access !== "writable") break;
      kept.add(path);
    }
  }
  return kept.size === 0 ? [] : [`(deny file-write-unlink ${[...kept].map(literal).join(" ")})`];
}

function network(plan: IsolationPlan, ports: readonly number[]): string[] {
  const local = ['(allow network-bind network-inbound (local ip "localhost:*"))'];
  if (plan.network === "own") {
    const served = ports.map((port) => `(remote ip "localhost:${port}")`).join(" ");
    return ["; nothing but what the session needs", ...local, ...(served === "" ? [] : [`(allow network-outbound ${served})`])];
  }
  // A path is a Unix socket's: those of the project only, and the resolver's.
  const sockets = plan.entries.filter(({ access, kind }) => access === "writable" && kind === "folder").map(({ path }) => subpath(path));
  return [
    "; the machine's network; sockets with a path only where the agent writes",
    ...local,
    '(allow network-outbound (remote ip "*:*"))',
    '(allow network-bind network-inbound (local ip "*:*"))',
    `(allow network-outbound network-bind network-inbound ${literal("/private/var/run/mDNSResponder")} ${sockets.join(" ")})`,
    ...plan.entries
      .filter((entry) => entry.access === "hidden" && sockets.length > 0 && plan.entries.some((other) => isInside(entry, other)))
      .map((entry) => `(deny network-outbound ${entry.kind === "folder" ? subpath(entry.path) : literal(entry.path)})`),
    "(allow system-socket)",
  ];
}

const isInside = (entry: PlanEntry, other: PlanEntry): boolean => other.access === "writable" && within(entry.path, other.path);

/** SBPL's strings are Scheme's. */
function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

function literal(path: string): string {
  return `(literal ${quoted(path)})`;
}

function subpath(path: string): string {
  return path === "/" ? '(subpath "/")' : `(subpath ${quoted(path)})`;
}
