// The restricted check: proven by our session policy, by IAM's simulation, by the role's documents, or honestly not at all.
import { describe, expect, it } from "vitest";
import { type Connection, iamClient } from "../../src/aws/client.ts";
import { checkRestriction } from "../../src/aws/restriction.ts";
import { Secret } from "../../src/core/secret.ts";
import { startLocalCloud } from "../../src/localcloud/cloud.ts";
import { allowAll, type PolicyJson, type Seed, trusts } from "../../src/localcloud/seed.ts";
import { parsePolicyValue } from "../../src/policy/parse.ts";
import { queryServer } from "./query-server.ts";

const ACCOUNT = "111122223333";
const policy = (...Statement: object[]): PolicyJson => ({ Version: "2012-10-17", Statement });
const allow = (Action: string | string[], Resource: string | string[] = "*"): PolicyJson => policy({ Effect: "Allow", Action, Resource });
const ANYTHING = { Effect: "Allow", Action: "*", Resource: "*" };
const document = (json: PolicyJson) => parsePolicyValue(json, "session-policy.json");
const readOnly = document(allow(["s3:Get*", "ec2:Describe*"]));
const mayDelete = document(allow(["s3:Get*", "s3:DeleteObject", "ec2:TerminateInstances"]));

const seed = (basePolicy: PolicyJson): Seed => ({
  account: ACCOUNT,
  region: "us-east-1",
  users: [{ name: "ann", policies: { base: basePolicy } }],
  roles: [
    { name: "reader", trust: trusts(`arn:aws:iam::${ACCOUNT}:user/ann`), attached: ["arn:aws:iam::aws:policy/ReadOnlyAccess"] },
    { name: "wide", trust: trusts(`arn:aws:iam::${ACCOUNT}:user/ann`), policies: { all: allowAll } },
    { name: "one-bucket", trust: trusts(`arn:aws:iam::${ACCOUNT}:user/ann`), policies: { bucket: allow("s3:*", "arn:aws:s3:::mine/*") } },
    {
      name: "in-one-region",
      trust: trusts(`arn:aws:iam::${ACCOUNT}:user/ann`),
      policies: {
        all: policy(ANYTHING, {
          Effect: "Deny",
          Action: "*",
          Resource: "*",
          Condition: { StringNotEquals: { "aws:RequestedRegion": "eu-west-1" } },
        }),
      },
    },
    {
      name: "but-one-bucket",
      trust: trusts(`arn:aws:iam::${ACCOUNT}:user/ann`),
      policies: {
        all: policy(
          ANYTHING,
          { Effect: "Deny", Action: "s3:Delete*", NotResource: "arn:aws:s3:::mine/*" },
          { Effect: "Deny", Action: "ec2:TerminateInstances", Resource: "*" },
        ),
      },
    },
    {
      name: "bounded",
      trust: trusts(`arn:aws:iam::${ACCOUNT}:user/ann`),
      policies: { all: allowAll },
      boundary: "arn:aws:iam::aws:policy/ReadOnlyAccess",
    },
  ],
  buckets: {},
  instances: [],
});

const reading = allow(["iam:Get*", "iam:List*"]);
const simulating = allow("iam:SimulatePrincipalPolicy");

async function check(role: string, basePolicy: PolicyJson, sessionPolicy = mayDelete, roleAccount = ACCOUNT) {
  await using cloud = await startLocalCloud({ seed: seed(basePolicy) });
  const { accessKeyId, secretAccessKey } = cloud.admin;
  const result = await checkRestriction({
    roleArn: `arn:aws:iam::${roleAccount}:role/${role}`,
    principal: `arn:aws:sts::${roleAccount}:assumed-role/${role}/sess_00000001`,
    sessionPolicy,
    iam: () =>
      iamClient(
        { region: "us-east-1", endpointUrl: cloud.url },
        { accessKeyId, secretAccessKey: new Secret(secretAccessKey), sessionToken: undefined, expiresAt: undefined },
      ),
  });
  return { result, simulations: cloud.calls("iam:SimulatePrincipalPolicy"), roleReads: cloud.calls("iam:GetRole") };
}

