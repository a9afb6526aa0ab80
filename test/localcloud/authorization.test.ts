// What a caller may do: identity policies, session policies, boundaries, tags, time; and how a refusal reads.
import { LookupEventsCommand } from "@aws-sdk/client-cloudtrail";
import { DescribeInstancesCommand, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import {
  DeleteRolePolicyCommand,
  GetRoleCommand,
  ListRolesCommand,
  PutRolePermissionsBoundaryCommand,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { describe, expect, it } from "vitest";
import { sleep } from "../../src/core/clock.ts";
import { allowAll, type PolicyJson, type Seed, trusts } from "../../src/localcloud/seed.ts";
import { assume, cloudtrail, ec2, iam, type Keys, refusal, s3, sharedCloud, sts } from "./clients.ts";

const ACCOUNT = "123456789012";
const ROLE = `arn:aws:iam::${ACCOUNT}:role/agent`;
const SESSION = `arn:aws:sts::${ACCOUNT}:assumed-role/agent/sess_0a1b2c3d`;
const policy = (...Statement: PolicyJson[]): PolicyJson => ({ Version: "2012-10-17", Statement });
const allow = (Action: string | string[], more: PolicyJson = {}): PolicyJson => ({ Effect: "Allow", Action, Resource: "*", ...more });
const deny = (Action: string | string[], more: PolicyJson = {}): PolicyJson => ({ Effect: "Deny", Action, Resource: "*", ...more });

const seed: Seed = {
  account: ACCOUNT,
  region: "us-east-1",
  users: [
    { name: "dev", policies: { all: allowAll } },
    { name: "nobody" },
    { name: "bounded", policies: { all: allowAll }, boundary: "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess" },
    {
      name: "one-folder",
      policies: { folder: policy(allow("s3:ListBucket", { Condition: { StringLike: { "s3:prefix": ["team/*"] } } })) },
    },
    { name: "owner", policies: { own: policy(allow("s3:*", { Resource: "arn:aws:s3:::data/home/\u0024{aws:username}/*" })) } },
    { name: "reader", policies: { read: policy(allow("s3:GetObject")) } },
  ],
  roles: [
    {
      name: "agent",
      trust: trusts(`arn:aws:iam::${ACCOUNT}:user/dev`),
      policies: { broad: policy(allow(["s3:*", "ec2:*", "iam:*"])) },
      tags: { team: "web" },
    },
    {
      name: "by-tag",
      trust: trusts(`arn:aws:iam::${ACCOUNT}:user/dev`),
      policies: {
        tags: policy(
          allow("s3:GetObject", { Condition: { StringEquals: { "aws:PrincipalTag/project": "web" } } }),
          allow("ec2:TerminateInstances", { Condition: { StringEquals: { "aws:ResourceTag/Name": "web-1" } } }),
          allow("s3:ListAllMyBuckets", {
            Condition: {
              StringEquals: { "aws:SourceIdentity": "ada", "aws:RequestedRegion": "us-east-1" },
              IpAddress: { "aws:SourceIp": "127.0.0.0/8" },
              Bool: { "aws:SecureTransport": "false" },
            },
          }),
        ),
      },
    },
  ],
  policies: { "no-ec2": policy(allow("*"), deny("ec2:*")) },
  buckets: { data: { k: "v", "home/owner/x": "1", "team/a": "1" } },
  instances: ["web-1", "web-2"],
};

const cloud = await sharedCloud({ seed });

const agent = (...Statement: PolicyJson[]): Promise<Keys> =>
  assume(cloud, { RoleArn: ROLE, ...(Statement.length > 0 && { Policy: JSON.stringify(policy(...Statement)) }) });
const text = (action: string, resource: string, reason: string, who = SESSION): string =>
  `User: ${who} is not authorized to perform: ${action}${resource && ` on resource: ${resource}`} ${reason}`;

describe("a session policy", () => {
  it("bounds a broad role: what it does not allow is refused, and the refusal says so", async () => {
    const keys = await agent(allow(["s3:Get*", "s3:List*"]));
    await expect(s3(cloud, keys).send(new GetObjectCommand({ Bucket: "data", Key: "k" }))).resolves.toBeDefined();
    expect(await refusal(s3(cloud, keys).send(new DeleteObjectCommand({ Bucket: "data", Key: "k" })))).toEqual({
      code: "AccessDenied",
      status: 403,
      message: text("s3:DeleteObject", '"arn:aws:s3:::data/k"', "because no session policy allows the s3:DeleteObject action"),
    });
    expect((await refusal(iam(cloud, keys).send(new GetRoleCommand({ RoleName: "agent" })))).message).toBe(
      text("iam:GetRole", "role agent", "because no session policy allows the iam:GetRole action"),
    );
  });

  it("denies explicitly, in the words of each service", async () => {
    const keys = await agent(allow("*"), deny(["s3:Delete*", "ec2:Terminate*", "iam:Put*", "cloudtrail:*"]));
    const reason = "with an explicit deny in a session policy";
    expect(await refusal(s3(cloud, keys).send(new DeleteObjectCommand({ Bucket: "data", Key: "k" })))).toEqual({
      code: "AccessDenied",
      status: 403,
      message: text("s3:DeleteObject", '"arn:aws:s3:::data/k"', reason),
    });
    const all = await ec2(cloud, keys).send(new DescribeInstancesCommand({}));
    const id = all.Reservations?.[0]?.Instances?.[0]?.InstanceId ?? "";
    expect(await refusal(ec2(cloud, keys).send(new TerminateInstancesCommand({ InstanceIds: [id] })))).toEqual({
      code: "UnauthorizedOperation",
      status: 403,
      message: `You are not authorized to perform this operation. ${text("ec2:TerminateInstances", `arn:aws:ec2:us-east-1:${ACCOUNT}:instance/${id}`, reason)}`,
    });
    const put = new PutRolePolicyCommand({ RoleName: "agent", PolicyName: "more", PolicyDocument: JSON.stringify(allowAll) });
    expect((await refusal(iam(cloud, keys).send(put))).message).toBe(text("iam:PutRolePolicy", "role agent", reason));
    expect(await refusal(cloudtrail(cloud, keys).send(new LookupEventsCommand({})))).toEqual({
      code: "AccessDeniedException",
      status: 400,
      message: text("cloudtrail:LookupEvents", "", reason),
    });
    const many = await s3(cloud, keys).send(new DeleteObjectsCommand({ Bucket: "data", Delete: { Objects: [{ Key: "k" }] } }));
    expect(many.Errors).toEqual([{ Key: "k", Code: "AccessDenied", Message: text("s3:DeleteObject", '"arn:aws:s3:::data/k"', reason) }]);
    expect(await sts(cloud, keys).send(new GetCallerIdentityCommand({}))).toMatchObject({ Arn: SESSION });
  });

  it("adds nothing to what the role may do", async () => {
    const keys = await agent(allow("*"));
    expect((await refusal(cloudtrail(cloud, keys).send(new LookupEventsCommand({})))).message).toBe(
      text("cloudtrail:LookupEvents", "", "because no identity-based policy allows the cloudtrail:LookupEvents action"),
    );
  });

  it("may be a managed one, and only what all of role, inline and managed policies allow is allowed", async () => {
    const keys = await assume(cloud, { RoleArn: ROLE, PolicyArns: [{ arn: "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess" }] });
    await expect(s3(cloud, keys).send(new ListBucketsCommand({}))).resolves.toBeDefined();
    expect((await refusal(ec2(cloud, keys).send(new DescribeInstancesCommand({})))).message).toContain(
      "because no session policy allows the ec2:DescribeInstances action",
    );
  });

  it("ends at a time that it names", async () => {
    const end = new Date(Math.ceil(Date.now() / 1000) * 1000 + 1000);
    const keys = await agent(allow("*"), deny("*", { Condition: { DateGreaterThan: { "aws:CurrentTime": end.toISOString() } } }));
    const list = () => s3(cloud, keys).send(new ListBucketsCommand({}));
    await expect(list()).resolves.toBeDefined();
    await sleep(end.getTime() - Date.now() + 50);
    expect((await refusal(list())).message).toContain("with an explicit deny in a session policy");
  });
});

describe("policies of users and roles", () => {
  it("allow nothing when there are none", async () => {
    const who = `arn:aws:iam::${ACCOUNT}:user/nobody`;
    const keys = cloud.keys("nobody");
    expect((await refusal(s3(cloud, keys).send(new ListBucketsCommand({})))).message).toBe(
      text("s3:ListAllMyBuckets", '"arn:aws:s3:::*"', "because no identity-based policy allows the s3:ListAllMyBuckets action", who),
    );
    expect((await refusal(iam(cloud, keys).send(new ListRolesCommand({})))).message).toBe(
      text("iam:ListRoles", `arn:aws:iam::${ACCOUNT}:role/`, "because no identity-based policy allows the iam:ListRoles action", who),
    );
    await expect(sts(cloud, keys).send(new GetCallerIdentityCommand({}))).resolves.toMatchObject({ Arn: who });
  });

  it("do not bind the root user", async () => {
    const keys = cloud.keys("root");
    await expect(s3(cloud, keys).send(new ListBucketsCommand({}))).resolves.toBeDefined();
    expect((await sts(cloud, keys).send(new GetCallerIdentityCommand({}))).Arn).toBe(`arn:aws:iam::${ACCOUNT}:root`);
  });

  it("are cut by a permissions boundary", async () => {
    const keys = cloud.keys("bounded");
    await expect(s3(cloud, keys).send(new GetObjectCommand({ Bucket: "data", Key: "k" }))).resolves.toBeDefined();
    expect((await refusal(s3(cloud, keys).send(new PutObjectCommand({ Bucket: "data", Key: "k", Body: "x" })))).message).toBe(
      text(
        "s3:PutObject",
        '"arn:aws:s3:::data/k"',
        "because no permissions boundary allows the s3:PutObject action",
        `arn:aws:iam::${ACCOUNT}:user/bounded`,
      ),
    );
  });

  it("see the prefix of a listing", async () => {
    const client = s3(cloud, cloud.keys("one-folder"));
    await expect(client.send(new ListObjectsV2Command({ Bucket: "data", Prefix: "team/" }))).resolves.toMatchObject({ KeyCount: 1 });
    expect((await refusal(client.send(new ListObjectsV2Command({ Bucket: "data" })))).code).toBe("AccessDenied");
    expect((await refusal(client.send(new ListObjectsV2Command({ Bucket: "data", Prefix: "home/" })))).code).toBe("AccessDenied");
  });

  it("see the caller's name in a variable", async () => {
    const client = s3(cloud, cloud.keys("owner"));
    await expect(client.send(new PutObjectCommand({ Bucket: "data", Key: "home/owner/y", Body: "1" }))).resolves.toBeDefined();
    expect((await refusal(client.send(new PutObjectCommand({ Bucket: "data", Key: "home/dev/y", Body: "1" })))).code).toBe("AccessDenied");
  });

  it("without s3:ListBucket hide whether an object is there", async () => {
    expect(await refusal(s3(cloud, cloud.keys("reader")).send(new GetObjectCommand({ Bucket: "data", Key: "none" })))).toMatchObject({
      code: "AccessDenied",
      status: 403,
    });
    expect((await refusal(s3(cloud).send(new GetObjectCommand({ Bucket: "data", Key: "none" })))).code).toBe("NoSuchKey");
  });

  it("see session tags, source identity, region, address and the tags of a resource", async () => {
    const RoleArn = `arn:aws:iam::${ACCOUNT}:role/by-tag`;
    const web = await assume(cloud, { RoleArn, SourceIdentity: "ada", Tags: [{ Key: "project", Value: "web" }] });
    const bank = await assume(cloud, { RoleArn, SourceIdentity: "eve", Tags: [{ Key: "project", Value: "bank" }] });
    await expect(s3(cloud, web).send(new GetObjectCommand({ Bucket: "data", Key: "k" }))).resolves.toBeDefined();
    expect((await refusal(s3(cloud, bank).send(new GetObjectCommand({ Bucket: "data", Key: "k" })))).code).toBe("AccessDenied");
    await expect(s3(cloud, web).send(new ListBucketsCommand({}))).resolves.toBeDefined();
    expect((await refusal(s3(cloud, bank).send(new ListBucketsCommand({})))).code).toBe("AccessDenied");
    const all =
      (await ec2(cloud).send(new DescribeInstancesCommand({}))).Reservations?.map((one) => one.Instances?.[0]?.InstanceId ?? "") ?? [];
    await expect(ec2(cloud, web).send(new TerminateInstancesCommand({ InstanceIds: all.slice(0, 1) }))).resolves.toBeDefined();
    expect((await refusal(ec2(cloud, web).send(new TerminateInstancesCommand({ InstanceIds: all })))).code).toBe("UnauthorizedOperation");
  });
});

describe("a change of a policy", () => {
  const revoke = (session: string): PolicyJson =>
    policy(deny("*", { Condition: { StringEquals: { "aws:PrincipalTag/agent-session": session } } }));
  const tagged = (session: string): Promise<Keys> => assume(cloud, { RoleArn: ROLE, Tags: [{ Key: "agent-session", Value: session }] });
  const list = (keys: Keys) => s3(cloud, keys).send(new ListBucketsCommand({}));

  it("takes effect after the propagation delay, for the tagged session alone, and is seen by reads at once", async () => {
    const [one, other] = [await tagged("sess_00000001"), await tagged("sess_00000002")];
    cloud.switches.apply({ propagationSeconds: 1 });
    const started = Date.now();
    await iam(cloud).send(
      new PutRolePolicyCommand({ RoleName: "agent", PolicyName: "revoke", PolicyDocument: JSON.stringify(revoke("sess_00000001")) }),
    );
    const documentNow = (await iam(cloud).send(new GetRoleCommand({ RoleName: "agent" }))).Role?.Arn;
    expect(documentNow).toBe(ROLE);
    await expect(list(one)).resolves.toBeDefined();
    expect(Date.now() - started).toBeLessThan(1000);
    await sleep(1100 - (Date.now() - started));
    expect(await refusal(list(one))).toMatchObject({
      code: "AccessDenied",
      message: text("s3:ListAllMyBuckets", '"arn:aws:s3:::*"', "with an explicit deny in an identity-based policy"),
    });
    await expect(sts(cloud, one).send(new GetCallerIdentityCommand({}))).resolves.toBeDefined();
    await expect(list(other)).resolves.toBeDefined();
    await iam(cloud).send(new DeleteRolePolicyCommand({ RoleName: "agent", PolicyName: "revoke" }));
    expect((await refusal(list(one))).code).toBe("AccessDenied");
    await sleep(1100);
    await expect(list(one)).resolves.toBeDefined();
    cloud.switches.apply({ propagationSeconds: 0 });
  });

  it("may cut by the time a token was issued, and by the caller's id", async () => {
    const older = await agent();
    await sleep(20);
    const cut = new Date().toISOString();
    await sleep(20);
    const newer = await agent();
    const document = policy(
      deny("*", { Condition: { DateLessThan: { "aws:TokenIssueTime": cut } } }),
      deny("ec2:*", { Condition: { StringLike: { "aws:userid": "*:sess_0a1b2c3d" } } }),
    );
    await iam(cloud).send(new PutRolePolicyCommand({ RoleName: "agent", PolicyName: "older", PolicyDocument: JSON.stringify(document) }));
    expect((await refusal(list(older))).code).toBe("AccessDenied");
    await expect(list(newer)).resolves.toBeDefined();
    expect((await refusal(ec2(cloud, newer).send(new DescribeInstancesCommand({})))).code).toBe("UnauthorizedOperation");
    await iam(cloud).send(new DeleteRolePolicyCommand({ RoleName: "agent", PolicyName: "older" }));
  });

  it("may be a boundary on the role, whose deny is named", async () => {
    const keys = await agent();
    await iam(cloud).send(
      new PutRolePermissionsBoundaryCommand({ RoleName: "agent", PermissionsBoundary: `arn:aws:iam::${ACCOUNT}:policy/no-ec2` }),
    );
    expect((await refusal(ec2(cloud, keys).send(new DescribeInstancesCommand({})))).message).toContain(
      "with an explicit deny in a permissions boundary",
    );
    await expect(list(keys)).resolves.toBeDefined();
  });
});
