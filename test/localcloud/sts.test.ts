// STS of the local cloud through the official SDK: role chaining, and the sessions of users.
import { ListRolesCommand } from "@aws-sdk/client-iam";
import { ListBucketsCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import {
  type AssumeRoleCommandInput,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
} from "@aws-sdk/client-sts";
import { describe, expect, it } from "vitest";
import { assume, iam, type Keys, refusal, s3, sharedCloud, sts } from "./clients.ts";
import { ACCOUNT, askFor, DEV, notAuthorized, role, seed } from "./sts-seed.ts";

const cloud = await sharedCloud({ seed });

const ask = (input: Partial<AssumeRoleCommandInput>, from: Keys = cloud.admin) => askFor(cloud, from, input);

describe("role chaining", () => {
  const first = (input: Partial<AssumeRoleCommandInput> = {}): Promise<Keys> => assume(cloud, { RoleArn: role("plain"), ...input });
  const on = (keys: Keys, input: Partial<AssumeRoleCommandInput> = {}) =>
    ask({ RoleArn: role("next"), RoleSessionName: "second", ...input }, keys);

  it("is capped at one hour, whatever the role's maximum", async () => {
    const keys = await first();
    expect(await refusal(on(keys, { DurationSeconds: 3601 }))).toEqual({
      code: "ValidationError",
      status: 400,
      message: "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
    });
    await expect(on(keys, { DurationSeconds: 3600 })).resolves.toBeDefined();
  });

  it("keeps the source identity and does not let it be changed", async () => {
    const keys = await first({ SourceIdentity: "ada" });
    expect((await on(keys)).SourceIdentity).toBe("ada");
    expect((await on(keys, { SourceIdentity: "ada" })).SourceIdentity).toBe("ada");
    expect(await refusal(on(keys, { SourceIdentity: "eve" }))).toMatchObject({
      code: "ValidationError",
      message: "The source identity is already set for this assume role session",
    });
    const next = role("next-no-source");
    const who = `arn:aws:sts::${ACCOUNT}:assumed-role/plain/sess_0a1b2c3d`;
    expect((await refusal(on(keys, { RoleArn: next }))).message).toBe(notAuthorized(who, "sts:SetSourceIdentity", next));
  });

  it("passes on transitive tags only, which cannot be replaced, and needs sts:TagSession for them", async () => {
    const keys = await first({
      Tags: [
        { Key: "agent-session", Value: "sess_0a1b2c3d" },
        { Key: "here-only", Value: "x" },
      ],
      TransitiveTagKeys: ["agent-session"],
    });
    const { Credentials } = await on(keys);
    const second = {
      accessKeyId: Credentials?.AccessKeyId ?? "",
      secretAccessKey: Credentials?.SecretAccessKey ?? "",
      sessionToken: Credentials?.SessionToken ?? "",
    };
    await s3(cloud, second).send(new ListBucketsCommand({}));
    const assumed = cloud.events().findLast((event) => event.name === "AssumeRole");
    expect(assumed?.record["requestParameters"]).toMatchObject({ incomingTransitiveTags: { "agent-session": "sess_0a1b2c3d" } });
    expect(JSON.stringify(assumed?.record)).not.toContain("here-only");
    expect(await refusal(on(keys, { Tags: [{ Key: "Agent-Session", Value: "other" }] }))).toMatchObject({
      code: "InvalidParameterValue",
      message:
        "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
    });
    expect((await refusal(on(keys, { RoleArn: role("next-no-tags") }))).message).toContain("not authorized to perform: sts:TagSession");
  });

  it("is bounded by the session policy of the first session", async () => {
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }] });
    const found = await refusal(on(await first({ Policy })));
    expect(found).toMatchObject({ code: "AccessDenied", status: 403 });
    expect(found.message).toContain("not authorized to perform: sts:AssumeRole");
  });
});

describe("GetSessionToken and GetFederationToken", () => {
  const keysOf = (
    found: { AccessKeyId?: string | undefined; SecretAccessKey?: string | undefined; SessionToken?: string | undefined } | undefined,
  ): Keys => ({
    accessKeyId: found?.AccessKeyId ?? "",
    secretAccessKey: found?.SecretAccessKey ?? "",
    sessionToken: found?.SessionToken ?? "",
  });

  it("give a user's session, which without MFA cannot use IAM, and cannot be asked for by a session", async () => {
    const plain = keysOf((await sts(cloud).send(new GetSessionTokenCommand({}))).Credentials);
    expect((await sts(cloud, plain).send(new GetCallerIdentityCommand({}))).Arn).toBe(DEV);
    expect(await refusal(iam(cloud, plain).send(new ListRolesCommand({})))).toMatchObject({ code: "InvalidClientTokenId", status: 403 });
    expect((await refusal(sts(cloud, plain).send(new GetSessionTokenCommand({})))).message).toBe(
      "Cannot call GetSessionToken with session credentials",
    );
    const command = new GetSessionTokenCommand({ SerialNumber: `arn:aws:iam::${ACCOUNT}:mfa/dev`, TokenCode: "123456" });
    const withMfa = keysOf((await sts(cloud).send(command)).Credentials);
    await expect(iam(cloud, withMfa).send(new ListRolesCommand({}))).resolves.toBeDefined();
    await expect(ask({ RoleArn: role("with-mfa") }, withMfa)).resolves.toBeDefined();
    expect((await refusal(ask({ RoleArn: role("with-mfa") }, plain))).code).toBe("AccessDenied");
  });

  it("give a federated user that may do what user and session policy both allow, and nothing without one", async () => {
    const bare = await sts(cloud).send(new GetFederationTokenCommand({ Name: "agent" }));
    expect(bare.FederatedUser?.Arn).toBe(`arn:aws:sts::${ACCOUNT}:federated-user/agent`);
    expect((await refusal(s3(cloud, keysOf(bare.Credentials)).send(new ListBucketsCommand({})))).message).toContain(
      "because no session policy allows the s3:ListAllMyBuckets action",
    );
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:ListBucket", Resource: "*" }] });
    const some = keysOf(
      (await sts(cloud).send(new GetFederationTokenCommand({ Name: "agent", Policy, Tags: [{ Key: "a", Value: "b" }] }))).Credentials,
    );
    await expect(s3(cloud, some).send(new ListObjectsV2Command({ Bucket: "data" }))).resolves.toMatchObject({ KeyCount: 1 });
    expect((await refusal(ask({}, some))).code).toBe("AccessDenied");
    expect((await refusal(iam(cloud, some).send(new ListRolesCommand({})))).code).toBe("InvalidClientTokenId");
  });
});
