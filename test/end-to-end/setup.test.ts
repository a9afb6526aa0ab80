// `agent-run setup` from an empty account to a session of the new role, on the local cloud and on moto; interrupted, repeated, as a template, removed.
import { execFile, execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  AttachRolePolicyCommand,
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stsClient } from "../../src/aws/client.ts";
import { mfaSession } from "../../src/aws/session-token.ts";
import { applySteps } from "../../src/aws/setup/apply.ts";
import { findRole } from "../../src/aws/setup/found.ts";
import type { Step } from "../../src/aws/setup/steps.ts";
import { Secret } from "../../src/core/secret.ts";
import { trusts } from "../../src/localcloud/seed.ts";
import { sitDown } from "./human.ts";
import { BIN, FIXTURES, has, makeWorld, ROOT, until, type World } from "./world.ts";

const ACCOUNT = "123456789012";
const ROLE = `arn:aws:iam::${ACCOUNT}:role/agent-readonly`;
const VENV = join(ROOT, ".venv", "bin");
const WHO = ["node", join(FIXTURES, "prints-identity.mjs")];
const works = (program: string, ...args: string[]): boolean => spawnSync(program, args, { stdio: "ignore" }).status === 0;
const aws = works("/usr/bin/aws", "--version") ? "/usr/bin/aws" : undefined;

let world: World;
const config = (): string => readFileSync(join(world.own, "config", "config.toml"), "utf8");
const iam = (): IAMClient =>
  new IAMClient({
    endpoint: world.env["AWS_ENDPOINT_URL"] ?? "",
    region: "us-east-1",
    credentials: { accessKeyId: world.env["AWS_ACCESS_KEY_ID"] ?? "", secretAccessKey: world.env["AWS_SECRET_ACCESS_KEY"] ?? "" },
  });

