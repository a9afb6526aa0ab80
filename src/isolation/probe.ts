// Whether this machine can give an isolation level, found out by doing it once; with the command that mends what is missing. Called by isolate.ts and doctor.
import { accessSync, constants, statSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { delimiter, isAbsolute, join } from "node:path";
import type { IsolationLevel } from "../control/protocol.ts";
import { systemClock } from "../core/clock.ts";
import { APPARMOR, CLONE, MOST, MOST_NETWORKS, setting } from "./machine-setting.ts";
import type { MachineMount } from "./mounted.ts";
import { archOf } from "./own-programs.ts";
import type { Prelude } from "./prelude-calls.ts";
import { realOf } from "./real-path.ts";
import { hasFilter } from "./seccomp.ts";

/** `bwrap` is the program that makes the sandbox. */
export type Probe =
  | ({ readonly ok: true; readonly bwrap: string } & Ways)
  | { readonly ok: false; readonly why: string; readonly hint: string };

/** What the program before bwrap does. */
export interface Ways {
  /** Whether it leaves the human's session keyring: not where the kernel has none to leave, or where it was not asked for. */
  readonly keyring: boolean;
  /** Whether it makes the mounts too, in a tenth of the time; else bwrap makes all of them: where the kernel is older, or gives namespaces to bwrap alone. */
  readonly mounts: boolean;
}

export interface ProbeOptions {
  readonly platform: NodeJS.Platform;
  /** PATH, to find bwrap on. */
  readonly path: string;
  /** The program that goes before bwrap; undefined on machines that it is not built for. */
  readonly prelude: string | undefined;
  /** Whether the human's session keyring is to be left. */
  readonly keyring: boolean;
  /** The program that is the first process inside: see bubblewrap.ts. */
  readonly init?: string | undefined;
  /** Where a good result is kept, so that a warm launch need not start a sandbox twice; undefined: always do it. */
  readonly cacheFile?: string;
  /** A bwrap that an agent can write is passed over: it would run as the human, outside of everything. Absolute path, links resolved. */
  readonly agentWrites?: (file: string) => boolean;
}

/**
 * Starts a sandbox with the namespaces and filter of a real run and lets it do nothing. A good result is kept for this bwrap, kernel and user; a bad
 * one never is, and one in the slower way for an hour. Level `none` needs nothing and gives an empty path.
 */
export async function probeIsolation(level: IsolationLevel, options: ProbeOptions): Promise<Probe> {
  if (level === "none") return { ok: true, bwrap: "", ...NOTHING };
  if (options.platform === "darwin") return (await import("./try-out.ts")).tryOutSeatbelt();
  if (options.platform !== "linux") {
    return {
      ok: false,
      why: `isolation level '${level}' is not available on ${options.platform} in this version`,
      hint: "run in a Linux machine or container, or give the agent your own reach with --isolation none",
    };
  }
  const bwrap = findOnPath("bwrap", options.path, options.agentWrites ?? (() => false));
  if (!bwrap) {
    const { installCommand } = await import("./try-out.ts");
    return { ok: false, why: "bubblewrap is not installed: no 'bwrap' on PATH", hint: installCommand() };
  }
  if (!hasFilter(process.arch)) {
    return { ok: false, why: `isolation level '${level}' is not available on ${process.arch} machines`, hint: "use --isolation none" };
  }
  const { prelude, init } = options;
  for (const program of [prelude, init])
    if (program !== undefined && !runs(program)) return { ok: false, why: `${program} is not there, or cannot be run`, hint: REINSTALL };
  const key = cacheKey(bwrap, level, options);
  const asked = options.keyring && prelude !== undefined;
  const kept = WAYS.find((ways) => options.cacheFile && setting(options.cacheFile) === keyOf(key, ways) && ways.keyring === asked);
  if (kept && options.cacheFile && (kept.mounts || prelude === undefined || isFresh(options.cacheFile)))
    return { ok: true, bwrap, ...kept };
  const { tryOut } = await import("./try-out.ts");
  const probe = await tryOut(bwrap, level, { keyring: asked, mounts: prelude !== undefined }, options);
  // A keyring that could not be left is looked at each time: the next launch may come from a session that has keys.
  if (options.cacheFile && probe.ok && probe.keyring === asked) writeKey(options.cacheFile, keyOf(key, probe));
  return probe;
}

/** What failed of the faster way may have passed: a limit that others had used up. */
const SLOWER_HOLDS_MS = 3_600_000;

/** Not after a clock that was set back either. */
function isFresh(file: string): boolean {
  const age = systemClock.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  return Math.abs(age) < SLOWER_HOLDS_MS;
}

const NOTHING: Ways = { keyring: false, mounts: false };
const REINSTALL = "install agent-run anew, where programs may be run: a folder that is mounted noexec does not do";

function runs(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

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

/** What goes before bwrap, for one run. @param root the empty folder where the file system is put together */
export function preludeFor(
  program: string | undefined,
  { keyring, mounts }: Ways,
  root: string,
  machine: readonly MachineMount[] = [],
): Prelude | undefined {
  const arch = archOf(process.arch);
  if (program === undefined || arch === undefined || !(keyring || mounts)) return undefined;
  return { program, arch, keyring, root: mounts ? root : undefined, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, machine };
}

/** Everything that a good result depends on and that is cheap to read. */
function cacheKey(bwrap: string, level: IsolationLevel, { prelude, init }: ProbeOptions): string {
  const stat = statSync(bwrap);
  return JSON.stringify([
    level,
    bwrap,
    ...[prelude, init].map((program) => program ?? ""),
    stat.mtimeMs,
    stat.size,
    stat.mode,
    release(),
    process.getuid?.(),
    ...[APPARMOR, CLONE, MOST, MOST_NETWORKS].map(setting),
  ]);
}

const WAYS: readonly Ways[] = [true, false].flatMap((keyring) => [true, false].map((mounts) => ({ keyring, mounts })));
const keyOf = (key: string, { keyring, mounts }: Ways): string => `${key} ${JSON.stringify({ keyring, mounts })}`;

function writeKey(file: string, key: string): void {
  try {
    writeFileSync(file, key, { mode: 0o600 });
  } catch {
    // No place to keep it: the next launch probes again.
  }
}
