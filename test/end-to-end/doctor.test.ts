// `agent-run doctor`: each fault is put in place for real, and the line that names it must say what mends it.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { UpdateAssumeRolePolicyCommand } from "@aws-sdk/client-iam";
import { afterEach, describe, expect, it } from "vitest";
import { DEMO_ACCOUNT, DEMO_ROLE, demoSeed } from "../../src/localcloud/seed.ts";
import { iam } from "../localcloud/clients.ts";
import { BIN, hasBubblewrap, makeWorld, type World } from "./world.ts";

interface Told {
  readonly areas: readonly {
    readonly area: string;
    readonly checks: readonly { name: string; state: string; text: string; fix?: string }[];
  }[];
  readonly error: number;
}

const prlimit = ["/usr/bin/prlimit", "/bin/prlimit"].find((path) => existsSync(path));

let world: World | undefined;
afterEach(async () => {
  await world?.[Symbol.asyncDispose]();
  world = undefined;
});

async function examine(args: readonly string[] = [], env: Record<string, string | undefined> = {}) {
  world ??= await makeWorld();
  const run = await world.run(["doctor", "--json", ...args], { env });
  const told = JSON.parse(run.stdout) as Told;
  const checks = told.areas.flatMap((area) => area.checks);
  return { code: run.code, told, checks, of: (name: string) => checks.find((check) => check.name === name) };
}

