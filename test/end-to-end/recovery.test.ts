// What a daemon makes of sessions that it finds: a record that ends every daemon is left alone in the end, and another machine's session is another machine's.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { allProcesses, signal } from "../../src/core/process-tree.ts";
import { alive, BIN, gone, has, makeWorld, until, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await makeWorld();
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

const AGENT = ["sh", "-c", "echo $$ > pid; while :; do sleep 0.05; done"];
const agentPid = async (): Promise<number> => {
  const file = join(world.project, "pid");
  await until(() => existsSync(file) && readFileSync(file, "utf8").endsWith("\n"), 20_000, "the agent to start");
  const pid = Number(readFileSync(file, "utf8"));
  rmSync(file);
  return pid;
};
/** Launcher, daemon and its keeper at once: nobody is left who could end anything. */
const killAtOnce = async (launcher: ChildProcess, daemon: number | undefined): Promise<void> => {
  if (launcher.pid === undefined || daemon === undefined) throw new Error("no launcher or no daemon");
  const both = [daemon, launcher.pid];
  // Neither sees the other's end.
  for (const pid of both) signal(pid, "SIGSTOP");
  const keepers = allProcesses().filter(({ parent }) => parent === daemon);
  expect(keepers.length).toBe(1);
  for (const pid of [...keepers.map((each) => each.pid), ...both]) signal(pid, "SIGKILL");
  await Promise.all(both.map((pid) => gone(pid)));
};

it("a launch right after the runtime folder was removed waits for the daemon that makes it anew, with its session", async () => {
  world.start(AGENT);
  await agentPid();
  const session = world.sessionFolders()[0]?.split("/").at(-1) ?? "";
  const daemon = await world.daemonPid();
  rmSync(join(world.own, "run"), { recursive: true });
  expect(await world.run(["true"])).toMatchObject({ code: 0, stderr: "" });
  expect(await world.daemonPid()).toBe(daemon);
  expect((await world.run(["ps"])).stdout).toContain(session);
  expect((await world.run(["kill", session])).stdout).toContain(`${session} killed`);
});

it("a daemon that is stopped while it waits for AWS is gone at once, with what it held", async () => {
  expect((await world.run(["true"])).code).toBe(0);
  using _ = world.cloud.switches.fault({ operation: "sts:GetCallerIdentity", latencyMs: 30_000 });
  const launcher = world.start(["true"]);
  const daemon = (await world.daemonPid()) ?? 0;
  const starting = async () => (await world.run(["ps", "--json"])).stdout.includes('"starting"');
  await until(starting, 10_000, "the session to wait");
  expect((await world.run(["daemon", "stop"])).stdout).toContain("1 session was ended");
  // The call itself is given up after eleven.
  await gone(daemon, 5000);
  if (launcher.exitCode === null) await new Promise((resolve) => launcher.once("exit", resolve));
});

describe.skipIf(!has("strace"))("a session whose record ends every daemon (needs strace)", () => {
  it("is left alone by the fourth, which ends what it can without the record, and says how to try again", async () => {
    const launcher = world.start(AGENT);
    const agent = await agentPid();
    await killAtOnce(launcher, await world.daemonPid());
    const [folder = ""] = world.sessionFolders();
    const session = folder.split("/").at(-1) ?? "";
    expect(session).toMatch(/^sess_/);
    // Each dies as it comes to the session's folder, as it would of a fault in what it calls there.
    const inject = ["-e", "trace=openat,rmdir,unlinkat", "-e", "inject=openat,rmdir,unlinkat:signal=SIGKILL"];
    for (let times = 1; times <= 3; times += 1) {
      const daemon = spawn("strace", ["-f", "-qq", "-o", "/dev/null", "-P", folder, ...inject, process.execPath, BIN, "daemon", "run"], {
        env: world.env,
        stdio: "ignore",
      });
      // As its child is, strace itself is ended.
      expect(await new Promise((resolve) => daemon.once("exit", (_, by) => resolve(by)))).toBe("SIGKILL");
      expect(existsSync(folder)).toBe(true);
    }
    expect((await world.run(["daemon", "start"])).code).toBe(0);
    await until(() => !alive(agent) && !existsSync(folder), 10_000, "what is left of the session to go");
    const { stderr } = await world.run(["ps"]);
    const file = join(world.own, "run", `recovering.${session}`);
    expect(stderr).toContain(`3 daemons died while they ended what ${session} left`);
    expect(stderr).toContain(`rm ${file}`);
    expect((await world.run(["daemon", "logs"])).stdout).toContain(`3 daemons died while they ended what ${session} left`);
    // Others are launched as ever.
    expect((await world.run(["true"])).code).toBe(0);

    rmSync(file);
    await world.run(["daemon", "stop"]);
    await world.run(["daemon", "start"]);
    await until(async () => (await world.run(["audit", "--verify"])).code === 0, 15_000, "the audit to have an end");
    expect((await world.run(["ps"])).stderr).not.toContain("daemons died");
    expect(existsSync(file)).toBe(false);
  }, 90_000);
});

describe.skipIf(process.getuid?.() !== 0)("two machines with one state folder (needs root, for namespaces)", () => {
  /** Another host name, another machine-id, and another runtime folder, as a second machine with the same home has. */
  const other = ["--mount", "--uts", "--", "sh", "-c"];
  const OTHER = 'hostname build-7; [ ! -e /etc/machine-id ]||mount --bind "$0" /etc/machine-id; exec "$@"';
  let here: Record<string, string> = {};
  let there: Record<string, string> = {};
  const onOther = (args: readonly string[]): Promise<{ code: number | null; text: string }> =>
    ended(
      spawn("unshare", [...other, OTHER, join(dirname(world.home), "id"), process.execPath, BIN, ...args], {
        cwd: world.project,
        env: there,
        stdio: ["ignore", "pipe", "pipe"],
      }),
    );
  const onThis = (args: readonly string[]): Promise<{ code: number | null; text: string }> =>
    ended(spawn(process.execPath, [BIN, ...args], { cwd: world.project, env: here, stdio: ["ignore", "pipe", "pipe"] }));

  beforeEach(() => {
    const base = dirname(world.home);
    for (const name of ["config", "state", "run-here", "run-there"]) mkdirSync(join(base, name), { mode: 0o700 });
    symlinkSync(join(world.own, "config"), join(base, "config", "agent-run"));
    writeFileSync(join(base, "id"), "0123456789abcdef0123456789abcdef\n");
    const { AGENT_RUN_HOME: _, ...env } = world.env;
    const shared = { ...env, XDG_CONFIG_HOME: join(base, "config"), XDG_STATE_HOME: join(base, "state") };
    here = { ...shared, XDG_RUNTIME_DIR: join(base, "run-here") };
    there = { ...shared, XDG_RUNTIME_DIR: join(base, "run-there") };
  });
  afterEach(async () => {
    await onOther(["daemon", "stop"]);
    await onThis(["daemon", "stop"]);
  });

  it("leave one another's sessions alone, alive or dead, and say whose they are", async () => {
    const launcher = spawn(process.execPath, [BIN, ...AGENT], { cwd: world.project, env: here, stdio: "ignore" });
    const agent = await agentPid();
    const [{ session = "" } = {}] = JSON.parse((await onThis(["ps", "--json"])).text) as { session?: string }[];
    const foreign = new RegExp(`${session} is of another machine`);
    expect((await onOther(["ps"])).text).toMatch(new RegExp(`${foreign.source}, .*; last recorded at 20\\d\\d-\\d\\d-\\d\\dT`));
    // A daemon of its own, which looks what others left.
    expect(await onOther(["true"])).toMatchObject({ code: 0 });
    expect((await onOther(["daemon", "logs"])).text).toMatch(foreign);
    for (const machine of [onThis, onOther]) expect(await machine(["audit", "--verify"])).toMatchObject({ code: 0 });
    expect(alive(agent)).toBe(true);
    expect((await onThis(["ps"])).text).not.toMatch(foreign);

    // Nobody is left on its own machine, which still is the one to end it.
    const { pid: daemon } = JSON.parse((await onThis(["daemon", "status", "--json"])).text) as { pid: number };
    await killAtOnce(launcher, daemon);
    await onOther(["daemon", "stop"]);
    expect(await onOther(["true"])).toMatchObject({ code: 0 });
    expect(alive(agent)).toBe(true);
    expect((await onOther(["ps"])).text).toMatch(foreign);
    await onThis(["daemon", "start"]);
    await until(() => !alive(agent), 10_000, "the agent to be ended");
    await until(async () => (await onOther(["audit", "--verify"])).code === 0, 10_000, "the audit to have an end");
    expect((await onOther(["ps"])).text).not.toMatch(foreign);
    expect(await onThis(["audit", "--verify"])).toMatchObject({ code: 0 });
  }, 90_000);
});

async function ended(child: ChildProcess): Promise<{ code: number | null; text: string }> {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", (part: string) => (text += part));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, text };
}
