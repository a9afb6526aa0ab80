// Launcher, daemon and whoever else could end a sandbox die while bubblewrap is still at work and not tied to its parent: no agent starts, nothing stays.
// The moment is made long by a `bwrap` that is first on PATH and waits in it.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openLease } from "../../src/control/client.ts";
import { sleep } from "../../src/core/clock.ts";
import { allProcesses, descendants, isStopped, signal } from "../../src/core/process-tree.ts";
import { type Human, sitDown } from "./human.ts";
import { alive, BIN, hasBubblewrap, makeWorld, until, type World } from "./world.ts";

const AGENT = "echo ran >ran; while :; do sleep 0.05; done";
const LIMIT_MS = 5000;
/** How long the agent is given to start where it should not. */
const WATCH_MS = 1500;

/** Where bubblewrap waits: before it has done anything, or when all is mounted and the outer process is tied, but not yet the init inside. */
const moments = {
  "before bubblewrap is tied to the launcher": (gate: string) => `read -r line <>"${gate}";exec "$real" "$@"`,
  "before its init is tied to bubblewrap": (gate: string) => `exec "$real" --block-fd 7 "$@" 7<>"${gate}"`,
} as const;

/** Takes a descriptor of each terminal that a process is the master of (pidfd_getfd(2)), prints how many, and keeps them. */
const HOLDS_TERMINALS = `
import ctypes, os, sys, time
pid = int(sys.argv[1])
call = ctypes.CDLL(None, use_errno=True).syscall
of = call(434, pid, 0)
fds = [int(fd) for fd in os.listdir(f"/proc/{pid}/fd") if "ptmx" in os.readlink(f"/proc/{pid}/fd/{fd}")]
print(sum(1 for fd in fds if call(438, of, fd, 0) >= 0), flush=True)
time.sleep(60)
`;