function file(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

describe("agent-run doctor", () => {
  it("finds nothing wrong where nothing is, and changes nothing", async () => {
    world = await makeWorld();
    const { code, of } = await examine();
    expect(code).toBe(0);
    expect((await world.run(["doctor"])).stdout).toMatch(/\n\d+ ok, (1 warning|(0|[2-9]|\d\d) warnings), 0 errors, \d+ not known\n$/);
    for (const name of [
      "node",
      "runtime folder",
      "state folder",
      "daemon",
      "clock",
      "may assume",
      "may tag",
      "identity gate",
      "restriction",
    ])
      expect(of(name)?.state, name).toBe("ok");
    expect(of("may revoke")).toMatchObject({ state: "ok" });
    expect(world.sessionFolders()).toEqual([]);
    expect(await world.daemonPid()).toBeUndefined();
  });

  it("warns of a metadata service that the agent could ask too, but not where its network is its own", async () => {
    const service = createServer((_, response) => response.writeHead(401).end());
    await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
    const env = { AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${(service.address() as AddressInfo).port}` };
    expect((await examine(["--offline"])).of("metadata service")).toBeUndefined();
    expect((await examine(["--offline"], env)).of("metadata service")).toMatchObject({
      state: "warning",
      fix: expect.stringContaining("--isolation strict"),
    });
    const run = await world?.run(["true"], { env });
    service.close();
    expect(run?.stderr).toContain("the machine's metadata service answers the agent too");
  });

  it("names a mend for all that is not well", async () => {
    world = await makeWorld({ config: 'kill_key = "ctrl-q"' });
    file(join(world.home, ".claude", "settings.json"), JSON.stringify({ env: { AWS_PROFILE: "admin" }, sandbox: { enabled: true } }));
    const { checks, code } = await examine(["-p", "readonly"]);
    expect(code).toBe(1);
    for (const check of checks.filter(({ state }) => state !== "ok")) expect(check.fix, check.name).toMatch(/\S/);
  });

  it("looks at the account of the role, as a run does, and at stages also without a role", async () => {
    world = await makeWorld();
    const config = join(world.own, "config", "config.toml");
    writeFileSync(config, '[profiles.readonly]\nrole = "arn:aws:iam::999999999999:role/agent"\naccounts = ["999999999999"]\n');
    expect((await examine(["-p", "readonly"])).of("account")).toMatchObject({ state: "ok", text: expect.stringContaining("999999999999") });
    writeFileSync(config, `[stages]\nproduction = ["${DEMO_ACCOUNT}"]\n[profiles.readonly]\ngrant = "federation"\n`);
    expect((await examine(["-p", "readonly"])).of("account")).toMatchObject({
      state: "error",
      text: expect.stringContaining("'production'"),
    });
  });

  it("says that a launch asks for an MFA code, and for how long it holds then", async () => {
    world = await makeWorld();
    const config = join(world.own, "config", "config.toml");
    const device = `arn:aws:iam::${DEMO_ACCOUNT}:mfa/dev`;
    file(config, `mfa_hold = "90m"\nprofile = "demo"\n[profiles.demo]\nrole = "${world.cloud.roleArn()}"\nmfa_serial = "${device}"\n`);
    const text = `the next launch asks for a code of ${device}, which holds for 1 h 30 min then`;
    expect((await examine()).of("mfa")).toEqual({ name: "mfa", state: "ok", text });
    file(config, `profile = "demo"\n[profiles.demo]\nmfa_hold = "37h"\n`);
    const { fix = "", text: refused } = (await examine(["--offline"])).of("profile") ?? { text: "" };
    expect(refused + fix).toMatch(/mfa_hold.*longer than an mfa session of AWS can be/);
  });

  it("says which profile is meant when there is none of that name, and leaves out what rests on it", async () => {
    const { told, of } = await examine(["-p", "readonyl"]);
    expect(of("profile")).toMatchObject({ state: "error", fix: "did you mean 'readonly'?" });
    expect(told.areas.map(({ area }) => area)).toEqual(["machine"]);
  });

  it.skipIf(!hasBubblewrap)("starts a sandbox to know that one starts (needs bwrap)", async () => {
    expect((await examine(["-p", "readonly", "--offline"])).of("isolation standard")?.state).toBe("ok");
    expect((await examine(["-p", "readonly", "--offline"], { PATH: "/nowhere" })).of("isolation standard")).toMatchObject({
      state: "error",
      text: expect.stringContaining("bubblewrap is not installed"),
    });
  });

  it("says that the agent would have no region", async () => {
    const none = { AWS_REGION: undefined, AWS_DEFAULT_REGION: undefined };
    expect((await examine([], none)).of("region")).toMatchObject({ state: "warning", fix: expect.stringContaining("[profiles.demo]") });
    expect((await examine([])).of("region")).toMatchObject({ state: "ok", text: world?.cloud.region });
    file(join(world?.home ?? "", ".aws", "config"), "[default]\nregion = eu-north-1\n");
    expect((await examine([], none)).of("region")).toMatchObject({ state: "ok", text: "eu-north-1" });
  });

  it.skipIf(!prlimit)("sees folders that take no file any more (needs prlimit, of util-linux)", async () => {
    world = await makeWorld();
    expect((await examine(["--offline"])).of("state folder")).toMatchObject({ state: "ok" });
    const full = spawnSync(prlimit ?? "", ["--fsize=8192", process.execPath, BIN, "doctor", "--offline"], {
      env: world.env,
      cwd: world.project,
      encoding: "utf8",
    });
    expect(full.status).toBe(1);
    for (const name of ["state", "runtime"])
      expect(full.stdout).toMatch(new RegExp(`✗ ${name} folder: .* takes no file: .*\\n +make room: df -h /`));
    for (const name of ["state", "run"])
      expect(readdirSync(join(world.own, name)).filter((each) => each.startsWith(".doctor"))).toEqual([]);
  });

  it("names what was moved aside at the end of runs, with its size and what removes it", async () => {
    world = await makeWorld();
    expect((await examine(["--offline"])).of("set aside")).toBeUndefined();
    const folder = join(world.own, "state", "set-aside");
    file(join(folder, "sess_00000001", "settings-12345678", "big"), "x".repeat(2_100_000));
    file(join(folder, "sess_00000002", "hooks-12345678"), "y");
    expect((await examine(["--offline"])).of("set aside")).toEqual({
      ...{ name: "set aside", state: "warning", fix: `look through it for what you want, then rm -r ${folder}` },
      text: `2.1 MB of 2 runs, which agents put in the place of yours, is kept in ${folder}`,
    });
  });

  it("sees a runtime folder that others can read", async () => {
    world = await makeWorld();
    const folder = join(world.own, "run");
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o777);
    expect((await examine(["--offline"])).of("runtime folder")).toMatchObject({ state: "error", fix: expect.stringContaining("chmod") });
  });
});

describe("agent-run doctor on the account", () => {
  it("says how to get a role where the profile names none", async () => {
    expect((await examine(["-p", "readonly"])).of("role")).toMatchObject({ state: "error", fix: "agent-run setup readonly" });
  });

  it("says where credentials can come from when there are none", async () => {
    const { of } = await examine([], { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined });
    expect(of("base identity")).toMatchObject({ state: "error", fix: expect.stringMatching(/\S/) });
  });

  it("tells apart which of the trust policy's three actions is refused", async () => {
    world = await makeWorld();
    const trust = async (Action: string[]): Promise<void> => {
      const Principal = { AWS: `arn:aws:iam::${DEMO_ACCOUNT}:user/dev` };
      const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal, Action }] });
      await iam(world?.cloud as World["cloud"]).send(new UpdateAssumeRolePolicyCommand({ RoleName: DEMO_ROLE, PolicyDocument }));
    };
    await trust(["sts:AssumeRole", "sts:SetSourceIdentity"]);
    const untagged = await examine();
    expect(untagged.of("may assume")?.state).toBe("ok");
    expect(untagged.of("may tag")).toMatchObject({ state: "error", fix: expect.stringContaining("sts:TagSession") });
    expect(untagged.of("may set source identity")?.state).toBe("ok");
    await trust(["sts:AssumeRole", "sts:TagSession"]);
    expect((await examine()).of("may set source identity")?.state).toBe("error");
    await trust(["sts:TagSession"]);
    expect((await examine()).of("may assume")?.state).toBe("error");
  });

  it("says beforehand that a kill cannot revoke where the base may not edit the role", async () => {
    const [dev, ...others] = demoSeed.users;
    const policy = {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: ["sts:*", "iam:Get*", "iam:Simulate*"], Resource: "*" }],
    };
    const { attached: _, ...bare } = dev ?? { name: "dev" };
    world = await makeWorld({ seed: { ...demoSeed, users: [{ ...bare, policies: { few: policy } }, ...others] } });
    expect((await examine()).of("may revoke")).toMatchObject({ state: "warning", text: expect.stringContaining("iam:PutRolePolicy") });
  });

  it("says that sessions live by refresh where the role's limit is below the profile's", async () => {
    world = await makeWorld({ config: '[profiles.readonly]\nttl = "10h"\nrole = "agent-demo"\n' });
    expect((await examine(["-p", "readonly"])).of("role duration")).toMatchObject({
      state: "warning",
      text: expect.stringContaining("4 h"),
    });
  });
});

describe("agent-run doctor on other grants", () => {
  it("goes the profile's own way to a session, and says what that cannot promise", async () => {
    world = await makeWorld({ config: '[profiles.readonly]\ngrant = "federation"\nisolation.level = "none"\n' });
    const { of, checks } = await examine(["-p", "readonly"]);
    expect(of("grant")).toMatchObject({ state: "ok", text: expect.stringContaining("federated arn:aws:iam::") });
    expect(of("identity gate")?.text).toMatch(/:federated-user\/sess_[0-9a-f]{8}$/);
    expect(checks.find(({ name, state }) => name === "grant" && state === "warning")?.text).toContain("no source identity");
  });

  it("says why credentials cannot be used as they are", async () => {
    world = await makeWorld({ config: '[profiles.readonly]\ngrant = "as-is"\nrole = "some"\nisolation.level = "none"\n' });
    expect((await examine(["-p", "readonly"])).of("grant")).toMatchObject({
      state: "error",
      text: expect.stringContaining("no role session"),
    });
  });
});

describe("doctor and check in a repository that narrows", () => {
  it("say that its file is ignored, and go by it once it is trusted", async () => {
    world = await makeWorld();
    mkdirSync(join(world.project, ".git"));
    file(join(world.project, ".agent-run.toml"), 'ttl = "20m"\nisolation.level = "standard"\n');
    const before = await examine(["--offline"]);
    expect(before.of("repository")).toMatchObject({
      state: "warning",
      text: expect.stringContaining("is not trusted"),
      fix: "agent-run trust",
    });
    expect((await world.run(["check", "--offline"])).stderr).toContain("is not trusted");
    expect((await world.run(["trust", "--yes"])).code).toBe(0);
    const after = await examine(["--offline"]);
    expect(after.of("repository")).toBeUndefined();
    expect(after.of("profile")?.text).toContain("as this repository's .agent-run.toml has it");
    expect((await world.run(["check", "--offline"])).stderr).not.toContain("trusted");
  });
});

describe("agent-run doctor on agents", () => {
  const found = async (place: "home" | "project", name: string, content: unknown, env: Record<string, string> = {}) => {
    world ??= await makeWorld();
    file(join(world[place], name), typeof content === "string" ? content : JSON.stringify(content));
    return (await examine(["--offline"], env)).checks.map(({ name: check, state, text }) => `${check} ${state} ${text}`).join("\n");
  };

  it("sees settings that put another identity in place, in the human's and the project's files", async () => {
    expect(await found("home", ".claude/settings.json", { env: { AWS_PROFILE: "admin" } })).toMatch(/claude error .*sets AWS_PROFILE/);
    expect(await found("project", ".claude/settings.local.json", { awsAuthRefresh: "aws sso login" })).toMatch(
      /claude error .*awsAuthRefresh/,
    );
    expect(await found("home", ".codex/config.toml", '[shell_environment_policy]\nset = { AWS_PROFILE = "admin" }')).toMatch(
      /codex error .*AWS_PROFILE/,
    );
    expect(await found("project", ".env", "export AWS_ACCESS_KEY_ID=AKIA\nOTHER=1\n")).toMatch(/project warning .*sets AWS_ACCESS_KEY_ID:/);
    expect(await found("project", ".mcp.json", { mcpServers: { mail: { env: { AWS_PROFILE: "mail" } } } })).toMatch(
      /mcp warning .*server mail/,
    );
  });

  it("sees an agent that runs on Bedrock under a profile without it", async () => {
    expect(await found("home", ".claude/settings.json", {}, { CLAUDE_CODE_USE_BEDROCK: "1" })).toMatch(/claude on bedrock error/);
  });

  it("is not stopped by settings that are no JSON", async () => {
    expect(await found("home", ".claude/settings.json", "{ not json")).toMatch(/agent settings ok/);
  });
});
