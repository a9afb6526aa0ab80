// What goes wrong before a launch: each is one error and one hint, the right exit status, nothing launched, nothing left behind.
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { GetSessionTokenCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { allProcesses } from "../../src/core/process-tree.ts";
import { DEMO_ACCOUNT, demoSeed, type Seed, type SeedRole, trusts } from "../../src/localcloud/seed.ts";
import { folderOfOrdinaryUser, noOrdinaryUser, runAsOrdinaryUser } from "../control/ordinary-user.ts";
import { BIN, makeWorld, type Result, type RunOptions, until, type World } from "./world.ts";

const DEV = `arn:aws:iam::${DEMO_ACCOUNT}:user/dev`;
const arn = (role: string): string => `arn:aws:iam::${DEMO_ACCOUNT}:role/${role}`;

function trusting(name: string, ...statements: { Action: readonly string[]; Condition?: object }[]): SeedRole {
  const Statement = statements.map((statement) => ({ Effect: "Allow", Principal: { AWS: DEV }, ...statement }));
  return { name, trust: { Version: "2012-10-17", Statement } };
}

const seed: Seed = {
  ...demoSeed,
  roles: [
    ...demoSeed.roles,
    trusting("no-tags", { Action: ["sts:AssumeRole", "sts:SetSourceIdentity"] }),
    trusting("no-source-identity", { Action: ["sts:AssumeRole", "sts:TagSession"] }),
    trusting(
      "wants-external-id",
      { Action: ["sts:AssumeRole"], Condition: { StringEquals: { "sts:ExternalId": "right-one" } } },
      { Action: ["sts:TagSession", "sts:SetSourceIdentity"] },
    ),
    { name: "trusts-another", trust: trusts(`arn:aws:iam::${DEMO_ACCOUNT}:user/somebody-else`) },
  ],
};

let world: World;
/** The start under a service that never answers takes long: it waits in the background while the others run. */
let hanging: Promise<Result>;
let hangingWorld: World;

beforeAll(async () => {
  world = await makeWorld({ seed });
  mkdirSync(join(world.home, ".aws", "sso", "cache"), { recursive: true });
  writeFileSync(join(world.home, ".aws", "config"), AWS_CONFIG);
  writeFileSync(
    join(world.home, ".aws", "sso", "cache", `${createHash("sha1").update("work").digest("hex")}.json`),
    JSON.stringify({
      accessToken: "stale",
      expiresAt: "2026-01-01T00:00:00Z",
      region: "us-east-1",
      startUrl: "https://acme.awsapps.com/start",
    }),
  );
  hangingWorld = await makeWorld();
  hangingWorld.cloud.switches.fault({ operation: "sts:*", end: "hang" });
  hanging = hangingWorld.run(["touch", "launched"], { limitMs: 60_000 });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  // Its daemon leaves when what it asked STS was given up.
  await hanging;
  await hangingWorld[Symbol.asyncDispose]();
});
afterEach(() => {
  world.cloud.switches.clear();
  configure("");
});

const AWS_CONFIG = `[profile keys]
aws_access_key_id = AKIAAAAAAAAAAAAAAAAA
aws_secret_access_key = ${"A".repeat(40)}

[profile role-of-keys]
role_arn = ${arn("deployer")}
source_profile = keys

[profile own-command]
credential_process = /bin/false

[profile console-login]
login_session = arn:aws:iam::${DEMO_ACCOUNT}:user/dev

[profile region-only]
region = us-east-1

[profile single-sign-on]
sso_session = work
sso_account_id = ${DEMO_ACCOUNT}
sso_role_name = Developer
region = us-east-1

[sso-session work]
sso_start_url = https://acme.awsapps.com/start
sso_region = us-east-1
`;

const configFile = (): string => join(world.own, "config", "config.toml");

/** config.toml: the demo's role without isolation, with these lines for the profile. */
function configure(profile: string): void {
  writeFileSync(
    configFile(),
    `profile = "demo"\n[profiles.demo]\nrole = "${world.cloud.roleArn()}"\nisolation.level = "none"\n${profile}\n`,
  );
}

interface Refusal {
  readonly status?: number;
  readonly error: RegExp;
  readonly hint: RegExp;
}

/** Runs an agent that would leave a file, and holds the refusal to its form. */
async function refused(args: readonly string[], expected: Refusal, options: RunOptions = {}): Promise<void> {
  rmSync(join(world.project, "launched"), { force: true });
  const before = content(join(world.home, ".aws"));
  const result = await world.run([...args, "touch", "launched"], options);
  judge(result, expected);
  expect(existsSync(join(world.project, "launched")), "the agent was launched").toBe(false);
  expect(world.sessionFolders()).toEqual([]);
  expect(JSON.parse((await world.run(["ps", "--json"])).stdout)).toEqual([]);
  expect(content(join(world.home, ".aws"))).toEqual(before);
  expect(withSession(world.home)).toEqual([]);
}

/** One error, one hint, and nothing else. */
function judge({ code, stdout, stderr }: Pick<Result, "code" | "stdout" | "stderr">, { status = 125, error, hint }: Refusal): void {
  expect(stderr).toMatch(/^agent-run: error: [^\n]+\nagent-run: hint: [^\n]+\n$/);
  const [said = "", mend = ""] = stderr.split("\n");
  expect(said).toMatch(error);
  expect(mend).toMatch(hint);
  expect(stderr).not.toMatch(/\n\s+at |undefined|\[object/);
  expect(stdout).toBe("");
  expect(code).toBe(status);
}

/** Every file below a folder with its content. */
function content(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map((entry) => [join(entry.parentPath, entry.name), readFileSync(join(entry.parentPath, entry.name), "latin1")]),
  );
}

function withSession(home: string): number[] {
  return allProcesses().flatMap(({ pid }) => {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, "latin1");
      return environment.includes("AGENT_RUN_SESSION=") && environment.includes(`HOME=${home}\0`) ? [pid] : [];
    } catch {
      return [];
    }
  });
}

