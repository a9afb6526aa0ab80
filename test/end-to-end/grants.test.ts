// The three ways to a session, and what narrows one, with the real command on the local cloud.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEMO_ACCOUNT, DEMO_ROLE, demoSeed } from "../../src/localcloud/seed.ts";
import { destructiveAllowed } from "../../src/policy/destructive.ts";
import { parsePolicyValue } from "../../src/policy/parse.ts";
import { BIN, FIXTURES, makeWorld, until, type World } from "./world.ts";

const IDENTITY = [process.execPath, join(FIXTURES, "prints-identity.mjs")];
const aws = (...args: string[]): string[] => [process.execPath, BIN, "demo-aws", ...args];
/** What the demo's role may do of the destructive catalogue, by its own documents. */
const DEMO_ROLE_MAY = [
  ...new Set(
    destructiveAllowed(
      { identity: Object.values(demoSeed.roles[0]?.policies ?? {}).map((policy) => parsePolicyValue(policy, "the demo's role")) },
      `arn:aws:sts::${DEMO_ACCOUNT}:assumed-role/${DEMO_ROLE}/s`,
    ).map(({ action }) => action),
  ),
];
let world: World;

beforeAll(async () => {
  world = await makeWorld();
  const plain = 'isolation.level = "none"';
  writeFileSync(
    join(world.own, "config", "config.toml"),
    `
[stages]
production = ["${DEMO_ACCOUNT}"]
staging = ["999999999999"]
[profiles.demo]
role = "${DEMO_ROLE}"
stage = "production"
${plain}
[profiles.readonly]
grant = "federation"
stage = "production"
${plain}
[profiles.handed]
grant = "as-is"
stage = "production"
accepts = ${JSON.stringify(DEMO_ROLE_MAY)}
${plain}
[profiles.unaccepted]
grant = "as-is"
stage = "production"
${plain}
[profiles.staging-readonly]
role = "${DEMO_ROLE}"
[profiles.managed]
role = "${DEMO_ROLE}"
stage = "production"
session_policy_arns = ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
${plain}
[profiles.unstaged]
role = "${DEMO_ROLE}"
`,
  );
  mkdirSync(join(world.own, "config", "profiles", "managed"), { recursive: true });
  for (const name of ["handed", "unaccepted", "unstaged"]) {
    const folder = join(world.own, "config", "profiles", name);
    mkdirSync(folder, { recursive: true });
    const policy = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}';
    writeFileSync(join(folder, "session-policy.json"), policy);
  }
  mkdirSync(join(world.home, ".aws"));
  writeFileSync(
    join(world.home, ".aws", "config"),
    `[profile lent]\nrole_arn = ${world.cloud.roleArn()}\ncredential_source = Environment\nregion = us-east-1\n`,
  );
});
afterAll(() => world[Symbol.asyncDispose]());

