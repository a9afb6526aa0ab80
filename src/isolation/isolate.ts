// Makes the isolation of one run: looks at the machine, plans, checks that the machine can do it, and wraps commands. Called by the launcher.
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { basename, isAbsolute, join } from "node:path";
import type { IsolationLevel } from "../control/protocol.ts";
import type { Command } from "../core/command.ts";
import { AgentRunError, messageOf } from "../core/error.ts";
import { makeFolder } from "../core/folder.ts";
import { databaseHome } from "../core/user.ts";
import { bubblewrapCommand, type LaunchFile } from "./bubblewrap.ts";
import { gatherFacts } from "./facts.ts";
import { forwarderPort, forwarderVariables } from "./forwarder-variables.ts";
import { serveLoopback } from "./loopback.ts";
import { machineMounts, misplacedMounts } from "./mounted.ts";
import { notIsolated } from "./not-isolated.ts";
import { makeCgroup, removeCgroup, steeredCgroup } from "./own-cgroup.ts";
import { archOf, preludeFile, sandboxInitFile } from "./own-programs.ts";
import { nearestAbove } from "./path.ts";
import { type IsolationInput, type IsolationPlan, placesToLookAt, planIsolation } from "./plan.ts";
import { preludeFor, probeIsolation } from "./probe.ts";
import { noteKept, type PutBack, putBack, putBackAll, putBackText } from "./put-back.ts";
import { realOf } from "./real-path.ts";
import { seccompFilter } from "./seccomp.ts";
import { makeStandIns, removeStandIns } from "./stand-ins.ts";
import { rememberTold } from "./told.ts";

export interface IsolationRequest extends Omit<IsolationInput, "home" | "homes" | "platform"> {
  readonly platform?: NodeJS.Platform;
  /** A private folder of the launcher's for the files that a wrapped command reads at its start: `<runtime>/<session>`. */
  readonly folder: string;
}

export interface Isolation {
  readonly level: IsolationLevel;
  /** Undefined at level `none`: who describes one asks for it. */
  readonly plan: IsolationPlan | undefined;
  /** What `toldChanges` compares with at the end: files as they were before the agent. */
  readonly remembered: ReadonlyMap<string, string>;
  /** The kernel ends all that is in it when its first process ends. */
  readonly sealed: boolean;
  /**
   * The command as it must be spawned. May be called for several commands of the same run.
   * @param ports of the machine's loopback that a sandbox with a network of its own reaches all the same
   */
  wrap(command: Command, ports?: readonly number[]): Command;
  /**
   * Before the agent may start: looks whether the sandbox that a wrapped command is in became what was planned.
   * @param pid a process in it
   * @throws AgentRunError `isolation` where something else was mounted: then there must be no agent
   */
  check(pid: number): void;
  /** When the agent is gone: what it put in the place of the human's links is moved aside, and the links are back. Gives what was not as it had been. */
  putBack(): readonly PutBack[];
  /**
   * After the run: takes away what was made on the machine only to be covered, once no other session needs it. Gives what could not be done.
   * @param stood whether a sandbox came up: one that was checked did. Else what was found out about this machine is found out anew by the next run
   */
  release(stood?: boolean): string[];
}

const NO_CGROUP =
  "the agent can end, or freeze, all that runs in the same cgroup as agent-run, as no other can be made below it: --isolation strict prevents that";

/** Whether an agent under this plan could have put `file` there, or another one in an earlier run. */
function isWritable(plan: IsolationPlan, file: string): boolean {
  const entries = new Map(plan.entries.map((entry) => [entry.path, entry]));
  return (entries.get(file) ?? nearestAbove(file, entries))?.access === "writable";
}

/** The plan alone, for `env --explain` and `--dry-run`: nothing is probed, written or started. Throws as `planIsolation` does. */
export function describeIsolation(request: Omit<IsolationRequest, "folder">): IsolationPlan {
  const named = request.env["HOME"] ?? "";
  const given = isAbsolute(named) ? named : (databaseHome() ?? "/");
  const home = realOf(given) ?? given;
  const entry = databaseHome();
  const database = entry === undefined ? undefined : realOf(entry);
  const homes = [...new Set([home, ...(database ? [database] : [])])];
  const input: IsolationInput = { ...request, platform: request.platform ?? process.platform, home, homes };
  return planIsolation(input, gatherFacts({ homes, project: input.project, cwd: input.cwd, places: placesToLookAt(input) }));
}

/**
 * Prepares the isolation of a run. Level `none` gives a `wrap` that changes nothing.
 * @throws AgentRunError `isolation` when this machine cannot give the level (never a weaker one instead); `config` as `planIsolation`
 */