const NO_KEYS = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, AWS_EC2_METADATA_DISABLED: "true" };

describe("settings that another user could have written", () => {
  const folder = (): string => join(world.own, "config");
  const open: readonly (readonly [what: string, path: () => string, mode: number])[] = [
    ["the folder", folder, 0o777],
    ["the folder, for a group", folder, 0o770],
    ["config.toml", configFile, 0o666],
    ["the folder of profiles", () => join(folder(), "profiles"), 0o702],
    ["a profile's folder", () => join(folder(), "profiles", "own"), 0o722],
    ["a profile's policy", () => join(folder(), "profiles", "own", "session-policy.json"), 0o662],
  ];
  const make = (): void => {
    mkdirSync(join(folder(), "profiles", "own"), { recursive: true });
    writeFileSync(join(folder(), "profiles", "own", "profile.toml"), 'extends = "demo"\n');
    writeFileSync(join(folder(), "profiles", "own", "session-policy.json"), '{"Version":"2012-10-17","Statement":[]}');
  };

  it.each(open)("are refused, as ssh refuses its own: %s", async (what, path, mode) => {
    make();
    const before = statSync(path()).mode & 0o777;
    // A group that is no user's alone.
    if (what.includes("group") && process.getuid?.() === 0) chownSync(path(), 0, 100);
    chmodSync(path(), mode);
    try {
      const { gid, uid } = statSync(path());
      const isOwnGroup = what.includes("group") && gid === uid;
      const { code, stderr } = await world.run(["-p", "own", "true"]);
      if (!isOwnGroup) {
        expect(stderr).toBe(
          `agent-run: error: other users may write to ${path()} (mode ${mode.toString(8)})\nagent-run: hint: look at what is in it, then chmod go-w ${path()}\n`,
        );
        expect(code).toBe(125);
        expect((await world.run(["doctor", "-p", "own", "--offline"])).stdout).toContain("other users may write to");
      } else expect(stderr).not.toContain("other users");
    } finally {
      if (process.getuid?.() === 0) chownSync(path(), 0, 0);
      chmodSync(path(), before);
      rmSync(join(folder(), "profiles"), { recursive: true });
    }
  });

  it.skipIf(process.getuid?.() !== 0)("are refused where they belong to somebody else (needs root to make them so)", async () => {
    chownSync(configFile(), 65_534, 0);
    const { code, stderr } = await world.run(["true"]);
    chownSync(configFile(), 0, 0);
    expect({ code, stderr }).toEqual({
      code: 125,
      stderr: expect.stringMatching(
        /config\.toml belongs to user 65534, neither to you \(0\) nor to root\nagent-run: hint: .*sudo chown 0 /,
      ),
    });
  });
});

