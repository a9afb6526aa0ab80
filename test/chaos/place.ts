// Where the chaos run happens: one home folder, one local cloud, a terminal that is opened anew when it was closed, and what is known of a launch there. Used by round.ts.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { lockHolder } from "../../src/control/lock.ts";
import { daemonLock, type Paths, resolvePaths } from "../../src/core/paths.ts";
import { allProcesses, processInfo, signal } from "../../src/core/process-tree.ts";
import { type Human, sitDown } from "../end-to-end/human.ts";
import { alive, BIN, FIXTURES, has, hasBubblewrap, makeWorld, until, type World } from "../end-to-end/world.ts";
import { fakeTime, hasFakeTime, moveClock } from "./fake-time.ts";
import type { Machine, Round, Victim } from "./plan.ts";

const AGENT = join(FIXTURES, "clings-to-life.sh");
const ASKS_AWS = join(FIXTURES, "asks-aws-again-and-again.mjs");
const SIZE = { cols: 100, rows: 30 };

/** What this machine can be used for. */
export function machineHere(): Machine {
  const root = process.getuid?.() === 0;
  return {
    bwrap: hasBubblewrap,
    tmux: has("tmux"),
    faketime: hasFakeTime,
    mount: root && mounts(),
    ordinary: !root,
  };
}

