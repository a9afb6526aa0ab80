// The sandbox, and on pipes what becomes the agent without one, is started while AWS is asked: until every gate was passed the agent's program does not run, nothing is served, and nothing is left when no agent comes of it.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { sleep } from "../../src/core/clock.ts";
import { allProcesses, isStopped, signal } from "../../src/core/process-tree.ts";
import { type Human, sitDown } from "./human.ts";
import { alive, BIN, hasBubblewrap, makeWorld, until, type World } from "./world.ts";

const LIMIT_MS = 8000;
/** How long an agent is given to start where it should not. */
const WATCH_MS = 300;
const missing = hasBubblewrap ? "" : " (needs bwrap, apt-get install bubblewrap)";

describe.skipIf(!hasBubblewrap)(`a sandbox that waits for the identity gate${missing}`, () => {
  let world: World;
  let human: Human | undefined;
  let fault: Disposable | undefined;
  let files: string[] = [];
  let isSealed = true;

  beforeAll(async () => {
    world = await makeWorld();
    for (const level of ["standard", "strict"]) expect((await world.run(["--isolation", level, "true"])).code).toBe(0);
    files = homeFiles();
  });
  afterEach(async () => {
    fault?.[Symbol.dispose]();
    fault = undefined;
    await human?.[Symbol.asyncDispose]();
    human = undefined;
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  const homeFiles = (): string[] => readdirSync(world.home, { recursive: true, encoding: "utf8" }).sort();
  const ofSession = () => allProcesses().filter(({ pid }) => pid !== process.pid && mine(pid));
  const mine = (pid: number): boolean => {
    const environment = read(pid, "environ");
    return environment.includes("\0AGENT_RUN_SESSION=") && environment.includes(`HOME=${world.home}\0`);
  };
  /** Our own shell, with all done but the agent; in the sandbox, where there is one. */
  const waiting = (): number | undefined =>
    ofSession().find(
      ({ pid, name }) =>
        name === "sh" && read(pid, "cmdline").includes("agent_run_") && (!isSealed || /^\s*NSpid:.*\t[2-9]/m.test(read(pid, "status"))),
    )?.pid;
  const isHeld = (surface: string): boolean => {
    const pid = waiting();
    if (pid === undefined) return false;
    return surface === "pipes" || isStopped(pid);
  };

  interface Launched {
    readonly pid: number;
    readonly ended: Promise<unknown>;
    printed(): string;
  }
  const launch = async (surface: string, level: string): Promise<Launched> => {
    const words = ["--isolation", level, "sh", "-c", "touch ran"];
    if (surface === "pipes") {
      const child = world.start(words);
      let text = "";
      for (const stream of [child.stdout, child.stderr]) stream?.on("data", (part: Buffer) => (text += part.toString()));
      const ended = new Promise((resolve) => child.once("close", (code, name) => resolve(code ?? name)));
      return { pid: child.pid ?? 0, ended, printed: () => text };
    }
    human = await sitDown(world.env, world.project, { cols: 100, rows: 30 });
    const { shell } = human;
    const begun = human.raw().length;
    human.type(`${process.execPath} ${BIN} ${words.map((word) => `'${word}'`).join(" ")}\r`);
    const launcher = (): number | undefined => allProcesses().find(({ parent }) => parent === shell)?.pid;
    await until(() => launcher() !== undefined, LIMIT_MS, "the launcher");
    const pid = launcher() ?? 0;
    const ended = until(() => !alive(pid), LIMIT_MS, "the launcher to end");
    ended.catch(() => {});
    return { pid, ended, printed: () => human?.raw().slice(begun) ?? "" };
  };
  /** Launches against an STS that takes its time over the gate, until the sandbox waits for it. */
  const launchHeld = async (surface: string, level: string, refusing = false): Promise<Launched> => {
    isSealed = level !== "none";
    // The daemon runs then, and knows who the human is: it asks for the session and its gate only.
    expect((await world.run(["true"])).code).toBe(0);
    const refusal = refusing ? { error: { code: "AccessDenied", status: 403, message: "not you" } } : {};
    fault = world.cloud.switches.fault({ operation: "sts:GetCallerIdentity", latencyMs: refusing ? 1200 : 30_000, ...refusal });
    const launched = await launch(surface, level);
    await until(() => isHeld(surface), LIMIT_MS, "the sandbox to wait");
    return launched;
  };
  const nothingLeft = async (): Promise<void> => {
    await until(() => ofSession().length === 0 && world.sessionFolders().length === 0, LIMIT_MS, "processes and files to go");
    expect(existsSync(join(world.project, "ran"))).toBe(false);
  };

  const held = [["pipes", "standard"] as const, ["pipes", "none"] as const, ["a terminal", "standard"] as const];
  const places = ["pipes", "a terminal"].flatMap((surface) => ["standard", "strict"].map((level) => [surface, level] as const));

  it.each([...places, ["pipes", "none"] as const])(
    "on %s at %s: no agent when the gate refuses, the error alone is seen, nothing is left",
    async (surface, level) => {
      const { ended, printed } = await launchHeld(surface, level, true);
      const status = await ended;
      if (surface === "pipes") expect(status).toBe(125);
      await until(() => printed().includes("not you"), LIMIT_MS, "the error");
      expect(printed()).not.toContain("7777;");
      await nothingLeft();
      expect(homeFiles()).toEqual(files);
    },
  );

  it.each(["pipes", "a terminal"])("on %s, what bwrap says meanwhile is not seen when the gate refuses", async (surface) => {
    const folder = join(world.own, "bin");
    const real =
      (world.env["PATH"] ?? "")
        .split(":")
        .map((each) => join(each, "bwrap"))
        .find((each) => existsSync(each)) ?? "";
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "bwrap"), `#!/bin/sh\necho "noise from bwrap" >&2\nexec ${real} "$@"\n`, { mode: 0o755 });
    const usual = world.env["PATH"] ?? "";
    world.env["PATH"] = `${folder}:${usual}`;
    try {
      const { ended, printed } = await launchHeld(surface, "standard", true);
      await ended;
      await until(() => printed().includes("not you"), LIMIT_MS, "the error");
      expect(printed()).not.toContain("noise");
      // It does say so: where the agent starts it is there to be seen, and first.
      fault?.[Symbol.dispose]();
      const { stderr } = await world.run(["--isolation", "standard", "sh", "-c", "echo and the agent >&2"]);
      expect(stderr).toBe("noise from bwrap\nand the agent\n");
      // So it is where that was its last word; its status is not taken for an agent's.
      writeFileSync(join(folder, "bwrap"), `#!/bin/sh\ncase $* in *agent_run_*) echo "no sandbox" >&2; exit 9;; esac\nexec ${real} "$@"\n`);
      expect(await world.run(["--isolation", "standard", "true"])).toMatchObject({
        code: 125,
        stderr: "no sandbox\nagent-run: error: the sandbox could not be started, and no agent was\nagent-run: hint: agent-run doctor\n",
      });
      await using narrow = await sitDown({ ...world.env, TERM: "dumb" }, world.project, { cols: 50, rows: 20 });
      expect(await narrow.run(`${process.execPath} ${BIN} --isolation standard true`)).toBe(125);
      const rows = await narrow.screen();
      expect(rows.slice(rows.indexOf("agent-run: error: the sandbox could not be"))).toEqual(
        expect.arrayContaining(["agent-run: error: the sandbox could not be", "  started, and no agent was"]),
      );
    } finally {
      world.env["PATH"] = usual;
    }
    await nothingLeft();
  });

  it.each([
    ["pipes", "standard", "SIGINT"],
    ["pipes", "standard", "SIGTERM"],
    ["pipes", "standard", "SIGKILL"],
    ["pipes", "none", "SIGINT"],
    ["pipes", "none", "SIGKILL"],
    ["a terminal", "standard", "SIGINT"],
    ["a terminal", "standard", "SIGHUP"],
    ["a terminal", "standard", "SIGKILL"],
  ] as const)("on %s at %s, %s for the launcher leaves no process and no file", async (surface, level, name) => {
    const { pid, ended } = await launchHeld(surface, level);
    signal(pid, name);
    const end = await ended;
    if (surface === "pipes") expect(end).toBe(name);
    await nothingLeft();
    // Of a launcher that could not, its daemon takes away what was made to be covered.
    await until(() => String(homeFiles()) === String(files), name === "SIGKILL" ? LIMIT_MS : 0, "what was covered to go");
  });

  it.each(["pipes", "a terminal"])("on %s, programs that lie before the system's on PATH have no part in it", async (surface) => {
    const { PATH } = world.env;
    for (const name of ["stty", "sleep", "od", "tr"])
      writeFileSync(join(world.project, name), `#!/bin/sh\n: > ran\nexec /usr/bin/${name} "$@"\n`, { mode: 0o755 });
    world.env["PATH"] = `${world.project}:${PATH}`;
    const { pid } = await launchHeld(surface, "standard");
    world.env["PATH"] = PATH ?? "";
    signal(pid, "SIGTERM");
    await nothingLeft();
    for (const name of ["stty", "sleep", "od", "tr"]) rmSync(join(world.project, name));
  });

  it.each(held)("on %s at %s, a daemon that dies then ends the launch, and nothing is left", async (surface, level) => {
    const { ended } = await launchHeld(surface, level);
    signal((await world.daemonPid()) ?? 0, "SIGKILL");
    await ended;
    await nothingLeft();
    expect(homeFiles()).toEqual(files);
  });

  it.each(held)("on %s at %s, a kill by command then starts no agent", async (surface, level) => {
    const { ended } = await launchHeld(surface, level);
    expect((await world.run(["kill", "--all"])).code).toBe(0);
    await ended;
    await nothingLeft();
  });

  it.each(held)(
    "on %s at %s, the endpoint serves nobody until the gate is passed, and a SIGCONT starts nothing",
    async (surface, level) => {
      const { pid } = await launchHeld(surface, level);
      const environment = new Map(
        read(waiting() ?? 0, "environ")
          .split("\0")
          .map((each) => [each.slice(0, each.indexOf("=")), each.slice(each.indexOf("=") + 1)]),
      );
      const url = environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI") ?? "";
      const answer = await fetch(url, { headers: { authorization: environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN") ?? "" } });
      expect(answer.status).toBe(503);
      expect(await answer.text()).toContain("the session has not started");
      for (let count = 0; count < 3; count += 1) {
        signal(waiting() ?? 0, "SIGCONT");
        await sleep(WATCH_MS / 3);
      }
      expect(existsSync(join(world.project, "ran"))).toBe(false);
      expect(isHeld(surface)).toBe(true);
      signal(pid, "SIGTERM");
      await nothingLeft();
      const isClosed = (): Promise<boolean> =>
        fetch(url).then(
          () => false,
          () => true,
        );
      await until(isClosed, LIMIT_MS, "the endpoint to be closed");
    },
  );
});

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return "";
  }
}
