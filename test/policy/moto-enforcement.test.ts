// The evaluator against an enforcement that others wrote: moto decides real calls of users and roles with random policies, ours the same requests.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as EC2 from "@aws-sdk/client-ec2";
import * as IAM from "@aws-sdk/client-iam";
import * as S3 from "@aws-sdk/client-s3";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { evaluate } from "../../src/policy/evaluate.ts";
import { parsePolicyValue } from "../../src/policy/parse.ts";

const MOTO = join(import.meta.dirname, "../../.venv/bin/moto_server");
const there = existsSync(MOTO);
const ACCOUNT = "123456789012";
const USER = `arn:aws:iam::${ACCOUNT}:user/judged`;
const ROLE = `arn:aws:iam::${ACCOUNT}:role/judged`;
const SESSION = `arn:aws:sts::${ACCOUNT}:assumed-role/judged/session`;
const ANYTHING = { Effect: "Allow", Action: "*", Resource: "*" };
/** Each set of policies is asked of all requests; by hand SETS=500 looks further. */
const SETS = Number(process.env["SETS"] ?? 15);

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}
interface Clients {
  readonly s3: S3.S3Client;
  readonly ec2: EC2.EC2Client;
  readonly iam: IAM.IAMClient;
}
interface Request {
  readonly action: string;
  readonly resource: string;
  readonly call: (clients: Clients) => Promise<unknown>;
}

const bucket = (name: string): Request[] => [
  { action: "s3:ListBucket", resource: `arn:aws:s3:::${name}`, call: ({ s3 }) => s3.send(new S3.ListObjectsV2Command({ Bucket: name })) },
  {
    action: "s3:GetBucketLocation",
    resource: `arn:aws:s3:::${name}`,
    call: ({ s3 }) => s3.send(new S3.GetBucketLocationCommand({ Bucket: name })),
  },
  {
    action: "s3:GetObject",
    resource: `arn:aws:s3:::${name}/a/b.txt`,
    call: ({ s3 }) => s3.send(new S3.GetObjectCommand({ Bucket: name, Key: "a/b.txt" })),
  },
];
/** Reads whose action and resource are the same in AWS's reference and in moto, which knows the resources of S3 only. */
const requests: readonly Request[] = [
  ...bucket("orders"),
  ...bucket("orders-2027"),
  { action: "ec2:DescribeInstances", resource: "*", call: ({ ec2 }) => ec2.send(new EC2.DescribeInstancesCommand({})) },
  { action: "ec2:DescribeVpcs", resource: "*", call: ({ ec2 }) => ec2.send(new EC2.DescribeVpcsCommand({})) },
  { action: "iam:ListUsers", resource: "*", call: ({ iam }) => iam.send(new IAM.ListUsersCommand({})) },
  { action: "iam:ListRoles", resource: "*", call: ({ iam }) => iam.send(new IAM.ListRolesCommand({})) },
];

const actions = fc.constantFrom(
  ...new Set(requests.map(({ action }) => action)),
  ...[
    "*",
    "s3:*",
    "s3:Get*",
    "s3:List*",
    "s3:*Object",
    "s3:PutObject",
    "ec2:*",
    "ec2:Describe*",
    "ec2:*Instances",
    "iam:*",
    "iam:List*",
    "sqs:*",
  ],
);
const resources = fc.constantFrom(
  ...["*", "arn:aws:s3:::*", "arn:aws:s3:::orders", "arn:aws:s3:::orders*", "arn:aws:s3:::orders/*", "arn:aws:s3:::*/a/*"],
  ...["arn:aws:s3:::orders-2027", "arn:aws:s3:::orders-2027/a/b.txt", "arn:aws:s3:::*-2027*", "arn:aws:ec2:*:*:instance/*"],
);
const some = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | T[]> => fc.oneof(one, fc.array(one, { minLength: 1, maxLength: 3 }));
const statement = fc
  .record({
    Effect: fc.constantFrom("Allow", "Allow", "Deny"),
    actions: fc.record({ negated: fc.constantFrom(false, false, false, true), list: some(actions) }),
    Resource: some(resources),
  })
  .map(({ Effect, actions: { negated, list }, Resource }) => ({ Effect, [negated ? "NotAction" : "Action"]: list, Resource }));
