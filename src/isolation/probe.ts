// Whether this machine can give an isolation level, found out by doing it once; with the command that mends what is missing. Called by isolate.ts and doctor.
import { spawn, spawnSync } from "node:child_process";
import { accessSync, closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { delimiter, isAbsolute, join } from "node:path";
import type { IsolationLevel } from "../control/protocol.ts";
import { AgentRunError, messageOf } from "../core/error.ts";
import { bubblewrapCommand } from "./bubblewrap.ts";
import { type KeysListed, leaving, type MachineSettings, mending, NOT_UP } from "./mending.ts";
import { KEYRING_REFUSED } from "./own-programs.ts";
import { realOf } from "./real-path.ts";
import { SANDBOX_EXEC } from "./sandbox-exec.ts";
import { seccompFilter } from "./seccomp.ts";

/** `bwrap` is the program that makes the sandbox, `keyring` the one that goes before it; none where the kernel has no keyring to leave, or none was asked for. */
export type Probe =
  | { readonly ok: true; readonly bwrap: string; readonly keyring: string | undefined }
  | { readonly ok: false; readonly why: string; readonly hint: string };

export interface ProbeOptions {
  readonly platform: NodeJS.Platform;
  /** PATH, to find bwrap on. */
  readonly path: string;
  /** The program that joins a fresh session keyring; undefined where the human's is to be kept. */
  readonly keyring: string | undefined;
  /** The program that is the first process inside: see bubblewrap.ts. */
  readonly init?: string | undefined;
  /** Where a good result is kept, so that a warm launch need not start a sandbox twice; undefined: always do it. */
  readonly cacheFile?: string;
  /** A bwrap that an agent can write is passed over: it would run as the human, outside of everything. Absolute path, links resolved. */
  readonly agentWrites?: (file: string) => boolean;
}

/** A sandbox that does nothing is up within milliseconds; one that is not up by now never will be. */
const PROBE_LIMIT_MS = 5000;

/**
 * Starts a sandbox with the namespaces and filter of a real run and lets it do nothing. A good result is kept for this bwrap, kernel and user; a bad
 * one never is. Level `none` needs nothing and gives an empty path.
 */
export async function probeIsolation(level: IsolationLevel, options: ProbeOptions): Promise<Probe> {
  if (level === "none") return { ok: true, bwrap: "", keyring: undefined };
  if (options.platform === "darwin") return tryOutSeatbelt();
  if (options.platform !== "linux") {
    return {
      ok: false,
      why: `isolation level '${level}' is not available on ${options.platform} in this version`,
      hint: "run in a Linux machine or container, or give the agent your own reach with --isolation none",
    };
  }
  const bwrap = findOnPath("bwrap", options.path, options.agentWrites ?? (() => false));
  if (!bwrap) return { ok: false, why: "bubblewrap is not installed: no 'bwrap' on PATH", hint: installCommand() };
  if (!seccompFilter(process.arch, "shared")) {
    return { ok: false, why: `isolation level '${level}' is not available on ${process.arch} machines`, hint: "use --isolation none" };
  }
  const { keyring, init } = options;
  for (const program of [keyring, init])
    if (program !== undefined && !runs(program)) return { ok: false, why: `${program} is not there, or cannot be run`, hint: REINSTALL };
  const key = cacheKey(bwrap, level, [keyring, init]);
  if (options.cacheFile && readKey(options.cacheFile) === key) return { ok: true, bwrap, keyring };
  const failure = await tryOut(bwrap, level, keyring, init);
  if (failure?.startsWith(KEYRING_REFUSED)) {
    const left = leaving(failure, keysListed(), inContainer());
    if (!left.none) return { ok: false, why: left.why, hint: left.hint };
    // Looked at each time: the next one may come from a session that has keys.
    const without = await tryOut(bwrap, level, undefined, init);
    if (without === undefined) return { ok: true, bwrap, keyring: undefined };
    return { ok: false, ...mending(bwrap, level, without, machineSettings()) };
  }
  if (failure !== undefined) return { ok: false, ...mending(bwrap, level, failure, machineSettings()) };
  if (options.cacheFile) writeKey(options.cacheFile, key);
  return { ok: true, bwrap, keyring };
}

const REINSTALL = "install agent-run anew, where programs may be run: a folder that is mounted noexec does not do";

function runs(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Which keys this process can see, by proc(5): a kernel without keyrings has no such file, and containers often cover it. */
function keysListed(): KeysListed {
  const stat = statSync(KEYS, { throwIfNoEntry: false });
  if (stat === undefined) return "no keyrings";
  if (stat.dev !== statSync("/proc").dev) return "covered";
  return setting(KEYS) === "" ? "none" : "some";
}
const KEYS = "/proc/keys";

function findOnPath(name: string, path: string, agentWrites: (file: string) => boolean): string | undefined {
  for (const folder of path.split(delimiter).filter(isAbsolute)) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      const real = realOf(file);
      const named = realOf(folder);
      if (real && named && statSync(real).isFile() && !agentWrites(real) && !agentWrites(join(named, name))) return real;
    } catch {
      // Not in this one.
    }
  }
  return undefined;
}