describe("what the human asks for", () => {
  it("names the nearest profile when there is none of that name", () =>
    refused(["-p", "readonyl"], { error: /there is no profile 'readonyl'$/, hint: /did you mean 'readonly'\?$/ }));

  it.each([
    "profiles show nosuch",
    "profiles path nosuch",
    "profiles new mine --from nosuch",
    "setup nosuch",
    "policy test nosuch",
    "env -p nosuch",
    "check -p nosuch --offline",
    "revocations -p nosuch",
  ])("'%s' says that there is no such profile, with 1", async (line) => {
    const { code, stderr } = await world.run(line.split(" "));
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/there is no profile 'nosuch'\nagent-run: hint: /) });
  });

  it.each(["policy lint broken", "policy test broken", "check -p broken --offline"])(
    "'%s' says where the profile is no TOML, with 125, which is no finding and no 'no'",
    async (line) => {
      const folder = join(world.own, "config", "profiles", "broken");
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "profile.toml"), "role = [\n");
      const { code, stdout, stderr } = await world.run(line.split(" "));
      expect({ code, stdout, stderr }).toEqual({
        code: 125,
        stdout: "",
        stderr: expect.stringMatching(/broken\/profile\.toml:2:1: not valid TOML: .*\nagent-run: hint: mend line 2 of /),
      });
    },
  );

  it("help of what is no command names the nearest, with 2", async () => {
    const { code, stdout, stderr } = await world.run(["help", "setpu"]);
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: "",
      stderr: "agent-run: error: there is no command 'setpu'\nagent-run: hint: did you mean 'agent-run help setup'?\n",
    });
  });

  it("names the nearest option when there is none of that name, with 2", () =>
    refused(["--profle", "demo"], { status: 2, error: /--profle/, hint: /--profile/ }));

  it("says which option took the agent's name as its value, with 2", async () => {
    const error = /which agent\?$/;
    judge(await world.run(["--region", "touch"]), {
      status: 2,
      error,
      hint: /--region took 'touch' as its value: agent-run --region <region> touch$/,
    });
    judge(await world.run(["--deny", "s3:PutObject", "-p", "touch"]), { status: 2, error, hint: /--profile <name> touch$/ });
    judge(await world.run(["exec", "-p", "touch"]), {
      status: 2,
      error: /which program\?$/,
      hint: /--profile took 'touch' as its value: agent-run exec --profile <name> touch$/,
    });
    judge(await world.run(["--region", "eu-west-1"]), { status: 2, error, hint: /agent-run claude, or agent-run demo/ });
  });

  it.each([
    ["--ttl", "soon", /--ttl: 'soon' is not a duration/],
    ["--on-expiry", "explode", /--on-expiry: 'explode' is none of refresh, stop, ask/],
    ["--isolation", "total", /--isolation: 'total' is none of/],
    ["--tag", "novalue", /--tag: 'novalue' is not of the form key=value/],
    ["--role", "", /--role needs a value/],
  ])("refuses %s '%s' with 2", (option, value, error) => refused([option, value], { status: 2, error, hint: /./ }));

  it("refuses a role that is none", () =>
    refused(["--role", "arn:aws:s3:::bucket"], { error: /arn:aws:s3:::bucket/, hint: /arn:aws:iam::/ }));

  it("refuses a region that cannot be one", () =>
    refused(["--region", "the-moon"], { error: /'the-moon' is not an aws region/, hint: /--region/ }));

  it("gives 127 for an agent that is not there", async () => {
    judge(await world.run(["clade"]), { status: 127, error: /clade/, hint: /./ });
    judge(await world.run(["./no/such/agent"]), { status: 127, error: /no\/such\/agent/, hint: /./ });
  });

  it("gives 126 for an agent that cannot be executed", async () => {
    writeFileSync(join(world.project, "notes.txt"), "hello", { mode: 0o644 });
    judge(await world.run(["./notes.txt"]), { status: 126, error: /notes\.txt/, hint: /chmod/ });
    mkdirSync(join(world.project, "folder"), { recursive: true });
    judge(await world.run(["./folder"]), { status: 126, error: /folder/, hint: /./ });
  });
});

