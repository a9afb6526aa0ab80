// Clients that we did not write and did not change: Debian's AWS CLI, the newest AWS CLI and boto3, rclone. They must work as with AWS.
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LocalCloud, startLocalCloud } from "../../src/localcloud/cloud.ts";
import { assume, has, type Keys, programs, type Ran, run } from "./clients.ts";

const PIP = "python3 -m venv .venv && .venv/bin/pip install 'moto[server]' boto3 awscli";
const unless = (program: keyof typeof programs, install: string): string =>
  has(program) ? "" : ` (skipped: no ${programs[program]}: ${install})`;

let cloud: LocalCloud;
let folder: string;
beforeAll(async () => {
  cloud = await startLocalCloud();
  folder = mkdtempSync(join(tmpdir(), "stock-clients-"));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await cloud[Symbol.asyncDispose]();
});

const POLICY = JSON.stringify({
  Version: "2012-10-17",
  Statement: [
    { Effect: "Allow", Action: ["s3:Get*", "s3:List*", "ec2:Describe*"], Resource: "*" },
    { Effect: "Deny", Action: ["s3:Delete*", "ec2:Terminate*"], Resource: "*" },
  ],
});

describe.each([
  { name: "Debian's AWS CLI", program: "aws" as const, install: "apt-get install awscli" },
  { name: "the newest AWS CLI", program: "newAws" as const, install: PIP },
])("$name", ({ program, install }) => {
  const here = it.skipIf(!has(program));
  const reason = unless(program, install);
  const aws = (args: string[], keys: Keys = cloud.admin, more = {}): Promise<Ran> =>
    run(programs[program], ["--endpoint-url", cloud.url, "--output", "json", ...args], keys, more);
  const json = async (args: string[], keys: Keys = cloud.admin): Promise<Record<string, unknown>> => {
    const ran = await aws(args, keys);
    expect(ran.stderr).toBe("");
    return JSON.parse(ran.stdout) as Record<string, unknown>;
  };

  here(`assumes a role with everything there is, and is that session then${reason}`, async () => {
    const args = [
      "sts",
      "assume-role",
      "--role-arn",
      cloud.roleArn(),
      "--role-session-name",
      "sess_0a1b2c3d",
      "--duration-seconds",
      "900",
      "--source-identity",
      "ada",
    ];
    const tags = [
      "--tags",
      "Key=agent-actor,Value=claude",
      "Key=project,Value=web",
      "--transitive-tag-keys",
      "agent-actor",
      "project",
      "--policy",
      POLICY,
    ];
    const given = (await json([...args, ...tags])) as {
      Credentials: Record<string, string>;
      PackedPolicySize: number;
      SourceIdentity: string;
    };
    expect(given.SourceIdentity).toBe("ada");
    expect(given.PackedPolicySize).toBeGreaterThan(0);
    const { AccessKeyId = "", SecretAccessKey = "", SessionToken = "" } = given.Credentials;
    const keys = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
    expect(await json(["sts", "get-caller-identity"], keys)).toMatchObject({
      Account: "123456789012",
      Arn: "arn:aws:sts::123456789012:assumed-role/agent-demo/sess_0a1b2c3d",
    });
    const denied = await aws(["s3", "rm", "s3://acme-data/reports/q3.txt"], keys);
    expect(denied.code).toBe(1);
    expect(denied.stderr).toContain(
      'An error occurred (AccessDenied) when calling the DeleteObject operation: User: arn:aws:sts::123456789012:assumed-role/agent-demo/sess_0a1b2c3d is not authorized to perform: s3:DeleteObject on resource: "arn:aws:s3:::acme-data/reports/q3.txt" with an explicit deny in a session policy',
    );
    const ids = (await aws(["ec2", "describe-instances", "--query", "Reservations[].Instances[].InstanceId"], keys)).stdout;
    const terminated = await aws(["ec2", "terminate-instances", "--instance-ids", (JSON.parse(ids) as string[])[0] ?? ""], keys);
    expect(terminated.stderr).toContain(
      "(UnauthorizedOperation) when calling the TerminateInstances operation: You are not authorized to perform this operation.",
    );
    expect((await aws(["sts", "get-caller-identity"], { ...keys, secretAccessKey: "wrong" })).stderr).toContain("(SignatureDoesNotMatch)");
  });

  here(`moves files in and out of S3, also in parts, and lists and removes them${reason}`, async () => {
    const big = join(folder, `${program}.bin`);
    writeFileSync(big, Buffer.alloc(9 * 1024 * 1024, program));
    const up = await aws(["s3", "cp", "--no-progress", big, "s3://acme-data/up/big.bin"]);
    expect([up.code, up.stderr]).toEqual([0, ""]);
    const head = await json(["s3api", "head-object", "--bucket", "acme-data", "--key", "up/big.bin"]);
    expect(head).toMatchObject({ ContentLength: 9 * 1024 * 1024, ETag: expect.stringMatching(/^"[0-9a-f]{32}-2"$/) });
    expect((await aws(["s3", "cp", "--no-progress", "s3://acme-data/up/big.bin", `${big}.back`])).code).toBe(0);
    expect(readFileSync(`${big}.back`).equals(readFileSync(big))).toBe(true);
    const piped = await aws(["s3", "cp", "-", "s3://acme-data/up/ü &.txt"], cloud.admin, { input: "from a pipe\n" });
    expect([piped.code, piped.stderr]).toEqual([0, ""]);
    expect((await aws(["s3", "cp", "s3://acme-data/up/ü &.txt", "-"])).stdout).toBe("from a pipe\n");
    const listed = await aws(["s3", "ls", "s3://acme-data", "--recursive"]);
    expect(listed.stdout).toMatch(/ 9437184 up\/big\.bin\n.* 12 up\/ü &\.txt\n/);
    const removed = await aws(["s3", "rm", "--recursive", "s3://acme-data/up"]);
    expect(removed.code).toBe(0);
    expect((await aws(["s3", "ls", "s3://acme-data/up/"])).stdout).toBe("");
  });

  here(`manages roles and finds what it did in CloudTrail${reason}`, async () => {
    const RoleName = `by-${program}`;
    const trust = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { AWS: "arn:aws:iam::123456789012:user/dev" }, Action: "sts:AssumeRole" }],
    });
    await json(["iam", "create-role", "--role-name", RoleName, "--assume-role-policy-document", trust]);
    expect((await aws(["iam", "put-role-policy", "--role-name", RoleName, "--policy-name", "p", "--policy-document", POLICY])).code).toBe(
      0,
    );
    const read = await json(["iam", "get-role-policy", "--role-name", RoleName, "--policy-name", "p"]);
    expect(read).toMatchObject({ RoleName, PolicyDocument: JSON.parse(POLICY) as object });
    const events = (await json([
      "cloudtrail",
      "lookup-events",
      "--lookup-attributes",
      "AttributeKey=EventName,AttributeValue=PutRolePolicy",
      "--max-items",
      "1",
    ])) as { Events: { Username: string }[] };
    expect(events.Events.map((event) => event.Username)).toEqual(["dev"]);
    const ghost = await aws(["iam", "get-role", "--role-name", "ghost"]);
    expect(ghost.stderr).toContain(
      "An error occurred (NoSuchEntity) when calling the GetRole operation: The role with name ghost cannot be found.",
    );
  });
});