/** It is part of macOS; inside another sandbox it refuses. */
function tryOutSeatbelt(): Probe {
  const tried = spawnSync(SANDBOX_EXEC, ["-p", "(version 1)(allow default)", "/usr/bin/true"], {
    encoding: "utf8",
    timeout: PROBE_LIMIT_MS,
  });
  if (tried.status === 0) return { ok: true, bwrap: SANDBOX_EXEC, keyring: undefined };
  const said = tried.error?.message ?? (tried.stderr.trim() || `it ended with status ${tried.status ?? "none"}`);
  return {
    ok: false,
    why: `sandbox-exec does not start a sandbox here: ${said.split("\n")[0]}`,
    hint: "macOS allows no sandbox in a sandbox: run agent-run outside of the one that you are in",
  };
}

/** Gives undefined when it worked, else what bwrap said. */
async function tryOut(
  bwrap: string,
  level: IsolationLevel,
  keyring: string | undefined,
  init: string | undefined,
): Promise<string | undefined> {
  const filter = seccompFilter(process.arch, level === "strict" ? "own" : "shared");
  const { command, files } = bubblewrapCommand(
    {
      level,
      entries: [],
      namespaces: [],
      keyring: keyring === undefined ? "yours" : "fresh",
      network: level === "strict" ? "own" : "shared",
      hosts: [],
      nested: level !== "strict",
      cwd: "/",
      notes: [],
      warnings: [],
      told: [],
      kept: [],
    },
    { file: "/bin/sh", args: ["-c", ":"], cwd: "/", env: {} },
    { bwrap, sh: "/bin/sh", files: "probe", filter, keyring, init },
  );
  const opened = ["probe.args", "probe.seccomp"].map((name) => openUnnamed(files.find(({ path }) => path === name)?.content ?? ""));
  try {
    return await new Promise((resolve) => {
      const [, , ...program] = command.args;
      const child = spawn(command.file, ["-c", 'exec "$@" 8<&3 9<&4', ...program], {
        cwd: "/",
        env: {},
        stdio: ["ignore", "ignore", "pipe", ...opened],
        timeout: PROBE_LIMIT_MS,
        killSignal: "SIGKILL",
      });
      let said = "";
      child.stderr?.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
      child.on("error", (error) => resolve(error.message));
      child.on("close", (code, signal) => {
        if (code === 0) resolve(undefined);
        else if (child.killed) resolve(NOT_UP);
        else resolve(said.trim() || `it ended with ${signal ?? `status ${code}`}`);
      });
    });
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}

/** A file that is open and has no name any more: nothing stays of it, also when we are killed. Throws AgentRunError `isolation`. */
function openUnnamed(content: string | Uint8Array): number {
  let folder: string | undefined;
  try {
    folder = mkdtempSync(join(tmpdir(), "agent-run-probe-"));
    const path = join(folder, "file");
    writeFileSync(path, content, { mode: 0o600 });
    return openSync(path, "r");
  } catch (error) {
    throw new AgentRunError("isolation", `no sandbox can be tried, as ${tmpdir()} takes no file: ${messageOf(error)}`, {
      hint: `make room: df -h ${tmpdir()}; or set TMPDIR to a folder that you can write`,
      cause: error,
    });
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}

const setting = (path: string): string => {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
};
const APPARMOR = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
const CLONE = "/proc/sys/kernel/unprivileged_userns_clone";
const MOST = "/proc/sys/user/max_user_namespaces";
const MOST_NETWORKS = "/proc/sys/user/max_net_namespaces";

const machineSettings = (): MachineSettings => ({
  mostUserNamespaces: setting(MOST),
  mostNetworkNamespaces: setting(MOST_NETWORKS),
  userNamespacesAllowed: setting(CLONE),
  appArmorRestricts: setting(APPARMOR),
  kernel: setting("/proc/sys/kernel/osrelease"),
  inContainer: inContainer(),
  install: installCommand(),
});

function inContainer(): boolean {
  return (
    ["/.dockerenv", "/run/.containerenv"].some((path) => statSync(path, { throwIfNoEntry: false })) ||
    setting("/proc/1/environ").includes("container=")
  );
}

const INSTALLERS = [
  ["/usr/bin/apt-get", "sudo apt-get install bubblewrap"],
  ["/usr/bin/dnf", "sudo dnf install bubblewrap"],
  ["/usr/bin/pacman", "sudo pacman -S bubblewrap"],
  ["/usr/bin/zypper", "sudo zypper install bubblewrap"],
  ["/sbin/apk", "sudo apk add bubblewrap"],
] as const;

function installCommand(): string {
  return INSTALLERS.find(([program]) => statSync(program, { throwIfNoEntry: false }))?.[1] ?? "sudo apt-get install bubblewrap";
}

/** Everything that a good result depends on and that is cheap to read. */
function cacheKey(bwrap: string, level: IsolationLevel, programs: readonly (string | undefined)[]): string {
  const stat = statSync(bwrap);
  return JSON.stringify([
    level,
    bwrap,
    ...programs.map((program) => program ?? ""),
    stat.mtimeMs,
    stat.size,
    stat.mode,
    release(),
    process.getuid?.(),
    ...[APPARMOR, CLONE, MOST, MOST_NETWORKS].map(setting),
  ]);
}

function readKey(file: string): string {
  return setting(file);
}

function writeKey(file: string, key: string): void {
  try {
    writeFileSync(file, key, { mode: 0o600 });
  } catch {
    // No place to keep it: the next launch probes again.
  }
}