beforeEach(async () => {
  world = await makeWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

async function setUp(...more: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return world.run(["setup", "readonly", "--yes", ...more]);
}

describe("agent-run setup on an account without the role", () => {
  it("makes it, names it in config.toml, and the profile runs", async () => {
    const made = await setUp();
    expect(made).toMatchObject({ code: 0 });
    expect(made.stderr).toContain("ready: agent-run -p readonly");
    expect(config()).toContain(`[profiles.readonly]\nrole = "${ROLE}"\nexternal_id = "agent-run-`);
    const run = await world.run(["-p", "readonly", "--isolation", "none", ...WHO]);
    expect(run.stdout).toContain(`arn:aws:sts::${ACCOUNT}:assumed-role/agent-readonly/sess_`);
    expect(run.code).toBe(0);
  });

  it("gives the role what the profile says: boundary, permissions, tags, limit, trust for exactly this principal with the external id", async () => {
    await setUp("--external-id", "mine-4711");
    const role = await findRole(iam(), "agent-readonly");
    expect(role).toMatchObject({
      boundaryArn: `arn:aws:iam::${ACCOUNT}:policy/agent-readonly-boundary`,
      attached: [`arn:aws:iam::${ACCOUNT}:policy/agent-readonly`],
      inline: [],
      maxSessionSeconds: 43_200,
      tags: { Purpose: "ai-agent", "managed-by": "agent-run", "agent-run-profile": "readonly" },
    });
    expect(JSON.parse(role?.trust ?? "").Statement[0]).toMatchObject({
      Principal: { AWS: `arn:aws:iam::${ACCOUNT}:user/dev` },
      Condition: { StringEquals: { "sts:ExternalId": "mine-4711" } },
    });
  });

  it("names its steps once more before it asks, below the policies that fill the screen, and a no changes nothing", async () => {
    await using human = await sitDown(world.env, world.project, { cols: 200, rows: 24 });
    const seen = async (sought: RegExp): Promise<void> =>
      until(async () => sought.test((await human.screen()).join("\n")), 10_000, `${sought} on the screen`);
    human.type(`'${BIN}' setup readonly\r`);
    await seen(/create policy agent-readonly; create role agent-readonly; .*\nagent-run: apply these 4 steps\? \[y\/N\]/);
    human.type("n\r");
    await until(async () => (await human.prompt())?.status === 1, 10_000, "the command to end with 1");
    expect(await findRole(iam(), "agent-readonly")).toBeUndefined();
  });

  it("changes nothing without a word of agreement, and says how to give it", async () => {
    const refused = await world.run(["setup", "readonly"]);
    expect(refused.code).toBe(2);
    expect(refused.stdout).toContain("create role agent-readonly");
    expect(refused.stderr).toContain("--yes");
    expect(await findRole(iam(), "agent-readonly")).toBeUndefined();
    expect(config()).not.toContain("profiles.readonly");
  });

  it("goes on where it was interrupted, at each of its steps", async () => {
    for (const operation of ["CreatePolicy", "CreateRole", "AttachRolePolicy"]) {
      world.cloud.switches.apply({ faults: [{ operation: `iam:${operation}`, error: { code: "AccessDenied", status: 403 } }] });
      const stopped = await setUp();
      expect(stopped.code).toBe(125);
      expect(stopped.stderr).toContain(`iam:${operation} is not allowed`);
      expect(config()).not.toContain("profiles.readonly");
    }
    world.cloud.switches.apply({ faults: [] });
    expect((await setUp()).stdout).toContain("attach policy agent-readonly");
    expect((await world.run(["-p", "readonly", "--isolation", "none", ...WHO])).code).toBe(0);
  });
});

describe("agent-run setup that was cut off", () => {
  it("after any number of its steps goes on with the rest", async () => {
    const whole = ["setup", "readonly", "--external-id", "same"];
    const { steps } = JSON.parse((await world.run([...whole, "--output", "json"])).stdout) as { steps: Step[] };
    expect(steps).toHaveLength(4);
    for (const done of steps.keys()) {
      const apply = (some: readonly Step[]) =>
        applySteps(
          iam(),
          some,
          () => {},
          async () => {},
        );
      await apply(steps.slice(0, done));
      const rest = JSON.parse((await world.run([...whole, "--output", "json"])).stdout) as { steps: Step[] };
      expect(rest.steps.map(({ summary }) => summary)).toEqual(steps.slice(done).map(({ summary }) => summary));
      expect((await world.run([...whole, "--yes"])).code).toBe(0);
      expect((await world.run([...whole, "--output", "plan"])).stdout).toContain("nothing to change");
      expect((await setUp("--remove")).code).toBe(0);
    }
  });

  it("by SIGKILL in the middle of a call leaves config.toml as it was, and the next run completes", async () => {
    const before = config();
    world.cloud.switches.apply({ faults: [{ operation: "iam:CreateRole", end: "hang" }] });
    const cut = world.start(["setup", "readonly", "--yes"]);
    let said = "";
    cut.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    await until(() => said.includes("create policy agent-readonly\n"), 20_000, "the step before");
    cut.kill("SIGKILL");
    world.cloud.switches.apply({ faults: [] });
    expect(config()).toBe(before);
    expect((await setUp()).stderr).toContain("ready: agent-run -p readonly");
  });
});

describe("agent-run setup on an account with the role", () => {
  it("changes nothing when it is run again", async () => {
    await setUp();
    const before = config();
    const again = await setUp();
    expect(again.stdout.trim()).toBe("nothing to change: the role is as the profile wants it");
    expect(again.code).toBe(0);
    expect(config()).toBe(before);
  });

  it("shows what differs as a diff, mends it, and leaves alone what others added, with a warning", async () => {
    await setUp();
    const client = iam();
    const PolicyArn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    await client.send(new AttachRolePolicyCommand({ RoleName: "agent-readonly", PolicyArn }));
    const open = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] };
    await client.send(new PutRolePolicyCommand({ RoleName: "agent-readonly", PolicyName: "open", PolicyDocument: JSON.stringify(open) }));
    const mended = await setUp("--external-id", "another-one");
    expect(mended.stdout).toMatch(/change who may assume role agent-readonly\n.*- .*agent-run-.*\+ .*another-one/s);
    expect(mended.stderr).toContain(`also attached to role agent-readonly, and left there: ${PolicyArn}`);
    expect(mended.stderr).toContain("inline policy open");
    expect((await findRole(client, "agent-readonly"))?.trust).toContain("another-one");
    // The human's own table is shown what it should say, never rewritten.
    expect(mended.stderr).toContain("says something else of profile readonly");
    expect(mended.stdout).toContain('external_id = "another-one"');
  });

  it("does not touch a role of that name that it did not make, unless told to", async () => {
    const AssumeRolePolicyDocument = JSON.stringify(trusts(`arn:aws:iam::${ACCOUNT}:user/dev`));
    await iam().send(new CreateRoleCommand({ RoleName: "agent-readonly", AssumeRolePolicyDocument }));
    const refused = await setUp();
    expect(refused.code).toBe(125);
    expect(refused.stderr).toContain("was not made by agent-run setup");
    expect(refused.stderr).toContain("--adopt");
    expect((await setUp("--adopt")).code).toBe(0);
    expect((await findRole(iam(), "agent-readonly"))?.boundaryArn).toContain("agent-readonly-boundary");
  });

  it("does not take a role with a path for one without, whose name is the same", async () => {
    writeFileSync(
      join(world.own, "config", "config.toml"),
      `[profiles.readonly]\nrole = "arn:aws:iam::${ACCOUNT}:role/team/agent-readonly"\n`,
    );
    const refused = await setUp();
    expect(refused.code).toBe(125);
    expect(refused.stderr).toContain("setup makes roles without a path");
    expect(refused.stderr).toContain("--role-name agent-readonly");
    expect(await findRole(iam(), "agent-readonly")).toBeUndefined();
  });

  it("makes a sixth version of a policy by deleting the oldest", async () => {
    for (const round of [1, 2, 3, 4, 5, 6]) {
      const policy = {
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: `arn:aws:s3:::b${round}/*` }],
      };
      await writeProfile("turns", JSON.stringify(policy));
      expect((await world.run(["setup", "turns", "--yes"])).code).toBe(0);
    }
    expect((await world.run(["setup", "turns", "--output", "plan"])).stdout).toContain("nothing to change");
  });

  it("gives a placeholder's value to the role and, in config.toml, to the session", async () => {
    const secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mine-??????";
    expect((await world.run(["setup", "zero", "--yes", "--set", `SECRETS=${secret}`])).stderr).toContain("ready:");
    expect(config()).toContain(`values.SECRETS = "${secret}"`);
    const { stdout } = await world.run(["profiles", "show", "zero"]);
    expect(stdout).toContain(secret);
    expect(stdout).not.toContain("agent/elevated");
    expect((await world.run(["setup", "zero", "--yes"])).stdout).toContain("nothing to change");
  });

  it.each([
    [["readonly", "--external-id", "with a blank"], "--external-id: 'with a blank' must be 2 to 1224"],
    [["readonly", "--region", "Frankfurt"], "--region: 'Frankfurt' must be a region"],
    [["readonly", "--set", "PRINCIPAL_ARN=*"], "PRINCIPAL_ARN is filled in by setup itself"],
    [["readonly", "--remove", "--output", "terraform"], "has no --remove"],
    [["readonly", "--guardrail", "alerts"], "goes without readonly"],
  ])("refuses %j before anything is changed", async (args, message) => {
    const refused = await world.run(["setup", "--yes", ...args]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(message);
    expect(await findRole(iam(), "agent-readonly")).toBeUndefined();
  });

  it("is not misled about the account, nor the terminal, by what is there", async () => {
    const file = join(world.own, "config", "config.toml");
    const before = config();
    writeFileSync(file, `${before}\n[profiles.readonly]\nrole = "arn:aws:iam::999999999999:role/agent-readonly"\n`);
    expect(await setUp()).toMatchObject({ code: 125, stderr: expect.stringContaining("999999999999") });
    writeFileSync(file, before);
    const trust = { ...JSON.parse(JSON.stringify(trusts(`arn:aws:iam::${ACCOUNT}:user/dev`))), Id: "red \u009b31m" };
    await iam().send(new CreateRoleCommand({ RoleName: "agent-readonly", AssumeRolePolicyDocument: JSON.stringify(trust) }));
    const shown = await setUp("--adopt");
    expect(shown.stdout).toContain("red \ufffd31m");
    expect(shown.stdout).not.toContain("\u009b");
  });

  it("removes all that it made, and nothing that it did not make", async () => {
    await setUp();
    expect((await setUp("--remove")).code).toBe(0);
    expect(await findRole(iam(), "agent-readonly")).toBeUndefined();
    expect((await setUp("--remove")).code).toBe(0);
    expect((await world.run(["setup", "readonly", "--role-name", "agent-demo", "--remove", "--yes"])).stderr).toContain("was not made by");
    expect(await findRole(iam(), "agent-demo")).toBeDefined();
  });
});

