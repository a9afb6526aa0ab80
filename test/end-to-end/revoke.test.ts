// A kill denies the keys that an agent has copied, at AWS: the stock clients that hold them are refused, other sessions of the role are not.
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DescribeInstancesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { GetRolePolicyCommand, IAMClient, ListRolePoliciesCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { allDocument, singleDocument, sizeOf } from "../../src/aws/revoke/deny.ts";
import { openLease } from "../../src/control/client.ts";
import type { RevocationReport } from "../../src/control/protocol.ts";
import { allowAll, DEMO_ACCOUNT, DEMO_ROLE, demoSeed, type Seed, trusts } from "../../src/localcloud/seed.ts";
import { VENV } from "./clients.ts";
import { sitDown } from "./human.ts";
import { BIN, FIXTURES, has, makeWorld, until, type World } from "./world.ts";

const SSO_ROLE = "AWSReservedSSO_Dev_0123456789abcdef";
const trust = trusts(`arn:aws:iam::${DEMO_ACCOUNT}:root`);
const mayDo = (Action: string) => ({ Version: "2012-10-17", Statement: { Effect: "Allow", Action, Resource: "*" } });
/** The demo's account, with a developer who may start sessions and change nothing, and roles to go on to. */
const seed: Seed = {
  ...demoSeed,
  users: [...demoSeed.users, { name: "junior", policies: { assume: mayDo("sts:*") } }],
  roles: [
    ...demoSeed.roles.map((role) => ({ ...role, trust, policies: { ...role.policies, chain: mayDo("sts:*") } })),
    { name: "next", trust, policies: { all: allowAll } },
    { name: SSO_ROLE, trust, policies: { all: allowAll } },
  ],
};

let world: World;
beforeEach(async () => {
  world = await makeWorld({ seed });
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

interface Keys {
  readonly session: string;
  readonly AccessKeyId: string;
  readonly SecretAccessKey: string;
  readonly Token: string;
}
interface Killed {
  readonly session: string;
  readonly revocations: readonly RevocationReport[];
  readonly notes: readonly string[];
}

/** Starts an agent that copies its keys, and gives them. */
async function thief(options: readonly string[] = []): Promise<Keys> {
  const file = join(world.project, `keys-${Math.random()}.json`);
  world.start([...options, "node", join(FIXTURES, "copies-its-keys.mjs"), file]);
  await until(() => existsSync(file), 30_000, "the agent to copy its keys");
  return JSON.parse(readFileSync(file, "utf8"));
}
const clientOf = ({ AccessKeyId, SecretAccessKey, Token }: Keys) => ({
  endpoint: world.cloud.url,
  region: world.cloud.region,
  maxAttempts: 1,
  credentials: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: Token },
});
/** `allowed`, or AWS's reason. */
async function call(keys: Keys): Promise<string> {
  try {
    await new EC2Client(clientOf(keys)).send(new DescribeInstancesCommand({}));
    return "allowed";
  } catch (error) {
    return String((error as Error).message);
  }
}
const DENIED = /with an explicit deny in an identity-based policy/;
const SINGLE = sizeOf(singleDocument({ session: "sess_00000000", until: 0 }));
const admin = (): IAMClient => {
  const { accessKeyId, secretAccessKey } = world.cloud.admin;
  return new IAMClient({ endpoint: world.cloud.url, region: world.cloud.region, credentials: { accessKeyId, secretAccessKey } });
};
const policyNames = async (): Promise<string[]> =>
  (await admin().send(new ListRolePoliciesCommand({ RoleName: DEMO_ROLE, MaxItems: 1000 }))).PolicyNames ?? [];
const textOf = async (PolicyName: string): Promise<string> =>
  decodeURIComponent((await admin().send(new GetRolePolicyCommand({ RoleName: DEMO_ROLE, PolicyName }))).PolicyDocument ?? "");
const put = (PolicyName: string, PolicyDocument: string) =>
  admin().send(new PutRolePolicyCommand({ RoleName: DEMO_ROLE, PolicyName, PolicyDocument }));
/** Somebody's own policy that leaves so many characters of the quota, written with white space that does not count. */
async function leaveRoom(room: number): Promise<void> {
  const others = (await policyNames()).filter((name) => name !== "filler");
  const used = (await Promise.all(others.map(textOf))).reduce((sum, text) => sum + sizeOf(text), 0);
  const document = (Resource: string) => ({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource }] });
  const length = 10_240 - used - room - sizeOf(JSON.stringify(document("")));
  await put("filler", JSON.stringify(document("arn:aws:s3:::".padEnd(length, "x")), undefined, 8));
}
async function kill(words: readonly string[]): Promise<{ killed: readonly Killed[]; code: number | null; stderr: string }> {
  const { stdout, stderr, code } = await world.run(["kill", ...words, "--json"], { limitMs: 60_000 });
  return { killed: JSON.parse(stdout || "[]"), code, stderr };
}
const statesOf = (killed: readonly Killed[]): string[] => killed.flatMap(({ revocations }) => revocations.map(({ state }) => state));
const configure = (lines: string): void =>
  writeFileSync(
    join(world.own, "config", "config.toml"),
    `profile = "demo"\n[profiles.demo]\nrole = "${world.cloud.roleArn()}"\nisolation.level = "none"\n${lines}\n`,
  );

