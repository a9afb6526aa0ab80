// How sessions last and end: refresh past one lifetime, limits, parallel launches and fetches, and whatever dies.
import { spawn } from "node:child_process";
import { chownSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { requestJson } from "../../src/control/client.ts";
import { daemonStatus, killReply } from "../../src/control/requests.ts";
import type { SessionId } from "../../src/core/id.ts";
import { allProcesses } from "../../src/core/process-tree.ts";
import { carriesMark } from "../../src/core/session-mark.ts";
import { VENV } from "./clients.ts";
import { sitDown } from "./human.ts";
import { alive, BIN, FIXTURES, gone, hasBubblewrap, makeWorld, until, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await makeWorld();
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

const views = async (): Promise<{ session: string; state: string; fetches: number; refreshes: number; trouble?: string }[]> =>
  JSON.parse((await world.run(["ps", "--json"])).stdout);
const verified = async (): Promise<void> => {
  const { code, stdout } = await world.run(["audit", "--verify"]);
  expect(stdout).toMatch(/all as they were written/);
  expect(code).toBe(0);
};
const lastCause = async (): Promise<unknown> => {
  const sessions = JSON.parse((await world.run(["audit", "--json"])).stdout) as { state: string; end: { cause: string } }[];
  return sessions.at(-1)?.end.cause;
};
/** The pid that an agent `sh -c 'echo $$ > pid; …'` wrote. */
const agentPid = async (): Promise<number> => {
  const file = join(world.project, "pid");
  await until(() => existsSync(file) && readFileSync(file, "utf8").endsWith("\n"), 10_000, "the agent to start");
  return Number(readFileSync(file, "utf8"));
};
const SLEEPER = ["sh", "-c", "echo $$ > pid; while :; do sleep 0.05; done"];

describe("what was compiled for a run", () => {
  const kept = (): string[] => readdirSync(join(world.own, "state", "compile-cache")).filter((name) => name.startsWith("launch-"));

  it("is kept when an agent has run to its end, and for a build that is gone no longer", async () => {
    expect((await world.run(["no-such-agent"])).code).toBe(127);
    expect((await world.run(["--version"])).code).toBe(0);
    expect(kept()).toEqual([]);
    expect((await world.run(["true"])).code).toBe(0);
    const [first, ...others] = kept();
    expect(others).toEqual([]);
    expect(first).toMatch(new RegExp(`^launch-pipes-.*-${process.version}-${process.arch}$`));
    const file = join(world.own, "state", "compile-cache", first ?? "");
    renameSync(file, `${file}-older`);
    expect((await world.run(["true"])).code).toBe(0);
    expect(kept()).toEqual([first]);
    // Without what makes a sandbox it is less, and each is there for the next run of its kind.
    expect((await world.run(["--isolation", "none", "true"])).code).toBe(0);
    expect(kept().sort()).toEqual([first?.replace("pipes", "bare-pipes"), first]);
  });

  it.skipIf(process.getuid?.() !== 0)("is neither read nor written in a folder of another user's (needs root to make one)", async () => {
    await world.run(["true"]);
    const folder = join(world.own, "state", "compile-cache");
    const file = join(folder, kept()[0] ?? "");
    writeFileSync(file, "nonsense");
    const before = readdirSync(folder);
    chownSync(folder, 65534, 65534);
    expect((await world.run(["sh", "-c", "exit 3"])).code).toBe(3);
    expect(readFileSync(file, "utf8")).toBe("nonsense");
    expect(readdirSync(folder)).toEqual(before);
    chownSync(folder, 0, 0);
    // A home that is another's, and has no such folder yet, gets none.
    rmSync(folder, { recursive: true });
    chownSync(world.own, 65534, 65534);
    expect((await world.run(["--version"])).code).toBe(0);
    chownSync(world.own, 0, 0);
    expect(existsSync(folder)).toBe(false);
  });

  it("is made anew where it is not what it should be", async () => {
    await world.run(["true"]);
    const file = join(world.own, "state", "compile-cache", kept()[0] ?? "");
    const { size } = statSync(file);
    for (const damage of [Buffer.alloc(0), Buffer.from("nonsense"), readFileSync(file).subarray(0, size / 2)]) {
      writeFileSync(file, damage);
      expect((await world.run(["sh", "-c", "exit 3"])).code).toBe(3);
      expect(statSync(file).size).toBeGreaterThan(size / 2);
    }
  });
});

describe("a session", () => {
  it("goes on past the lifetime of its credentials, without a restart of the agent", async () => {
    world.cloud.switches.apply({ credentialSeconds: 4 });
    const { stdout, code } = await world.run(["node", join(FIXTURES, "asks-for-a-while.mjs"), "9000"], { limitMs: 30_000 });
    expect(code).toBe(0);
    const { keys, failures } = JSON.parse(stdout) as { keys: number; failures: string[] };
    expect(failures).toEqual([]);
    expect(keys).toBeGreaterThanOrEqual(3);
    const [session] = JSON.parse((await world.run(["audit", "--json"])).stdout) as { session: string; end: { keysExpireAt: string } }[];
    const records = JSON.parse((await world.run(["audit", session?.session ?? "", "--json"])).stdout) as {
      kind: string;
      data: { expiresAt?: string };
    }[];
    const last = records.filter(({ kind }) => kind === "refresh").at(-1);
    expect(last?.data.expiresAt).toBeDefined();
    expect(session?.end.keysExpireAt, "what the end says about keys is about the newest ones").toBe(last?.data.expiresAt);
  });

  it("with keys in the environment ends with these keys, which nobody can renew there, although its limit is later", async () => {
    world.cloud.switches.apply({ credentialSeconds: 3 });
    const { code, stderr } = await world.run(["--delivery", "env", "--ttl", "1h", ...SLEEPER], { limitMs: 30_000 });
    expect(code).toBe(124);
    expect(stderr).toMatch(/expired/);
  });

  it("with --on-expiry stop is ended within a second of its limit, with exit status 124, even when its agent ignores the request", async () => {
    writeFileSync(
      join(world.own, "config", "config.toml"),
      `profile = "demo"\n[profiles.demo]\nrole = "${world.cloud.roleArn()}"\nisolation.level = "none"\ngrace = "1s"\n`,
    );
    const ended = async (args: string[]): Promise<{ code: number | null; ms: number }> => {
      const begun = performance.now();
      const { code } = await world.run(args);
      return { code, ms: performance.now() - begun };
    };
    await world.run(["true"]);
    const launch = await ended(["true"]);
    const polite = await ended(["--ttl", "2s", "--on-expiry", "stop", ...SLEEPER]);
    expect(polite.code).toBe(124);
    expect(polite.ms).toBeGreaterThan(1900);
    expect(polite.ms).toBeLessThan(2000 + launch.ms + 1000);
    const stubborn = await ended([
      "--ttl",
      "2s",
      "--on-expiry",
      "stop",
      "sh",
      "-c",
      "trap '' TERM HUP INT; echo $$ > pid; while :; do sleep 0.05; done",
    ]);
    expect(stubborn.code).toBe(124);
    expect(stubborn.ms).toBeGreaterThan(2900);
    expect(alive(await agentPid())).toBe(false);
    expect(await lastCause()).toBe("expired");
  });

  it("sends a session policy that ends with the limit, so that copied keys do too", async () => {
    await world.run(["--ttl", "20s", "--on-expiry", "stop", "true"]);
    const assumed = world.cloud
      .events()
      .filter((event) => event.name === "AssumeRole")
      .at(-1);
    const { policy } = (assumed?.record["requestParameters"] ?? {}) as { policy: string };
    const deny = JSON.parse(policy).Statement.at(-1);
    expect(deny).toMatchObject({ Effect: "Deny", Action: "*", Condition: { DateGreaterThan: { "aws:CurrentTime": expect.any(String) } } });
    const seconds = (Date.parse(deny.Condition.DateGreaterThan["aws:CurrentTime"]) - Date.now()) / 1000;
    expect(seconds).toBeGreaterThan(5);
    expect(seconds).toBeLessThan(21);
  });

  it("answers 200 parallel fetches on a cold cache from one call to STS", async () => {
    world.cloud.switches.apply({ credentialSeconds: 3 });
    const launcher = world.start(["node", join(FIXTURES, "fetches-in-parallel.mjs"), "200", "now"]);
    let output = "";
    launcher.stdout?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    await until(async () => (await views())[0]?.state === "active", 10_000, "the session to be active");
    {
      using _down = world.cloud.switches.fault({ operation: "sts:*", end: "close" });
      await until(async () => /expired|no credentials/.test((await views())[0]?.trouble ?? ""), 10_000, "the credentials to expire");
      world.cloud.switches.apply({ credentialSeconds: 900 });
    }
    const before = world.cloud.calls("sts:AssumeRole");
    // Just after a failure, and long before the daemon itself would try again.
    writeFileSync(join(world.project, "now"), "");
    await new Promise((resolve) => launcher.once("close", resolve));
    const answers = Object.entries(JSON.parse(output) as Record<string, number>);
    expect(answers).toEqual([[expect.stringMatching(/^200 ASIA/), 200]]);
    expect(world.cloud.calls("sts:AssumeRole") - before).toBe(1);
  });

  it("without a bar says on stderr, once, what is wrong meanwhile", async () => {
    world.cloud.switches.apply({ credentialSeconds: 3 });
    const launcher = world.start(["exec", "--", "sh", "-c", "while ! test -e now; do sleep 0.05; done"]);
    let said = "";
    launcher.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    await until(async () => (await views())[0]?.state === "active", 10_000, "the session to be active");
    world.cloud.switches.apply({ faults: [{ operation: "sts:*", error: { code: "ExpiredToken", status: 403 } }] });
    await until(() => said.includes("\n"), 15_000, "a line on stderr");
    const [session] = await views();
    expect(said).toContain(`agent-run: warning: ${session?.trouble}\n`);
    // Every fetch that fails, and every try of the daemon's own, tells the launcher how things stand again.
    const { calls } = world.cloud;
    const before = calls("sts:AssumeRole");
    await until(() => calls("sts:AssumeRole") > before + 1, 30_000, "two more tries");
    writeFileSync(join(world.project, "now"), "");
    await new Promise((resolve) => launcher.once("close", resolve));
    const lines = said.split("\n").filter((line) => line !== "");
    expect(new Set(lines).size).toBe(lines.length);
  });

  it("is one of 20 parallel launches with one daemon", async () => {
    const runs = await Promise.all(
      Array.from({ length: 20 }, () => world.run(["sh", "-c", "echo $AGENT_RUN_SESSION"], { limitMs: 60_000 })),
    );
    expect(runs.map(({ code, stderr }) => `${code} ${stderr}`)).toEqual(runs.map(() => "0 "));
    expect(new Set(runs.map(({ stdout }) => stdout)).size).toBe(20);
    const log = readFileSync(join(world.own, "state", "daemon.log"), "utf8");
    expect(log.match(/serves as process/g)).toHaveLength(1);
    await verified();
  }, 90_000);
});

describe("whatever dies", () => {
  it("SIGKILL of the launcher: within 5 s no agent, no endpoint, no file, and the audit has an end", async () => {
    const launcher = world.start([
      "sh",
      "-c",
      "echo $AWS_CONTAINER_CREDENTIALS_FULL_URI > uri; echo $$ > pid; while :; do sleep 0.05; done",
    ]);
    const pid = await agentPid();
    const uri = readFileSync(join(world.project, "uri"), "utf8").trim();
    launcher.kill("SIGKILL");
    await gone(pid, 5000);
    await until(() => world.sessionFolders().length === 0, 5000, "the session's folder to go");
    await expect(fetch(uri)).rejects.toThrow();
    expect(await views()).toEqual([]);
    expect(await lastCause()).toBe("lost");
    await verified();
  });

  it("SIGKILL of the daemon: the session goes on under the same id, port and token", async () => {
    const launcher = world.start(["node", join(FIXTURES, "asks-for-a-while.mjs"), "6000"]);
    let output = "";
    launcher.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
    await until(async () => (await views())[0]?.state === "active", 10_000, "the session to be active");
    const [before] = await views();
    await until(async () => ((await views())[0]?.fetches ?? 0) > 0, 10_000, "the first fetch");
    process.kill((await world.daemonPid()) ?? 0, "SIGKILL");
    await until(async () => (await views())[0]?.state === "active", 5000, "the session to be back");
    expect((await views())[0]).toMatchObject({ session: before?.session, fetches: expect.toSatisfy((fetches: number) => fetches > 0) });
    const code = await new Promise((resolve) => launcher.once("close", resolve));
    expect(code).toBe(0);
    expect(JSON.parse(output).failures).toEqual([]);
    expect(await lastCause()).toBe("exited");
    await verified();
  });

  it("SIGKILL of both: the next daemon ends what was left, and the next launch works at once", async () => {
    const launcher = world.start(SLEEPER);
    const pid = await agentPid();
    const daemon = (await world.daemonPid()) ?? 0;
    process.kill(daemon, "SIGKILL");
    launcher.kill("SIGKILL");
    expect((await world.run(["true"])).code).toBe(0);
    await gone(pid, 8000);
    await until(() => world.sessionFolders().length === 0, 5000, "the session's folder to go");
    await until(async () => (await world.run(["audit", "--verify"])).code === 0, 5000, "the audit to have an end");
    await verified();
  });

  it("SIGSTOP of the daemon: the launcher ends the agent itself at its limit, and the daemon serves nothing when it goes on", async () => {
    const launcher = world.start(["--ttl", "4s", "--on-expiry", "stop", ...SLEEPER]);
    const closed = new Promise((resolve) => launcher.once("close", resolve));
    const pid = await agentPid();
    const daemon = (await world.daemonPid()) ?? 0;
    process.kill(daemon, "SIGSTOP");
    try {
      await gone(pid, 20_000);
      expect(await closed).toBe(124);
      expect(world.sessionFolders()).toEqual([]);
    } finally {
      process.kill(daemon, "SIGCONT");
    }
    await until(async () => (await views()).length === 0, 10_000, "the daemon to end the session");
    expect(["expired", "lost"]).toContain(await lastCause());
    await verified();
  }, 60_000);

  it("SIGKILL of the agent: the exit status says so", async () => {
    const launcher = world.start(SLEEPER);
    process.kill(await agentPid(), "SIGKILL");
    expect(await new Promise((resolve) => launcher.once("close", resolve))).toBe(137);
    expect(world.sessionFolders()).toEqual([]);
  });

  it("is ended by a kill that comes while its launcher is starting the agent", async () => {
    await world.run(["daemon", "start"]);
    const socket = join(world.own, "run", "control.sock");
    const running = world.run(["--delivery", "env", "sh", "-c", "sleep 8; echo survived"], { limitMs: 30_000 });
    await until(
      async () =>
        (await requestJson(socket, { path: "/v1/status", answer: daemonStatus })).sessions.some(({ state }) => state === "active"),
      10_000,
      "the session to stand",
    );
    await requestJson(socket, { path: "/v1/kill", body: { session: "all" }, answer: killReply, limitMs: 10_000 });
    const { code, stdout } = await running;
    expect(stdout).not.toContain("survived");
    expect(code).toBe(137);
    await verified();
  });

  it("killed with keys in its hands, says that AWS refuses them now", async () => {
    const launcher = world.start(["--delivery", "env", ...SLEEPER]);
    const closed = new Promise((resolve) => launcher.once("close", resolve));
    await agentPid();
    const killed = await world.run(["kill", "--all"]);
    expect(killed.stdout).toMatch(/deny confirmed after .* is refused/);
    expect(killed.stdout).not.toMatch(/stay valid/);
    expect(await closed).toBe(137);
  });

  it("agent-run kill ends the session from anywhere, and it cannot come back", async () => {
    const launcher = world.start(SLEEPER);
    const closed = new Promise((resolve) => launcher.once("close", resolve));
    const pid = await agentPid();
    const [view] = await views();
    // As the bar shows it.
    const shown = view?.session.replace("sess_", "") ?? "";
    const killed = await world.run(["kill", shown]);
    expect(killed.stdout).not.toMatch(/keys/);
    expect(killed.code).toBe(0);
    expect(killed.stdout).toMatch(/local access cut after \d+ ms\n {2}agent gone after/);
    expect(await closed).toBe(137);
    expect(alive(pid)).toBe(false);
    expect((await world.run(["kill", view?.session ?? ""])).code).toBe(1);
    expect(await lastCause()).toBe("killed");
    expect((await world.run(["audit", shown, "--verify"])).stdout).toMatch(/^sess_[0-9a-f]{8}: \d+ records, all as they were written$/m);
  });

  it("kill --all that is slow to start leaves a session that began after it was typed, and names it", async () => {
    const earlier = world.start(SLEEPER);
    const earlierGone = new Promise((resolve) => earlier.once("close", resolve));
    const earlierPid = await agentPid();
    const [first] = await views();
    const kill = world.start(["kill", "--all"]);
    let said = "";
    for (const stream of [kill.stdout, kill.stderr]) stream?.setEncoding("utf8").on("data", (text: string) => (said += text));
    kill.kill("SIGSTOP");
    // The kernel tells starts apart by the hundredth of a second.
    await new Promise((resolve) => setTimeout(resolve, 50));
    const later = world.start(["sh", "-c", "echo $$ > later; while :; do sleep 0.05; done"]);
    const laterGone = new Promise((resolve) => later.once("close", resolve));
    await until(() => existsSync(join(world.project, "later")), 20_000, "the session that began later");
    const second = (await views()).find(({ session }) => session !== first?.session);
    kill.kill("SIGCONT");
    expect(await new Promise((resolve) => kill.once("close", resolve))).toBe(0);
    expect(await earlierGone).toBe(137);
    expect(alive(earlierPid)).toBe(false);
    expect(said).toContain(`${first?.session} killed\n`);
    expect(said).toContain(`agent-run: ${second?.session} began after this command and goes on: agent-run kill ${second?.session}\n`);
    expect((await views()).map(({ session }) => session)).toEqual([second?.session]);
    // One that finds nobody any more ends as well.
    const none = world.start(["kill", "--actor", "sh"]);
    none.kill("SIGSTOP");
    await world.run(["kill", second?.session ?? ""]);
    expect(await laterGone).toBe(137);
    none.kill("SIGCONT");
    expect(await new Promise((resolve) => none.once("close", resolve))).toBe(0);
  });

  it("kill reaches a session whose runtime folder was removed", async () => {
    const launcher = world.start(SLEEPER);
    const ended = new Promise((resolve) => launcher.once("close", resolve));
    const pid = await agentPid();
    rmSync(join(world.own, "run"), { recursive: true });
    expect(await world.run(["kill", "--all"])).toMatchObject({ code: 0, stdout: expect.stringMatching(/sess_[0-9a-f]{8} killed/) });
    expect(alive(pid)).toBe(false);
    expect(await ended).toBe(137);
    await verified();
  });

  it("kill leaves the agent its grace: what it does at SIGHUP and SIGTERM is done to the end", async () => {
    world.start([
      "sh",
      "-c",
      "trap 'trap \"\" HUP TERM; echo first > file; sleep 1; echo last >> file; exit 0' HUP TERM; echo $$ > pid; while :; do sleep 0.05; done",
    ]);
    await agentPid();
    await world.run(["kill", "--all"], { limitMs: 60_000 });
    expect(readFileSync(join(world.project, "file"), "utf8")).toBe("first\nlast\n");
  }, 60_000);

  it.each([
    [
      "a shell",
      ["sh", "-c", "trap 'echo first > file; sleep 1; echo last >> file; exit 0' TERM; echo $$ > pid; while :; do sleep 0.05; done"],
    ],
    [
      "node",
      [
        "node",
        "-e",
        "const fs = require('fs'); setInterval(() => {}, 1000); process.on('SIGTERM', () => { fs.writeFileSync('file', 'first\\n'); setTimeout(() => { fs.appendFileSync('file', 'last\\n'); process.exit(0); }, 1000); }); fs.writeFileSync('pid', process.pid + '\\n')",
      ],
    ],
  ])("kill leaves its grace to %s that handles SIGTERM and not SIGHUP, and to what its handler starts", async (_, agent) => {
    world.start(agent);
    await agentPid();
    await world.run(["kill", "--all"], { limitMs: 60_000 });
    expect(readFileSync(join(world.project, "file"), "utf8")).toBe("first\nlast\n");
  });

  it("kill ends an interactive shell, which ignores SIGTERM, within its grace", async () => {
    await using human = await sitDown(world.env, world.project, { cols: 100, rows: 24 });
    human.type(`${process.execPath} ${BIN} bash --norc --noprofile -i\r`);
    await until(async () => (await views())[0]?.state === "active", 10_000, "the session to be active");
    human.type("trap 'echo left > file' EXIT; echo $$ > pid\r");
    await agentPid();
    const [killed] = JSON.parse((await world.run(["kill", "--all", "--json"])).stdout) as { agentGoneMs: number }[];
    expect(readFileSync(join(world.project, "file"), "utf8")).toBe("left\n");
    expect(killed?.agentGoneMs).toBeLessThan(5000);
  });

  it.skipIf(!existsSync(join(VENV, "python")))(
    "SIGKILL of the daemon is nothing that boto3 inside notices (needs boto3)",
    async () => {
      const script = [
        "import boto3, time, sys",
        "open('pid', 'w').write('1\\n')",
        "end = time.time() + 15",
        "n = 0",
        "while time.time() < end:",
        "    boto3.Session().client('sts').get_caller_identity(); n += 1; open('calls', 'w').write(str(n)); time.sleep(0.1)",
        "print('calls', n)",
      ].join("\n");
      const running = world.run([join(VENV, "python"), "-c", script], { limitMs: 90_000 });
      const calls = join(world.project, "calls");
      await until(() => existsSync(calls) && Number(readFileSync(calls, "utf8")) > 0, 30_000, "the first call");
      process.kill((await world.daemonPid()) ?? 0, "SIGKILL");
      const { code, stdout, stderr } = await running;
      expect(code, stderr).toBe(0);
      expect(Number(/calls (\d+)/.exec(stdout)?.[1])).toBeGreaterThan(2);
      expect(stderr).toContain("the daemon was restarted; the session goes on");
    },
    120_000,
  );

  it("suspended with Ctrl-Z is ended at its limit all the same, and fg tells so", async () => {
    await using human = await sitDown(world.env, world.project, { cols: 100, rows: 24 });
    human.type(`${process.execPath} ${BIN} --ttl 8s --on-expiry stop bash -c '${SLEEPER[2]}'\r`);
    const pid = await agentPid();
    human.type("\x1a");
    await until(async () => (await human.prompt()) !== undefined, 20_000, "the shell's prompt");
    await gone(pid, 40_000);
    human.type("fg\r");
    await until(async () => (await human.prompt())?.status === 124, 20_000, "the prompt after fg").catch(async (error: Error) => {
      throw new Error(`${error.message}\n${(await human.screen()).join("\n")}`);
    });
    expect((await human.screen()).join("\n")).toMatch(/sess_[0-9a-f]{8} (expired|lost)/);
    await verified();
  }, 120_000);

  /** Leaves as it should when it is asked, after half a second. For bash: a dash that has just begun a `sleep` cannot be stopped (vfork). */
  const LEAVES = "trap 'echo first > file; sleep 0.5; echo last >> file; exit 0' TERM; echo $$ > pid; while :; do sleep 0.05; done";
  const killAll = async (): Promise<{ session: string; agentGoneMs: number; notes: string[] } | undefined> =>
    (
      JSON.parse((await world.run(["kill", "--all", "--json"], { limitMs: 60_000 })).stdout) as {
        session: string;
        agentGoneMs: number;
        notes: string[];
      }[]
    )[0];
  /** With a grace that is not waited for by accident. */
  const withLongGrace = async (): Promise<void> => {
    const file = join(world.own, "config", "config.toml");
    writeFileSync(file, `${readFileSync(file, "utf8")}grace = "40s"\n`);
  };

  it("kill continues a launcher that somebody stopped: it ends its agent as if it had run, and leaves", async () => {
    await withLongGrace();
    // No job of a shell's, wherever these tests are run from.
    const launcher = spawn(process.execPath, [BIN, "sh", "-c", LEAVES], {
      cwd: world.project,
      env: world.env,
      stdio: "ignore",
      detached: true,
    });
    const ended = new Promise((resolve) => launcher.once("close", resolve));
    const pid = await agentPid();
    launcher.kill("SIGSTOP");
    const killed = await killAll();
    expect(readFileSync(join(world.project, "file"), "utf8")).toBe("first\nlast\n");
    expect(killed?.agentGoneMs).toBeLessThan(20_000);
    expect(killed?.notes).toEqual([]);
    expect(alive(pid)).toBe(false);
    expect(await ended).toBe(137);
    await verified();
  }, 90_000);

  it.each([
    ["with a bar", "none", "", ""],
    ["in a pipeline", "none", "", " | cat"],
    ...(hasBubblewrap
      ? [
          ["with a bar", "standard", "", ""],
          ["without a bar", "standard", "--no-bar", ""],
        ]
      : []),
  ])(
    "kill ends a job that was put aside with Ctrl-Z, %s, isolation %s: its agent has its grace, and fg tells of the end",
    async (_, level, option, pipe) => {
      await withLongGrace();
      await using human = await sitDown(world.env, world.project, { cols: 100, rows: 24 });
      writeFileSync(join(world.project, "leaves"), LEAVES);
      human.type(`set -o pipefail; ${process.execPath} ${BIN} --isolation ${level} ${option} bash ./leaves${pipe}\r`);
      await agentPid();
      await until(async () => (await views())[0]?.state === "active", 20_000, "the session to be active");
      const before = (await human.prompt())?.number ?? 0;
      human.type("\x1a");
      await until(async () => ((await human.prompt())?.number ?? 0) > before, 20_000, "the shell's prompt");
      const killed = await killAll();
      expect(readFileSync(join(world.project, "file"), "utf8")).toBe("first\nlast\n");
      expect(killed?.agentGoneMs).toBeLessThan(20_000);
      expect(killed?.notes).toEqual([]);
      expect(
        allProcesses()
          .filter(({ pid }) => carriesMark(pid, killed?.session as SessionId))
          .map(({ name }) => name),
      ).toEqual([]);
      expect(world.sessionFolders()).toEqual([]);
      human.type("fg\r");
      await until(async () => (await human.prompt())?.status === 137, 20_000, "the prompt after fg").catch(async (error: Error) => {
        throw new Error(`${error.message}\n${(await human.screen()).join("\n")}`);
      });
      await verified();
    },
    90_000,
  );

  it("SIGTERM to the launcher reaches the agent once, which decides", async () => {
    const launcher = world.start([
      "sh",
      "-c",
      "trap 'echo got >> signals' TERM; echo $$ > pid; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do sleep 0.1; done; exit 9",
    ]);
    await agentPid();
    launcher.kill("SIGTERM");
    expect(await new Promise((resolve) => launcher.once("close", resolve))).toBe(9);
    expect(readFileSync(join(world.project, "signals"), "utf8")).toBe("got\n");
  });
});
