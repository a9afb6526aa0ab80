// The main path against moto, an emulator of AWS that others wrote: what the local cloud takes for granted of AWS's protocols must hold there too.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { CreateAccessKeyCommand, CreateRoleCommand, CreateUserCommand, IAMClient } from "@aws-sdk/client-iam";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readDeny, singleName } from "../../src/aws/revoke/deny.ts";
import { denySession, pruneRole, rolePolicies } from "../../src/aws/revoke/write.ts";
import { systemClock } from "../../src/core/clock.ts";
import { DEMO_ACCOUNT, DEMO_ROLE, trusts } from "../../src/localcloud/seed.ts";
import { sitDown } from "./human.ts";
import { BIN, FIXTURES, has, makeWorld, ROOT, until, type World } from "./world.ts";

const VENV = join(ROOT, ".venv", "bin");
const MOTO = join(VENV, "moto_server");
/** The interpreter may be out of an ordinary user's reach. */
const there = existsSync(MOTO) && has(join(VENV, "python"));
const REGION = "us-east-1";
const SESSION_ARN = new RegExp(`arn:aws:sts::${DEMO_ACCOUNT}:assumed-role/${DEMO_ROLE}/sess_[0-9a-f]{8}`);

describe.skipIf(!there)(
  `the main path on moto${there ? "" : " (needs .venv/bin/moto_server: python3 -m venv .venv && .venv/bin/pip install 'moto[server]' boto3 awscli)"}`,
  () => {
    let moto: ChildProcess;
    let url: string;
    let world: World;
    let base: { accessKeyId: string; secretAccessKey: string };
    const role = `arn:aws:iam::${DEMO_ACCOUNT}:role/${DEMO_ROLE}`;

    const sts = (credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }): STSClient =>
      new STSClient({ endpoint: url, region: REGION, credentials });

    beforeAll(async () => {
      moto = spawn(MOTO, ["-H", "127.0.0.1", "-p", "0"], { stdio: ["ignore", "ignore", "pipe"] });
      let said = "";
      moto.stderr?.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
      await until(() => /Running on http:\S+/.test(said), 30_000, "moto to listen");
      url = /Running on (http:\S+)/.exec(said)?.[1] ?? "";
      const iam = new IAMClient({ endpoint: url, region: REGION, credentials: { accessKeyId: "anybody", secretAccessKey: "at-all" } });
      await iam.send(new CreateUserCommand({ UserName: "dev" }));
      const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "dev" }));
      base = { accessKeyId: AccessKey?.AccessKeyId ?? "", secretAccessKey: AccessKey?.SecretAccessKey ?? "" };
      const AssumeRolePolicyDocument = JSON.stringify(trusts(`arn:aws:iam::${DEMO_ACCOUNT}:user/dev`));
      await iam.send(new CreateRoleCommand({ RoleName: DEMO_ROLE, AssumeRolePolicyDocument }));

      world = await makeWorld();
      Object.assign(world.env, {
        AWS_ENDPOINT_URL: url,
        AWS_ACCESS_KEY_ID: base.accessKeyId,
        AWS_SECRET_ACCESS_KEY: base.secretAccessKey,
      });
      const bin = join(world.home, "bin");
      mkdirSync(bin);
      symlinkSync(BIN, join(bin, "agent-run"));
      world.env["PATH"] = [bin, world.env["PATH"]].join(delimiter);
    }, 60_000);

    afterAll(async () => {
      moto.kill("SIGKILL");
      await world[Symbol.asyncDispose]();
    });

    it("gives the JavaScript SDK in the agent the session, through the endpoint", async () => {
      const { stdout, stderr, code } = await world.run(["node", join(FIXTURES, "prints-identity.mjs")]);
      expect(JSON.parse(stdout || "{}"), stderr).toMatchObject({ Account: DEMO_ACCOUNT, Arn: expect.stringMatching(SESSION_ARN) });
      expect(code).toBe(0);
      expect(world.cloud.calls("sts:AssumeRole"), "calls at the local cloud").toBe(0);
    });

    it.each([["endpoint"], ["process"], ["env"]])("gives boto3 and aws-cli in the agent the session in %s delivery", async (delivery) => {
      const python = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])";
      const aws = `${join(VENV, "aws")} sts get-caller-identity --query Arn --output text`;
      const { stdout, stderr, code } = await world.run([
        "--delivery",
        delivery,
        "sh",
        "-c",
        `${join(VENV, "python")} -c "${python}" && ${aws}`,
      ]);
      const [boto3, cli] = stdout.split("\n");
      expect(boto3, stderr).toMatch(SESSION_ARN);
      expect(cli).toBe(boto3);
      expect(code).toBe(0);
    });

    it("tells the session's credentials from the human's, so that the identity gate says something", async () => {
      const { Credentials } = await sts(base).send(new AssumeRoleCommand({ RoleArn: role, RoleSessionName: "by-hand" }));
      const session = {
        accessKeyId: Credentials?.AccessKeyId ?? "",
        secretAccessKey: Credentials?.SecretAccessKey ?? "",
        sessionToken: Credentials?.SessionToken ?? "",
      };
      const ask = async (client: STSClient): Promise<string | undefined> => (await client.send(new GetCallerIdentityCommand({}))).Arn;
      expect(await ask(sts(base))).toBe(`arn:aws:iam::${DEMO_ACCOUNT}:user/dev`);
      expect(await ask(sts(session))).toBe(`arn:aws:sts::${DEMO_ACCOUNT}:assumed-role/${DEMO_ROLE}/by-hand`);
    });

    it("runs in a terminal, is killed by Ctrl-K, and leaves nothing", async () => {
      writeFileSync(join(world.project, "agent"), "#!/bin/sh\necho $AWS_CONTAINER_CREDENTIALS_FULL_URI > uri\necho it runs\nsleep 1000\n", {
        mode: 0o755,
      });
      await using human = await sitDown(world.env, world.project, { cols: 120, rows: 30 });
      const seen = async (sought: RegExp): Promise<void> =>
        until(async () => sought.test((await human.screen()).join("\n")), 10_000, `${sought} on the screen`);
      await human.run("stty -g > stty-before");
      human.type("agent-run ./agent\r");
      await seen(/✓ you are arn:aws:iam::123456789012:user\/dev/);
      await seen(new RegExp(`✓ the agent will be ${SESSION_ARN.source}`));
      await seen(/^it runs$/m);
      await seen(/ agent {2}agent-demo@123456789012 {2}sess_[0-9a-f]{8} /);
      human.type("\x0b");
      await seen(/End agent\?/);
      await new Promise((resolve) => setTimeout(resolve, 600));
      human.type("\x0b");
      await until(async () => (await human.prompt())?.number === 3, 10_000, "the end of the session");
      expect((await human.prompt())?.status).toBe(137);
      expect(await human.run("stty -g | cmp stty-before -")).toBe(0);
      expect(human.holders()).toEqual([]);
      expect(world.sessionFolders()).toEqual([]);
      expect(JSON.parse((await world.run(["ps", "--json"])).stdout)).toEqual([]);
      const uri = (await world.run(["cat", join(world.project, "uri")])).stdout.trim();
      expect(uri).toMatch(/^http:\/\/127\.0\.0\.1:\d+\//);
      await expect(fetch(uri)).rejects.toThrow();
    });

    it("writes the deny of a killed session in a form that moto takes and gives back", async () => {
      const iam = new IAMClient({ endpoint: url, region: REGION, credentials: base });
      const role = rolePolicies(iam, `arn:aws:iam::${DEMO_ACCOUNT}:role/${DEMO_ROLE}`);
      const until = Date.now() + 3_600_000;
      const entries = Array.from({ length: 3 }, (_, number) => ({ session: `sess_0000000${number}` as const, until }));
      for (const entry of entries) expect(await denySession(role, entry, systemClock)).toBe(singleName(entry.session));
      const denied = (await role.list()).flatMap(({ name, text }) => {
        const deny = readDeny(name, text);
        return deny?.kind === "sessions" ? deny.entries.map(({ session }) => session) : [];
      });
      expect(denied.sort()).toEqual(entries.map(({ session }) => session));
      await role.delete(singleName("sess_00000000"));
      await role.delete(singleName("sess_00000000"));
      expect((await role.list()).map(({ name }) => name)).not.toContain(singleName("sess_00000000"));
      expect(await pruneRole(role, systemClock)).toMatchObject({ removed: [] });
    });

    it("takes every step of a start in a dry run, and starts nothing", async () => {
      const { stderr, code } = await world.run(["--dry-run", "touch", "launched"]);
      expect(stderr.match(/^✓ .*$/gm)?.map((step) => step.replace(/sess_\w+/, "sess_…"))).toEqual([
        "✓ profile demo: endpoint delivery, isolation none",
        `✓ you are arn:aws:iam::${DEMO_ACCOUNT}:user/dev (environment variables)`,
        `✓ assumed ${role}, cut down by the session policy of profile demo`,
        `✓ the agent will be arn:aws:sts::${DEMO_ACCOUNT}:assumed-role/${DEMO_ROLE}/sess_…`,
        "✓ nothing destructive is allowed",
      ]);
      expect(existsSync(join(world.project, "launched"))).toBe(false);
      expect(code).toBe(0);
    });

    describe("where moto differs from AWS", () => {
      it("moto takes a wrong secret access key: nothing here shows that requests are signed rightly", async () => {
        const wrong = { ...base, secretAccessKey: "not-the-secret" };
        expect((await sts(wrong).send(new GetCallerIdentityCommand({}))).Arn).toMatch(/user\/dev$/);
      });

      it("moto calls an access key that nobody has user/moto; AWS answers InvalidClientTokenId", async () => {
        const env = { AWS_ACCESS_KEY_ID: "AKIANOBODYHASTHISKEY" };
        const { stderr } = await world.run(["--dry-run", "true"], { env });
        expect(stderr).toContain(`✓ you are arn:aws:sts::${DEMO_ACCOUNT}:user/moto`);
      });

      it("moto assumes a role that is not there; AWS answers AccessDenied", async () => {
        const { stdout, code } = await world.run(["--role", "no-such-role", "node", join(FIXTURES, "prints-identity.mjs")]);
        expect(stdout).toMatch(/assumed-role\/no-such-role\/sess_/);
        expect(code).toBe(0);
      });
    });
  },
);