describe("every shipped profile", () => {
  const shipped = readdirSync(join(ROOT, "profiles"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== "demo")
    .map(({ name }) => name);

  it.each(shipped)("%s is set up from nothing, and a session of it is who it should be", async (name) => {
    const file = join(world.own, "config", "config.toml");
    writeFileSync(file, name.startsWith("staging") ? `[stages]\nstaging = ["${ACCOUNT}"]\n` : "");
    expect((await world.run(["setup", name, "--yes"])).stderr).toContain(`ready: agent-run -p ${name} <agent>`);
    const run = await world.run(["-p", name, "--isolation", "none", ...WHO]);
    expect(run.stdout).toContain(`assumed-role/agent-${name}/sess_`);
  });

  it("that wants MFA gets a role that is assumed with a code, and not without", async () => {
    const file = join(world.own, "config", "config.toml");
    writeFileSync(file, `[profiles.zero]\nmfa_serial = "arn:aws:iam::${ACCOUNT}:mfa/dev"\nconditions.mfa = true\n`);
    const made = await world.run(["setup", "zero", "--yes", "--external-id", "with-mfa"]);
    expect(made.stderr).toContain("says something else of profile zero");
    expect((await findRole(iam(), "agent-zero"))?.trust).toContain("aws:MultiFactorAuthPresent");
    writeFileSync(file, `[profiles.zero]\nrole = "agent-zero"\nexternal_id = "with-mfa"\n`);
    const without = await world.run(["-p", "zero", "--isolation", "none", "true"]);
    expect(without.code).toBe(125);
    expect(without.stderr).toContain("AssumeRole");
    const sts = (credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }): STSClient =>
      new STSClient({ endpoint: world.cloud.url, region: "us-east-1", credentials });
    const base = { accessKeyId: world.env["AWS_ACCESS_KEY_ID"] ?? "", secretAccessKey: world.env["AWS_SECRET_ACCESS_KEY"] ?? "" };
    const keys = { ...base, secretAccessKey: new Secret(base.secretAccessKey), sessionToken: undefined, expiresAt: undefined };
    const client = await stsClient({ region: "us-east-1", endpointUrl: world.cloud.url }, keys);
    const mfa = await mfaSession(client, `arn:aws:iam::${ACCOUNT}:mfa/dev`, "123456");
    const session = sts({
      accessKeyId: mfa.accessKeyId,
      secretAccessKey: mfa.secretAccessKey.reveal(),
      sessionToken: mfa.sessionToken.reveal(),
    });
    const wish = { RoleArn: `arn:aws:iam::${ACCOUNT}:role/agent-zero`, RoleSessionName: "me", ExternalId: "with-mfa" };
    expect((await session.send(new AssumeRoleCommand(wish))).AssumedRoleUser?.Arn).toContain("assumed-role/agent-zero/me");
    await expect(sts(base).send(new AssumeRoleCommand(wish))).rejects.toThrow(/not authorized/);
  });

  it.skipIf(aws === undefined)(
    "finds the boundary that security asks for where its documentation says how to make it (needs awscli)",
    async () => {
      const readme = readFileSync(join(ROOT, "profiles", "README.md"), "utf8");
      const command = /^aws iam create-policy --policy-name agent-created-boundary .*$/m.exec(readme)?.[0] ?? "";
      const there = await world.run(["profiles", "path", "readonly"]);
      const filled = command.replace("aws iam", `${aws} --endpoint-url ${world.cloud.url} iam`);
      const script = filled.replace("$(agent-run profiles path readonly)", there.stdout.trim());
      const { stdout } = await promisify(execFile)("bash", ["-c", script], { env: { ...world.env, AWS_DEFAULT_REGION: "us-east-1" } });
      expect(stdout).toContain(`arn:aws:iam::${ACCOUNT}:policy/agent-created-boundary`);
    },
  );

  it("of a stage is not set up in an account of another", async () => {
    const refused = await world.run(["setup", "staging-readonly", "--yes"]);
    expect(refused.code).toBe(125);
    expect(refused.stderr).toContain("is none of stage 'staging'");
    expect(await findRole(iam(), "agent-staging-readonly")).toBeUndefined();
  });
});