const document = fc.array(statement, { minLength: 1, maxLength: 3 }).map((Statement) => ({ Version: "2012-10-17", Statement }));
const policySets = fc.array(document, { minLength: 1, maxLength: 2 });

describe.skipIf(!there)(
  `the evaluator beside moto's enforcement${there ? "" : " (needs .venv/bin/moto_server: pip install 'moto[server]')"}`,
  () => {
    let moto: ChildProcess;
    let url: string;
    let admin: Clients;
    let user: Clients;
    let role: Clients;

    const settings = (credentials: Keys) => ({ endpoint: url, region: "us-east-1", credentials, maxAttempts: 1, forcePathStyle: true });
    const clients = (keys: Keys): Clients => ({
      s3: new S3.S3Client(settings(keys)),
      ec2: new EC2.EC2Client(settings(keys)),
      iam: new IAM.IAMClient(settings(keys)),
    });
    async function keysOf(iam: IAM.IAMClient, UserName: string): Promise<Keys> {
      await iam.send(new IAM.CreateUserCommand({ UserName }));
      const { AccessKey } = await iam.send(new IAM.CreateAccessKeyCommand({ UserName }));
      return { accessKeyId: AccessKey?.AccessKeyId ?? "", secretAccessKey: AccessKey?.SecretAccessKey ?? "" };
    }

    beforeAll(async () => {
      moto = spawn(MOTO, ["-H", "127.0.0.1", "-p", "0"], { stdio: ["ignore", "ignore", "pipe"] });
      url = await new Promise((resolve, reject) => {
        let said = "";
        moto.stderr?.setEncoding("utf8").on("data", (text: string) => {
          said += text;
          const found = /Running on (http:\S+)/.exec(said)?.[1];
          if (found) resolve(found);
        });
        moto.once("exit", () => reject(new Error(`moto ended: ${said}`)));
      });
      const anybody = clients({ accessKeyId: "anybody", secretAccessKey: "at-all" });
      for (const Bucket of ["orders", "orders-2027"]) {
        await anybody.s3.send(new S3.CreateBucketCommand({ Bucket }));
        await anybody.s3.send(new S3.PutObjectCommand({ Bucket, Key: "a/b.txt", Body: "b" }));
      }
      const chief = await keysOf(anybody.iam, "chief");
      const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [ANYTHING] });
      await anybody.iam.send(new IAM.PutUserPolicyCommand({ UserName: "chief", PolicyName: "all", PolicyDocument }));
      user = clients(await keysOf(anybody.iam, "judged"));
      const trust = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { AWS: "*" }, Action: "sts:AssumeRole" }] };
      await anybody.iam.send(new IAM.CreateRoleCommand({ RoleName: "judged", AssumeRolePolicyDocument: JSON.stringify(trust) }));
      const sts = new STSClient(settings(chief));
      const { Credentials: found } = await sts.send(new AssumeRoleCommand({ RoleArn: ROLE, RoleSessionName: "session" }));
      role = clients({
        accessKeyId: found?.AccessKeyId ?? "",
        secretAccessKey: found?.SecretAccessKey ?? "",
        sessionToken: found?.SessionToken ?? "",
      });
      admin = clients(chief);
      // From here on moto checks every call (moto documentation, "IAM-like access control").
      expect((await fetch(`${url}/moto-api/reset-auth`, { method: "POST", body: "0" })).status).toBe(200);
    }, 60_000);
    afterAll(() => {
      moto?.kill("SIGKILL");
    });

    /** Gives both the same policies, and takes those of before away. */
    async function give(policies: readonly object[]): Promise<void> {
      for (const index of [0, 1]) {
        const PolicyName = `p${index}`;
        const PolicyDocument = policies[index] && JSON.stringify(policies[index]);
        const onUser = { UserName: "judged", PolicyName };
        const onRole = { RoleName: "judged", PolicyName };
        if (PolicyDocument) {
          await admin.iam.send(new IAM.PutUserPolicyCommand({ ...onUser, PolicyDocument }));
          await admin.iam.send(new IAM.PutRolePolicyCommand({ ...onRole, PolicyDocument }));
        } else {
          await admin.iam.send(new IAM.DeleteUserPolicyCommand(onUser)).catch(unlessMissing);
          await admin.iam.send(new IAM.DeleteRolePolicyCommand(onRole)).catch(unlessMissing);
        }
      }
    }

    it(`gives the same decision on ${SETS} random sets of policies, for a user and for a role's session`, async () => {
      let decided = 0;
      const outcomes = { allowed: 0, explicitDeny: 0, implicitDeny: 0 };
      for (const policies of fc.sample(policySets, { numRuns: SETS, seed: 20_270_101 })) {
        await give(policies);
        const identity = policies.map((policy) => parsePolicyValue(policy, "random"));
        for (const [principal, caller] of [
          [USER, user],
          [SESSION, role],
        ] as const) {
          for (const { action, resource, call } of requests) {
            const { outcome } = evaluate({ principal, action, resource, context: {} }, { identity });
            const theirs = await allowed(call(caller));
            expect(theirs, `${principal} ${action} ${resource} under ${JSON.stringify(policies)}`).toBe(outcome === "allowed");
            outcomes[outcome] += 1;
            decided += 1;
          }
        }
      }
      expect(decided).toBe(SETS * requests.length * 2);
      for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(decided / 20);
    }, 300_000);

    const listUsers = requests.find(({ action }) => action === "iam:ListUsers");
    const getObject = requests.find(({ action }) => action === "s3:GetObject");
    const getUser: Request = {
      action: "iam:GetUser",
      resource: USER,
      call: ({ iam }) => iam.send(new IAM.GetUserCommand({ UserName: "judged" })),
    };
    const on = (Action: string, Resource: string, more: object = {}): object => ({ Effect: "Allow", Action, Resource, ...more });

    it.each<[what: string, Request | undefined, statements: readonly object[], ours: boolean, theirs: boolean]>([
      ["actions in another case, which AWS does not tell apart", listUsers, [on("IAM:listusers", "*")], true, false],
      ["a question mark, which stands for one character", getObject, [on("s3:GetObject", "arn:aws:s3:::orders/a/?.txt")], true, false],
      [
        "a dot, which stands for itself",
        getObject,
        [on("s3:GetObject", "*"), { Effect: "Deny", Action: "s3:GetObject", Resource: "arn:aws:s3:::orders/a.b.txt" }],
        true,
        false,
      ],
      ["resources of other services than S3, which moto does not know", getUser, [on("iam:GetUser", USER)], true, false],
      [
        "NotResource, which moto does not read",
        getObject,
        [{ Effect: "Allow", Action: "s3:GetObject", NotResource: "arn:aws:s3:::orders/*" }],
        false,
        true,
      ],
      [
        "a condition that does not hold, where moto looks at none",
        listUsers,
        [on("iam:ListUsers", "*", { Condition: { StringEquals: { "aws:RequestedRegion": "mars" } } })],
        false,
        true,
      ],
    ])("differs in %s", async (_what, request, statements, ours, theirs) => {
      if (!request) throw new Error("no such request");
      const policy = { Version: "2012-10-17", Statement: statements };
      await give([policy]);
      const identity = [parsePolicyValue(policy, "policy")];
      expect(
        evaluate({ principal: USER, action: request.action, resource: request.resource, context: {} }, { identity }).outcome === "allowed",
      ).toBe(ours);
      expect(await allowed(request.call(user))).toBe(theirs);
    });
  },
);

function unlessMissing(error: unknown): void {
  if (!(error instanceof Error) || !/NoSuchEntity/.test(error.name)) throw error;
}

/** Whether the call came through; any other failure than a denial is a failure of the test. */
async function allowed(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (error instanceof Error && /^(AccessDenied|UnauthorizedOperation)/.test(error.name)) return false;
    throw error;
  }
}
