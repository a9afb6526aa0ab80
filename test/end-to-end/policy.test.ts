// The policy commands and `check` as people run them: files, profiles, and a role of the local cloud.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const ADMIN =
  '{\n  "Version": "2012-10-17",\n  "Statement": [\n    { "Sid": "All", "Effect": "Allow", "Action": "*", "Resource": "*" }\n  ]\n}\n';
const WRITES = '{ "Version": "2012-10-17", "Statement": { "Effect": "Allow", "Action": "s3:PutObject", "Resource": "*" } }';

function file(name: string, text: string): string {
  writeFileSync(join(world.project, name), text);
  return name;
}

describe("policy lint", () => {
  it("says where, what, why and the fix, and fails on an error", async () => {
    const { code, stdout, stderr } = await world.run(["policy", "lint", file("admin.json", ADMIN)]);
    expect(code).toBe(1);
    expect(stdout).toContain(
      "admin.json:4:50: error admin-everything Statement[0].Action[0] (All)\n    allows every action on every resource\n    fix: ",
    );
    expect(stderr).toBe("agent-run: 1 error, 0 warnings, 0 notes\n");
  });

  it("says of a word that is neither a file nor a profile that it is neither, and what either would be", async () => {
    const lint = async (word: string) => await world.run(["policy", "lint", word]);
    expect(await lint("policy.txt")).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /neither a file 'policy.txt' here nor a profile[\s\S]*give a file with a policy.*agent-run profiles list\n$/,
      ),
    });
    expect(await lint("raedonly")).toMatchObject({ code: 2, stderr: expect.stringContaining("did you mean 'readonly'?") });
    expect(await lint("gone/policy.json")).toMatchObject({ code: 2, stderr: expect.stringContaining("cannot read gone/policy.json") });
  });

  it("fails at the severity that is asked for, and not below", async () => {
    const name = file("writes.json", WRITES);
    for (const [threshold, status] of [
      ["error", 0],
      ["warning", 1],
      ["note", 1],
      ["never", 0],
    ] as const) {
      expect((await world.run(["policy", "lint", name, "--fail-on", threshold])).code, threshold).toBe(status);
    }
  });

  it("says too-long of a profile just where a run of it would be refused for that", async () => {
    const policy = (count: number, effect: string): string => {
      const Resource = Array.from({ length: count }, (_, index) => `arn:aws:s3:::${effect.toLowerCase()}-${index}/*`);
      return JSON.stringify({ Version: "2012-10-17", Statement: { Effect: effect, Action: "s3:GetObject", Resource } });
    };
    for (const [name, session, ceiling] of [
      ["fits", 30, 30],
      // Each of the two fits alone.
      ["does-not", 60, 60],
    ] as const) {
      const folder = join(world.own, "config", "profiles", name);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "profile.toml"), "");
      writeFileSync(join(folder, "session-policy.json"), policy(session, "Allow"));
      writeFileSync(join(folder, "deny-always.json"), policy(ceiling, "Deny"));
      const shown = await world.run(["profiles", "show", name]);
      const linted = JSON.parse((await world.run(["policy", "lint", name, "--format", "json"])).stdout);
      const long = linted.filter(({ code }: { code: string }) => code === "too-long").length;
      expect({ long, refused: shown.stderr.includes("and sts takes 2048") }).toEqual(
        name === "fits" ? { long: 0, refused: false } : { long: 1, refused: true },
      );
      rmSync(folder, { recursive: true });
    }
  });

  it("writes JSON, and SARIF whose results point at rules, files and lines", async () => {
    const name = file("admin.json", ADMIN);
    const json = JSON.parse((await world.run(["policy", "lint", name, "--format", "json"])).stdout);
    expect(json[0]).toMatchObject({ severity: "error", source: "admin.json", line: 4 });
    const sarif = JSON.parse((await world.run(["policy", "lint", name, "--format", "sarif"])).stdout);
    expect(sarif.version).toBe("2.1.0");
    const [{ tool, results }] = sarif.runs;
    expect(results).toHaveLength(json.length);
    for (const { ruleId, ruleIndex, level, message, locations } of results) {
      expect(tool.driver.rules[ruleIndex].id).toBe(ruleId);
      expect(["error", "warning", "note"]).toContain(level);
      expect(message.text).toMatch(/\S/);
      expect(locations[0].physicalLocation).toMatchObject({
        artifactLocation: { uri: "admin.json" },
        region: { startLine: expect.any(Number) },
      });
    }
  });

  it("lists a text that is no policy among the findings, with its place", async () => {
    const broken = file("broken.json", '{ "Version": "2012-10-17",\n  "Statment": [] }');
    const { code, stdout } = await world.run(["policy", "lint", broken, "--format", "json"]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject([
      { code: "not-a-policy", line: 2, path: "Statment", fix: expect.stringContaining("Statement") },
    ]);
  });

  it("reads a role from AWS with the human's credentials", async () => {
    const { code, stdout } = await world.run(["policy", "lint", world.cloud.roleArn(), "--fail-on", "note"]);
    expect(code).toBe(1);
    expect(stdout).toContain(`inline policy team-access of ${world.cloud.roleArn()}: `);
    const missing = await world.run(["policy", "lint", `${world.cloud.roleArn()}-that-is-not-there`]);
    expect(missing.code).toBe(125);
    expect(missing.stderr).toMatch(/NoSuchEntity/);
  });

  it.each([
    [["policy"], "policy needs to be told what to do"],
    [["policy", "lnt"], "did you mean 'agent-run policy lint'?"],
    [["policy", "lint"], "policy lint needs a file, a profile or a role"],
    [["policy", "lint", "readonly", "--format", "xml"], "--format: 'xml' is none of text, json, sarif"],
    [["policy", "lint", "not/there.json"], "cannot read not/there.json"],
  ])("says what is wrong with %j and exits with 2", async (args, text) => {
    const { code, stderr } = await world.run(args);
    expect(stderr).toContain(text);
    expect(code).toBe(2);
  });
});