describe("boto3", () => {
  const here = it.skipIf(!has("python"));
  const reason = unless("python", PIP);

  here(`signs, presigns, pages and reads errors as with AWS${reason}`, async () => {
    const script = `
import boto3, botocore.config, io, json, sys, urllib.error, urllib.request
url, role = sys.argv[1], sys.argv[2]
client = lambda name: boto3.client(name, endpoint_url=url)
v4 = botocore.config.Config(signature_version="s3v4")
sts, s3 = client("sts"), boto3.client("s3", endpoint_url=url, config=v4)
out = {"arn": sts.get_caller_identity()["Arn"]}
s3.create_bucket(Bucket="from-boto")
for n in range(5): s3.put_object(Bucket="from-boto", Key=f"k {n}", Body=b"x" * n)
pages = s3.get_paginator("list_objects_v2").paginate(Bucket="from-boto", PaginationConfig={"PageSize": 2})
out["keys"] = [o["Key"] for page in pages for o in page["Contents"]]
s3.upload_fileobj(io.BytesIO(b"y" * (9 * 1024 * 1024)), "from-boto", "big")
out["tag"] = s3.head_object(Bucket="from-boto", Key="big")["ETag"]
link = s3.generate_presigned_url("get_object", Params={"Bucket": "from-boto", "Key": "k 3"}, ExpiresIn=60)
out["presigned"] = urllib.request.urlopen(link).read().decode()
put = s3.generate_presigned_url("put_object", Params={"Bucket": "from-boto", "Key": "put"}, ExpiresIn=60)
out["put"] = urllib.request.urlopen(urllib.request.Request(put, data=b"hello", method="PUT")).status
old = client("s3").generate_presigned_url("get_object", Params={"Bucket": "from-boto", "Key": "k 3"}, ExpiresIn=60)
try: urllib.request.urlopen(old)
except urllib.error.HTTPError as e: out["old"] = [e.code, "Please use AWS4-HMAC-SHA256" in e.read().decode()]
try: s3.get_object(Bucket="from-boto", Key="none")
except s3.exceptions.NoSuchKey as e: out["none"] = e.response["Error"]["Code"]
try: client("iam").get_role(RoleName="ghost")
except Exception as e: out["role"] = type(e).__name__
try: sts.assume_role(RoleArn=role, RoleSessionName="s1", DurationSeconds=20000)
except Exception as e: out["long"] = e.response["Error"]["Message"]
try: sts.assume_role(RoleArn=role, RoleSessionName="s1", Policy="{")
except Exception as e: out["policy"] = type(e).__name__
events = client("cloudtrail").get_paginator("lookup_events").paginate(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "CreateBucket"}])
out["events"] = [json.loads(e["CloudTrailEvent"])["requestParameters"]["bucketName"] for page in events for e in page["Events"]]
print(json.dumps(out))
`;
    const ran = await run(programs.python, ["-c", script, cloud.url, cloud.roleArn()], cloud.admin);
    expect(ran.stderr).toBe("");
    const half = (fill: number): Buffer => createHash("md5").update(Buffer.alloc(fill, "y")).digest();
    const tag = createHash("md5")
      .update(Buffer.concat([half(8 * 1024 * 1024), half(1024 * 1024)]))
      .digest("hex");
    expect(JSON.parse(ran.stdout)).toEqual({
      arn: "arn:aws:iam::123456789012:user/dev",
      keys: ["k 0", "k 1", "k 2", "k 3", "k 4"],
      tag: `"${tag}-2"`,
      presigned: "xxx",
      put: 200,
      old: [400, true],
      none: "NoSuchKey",
      role: "NoSuchEntityException",
      long: "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
      policy: "MalformedPolicyDocumentException",
      events: ["from-boto"],
    });
  });
});

