// The same calls against moto, an emulator that others wrote: answers must have the same shape, errors the same code and status. Where the two differ on purpose, the row says why.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import {
  DescribeInstancesCommand,
  EC2Client,
  RunInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import * as IAM from "@aws-sdk/client-iam";
import * as S3 from "@aws-sdk/client-s3";
import {
  AssumeRoleCommand,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
  STSClient,
} from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LocalCloud, startLocalCloud } from "../../src/localcloud/cloud.ts";
import { DEMO_ROLE, demoSeed } from "../../src/localcloud/seed.ts";
import { has, programs, refusal, settings } from "./clients.ts";

const reason = has("moto")
  ? ""
  : ` (skipped: no ${programs.moto}: python3 -m venv .venv && .venv/bin/pip install 'moto[server]' boto3 awscli)`;

/** One cloud as the table sees it. */
interface Side {
  readonly sts: STSClient;
  readonly iam: IAM.IAMClient;
  readonly s3: S3.S3Client;
  readonly ec2: EC2Client;
  /** An instance that is there. */
  readonly instance: string;
}

function side(url: string, keys: { accessKeyId: string; secretAccessKey: string }): Omit<Side, "instance"> {
  const config = settings({ url }, keys);
  return { sts: new STSClient(config), iam: new IAM.IAMClient(config), s3: new S3.S3Client(config), ec2: new EC2Client(config) };
}

const ROLE = `arn:aws:iam::123456789012:role/${DEMO_ROLE}`;
const Bucket = "acme-data";
const TRUST = JSON.stringify(demoSeed.roles[0]?.trust);
const POLICY = JSON.stringify(demoSeed.roles[0]?.policies?.["team-access"]);

/** Gives moto what the demo seed has. */
async function plant(moto: Omit<Side, "instance">): Promise<string> {
  await moto.iam.send(new IAM.CreateRoleCommand({ RoleName: DEMO_ROLE, AssumeRolePolicyDocument: TRUST, MaxSessionDuration: 14_400 }));
  await moto.iam.send(new IAM.PutRolePolicyCommand({ RoleName: DEMO_ROLE, PolicyName: "team-access", PolicyDocument: POLICY }));
  for (const [name, objects] of Object.entries(demoSeed.buckets)) {
    await moto.s3.send(new S3.CreateBucketCommand({ Bucket: name }));
    for (const [Key, Body] of Object.entries(objects)) await moto.s3.send(new S3.PutObjectCommand({ Bucket: name, Key, Body }));
  }
  const ran = await moto.ec2.send(new RunInstancesCommand({ ImageId: "ami-12c6146b", MinCount: 1, MaxCount: 1, InstanceType: "t3.micro" }));
  return ran.Instances?.[0]?.InstanceId ?? "";
}

/** Objects that both got from the same client, checksums and all: the seed's have none. */
async function same({ s3 }: Omit<Side, "instance">): Promise<void> {
  for (const Key of ["listed/a", "listed/b", "listed/c/d"]) await s3.send(new S3.PutObjectCommand({ Bucket, Key, Body: Key }));
}

