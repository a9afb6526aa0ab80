// What comes together in one profile: what it extends, config.toml, a repository's file, the command line; and the conditions that it sets.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Overrides } from "../../src/control/protocol.ts";
import { type Paths, resolvePaths } from "../../src/core/paths.ts";
import { parseOwnRole } from "../../src/credentials/sources/sso.ts";
import { evaluate } from "../../src/policy/evaluate.ts";
import { parsePolicyValue } from "../../src/policy/parse.ts";
import type { RequestContext } from "../../src/policy/types.ts";
import { loadProfile, type Profile } from "../../src/session/profile.ts";
import { readProfileDocuments } from "../../src/session/profile-documents.ts";
import { readProfileTests, runCatalogue } from "../../src/session/profile-tests.ts";
import { parseRepository } from "../../src/session/repository.ts";
import { timedPolicy } from "../../src/session/session-time.ts";
import { settingsSchemas } from "../../src/session/settings-schema.ts";
import { requireStage } from "../../src/session/stage.ts";
import { distrust, trust, trustedFiles } from "../../src/session/trust.ts";
import { failure } from "../failure.ts";

const PACKAGE = join(import.meta.dirname, "..", "..");
const ALL = { Effect: "Allow", Action: "*", Resource: "*" };
const admin = parsePolicyValue({ Version: "2012-10-17", Statement: ALL }, "administrator");
let home: string;
let paths: Paths;
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "ar-layers-")));
  paths = resolvePaths({ AGENT_RUN_HOME: home }, 0);
  mkdirSync(paths.config, { recursive: true });
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function profileOf(name: string, toml: string, files: Record<string, unknown> = {}): void {
  const folder = join(paths.config, "profiles", name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "profile.toml"), toml);
  for (const [file, Statement] of Object.entries(files)) {
    writeFileSync(join(folder, file), JSON.stringify({ Version: "2012-10-17", Statement }));
  }
}
const load = (profile: string, overrides: Overrides = {}): Profile => loadProfile(paths, PACKAGE, { profile, ...overrides });
const decided = (profile: Profile, action: string, resource = "*", context: RequestContext = {}): boolean => {
  const principal = "arn:aws:sts::123456789012:assumed-role/agent/sess_00000000";
  return (
    evaluate({ principal, action, resource, context }, { identity: [admin], session: [profile.sessionPolicy.document] }).outcome ===
    "allowed"
  );
};

describe("base credentials that a profile names", () => {
  it("give way to an AWS profile of the command line", () => {
    profileOf("mine", 'extends = "readonly"\ncredentials = "keyring:dev"\n');
    expect(load("mine").credentials).toBe("keyring:dev");
    expect(load("mine", { awsProfile: "prod" })).toMatchObject({ awsProfile: "prod", credentials: undefined });
  });

  it("are a role of a sign-in with its place, as config.toml has it, or an error that names what is near", () => {
    writeFileSync(join(paths.config, "config.toml"), '[sso.corp]\nstart_url = "https://corp.awsapps.com/start"\nregion = "eu-west-1"\n');
    profileOf("mine", 'extends = "readonly"\ncredentials = "sso:corp/123456789012/Developer"\n');
    expect(parseOwnRole(load("mine").credentials ?? "")).toMatchObject({
      ...{ account: "123456789012", name: "Developer" },
      ...{ region: "eu-west-1", startUrl: "https://corp.awsapps.com/start" },
    });
    profileOf("other", 'extends = "readonly"\ncredentials = "sso:crop/123456789012/Developer"\n');
    expect(failure(() => load("other"))).toMatchObject({ code: "config", hint: "did you mean 'corp'?" });
  });
});

