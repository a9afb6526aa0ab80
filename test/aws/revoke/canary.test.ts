// When a revocation stops looking whether its deny holds.
import { PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { describe, expect, it } from "vitest";
import { awaitDeny, type CanaryAnswer, canaryCall } from "../../../src/aws/revoke/canary.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { Secret } from "../../../src/core/secret.ts";
import { type LocalCloud, startLocalCloud } from "../../../src/localcloud/cloud.ts";
import { assume, iam } from "../../localcloud/clients.ts";

/** Answers one after the other, the last one for ever. */
const answering = (...answers: CanaryAnswer[]) => {
  let calls = 0;
  return async (): Promise<CanaryAnswer> => {
    calls += 1;
    return answers[Math.min(calls, answers.length) - 1] ?? "allowed";
  };
};
const LONG_MS = 60_000;

describe("a look at a deny", () => {
  it("is confirmed by two refusals in a row that name the policy, not by one", async () => {
    expect(await awaitDeny(answering("denied", "allowed", "denied", "denied"), systemClock, LONG_MS)).toEqual({
      confirmed: true,
      calls: 4,
    });
  });

  it("takes a refusal without a reason where the call was allowed before", async () => {
    expect(await awaitDeny(answering("allowed", "refused"), systemClock, LONG_MS)).toEqual({ confirmed: true, calls: 3 });
    expect(await awaitDeny(answering("refused"), systemClock, 0)).toMatchObject({ confirmed: false, calls: 1 });
  });

  it("is over at once when the keys expire, and says so", async () => {
    const result = await awaitDeny(answering("allowed", "expired"), systemClock, LONG_MS);
    expect(result).toEqual({ confirmed: false, calls: 2, why: expect.stringContaining("has expired") });
  });

  it("says what it saw last when its time is up", async () => {
    const why = async (answer: CanaryAnswer) => (await awaitDeny(answering(answer), systemClock, 0)) as { why?: string };
    expect(await why("allowed")).toMatchObject({ why: "the call still succeeds" });
    expect(await why("refused")).toMatchObject({ why: expect.stringContaining("refused all along") });
    expect(await why({ failed: "no network" })).toMatchObject({ why: "no network" });
  });
});

describe("one look", () => {
  const session = async (cloud: LocalCloud) => {
    const { accessKeyId, secretAccessKey, sessionToken = "" } = await assume(cloud);
    return { accessKeyId, secretAccessKey: new Secret(secretAccessKey), sessionToken: new Secret(sessionToken), expiresAt: undefined };
  };

  it.each(["ec2:DescribeRegions", "s3:ListAllMyBuckets", "iam:GetRole", "iam:ListRoles"] as const)(
    "by %s is a call of the session's, allowed until a policy of its role denies it",
    async (action) => {
      await using cloud = await startLocalCloud();
      const roleArn = cloud.roleArn();
      const look = await canaryCall(action, { region: "us-east-1", endpointUrl: cloud.url }, await session(cloud), roleArn);
      const before = await look();
      const Statement = [{ Effect: "Deny", Action: "*", Resource: "*" }];
      const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
      const RoleName = roleArn.slice(roleArn.lastIndexOf("/") + 1);
      await iam(cloud).send(new PutRolePolicyCommand({ RoleName, PolicyName: "deny", PolicyDocument }));
      expect([before, await look()]).toEqual(["allowed", "denied"]);
    },
  );

  it("says what failed where nothing was decided", async () => {
    await using cloud = await startLocalCloud();
    const connection = { region: "us-east-1", endpointUrl: cloud.url, retries: 0 };
    const look = await canaryCall("s3:ListAllMyBuckets", connection, await session(cloud), cloud.roleArn());
    cloud.switches.fault({ operation: "s3:*", error: { code: "InternalError", status: 500 } });
    expect(await look()).toEqual({ failed: expect.stringContaining("InternalError") });
  });
});
