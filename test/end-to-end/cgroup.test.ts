// The agent's own cgroup in real sessions, below one that is made for the test: it goes with its session, whoever dies, and may be one of threads.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { signal } from "../../src/core/process-tree.ts";
import { alive, BIN, hasBubblewrap, makeWorld, until, type World } from "./world.ts";

const isRoot = process.getuid?.() === 0;
/** Where this machine's cgroups are to be made; some containers give not even root any. */
const root = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].find((folder) => existsSync(join(folder, "cgroup.procs")) && canMakeIn(folder));
const CLINGS = "setsid sh -c 'trap \"\" HUP TERM; while :; do sleep 0.05; done' & echo $$ > pid; while :; do sleep 0.05; done";

const whyNot = isRoot
  ? [...(root === undefined ? ["a machine that lets root make cgroups"] : []), ...(hasBubblewrap ? [] : ["bubblewrap"])]
  : ["root, and bubblewrap"];
const skipped = whyNot.length === 0 ? "" : ` (skipped: needs ${whyNot.join(" and ")})`;

describe.skipIf(skipped !== "")(`the cgroup of a session's agent${skipped}`, () => {
  let world: World;
  let scope = "";
  beforeEach(async () => {
    world = await makeWorld();
    scope = join(root ?? "", `agent-run-test-${process.pid}`);
    mkdirSync(scope);
    // Not in what the test looks at.
    await world.run(["daemon", "start"]);
  });
  afterEach(async () => {
    await world[Symbol.asyncDispose]();
    await until(() => removed(scope), 10_000, `${scope} to be empty`);
  });

  const within = (cgroup: string, script: string): ChildProcess =>
    spawn(
      "sh",
      [
        "-c",
        'echo 0 >"$1/cgroup.procs"; shift; exec "$@"',
        "sh",
        cgroup,
        process.execPath,
        BIN,
        "--isolation",
        "standard",
        "sh",
        "-c",
        script,
      ],
      {
        ...{ cwd: world.project, env: world.env, stdio: ["ignore", "pipe", "pipe"] },
      },
    );
  const ours = (): string[] => readdirSync(scope).filter((name) => name.startsWith("agent-run-sess_"));
  const launch = async (): Promise<ChildProcess> => {
    const launcher = within(scope, CLINGS);
    await until(() => existsSync(join(world.project, "pid")), 20_000, "the agent to start");
    const [own = ""] = ours();
    expect(
      readFileSync(join(scope, own, "cgroup.procs"), "utf8")
        .trim()
        .split("\n").length,
    ).toBeGreaterThan(2);
    return launcher;
  };

  it("goes when its launcher is killed, and when the daemon is killed with it", async () => {
    for (const withDaemon of [false, true]) {
      const launcher = await launch();
      if (withDaemon) signal((await world.daemonPid()) ?? 0, "SIGKILL");
      launcher.kill("SIGKILL");
      await until(() => ours().length === 0, 10_000, "the cgroup to go");
      await until(() => world.sessionFolders().length === 0, 5000, "the folder to go");
      expect(readFileSync(join(scope, "cgroup.procs"), "utf8")).toBe("");
      rmSync(join(world.project, "pid"));
    }
  }, 60_000);

  it("is one of threads where the human's is", async () => {
    const threaded = join(scope, "threads");
    mkdirSync(threaded);
    writeFileSync(join(threaded, "cgroup.type"), "threaded");
    const launcher = within(threaded, "tail -n 1 /proc/self/cgroup");
    let said = "";
    for (const stream of [launcher.stdout, launcher.stderr]) stream?.setEncoding("utf8").on("data", (text: string) => (said += text));
    expect(await new Promise((resolve) => launcher.once("close", resolve))).toBe(0);
    expect(said).toBe("0::/\n");
    expect(readdirSync(threaded).filter((name) => name.startsWith("agent-run-"))).toEqual([]);
    expect(alive(launcher.pid ?? 0)).toBe(false);
  }, 30_000);
});

function canMakeIn(folder: string): boolean {
  const tried = join(folder, `agent-run-tried-${process.pid}`);
  try {
    mkdirSync(tried);
    return removed(tried);
  } catch {
    return false;
  }
}

/** With what is below; false while something is in it. */
function removed(folder: string): boolean {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) if (entry.isDirectory()) removed(join(folder, entry.name));
    rmdirSync(folder);
    return true;
  } catch {
    return !existsSync(folder);
  }
}