describe("what the files say", () => {
  it("names line and column of a config.toml that is not TOML", async () => {
    writeFileSync(configFile(), 'profile = "demo"\n\nkill_key = = "ctrl-k"\n');
    await refused([], { error: /config\.toml:3:\d+: not valid TOML/, hint: /line 3 of .*config\.toml$/ });
  });

  it("names line and column of a setting that config.toml cannot have, and the nearest one", async () => {
    configure('deliverey = "env"');
    await refused([], { error: /config\.toml:5:1: unknown setting 'profiles\.demo\.deliverey'$/, hint: /did you mean 'delivery'\?$/ });
  });

  it("names line and column of a value that cannot be", async () => {
    configure('ttl = "eventually"');
    await refused([], { error: /config\.toml:5:1: profiles\.demo\.ttl: 'eventually' is not a duration/, hint: /config\.toml$/ });
  });

  it.each(["ctrl-c", "shift-k", "", "kill"])("refuses '%s' as the kill key, on pipes too", async (key) => {
    writeFileSync(configFile(), `profile = "demo"\nkill_key = "${key}"\n`);
    await refused([], { error: /config\.toml:2:1: kill_key: /, hint: /./ });
  });

  it("names file, line and column of a session policy that is not IAM's", async () => {
    const folder = join(world.own, "config", "profiles", "mine");
    mkdirSync(folder, { recursive: true });
    const policy = join(folder, "session-policy.json");
    writeFileSync(join(folder, "profile.toml"), `role = "${world.cloud.roleArn()}"\n`);
    writeFileSync(policy, '{\n  "Version": "2012-10-17",\n  "Statement": [}\n');
    await refused(["-p", "mine"], { error: /session-policy\.json:3:17: /, hint: /./ });
    writeFileSync(policy, '{\n  "Version": "2012-10-17",\n  "Statement": [{ "Effect": "Permit", "Action": "*", "Resource": "*" }]\n}\n');
    await refused(["-p", "mine"], { error: /session-policy\.json:3:\d+: .*Permit/, hint: /./ });
    rmSync(policy);
    await refused(["-p", "mine"], { error: /cannot read the session policy/, hint: /./ });
  });
});

