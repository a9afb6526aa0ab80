// `demo-aws` in the demo's shell: a few calls of the AWS CLI for a machine without it, through the AWS SDK.
import { AgentRunError, messageOf } from "../core/error.ts";
import type { Command } from "./command.ts";

const USAGE = `demo-aws sts get-caller-identity
demo-aws s3 ls [s3://bucket[/prefix]]
demo-aws s3 rm s3://bucket/key
demo-aws ec2 describe-instances
demo-aws ec2 terminate-instances --instance-ids <id>`;

const calls: Record<string, (words: readonly string[]) => Promise<unknown>> = {
  "sts get-caller-identity": async () => {
    const { STSClient, GetCallerIdentityCommand } = await import("@aws-sdk/client-sts");
    const { UserId, Account, Arn } = await new STSClient({}).send(new GetCallerIdentityCommand({}));
    return { UserId, Account, Arn };
  },
  "s3 ls": async ([place]) => {
    const { S3Client, ListBucketsCommand, ListObjectsV2Command } = await import("@aws-sdk/client-s3");
    if (place === undefined) return (await new S3Client({}).send(new ListBucketsCommand({}))).Buckets?.map((bucket) => bucket.Name);
    const { bucket, key } = locate(place);
    return (await new S3Client({}).send(new ListObjectsV2Command({ Bucket: bucket, Prefix: key }))).Contents?.map((object) => object.Key);
  },
  "s3 rm": async ([place = ""]) => {
    const { S3Client, DeleteObjectCommand } = await import("@aws-sdk/client-s3");
    const { bucket, key } = locate(place);
    await new S3Client({}).send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    return `deleted ${place}`;
  },
  "ec2 describe-instances": async () => {
    const { EC2Client, DescribeInstancesCommand } = await import("@aws-sdk/client-ec2");
    const { Reservations = [] } = await new EC2Client({}).send(new DescribeInstancesCommand({}));
    return Reservations.flatMap(({ Instances = [] }) => Instances.map(({ InstanceId, State }) => ({ InstanceId, State: State?.Name })));
  },
  "ec2 terminate-instances": async ([flag, ...ids]) => {
    const { EC2Client, TerminateInstancesCommand } = await import("@aws-sdk/client-ec2");
    if (flag !== "--instance-ids") throw new AgentRunError("usage", "--instance-ids is missing", { hint: USAGE, exitStatus: 2 });
    return (await new EC2Client({}).send(new TerminateInstancesCommand({ InstanceIds: [...ids] }))).TerminatingInstances;
  },
};

export const demoAws: Command = {
  name: "demo-aws",
  usage: "demo-aws <service> <operation>",
  summary: "a few aws calls for a demo without the AWS CLI",
  options: [],
  stopsAtFirstWord: true,
  async run(_values, words, { print }) {
    const [service = "", operation = "", ...rest] = words;
    const call = calls[`${service} ${operation}`];
    if (!call) {
      print.out(USAGE);
      return 2;
    }
    try {
      const result = await call(rest);
      if (typeof result === "string") print.raw(result);
      else print.json(result);
      return 0;
    } catch (error) {
      if (error instanceof AgentRunError) throw error;
      print.error(`an error occurred (${error instanceof Error ? error.name : "unknown"}): ${messageOf(error)}`);
      return 1;
    }
  },
};

function locate(place: string): { bucket: string; key: string } {
  const match = /^s3:\/\/([^/]+)\/?(.*)$/.exec(place);
  if (!match) throw new AgentRunError("usage", `'${place}' is not of the form s3://bucket/key`, { hint: USAGE, exitStatus: 2 });
  return { bucket: match[1] ?? "", key: match[2] ?? "" };
}
