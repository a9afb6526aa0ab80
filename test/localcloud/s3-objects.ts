// Buckets and objects of the local cloud, by the official SDK. Used by the tests of S3.
import { createHash } from "node:crypto";
import {
  CreateBucketCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  PutObjectCommand,
  type PutObjectCommandOutput,
  type S3Client,
} from "@aws-sdk/client-s3";

let count = 0;

/** Makes a bucket of its own for a test. Gives its name. */
export async function newBucket(client: S3Client): Promise<string> {
  count += 1;
  const Bucket = `bucket-${count}`;
  await client.send(new CreateBucketCommand({ Bucket }));
  return Bucket;
}

export function putText(client: S3Client, Bucket: string, Key: string, Body: string): Promise<PutObjectCommandOutput> {
  return client.send(new PutObjectCommand({ Bucket, Key, Body }));
}

export async function textOf(client: S3Client, input: GetObjectCommandInput): Promise<string> {
  return (await (await client.send(new GetObjectCommand(input))).Body?.transformToString()) ?? "";
}

export const md5 = (data: string | Buffer): string => createHash("md5").update(data).digest("hex");