describe("who the human is", () => {
  it("finds no credentials at all", () =>
    refused(
      [],
      {
        error: /found no aws credentials to start from$/,
        hint: /--aws-profile: keys, role-of-keys, own-command, console-login, single-sign-on$/,
      },
      { env: NO_KEYS },
    ));

  it("finds half a key pair", () =>
    refused(
      [],
      { error: /AWS_SECRET_ACCESS_KEY/, hint: /./ },
      { env: { AWS_SECRET_ACCESS_KEY: undefined, AWS_EC2_METADATA_DISABLED: "true" } },
    ));

  it("finds no such AWS profile", () =>
    refused(
      ["--aws-profile", "single-sing-on"],
      { error: /there is no aws profile 'single-sing-on'/, hint: /single-sign-on/ },
      { env: NO_KEYS },
    ));

  it("finds the SSO login expired", () =>
    refused(
      ["--aws-profile", "single-sign-on"],
      {
        error: /the SSO session of aws profile 'single-sign-on' has expired$/,
        hint: /agent-run login --aws-profile single-sign-on, or aws sso login --profile single-sign-on$/,
      },
      { env: NO_KEYS },
    ));

  it.each([
    [
      "keys",
      /it holds access keys, which need no sign-in: agent-run --aws-profile keys <agent>; for new keys aws configure --profile keys$/,
    ],
    ["role-of-keys", /it starts from aws profile 'keys': agent-run login --aws-profile keys, where that signs in$/],
    ["own-command", /without a sign-in here: agent-run --aws-profile own-command <agent>$/],
    ["console-login", /hint: aws login --profile console-login$/],
    ["region-only", /it needs sso_start_url and sso_region: aws configure sso --profile region-only$/],
  ])("says at login what fits AWS profile %s, which is none of IAM Identity Center", async (profile, hint) => {
    const error = new RegExp(`aws profile '${profile}' does not say where to sign in$`);
    judge(await world.run(["login", "--aws-profile", profile]), { error, hint });
  });

  it("finds the secret wrong", () =>
    refused([], { error: /rejects the signature/, hint: /aws configure/ }, { env: { AWS_SECRET_ACCESS_KEY: "A".repeat(40) } }));

  it("finds the access key unknown", () =>
    refused([], { error: /does not know the base credentials/, hint: /./ }, { env: { AWS_ACCESS_KEY_ID: "AKIAAAAAAAAAAAAAAAAA" } }));

  it("finds the session token expired", async () => {
    world.cloud.switches.apply({ credentialSeconds: 0 });
    const { accessKeyId, secretAccessKey } = world.cloud.admin;
    const client = new STSClient({ endpoint: world.cloud.url, region: world.cloud.region, credentials: { accessKeyId, secretAccessKey } });
    const { Credentials } = await client.send(new GetSessionTokenCommand({}));
    world.cloud.switches.apply({ credentialSeconds: null });
    await until(() => Date.now() > (Credentials?.Expiration?.getTime() ?? Infinity), 2000, "the session token to expire");
    const env = {
      AWS_ACCESS_KEY_ID: Credentials?.AccessKeyId,
      AWS_SECRET_ACCESS_KEY: Credentials?.SecretAccessKey,
      AWS_SESSION_TOKEN: Credentials?.SessionToken,
    };
    const error = /the base credentials have expired$/;
    await refused([], { error, hint: /get new ones by your usual login, .*export new ones, then run this again$/ }, { env });
    const keys = ["access_key_id", "secret_access_key", "session_token"].map((key) => {
      return `aws_${key} = ${env[`AWS_${key.toUpperCase()}` as keyof typeof env]}\n`;
    });
    const role = `[profile role-of-worn-out]\nrole_arn = ${world.cloud.roleArn()}\nsource_profile = worn-out\n`;
    writeFileSync(join(world.home, ".aws", "config"), `${AWS_CONFIG}\n[profile worn-out]\n${keys.join("")}\n${role}`);
    const hint = /get new ones into aws profile 'worn-out' by what wrote these there, or choose another with --aws-profile$/;
    await refused(["--aws-profile", "worn-out"], { error, hint }, { env: NO_KEYS });
    await refused(["--aws-profile", "role-of-worn-out"], { error, hint }, { env: NO_KEYS });
    writeFileSync(join(world.home, ".aws", "config"), AWS_CONFIG);
  });

  it("refuses the account's root user", () => {
    const { accessKeyId, secretAccessKey } = world.cloud.keys("root");
    const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    return refused([], { error: /root user of account 123456789012/, hint: /--aws-profile/ }, { env });
  });

  it("refuses an account that the profile does not allow", async () => {
    configure('accounts = ["999999999999"]');
    await refused([], { error: /of account 123456789012, the profile allows 999999999999$/, hint: /--aws-profile/ });
  });

  it("asks for no MFA code where there is no terminal", async () => {
    configure(`mfa_serial = "arn:aws:iam::${DEMO_ACCOUNT}:mfa/dev"`);
    await refused([], { error: /MFA code, and there is no terminal/, hint: /terminal/ });
  });
});

