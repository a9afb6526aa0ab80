import { Readable } from "node:stream";
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { beforeEach, describe, expect, it } from "vitest";
import { codeOf, raw, refusal, s3, sharedCloud, signed, target } from "./clients.ts";
import { md5, newBucket, putText, textOf } from "./s3-objects.ts";

const cloud = await sharedCloud();
const client = s3(cloud);
let Bucket: string;
beforeEach(async () => {
  Bucket = await newBucket(client);
});

const put = (Key: string, Body = Key) => putText(client, Bucket, Key, Body);
const text = (Key: string, more = {}): Promise<string> => textOf(client, { Bucket, Key, ...more });

describe("objects", () => {
  it("come back as they were put: bytes, true MD5 tag, type, metadata, checksum", async () => {
    const Body = Buffer.from([0, 255, 13, 10, 128]);
    const answer = await client.send(
      new PutObjectCommand({
        Bucket,
        Key: "a/ü ~!*'()%+&=?.bin",
        Body,
        ContentType: "x/y",
        CacheControl: "no-cache",
        Metadata: { colour: "blue" },
      }),
    );
    expect(answer.ETag).toBe(`"${md5(Body)}"`);
    expect(answer.ChecksumCRC32).toBeDefined();
    const found = await client.send(new GetObjectCommand({ Bucket, Key: "a/ü ~!*'()%+&=?.bin" }));
    expect(Buffer.from((await found.Body?.transformToByteArray()) ?? [])).toEqual(Body);
    expect(found).toMatchObject({
      ETag: `"${md5(Body)}"`,
      ContentType: "x/y",
      CacheControl: "no-cache",
      Metadata: { colour: "blue" },
      ContentLength: 5,
    });
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: "a/ü ~!*'()%+&=?.bin" }));
    expect(head).toMatchObject({ ContentLength: 5, ETag: `"${md5(Body)}"`, AcceptRanges: "bytes" });
  });

  it("may be streamed, in chunks with a trailing checksum that is verified", async () => {
    const command = (): PutObjectCommand => {
      const Body = Readable.from([Buffer.alloc(70_000, "a"), Buffer.alloc(70_000, "b")]);
      return new PutObjectCommand({ Bucket, Key: "stream", Body, ContentLength: 140_000 });
    };
    const { headers } = await signed(client, command());
    expect(headers).toMatchObject({
      "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
      "x-amz-trailer": "x-amz-checksum-crc32",
    });
    const answer = await client.send(command());
    expect(answer.ETag).toBe(`"${md5("a".repeat(70_000) + "b".repeat(70_000))}"`);
    const chunks = `a\r\n0123456789\r\n0\r\nx-amz-checksum-crc32:${Buffer.alloc(4).toString("base64")}\r\n\r\n`;
    const short = await signed(
      client,
      new PutObjectCommand({ Bucket, Key: "stream", Body: Readable.from(["0123456789"]), ContentLength: 10 }),
    );
    const { "transfer-encoding": _chunked, ...rest } = short.headers;
    const send = (body: string) => raw(cloud, "PUT", target(short), { ...rest, "content-length": String(body.length) }, body);
    const wrong = await send(chunks);
    expect([wrong.status, codeOf(wrong)]).toEqual([400, "BadDigest"]);
    const less = await send("9\r\n012345678\r\n0\r\n\r\n");
    expect([less.status, codeOf(less)]).toEqual([400, "IncompleteBody"]);
  });

  it.each(["CRC32", "CRC32C", "SHA1", "SHA256"] as const)("take a %s checksum, and refuse one that is wrong", async (ChecksumAlgorithm) => {
    await client.send(new PutObjectCommand({ Bucket, Key: "k", Body: "hello", ChecksumAlgorithm }));
    await expect(text("k")).resolves.toBe("hello");
    const wrong = {
      [`Checksum${ChecksumAlgorithm}`]: Buffer.alloc({ CRC32: 4, CRC32C: 4, SHA1: 20, SHA256: 32 }[ChecksumAlgorithm], 1).toString(
        "base64",
      ),
    };
    expect(await refusal(client.send(new PutObjectCommand({ Bucket, Key: "k", Body: "other", ...wrong })))).toMatchObject({
      code: "BadDigest",
      status: 400,
    });
    expect(
      (await refusal(client.send(new PutObjectCommand({ Bucket, Key: "k", Body: "other", ContentMD5: `${md5("x").slice(0, 22)}==` }))))
        .code,
    ).toMatch(/Digest/);
    await expect(text("k")).resolves.toBe("hello");
  });

  it("that are not there give NoSuchKey, in no bucket NoSuchBucket, to HEAD 404", async () => {
    expect(await refusal(client.send(new GetObjectCommand({ Bucket, Key: "none" })))).toEqual({
      code: "NoSuchKey",
      status: 404,
      message: "The specified key does not exist.",
    });
    expect(await refusal(client.send(new GetObjectCommand({ Bucket: "no-such-bucket", Key: "k" })))).toMatchObject({
      code: "NoSuchBucket",
      status: 404,
    });
    expect(await refusal(client.send(new HeadObjectCommand({ Bucket, Key: "none" })))).toMatchObject({ code: "NotFound", status: 404 });
    await expect(client.send(new DeleteObjectCommand({ Bucket, Key: "none" }))).resolves.toBeDefined();
  });

  it("are copied with or without their metadata, but not onto themselves unchanged", async () => {
    await client.send(new PutObjectCommand({ Bucket, Key: "from", Body: "x", Metadata: { a: "1" } }));
    const copied = await client.send(new CopyObjectCommand({ Bucket, Key: "to here", CopySource: `${Bucket}/from` }));
    expect(copied.CopyObjectResult?.ETag).toBe(`"${md5("x")}"`);
    expect((await client.send(new HeadObjectCommand({ Bucket, Key: "to here" }))).Metadata).toEqual({ a: "1" });
    await client.send(
      new CopyObjectCommand({ Bucket, Key: "from", CopySource: `${Bucket}/from`, MetadataDirective: "REPLACE", Metadata: { b: "2" } }),
    );
    expect((await client.send(new HeadObjectCommand({ Bucket, Key: "from" }))).Metadata).toEqual({ b: "2" });
    expect((await refusal(client.send(new CopyObjectCommand({ Bucket, Key: "from", CopySource: `${Bucket}/from` })))).code).toBe(
      "InvalidRequest",
    );
    expect((await refusal(client.send(new CopyObjectCommand({ Bucket, Key: "k", CopySource: `${Bucket}/none` })))).code).toBe("NoSuchKey");
  });

  it("are deleted many at a time", async () => {
    for (const key of ["a", "b & <c>", "d"]) await put(key);
    const answer = await client.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: "a" }, { Key: "b & <c>" }, { Key: "none" }] } }),
    );
    expect(answer.Deleted?.map(({ Key }) => Key)).toEqual(["a", "b & <c>", "none"]);
    expect((await client.send(new ListObjectsV2Command({ Bucket }))).Contents?.map(({ Key }) => Key)).toEqual(["d"]);
  });
});