describe("the restricted check", () => {
  it("needs no network when the session policy allows nothing destructive", async () => {
    const result = await checkRestriction({
      roleArn: `arn:aws:iam::${ACCOUNT}:role/wide`,
      principal: `arn:aws:sts::${ACCOUNT}:assumed-role/wide/s`,
      sessionPolicy: readOnly,
      iam: () => Promise.reject(new Error("nobody may be asked")),
    });
    expect(result).toEqual({ verified: "by-policy", allowed: [] });
  });

  it("says what a wide role may do that the session policy leaves open, by simulation", async () => {
    const { result, simulations, roleReads } = await check("wide", simulating);
    expect(result.verified).toBe("by-simulation");
    expect(result.verified && [...result.allowed].sort()).toEqual(["ec2:TerminateInstances", "s3:DeleteObject"]);
    expect(simulations).toBe(1);
    expect(roleReads).toBe(0);
  });

  it("reads the role's documents when it may not simulate", async () => {
    expect((await check("reader", reading)).result).toEqual({ verified: "by-documents", allowed: [] });
    const wide = (await check("wide", reading)).result;
    expect(wide.verified).toBe("by-documents");
    expect(wide.verified && [...wide.allowed].sort()).toEqual(["ec2:TerminateInstances", "s3:DeleteObject"]);
  });

  it("minds the role's boundary", async () => {
    expect((await check("bounded", reading)).result).toEqual({ verified: "by-documents", allowed: [] });
  });

  it("does not take a simulation without a resource for a proof: the role may delete in one bucket", async () => {
    const both = allow(["iam:SimulatePrincipalPolicy", "iam:Get*", "iam:List*"]);
    expect((await check("one-bucket", both)).result).toEqual({ verified: "by-documents", allowed: ["s3:DeleteObject"] });
    const blind = (await check("one-bucket", simulating)).result;
    expect(blind).toMatchObject({ verified: false, why: expect.stringContaining("2 destructive actions open") });
  });

  it("does not take a deny for a proof that holds only where a key is absent or another: the role may delete in one region", async () => {
    const both = allow(["iam:SimulatePrincipalPolicy", "iam:Get*", "iam:List*"]);
    const found = (await check("in-one-region", both)).result;
    expect(found.verified).toBe("by-documents");
    expect(found.verified && [...found.allowed].sort()).toEqual(["ec2:TerminateInstances", "s3:DeleteObject"]);
    expect((await check("in-one-region", simulating)).result).toMatchObject({ verified: false });
  });

  it("does not take a deny for a proof that leaves resources out: the role may delete in one bucket", async () => {
    const both = allow(["iam:SimulatePrincipalPolicy", "iam:Get*", "iam:List*"]);
    expect((await check("but-one-bucket", both)).result).toEqual({ verified: "by-documents", allowed: ["s3:DeleteObject"] });
    expect((await check("but-one-bucket", simulating)).result).toMatchObject({ verified: false, allowed: [] });
  });

  it("says what the role may surely do also where it cannot tell all", async () => {
    const some = document(allow(["iam:DeleteRole", "s3:DeleteObject"], ["arn:aws:iam::*:role/*", "arn:aws:s3:::*"]));
    const { result } = await check("but-one-bucket", simulating, some);
    expect(result).toMatchObject({
      verified: false,
      allowed: ["iam:DeleteRole"],
      why: expect.stringContaining("2 destructive actions open"),
    });
  });

  it("says what is missing when it may neither simulate nor read", async () => {
    const { result } = await check("reader", allow("sts:GetCallerIdentity"));
    expect(result).toMatchObject({ verified: false });
    const why = result.verified === false ? result.why : "";
    expect(why).toContain("the session policy leaves 2 destructive actions open");
    expect(why).toContain("iam:SimulatePrincipalPolicy is not allowed to the base identity");
    expect(why).toContain("reading the role's policies is not allowed");
  });

  it("does not take a role of the same name in the base's account for the role of another", async () => {
    const { result } = await check("reader", reading, mayDelete, "444455556666");
    expect(result).toMatchObject({ verified: false, why: expect.stringContaining("another account") });
  });

  it("does not hold up the launch when IAM does not answer", async () => {
    await using server = await queryServer(() => ({ hang: true }));
    const connection: Connection = { region: "us-east-1", endpointUrl: server.url };
    const keys = { accessKeyId: "AKIAEXAMPLE000000001", secretAccessKey: new Secret("x"), sessionToken: undefined, expiresAt: undefined };
    const began = performance.now();
    const result = await checkRestriction({
      roleArn: `arn:aws:iam::${ACCOUNT}:role/wide`,
      principal: `arn:aws:sts::${ACCOUNT}:assumed-role/wide/s`,
      sessionPolicy: undefined,
      iam: () => iamClient(connection, keys),
      budgetMs: 300,
    });
    expect(performance.now() - began).toBeLessThan(2000);
    expect(result).toMatchObject({ verified: false, why: expect.stringContaining("iam did not answer in time") });
  });
});
