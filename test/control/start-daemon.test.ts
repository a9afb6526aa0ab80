import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { spawn as openPty } from "@lydell/node-pty";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openLease } from "../../src/control/client.ts";
import { lockHolder } from "../../src/control/lock.ts";
import { stopReply } from "../../src/control/protocol.ts";
import { daemonStatus } from "../../src/control/requests.ts";
import { spawnDaemon } from "../../src/control/spawn-daemon.ts";
import { ask, connectOrStart, daemonEnvironment, openLeaseOrStart } from "../../src/control/start-daemon.ts";
import { daemonLock } from "../../src/core/paths.ts";
import { processInfo, signal } from "../../src/core/process-tree.ts";
import { type Home, openToy as open, temporaryHome, toyDaemon, until } from "../daemon/toy.ts";
import { folderOfOrdinaryUser, noOrdinaryUser, runAsOrdinaryUser } from "./ordinary-user.ts";

const isRoot = process.getuid?.() === 0;
const launcher = join(import.meta.dirname, "launch-once.ts");

let home: Home;
beforeEach(() => {
  home = temporaryHome();
});
afterEach(async () => {
  await stopDaemon(home);
  home.remove();
});

async function stopDaemon(at: Home): Promise<void> {
  const holder = lockHolder(daemonLock(at.paths));
  if (holder === undefined) return;
  signal(holder, "SIGCONT");
  signal(holder, "SIGTERM");
  await until(() => processInfo(holder) === undefined);
}

/** Makes a daemon of toy-daemon.ts hang, and comes back once it answers no more. */
async function hang(pid: number): Promise<void> {
  signal(pid, "SIGUSR2");
  const answers = () => ask(home.paths, { path: "/v1/status", answer: daemonStatus, limitMs: 500 }).then(Boolean, () => false);
  for (const end = performance.now() + 20_000; await answers(); ) if (performance.now() > end) throw new Error(`${pid} still answers`);
}

interface Launched {
  readonly pid?: number;
  readonly version?: string;
  readonly note?: string;
  readonly code?: string;
  readonly message?: string;
  readonly hint?: string;
}

function launch(args: readonly string[] = ["1.0.0"], env: Record<string, string> = {}): Promise<Launched> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [launcher, ...args],
      { env: { PATH: "/usr/bin:/bin", AGENT_RUN_HOME: home.home, ...env }, cwd: "/" },
      (_error, stdout, stderr) => (stdout === "" ? reject(new Error(`exit ${child.exitCode}: ${stderr}`)) : resolve(JSON.parse(stdout))),
    );
  });
}