async function writeProfile(name: string, rolePolicy: string): Promise<void> {
  const folder = join(world.own, "config", "profiles", name);
  cpSync(join(ROOT, "profiles", "readonly"), folder, { recursive: true });
  writeFileSync(join(folder, "role-policy.json"), rolePolicy);
}

describe("agent-run setup --output", () => {
  it("changes nothing", async () => {
    for (const kind of ["plan", "cloudformation", "terraform", "cli", "json"]) {
      const { code, stdout, stderr } = await world.run(["setup", "readonly", "--output", kind]);
      expect(code).toBe(0);
      const externalId = /external_id = "([^"]+)"/.exec(stderr)?.[1] ?? "nothing said";
      expect(stdout, kind).toContain(externalId);
    }
    expect(await findRole(iam(), "agent-readonly")).toBeUndefined();
  });

  it.skipIf(aws === undefined)(
    "cli: the script makes the same role as apply does (needs awscli)",
    async () => {
      await setUp("--external-id", "same");
      const applied = await findRole(iam(), "agent-readonly");
      await setUp("--remove");
      const script = await world.run(["setup", "readonly", "--external-id", "same", "--output", "cli"]);
      const body = script.stdout.replaceAll("aws iam", `${aws} --endpoint-url ${world.cloud.url} iam`);
      await promisify(execFile)("bash", ["-c", body], { env: { ...world.env, AWS_DEFAULT_REGION: "us-east-1" } });
      expect(await findRole(iam(), "agent-readonly")).toEqual(applied);
      expect((await world.run(["setup", "readonly", "--output", "plan", "--external-id", "same"])).stdout).toContain("nothing to change");
      // A dozen starts of the AWS CLI.
    },
    120_000,
  );

  const lint = join(VENV, "cfn-lint");
  it.skipIf(!works(lint, "--version"))("cloudformation: passes cfn-lint (needs .venv: pip install cfn-lint)", async () => {
    const { stdout } = await world.run(["setup", "readonly", "--output", "cloudformation"]);
    const file = join(world.home, "template.json");
    writeFileSync(file, stdout);
    const linted = spawnSync(lint, ["--non-zero-exit-code", "warning", file], { encoding: "utf8" });
    expect(linted.stdout).toBe("");
    expect(linted.status).toBe(0);
  });

  const python = join(VENV, "python");
  it.skipIf(!works(python, "-c", "import hcl2"))(
    "terraform: is HCL with the very policies (needs .venv: pip install python-hcl2)",
    async () => {
      const { stdout } = await world.run(["setup", "readonly", "--output", "terraform"]);
      const read = "import hcl2,json,sys; print(json.dumps(hcl2.loads(sys.stdin.read())))";
      const parsed = execFileSync(python, ["-c", read], { input: stdout, encoding: "utf8" });
      expect(parsed).toContain("aws_iam_role_policy_attachment");
      // As `terraform fmt` writes it: the signs of a block's neighbours stand below one another.
      for (const [block] of stdout.matchAll(/^ {2}tags = \{\n.*?^ {2}\}$/gms))
        expect(
          new Set(
            block
              .split("\n")
              .slice(1, -1)
              .map((line) => line.indexOf(" = ")),
          ),
          block,
        ).toHaveProperty("size", 1);
      const heredocs = [...stdout.matchAll(/<<-POLICY\n(.*?)\n {2}POLICY/gs)].map((match) => JSON.parse(match[1] ?? ""));
      const boundary = JSON.parse(readFileSync(join(ROOT, "profiles", "readonly", "boundary.json"), "utf8"));
      expect(heredocs).toHaveLength(3);
      expect(heredocs[0]).toEqual(boundary);
    },
  );
});