function mounts(): boolean {
  try {
    execFileSync("unshare", ["--mount", "mount", "-t", "tmpfs", "none", "/mnt"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** A shell that somebody types into. */
interface Shell {
  readonly pid: number;
  type(text: string): void;
  /** Takes its terminal away. */
  hangUp(): void;
}

/** One launch of the agent and how to find its parts. */
export interface Launched {
  /** The `kill --all` that was to end it, once there was one. */
  command?: Promise<unknown>;
  /** A text that every process of it has in its arguments. */
  readonly name: string;
  readonly launcher: number;
  readonly shell: Shell | undefined;
  /** Whether a file of the agent's own (`ready`, `uri`, `asks`, `file`) is there with a whole line. */
  wrote(what: string): string | undefined;
  leave(): void;
  pidOf(victim: Victim): number | undefined;
  /** What the launcher printed, on pipes. */
  printed(): string;
}

export class Place implements AsyncDisposable {
  readonly world: World;
  readonly paths: Paths;
  readonly machine: Machine;
  readonly #mounted: boolean;
  readonly #own = `${process.pid}`;
  /** Sessions whose audit was found wanting in an earlier round. */
  readonly known = new Set<string>();
  #human: Human | undefined;
  #modes = "";
  #tmux = false;
  #fakeDaemon: ChildProcess | undefined;

  private constructor(world: World, machine: Machine) {
    this.world = world;
    this.machine = machine;
    this.paths = resolvePaths(world.env, process.getuid?.() ?? 0);
    mkdirSync(this.paths.state, { mode: 0o700 });
    if (machine.mount) execFileSync("mount", ["-t", "tmpfs", "-o", "size=32m,mode=700", "none", this.paths.state]);
    this.#mounted = machine.mount;
    writeFileSync(
      join(world.own, "config", "config.toml"),
      `profile = "demo"\n[profiles.demo]\nrole = "${world.cloud.roleArn()}"\ngrace = "1s"\n`,
    );
  }

  static async open(machine: Machine): Promise<Place> {
    return new Place(await makeWorld(), machine);
  }

  /** The human at the PTY; sits down again where the terminal was closed. */
  async human(): Promise<Human> {
    if (this.#human && alive(this.#human.shell)) return this.#human;
    await this.#human?.[Symbol.asyncDispose]();
    this.#human = await sitDown(this.world.env, this.world.project, SIZE);
    await this.#human.run("stty -g > stty-before");
    this.#modes = this.read("stty-before") ?? "";
    return this.#human;
  }

  /** The terminal's modes before anything was run in it, as `stty -g` gives them. */
  get modes(): string {
    return this.#modes;
  }

  read(file: string): string | undefined {
    try {
      return readFileSync(join(this.world.project, file), "utf8");
    } catch {
      return undefined;
    }
  }

  async launch(round: Round): Promise<Launched> {
    const name = `chaos-${this.#own}-${round.number}`;
    const words = ["--isolation", round.level, AGENT, name, round.manner, ASKS_AWS];
    const printed: string[] = [];
    const known = new Map<Victim, number>();
    let shell: Shell | undefined;
    let launcher: number;
    if (round.surface === "pipes") {
      const child = this.world.start(words, { env: round.harm.type === "clock" ? this.#fakeTime() : {} });
      for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", (text: string) => printed.push(text));
      child.stdin?.on("error", () => {});
      launcher = child.pid ?? 0;
    } else {
      shell = round.surface === "tmux" ? await this.#tmuxShell() : shellOf(await this.human());
      const set = Object.entries(round.harm.type === "clock" ? this.#fakeTime() : {}).map(([variable, value]) => `${variable}=${value} `);
      shell.type(`${set.join("")}${process.execPath} ${BIN} ${words.join(" ")}\r`);
      const children = (): number | undefined =>
        allProcesses().find((info) => info.parent === shell?.pid && argumentsOf(info.pid).includes(name))?.pid;
      await until(() => children() !== undefined, 10_000, "the launcher to start");
      launcher = children() ?? 0;
    }
    known.set("launcher", launcher);
    const project = this.world.project;
    return {
      name,
      launcher,
      shell,
      wrote: (what) => {
        const text = this.read(`${what}-${name}`);
        return text?.endsWith("\n") ? text : undefined;
      },
      leave: () => writeFileSync(join(project, `leave-${name}`), ""),
      pidOf: (victim) => {
        if (victim === "daemon") return this.daemonPid();
        if (victim === "agent") return known.get(victim) ?? findAgent(name);
        return launcher;
      },
      printed: () => printed.join(""),
    };
  }

  /** The process that holds the daemon's lock, also where it is stopped and does not answer. */
  daemonPid(): number | undefined {
    return lockHolder(daemonLock(this.paths));
  }

  /** Processes of a launch, whoever started them: by their arguments, or by the session in their environment. */
  processesOf(name: string): string[] {
    return allProcesses()
      .filter(({ pid }) => pid !== process.pid && (argumentsOf(pid).includes(name) || isOfSession(pid, this.world.home)))
      .map(({ pid }) => describeProcess(pid));
  }

  // What is done to the machine.

  /** A daemon whose clock, and a launcher whose clock, can be moved while they run. */
  async startWithClock(): Promise<void> {
    this.setClock(0);
    await this.world.run(["daemon", "stop"]);
    await until(() => this.daemonPid() === undefined, 10_000, "the daemon to leave");
    this.#fakeDaemon = spawn(process.execPath, [BIN, "daemon", "run"], {
      env: { ...this.world.env, ...this.#fakeTime() },
      stdio: "ignore",
    });
    await until(async () => (await this.world.daemonPid()) !== undefined, 10_000, "the daemon with a clock of its own");
  }

  /** Moves the clock of the processes that were started with `startWithClock`. */
  setClock(hours: number): void {
    moveClock(join(this.world.home, "clock"), hours * 3600);
  }

  async endClock(): Promise<void> {
    if (!this.#fakeDaemon) return;
    this.setClock(0);
    await this.world.run(["daemon", "stop"]);
    this.#fakeDaemon.kill("SIGKILL");
    this.#fakeDaemon = undefined;
    await until(() => this.daemonPid() === undefined, 10_000, "the daemon with a clock of its own to leave");
  }

  #fakeTime(): Record<string, string> {
    return fakeTime(join(this.world.home, "clock"));
  }

  fillDisk(): void {
    const file = openSync(join(this.paths.state, "ballast"), "w");
    const block = Buffer.alloc(65_536);
    for (let size = block.length; size > 0; ) {
      try {
        if (writeSync(file, block, 0, size) < size) size = 0;
      } catch {
        size = Math.floor(size / 2);
      }
    }
    closeSync(file);
  }

  denyState(): void {
    for (const folder of [this.paths.state, join(this.paths.state, "audit")]) if (existsSync(folder)) chmodSync(folder, 0o500);
  }

  mendState(): void {
    rmSync(join(this.paths.state, "ballast"), { force: true });
    for (const folder of [this.paths.state, join(this.paths.state, "audit")]) if (existsSync(folder)) chmodSync(folder, 0o700);
  }

  async #tmuxShell(): Promise<Shell> {
    const tmux = (...args: string[]): string =>
      execFileSync("tmux", ["-L", `chaos-${this.#own}`, ...args], { encoding: "utf8", env: { ...this.world.env } });
    tmux(
      "-f",
      "/dev/null",
      "new-session",
      "-d",
      "-s",
      "one",
      "-x",
      "100",
      "-y",
      "30",
      "-c",
      this.world.project,
      "exec bash --norc --noprofile",
    );
    this.#tmux = true;
    return {
      pid: Number(tmux("display-message", "-p", "-t", "one", "#{pane_pid}")),
      type: (text) => void tmux("send-keys", "-t", "one", "-l", text),
      hangUp: () => {
        if (this.#tmux) tmux("kill-pane", "-t", "one");
        this.#tmux = false;
      },
    };
  }

  /** After a round that left something: nothing of it may disturb the next. */
  async sweep(): Promise<void> {
    this.world.cloud.switches.clear();
    this.mendState();
    await this.endClock().catch(() => {});
    const name = `chaos-${this.#own}-`;
    for (const info of allProcesses()) if (info.pid !== process.pid && argumentsOf(info.pid).includes(name)) signal(info.pid, "SIGKILL");
    const daemon = this.daemonPid();
    if (daemon !== undefined) signal(daemon, "SIGKILL");
    await this.#human?.[Symbol.asyncDispose]();
    this.#human = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.endClock();
    if (this.#tmux) execFileSync("tmux", ["-L", `chaos-${this.#own}`, "kill-server"], { stdio: "ignore" });
    await this.#human?.[Symbol.asyncDispose]();
    await this.world.run(["daemon", "stop"]);
    await until(() => this.daemonPid() === undefined, 10_000, "the daemon to leave").catch(() => {});
    if (this.#mounted) execFileSync("umount", ["-l", this.paths.state]);
    await this.world[Symbol.asyncDispose]();
  }
}

function shellOf(human: Human): Shell {
  return { pid: human.shell, type: human.type, hangUp: human.hangUp };
}

/** The agent itself, seen from outside of its sandbox. */
function findAgent(name: string): number | undefined {
  return allProcesses().find(({ pid }) => {
    const words = argumentsOf(pid).split("\0");
    return words[1] === AGENT && words[2] === name;
  })?.pid;
}

/** Name, pid, and the end of the arguments. */
export function describeProcess(pid: number): string {
  return `${processInfo(pid)?.name} (${pid}: ${argumentsOf(pid).replaceAll("\0", " ").slice(-160).trim()})`;
}

function argumentsOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}

function isOfSession(pid: number, home: string): boolean {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, "latin1");
    return environment.includes("AGENT_RUN_SESSION=") && environment.includes(`HOME=${home}\0`) && processInfo(pid) !== undefined;
  } catch {
    return false;
  }
}
