// Names that bring escape sequences, line breaks and marks that turn text around: through every command that shows a name, looked at byte by byte.
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeWorld, type Result, type World } from "./world.ts";

const HOSTILE = "x\x1b]0;owned\x07\x1b[2K\x9b8m\u202egnp\u061c\u2028\u{e0041}\n  writable   ";
/** What must not come out, whatever the command. */
const ACTS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|\udb40/u;

describe("hostile names", () => {
  let world: World;
  let folder: string;
  let session: string;
  beforeAll(async () => {
    world = await makeWorld();
    folder = join(world.home, HOSTILE);
    mkdirSync(folder);
    const agent = join(folder, HOSTILE.replaceAll("/", ""));
    symlinkSync("/bin/true", agent);
    const profiles = join(world.own, "config", "profiles");
    mkdirSync(join(profiles, "odd"), { recursive: true });
    writeFileSync(
      join(profiles, "odd", "profile.toml"),
      `extends = "demo"\ndescription = ${JSON.stringify(HOSTILE).replaceAll("\x9b", "\\u009b")}\n`,
    );
    mkdirSync(join(profiles, HOSTILE));
    writeFileSync(join(profiles, HOSTILE, "profile.toml"), 'extends = "demo"\n');
    // Leaves a record, and a project, of that name.
    await world.run(["--task", HOSTILE, agent], { cwd: folder });
    session = JSON.parse((await world.run(["audit", "--json"])).stdout)[0].session;
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  const at = (args: readonly string[]): Promise<Result> => world.run(args, { cwd: folder });
  const commands: readonly (readonly string[])[] = [
    ["env", "--explain", HOSTILE],
    ["env", "--explain", "--json", HOSTILE],
    ["--dry-run", "--isolation", "standard", "true", HOSTILE],
    [HOSTILE],
    ["-p", HOSTILE, "true"],
    ["-p", "odd", "--dry-run", "true"],
    ["--isolation", HOSTILE, "true"],
    [`--${HOSTILE}`],
    ["profiles"],
    ["profiles", "--json"],
    ["profiles", "show", HOSTILE],
    ["profiles", "show", "odd"],
    ["profiles", "show", "odd", "--json"],
    ["audit"],
    ["audit", "--json"],
    ["audit", "--verify"],
    ["audit", HOSTILE],
    ["ps"],
    ["ps", "--json"],
    ["status"],
    ["status", "--json"],
    ["kill", HOSTILE],
    ["kill", "--project", HOSTILE],
    ["trust", HOSTILE],
    ["policy", "lint", HOSTILE],
    ["policy", "explain", HOSTILE, HOSTILE],
    ["check", HOSTILE],
    ["doctor", "--json"],
    ["daemon", "logs"],
    ["daemon", HOSTILE],
    ["completion", "--words", "--", "-p", ""],
  ];

  it.each(commands)("nothing of them acts on the terminal: %j %j %j", async (...words) => {
    const { stdout, stderr } = await at(words);
    const text = words[0] === "completion" ? stdout.replaceAll("\t", " ") : stdout;
    expect(ACTS.exec(text), text).toBeNull();
    expect(ACTS.exec(stderr), stderr).toBeNull();
    expect(`${stdout}${stderr}`).not.toMatch(/^ {2}writable {3}$/m);
    if (words.includes("--json") && stdout !== "") JSON.parse(stdout);
  });

  it("nor those that an audit holds", async () => {
    for (const words of [[session], [session, "--json"], [session, "--report"], [session, "--verify"], [session, "--follow", "--json"]]) {
      const { stdout, stderr } = await at(["audit", ...words]);
      expect(ACTS.exec(stdout), stdout).toBeNull();
      expect(stdout).toContain(words.includes("--verify") ? "all as they were written" : "owned");
      expect(stderr).toBe("");
    }
  });
});