const python = existsSync(join(VENV, "python")) && has(join(VENV, "python"));
const stock = python
  ? ([
      ["boto3", `${VENV}/python -c "import boto3;print(len(boto3.client('ec2').describe_instances()['Reservations']))"`],
      ["awscli", `${VENV}/aws ec2 describe-instances --query 'length(Reservations)'`],
    ] as const)
  : [];
/** What it printed, both streams. Not in this thread: the cloud that it asks is. */
const run = (line: string, keys: Keys): Promise<string> =>
  new Promise((resolve) => {
    const env = {
      PATH: process.env["PATH"],
      HOME: world.home,
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_ENDPOINT_URL: world.cloud.url,
      AWS_REGION: world.cloud.region,
      AWS_DEFAULT_REGION: world.cloud.region,
      AWS_ACCESS_KEY_ID: keys.AccessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.SecretAccessKey,
      AWS_SESSION_TOKEN: keys.Token,
    };
    execFile("/bin/sh", ["-c", line], { encoding: "utf8", env }, (_error, stdout, stderr) => resolve(`${stdout}${stderr}`.trim()));
  });

describe("a kill", () => {
  it("denies copied keys once it says confirmed, while a change of a policy takes 4 s; a second session of the role goes on", async () => {
    world.cloud.switches.apply({ propagationSeconds: 4 });
    const [stolen, other] = await Promise.all([thief(), thief()]);
    expect(await call(stolen)).toBe("allowed");
    const { killed, code } = await kill([stolen.session]);
    expect(code).toBe(0);
    expect(killed[0]?.revocations).toMatchObject([
      { role: world.cloud.roleArn(), state: "confirmed", policy: `agent-run-revoke-${stolen.session}`, canary: "ec2:DescribeRegions" },
    ]);
    const [report] = killed[0]?.revocations ?? [];
    expect(report?.confirmedMs).toBeGreaterThan(3900);
    expect(report?.inPlaceMs).toBeLessThan(report?.confirmedMs ?? 0);
    expect(await call(stolen)).toMatch(DENIED);
    expect(await call(other)).toBe("allowed");
    for (const [name, line] of stock) {
      expect(await run(line, stolen), name).toMatch(DENIED);
      expect(await run(line, other), name).toBe("3");
    }
    expect(JSON.parse(await textOf(`agent-run-revoke-${stolen.session}`)).Statement).toEqual([
      {
        Sid: expect.stringMatching(/^AgentRunSessionRevokedUntil\d{8}T\d{6}Z$/),
        Effect: "Deny",
        Action: "*",
        Resource: "*",
        Condition: { StringEquals: { "aws:PrincipalTag/agent-session": stolen.session } },
      },
    ]);
    const { stdout: timeline } = await world.run(["audit", stolen.session]);
    expect([...timeline.matchAll(/ {2}revoke +(.*?) on arn:/g)].map(([, how]) => how)).toEqual([
      "its keys are denied",
      "the deny was seen to hold",
    ]);
    expect((await world.run(["revocations"])).stdout).toMatch(new RegExp(`${stolen.session} +${DEMO_ROLE} +20`));
    await kill(["--all"]);
  }, 90_000);

  it("is looked for with the base of the usual profile, as setup wrote it into config.toml", async () => {
    const { accessKeyId, secretAccessKey } = world.cloud.admin;
    mkdirSync(join(world.home, ".aws"), { recursive: true });
    writeFileSync(
      join(world.home, ".aws", "credentials"),
      `[dev]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
    );
    const config = join(world.own, "config", "config.toml");
    const before = readFileSync(config, "utf8");
    writeFileSync(config, `[profiles.readonly]\nrole = "${world.cloud.roleArn()}"\naws_profile = "dev"\n`);
    const env = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
    const { code, stderr } = await world.run(["revocations"], { env });
    writeFileSync(config, before);
    rmSync(join(world.home, ".aws"), { recursive: true });
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining("error") });
  });

  it("of 50 sessions at once denies every one of them", async () => {
    const thieves: Keys[] = [];
    for (let group = 0; group < 5; group += 1) thieves.push(...(await Promise.all(Array.from({ length: 10 }, () => thief()))));
    const { killed } = await kill(["--all"]);
    expect(killed).toHaveLength(50);
    expect(new Set(statesOf(killed))).toEqual(new Set(["confirmed"]));
    for (const keys of thieves) expect(await call(keys)).toMatch(DENIED);
  }, 240_000);

  it("near the quota merges, and all are denied all the same", async () => {
    const thieves = await Promise.all(Array.from({ length: 6 }, () => thief()));
    await leaveRoom(3 * SINGLE);
    const { killed } = await kill(["--all"]);
    expect(statesOf(killed)).toEqual(Array(6).fill("confirmed"));
    for (const keys of thieves) expect(await call(keys)).toMatch(DENIED);
    const names = await policyNames();
    expect(names).toEqual(expect.arrayContaining(["team-access", "filler", expect.stringMatching(/^agent-run-revoke-merged-/)]));
    expect(names.filter((name) => name.startsWith("agent-run-revoke-")).length).toBeLessThan(6);
  }, 90_000);

  it("on a role that others filled says so, and --revoke-all denies all its sessions that began before", async () => {
    const [stolen, other] = await Promise.all([thief(), thief()]);
    await leaveRoom(100);
    const first = await kill([stolen.session]);
    expect(first.code).toBe(1);
    expect(first.killed[0]?.revocations).toMatchObject([
      { state: "failed", why: expect.stringContaining("has no room"), hint: expect.stringContaining("--revoke-all") },
    ]);
    expect(await call(stolen)).toBe("allowed");
    await leaveRoom(sizeOf(allDocument(0, 0)));
    const second = await kill([stolen.session, "--role", world.cloud.roleArn(), "--revoke-all"]);
    expect(second.killed[0]?.revocations).toMatchObject([{ state: "in-place", policy: expect.stringContaining("-all-") }]);
    expect(await call(stolen)).toMatch(DENIED);
    expect(await call(other)).toMatch(DENIED);
    await kill(["--all"]);
  }, 90_000);

  it("by somebody who may not write the policy says what is missing, for whom, on which role, and until when the keys live", async () => {
    const junior = world.cloud.keys("junior");
    Object.assign(world.env, { AWS_ACCESS_KEY_ID: junior.accessKeyId, AWS_SECRET_ACCESS_KEY: junior.secretAccessKey });
    const stolen = await thief();
    const { stdout, code } = await world.run(["kill", stolen.session], { limitMs: 30_000 });
    expect(code).toBe(1);
    expect(stdout).toMatch(/local access cut after [\d.]+ ms/);
    expect(stdout).toMatch(/agent gone after/);
    const arn = `arn:aws:iam::${DEMO_ACCOUNT}:user/junior`;
    expect(stdout).toContain(`not revoked at AWS: ${arn} may not iam:PutRolePolicy on ${world.cloud.roleArn()}`);
    expect(stdout).toContain(`agent-run kill ${stolen.session} --role ${world.cloud.roleArn()} --print-policy`);
    expect(stdout).toMatch(/keys it fetched stay valid until 20\d\d-/);
    expect(await call(stolen)).toBe("allowed");
    // What it prints does what it says, when somebody who may attaches it.
    await put("by-hand", (await world.run(["kill", stolen.session, "--role", world.cloud.roleArn(), "--print-policy"])).stdout);
    expect(await call(stolen)).toMatch(DENIED);
  }, 60_000);

  it("denies the session too in a role that it went on to, where the profile names it", async () => {
    const folder = join(world.own, "config", "profiles", "open");
    mkdirSync(folder, { recursive: true });
    const Statement = [
      {
        Effect: "Allow",
        Action: ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity", "s3:List*", "ec2:Describe*"],
        Resource: "*",
      },
    ];
    writeFileSync(join(folder, "session-policy.json"), JSON.stringify({ Version: "2012-10-17", Statement }));
    const accepts = 'accepts = ["sts:AssumeRole"]';
    const settings = [`role = "${world.cloud.roleArn()}"`, accepts, 'isolation.level = "none"', 'chained_roles = ["next"]'];
    writeFileSync(join(folder, "profile.toml"), settings.join("\n"));
    const [stolen, other] = await Promise.all([thief(["-p", "open"]), thief(["-p", "open"])]);
    const goOn = async (keys: Keys): Promise<Keys> => {
      const assume = new AssumeRoleCommand({ RoleArn: world.cloud.roleArn("next"), RoleSessionName: "on" });
      const { Credentials } = await new STSClient(clientOf(keys)).send(assume);
      const { AccessKeyId = "", SecretAccessKey = "", SessionToken: Token = "" } = Credentials ?? {};
      return { session: keys.session, AccessKeyId, SecretAccessKey, Token };
    };
    const [gone, otherGone] = [await goOn(stolen), await goOn(other)];
    expect(await call(gone)).toBe("allowed");
    const { killed } = await kill([stolen.session]);
    expect(killed[0]?.revocations).toMatchObject([
      { role: world.cloud.roleArn(), state: "confirmed" },
      { role: world.cloud.roleArn("next"), state: "in-place" },
    ]);
    expect(await call(gone)).toMatch(DENIED);
    expect(await call(otherGone)).toBe("allowed");
    await expect(goOn(stolen)).rejects.toThrow(DENIED);
    await kill(["--all"]);
  }, 60_000);

  it("chooses by agent and by project", async () => {
    const [first, second] = await Promise.all([thief(["--project", "one"]), thief(["--project", "two"])]);
    expect((await kill(["--project", "one"])).killed.map(({ session }) => session)).toEqual([first.session]);
    expect((await kill(["--actor", "claude"])).killed).toEqual([]);
    expect((await kill(["--actor", "node"])).killed.map(({ session }) => session)).toEqual([second.session]);
  }, 60_000);

  it("from another machine takes the session's id and role", async () => {
    const stolen = await thief();
    const elsewhere = { AGENT_RUN_HOME: join(world.home, "other-machine") };
    const without = await world.run(["kill", stolen.session], { env: elsewhere });
    expect(without.code).toBe(1);
    expect(without.stderr).toContain("--role");
    const { stdout, code } = await world.run(["kill", stolen.session, "--role", world.cloud.roleArn()], { env: elsewhere });
    expect(stdout).toMatch(/does not run here\n {2}deny in place after/);
    expect(code).toBe(0);
    expect(await call(stolen)).toMatch(DENIED);
    await kill(["--all"]);
  }, 60_000);

  it("of a role of IAM Identity Center says that nobody can edit it, and asks IAM nothing", async () => {
    const stolen = await thief(["--role", world.cloud.roleArn(SSO_ROLE)]);
    const { killed, code } = await kill([stolen.session]);
    expect(code).toBe(1);
    expect(killed[0]?.revocations).toMatchObject([{ state: "failed", why: expect.stringContaining("IAM Identity Center") }]);
    expect(world.cloud.calls("iam:PutRolePolicy")).toBe(0);
  }, 60_000);

  it("is final: a launcher that asks for the session again is refused, by this daemon and by the next", async () => {
    const stolen = await thief();
    await kill([stolen.session]);
    const { version } = JSON.parse((await world.run(["daemon", "status", "--json"])).stdout) as { version: string };
    const { accessKeyId, secretAccessKey } = world.cloud.admin;
    const askForIt = async (): Promise<unknown> => {
      const now = Date.now();
      const source = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_ENDPOINT_URL: world.cloud.url };
      const { lease } = await openLease(join(world.own, "run", "control.sock"), version, {
        ...{
          type: "open",
          actor: "node",
          developer: "dev",
          cwd: world.project,
          overrides: {},
          source: { ...source, AWS_REGION: "us-east-1" },
        },
        ...{ interactive: false, dryRun: false, resume: { session: stolen.session, startedAt: now, fetches: 1, limitAt: now + 600_000 } },
      });
      const { promise, resolve } = Promise.withResolvers<unknown>();
      lease.onMessage((message) => (message.type === "failed" || message.type === "ready" ? resolve(message) : undefined));
      try {
        return await promise;
      } finally {
        lease.close();
      }
    };
    const assumed = world.cloud.calls("sts:AssumeRole");
    const refusal = { type: "failed", error: { code: "session-not-found", message: expect.stringContaining("cannot come back") } };
    expect(await askForIt()).toMatchObject(refusal);
    await world.run(["daemon", "stop"]);
    await world.run(["daemon", "start"]);
    expect(await askForIt()).toMatchObject(refusal);
    expect(world.cloud.calls("sts:AssumeRole")).toBe(assumed);
  }, 90_000);

  const killLauncherAndDaemon = async ({ session }: Keys): Promise<void> => {
    const daemon = (await world.daemonPid()) ?? 0;
    const [first = ""] = readFileSync(join(world.own, "state", "audit", `${session}.ndjson`), "utf8").split("\n");
    for (const pid of [daemon, Number(JSON.parse(first).data.launcher.pid)]) process.kill(pid, "SIGKILL");
  };

  it.each(["by its daemon", "when launcher and daemon are dead"])(
    "of -p and --role takes that profile's base, %s",
    async (by) => {
      const { accessKeyId, secretAccessKey } = world.cloud.admin;
      const keys = `[dev]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
      mkdirSync(join(world.home, ".aws"), { recursive: true });
      writeFileSync(join(world.home, ".aws", "credentials"), keys);
      configure('[profiles.readonly]\nrole = "next"\naws_profile = "dev"\nisolation.level = "none"');
      const stolen = await thief(["-p", "readonly", "--role", world.cloud.roleArn()]);
      if (by !== "by its daemon") await killLauncherAndDaemon(stolen);
      // The usual profile has no base now.
      const env = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
      const { stdout, stderr, code } = await world.run(["kill", stolen.session], { env, limitMs: 60_000 });
      expect(code, stderr).toBe(0);
      expect(stdout).toContain("deny in place after");
      expect(await call(stolen)).toMatch(DENIED);
    },
    90_000,
  );

  it("of a session whose launcher and daemon are dead denies it on the role that its audit names", async () => {
    const stolen = await thief();
    await killLauncherAndDaemon(stolen);
    const { stdout, code } = await world.run(["kill", stolen.session], { limitMs: 60_000 });
    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(/does not run here\n {2}deny in place after/);
    expect(await call(stolen)).toMatch(DENIED);
  }, 90_000);

  it("asks in a terminal before it denies a whole role that is full", async () => {
    const stolen = await thief();
    await leaveRoom(100);
    await using human = await sitDown(world.env, world.project, { cols: 200, rows: 24 });
    human.type(`${process.execPath} ${BIN} kill ${stolen.session}; echo answered\r`);
    const asked = async (): Promise<boolean> => (await human.screen()).join("\n").includes("that began until now?");
    await until(asked, 60_000, "the question");
    human.type("n\r");
    await until(async () => (await human.screen()).includes("answered"), 30_000, "the report");
    expect((await human.screen()).join("\n")).toContain("has no room for a deny");
    expect((await policyNames()).filter((name) => name.startsWith("agent-run-revoke-"))).toEqual([]);
    expect(await call(stolen)).toBe("allowed");
  }, 120_000);

  it("is remembered: no later daemon takes the session back, even when its audit is gone", async () => {
    const stolen = await thief();
    await kill([stolen.session]);
    await world.run(["daemon", "stop"]);
    rmSync(join(world.own, "state", "audit"), { recursive: true });
    const stone = () => JSON.parse(readFileSync(join(world.own, "state", "killed", `${stolen.session}.json`), "utf8"));
    expect(stone()).toMatchObject({ session: stolen.session, roles: [world.cloud.roleArn()] });
    for (const secret of world.cloud.issuedSecrets()) expect(JSON.stringify(stone())).not.toContain(secret);
    // Denied on another role too, it is to be taken away from both.
    await kill([stolen.session, "--role", world.cloud.roleArn("next")]);
    expect(stone()).toMatchObject({ session: stolen.session, roles: [world.cloud.roleArn(), world.cloud.roleArn("next")] });
  }, 60_000);
});

describe("the profile's revoke", () => {
  it('"never" leaves IAM alone, and the report says until when the keys live', async () => {
    configure('revoke = "never"');
    const stolen = await thief();
    const { stdout } = await world.run(["kill", stolen.session], { limitMs: 30_000 });
    expect(stdout).toMatch(/keys it fetched stay valid until/);
    expect(world.cloud.calls("iam:PutRolePolicy")).toBe(0);
  }, 30_000);

  it('"always" denies at every end, but not what fetched no keys', async () => {
    configure('revoke = "always"');
    const { code, stderr } = await world.run(["node", join(FIXTURES, "prints-identity.mjs")]);
    expect(code, stderr).toBe(0);
    expect((await policyNames()).filter((name) => name.startsWith("agent-run-revoke-sess_"))).toHaveLength(1);
    await world.run(["true"]);
    expect(world.cloud.calls("iam:PutRolePolicy")).toBe(1);
  }, 90_000);

  it('"always" is waited for at a normal end, however long the write takes, and the last line tells it', async () => {
    configure('revoke = "always"');
    await using human = await sitDown(world.env, world.project, { cols: 200, rows: 24 });
    world.cloud.switches.fault({ operation: "iam:PutRolePolicy", latencyMs: 3500 });
    human.type(`${process.execPath} ${BIN} node ${join(FIXTURES, "prints-identity.mjs")}\r`);
    const last = async (): Promise<string> => (await human.screen()).filter((row) => row.includes("sess_")).at(-1) ?? "";
    await until(async () => (await last()).includes(" exited,"), 40_000, "the last line");
    expect(await last()).toMatch(/exited, .* 1 credential fetch, keys denied at AWS, confirmed after \d+\.?\d* s$/);
    expect(human.raw()).not.toContain("did not confirm");
    expect((await policyNames()).filter((name) => name.startsWith("agent-run-revoke-sess_"))).toHaveLength(1);
  }, 60_000);

  it('"always" looks for a moment whether the deny holds, and else says what would have shown it', async () => {
    configure('revoke = "always"');
    world.cloud.switches.apply({ propagationSeconds: 120 });
    await using human = await sitDown(world.env, world.project, { cols: 240, rows: 24 });
    human.type(`${process.execPath} ${BIN} node ${join(FIXTURES, "prints-identity.mjs")}\r`);
    const last = async (): Promise<string> => (await human.screen()).filter((row) => row.includes("sess_")).at(-1) ?? "";
    await until(async () => (await last()).includes(" exited,"), 40_000, "the last line");
    expect(await last()).toMatch(
      /keys denied at AWS, not confirmed \(\w+:\w+: the call still succeeds\): it may take seconds to hold, and only a kill waits for that$/,
    );
    // Nothing to be warned of in a script.
    const { code, stderr } = await world.run(["node", join(FIXTURES, "prints-identity.mjs")]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  }, 60_000);

  it('"kill" does not deny what ended by itself', async () => {
    await world.run(["node", join(FIXTURES, "prints-identity.mjs")]);
    expect(world.cloud.calls("iam:PutRolePolicy")).toBe(0);
  }, 30_000);
});