describe("rclone", () => {
  const here = it.skipIf(!has("rclone"));
  const reason = unless("rclone", "apt-get install rclone");
  /** Not provider AWS: that one asks for `bucket.127.0.0.1`, which no resolver knows. */
  const rclone = (args: string[], keys: Keys = cloud.admin): Promise<Ran> => {
    const env = {
      RCLONE_CONFIG_CLOUD_TYPE: "s3",
      RCLONE_CONFIG_CLOUD_PROVIDER: "Other",
      RCLONE_CONFIG_CLOUD_ENV_AUTH: "true",
      RCLONE_CONFIG_CLOUD_ENDPOINT: cloud.url,
      RCLONE_CONFIG_CLOUD_REGION: "us-east-1",
      RCLONE_CONFIG: join(folder, "rclone.conf"),
      HOME: folder,
    };
    return run(programs.rclone, [...args, "--retries", "1", "--low-level-retries", "1"], keys, { env });
  };

  here(`copies a folder there and back, also in parts, and finds both the same${reason}`, async () => {
    const [there, back] = [join(folder, "there"), join(folder, "back")];
    mkdirSync(join(there, "sub folder"), { recursive: true });
    writeFileSync(join(there, "a.txt"), "hello");
    writeFileSync(join(there, "sub folder", "ü (1).txt"), "x".repeat(10_000));
    writeFileSync(join(there, "big.bin"), Buffer.alloc(11 * 1024 * 1024, 7));
    const parts = ["--s3-upload-cutoff", "5Mi", "--s3-chunk-size", "5Mi"];
    const up = await rclone(["copy", there, "cloud:from-rclone/x", ...parts]);
    expect([up.code, up.stderr]).toEqual([0, expect.not.stringContaining("ERROR")]);
    const down = await rclone(["copy", "cloud:from-rclone/x", back]);
    expect([down.code, down.stderr]).toEqual([0, expect.not.stringContaining("ERROR")]);
    expect(readFileSync(join(back, "sub folder", "ü (1).txt"), "utf8")).toBe("x".repeat(10_000));
    const same = await rclone(["check", there, "cloud:from-rclone/x"]);
    expect([same.code, same.stderr]).toEqual([0, expect.stringContaining("0 differences found")]);
    expect((await rclone(["lsf", "-R", "cloud:from-rclone/x"])).stdout.split("\n").sort()).toEqual([
      "",
      "a.txt",
      "big.bin",
      "sub folder/",
      "sub folder/ü (1).txt",
    ]);
    expect((await rclone(["purge", "cloud:from-rclone"])).code).toBe(0);
  });

  here(`is held to a session policy${reason}`, async () => {
    const keys = await assume(cloud, { Policy: POLICY });
    expect((await rclone(["cat", "cloud:acme-data/reports/q3.txt"], keys)).stdout).toContain("Revenue is up.");
    const denied = await rclone(["deletefile", "cloud:acme-data/reports/q3.txt"], keys);
    expect(denied.code).not.toBe(0);
    expect(denied.stderr).toContain("AccessDenied");
    expect((await rclone(["cat", "cloud:acme-data/reports/q3.txt"])).stdout).toContain("Revenue is up.");
  });
});