describe.skipIf(!hasBubblewrap)("a sandbox whose launcher dies while it is made (needs bubblewrap)", () => {
  let world: World;
  let human: Human | undefined;
  let path = "";
  const inWorld = (name: string): string => join(dirname(world.home), name);

  beforeEach(async () => {
    world = await makeWorld();
    mkdirSync(inWorld("bin"), { mode: 0o755 });
    path = `${inWorld("bin")}:${world.env["PATH"]}`;
    execFileSync("mkfifo", [inWorld("gate")]);
  });
  afterEach(async () => {
    await human?.[Symbol.asyncDispose]();
    human = undefined;
    await world[Symbol.asyncDispose]();
  });

  /** A bwrap that waits where `wait` says, once there is a file `slow`. Unless told otherwise it would not even die of its terminal's end. */
  const layBwrap = (wait: string, ignores = "trap '' HUP;"): void => {
    const real = execFileSync("sh", ["-c", "command -v bwrap"], { encoding: "utf8" }).trim();
    const slow = `if [ -e '${inWorld("slow")}' ];then ${ignores}echo $$ >'${inWorld("waits")}';${wait};fi`;
    writeFileSync(join(inWorld("bin"), "bwrap"), `#!/bin/sh\nreal=${real}\n${slow}\nexec "$real" "$@"\n`, { mode: 0o755 });
  };

  const ofSession = (): string[] =>
    allProcesses()
      .filter(
        ({ pid }) => pid !== process.pid && /AGENT_RUN_SESSION=/.test(read(pid, "environ")) && read(pid, "environ").includes(world.home),
      )
      .map(({ pid, name }) => `${name} (${pid})`);

  /** Starts an agent and gives the launcher's pid once its bwrap waits. */
  const startSlowly = async (surface: "pipes" | "a terminal", before = ""): Promise<number> => {
    expect((await world.run(["--isolation", "standard", "true"], { env: { PATH: path } })).code).toBe(0);
    writeFileSync(inWorld("slow"), "");
    let launcher: number | undefined;
    if (surface === "pipes") launcher = world.start(["--isolation", "standard", "sh", "-c", AGENT], { env: { PATH: path } }).pid;
    else {
      human = await sitDown({ ...world.env, PATH: path }, world.project, { cols: 80, rows: 24 });
      human.type(`(${before}exec ${process.execPath} ${BIN} --isolation standard sh -c '${AGENT}')\r`);
      await until(() => childOf(human?.shell) !== undefined, 30_000, "the launcher");
      launcher = childOf(human.shell);
    }
    await until(() => existsSync(inWorld("waits")), 30_000, "bubblewrap to be started");
    if (!launcher) throw new Error("no launcher");
    return launcher;
  };
  const waiting = (): number => Number(readFileSync(inWorld("waits"), "utf8"));
  const letGo = (): void => void execFileSync("sh", ["-c", `echo 7<>'${inWorld("gate")}' >&7`]);

  for (const [moment, wait] of Object.entries(moments))
    for (const surface of ["pipes", "a terminal"] as const) {
      it(`${moment}, on ${surface}: no agent starts, whoever else is dead`, async () => {
        layBwrap(wait(inWorld("gate")));
        const launcher = await startSlowly(surface);
        const inner = (): number | undefined => childOf(waiting());
        if (moment.includes("init")) await until(() => has(inner(), "uid_map"), 30_000, "the outer bubblewrap to be tied");
        const sandbox = [waiting(), inner()].filter((pid) => pid !== undefined);
        const daemon = (await world.daemonPid()) ?? 0;
        const others = allProcesses().filter(({ pid, parent }) => [launcher, daemon].includes(parent) && pid !== waiting());
        expect(others).toHaveLength(surface === "pipes" ? 1 : 2);
        // The keeper and the launcher before the daemon, of which they would start another.
        for (const pid of [...others.map((each) => each.pid), launcher, daemon]) signal(pid, "SIGKILL");
        await until(() => !alive(launcher) && threads(launcher) < 2, 5000, "the launcher to be gone");
        letGo();
        await sleep(WATCH_MS);
        expect(existsSync(join(world.project, "ran"))).toBe(false);
        await until(() => sandbox.every((pid) => !alive(pid)), LIMIT_MS, "the sandbox to be gone");
        expect(existsSync(join(world.project, "ran"))).toBe(false);
        expect(ofSession()).toEqual([]);
      }, 90_000);
    }

  it("in a terminal that outlives the launcher for a moment: what waits in the sandbox, tied to nobody, goes with the terminal", async () => {
    layBwrap(moments["before bubblewrap is tied to the launcher"](inWorld("gate")), "");
    // As under nohup: the launcher's, which is not handed on to a terminal of its own.
    const launcher = await startSlowly("a terminal", 'trap "" HUP;');
    // The kernel ends a process's threads one by one, and closes what they had open with the last of them: here somebody else has the terminal meanwhile.
    const holder = spawn("python3", ["-c", HOLDS_TERMINALS, String(launcher)], { stdio: ["pipe", "pipe", "inherit"] });
    let held = "";
    holder.stdout.setEncoding("utf8").on("data", (text: string) => (held += text));
    await until(() => held.endsWith("\n"), 10_000, "the terminal to be held");
    expect(Number(held)).toBeGreaterThan(0);
    const daemon = (await world.daemonPid()) ?? 0;
    expect(daemon).toBeGreaterThan(1);
    const others = allProcesses().filter(({ pid, parent }) => [launcher, daemon].includes(parent) && pid !== waiting());
    for (const pid of [...others.map((each) => each.pid), launcher, daemon]) signal(pid, "SIGKILL");
    await until(() => !alive(launcher) && threads(launcher) < 2, 5000, "the launcher to be gone");
    letGo();
    // It has said its first word, which the terminal took, and waits for nobody.
    const stopped = (): number[] => descendants(waiting()).flatMap(({ pid }) => (isStopped(pid) ? [pid] : []));
    await until(() => stopped().length === 1, 10_000, "the shim to stop");
    const sandbox = [waiting(), ...descendants(waiting()).map(({ pid }) => pid)];
    holder.kill("SIGKILL");
    await until(() => sandbox.every((pid) => !alive(pid)), LIMIT_MS, "the sandbox to be gone");
    expect(existsSync(join(world.project, "ran"))).toBe(false);
    expect(ofSession()).toEqual([]);
  }, 60_000);

  it("leaves no descriptor in an agent", async () => {
    const script = "for fd in 3 4 5 6 7 8 9; do [ ! -e /proc/$$/fd/$fd ] || echo $fd; done; echo looked";
    expect((await world.run(["--isolation", "standard", "sh", "-c", script])).stdout).toBe("looked\n");
  });

  it("leaves no file either, and an audit with an end, without another launch: the daemon's keeper sees to that", async () => {
    layBwrap(moments["before bubblewrap is tied to the launcher"](inWorld("gate")));
    const launcher = await startSlowly("pipes");
    expect(world.sessionFolders()).toHaveLength(1);
    signal((await world.daemonPid()) ?? 0, "SIGKILL");
    signal(launcher, "SIGKILL");
    await until(() => world.sessionFolders().length === 0 && ofSession().length === 0, LIMIT_MS, "files and processes to go");
    expect(existsSync(join(world.project, "ran"))).toBe(false);
    rmSync(inWorld("slow"));
    await until(async () => (await world.run(["audit", "--verify"])).code === 0, LIMIT_MS, "the audit to have an end");
  }, 60_000);
});