describe("grant = federation", () => {
  it("gives the agent a federated session of the user, tagged and bounded by the session policy", async () => {
    const { stdout, stderr, code } = await world.run(["-p", "readonly", ...IDENTITY]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(new RegExp(`arn:aws:sts::${DEMO_ACCOUNT}:federated-user/sess_[0-9a-f]{8}`));
    expect(stderr).toContain("federated: no source identity");
    const wrote = await world.run(["-p", "readonly", ...aws("s3", "rm", "s3://acme-data/reports/q3.txt")]);
    expect(wrote.code).not.toBe(0);
    expect((await world.run(["-p", "readonly", ...aws("s3", "ls")])).stdout).toContain("acme-data");
  });

  it("is refused to a role session, which AWS gives no federation token", async () => {
    const { code, stderr } = await world.run(["-p", "readonly", "--aws-profile", "lent", "true"]);
    expect(code).toBe(125);
    expect(stderr).toContain('grant = "federation" needs an IAM user\'s own keys');
  });
});

describe("grant = as-is", () => {
  it("hands on just the role that the profile names, and says that it is untagged", async () => {
    const { stdout, stderr, code } = await world.run(["-p", "handed", "--role", DEMO_ROLE, "--aws-profile", "lent", ...IDENTITY]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toContain(`assumed-role/${DEMO_ROLE}/`);
    expect(stdout).not.toContain("/sess_");
    expect(stderr).toContain("untagged");
  });

  it("is refused to a role that may destroy, with all that the profile would have to accept", async () => {
    const marker = join(world.project, "launched");
    const { code, stderr } = await world.run(["-p", "unaccepted", "--role", DEMO_ROLE, "--aws-profile", "lent", "touch", marker]);
    expect(code).toBe(125);
    expect(stderr).toMatch(/error: the session could .*, which profile 'unaccepted' does not accept\n/);
    for (const action of DEMO_ROLE_MAY) expect(stderr).toContain(JSON.stringify(action));
    expect(existsSync(marker)).toBe(false);
  });

  it("may run for once when each of those actions is accepted by name, and says so for the whole session", async () => {
    const flags = DEMO_ROLE_MAY.flatMap((action) => ["--accept", action]);
    const lent = ["-p", "unaccepted", "--role", DEMO_ROLE, "--aws-profile", "lent"];
    const { stdout, stderr, code } = await world.run([...lent, ...flags, ...IDENTITY]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toContain(`assumed-role/${DEMO_ROLE}/`);
    expect(stderr).toMatch(/may .*: accepted for this run/);
    const sessions: { session: string }[] = JSON.parse((await world.run(["audit", "--json"])).stdout);
    const audits = await Promise.all(sessions.map(({ session }) => world.run(["audit", session, "--json"])));
    expect(audits.filter((audit) => /may [^"]*: accepted for this run/.test(audit.stdout))).toHaveLength(1);
    const marker = join(world.project, "launched");
    const fewer = await world.run([...lent, ...flags.slice(2), "touch", marker]);
    expect(fewer.stderr).toContain(`--accept ${DEMO_ROLE_MAY[0]}`);
    expect(fewer.code).toBe(125);
    expect(existsSync(marker)).toBe(false);
  });

  it("takes no wildcard and no misspelt action as accepted", async () => {
    for (const [text, hint] of [
      ["*", /name one action/],
      ["ec2:*", /name one action/],
      ["ec2:StopInstance", /did you mean 'ec2:StopInstances'/],
    ] as const) {
      const { code, stderr } = await world.run(["-p", "unaccepted", "--accept", text, "true"]);
      expect(code).toBe(2);
      expect(stderr).toMatch(hint);
    }
  });

  it.each([
    ["another role than the one that the profile names", ["--role", "other", "--aws-profile", "lent"], /is for role other/],
    ["a role that nobody named", ["--aws-profile", "lent"], /does not say which role/],
    ["a user's long-lived keys", ["--role", DEMO_ROLE], /no role session/],
    ["narrowing, which nothing would hold", ["--role", DEMO_ROLE, "--aws-profile", "lent", "--read-only"], /nothing can narrow/],
  ])("refuses %s", async (_what, options, message) => {
    const marker = join(world.project, "launched");
    const { code, stderr } = await world.run(["-p", "handed", ...options, "touch", marker]);
    expect(code).toBe(125);
    expect(stderr).toMatch(message);
    expect(existsSync(marker)).toBe(false);
  });
});

describe("a stage", () => {
  it("keeps an agent of staging out of a production account", async () => {
    const { code, stderr } = await world.run(["-p", "staging-readonly", "true"]);
    expect(code).toBe(125);
    expect(stderr).toContain(`account ${DEMO_ACCOUNT} is of stage 'production', and profile 'staging-readonly' is for 'staging'`);
  });

  it("keeps a profile of no stage out of an account that has one", async () => {
    const { code, stderr } = await world.run(["-p", "unstaged", "true"]);
    expect(code).toBe(125);
    expect(stderr).toContain("profile 'unstaged' of none");
  });
});

describe("narrowing on the command line", () => {
  it("leaves of the profile's rights just what it names", async () => {
    const only = ["--allow", "s3:ListBucket=arn:aws:s3:::acme-website"];
    expect((await world.run(["-p", "demo", ...only, ...aws("s3", "ls", "s3://acme-website")])).stdout).toContain("index.html");
    expect((await world.run(["-p", "demo", ...only, ...aws("s3", "ls", "s3://acme-data")])).code).not.toBe(0);
    expect((await world.run(["-p", "demo", "--deny", "s3:List*", ...aws("s3", "ls", "s3://acme-website")])).code).not.toBe(0);
  });

  it("by an action that AWS does not have starts nothing: such a Deny would deny nothing", async () => {
    const { code, stderr } = await world.run(["-p", "demo", "--deny", "s3:DeletObject", "true"]);
    expect(code).toBe(2);
    expect(stderr).toContain("--deny: no action of aws is called 's3:DeletObject'");
    expect(stderr).toContain("did you mean 's3:DeleteObject'?");
    expect((await world.run(["-p", "demo", "--deny", "s3:NewerThanThis*", "true"])).code).toBe(0);
  });

  it("to what the profile does not allow starts nothing", async () => {
    const { code, stderr } = await world.run(["-p", "demo", "--allow", "s3:PutObject", "true"]);
    expect(code).toBe(125);
    expect(stderr).toMatch(/--allow leaves nothing.*narrowing never widens/);
  });
});

describe("managed session policies", () => {
  it("allow in place of a file, and are narrowed by denials alone", async () => {
    const whole = await world.run(["-p", "managed", ...aws("s3", "ls", "s3://acme-data")]);
    expect(whole.stdout).toContain("reports/q3.txt");
    expect((await world.run(["-p", "managed", ...aws("s3", "rm", "s3://acme-data/reports/q3.txt")])).code).not.toBe(0);
    const only = ["--allow", "s3:ListBucket=arn:aws:s3:::acme-website"];
    expect((await world.run(["-p", "managed", ...only, ...aws("s3", "ls", "s3://acme-website")])).stdout).toContain("index.html");
    expect((await world.run(["-p", "managed", ...only, ...aws("s3", "ls", "s3://acme-data")])).code).not.toBe(0);
  });
});

describe("a repository's .agent-run.toml", () => {
  it("is ignored until it is trusted, narrows then, and is ignored again once it has changed", async () => {
    const repository = join(world.home, "repository");
    mkdirSync(join(repository, "src"), { recursive: true });
    mkdirSync(join(repository, ".git"));
    const file = join(repository, ".agent-run.toml");
    writeFileSync(file, 'narrow.deny = ["s3:ListAllMyBuckets"]\n');
    const list = () => world.run(["-p", "demo", ...aws("s3", "ls")], { cwd: join(repository, "src") });

    const before = await list();
    expect(before.stdout).toContain("acme-data");
    expect(before.stderr).toMatch(/\.agent-run\.toml is not trusted, and is ignored/);

    expect((await world.run(["trust", "--yes"], { cwd: repository })).code).toBe(0);
    const trusted = await list();
    expect(trusted.stdout).not.toContain("acme-data");
    expect(trusted.stderr).not.toContain("ignored");

    writeFileSync(file, 'narrow.deny = ["s3:GetObject"]\n');
    const changed = await list();
    expect(changed.stdout).toContain("acme-data");
    expect(changed.stderr).toMatch(/has changed since you trusted it/);
  });

  it("is told to name an action that AWS does not have, before it is trusted", async () => {
    const repository = join(world.home, "misspelt");
    mkdirSync(join(repository, ".git"), { recursive: true });
    writeFileSync(join(repository, ".agent-run.toml"), 'narrow.deny = ["s3:DeletObject"]\n');
    const { stderr } = await world.run(["trust", "--yes"], { cwd: repository });
    expect(stderr).toMatch(/narrow\.deny: no action of aws is called 's3:DeletObject': did you mean 's3:DeleteObject'\?/);
  });

  it("is asked about with what counts in it on one screen, and listed beside one that is a pipe by now", async () => {
    const [repository, piped] = [join(world.home, "long"), join(world.home, "piped")];
    for (const folder of [repository, piped]) mkdirSync(join(folder, ".git"), { recursive: true });
    writeFileSync(
      join(repository, ".agent-run.toml"),
      `profile = "ops"\n${"# nothing\n".repeat(3000)}narrow.deny = ["${"s3:".padEnd(600, "X")}"${', "s3:No"'.repeat(40)}]\n`,
    );
    const { stdout, stderr } = await world.run(["trust", "--yes"], { cwd: repository });
    expect(stderr.split("\n").map((line) => line.length < 700)).toEqual(Array.from({ length: 8 }, () => true));
    expect(stderr).toContain("36 more are no actions of aws");
    const shown = stdout.trimEnd().split("\n").slice(-3);
    expect(shown).toEqual([
      "in effect:",
      '  profile = "ops"',
      expect.stringMatching(/^ {2}narrow = \{"deny":\["s3:X{227}… \(\d+ characters\)$/),
    ]);
    writeFileSync(join(piped, ".agent-run.toml"), "narrow.read_only = true\n");
    expect((await world.run(["trust", "--yes"], { cwd: piped })).code).toBe(0);
    rmSync(join(piped, ".agent-run.toml"));
    execFileSync("mkfifo", [join(piped, ".agent-run.toml")]);
    const listed = JSON.parse((await world.run(["trust", "--list", "--json"])).stdout) as { file: string; state: string }[];
    expect(Object.fromEntries(listed.map(({ file, state }) => [basename(dirname(file)), state]))).toMatchObject({
      long: "unchanged",
      piped: "changed",
    });
  });

  it("that an agent changed does not come back wider when the daemon dies", async () => {
    const repository = join(world.home, "changing");
    mkdirSync(join(repository, ".git"), { recursive: true });
    const file = join(repository, ".agent-run.toml");
    writeFileSync(file, "narrow.read_only = true\n");
    expect((await world.run(["trust", "--yes"], { cwd: repository })).code).toBe(0);
    const agent = world.start(["-p", "demo", "sh", "-c", "echo started; sleep 60"], { cwd: repository });
    let told = "";
    agent.stderr?.setEncoding("utf8").on("data", (text: string) => (told += text));
    let printed = "";
    agent.stdout?.setEncoding("utf8").on("data", (text: string) => (printed += text));
    const ended = new Promise((resolve) => agent.once("close", resolve));
    await until(() => printed.includes("started"), 20_000, "the agent to start");
    writeFileSync(file, "narrow.read_only = false\n");
    process.kill((await world.daemonPid()) ?? 0, "SIGKILL");
    await ended;
    expect(told).toMatch(/cannot be restored, and is ended: .*the repository's \.agent-run\.toml has changed since/);
    // Each attempt at the next daemon is refused; none of them starts another row of attempts.
    expect(told.match(/restoring the session/g)).toHaveLength(1);
  });
});