let cloud: LocalCloud;
let moto: ChildProcess | undefined;
let ours: Side;
let theirs: Side;
beforeAll(async () => {
  if (!has("moto")) return;
  cloud = await startLocalCloud();
  const instance =
    (await side(cloud.url, cloud.admin).ec2.send(new DescribeInstancesCommand({}))).Reservations?.[0]?.Instances?.[0]?.InstanceId ?? "";
  ours = { ...side(cloud.url, cloud.admin), instance };
  moto = spawn(programs.moto, ["-H", "127.0.0.1", "-p", "0"], {
    env: { PATH: "/usr/bin:/bin", HOME: "/nonexistent", PYTHONUNBUFFERED: "1", AWS_DEFAULT_REGION: "us-east-1" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const url = await motoUrl(moto);
  const open = side(url, { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "any" });
  theirs = { ...open, instance: await plant(open) };
  await Promise.all([same(ours), same(theirs)]);
}, 60_000);
afterAll(async () => {
  if (moto && moto.exitCode === null) {
    moto.kill("SIGKILL");
    await once(moto, "exit");
  }
  await cloud?.[Symbol.asyncDispose]();
});

async function motoUrl(child: ChildProcess): Promise<string> {
  if (!child.stderr) throw new Error("moto has no stderr");
  for await (const line of createInterface({ input: child.stderr })) {
    const found = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1];
    if (found) {
      child.stderr.resume();
      return found;
    }
  }
  throw new Error("moto ended before it listened");
}

/** The type of each value by its place, `Contents[].Key`, lists by their first entry. */
function shape(value: unknown, place = ""): [place: string, type: string][] {
  if (value instanceof Date) return [[place, "date"]];
  if (Array.isArray(value)) return value.length > 0 ? shape(value[0], `${place}[]`) : [[place, "empty"]];
  if (typeof value !== "object" || value === null) return [[place, typeof value]];
  if (value.constructor !== Object) return [[place, "stream"]];
  const entries = Object.entries(value).filter(([name, entry]) => entry !== undefined && name !== "$metadata");
  return entries.flatMap(([name, entry]) => shape(entry, place ? `${place}.${name}` : name));
}

type Call = (side: Side) => Promise<unknown>;
const assume =
  (input: object): Call =>
  ({ sts }) =>
    sts.send(new AssumeRoleCommand({ RoleArn: ROLE, RoleSessionName: "sess_0a1b2c3d", ...input }));

interface Row {
  readonly call: Call;
  /** Places in the answer where the two may differ, each with the reason. */
  readonly differs?: Readonly<Record<string, string>>;
}

const answers: Record<string, Row> = {
  GetCallerIdentity: { call: ({ sts }) => sts.send(new GetCallerIdentityCommand({})) },
  AssumeRole: {
    call: assume({ DurationSeconds: 900 }),
    differs: { PackedPolicySize: "AWS gives it only when a policy or tags were sent; moto always says 6" },
  },
  "AssumeRole with policy, tags and source identity": {
    call: assume({ Policy: POLICY, Tags: [{ Key: "a", Value: "b" }], TransitiveTagKeys: ["a"], SourceIdentity: "ada" }),
    differs: { SourceIdentity: "moto does not give it back" },
  },
  GetSessionToken: { call: ({ sts }) => sts.send(new GetSessionTokenCommand({})) },
  GetFederationToken: {
    call: ({ sts }) => sts.send(new GetFederationTokenCommand({ Name: "agent", Policy: POLICY })),
  },
  GetRole: {
    call: async ({ iam }) => ({ ...(await iam.send(new IAM.GetRoleCommand({ RoleName: DEMO_ROLE }))).Role, RoleLastUsed: undefined }),
  },
  ListRoles: { call: async ({ iam }) => (await iam.send(new IAM.ListRolesCommand({}))).Roles?.find((role) => role.RoleName === DEMO_ROLE) },
  GetRolePolicy: { call: ({ iam }) => iam.send(new IAM.GetRolePolicyCommand({ RoleName: DEMO_ROLE, PolicyName: "team-access" })) },
  ListRolePolicies: { call: ({ iam }) => iam.send(new IAM.ListRolePoliciesCommand({ RoleName: DEMO_ROLE })) },
  ListAttachedRolePolicies: {
    call: async ({ iam }) => {
      await iam.send(new IAM.CreatePolicyCommand({ PolicyName: "extra", PolicyDocument: POLICY }));
      await iam.send(new IAM.AttachRolePolicyCommand({ RoleName: DEMO_ROLE, PolicyArn: "arn:aws:iam::123456789012:policy/extra" }));
      return iam.send(new IAM.ListAttachedRolePoliciesCommand({ RoleName: DEMO_ROLE }));
    },
  },
  GetPolicy: {
    call: async ({ iam }) => (await iam.send(new IAM.GetPolicyCommand({ PolicyArn: "arn:aws:iam::123456789012:policy/extra" }))).Policy,
    differs: { PermissionsBoundaryUsageCount: "moto does not count" },
  },
  GetPolicyVersion: {
    call: ({ iam }) => iam.send(new IAM.GetPolicyVersionCommand({ PolicyArn: "arn:aws:iam::123456789012:policy/extra", VersionId: "v1" })),
  },
  PutObject: {
    call: ({ s3 }) => s3.send(new S3.PutObjectCommand({ Bucket, Key: "new", Body: "x", Metadata: { a: "b" } })),
    differs: { ChecksumType: "AWS says FULL_OBJECT; moto does not" },
  },
  GetObject: {
    call: ({ s3 }) => s3.send(new S3.GetObjectCommand({ Bucket, Key: "new" })),
    differs: { ChecksumType: "AWS says FULL_OBJECT; moto does not" },
  },
  HeadObject: {
    call: ({ s3 }) => s3.send(new S3.HeadObjectCommand({ Bucket, Key: "new" })),
  },
  "GetObject of a range": {
    call: ({ s3 }) => s3.send(new S3.GetObjectCommand({ Bucket, Key: "orders/2026-10.csv", Range: "bytes=1-3" })),
  },
  ListObjectsV2: {
    call: ({ s3 }) => s3.send(new S3.ListObjectsV2Command({ Bucket, Prefix: "listed/", Delimiter: "/", MaxKeys: 1 })),
    differs: { "Contents[].ChecksumType": "AWS says FULL_OBJECT; moto does not" },
  },
  ListObjects: {
    call: ({ s3 }) => s3.send(new S3.ListObjectsCommand({ Bucket, Prefix: "listed/", Delimiter: "/" })),
    differs: {
      Marker: "AWS gives an empty one; moto none",
      "Contents[].ChecksumAlgorithm[]": "AWS gives it in both listings; moto in the second only",
      "Contents[].ChecksumType": "AWS says FULL_OBJECT; moto does not",
    },
  },
  ListBuckets: { call: ({ s3 }) => s3.send(new S3.ListBucketsCommand({})) },
  HeadBucket: { call: ({ s3 }) => s3.send(new S3.HeadBucketCommand({ Bucket })) },
  GetBucketLocation: { call: ({ s3 }) => s3.send(new S3.GetBucketLocationCommand({ Bucket })) },
  GetBucketVersioning: { call: ({ s3 }) => s3.send(new S3.GetBucketVersioningCommand({ Bucket })) },
  CopyObject: {
    call: async ({ s3 }) =>
      (await s3.send(new S3.CopyObjectCommand({ Bucket, Key: "copy", CopySource: `${Bucket}/new` }))).CopyObjectResult,
    differs: { ChecksumType: "AWS says FULL_OBJECT; moto does not" },
  },
  DeleteObjects: { call: ({ s3 }) => s3.send(new S3.DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: "copy" }] } })) },
  DeleteObject: { call: ({ s3 }) => s3.send(new S3.DeleteObjectCommand({ Bucket, Key: "new" })) },
  "a multipart upload": {
    call: async ({ s3 }) => {
      const { UploadId } = await s3.send(new S3.CreateMultipartUploadCommand({ Bucket, Key: "parts" }));
      const { ETag } = await s3.send(new S3.UploadPartCommand({ Bucket, Key: "parts", UploadId, PartNumber: 1, Body: "only" }));
      const listed = await s3.send(new S3.ListPartsCommand({ Bucket, Key: "parts", UploadId }));
      const done = await s3.send(
        new S3.CompleteMultipartUploadCommand({ Bucket, Key: "parts", UploadId, MultipartUpload: { Parts: [{ ETag, PartNumber: 1 }] } }),
      );
      return { listed: listed.Parts?.map((part) => part.ETag), tag: done.ETag, bucket: done.Bucket, key: done.Key };
    },
  },
  StopInstances: { call: ({ ec2, instance }) => ec2.send(new StopInstancesCommand({ InstanceIds: [instance] })) },
  TerminateInstances: { call: ({ ec2, instance }) => ec2.send(new TerminateInstancesCommand({ InstanceIds: [instance] })) },
};

