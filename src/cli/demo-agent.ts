// `agent-run demo-agent` (hidden): the scripted agent of a demo without a terminal. Uses the AWS SDK as any agent would, and says what it saw.
import type { Command } from "./command.ts";

interface Attempt {
  readonly what: string;
  /** Whether the demo's role is expected to be allowed to. */
  readonly allowed: boolean;
  run(): Promise<string>;
}

export const demoAgent: Command = {
  name: "demo-agent",
  usage: "demo-agent",
  summary: "the scripted agent of the demo",
  options: [],
  async run(_values, _words, { print }) {
    let asExpected = true;
    for (const attempt of await attempts()) {
      const { allowed, text } = await outcome(attempt);
      if (allowed !== attempt.allowed) asExpected = false;
      print.text(`${allowed ? "allowed" : "denied "}  ${attempt.what}`);
      print.text(`         ${text}`);
    }
    return asExpected ? 0 : 1;
  },
};

async function outcome(attempt: Attempt): Promise<{ allowed: boolean; text: string }> {
  try {
    return { allowed: true, text: await attempt.run() };
  } catch (error) {
    if (error instanceof Error && /AccessDenied|UnauthorizedOperation/.test(error.name)) return { allowed: false, text: error.message };
    throw error;
  }
}

async function attempts(): Promise<Attempt[]> {
  const [sts, s3, ec2] = await Promise.all([import("@aws-sdk/client-sts"), import("@aws-sdk/client-s3"), import("@aws-sdk/client-ec2")]);
  const stsClient = new sts.STSClient({});
  const s3Client = new s3.S3Client({});
  const ec2Client = new ec2.EC2Client({});
  const instances = async () => {
    const { Reservations = [] } = await ec2Client.send(new ec2.DescribeInstancesCommand({}));
    return Reservations.flatMap(({ Instances = [] }) => Instances.map((instance) => instance.InstanceId ?? ""));
  };
  const buckets = async () => (await s3Client.send(new s3.ListBucketsCommand({}))).Buckets?.map((bucket) => bucket.Name ?? "") ?? [];
  const [bucket = ""] = await buckets();
  const objects = async () =>
    (await s3Client.send(new s3.ListObjectsV2Command({ Bucket: bucket }))).Contents?.map((object) => object.Key ?? "") ?? [];
  const [key = ""] = await objects();
  const [instance = ""] = await instances();
  return [
    {
      what: "sts get-caller-identity",
      allowed: true,
      run: async () => (await stsClient.send(new sts.GetCallerIdentityCommand({}))).Arn ?? "",
    },
    { what: `s3 ls s3://${bucket}`, allowed: true, run: async () => (await objects()).join(", ") },
    {
      what: `s3 cp s3://${bucket}/${key} -`,
      allowed: true,
      run: async () =>
        `${(await (await s3Client.send(new s3.GetObjectCommand({ Bucket: bucket, Key: key }))).Body?.transformToByteArray())?.length ?? 0} bytes`,
    },
    {
      what: `s3 rm s3://${bucket}/${key}`,
      allowed: false,
      run: async () => {
        await s3Client.send(new s3.DeleteObjectCommand({ Bucket: bucket, Key: key }));
        return "deleted";
      },
    },
    { what: "ec2 describe-instances", allowed: true, run: async () => (await instances()).join(", ") },
    {
      what: `ec2 terminate-instances --instance-ids ${instance}`,
      allowed: false,
      run: async () => {
        await ec2Client.send(new ec2.TerminateInstancesCommand({ InstanceIds: [instance] }));
        return "terminated";
      },
    },
  ];
}