describe("a profile that extends another", () => {
  it("allows what both allow, keeps the other's conditions, and says the rest anew", () => {
    profileOf("wide", 'ttl = "2h"\nconditions.regions = ["eu-central-1"]\naccounts = ["111111111111", "222222222222"]\n', {
      "session-policy.json": { Effect: "Allow", Action: ["s3:*", "ec2:Describe*"], Resource: "*" },
    });
    profileOf("mine", 'extends = "wide"\nttl = "30m"\naccounts = ["222222222222"]\n', {
      "session-policy.json": { Effect: "Allow", Action: ["s3:Get*", "rds:*"], Resource: "*" },
      "deny-always.json": { Effect: "Deny", Action: "s3:GetBucketAcl", Resource: "*" },
    });
    const mine = load("mine");
    expect(mine).toMatchObject({ ttlMs: 1_800_000, accounts: ["222222222222"] });
    const here = { "aws:RequestedRegion": "eu-central-1" };
    expect(decided(mine, "s3:GetObject", "arn:aws:s3:::b/k", here)).toBe(true);
    expect(decided(mine, "s3:GetObject", "arn:aws:s3:::b/k", { "aws:RequestedRegion": "us-east-1" })).toBe(false);
    for (const action of ["s3:PutObject", "rds:CreateDBInstance", "ec2:DescribeInstances", "s3:GetBucketAcl"]) {
      expect(decided(mine, action, "*", here), action).toBe(false);
    }
  });

  it("keeps its stage, its longest time, and that a policy bounds it", () => {
    profileOf("tight", 'stage = "staging"\nmax_ttl = "10m"\nttl = "5m"\n', { "session-policy.json": ALL });
    profileOf("child", 'extends = "tight"\nmax_ttl = "12h"\n');
    expect(load("child")).toMatchObject({ stage: "staging", ttlMs: 300_000, maxTtlMs: 600_000 });
    expect(failure(() => load("child", { ttl: 3_600_000 }))).toMatchObject({ code: "profile", hint: expect.stringContaining("extends") });
    profileOf("moved", 'extends = "tight"\nstage = "production"\n');
    expect(failure(() => load("moved"))).toMatchObject({ code: "profile", message: expect.stringContaining("'production'") });
    profileOf("loose", 'extends = "tight"\ngrant = "as-is"\n');
    expect(failure(() => load("loose"))).toMatchObject({ code: "profile", message: expect.stringContaining("as-is") });
  });

  it("is linted and tested with the policies that it extends, and with config.toml's values", () => {
    profileOf("mine", 'extends = "zero"\n');
    writeFileSync(
      join(paths.config, "config.toml"),
      '[profiles.zero]\nvalues.SECRETS = ["arn:aws:secretsmanager:*:*:secret:mine"]\naccepts = []\n',
    );
    const { accepts, documents } = readProfileDocuments("mine", paths, PACKAGE);
    expect(accepts).toEqual([]);
    expect(documents.map(({ kind }) => kind).sort()).toEqual(["boundary", "identity", "identity", "session", "trust"]);
    for (const { kind, text } of documents.filter(({ file }) => /(session|role)-policy/.test(file))) {
      expect(text, kind).toContain("secret:mine");
      expect(text, kind).not.toContain("agent/elevated");
    }
    expect(runCatalogue(readProfileTests("mine", paths, PACKAGE)).open).toEqual(["secretsmanager:GetSecretValue"]);
    profileOf("lost", 'session_policy = "nowhere.json"\n');
    expect(failure(() => readProfileDocuments("lost", paths, PACKAGE))).toMatchObject({ message: expect.stringContaining("nowhere.json") });
  });

  it("is told apart from settings in config.toml that there is no profile for", () => {
    writeFileSync(join(paths.config, "config.toml"), '[profiles.shop]\nextends = "developer"\n');
    expect(failure(() => load("shop"))).toMatchObject({
      code: "profile",
      hint: expect.stringContaining("profiles new shop --from developer"),
    });
  });

  it("may be the user's own of a shipped name; a circle is refused", () => {
    profileOf("readonly", 'extends = "readonly"\nttl = "5m"\n');
    expect(load("readonly")).toMatchObject({ ttlMs: 300_000 });
    profileOf("one", 'extends = "two"\n');
    profileOf("two", 'extends = "one"\n');
    expect(failure(() => load("one"))).toMatchObject({ code: "profile", message: expect.stringContaining("leads back to itself") });
  });

  it("has several policies, which hold together, and values in them", () => {
    profileOf("several", 'session_policy = ["a.json", "b.json"]\nvalues.BUCKETS = ["arn:aws:s3:::one/*", "arn:aws:s3:::two/*"]\n', {
      "a.json": { Effect: "Allow", Action: "s3:*", Resource: ["${" + "BUCKETS}"] },
      "b.json": { Effect: "Allow", Action: "s3:Get*", Resource: "*" },
    });
    const several = load("several");
    expect(decided(several, "s3:GetObject", "arn:aws:s3:::two/k")).toBe(true);
    expect(decided(several, "s3:GetObject", "arn:aws:s3:::three/k")).toBe(false);
    expect(decided(several, "s3:PutObject", "arn:aws:s3:::two/k")).toBe(false);
  });

  it("without a value for a placeholder says where to set it", () => {
    profileOf("open", "", { "session-policy.json": { Effect: "Allow", Action: "s3:*", Resource: "arn:aws:s3:::${" + "BUCKET}/*" } });
    expect(failure(() => load("open"))).toMatchObject({ code: "policy", hint: expect.stringContaining("set BUCKET under [profiles.") });
  });
});

