// `agent-run profiles` and `agent-run trust` as people run them.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");
let home: string;
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "ar-cli-")));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function run(args: readonly string[], cwd = home): { status: number | null; stdout: string; stderr: string } {
  const env = { PATH: process.env["PATH"], HOME: home, AGENT_RUN_HOME: join(home, "own"), LANG: "C.UTF-8" };
  return spawnSync(process.execPath, [join(ROOT, "bin", "agent-run.cjs"), ...args], { cwd, env, encoding: "utf8" });
}

describe("agent-run profiles", () => {
  it("lists every profile, also one that cannot be used, with the reason", () => {
    const broken = join(home, "own", "config", "profiles", "broken");
    mkdirSync(broken, { recursive: true });
    writeFileSync(join(broken, "profile.toml"), 'tll = "1h"\n');
    const listed = JSON.parse(run(["profiles", "--json"]).stdout) as { name: string; problem?: string; shipped: boolean }[];
    expect(listed.find(({ name }) => name === "security")).toMatchObject({ shipped: true, ttlMs: 300_000 });
    expect(listed.find(({ name }) => name === "broken")?.problem).toMatch(/profile\.toml:1:1: unknown setting 'tll'/);
    const { status, stdout } = run(["profiles"]);
    expect(status).toBe(0);
    for (const { name } of listed) expect(stdout).toContain(name);
  });

  it("shows the session policy as it is sent, narrowed too", () => {
    const args = ["profiles", "show", "developer", "--allow", "s3:GetObject=arn:aws:s3:::b/*", "--json"];
    const shown = JSON.parse(run(args).stdout) as { name: string; sessionPolicy: { characters: number; policy: { Statement: unknown[] } } };
    expect(shown.name).toBe("developer");
    expect(shown.sessionPolicy.policy.Statement[0]).toMatchObject({
      Effect: "Allow",
      Action: "s3:GetObject",
      Resource: "arn:aws:s3:::b/*",
    });
    expect(run(["profiles", "show", "developer"]).stdout).toMatch(/accepts +ec2:RunInstances, ec2:StopInstances/);
  });

  it("makes a profile that passes its tests, and never over one that is there", () => {
    const made = run(["profiles", "new", "shop", "--from", "ops"]);
    expect(made.status).toBe(0);
    const folder = run(["profiles", "path", "shop"]).stdout.trim();
    expect(folder).toBe(join(home, "own", "config", "profiles", "shop"));
    const [schema = ""] = readFileSync(join(folder, "profile.toml"), "utf8").split("\n");
    expect(existsSync(schema.replace("#:schema ", ""))).toBe(true);
    expect(run(["policy", "test", "shop"]).status).toBe(0);
    mkdirSync(join(folder, "notes"));
    expect(run(["profiles", "new", "second", "--from", "shop"]).status).toBe(0);
    expect(existsSync(join(folder, "..", "second", "notes"))).toBe(true);
    expect(run(["profiles", "new", "shop"])).toMatchObject({ status: 1, stderr: expect.stringContaining("is there already") });
  });

  it("makes no half a profile: what cannot be copied leaves nothing", () => {
    const source = run(["profiles", "new", "source"]).stdout.trim();
    spawnSync("mkfifo", [join(source, "zzz")]);
    const { status, stderr } = run(["profiles", "new", "copy", "--from", "source"]);
    expect({ status, stderr }).toEqual({ status: 125, stderr: expect.stringMatching(/cannot make \S+\/copy: .*\nagent-run: hint: /) });
    expect(existsSync(join(source, "..", "copy"))).toBe(false);
  });

  it("says that a new profile takes the place of one of the package, and how to have that one back", () => {
    const made = run(["profiles", "new", "readonly"]);
    const undo = /warning: it stands in the place of the 'readonly' that comes with agent-run.*: (rm -r (\/\S+))\n/.exec(made.stderr);
    expect(made.status).toBe(0);
    expect(undo?.[2]).toBe(run(["profiles", "path", "readonly"]).stdout.trim());
    expect(spawnSync("sh", ["-c", undo?.[1] ?? "false"]).status).toBe(0);
    expect(run(["profiles", "path", "readonly"]).stdout.trim()).toBe(join(ROOT, "profiles", "readonly"));
    expect(run(["profiles", "new", "another"]).stderr).not.toContain("warning");
  });

  it.each([
    [["profiles", "show", "readolny"], /did you mean 'readonly'/],
    [["profiles", "new", "../evil"], /cannot be the name of a profile/],
    [["profiles", "readonly"], /agent-run profiles show readonly/],
    [["profiles", "show"], /needs a name/],
  ])("says what is wrong with %j", (args, message) => {
    const { status, stderr } = run(args);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(message);
  });
});

describe("agent-run trust", () => {
  it("shows what it would trust, asks at a terminal alone, and lists and removes it", () => {
    const repository = join(home, "repository");
    mkdirSync(join(repository, ".git"), { recursive: true });
    const file = join(repository, ".agent-run.toml");
    writeFileSync(file, 'ttl = "5m"\n');
    const asked = run(["trust"], repository);
    expect(asked.stdout).toContain('ttl = "5m"');
    expect(asked).toMatchObject({ status: 2, stderr: expect.stringContaining("there is no terminal to ask") });
    expect(JSON.parse(run(["trust", "--list", "--json"]).stdout)).toEqual([]);

    expect(run(["trust", "--yes"], repository).status).toBe(0);
    expect(JSON.parse(run(["trust", "--list", "--json"]).stdout)).toMatchObject([{ file, state: "unchanged" }]);
    writeFileSync(file, 'ttl = "6m"\n');
    expect(run(["trust", "--list"]).stdout).toMatch(/\.agent-run\.toml .* changed/);
    expect(run(["trust", "--remove", repository]).status).toBe(0);
    expect(JSON.parse(run(["trust", "--list", "--json"]).stdout)).toEqual([]);
  });

  it("does not trust what such a file must not say", () => {
    writeFileSync(join(home, ".agent-run.toml"), 'role = "admin"\n');
    const { status, stderr } = run(["trust", "--yes"]);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/\.agent-run\.toml:1:1: unknown setting 'role'/);
    expect(stderr).toContain("can only choose a profile or narrow it");
  });
});