const moto = join(VENV, "moto_server");
describe.skipIf(!existsSync(moto) || !has(join(VENV, "python")))(
  "agent-run setup on moto (needs .venv: pip install 'moto[server]')",
  () => {
    it("makes the role from nothing, the profile runs, and a second time nothing changes", async () => {
      const server = spawn(moto, ["-H", "127.0.0.1", "-p", "0"], { stdio: ["ignore", "ignore", "pipe"] });
      try {
        let said = "";
        server.stderr?.setEncoding("utf8").on("data", (text: string) => {
          said += text;
        });
        await until(() => /Running on http:\S+/.test(said), 60_000, "moto to listen");
        const url = /Running on (http:\S+)/.exec(said)?.[1] ?? "";
        const anybody = new IAMClient({ endpoint: url, region: "us-east-1", credentials: { accessKeyId: "any", secretAccessKey: "any" } });
        await anybody.send(new CreateUserCommand({ UserName: "dev" }));
        const { AccessKey } = await anybody.send(new CreateAccessKeyCommand({ UserName: "dev" }));
        Object.assign(world.env, {
          AWS_ENDPOINT_URL: url,
          AWS_ACCESS_KEY_ID: AccessKey?.AccessKeyId,
          AWS_SECRET_ACCESS_KEY: AccessKey?.SecretAccessKey,
        });
        const made = await setUp();
        expect(made.stderr).toContain("ready:");
        expect((await setUp()).stdout).toContain("nothing to change");
        const run = await world.run(["-p", "readonly", "--isolation", "none", ...WHO]);
        expect(run.stdout).toContain("assumed-role/agent-readonly/sess_");
        expect((await setUp("--remove")).code).toBe(0);
        expect(await findRole(iam(), "agent-readonly")).toBeUndefined();
      } finally {
        server.kill("SIGKILL");
      }
    });
  },
);