describe("a daemon that dies", () => {
  let world: World;
  beforeEach(async () => {
    world = await makeWorld();
    await world.run(["daemon", "start"]);
  });
  afterEach(async () => world[Symbol.asyncDispose]());

  const daemon = async (): Promise<number> => (await world.daemonPid()) ?? 0;
  const keepers = async (): Promise<number[]> => {
    const parent = await daemon();
    return allProcesses().flatMap((info) => (info.parent === parent && info.name === "sh" ? [info.pid] : []));
  };
  /** A session whose launcher is said to be a process that is gone: no daemon waits for it to come back. */
  const open = async (): Promise<{ close(): void }> => {
    const { version } = JSON.parse((await world.run(["daemon", "status", "--json"])).stdout) as { version: string };
    const { AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "", AWS_ENDPOINT_URL = "", AWS_REGION = "" } = world.env;
    const { lease } = await openLease(join(world.own, "run", "control.sock"), version, {
      ...{ type: "open", actor: "sh", developer: "dev", cwd: world.project, overrides: {}, interactive: false, dryRun: false },
      launcher: { pid: process.pid, started: "before this one" },
      source: { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL, AWS_REGION },
    });
    const heard: string[] = [];
    lease.onMessage((message) => heard.push(message.type));
    await until(() => heard.includes("ready"), 20_000, "the session to stand");
    return lease;
  };

  it("is followed by one that ends its session at once, without another launch", async () => {
    await using _ = { [Symbol.asyncDispose]: async () => void (await world.run(["daemon", "stop"])) };
    await open();
    expect(world.sessionFolders()).toHaveLength(1);
    const first = await daemon();
    signal(first, "SIGKILL");
    await until(() => world.sessionFolders().length === 0, LIMIT_MS, "the folder to go");
    await until(async () => (await world.run(["audit", "--verify"])).code === 0, LIMIT_MS, "the audit to have an end");
    expect(await daemon()).not.toBe(first);
  }, 60_000);

  it("is followed by none where it held no session any more", async () => {
    (await open()).close();
    await until(async () => (await world.run(["ps", "--json"])).stdout.trim() === "[]", LIMIT_MS, "the session to end");
    const [keeper = 0] = await keepers();
    expect(alive(keeper)).toBe(true);
    signal(await daemon(), "SIGKILL");
    await until(() => !alive(keeper), LIMIT_MS, "the keeper to leave");
    expect(await world.daemonPid()).toBeUndefined();
  }, 60_000);

  it("has one keeper for all its sessions, and another where that was killed", async () => {
    const sessions = [await open(), await open()];
    const [keeper = 0, ...more] = await keepers();
    expect(more).toEqual([]);
    signal(keeper, "SIGKILL");
    await until(async () => (await keepers()).length === 0, LIMIT_MS, "the keeper to go");
    sessions.push(await open());
    expect(await keepers()).toHaveLength(1);
    signal(await daemon(), "SIGKILL");
    await until(() => world.sessionFolders().length === 0, LIMIT_MS, "the folders to go");
    for (const session of sessions) session.close();
  }, 60_000);
});

function childOf(pid: number | undefined): number | undefined {
  return allProcesses().find(({ parent }) => parent === pid)?.pid;
}

/** The last of them to go closes what it had open; that a process ended is told when its first thread has. */
function threads(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`).length;
  } catch {
    return 0;
  }
}

/** Whether there is something in that file of a process. */
function has(pid: number | undefined, file: string): boolean {
  return read(pid, file).trim() !== "";
}

function read(pid: number | undefined, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return "";
  }
}