describe("ranges and conditions", () => {
  it.each([
    ["bytes=0-1", "01", "bytes 0-1/10"],
    ["bytes=8-", "89", "bytes 8-9/10"],
    ["bytes=-3", "789", "bytes 7-9/10"],
    ["bytes=5-100", "56789", "bytes 5-9/10"],
  ])("%s gives %s", async (Range, expected, ContentRange) => {
    await put("digits", "0123456789");
    const answer = await client.send(new GetObjectCommand({ Bucket, Key: "digits", Range }));
    expect(await answer.Body?.transformToString()).toBe(expected);
    expect(answer).toMatchObject({ ContentRange, ContentLength: expected.length, $metadata: { httpStatusCode: 206 } });
  });

  it("refuse a range behind the end with 416", async () => {
    await put("digits", "0123456789");
    expect(await refusal(text("digits", { Range: "bytes=10-" }))).toMatchObject({ code: "InvalidRange", status: 416 });
  });

  it("answer 304 and 412 by tag and time", async () => {
    const ETag = (await put("k")).ETag ?? "";
    expect((await refusal(text("k", { IfNoneMatch: ETag }))).status).toBe(304);
    expect((await refusal(text("k", { IfModifiedSince: new Date(Date.now() + 60_000) }))).status).toBe(304);
    expect(await refusal(text("k", { IfMatch: '"other"' }))).toMatchObject({ code: "PreconditionFailed", status: 412 });
    expect((await refusal(text("k", { IfUnmodifiedSince: new Date(0) }))).status).toBe(412);
    await expect(text("k", { IfMatch: ETag, IfNoneMatch: '"other"' })).resolves.toBe("k");
  });

  it("let a write happen only once, or only over what was read", async () => {
    const ETag = (await client.send(new PutObjectCommand({ Bucket, Key: "k", Body: "1", IfNoneMatch: "*" }))).ETag ?? "";
    expect(await refusal(client.send(new PutObjectCommand({ Bucket, Key: "k", Body: "2", IfNoneMatch: "*" })))).toMatchObject({
      code: "PreconditionFailed",
      status: 412,
    });
    await client.send(new PutObjectCommand({ Bucket, Key: "k", Body: "3", IfMatch: ETag }));
    expect((await refusal(client.send(new PutObjectCommand({ Bucket, Key: "k", Body: "4", IfMatch: ETag })))).status).toBe(412);
    await expect(text("k")).resolves.toBe("3");
  });
});

