import { Agent } from "node:http";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetBucketAclCommand,
  GetBucketLocationCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { beforeEach, describe, expect, it } from "vitest";
import { refusal, s3, settings, sharedCloud } from "./clients.ts";
import { md5, newBucket, putText, textOf } from "./s3-objects.ts";

const cloud = await sharedCloud();
const client = s3(cloud);
let Bucket: string;
beforeEach(async () => {
  Bucket = await newBucket(client);
});

const put = (Key: string, Body = Key) => putText(client, Bucket, Key, Body);
const text = (Key: string, more = {}): Promise<string> => textOf(client, { Bucket, Key, ...more });

describe("multipart uploads", () => {
  const size = 5 * 1024 * 1024;
  const start = async (Key: string): Promise<string> =>
    (await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ContentType: "x/y" }))).UploadId ?? "";

  it("join their parts under the MD5 of MD5s, which HEAD gives too", async () => {
    const UploadId = await start("big");
    const bodies = [Buffer.alloc(size, 1), Buffer.alloc(10, 2)];
    const Parts = [];
    for (const [index, Body] of bodies.entries()) {
      const { ETag } = await client.send(new UploadPartCommand({ Bucket, Key: "big", UploadId, PartNumber: index + 1, Body }));
      expect(ETag).toBe(`"${md5(Body)}"`);
      Parts.push({ ETag, PartNumber: index + 1 });
    }
    expect((await client.send(new ListPartsCommand({ Bucket, Key: "big", UploadId }))).Parts?.map(({ Size }) => Size)).toEqual([size, 10]);
    expect((await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads?.map(({ Key }) => Key)).toEqual(["big"]);
    const ETag = `"${md5(Buffer.concat(bodies.map((body) => Buffer.from(md5(body), "hex"))))}-2"`;
    const done = await client.send(new CompleteMultipartUploadCommand({ Bucket, Key: "big", UploadId, MultipartUpload: { Parts } }));
    expect(done.ETag).toBe(ETag);
    expect(await client.send(new HeadObjectCommand({ Bucket, Key: "big" }))).toMatchObject({
      ETag,
      ContentLength: size + 10,
      ContentType: "x/y",
    });
    expect((await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads).toBeUndefined();
  });

  it("may copy a part from an object", async () => {
    await put("source", "0123456789");
    const UploadId = await start("copy");
    const { CopyPartResult } = await client.send(
      new UploadPartCopyCommand({
        Bucket,
        Key: "copy",
        UploadId,
        PartNumber: 1,
        CopySource: `${Bucket}/source`,
        CopySourceRange: "bytes=2-4",
      }),
    );
    const Parts = [{ ETag: CopyPartResult?.ETag, PartNumber: 1 }];
    await client.send(new CompleteMultipartUploadCommand({ Bucket, Key: "copy", UploadId, MultipartUpload: { Parts } }));
    await expect(text("copy")).resolves.toBe("234");
  });

  it("refuse a wrong tag, a wrong order, a part too small, and an upload that is over", async () => {
    const UploadId = await start("big");
    const part = async (PartNumber: number): Promise<{ ETag: string; PartNumber: number }> => {
      const { ETag } = await client.send(new UploadPartCommand({ Bucket, Key: "big", UploadId, PartNumber, Body: `part ${PartNumber}` }));
      return { ETag: ETag ?? "", PartNumber };
    };
    const [one, two] = [await part(1), await part(2)];
    const complete = (Parts: { ETag: string; PartNumber: number }[]) =>
      client.send(new CompleteMultipartUploadCommand({ Bucket, Key: "big", UploadId, MultipartUpload: { Parts } }));
    expect((await refusal(complete([{ ...one, ETag: two.ETag }]))).code).toBe("InvalidPart");
    expect((await refusal(complete([two, one]))).code).toBe("InvalidPartOrder");
    expect((await refusal(complete([one, two]))).code).toBe("EntityTooSmall");
    expect((await refusal(client.send(new UploadPartCommand({ Bucket, Key: "big", UploadId, PartNumber: 10_001, Body: "x" })))).code).toBe(
      "InvalidArgument",
    );
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key: "big", UploadId }));
    expect(await refusal(complete([one]))).toMatchObject({ code: "NoSuchUpload", status: 404 });
    expect((await refusal(text("big"))).code).toBe("NoSuchKey");
  });
});

describe("buckets", () => {
  it("are listed, located and headed, and deleted only when empty", async () => {
    await client.send(new CreateBucketCommand({ Bucket: `${Bucket}-eu`, CreateBucketConfiguration: { LocationConstraint: "eu-west-1" } }));
    expect((await client.send(new ListBucketsCommand({ Prefix: Bucket }))).Buckets?.map(({ Name }) => Name)).toEqual([
      Bucket,
      `${Bucket}-eu`,
    ]);
    expect((await client.send(new GetBucketLocationCommand({ Bucket: `${Bucket}-eu` }))).LocationConstraint).toBe("eu-west-1");
    expect((await client.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint).toBeFalsy();
    expect((await client.send(new HeadBucketCommand({ Bucket: `${Bucket}-eu` }))).BucketRegion).toBe("eu-west-1");
    await put("k");
    expect(await refusal(client.send(new DeleteBucketCommand({ Bucket })))).toMatchObject({ code: "BucketNotEmpty", status: 409 });
    await client.send(new DeleteObjectCommand({ Bucket, Key: "k" }));
    await client.send(new DeleteBucketCommand({ Bucket }));
    expect((await refusal(client.send(new HeadBucketCommand({ Bucket })))).status).toBe(404);
  });

  it("need a name that DNS would take", async () => {
    expect((await refusal(client.send(new CreateBucketCommand({ Bucket: "Not_A_Bucket" })))).code).toBe("InvalidBucketName");
    expect((await refusal(client.send(new CreateBucketCommand({ Bucket: "192.168.5.4" })))).code).toBe("InvalidBucketName");
  });

  it("say NotImplemented for what the local cloud has not", async () => {
    expect(await refusal(client.send(new GetBucketAclCommand({ Bucket })))).toMatchObject({ code: "NotImplemented", status: 501 });
  });

  it("are addressed by host name too", async () => {
    const agent = new Agent({ lookup: (_name, _options, done) => done(null, [{ address: "127.0.0.1", family: 4 }]) });
    const virtual = new S3Client({
      ...settings(cloud, cloud.admin),
      endpoint: `http://s3.localhost:${cloud.port}`,
      requestHandler: { httpAgent: agent },
    });
    await virtual.send(new PutObjectCommand({ Bucket, Key: "by/host", Body: "x" }));
    expect((await virtual.send(new ListObjectsV2Command({ Bucket }))).Contents?.map(({ Key }) => Key)).toEqual(["by/host"]);
    expect(cloud.events().at(-1)?.record["requestParameters"]).toMatchObject({
      Host: `${Bucket}.s3.localhost:${cloud.port}`,
      bucketName: Bucket,
    });
    await expect(text("by/host")).resolves.toBe("x");
    agent.destroy();
  });
});