/** Not in here: durations and names of AssumeRole, which moto does not check, and a part of an unknown upload, on which it fails. */
const errors: Record<string, Call> = {
  "a role that is not there": ({ iam }) => iam.send(new IAM.GetRoleCommand({ RoleName: "ghost" })),
  "a role that is there already": ({ iam }) =>
    iam.send(new IAM.CreateRoleCommand({ RoleName: DEMO_ROLE, AssumeRolePolicyDocument: TRUST })),
  "a role with policies, deleted": ({ iam }) => iam.send(new IAM.DeleteRoleCommand({ RoleName: DEMO_ROLE })),
  "a role policy that is not there": ({ iam }) => iam.send(new IAM.GetRolePolicyCommand({ RoleName: DEMO_ROLE, PolicyName: "ghost" })),
  "a role policy that is no JSON": ({ iam }) =>
    iam.send(new IAM.PutRolePolicyCommand({ RoleName: DEMO_ROLE, PolicyName: "bad", PolicyDocument: "{" })),
  "a managed policy that is not there": ({ iam }) =>
    iam.send(new IAM.GetPolicyCommand({ PolicyArn: "arn:aws:iam::123456789012:policy/ghost" })),
  "a policy that is not attached": ({ iam }) =>
    iam.send(new IAM.DetachRolePolicyCommand({ RoleName: DEMO_ROLE, PolicyArn: "arn:aws:iam::123456789012:policy/ghost" })),
  "a user that is not there": ({ iam }) => iam.send(new IAM.GetUserCommand({ UserName: "ghost" })),
  "an object that is not there": ({ s3 }) => s3.send(new S3.GetObjectCommand({ Bucket, Key: "ghost" })),
  "the head of an object that is not there": ({ s3 }) => s3.send(new S3.HeadObjectCommand({ Bucket, Key: "ghost" })),
  "a bucket that is not there": ({ s3 }) => s3.send(new S3.ListObjectsV2Command({ Bucket: "no-such-bucket-here" })),
  "the head of a bucket that is not there": ({ s3 }) => s3.send(new S3.HeadBucketCommand({ Bucket: "no-such-bucket-here" })),
  "a bucket that is not empty, deleted": ({ s3 }) => s3.send(new S3.DeleteBucketCommand({ Bucket })),
  "a range behind the end": ({ s3 }) => s3.send(new S3.GetObjectCommand({ Bucket, Key: "reports/q3.txt", Range: "bytes=1000-" })),
  "another tag than If-Match": ({ s3 }) => s3.send(new S3.GetObjectCommand({ Bucket, Key: "reports/q3.txt", IfMatch: '"x"' })),
  "an object that If-None-Match forbids": ({ s3 }) =>
    s3.send(new S3.PutObjectCommand({ Bucket, Key: "reports/q3.txt", Body: "", IfNoneMatch: "*" })),
  "a copy of what is not there": ({ s3 }) => s3.send(new S3.CopyObjectCommand({ Bucket, Key: "k", CopySource: `${Bucket}/ghost` })),
  "an instance that is not there": ({ ec2 }) => ec2.send(new TerminateInstancesCommand({ InstanceIds: ["i-0123456789abcdef0"] })),
  "a dry run": ({ ec2, instance }) => ec2.send(new StopInstancesCommand({ InstanceIds: [instance], DryRun: true })),
};

describe("beside moto", () => {
  const here = it.skipIf(!has("moto"));

  here.each(Object.entries(answers))(`%s has the same shape${reason}`, async (_title, { call, differs = {} }) => {
    const [own, other] = (await Promise.all([call(ours), call(theirs)])).map((answer) => new Map(shape(answer)));
    const places = [...new Set([...(own?.keys() ?? []), ...(other?.keys() ?? [])])].filter(
      (place) => own?.get(place) !== other?.get(place),
    );
    const found = places.map((place) => `${place}: ${own?.get(place)} here, ${other?.get(place)} there`);
    expect(places.sort(), found.join("; ")).toEqual(Object.keys(differs).sort());
  });

  here.each(Object.entries(errors))(`%s is the same error${reason}`, async (_title, call) => {
    const [own, other] = await Promise.all([refusal(call(ours)), refusal(call(theirs))]);
    expect([own.code, own.status]).toEqual([other.code, other.status]);
  });
});