const options = (version: string, ...words: string[]) => ({
  startCommand: {
    file: process.execPath,
    args: [toyDaemon, version, "600000", "5000", ...words],
    cwd: "/nowhere",
    env: { PATH: "/usr/bin:/bin", AGENT_RUN_HOME: home.home, AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI", GITHUB_TOKEN: "ghp_x" },
  },
  version,
});

/** How many daemons began to serve, as their log tells. */
const served = (): number => home.log().match(/serves as process/g)?.length ?? 0;

describe("connectOrStart", () => {
  it("starts a daemon where there is none and finds the same one afterwards", async () => {
    const first = await connectOrStart(home.paths, options("1.0.0"));
    const second = await connectOrStart(home.paths, options("1.0.0"));
    expect(second).toEqual({ ...first, note: undefined });
    expect(served()).toBe(1);
    expect(statSync(join(home.paths.state, "daemon.log")).mode & 0o777).toBe(0o600);
  });

  it("starts it detached, in /, with an environment that holds nothing of this terminal, and without core files", async () => {
    const { pid } = await connectOrStart(home.paths, options("1.0.0"));
    const info = processInfo(pid);
    expect(info?.group).toBe(pid);
    if (process.platform !== "linux") return;
    expect(info?.session).toBe(pid);
    const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").filter(Boolean);
    expect(
      environment
        .map((entry) => entry.split("=")[0])
        .filter((name) => !["PWD", "SHLVL", "OLDPWD", "_"].includes(name ?? ""))
        .sort(),
    ).toEqual(["AGENT_RUN_HOME", "PATH"]);
    expect(readFileSync(`/proc/${pid}/limits`, "utf8")).toMatch(/Max core file size +0 +0/);
    expect(lstatSync(`/proc/${pid}/cwd`).isSymbolicLink() && statSync(`/proc/${pid}/cwd`).ino).toBe(statSync("/").ino);
  });

  it("says what a daemon said that did not start, in its own words and with its own hint", async () => {
    const dies = async (script: string) => {
      const { child, failure } = spawnDaemon(home.paths, { file: "/bin/sh", args: ["-c", script], cwd: "/", env: {} });
      await once(child, "close");
      return failure();
    };
    const told = "echo noise; echo agent-run: error: no room; echo agent-run: hint: make some; exit 125";
    expect(await dies(told)).toMatchObject({ message: "the daemon did not start: no room", hint: "make some" });
    expect(await dies("echo noise; exit 3")).toMatchObject({
      message: "the daemon did not start: it ended with status 3; it said: noise",
      hint: expect.stringMatching(/^see \/.*daemon\.log$/),
    });
  });

  it.skipIf(process.platform !== "linux")("hands it no terminal of an agent, from its first moment on", async () => {
    const pty = openPty("/bin/sleep", ["60"], {});
    try {
      const list = spawnSync("/bin/ls", ["-l", "/proc/self/fd"], { encoding: "utf8" });
      expect(list.stdout).toMatch(/ptmx$/m);
      const { child } = spawnDaemon(home.paths, { file: "/bin/ls", args: ["-l", "/proc/self/fd"], cwd: "/", env: {} });
      await once(child, "close");
      expect(home.log()).toMatch(/ 1 -> .*daemon\.log$/m);
      expect(home.log()).not.toMatch(/ptmx|pts/);
    } finally {
      pty.kill("SIGKILL");
    }
  });

  it("gives one daemon to 20 launches at once, round after round", { timeout: 240_000 }, async () => {
    for (let round = 1; round <= 5; round += 1) {
      const launches = await Promise.all(Array.from({ length: 20 }, () => launch()));
      expect(launches.map((each) => each.message)).toEqual(Array.from({ length: 20 }, () => undefined));
      expect(new Set(launches.map((each) => each.pid)).size).toBe(1);
      expect(served()).toBe(round);
      await stopDaemon(home);
    }
  });

  it("gives one daemon to 20 launches while starters are killed in the middle of it", { timeout: 240_000 }, async () => {
    for (let round = 1; round <= 3; round += 1) {
      const env = { PATH: "/usr/bin:/bin", AGENT_RUN_HOME: home.home };
      const doomed = Array.from({ length: 4 }, () => spawn(process.execPath, [launcher], { env, cwd: "/", stdio: "ignore" }));
      const startLock = `${daemonLock(home.paths)}.start`;
      await until(() => doomed.some((child) => child.pid === lockHolder(startLock)));
      for (const child of doomed) child.kill("SIGKILL");
      const launches = await Promise.all(Array.from({ length: 16 }, () => launch()));
      expect(launches.map((each) => each.message).filter(Boolean)).toEqual([]);
      expect(new Set(launches.map((each) => each.pid)).size).toBe(1);
      await stopDaemon(home);
    }
  });

  it("starts anew where a daemon was killed and left its socket and lock", async () => {
    const first = await connectOrStart(home.paths, options("1.0.0"));
    signal(first.pid, "SIGKILL");
    await until(() => processInfo(first.pid) === undefined);
    expect(existsSync(home.socket)).toBe(true);
    const second = await connectOrStart(home.paths, options("1.0.0"));
    expect(second.pid).not.toBe(first.pid);
  });

  it("starts where something else left a file in the place of the socket", async () => {
    mkdirSync(home.paths.runtime, { recursive: true, mode: 0o700 });
    writeFileSync(home.socket, "not a socket");
    expect((await connectOrStart(home.paths, options("1.0.0"))).version).toBe("1.0.0");
  });

  it("fails at once with the last lines of the log when the daemon does not start", async () => {
    const before = performance.now();
    await expect(connectOrStart(home.paths, options("1.0.0", "fails"))).rejects.toMatchObject({
      code: "daemon",
      message: expect.stringMatching(/status 3; it said: the first line \| the last words of the daemon$/),
      hint: `see ${join(home.paths.state, "daemon.log")}`,
    });
    expect(performance.now() - before).toBeLessThan(5000);
  });

  it("fails when the program that should be the daemon is not there", async () => {
    const broken = { ...options("1.0.0"), startCommand: { ...options("1.0.0").startCommand, file: "/nonexistent/agent-run" } };
    await expect(connectOrStart(home.paths, broken)).rejects.toMatchObject({
      code: "daemon",
      message: expect.stringContaining("status 127"),
    });
  });

  it("names the process that holds the lock when a daemon hangs", async () => {
    const { pid } = await connectOrStart(home.paths, options("1.0.0"));
    await hang(pid);
    rmSync(home.socket);
    await expect(connectOrStart(home.paths, { ...options("1.0.0"), limitMs: 1500 })).rejects.toMatchObject({
      code: "daemon",
      message: expect.stringContaining(`process ${pid} holds its lock`),
      hint: expect.stringContaining(`kill -9 ${pid}`),
    });
    signal(pid, "SIGKILL");
  });

  it("ends one that it started and that comes to nothing, and names limits of the system, not itself", async () => {
    const pidFile = join(home.home, "pid");
    const stuck = { ...options("1.0.0").startCommand, file: "/bin/sh", args: ["-c", `echo $$ > ${pidFile}; exec sleep 1000`] };
    await expect(connectOrStart(home.paths, { ...options("1.0.0"), startCommand: stuck, limitMs: 1500 })).rejects.toMatchObject({
      code: "daemon",
      message: "the daemon was started and did not come up",
      hint: expect.stringContaining("ulimit -u"),
    });
    const pid = Number(readFileSync(pidFile, "utf8"));
    await until(() => processInfo(pid) === undefined);
  });

  it("refuses what listens on the socket but is not a daemon", async () => {
    mkdirSync(home.paths.runtime, { recursive: true, mode: 0o700 });
    const impostor = createServer((socket) => socket.end("220 smtp\r\n\r\n"));
    impostor.listen(home.socket);
    await once(impostor, "listening");
    await expect(connectOrStart(home.paths, options("1.0.0"))).rejects.toMatchObject({ code: "daemon" });
    impostor.close();
  });
});

describe("a daemon of another version", () => {
  it("is replaced when it is idle", async () => {
    const old = await connectOrStart(home.paths, options("1.0.0"));
    const replaced = await connectOrStart(home.paths, options("2.0.0"));
    expect(replaced).toMatchObject({ version: "2.0.0", note: undefined });
    await until(() => processInfo(old.pid) === undefined);
  });

  it("is replaced once by 10 launches at once", { timeout: 120_000 }, async () => {
    const old = await connectOrStart(home.paths, options("1.0.0"));
    const launches = await Promise.all(Array.from({ length: 10 }, () => launch(["2.0.0"])));
    expect(new Set(launches.map((each) => each.version))).toEqual(new Set(["2.0.0"]));
    expect(new Set(launches.map((each) => each.pid)).size).toBe(1);
    expect(launches[0]?.pid).not.toBe(old.pid);
  });

  it("is kept while it holds a session, and the launcher gets a note to say so", async () => {
    const old = await connectOrStart(home.paths, options("1.0.0"));
    const { lease } = await openLease(old.socket, "1.0.0");
    const ready = new Promise((resolve) => lease.onMessage(resolve));
    lease.send(open);
    await ready;
    expect(await connectOrStart(home.paths, options("2.0.0"))).toMatchObject({
      pid: old.pid,
      note: "the daemon is version 1.0.0, this is 2.0.0: it is replaced when its 1 session ended",
    });
    expect(
      await ask(home.paths, { path: "/v1/stop", body: { onlyIdle: true }, answer: stopReply }).catch((error: unknown) => error),
    ).toMatchObject({
      code: "daemon-version",
    });
    lease.close();
    await lease.closed;
  });

  it("is an error with a hint when it is busy and speaks another protocol", async () => {
    mkdirSync(home.paths.runtime, { recursive: true, mode: 0o700 });
    const body = JSON.stringify({ protocol: 99, version: "9.0.0", pid: 1, sessions: [{ shape: "of the future" }] });
    const future = createServer((socket) => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`));
    future.listen(home.socket);
    await once(future, "listening");
    await expect(connectOrStart(home.paths, options("1.0.0"))).rejects.toMatchObject({
      code: "daemon-version",
      hint: expect.stringContaining("agent-run kill --all"),
    });
    future.close();
  });
});

describe("openLeaseOrStart", () => {
  const begin = async (version: string) => {
    const begun = await openLeaseOrStart(home.paths, options(version), open);
    expect(await new Promise((resolve) => begun.lease.onMessage(resolve))).toMatchObject({ type: "status", view: { state: "active" } });
    return begun;
  };
  const sessions = async () => (await ask(home.paths, { path: "/v1/status", answer: daemonStatus }))?.sessions.length;

  it("opens a session on a new daemon, then one on the same daemon", async () => {
    const first = await begin("1.0.0");
    const second = await begin("1.0.0");
    expect(second.daemon).toEqual({ ...first.daemon, note: undefined });
    expect(await sessions()).toBe(2);
    for (const { lease } of [first, second]) lease.close();
  });

  it("opens it on a new daemon where the one that is there is idle and of another version", async () => {
    const first = await begin("1.0.0");
    first.lease.close();
    await expect.poll(sessions).toBe(0);
    const second = await begin("2.0.0");
    expect(second.daemon).toMatchObject({ version: "2.0.0", note: undefined });
    second.lease.close();
  });

  it("opens it once on a busy daemon of another version, with the note", async () => {
    const first = await begin("1.0.0");
    const second = await begin("2.0.0");
    expect(second.daemon).toMatchObject({ pid: first.daemon.pid, note: expect.stringContaining("version 1.0.0") });
    expect(await sessions()).toBe(2);
    for (const { lease } of [first, second]) lease.close();
  });
});

describe("a daemon that does not answer", () => {
  it("goes on where it was stopped, for a launch and for a command", async () => {
    const { pid } = await connectOrStart(home.paths, options("1.0.0"));
    signal(pid, "SIGSTOP");
    const { lease, daemon } = await openLeaseOrStart(home.paths, options("1.0.0"), open);
    expect(daemon).toMatchObject({ pid, note: undefined });
    signal(pid, "SIGSTOP");
    expect(await ask(home.paths, { path: "/v1/status", answer: daemonStatus, limitMs: 30_000 })).toMatchObject({ pid });
    lease.close();
    expect(served()).toBe(1);
  }, 60_000);

  it("is replaced by a launch when it hangs, and the launch says so", async () => {
    const { pid } = await connectOrStart(home.paths, options("1.0.0"));
    await hang(pid);
    const { lease, daemon } = await openLeaseOrStart(home.paths, options("1.0.0"), open);
    expect(daemon.pid).not.toBe(pid);
    expect(daemon.note).toMatch(new RegExp(`process ${pid}\\) did not answer for [2-9] s`));
    expect(processInfo(pid)).toBeUndefined();
    lease.close();
  }, 60_000);
});

describe("the runtime folder", () => {
  const refused = async (paths = home.paths) => connectOrStart(paths, options("1.0.0")).catch((error: unknown) => error);

  it("is refused when it is open to others", async () => {
    mkdirSync(home.paths.runtime, { recursive: true });
    chmodSync(home.paths.runtime, 0o755);
    expect(await refused()).toMatchObject({ code: "runtime-folder", hint: `chmod 700 ${home.paths.runtime}` });
  });

  it("is refused when it is a link", async () => {
    mkdirSync(join(home.home, "elsewhere"), { mode: 0o700 });
    symlinkSync(join(home.home, "elsewhere"), home.paths.runtime);
    expect(await refused()).toMatchObject({ code: "runtime-folder" });
  });

  it("is refused when another user owns it, whatever listens there", async () => {
    const runtime = isRoot ? home.paths.runtime : "/usr";
    if (isRoot) {
      mkdirSync(runtime, { recursive: true, mode: 0o700 });
      chownSync(runtime, 12_345, 12_345);
    }
    expect(await refused({ ...home.paths, runtime })).toMatchObject({
      code: "runtime-folder",
      message: expect.stringContaining("belongs to user"),
    });
    expect(await ask({ ...home.paths, runtime }, { path: "/v1/status", answer: stopReply }).catch((error: unknown) => error)).toMatchObject(
      {
        code: "runtime-folder",
      },
    );
  });

  it("is refused when the path of its socket is longer than the system takes, and accepted when it just fits", async () => {
    const limit = process.platform === "linux" ? 107 : 103;
    const longest = limit - Buffer.byteLength(join(home.home, "/control.sock")) - 1;
    const fits = { ...home.paths, runtime: join(home.home, "r".repeat(longest)) };
    expect(await refused({ ...fits, runtime: `${fits.runtime}r` })).toMatchObject({
      code: "runtime-folder",
      message: expect.stringContaining("108 bytes"),
    });
    const env = { ...options("1.0.0").startCommand.env, AGENT_RUN_HOME: home.home };
    // The toy finds its folder by AGENT_RUN_HOME, so the one that just fits is reached by renaming it after the start.
    await connectOrStart(home.paths, { ...options("1.0.0"), startCommand: { ...options("1.0.0").startCommand, env } });
    renameSync(home.paths.runtime, fits.runtime);
    expect(await refused(fits)).toMatchObject({ version: "1.0.0" });
    renameSync(fits.runtime, home.paths.runtime);
  });

  it("is refused when it is not an absolute path", async () => {
    expect(await refused({ ...home.paths, runtime: "run" })).toMatchObject({
      code: "runtime-folder",
      message: expect.stringContaining("absolute"),
    });
  });

  it.skipIf(noOrdinaryUser)(
    `serves an ordinary user, and is refused when that user cannot write it (${noOrdinaryUser ?? "as an ordinary user"})`,
    async () => {
      const folder = folderOfOrdinaryUser();
      const paths = { ...home.paths, runtime: join(folder, "run") };
      const good = JSON.parse((await runAsOrdinaryUser(launcher, ["1.0.0"], { AGENT_RUN_HOME: folder })).stdout);
      expect(good).toMatchObject({ version: "1.0.0" });
      if (isRoot)
        expect(await refused(paths)).toMatchObject({ code: "runtime-folder", message: expect.stringContaining("belongs to user") });
      signal(good.pid, "SIGTERM");
      await until(() => processInfo(good.pid) === undefined);
      chmodSync(paths.runtime, 0o500);
      const { stdout, status } = await runAsOrdinaryUser(launcher, ["1.0.0"], { AGENT_RUN_HOME: folder });
      expect(JSON.parse(stdout)).toMatchObject({ code: "runtime-folder", hint: expect.stringContaining("chmod 700") });
      expect(status).toBe(125);
      chmodSync(paths.runtime, 0o700);
      rmSync(paths.runtime, { recursive: true, force: true });
      chmodSync(folder, 0o500);
      const parent = await runAsOrdinaryUser(launcher, ["1.0.0"], { AGENT_RUN_HOME: join(folder, "below") });
      expect(JSON.parse(parent.stdout)).toMatchObject({ code: "runtime-folder", message: expect.stringContaining("cannot create") });
      chmodSync(folder, 0o700);
      rmSync(folder, { recursive: true, force: true });
    },
  );
});

describe("daemonEnvironment", () => {
  it("keeps what says where things are and drops all else", () => {
    const env = {
      ...{
        PATH: "/bin",
        HOME: "/h",
        USER: "u",
        LOGNAME: "u",
        LANG: "C",
        TZ: "UTC",
        TMPDIR: "/t",
        XDG_STATE_HOME: "/s",
        XDG_RUNTIME_DIR: "/r",
      },
      ...{ AGENT_RUN_HOME: "/a", AGENT_RUN_TEST_FAST: "1", AGENT_RUN_TOKEN: "no", AWS_PROFILE: "no", AWS_SECRET_ACCESS_KEY: "no" },
      ...{ NODE_OPTIONS: "--inspect", LD_PRELOAD: "/x.so", SSH_AUTH_SOCK: "/no", UNSET: undefined },
    };
    expect(Object.keys(daemonEnvironment(env)).sort()).toEqual([
      "AGENT_RUN_HOME",
      "AGENT_RUN_TEST_FAST",
      "HOME",
      "LANG",
      "LOGNAME",
      "PATH",
      "TMPDIR",
      "TZ",
      "USER",
      "XDG_RUNTIME_DIR",
      "XDG_STATE_HOME",
    ]);
  });
});