describe("conditions", () => {
  const wide = { "session-policy.json": ALL };
  const cases: [string, string, [boolean, string, string, RequestContext?][]][] = [
    [
      "regions",
      'regions = ["eu-central-1"]',
      [
        [true, "ec2:DescribeInstances", "*", { "aws:RequestedRegion": "eu-central-1" }],
        [false, "ec2:DescribeInstances", "*", { "aws:RequestedRegion": "us-east-1" }],
        [true, "iam:ListRoles", "*", { "aws:RequestedRegion": "us-east-1" }],
      ],
    ],
    [
      "source_ip",
      'source_ip = ["203.0.113.0/24"]',
      [
        [true, "s3:GetObject", "arn:aws:s3:::b/k", { "aws:SourceIp": "203.0.113.7", "aws:ViaAWSService": "false" }],
        [false, "s3:GetObject", "arn:aws:s3:::b/k", { "aws:SourceIp": "198.51.100.7", "aws:ViaAWSService": "false" }],
        [true, "s3:GetObject", "arn:aws:s3:::b/k", { "aws:SourceIp": "198.51.100.7", "aws:ViaAWSService": "true" }],
      ],
    ],
    [
      "source_ip and source_vpc",
      'source_ip = ["203.0.113.0/24"]\nsource_vpc = ["vpc-1"]',
      [
        [true, "s3:GetObject", "arn:aws:s3:::b/k", { "aws:SourceIp": "203.0.113.7", "aws:ViaAWSService": "false" }],
        [true, "s3:GetObject", "arn:aws:s3:::b/k", { "aws:SourceVpc": "vpc-1", "aws:ViaAWSService": "false" }],
        [false, "s3:GetObject", "arn:aws:s3:::b/k", { "aws:SourceVpc": "vpc-2", "aws:ViaAWSService": "false" }],
        [false, "s3:GetObject", "arn:aws:s3:::b/k", { "aws:SourceIp": "198.51.100.7", "aws:ViaAWSService": "false" }],
      ],
    ],
    [
      "instance_types",
      'instance_types = ["t3.*", "*.micro"]',
      [
        [true, "ec2:RunInstances", "arn:aws:ec2:us-east-1:123456789012:instance/*", { "ec2:InstanceType": "t3.small" }],
        [true, "ec2:RunInstances", "arn:aws:ec2:us-east-1:123456789012:instance/*", { "ec2:InstanceType": "m7g.micro" }],
        [false, "ec2:RunInstances", "arn:aws:ec2:us-east-1:123456789012:instance/*", { "ec2:InstanceType": "p4d.24xlarge" }],
        [true, "ec2:RunInstances", "arn:aws:ec2:us-east-1::image/ami-0"],
      ],
    ],
    [
      "database_classes",
      'database_classes = ["db.t4g.*"]',
      [
        [false, "rds:ModifyDBInstance", "arn:aws:rds:us-east-1:123456789012:db:orders", { "rds:DatabaseClass": "db.r6g.4xlarge" }],
        [true, "rds:ModifyDBInstance", "arn:aws:rds:us-east-1:123456789012:db:orders", { "rds:DatabaseClass": "db.t4g.small" }],
        [true, "rds:ModifyDBInstance", "arn:aws:rds:us-east-1:123456789012:db:orders"],
      ],
    ],
    [
      "abac by path",
      'abac = [{ actions = ["s3:PutObject"], resources = ["arn:aws:s3:::pdfs/clients/${' + 'aws:PrincipalTag/tenant}/*"] }]',
      [
        [true, "s3:PutObject", "arn:aws:s3:::pdfs/clients/red/1", { "aws:PrincipalTag/tenant": "red" }],
        [false, "s3:PutObject", "arn:aws:s3:::pdfs/clients/blue/1", { "aws:PrincipalTag/tenant": "red" }],
        [false, "s3:PutObject", "arn:aws:s3:::pdfs/clients/red/1"],
        [true, "s3:GetObject", "arn:aws:s3:::pdfs/clients/blue/1", { "aws:PrincipalTag/tenant": "red" }],
      ],
    ],
    [
      "abac by leading key",
      'abac = [{ actions = ["dynamodb:*"], leading_key = "${' + 'aws:PrincipalTag/tenant}" }]',
      [
        [true, "dynamodb:Query", "*", { "aws:PrincipalTag/tenant": "red", "dynamodb:LeadingKeys": ["red"] }],
        [false, "dynamodb:BatchGetItem", "*", { "aws:PrincipalTag/tenant": "red", "dynamodb:LeadingKeys": ["red", "blue"] }],
        [false, "dynamodb:Scan", "*", { "aws:PrincipalTag/tenant": "red" }],
        [false, "dynamodb:Query", "*", { "dynamodb:LeadingKeys": ["red"] }],
      ],
    ],
    [
      "abac by a shared tag",
      'abac = [{ actions = ["ec2:StopInstances"], shared_tag = "project" }]',
      [
        [true, "ec2:StopInstances", "*", { "aws:PrincipalTag/project": "shop", "aws:ResourceTag/project": "shop" }],
        [false, "ec2:StopInstances", "*", { "aws:PrincipalTag/project": "shop", "aws:ResourceTag/project": "bank" }],
        [false, "ec2:StopInstances", "*", { "aws:PrincipalTag/project": "shop" }],
      ],
    ],
    [
      "actors",
      'actors = [{ deny = ["ec2:RunInstances"] }, { deny = ["s3:*"], actors = ["codex"] }]',
      [
        [false, "ec2:RunInstances", "*", { "aws:PrincipalTag/agent-actor": "claude" }],
        [true, "ec2:RunInstances", "*"],
        [true, "s3:GetObject", "*", { "aws:PrincipalTag/agent-actor": "claude" }],
        [false, "s3:GetObject", "*", { "aws:PrincipalTag/agent-actor": "codex" }],
      ],
    ],
  ];

  it.each(cases)("%s hold in the session policy that is sent", (_name, toml, requests) => {
    profileOf("limited", `[conditions]\n${toml}\n`, wide);
    const limited = load("limited");
    for (const [allowed, action, resource, context] of requests) {
      expect(decided(limited, action, resource, context), `${action} ${JSON.stringify(context)}`).toBe(allowed);
    }
  });

  it("of MFA want a device", () => {
    profileOf("careful", "conditions.mfa = true\n", wide);
    expect(failure(() => load("careful"))).toMatchObject({ code: "profile", message: "profile 'careful' wants MFA, and names no device" });
  });

  it("of hours end the session and its keys with them", () => {
    profileOf("daily", '[conditions.hours]\nfrom = "09:00"\nto = "18:00"\ntime_zone = "UTC"\n', wide);
    const startsAt = Date.parse("2027-01-13T17:30:00Z");
    const daily = loadProfile(paths, PACKAGE, { profile: "daily" }, { startsAt });
    expect(daily).toMatchObject({ ttlMs: 1_800_000, maxTtlMs: 1_800_000 });
    expect(failure(() => loadProfile(paths, PACKAGE, { profile: "daily" }, { startsAt: startsAt + 3_600_000 })).code).toBe("profile");
    const { text, unlimited } = timedPolicy(daily, startsAt, startsAt + daily.ttlMs);
    expect({ unlimited, ended: text.includes("2027-01-13T18:00:00Z") }).toEqual({ unlimited: false, ended: true });
  });
});