describe("policy test", () => {
  it("holds every shipped profile against its tests and the destructive catalogue", async () => {
    const { code, stdout } = await world.run(["policy", "test", "readonly"]);
    expect(stdout).toContain("✓ ends no machine\n");
    expect(stdout).toContain("✓ nothing destructive\n");
    expect(code).toBe(0);
    const all = await world.run(["policy", "test", "--all"]);
    expect(all.stdout).not.toContain("✗");
    expect(all.code).toBe(0);
  });

  it("fails on an expectation that does not hold, on destruction that nobody accepts, and on an acceptance that allows nothing", async () => {
    const folder = join(world.own, "config", "profiles", "wide");
    mkdirSync(folder, { recursive: true });
    const statement = { Effect: "Allow", Action: ["s3:DeleteObject", "kms:DisableKey"], Resource: "*" };
    writeFileSync(join(folder, "profile.toml"), 'accepts = ["s3:DeleteObject", "ec2:StopInstances"]\n');
    writeFileSync(join(folder, "session-policy.json"), JSON.stringify({ Version: "2012-10-17", Statement: statement }));
    writeFileSync(
      join(folder, "tests.toml"),
      '[[test]]\nname = "reads"\nexpect = "allowed"\naction = "s3:GetObject"\nresource = "arn:aws:s3:::b/k"\n',
    );
    const { code, stdout } = await world.run(["policy", "test", "wide"]);
    expect(code).toBe(1);
    expect(stdout).toContain("✗ reads: expected allowed, is implicitDeny, no session policy allows it\n");
    expect(stdout).toContain("✗ nothing destructive: allows kms:DisableKey\n");
    expect(stdout).toContain("✗ accepts what it does not allow: ec2:StopInstances\n");
  });

  it("asks IAM's simulator with --live, and names where it differs", async () => {
    const { code, stdout } = await world.run(["policy", "test", "readonly", "--live", "--role", world.cloud.roleArn()]);
    // The demo's role writes objects, which the profile's own role policy does not.
    expect(stdout).toContain("✗ IAM agrees: writes no object: the role is allowed there, the profile's own policies say implicitDeny\n");
    expect(stdout).toContain("✓ IAM agrees: reads objects\n");
    expect(code).toBe(1);
  });
});

describe("policy explain", () => {
  it("names the statement that decides, and what did not match in the others", async () => {
    const { code, stdout } = await world.run([
      "policy",
      "explain",
      "-p",
      "readonly",
      "--action",
      "s3:DeleteObject",
      "--resource",
      "arn:aws:s3:::b/k",
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^explicitDeny by boundary policy \S+boundary\.json Statement\[1\] \(DenyDestruction\)\n/);
    expect(stdout).toMatch(/Allow does not apply {2}session: .*\n {6}s3:DeleteObject is none of /);
  });

  it("says which condition was not met, by the context that is given", async () => {
    const condition = { StringEquals: { "aws:PrincipalTag/team": "a" } };
    const name = file(
      "team.json",
      JSON.stringify({ Version: "2012-10-17", Statement: { Effect: "Allow", Action: "s3:*", Resource: "*", Condition: condition } }),
    );
    const ask = (...context: string[]) =>
      world.run(["policy", "explain", "--policy", name, "--action", "s3:GetObject", ...context.flatMap((one) => ["--context", one])]);
    expect((await ask()).stdout).toContain("the request has no aws:PrincipalTag/team, and StringEquals asks for a");
    expect((await ask("aws:PrincipalTag/team=b")).stdout).toContain(
      "the request has aws:PrincipalTag/team = b, and StringEquals asks for a",
    );
    expect((await ask("aws:PrincipalTag/team=a")).stdout).toMatch(/^allowed by identity policy /);
    expect((await ask("nonsense")).code).toBe(2);
  });
});

describe("check", () => {
  it("answers six questions with evidence, and exits with 1 while one is no", async () => {
    const { code, stdout } = await world.run(["check", "--json"]);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ profile: "demo", role: world.cloud.roleArn(), of: 6 });
    expect(report.items).toHaveLength(6);
    for (const { evidence } of report.items) expect(evidence.length).toBeGreaterThan(0);
    // The world's isolation is none, and nobody has planned a review.
    expect(report.items[3]).toMatchObject({ answer: "no", evidence: [expect.stringContaining("isolation is none")] });
    expect(report.items[5]).toMatchObject({ answer: "no" });
    expect(code).toBe(1);
  });

  it("finds an access key of a user in the project's folder, and never prints it", async () => {
    const key = "AKIAIOSFODNN7EXAMPLE";
    file(".env", `AWS_ACCESS_KEY_ID=${key}\n`);
    const { stdout } = await world.run(["check", "--offline"]);
    expect(stdout).toContain(".env in this folder holds an access key of an IAM user");
    expect(stdout).not.toContain(key);
  });
});