export async function prepareIsolation(request: IsolationRequest): Promise<Isolation> {
  if (request.level === "none") return notIsolated;
  // Of a session whose launcher and daemon are gone, or whose agent runs: what it put there must not be taken for the human's.
  const found = putBackAll(request.paths.state, (session) => existsSync(join(request.paths.runtime, session)));
  const platform = request.platform ?? process.platform;
  // Nothing to plan for where there is no sandbox; the probe says so.
  const plan = platform === "linux" || platform === "darwin" ? describeIsolation(request) : undefined;
  const arch = archOf(process.arch);
  const [init, prelude] = platform === "linux" ? [sandboxInitFile, preludeFile].map((of) => of(request.packageFolder, process.arch)) : [];
  const cacheFile = join(request.paths.state, `isolation-${request.level}.json`);
  const probed = await probeIsolation(request.level, {
    platform,
    path: request.env["PATH"] ?? "",
    prelude,
    keyring: plan?.keyring === "fresh",
    init,
    cacheFile,
    agentWrites: (file) => plan !== undefined && isWritable(plan, file),
  });
  if (!probed.ok || plan === undefined) {
    throw new AgentRunError("isolation", probed.ok ? "no plan" : probed.why, probed.ok ? {} : { hint: probed.hint });
  }
  if (platform === "darwin") return seatbelt(request, plan, await import("./seatbelt.ts"));
  const session = basename(request.folder);
  // Where the agent can have no namespaces it mounts no cgroups either.
  const cgroup = plan.nested ? steeredCgroup() : undefined;
  const own = cgroup?.isOpen ? cgroup : undefined;
  const forward = plan.hosts.length === 0 ? undefined : (await import("./forwarder.ts")).forward;
  let count = 0;
  let needless: ReadonlySet<string> | undefined;
  let misplaced: ReturnType<typeof misplacedMounts> | undefined;
  let checked = false;
  const opened = new DisposableStack();
  const coveringEntries = () => plan.entries.filter(({ path }) => !needless?.has(path));
  return {
    level: request.level,
    plan: { ...plan, warnings: [...plan.warnings, ...(cgroup && !own ? [NO_CGROUP] : []), ...found.map(putBackText)] },
    remembered: rememberTold(plan.told),
    sealed: true,
    wrap(command, ports = []) {
      if (needless === undefined) noteKept(plan.kept, request.paths.state, session);
      needless ??= makeStandIns(plan, request.paths.state);
      const entries = coveringEntries();
      count += 1;
      const files = join(request.folder, `isolation-${count}`);
      const root = `${files}.root`;
      const proxy = forward && forwarderPort(ports);
      const listened = [...ports, ...(proxy === undefined ? [] : [proxy])];
      const answers = new Map(proxy === undefined ? [] : [[proxy, (socket: Socket) => forward?.(socket, { hosts: plan.hosts })]]);
      const loopback = plan.network === "own" && listened.length > 0 ? opened.use(serveLoopback(ports, answers)) : undefined;
      const told =
        proxy === undefined ? command : { ...command, env: { ...command.env, ...forwarderVariables(plan.level, plan.hosts, ports) } };
      const wrapped = bubblewrapCommand({ ...plan, entries }, told, {
        bwrap: probed.bwrap,
        sh: "/bin/sh",
        files,
        filter: seccompFilter(process.arch, plan.network),
        prelude: preludeFor(prelude, probed, root, machineMounts(mountsOf("self"))),
        init,
        cgroup: own && makeCgroup(own, session, request.folder),
        served:
          loopback === undefined || !prelude || !arch ? undefined : { program: prelude, arch, ports: listened, attach: loopback.attach },
      });
      makeFolder(root);
      writeFiles(request, wrapped.files);
      // While bubblewrap mounts; where it fails, `check` meets it.
      setImmediate(() => {
        try {
          misplaced ??= misplacedMounts(coveringEntries(), mountsOf("self"), plan.kept);
        } catch {}
      });
      return wrapped.command;
    },
    check(pid) {
      checked = true;
      const blanks = Array.from({ length: count }, (_, index) => join(request.folder, `isolation-${index + 1}.blank`));
      const inside = mountsOf(pid);
      if (misplaced !== undefined && misplaced(inside, blanks) === undefined) return;
      // The machine's own mounts may have changed since.
      const wrong = misplacedMounts(coveringEntries(), mountsOf("self"), plan.kept)(inside, blanks);
      if (wrong === undefined) return;
      throw new AgentRunError(
        "isolation",
        `something else was put in the place of a folder while it was mounted: ${wrong} is not as planned`,
        {
          hint: "end other agents in this project, look at the links in it, and start again",
        },
      );
    },
    putBack: () => putBack(request.paths.state, session),
    release(stood = checked) {
      opened.dispose();
      if (count > 0 && !stood) forget(cacheFile);
      return [
        ...putBack(request.paths.state, session).map(putBackText),
        ...removeStandIns(request.paths.state, request.folder),
        ...(own && count > 0 ? removeCgroup(own, session) : []),
      ];
    },
  };
}

/** A setting of the machine's that is not looked at has changed, perhaps. */
function forget(cacheFile: string): void {
  try {
    rmSync(cacheFile, { force: true });
  } catch {
    // The same failure then says the same again.
  }
}

/** Paths are what its rules speak of, also where nothing is yet: nothing is made only to be covered. */
function seatbelt(request: IsolationRequest, plan: IsolationPlan, { seatbeltCommand }: typeof import("./seatbelt.ts")): Isolation {
  let count = 0;
  return {
    level: request.level,
    plan,
    remembered: rememberTold(plan.told),
    sealed: false,
    wrap(command, ports = []) {
      count += 1;
      const temp = join(request.folder, "temp");
      const files = join(request.folder, `isolation-${count}`);
      const wrapped = seatbeltCommand(plan, command, { files, temp, keychain: request.allow.includes("vaults"), ports });
      makeFolder(temp);
      writeFiles(request, wrapped.files);
      return wrapped.command;
    },
    check: () => {},
    putBack: () => [],
    release: () => [],
  };
}

const mountsOf = (process: number | "self"): string => readFileSync(`/proc/${process}/mountinfo`, "utf8");

function writeFiles({ folder }: IsolationRequest, files: readonly LaunchFile[]): void {
  try {
    for (const file of files) writeFileSync(file.path, file.content, { mode: file.mode, flag: "wx" });
  } catch (error) {
    throw new AgentRunError("runtime-folder", `cannot write ${folder}/isolation-*: ${messageOf(error)}`, {
      hint: `make ${folder} writable for you`,
      cause: error,
    });
  }
}