describe("listings", () => {
  it("fold keys by delimiter and prefix, in the order of their bytes, page by page, without loss or repetition", async () => {
    const keys = ["Z", "a/1", "a/2", "a/b/3", "b", "c/1", "ü", "z z"];
    for (const key of keys) await put(key);
    const seen: string[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await client.send(
        new ListObjectsV2Command({ Bucket, Delimiter: "/", MaxKeys: 2, ...(ContinuationToken && { ContinuationToken }) }),
      );
      expect(page.KeyCount).toBeLessThanOrEqual(2);
      seen.push(...(page.Contents ?? []).map(({ Key }) => Key ?? ""), ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix ?? ""));
      expect(page.IsTruncated).toBe(page.NextContinuationToken !== undefined);
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken);
    expect(seen.sort()).toEqual(["Z", "a/", "b", "c/", "z z", "ü"]);
    const inner = await client.send(new ListObjectsV2Command({ Bucket, Prefix: "a/", Delimiter: "/" }));
    expect(inner.Contents?.map(({ Key }) => Key)).toEqual(["a/1", "a/2"]);
    expect(inner.CommonPrefixes).toEqual([{ Prefix: "a/b/" }]);
    expect((await client.send(new ListObjectsV2Command({ Bucket, StartAfter: "c/1" }))).Contents?.map(({ Key }) => Key)).toEqual([
      "z z",
      "ü",
    ]);
    const old = await client.send(new ListObjectsCommand({ Bucket, Delimiter: "/", MaxKeys: 3, EncodingType: "url" }));
    expect(old).toMatchObject({ IsTruncated: true, NextMarker: "b", EncodingType: "url" });
    const rest = await client.send(new ListObjectsCommand({ Bucket, Delimiter: "/", Marker: "b", EncodingType: "url" }));
    expect(rest.Contents?.map(({ Key }) => Key)).toEqual(["z%20z", "%C3%BC"]);
  });

  it("refuse a max-keys that is no number and a token that is none", async () => {
    expect((await refusal(client.send(new ListObjectsV2Command({ Bucket, ContinuationToken: "!" })))).code).toBe("InvalidArgument");
    expect((await refusal(client.send(new ListObjectsV2Command({ Bucket, MaxKeys: -1 })))).code).toBe("InvalidArgument");
  });
});
