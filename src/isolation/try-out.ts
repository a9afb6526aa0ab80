// Starts a sandbox with the namespaces and filter of a real run and lets it do nothing, in each way that there is. Called by probe.ts, where no good result is kept; a
// launch that finds one does not load it.
import { spawn, spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { IsolationLevel } from "../control/protocol.ts";
import { messageOf } from "../core/error.ts";
import { bubblewrapCommand } from "./bubblewrap.ts";
import { LIST_FD } from "./call-list.ts";
import { APPARMOR, CLONE, MOST, MOST_NETWORKS, setting } from "./machine-setting.ts";
import { type KeysListed, leaving, type MachineSettings, mending, NO_NAMESPACE_LEFT, NOT_UP } from "./mending.ts";
import { KEYRING_REFUSED } from "./own-programs.ts";
import { type Probe, type ProbeOptions, preludeFor, type Ways } from "./probe.ts";
import { SANDBOX_EXEC } from "./sandbox-exec.ts";
import { seccompFilter } from "./seccomp.ts";

/** Nobody else sees what is mounted there, and bwrap itself needs it. */
const PROBED_ROOT = "/tmp";

/** A sandbox that does nothing is up within milliseconds; one that is not up by now never will be. */
const PROBE_LIMIT_MS = 5000;

const LET_GO_MS = 500;

/**
 * The first way that works: where the keyring cannot be left, because there is none, without that; where namespaces are given to bwrap alone, with its mounts.
 */
export async function tryOut(bwrap: string, level: IsolationLevel, asked: Ways, options: ProbeOptions): Promise<Probe> {
  for (let ways = asked; ; ) {
    let failure: string | undefined;
    try {
      failure = await start(bwrap, level, ways, options);
    } catch (error) {
      return noPlace(error);
    }
    if (failure === undefined) return { ok: true, bwrap, ...ways };
    if (ways.keyring && failure.startsWith(KEYRING_REFUSED)) {
      const left = leaving(failure, keysListed(), inContainer());
      if (!left.none) return { ok: false, why: left.why, hint: left.hint };
      ways = { ...ways, keyring: false };
    } else if (ways.mounts) {
      ways = { ...ways, mounts: false };
      // It takes one more than bwrap alone; and those of what failed are still there for a moment.
      if (NO_NAMESPACE_LEFT.test(failure)) await setTimeout(LET_GO_MS);
    } else return { ok: false, ...mending(bwrap, level, failure, machineSettings()) };
  }
}

function noPlace(error: unknown): Probe {
  return {
    ok: false,
    why: `no sandbox can be tried, as ${tmpdir()} takes no file: ${messageOf(error)}`,
    hint: `make room: df -h ${tmpdir()}; or set TMPDIR to a folder that you can write`,
  };
}

/** It is part of macOS; inside another sandbox it refuses. */
export function tryOutSeatbelt(): Probe {
  const tried = spawnSync(SANDBOX_EXEC, ["-p", "(version 1)(allow default)", "/usr/bin/true"], {
    encoding: "utf8",
    timeout: PROBE_LIMIT_MS,
  });
  if (tried.status === 0) return { ok: true, bwrap: SANDBOX_EXEC, keyring: false, mounts: false };
  const said = tried.error?.message ?? (tried.stderr.trim() || `it ended with status ${tried.status ?? "none"}`);
  return {
    ok: false,
    why: `sandbox-exec does not start a sandbox here: ${said.split("\n")[0]}`,
    hint: "macOS allows no sandbox in a sandbox: run agent-run outside of the one that you are in",
  };
}

/** Gives undefined when it worked, else what bwrap said, or the program before it. */
async function start(bwrap: string, level: IsolationLevel, ways: Ways, { prelude, init }: ProbeOptions): Promise<string | undefined> {
  const filter = seccompFilter(process.arch, level === "strict" ? "own" : "shared");
  const { command, files } = bubblewrapCommand(
    {
      level,
      entries: [],
      namespaces: [],
      keyring: ways.keyring ? "fresh" : "yours",
      abstractSockets: "own",
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
    { bwrap, sh: "/bin/sh", files: "probe", filter, prelude: preludeFor(prelude, ways, PROBED_ROOT), init },
  );
  const opened = ["probe.args", "probe.seccomp", "probe.calls"].map((name) =>
    openUnnamed(files.find(({ path }) => path === name)?.content ?? ""),
  );
  try {
    return await new Promise((resolve) => {
      const [, , ...program] = command.args;
      const child = spawn(command.file, ["-c", `exec "$@" 8<&3 9<&4 ${LIST_FD}<&5`, ...program], {
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

/** A file that is open and has no name any more: nothing stays of it, also when we are killed. Throws what the file system says. */
function openUnnamed(content: string | Uint8Array): number {
  let folder: string | undefined;
  try {
    folder = mkdtempSync(join(tmpdir(), "agent-run-probe-"));
    const path = join(folder, "file");
    writeFileSync(path, content, { mode: 0o600 });
    return openSync(path, "r");
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
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

const machineSettings = (): MachineSettings => ({
  mostUserNamespaces: setting(MOST),
  mostNetworkNamespaces: setting(MOST_NETWORKS),
  fewest: fewestNamespaces(),
  userNamespacesAllowed: setting(CLONE),
  appArmorRestricts: setting(APPARMOR),
  kernel: setting("/proc/sys/kernel/osrelease"),
  inContainer: inContainer(),
  install: installCommand(),
});

/** Of the kinds that a sandbox takes. */
function fewestNamespaces(): MachineSettings["fewest"] {
  const limits = ["user", "mnt", "pid", "ipc", "uts", "net"].flatMap((kind) => {
    const text = setting(`/proc/sys/user/max_${kind}_namespaces`);
    return text === "" ? [] : [{ name: `user.max_${kind}_namespaces`, most: Number(text) }];
  });
  return limits.sort((one, other) => one.most - other.most)[0];
}

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

export function installCommand(): string {
  return INSTALLERS.find(([program]) => statSync(program, { throwIfNoEntry: false }))?.[1] ?? "sudo apt-get install bubblewrap";
}