describe("a repository's file", () => {
  const repository = (text: string): string => {
    mkdirSync(join(home, "repository", ".git"), { recursive: true });
    const file = join(home, "repository", ".agent-run.toml");
    writeFileSync(file, text);
    return file;
  };
  const inside = (overrides: Overrides = {}): Profile => loadProfile(paths, PACKAGE, overrides, { cwd: join(home, "repository") });

  it("says nothing until it is trusted, then chooses and narrows", () => {
    const text =
      'profile = "zero"\nttl = "10m"\non_expiry = "stop"\naccounts = ["111111111111"]\nnarrow.read_only = true\nisolation.level = "strict"\n';
    const file = repository(text);
    expect(inside()).toMatchObject({ name: "readonly", ttlMs: 3_600_000, notes: [expect.stringContaining("is not trusted")] });
    trust(paths, file, text, new Date());
    expect(inside()).toMatchObject({
      name: "zero",
      ttlMs: 600_000,
      onExpiry: "stop",
      accounts: ["111111111111"],
      isolation: { level: "strict" },
      narrowed: true,
      notes: [],
    });
    writeFileSync(file, `${text}# one byte more\n`);
    expect(inside()).toMatchObject({ name: "readonly", notes: [expect.stringContaining("has changed since you trusted it")] });
    expect(distrust(paths, file)).toBe(true);
    expect(trustedFiles(paths)).toEqual([]);
  });

  it("cannot lengthen, loosen or give back what the human has", () => {
    const text = 'ttl = "11h"\nmax_ttl = "12h"\nisolation.level = "standard"\n';
    trust(paths, repository(text), text, new Date());
    expect(inside({ ttl: 60_000, isolation: "strict" })).toMatchObject({ ttlMs: 60_000, isolation: { level: "strict" } });
    expect(inside({ profile: "security" })).toMatchObject({ name: "security", ttlMs: 300_000, maxTtlMs: 300_000 });
  });

  it.each([
    ["a role", 'role = "admin"', "role"],
    ["credentials", 'aws_profile = "prod"', "aws_profile"],
    ["a writable path", 'isolation.write = ["~/.ssh"]', "isolation.write"],
    ["a store", 'isolation.allow = ["ssh"]', "isolation.allow"],
    ["variables", 'environment.pass = ["TOKEN"]', "environment"],
    ["an endpoint", 'endpoint_url = "https://example.com"', "endpoint_url"],
    ["session tags", 'tags.team = "x"', "tags"],
    ["a policy of its own", 'session_policy = "all.json"', "session_policy"],
    ["a program that gives MFA codes", 'mfa_process = "./give-code"', "mfa_process"],
    ["stored base credentials", 'credentials = "keyring:dev"', "credentials"],
    ["another profile's settings", '[profiles.readonly]\nttl = "9h"', "profiles"],
    ["no isolation", 'isolation.level = "none"', "isolation.level"],
    ["what is destructive as accepted", 'accepts = ["ec2:StopInstances"]', "accepts"],
    ["that by the name of the flag", 'accept = ["ec2:StopInstances"]', "accept"],
    ["renewal", 'on_expiry = "refresh"', "on_expiry"],
  ])("cannot name %s", (_what, text, setting) => {
    const error = failure(() => parseRepository("/r/.agent-run.toml", text));
    expect(error.code).toBe("config");
    expect(error.message).toMatch(/^\/r\/\.agent-run\.toml:\d+:\d+: /);
    expect(error.message).toContain(setting);
  });

  it("names no account that opens a stage", () => {
    writeFileSync(join(paths.config, "config.toml"), 'stages.production = ["111111111111"]\n');
    const text = 'accounts = ["111111111111"]\n';
    trust(paths, repository(text), text, new Date());
    expect(inside().accounts).toEqual(["111111111111"]);
    expect(failure(() => requireStage("111111111111", inside()))).toMatchObject({ code: "identity" });
    writeFileSync(join(paths.config, "config.toml"), `stages.production = ["111111111111"]\nprofiles.readonly.${text}`);
    expect(() => requireStage("111111111111", inside())).not.toThrow();
  });

  it("names project and task only where the human does not, since policies may go by them", () => {
    const text = 'project = "payments"\ntask = "theirs"\n';
    trust(paths, repository(text), text, new Date());
    expect(inside()).toMatchObject({ project: "payments", task: "theirs" });
    expect(inside({ project: "mine", task: "own" })).toMatchObject({ project: "mine", task: "own" });
    expect(inside({ tags: { project: "mine", task: "own" } })).toMatchObject({ project: "mine", task: "own" });
    writeFileSync(join(paths.config, "config.toml"), '[profiles.readonly]\nproject = "shop"\ntags.task = "set"\n');
    expect(inside()).toMatchObject({ project: "shop", task: "set" });
  });

  it("that was trusted and is cut off by a repository further down is missed aloud", () => {
    const text = 'ttl = "5m"\n';
    trust(paths, repository(text), text, new Date());
    const below = join(home, "repository", "sub", "deeper");
    mkdirSync(below, { recursive: true });
    const there = (): Profile => loadProfile(paths, PACKAGE, {}, { cwd: below });
    expect(there()).toMatchObject({ ttlMs: 300_000, notes: [] });
    mkdirSync(join(home, "repository", "sub", ".git"));
    expect(there()).toMatchObject({ ttlMs: 3_600_000, notes: [expect.stringContaining(`begins in ${join(home, "repository", "sub")};`)] });
  });

  it("that was trusted and is gone is missed aloud", () => {
    const text = 'ttl = "5m"\n';
    const file = repository(text);
    trust(paths, file, text, new Date());
    rmSync(file);
    expect(inside()).toMatchObject({ ttlMs: 3_600_000, notes: [expect.stringMatching(/which you trusted on .* is gone/)] });
    distrust(paths, file);
    expect(inside().notes).toEqual([]);
  });

  it("that is a pipe, a device or endless is refused at once", () => {
    const file = repository("");
    for (const make of [
      () => execFileSync("sh", ["-c", 'mkfifo "$1"', "sh", file]),
      () => symlinkSync("/dev/zero", file),
      () => mkdirSync(file),
      () => writeFileSync(file, "#".repeat(70_000)),
    ]) {
      rmSync(file, { recursive: true });
      make();
      expect(failure(() => inside())).toMatchObject({ code: "config", message: expect.stringContaining(file) });
    }
  });

  it("outside of a repository counts for its own folder only", () => {
    mkdirSync(join(home, "plain", "below"), { recursive: true });
    writeFileSync(join(home, "plain", ".agent-run.toml"), 'ttl = "1m"\n');
    expect(loadProfile(paths, PACKAGE, {}, { cwd: join(home, "plain") }).notes).toHaveLength(1);
    expect(loadProfile(paths, PACKAGE, {}, { cwd: join(home, "plain", "below") }).notes).toEqual([]);
  });
});

