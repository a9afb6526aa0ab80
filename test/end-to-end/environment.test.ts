// The agent's environment is byte for byte what `agent-run env` says: on pipes and in a terminal, at every isolation level, whatever is in between.
import { spawn } from "node:child_process";
import { readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { node, openOuter } from "../terminal/outer.ts";
import { BIN, hasBubblewrap, makeWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await makeWorld();
  symlinkSync(world.project, join(world.home, "link"));
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** The longest string that the kernel takes (execve(2), MAX_ARG_STRLEN), without the byte at its end. */
const LONGEST = 131_071;

/** What shells drop, set anew or refuse to start with, and what takes care to hand on. */
const strange = (): Record<string, string> => ({
  "BASH_FUNC_greet%%": "() {  echo hello\n}",
  "a.b": "dotted",
  "npm_config_//registry.example.com/:always-auth": "true",
  "1st": "digit",
  "-u": "option",
  "two words": " \t",
  "odd.long": "é".repeat((LONGEST - "odd.long=".length) / 2),
  LONG: "y".repeat(LONGEST - "LONG=".length),
  EMPTY: "",
  LINES_OF_IT: "one\ntwo\n\nfour\n",
  BYTES: "\x01\x1b[31m\x7fé\u{1f600}\\'\"$(id)`id`",
  IFS: ":",
  OPTIND: "none",
  PPID: "1",
  OLDPWD: "/nowhere",
  SHLVL: "41",
  _: "/usr/bin/agent-run",
  PS4: "> ",
  SHELLOPTS: "posix",
  __proto: "x",
  PWD: join(world.home, "link"),
});

type Variables = Record<string, string>;

/** The agent copies its own: nothing of it is run by a shell. */
const copied = "its-environment";
const agent = ["cp", "/proc/self/environ", copied];

function read(): Variables {
  const file = join(world.project, copied);
  const lines = readFileSync(file, "utf8").split("\0").slice(0, -1);
  rmSync(file);
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
}

/** What is to be there: of the human's what is not removed, as it was, and names of ours. */
async function announced(options: readonly string[], human: Variables): Promise<{ theirs: Variables; ours: string[] }> {
  const { stdout } = await world.run(["env", ...options, "--json", "cp"], { env: human });
  const { changes } = JSON.parse(stdout) as { changes: { name: string; action: string }[] };
  const named = (action: string): string[] => changes.filter((change) => change.action === action).map(({ name }) => name);
  const gone = new Set([...named("removed"), ...named("set")]);
  const theirs = Object.entries({ ...world.env, ...human }).filter(([name]) => !gone.has(name));
  return { theirs: Object.fromEntries(theirs), ours: named("set").toSorted() };
}

function check(got: Variables, { theirs, ours }: Awaited<ReturnType<typeof announced>>): void {
  const rest = Object.entries(got).filter(([name]) => !ours.includes(name));
  expect(Object.fromEntries(rest)).toEqual(theirs);
  expect(
    Object.keys(got)
      .filter((name) => ours.includes(name))
      .toSorted(),
  ).toEqual(ours);
}

it("has what Node reads in place of bytes that are no UTF-8", async () => {
  const started = ["-c", 'BYTES=$(printf "a\\377z") exec "$@"', "sh", node, BIN, "--isolation", "none", ...agent];
  const child = spawn("/bin/sh", started, { cwd: world.project, env: world.env, stdio: "inherit" });
  expect(await new Promise((resolve) => child.once("close", resolve))).toBe(0);
  expect(read()["BYTES"]).toBe("a\ufffdz");
});

it("has a region where one is set anywhere, and the launch says once where none is", async () => {
  const regions = ["-c", 'echo "$AWS_REGION $AWS_DEFAULT_REGION"'];
  const none = { AWS_REGION: undefined, AWS_DEFAULT_REGION: undefined };
  const said =
    "agent-run: warning: the agent has no region: none is set by --region, AWS_REGION, your AWS profile, or region under [profiles.demo] in config.toml\n";
  expect(await world.run(["sh", ...regions], { env: none })).toMatchObject({ code: 0, stdout: " \n", stderr: said });
  expect(await world.run(["env"], { env: none })).toMatchObject({ code: 0, stderr: said });
  const has = async (region: string, options: readonly string[], env: Record<string, string>): Promise<void> => {
    const result = await world.run([...options, "sh", ...regions], { env: { ...none, ...env } });
    expect(result).toMatchObject({ code: 0, stdout: `${region} ${region}\n`, stderr: "" });
    expect(await world.run(["env", ...options], { env: { ...none, ...env } })).toMatchObject({ code: 0, stderr: "" });
  };
  await has("eu-west-1", ["--region", "eu-west-1"], {});
  await has("eu-west-2", [], { AWS_DEFAULT_REGION: "eu-west-2" });
  const aws = join(world.home, "aws-config");
  writeFileSync(aws, "[profile dev]\nregion = eu-west-3\n");
  await has("eu-west-3", [], { AWS_PROFILE: "dev", AWS_CONFIG_FILE: aws });
  const own = join(world.own, "config", "config.toml");
  const before = readFileSync(own, "utf8");
  writeFileSync(own, `${before}region = "eu-north-1"\n`);
  await has("eu-north-1", [], {});
  writeFileSync(own, before);
});

const levels = ["none", ...(hasBubblewrap ? ["standard", "strict"] : [])];

describe.each(levels)("at level %s", (level) => {
  const options = ["--isolation", level];

  it("on pipes", async () => {
    const human = strange();
    const { stderr, code } = await world.run([...options, ...agent], { env: human });
    expect(code, stderr).toBe(0);
    check(read(), await announced(options, human));
  });

  it("in a terminal", async () => {
    const human = strange();
    // node-pty has its own idea of PWD here, too.
    const there = ["-C", world.project, `PWD=${human["PWD"]}`, node, BIN, ...options, ...agent];
    await using outer = openOuter("/usr/bin/env", there, { env: { ...world.env, ...human } });
    expect(await outer.exited, outer.screen.rows().join("\n")).toEqual({ code: 0 });
    check(read(), await announced(options, human));
  });
});
