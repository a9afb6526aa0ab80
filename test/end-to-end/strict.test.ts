// Level strict with the real command: each delivery serves the agent although its network is its own, through a new daemon too; on pipes and in a terminal.
import { mkdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { spawn } from "@lydell/node-pty";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BIN, FIXTURES, hasBubblewrap, makeWorld, until, type World } from "./world.ts";

const missing = hasBubblewrap ? "" : " (needs bwrap, apt-get install bubblewrap)";

describe.skipIf(!hasBubblewrap)(`isolation strict${missing}`, () => {
  let world: World;
  beforeAll(async () => {
    world = await makeWorld();
    writeFileSync(join(world.home, "notes.txt"), "private\n");
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });
  const strict = (...words: string[]): string[] => ["--isolation", "strict", ...words];

  it.each(["endpoint", "process", "env"])("serves an SDK of an agent with %s delivery, and says what strict means", async (delivery) => {
    const { code, stdout, stderr } = await world.run(strict("--delivery", delivery, "node", join(FIXTURES, "prints-identity.mjs")));
    expect(stdout, stderr).toMatch(/assumed-role\/[\w-]+\/sess_[0-9a-f]{8}/);
    expect(code).toBe(0);
    expect(stderr).toContain("strict");
    expect(world.sessionFolders()).toEqual([]);
  });

  it("shows neither the home nor the machine's other ports", async () => {
    const other = createServer((socket) => socket.end("mine"));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    const script = `cat ~/notes.txt; ls -A ~; node -e 'require("net").connect(${port},"127.0.0.1").on("error",(e)=>console.log(e.code))'`;
    const { stdout, stderr } = await world.run(strict("sh", "-c", script));
    other.close();
    expect(stdout, stderr).toBe("project\nECONNREFUSED\n");
    expect(stderr).not.toContain("private");
  });

  it("has a forwarder where the profile names hosts, and the session's endpoint without it", async () => {
    const folder = join(world.own, "config", "profiles", "closed");
    mkdirSync(folder, { recursive: true });
    const lines = [
      'extends = "demo"',
      `role = "${world.cloud.roleArn()}"`,
      'isolation.level = "strict"',
      'isolation.network = ["named.invalid"]',
    ];
    writeFileSync(join(folder, "profile.toml"), `${lines.join("\n")}\n`);
    const script = `echo $HTTPS_PROXY; node ${join(FIXTURES, "prints-identity.mjs")}`;
    const { stdout, stderr } = await world.run(["-p", "closed", "sh", "-c", script]);
    expect(stdout, stderr).toMatch(/^http:\/\/127\.0\.0\.1:3128\n.*assumed-role\//);
    expect(stderr).not.toContain("strict has no network");
    // What is printed of it before is the same.
    const names = ["HTTPS_PROXY", "NODE_USE_ENV_PROXY", "NO_PROXY", "https_proxy", "no_proxy"];
    for (const args of [
      ["env", "-p", "closed"],
      ["-p", "closed", "--dry-run", "true"],
    ]) {
      const { stdout: printed } = await world.run(args);
      const told = printed.split("\n").filter((line) => line.includes("leads to the hosts of isolation.network"));
      expect(told.map((line) => line.split(" ")[0]).sort(), args.join(" ")).toEqual(names);
    }
    expect((await world.run(["env", "-p", "closed", "--isolation", "standard"])).stdout).not.toContain("PROXY");
    writeFileSync(join(folder, "profile.toml"), `${lines.with(3, 'isolation.network = ["https://named.invalid"]').join("\n")}\n`);
    expect(await world.run(["-p", "closed", "true"])).toMatchObject({
      code: 125,
      stderr: expect.stringContaining("is not the name of a host"),
    });
  });

  it("goes on under another daemon when the first one dies", async () => {
    const agent = world.start(strict("node", join(FIXTURES, "asks-aws-again-and-again.mjs")));
    let said = "";
    agent.stdout?.on("data", (text: Buffer) => (said += text));
    agent.stderr?.on("data", (text: Buffer) => (said += text));
    const ended = new Promise<number | null>((resolve) => agent.once("close", resolve));
    const rounds = (): number => said.match(/^worked \d+/gm)?.length ?? 0;
    await until(() => /^worked 2 /m.test(said), 15_000, "the agent to work");
    process.kill((await world.daemonPid()) ?? 0, "SIGKILL");
    await until(() => said.includes("the session goes on"), 10_000, "another daemon");
    const worked = (): number => Number(said.match(/worked (\d+) failed \d+\n$/)?.[1] ?? 0);
    const before = worked();
    const seen = rounds();
    await until(() => rounds() > seen + 3 && worked() > before, 15_000, "calls through the next daemon");
    expect((await world.run(["kill", "--all"])).code).toBe(0);
    expect(await ended).toBe(137);
    expect(world.sessionFolders()).toEqual([]);
  });

  it("is a terminal as any other, which ends with its agent", async () => {
    const script = `tty >/dev/null && node ${join(FIXTURES, "prints-identity.mjs")}; stty size; echo "masters $(ls -l /proc/self/fd | grep -c ptmx)"; read -r line; echo "read $line"; exit 7`;
    const pty = spawn(process.execPath, [BIN, ...strict("sh", "-c", script)], { cols: 90, rows: 24, cwd: world.project, env: world.env });
    let shown = "";
    pty.onData((text) => (shown += text));
    const ended = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
    await until(() => /masters \d/.test(shown), 15_000, "the agent to look around");
    pty.write("typed\r");
    expect(await ended).toBe(7);
    expect(shown).toMatch(/assumed-role\/[\w-]+\/sess_/);
    expect(shown).toContain("23 90");
    expect(shown).toContain("masters 0");
    expect(shown).toContain("read typed");
    expect(shown).toContain("isolated: strict");
    expect(world.sessionFolders()).toEqual([]);
  });

  it("ends on Ctrl-C as a program does, with nothing left", async () => {
    const pty = spawn(process.execPath, [BIN, ...strict("sh", "-c", "echo ready; sleep 60")], {
      cols: 90,
      rows: 24,
      cwd: world.project,
      env: world.env,
    });
    let shown = "";
    pty.onData((text) => (shown += text));
    const ended = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
    await until(() => shown.includes("ready"), 15_000, "the agent");
    pty.write("\x03");
    expect(await ended).toBe(130);
    expect(world.sessionFolders()).toEqual([]);
  });

  it("is planned, with what is in reach, before it runs", async () => {
    const { code, stdout } = await world.run(["env", "--isolation", "strict", "--explain", "claude"]);
    expect(code).toBe(0);
    expect(stdout).toContain("isolation strict: own user, mount, pid, ipc, uts, cgroup, network namespaces; network own");
    expect(stdout).toMatch(/ {2}writable {3}.*\/project {2}\(the project\)/);
    const dry = await world.run(strict("--dry-run", "claude-that-is-not-there"));
    expect(dry.code).toBe(127);
    const run = await world.run(strict("--dry-run", "true"));
    expect(run.stdout).toContain("isolation strict: own user");
  });
});