describe("the settings' files", () => {
  it("say where a name of a list is wrong, and which was meant", () => {
    profileOf("typo", '[isolation]\nallow = [\n  "ssh",\n  "dokcer",\n]\n');
    expect(failure(() => load("typo")).message).toMatch(
      /profile\.toml:4:3: isolation\.allow\.1: 'dokcer' is not a name that it knows \(did you mean 'docker'\?\)/,
    );
  });

  it.each([
    ["conditions.hours", '[conditions.hours]\nfrom = "9"\nto = "18:00"\ntime_zone = "UTC"\n', /:2:1: conditions\.hours\.from/],
    [
      "a time zone",
      '[conditions.hours]\nfrom = "09:00"\nto = "18:00"\ntime_zone = "Berlin"\n',
      /:4:1: conditions\.hours\.time_zone: 'Berlin' is no time zone/,
    ],
    [
      "a rule with two meanings",
      '[[conditions.abac]]\nactions = ["s3:*"]\nshared_tag = "a"\nleading_key = "b"\n',
      /exactly one of resources, leading_key and shared_tag/,
    ],
    ["a narrowing", 'narrow.allow = ["GetObject"]\n', /:1:\d+: narrow\.allow\.0: .*'GetObject' is no action/],
    ["a misspelt condition", "[conditions]\nregion = []\n", /:2:1: unknown setting 'conditions\.region'/],
  ])("tell what is wrong with %s", (_what, toml, message) => {
    profileOf("wrong", toml);
    expect(failure(() => load("wrong")).message).toMatch(message);
  });

  it("have schemas for editors that are those of the program: npm run schemas", () => {
    for (const [name, schema] of Object.entries(settingsSchemas())) {
      expect(JSON.parse(readFileSync(join(PACKAGE, "profiles", name), "utf8")), name).toEqual(JSON.parse(JSON.stringify(schema)));
    }
  });
});
