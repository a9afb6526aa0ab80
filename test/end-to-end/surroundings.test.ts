// Where and how the command is started: without HOME, in a folder that is gone, with a standard output that takes nothing.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../../src/cli/commands.ts";
import { BIN, makeWorld, until, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** Runs a shell line in which "$@" is agent-run. */
async function shell(line: string, cwd = world.project): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn("sh", ["-c", line, "sh", process.execPath, BIN], { cwd, env: world.env, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, ...output };
}

describe("a folder that agent-run is started in", () => {
  it("is never taken for another that is called as its name reads where it is no UTF-8", async () => {
    const twin = join(world.project, "non\ufffd");
    const line = 'mkdir "$(printf "non\\377")" && cd "$(printf "non\\377")" && "$@" --isolation none sh -c "echo x > made"';
    for (const isThere of [false, true]) {
      if (isThere) mkdirSync(twin);
      expect(await shell(line)).toMatchObject({ code: 125, stderr: expect.stringContaining("non\ufffd' has a name that is no UTF-8") });
      for (const name of readdirSync(world.project, { encoding: "buffer" }))
        if (name.includes("non")) rmSync(Buffer.concat([Buffer.from(`${world.project}/`), name]), { recursive: true });
    }
  });

  it("is left as it was when HOME is not set", async () => {
    const folder = mkdtempSync(join(tmpdir(), "ar-cwd-"));
    try {
      const { code } = await world.run(["ps"], {
        cwd: folder,
        env: { HOME: undefined, AGENT_RUN_HOME: undefined, XDG_RUNTIME_DIR: world.own },
      });
      expect(code).toBe(0);
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("may be gone: a run is refused in words, and sessions can still be ended", async () => {
    const gone = join(world.project, "gone");
    mkdirSync(gone);
    const refused = await shell('rmdir ../gone && "$@" true', gone);
    expect(refused).toMatchObject({
      code: 125,
      stdout: "",
      stderr: expect.stringMatching(/^agent-run: error: .*gone' is gone\nagent-run: hint: cd /),
    });
    mkdirSync(gone);
    // As dash leaves it for the command that it starts: not the root is meant.
    expect(await shell('rmdir ../gone && PWD= "$@" true', gone)).toMatchObject({ code: 125, stderr: refused.stderr });
    mkdirSync(gone);
    expect(await shell('rmdir ../gone && "$@" kill --all', gone)).toMatchObject({ code: 0, stderr: "agent-run: no session runs\n" });
  });
});

describe("a shell with another HOME", () => {
  it("is refused by a daemon that reads other settings, and served by one that reads the same", async () => {
    const folder = mkdtempSync(join(tmpdir(), "ar-home-"));
    const shellOf = (home: string): Record<string, string | undefined> => ({
      AGENT_RUN_HOME: undefined,
      HOME: join(folder, home),
      XDG_RUNTIME_DIR: folder,
    });
    const run = (home: string) => world.run(["--role", world.cloud.roleArn(), "--isolation", "none", "true"], { env: shellOf(home) });
    try {
      for (const home of ["one", "other", "bare"]) mkdirSync(join(folder, home));
      for (const home of ["one", "other"]) mkdirSync(join(folder, home, ".config", "agent-run"), { recursive: true });
      writeFileSync(join(folder, "one", ".config", "agent-run", "config.toml"), 'profile = "demo"\n');
      symlinkSync("one", join(folder, "link"));
      expect((await run("one")).code).toBe(0);
      expect((await run("link")).code).toBe(0);
      for (const home of ["other", "bare"])
        expect(await run(home)).toMatchObject({
          code: 125,
          stderr: expect.stringMatching(
            /the daemon that runs has its settings in .*one.*, and here they are in .*\nagent-run: hint: HOME or XDG_CONFIG_HOME is another here.*agent-run daemon stop/,
          ),
        });
    } finally {
      await world.run(["daemon", "stop"], { env: shellOf("one") });
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe("a shell with other XDG folders", () => {
  const folder = mkdtempSync(join(tmpdir(), "ar-xdg-"));
  for (const name of ["home", "one", "other"]) mkdirSync(join(folder, name), { mode: 0o700 });
  const shellOf = (runtime: string, more: Record<string, string> = {}): Record<string, string | undefined> => ({
    ...{ AGENT_RUN_HOME: undefined, HOME: join(folder, "home"), XDG_RUNTIME_DIR: join(folder, runtime), ...more },
  });
  const words = (...command: string[]): string[] => ["--role", world.cloud.roleArn(), "--isolation", "none", ...command];
  afterAll(async () => {
    for (const runtime of ["one", "other"]) await world.run(["daemon", "stop"], { env: shellOf(runtime) });
    rmSync(folder, { recursive: true, force: true });
  });

  it("is told which of them differs, and ends no session of the daemon that runs; an idle one makes room", async () => {
    const agent = world.start(words("sh", "-c", "echo began; read x; echo ended well"), { env: shellOf("one") });
    let said = "";
    agent.stdout?.setEncoding("utf8").on("data", (text: string) => (said += text));
    const ended = new Promise<number | null>((resolve) => agent.once("close", resolve));
    await until(() => said.includes("began"), 20_000, "the agent");
    expect(await world.run(words("true"), { env: shellOf("one", { XDG_STATE_HOME: join(folder, "states") }) })).toMatchObject({
      code: 125,
      stderr: expect.stringMatching(
        /has its records in .*home.*, and here they are in .*states.*\n.*HOME or XDG_STATE_HOME is another here.*\(XDG_STATE_HOME=.*home/,
      ),
    });
    expect(await world.run(words("true"), { env: shellOf("other") })).toMatchObject({
      code: 125,
      stderr: expect.stringMatching(/is reached in .*one.*, here it would be in .*other.*\n.*hint: export XDG_RUNTIME_DIR=.*one, /),
    });
    agent.stdin?.end("\n");
    expect(await ended).toBe(0);
    expect(said).toContain("ended well");
    expect((await world.run(words("true"), { env: shellOf("other") })).code).toBe(0);
    expect((await world.run(["daemon", "status"], { env: shellOf("one") })).stdout).toContain("no daemon runs");
  });
});

describe("agent-run logout", () => {
  it("does not ask where one would sign in when there is nothing to end", async () => {
    const { code, stderr } = await world.run(["logout"]);
    expect([code, stderr]).toEqual([1, "agent-run: agent-run keeps no sign-in; that of the AWS CLI ends with aws sso logout\n"]);
  });
});

describe("agent-run extend", () => {
  it("says at once that there is no such session, and nothing of a question", async () => {
    expect(await world.run(["extend", "sess_00000000", "30m"])).toMatchObject({
      code: 1,
      stdout: "",
      stderr: "agent-run: error: no session 'sess_00000000' runs here\nagent-run: hint: agent-run ps\n",
    });
  });
});

describe("a word that is nearly a command", () => {
  it("is looked for as a program, and the command is named", async () => {
    expect(await world.run(["kil", "--all"])).toMatchObject({
      code: 127,
      stderr: expect.stringMatching(/^agent-run: error: cannot find the program 'kil'\nagent-run: hint: did you mean 'agent-run kill'\? /),
    });
  });

  it("has its own help, said either way", async () => {
    const { stdout } = await world.run(["help", "kill"]);
    expect(stdout).toMatch(/^agent-run kill: /);
    expect((await world.run(["kill", "--help"])).stdout).toBe(stdout);
  });

  it.each(["--help", ...commands.map(({ name }) => `${name} --help`)])("fits into 80 columns: %s", async (words) => {
    const { stdout } = await world.run(words.split(" "));
    // One word cannot be folded: the command line of an example.
    expect(stdout.split("\n").filter((line) => line.length > 80 && !/^ {2}agent-run .*$/.test(line))).toEqual([]);
  });
});

describe("inside a session", () => {
  const inside = { AGENT_RUN: "1", AGENT_RUN_SESSION: "sess_00000001", AGENT_RUN_HOME: undefined };

  it.each([["ps"], ["kill --all"], ["audit"], ["daemon status"], ["true"], ["demo true"]])(
    "that hides agent-run's own files, %s says so and starts nothing",
    async (words) => {
      const runtime = join(world.home, "runtime");
      mkdirSync(runtime, { recursive: true, mode: 0o700 });
      const { code, stdout, stderr } = await world.run(words.split(" "), { env: { ...inside, XDG_RUNTIME_DIR: runtime } });
      expect(stderr).toMatch(
        /^agent-run: error: this is inside the session sess_00000001, .*\nagent-run: hint: run it in another terminal/,
      );
      expect({ code, stdout }).toEqual({ code: 125, stdout: "" });
      expect(readdirSync(runtime)).toEqual([]);
    },
  );

  it("without a sandbox, its own list is there to see", async () => {
    const { stdout } = await world.run(["sh", "-c", `AGENT_RUN_HOME=${world.own} "$0" "$1" ps --json`, process.execPath, BIN]);
    expect(JSON.parse(stdout)).toMatchObject([{ actor: "sh" }]);
  });
});

describe.skipIf(!existsSync("/dev/full"))("a standard output that takes nothing (needs /dev/full)", () => {
  it.each([["ps --json"], ["--help"], ["run --help"]])("is said in one line for %s", async (words) => {
    const { code, stderr } = await shell(`"$@" ${words} >/dev/full`);
    expect(stderr).toMatch(/^agent-run: error: cannot write to stdout: .*ENOSPC.*\n$/);
    expect(code).toBe(125);
  });

  it("is no error when its reader has read enough", async () => {
    expect(await shell('"$@" --help | true')).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  it("does not end the run when it is the standard error", async () => {
    expect(await shell('"$@" --ttl 99h sh -c "exit 6" 2>/dev/full')).toMatchObject({ code: 6 });
  });
});
