// What an organization's own rules do to a launch: partitions that do not meet, a source identity that is set already, transitive tags.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { demoSeed, trusts } from "../../src/localcloud/seed.ts";
import { makeWorld, ROOT, type World } from "./world.ts";

const ROLE = `arn:aws:iam::${demoSeed.account}:role`;
const seed = {
  ...demoSeed,
  roles: [
    ...demoSeed.roles,
    {
      name: "corporate",
      trust: trusts(`arn:aws:iam::${demoSeed.account}:user/dev`),
      policies: { sts: { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "sts:*", Resource: "*" }] } },
    },
    { name: "agents", trust: trusts(`${ROLE}/corporate`) },
  ],
};
let world: World;
beforeEach(async () => {
  world = await makeWorld({ seed });
});
afterEach(() => world[Symbol.asyncDispose]());

/** What a login of the company's gives: a session of `corporate`. */
async function login(more: { SourceIdentity?: string; tag?: string }): Promise<Record<string, string>> {
  const { url: endpoint, region, admin: credentials } = world.cloud;
  const { tag, ...sent } = more;
  const tags = tag === undefined ? {} : { Tags: [{ Key: tag, Value: "x" }], TransitiveTagKeys: [tag] };
  const sts = new STSClient({ endpoint, region, credentials });
  const answer = await sts.send(new AssumeRoleCommand({ RoleArn: `${ROLE}/corporate`, RoleSessionName: "ann", ...sent, ...tags }));
  const { AccessKeyId = "", SecretAccessKey = "", SessionToken = "" } = answer.Credentials ?? {};
  return { AWS_ACCESS_KEY_ID: AccessKeyId, AWS_SECRET_ACCESS_KEY: SecretAccessKey, AWS_SESSION_TOKEN: SessionToken };
}

describe("a clock that is wrong by 10 minutes", () => {
  const off = (ms: number) => ({ now: () => systemClock.now() + ms, at: (at: number, run: () => void) => systemClock.at(at - ms, run) });
  it.each([
    ["behind", 10, "AssumeRole"],
    ["ahead of", -10, "AssumeRole"],
    ["behind", 10, "GetFederationToken"],
    ["ahead of", -10, "GetFederationToken"],
  ])("%s AWS's (%i minutes) is told, and the end that is sent to AWS with %s is right by AWS's", async (word, minutes, action) => {
    await using other = await makeWorld({ clock: off(minutes * 60_000) });
    const config = 'profile = "demo"\n[profiles.demo]\ngrant = "federation"\nisolation.level = "none"\n';
    if (action === "GetFederationToken") writeFileSync(join(other.own, "config", "config.toml"), config);
    const program = `
      const { S3Client, ListBucketsCommand } = await import("${ROOT}/node_modules/@aws-sdk/client-s3/dist-cjs/index.js");
      const s3 = new S3Client({ endpoint: process.env.AWS_ENDPOINT_URL, forcePathStyle: true, disableClockSkewCorrection: true });
      console.log((await s3.send(new ListBucketsCommand({}))).Buckets.length);`;
    const args = ["--ttl", "5m", "--on-expiry", "stop", process.execPath, "--input-type=module", "-e", program];
    const { code, stdout, stderr } = await other.run(args);
    expect([code, stdout]).toEqual([0, "3\n"]);
    expect(stderr).toContain(`this machine's clock is 10 min ${word} aws's`);
    expect(other.cloud.calls(`sts:${action}`)).toBe(2);
  });
});

describe("a launch", () => {
  it("with a role of another partition ends before STS is asked for it, and says whose credentials it takes", async () => {
    const role = `arn:aws-us-gov:iam::${demoSeed.account}:role/agent-demo`;
    const { code, stderr } = await world.run(["--role", role, "true"]);
    expect(code).toBe(125);
    expect(stderr).toContain(`the role is in partition aws-us-gov, and you are in aws: arn:aws:iam::${demoSeed.account}:user/dev`);
    expect(stderr).toContain("choose credentials of aws-us-gov with --aws-profile");
    expect(world.cloud.calls("sts:AssumeRole")).toBe(0);
  });

  it("from a session with a source identity goes on with that, and says so", async () => {
    const { code, stderr } = await world.run(["--role", `${ROLE}/agents`, "true"], { env: await login({ SourceIdentity: "ann.corp" }) });
    expect(stderr).toMatch(/source identity '.+' is not sent: your base session has one/);
    expect(code).toBe(0);
  });

  it("from a session with a transitive tag of agent-run's own says which tags these are", async () => {
    const { code, stderr } = await world.run(["--role", `${ROLE}/agents`, "true"], { env: await login({ tag: "project" }) });
    expect(code).toBe(125);
    expect(stderr).toMatch(/hint: start from credentials that carry none of these as a transitive tag.*agent-session.*project/);
    expect((await world.run(["--role", `${ROLE}/agents`, "true"], { env: await login({ tag: "team" }) })).code).toBe(0);
  });
});