describe("what the role allows", () => {
  it("says how to get a role where the profile names none", () =>
    refused(["-p", "readonly"], {
      error: /profile 'readonly' names no role to assume$/,
      hint: /^agent-run: hint: agent-run setup readonly makes one; or name yours: --role arn:/,
    }));

  it("cannot assume a role that is not there", () =>
    refused(["--role", arn("no-such-role")], {
      error: /user\/dev may not assume .*role\/no-such-role$/,
      hint: /add to the trust policy.*there may be no such role/,
    }));

  it("cannot assume a role that trusts another", () =>
    refused(["--role", arn("trusts-another")], { error: /may not assume/, hint: new RegExp(`"AWS":"${DEV}"`) }));

  it.each([
    ["no-tags", "sts:TagSession"],
    ["no-source-identity", "sts:SetSourceIdentity"],
  ])("shows the statement that the trust policy of %s lacks: %s", async (role, action) => {
    await refused(["--role", arn(role)], {
      error: new RegExp(`the trust policy of ${arn(role)} does not allow ${action} to ${DEV}$`),
      hint: new RegExp(
        `\\{"Effect":"Allow","Principal":\\{"AWS":"${DEV}"\\},"Action":\\["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"\\]\\}`,
      ),
    });
  });

  it("says that the external id may be wrong, or missing", async () => {
    configure('external_id = "wrong-one"');
    await refused(["--role", arn("wants-external-id")], { error: /may not assume/, hint: /the external id of the profile may be wrong$/ });
    configure("");
    await refused(["--role", arn("wants-external-id")], { error: /may not assume/, hint: /external_id in the profile/ });
    configure('external_id = "right-one"');
    expect(await world.run(["--role", arn("wants-external-id"), "true"])).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("what AWS answers", () => {
  it("cannot reach STS", () =>
    refused(
      [],
      { error: /cannot reach http:\/\/127\.0\.0\.1:1: connection refused$/, hint: /AWS_ENDPOINT_URL/ },
      { env: { AWS_ENDPOINT_URL: "http://127.0.0.1:1" } },
    ));

  it.each(["localhost:4566", "nowhere"])("is to come from an address that is none: %s", (url) =>
    refused(
      [],
      { error: new RegExp(`'${url}' is not the address of an aws endpoint`), hint: /unset AWS_ENDPOINT_URL,/ },
      { env: { AWS_ENDPOINT_URL: url } },
    ),
  );

  it("gets STS's own failure", async () => {
    world.cloud.switches.fault({ operation: "sts:AssumeRole", error: { code: "InternalFailure", status: 500, message: "try later" } });
    await refused([], { error: /answered 500/, hint: /try again/ });
  });

  it("is throttled", async () => {
    world.cloud.switches.fault({ operation: "sts:AssumeRole", error: { code: "Throttling", status: 400, message: "Rate exceeded" } });
    await refused([], { error: /is throttling: 'Rate exceeded'$/, hint: /wait a minute/ });
  });

  it("loses the connection", async () => {
    world.cloud.switches.fault({ operation: "sts:AssumeRole", end: "close" });
    await refused([], { error: /the connection broke/, hint: /network/ });
  });

  it("is denied with a text that is not known", async () => {
    world.cloud.switches.fault({ operation: "sts:AssumeRole", error: { code: "SomethingNew", status: 400, message: "well" } });
    await refused([], { error: /SomethingNew.*'well'$/, hint: /get-caller-identity/ });
  });

  it("finds another at the gate than it must be", async () => {
    world.cloud.switches.fault({ operation: "sts:GetCallerIdentity", error: { code: "AccessDenied", status: 403, message: "no" } });
    await refused([], { error: /GetCallerIdentity/, hint: /./ });
  });

  it.each([
    ["behind", 3_600_000],
    ["ahead of", -3_600_000],
  ])("says it when this machine's clock is an hour %s AWS's", async (_, offset) => {
    await using other = await makeWorld({ clock: { ...systemClock, now: () => systemClock.now() + offset } });
    const result = await other.run(["touch", "launched"]);
    judge(result, { error: /clock/, hint: /clock/ });
    expect(existsSync(join(other.project, "launched"))).toBe(false);
    expect(other.sessionFolders()).toEqual([]);
  });

  it("gives STS up that never answers, and says meanwhile that it waits", async () => {
    const result = await hanging;
    const [waiting = "", ...rest] = result.stderr.split("\n");
    expect(waiting).toMatch(/^agent-run: warning: no answer from aws .* still waiting$/);
    judge({ ...result, stderr: rest.join("\n") }, { error: /no answer in time$/, hint: /network/ });
    expect(existsSync(join(hangingWorld.project, "launched"))).toBe(false);
    expect(hangingWorld.sessionFolders()).toEqual([]);
  }, 60_000);
});

describe.skipIf(noOrdinaryUser !== undefined)(
  `where our own files are${noOrdinaryUser === undefined ? "" : ` (${noOrdinaryUser})`}`,
  () => {
    const folders: string[] = [];
    afterAll(() => {
      for (const folder of folders) {
        for (const name of [".", "run", "state"]) if (existsSync(join(folder, name))) chmodSync(join(folder, name), 0o700);
        rmSync(folder, { recursive: true, force: true });
      }
    });

    const someFolder = (): string => {
      const folder = folderOfOrdinaryUser();
      folders.push(folder);
      return folder;
    };

    /** Makes a folder of the ordinary user's. */
    function make(path: string, mode: number): string {
      mkdirSync(path);
      const { uid, gid } = statSync(join(path, ".."));
      chownSync(path, uid, gid);
      chmodSync(path, mode);
      return path;
    }

    /** A run of the ordinary user's, with what `prepare` gives as AGENT_RUN_HOME, must be refused. */
    async function refusedIn(prepare: (own: string) => string, expected: Refusal): Promise<void> {
      const [home, project] = [someFolder(), someFolder()];
      const launched = join(project, "launched");
      const keys = Object.fromEntries(Object.entries(world.env).filter(([name]) => name.startsWith("AWS_")));
      const env = { ...keys, HOME: home, AGENT_RUN_HOME: prepare(someFolder()) };
      const agent = ["-p", "demo", "--role", world.cloud.roleArn(), "--isolation", "none", "touch", launched];
      const { stdout, stderr, status } = await runAsOrdinaryUser(BIN, agent, env);
      judge({ stdout, stderr, code: status }, expected);
      expect(existsSync(launched)).toBe(false);
      expect(withSession(home)).toEqual([]);
    }

    it("cannot make the runtime folder", () =>
      refusedIn(
        (own) => {
          chmodSync(own, 0o500);
          return own;
        },
        { error: /cannot create the folder .*\/run: /, hint: /AGENT_RUN_HOME/ },
      ));

    it("does not use a runtime folder of another user", () =>
      refusedIn(() => "/", { error: /the folder \/run belongs to user 0, not to you \(\d+\)$/, hint: /AGENT_RUN_HOME/ }));

    it("does not use a runtime folder that others may enter", () =>
      refusedIn(
        (own) => {
          make(join(own, "run"), 0o755);
          return own;
        },
        { error: /the folder .*\/run is open to other users \(mode 755\)$/, hint: /chmod 700 .*\/run$/ },
      ));

    it("does not follow a link to a runtime folder", () =>
      refusedIn(
        (own) => {
          symlinkSync(make(join(own, "elsewhere"), 0o700), join(own, "run"));
          return own;
        },
        { error: /\/run is not a folder$/, hint: /mv / },
      ));

    it("cannot write its state", () =>
      refusedIn(
        (own) => {
          make(join(own, "state"), 0o500);
          return own;
        },
        { error: /cannot write .*\/state\/daemon\.log: /, hint: /chmod 700 / },
      ));

    it("cannot make the folder of its state", () =>
      refusedIn(
        (own) => {
          make(join(own, "run"), 0o700);
          chmodSync(own, 0o500);
          return own;
        },
        { error: /cannot create the folder .*\/state: /, hint: /AGENT_RUN_HOME/ },
      ));

    it("cannot write the audit", () =>
      refusedIn(
        (own) => {
          make(make(join(own, "state"), 0o700).concat("/audit"), 0o500);
          return own;
        },
        { error: /audit/, hint: /./ },
      ));

    it("takes no path for the control socket that the system cannot", () =>
      refusedIn((own) => join(own, "a".repeat(100)), { error: /the path of the control socket is too long/, hint: /shorter/ }));
  },
);
