// Requests that no client makes, or that many make at once: each gets an answer or is cut, and the cloud goes on.
import { connect } from "node:net";
import { Readable } from "node:stream";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseXml } from "../../src/localcloud/xml.ts";
import { codeOf, raw, refusal, s3, sharedCloud, signed, sts } from "./clients.ts";

const cloud = await sharedCloud();

const alive = async (): Promise<void> => {
  expect((await sts(cloud).send(new GetCallerIdentityCommand({}))).Account).toBe(cloud.account);
};

describe("the local cloud goes on after", () => {
  it("any path, query and headers", async () => {
    const word = fc.string({
      unit: fc.constantFrom(..."/%?&=+;:.,aZ9-_~*'() ".split(""), "%zz", "%00", "%c3", "X-Amz-Signature=", "uploadId", "delete"),
    });
    const authorization = fc.oneof(
      fc.constant(undefined),
      fc.string(),
      word,
      fc.constant("AWS4-HMAC-SHA256 Credential=a/20261122/r/s3/aws4_request,SignedHeaders=host,Signature=0"),
    );
    const request = fc.record({
      method: fc.constantFrom("GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS"),
      path: word,
      authorization,
      body: fc.string(),
    });
    await fc.assert(
      fc.asyncProperty(request, async ({ method, path, authorization: header, body }) => {
        const clean = `/${path.replaceAll(" ", "%20")}`;
        const headers = header === undefined ? {} : { authorization: header.replace(/[^\x20-\x7e]/g, "?") };
        const answer = await raw(cloud, method, clean, headers, method === "GET" || method === "HEAD" ? "" : body);
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.status).toBeLessThan(500);
      }),
      { numRuns: 150 },
    );
    await alive();
  });

  it("bytes that are no HTTP, and a head that does not end", async () => {
    for (const bytes of ["\u0000\u0001\u0002 garbage\r\n\r\n", `GET / HTTP/1.1\r\nHost: x\r\nA: ${"a".repeat(100_000)}\r\n\r\n`]) {
      const socket = connect(cloud.port, "127.0.0.1");
      const answer = new Promise<string>((resolve) => {
        let text = "";
        socket.on("data", (part) => {
          text += part.toString("latin1");
        });
        socket.on("error", () => {});
        socket.on("close", () => resolve(text));
      });
      socket.write(bytes);
      expect(await answer).toMatch(/^HTTP\/1\.1 4(00|31) |^$/);
    }
    await alive();
  });

  it("a client that goes away in the middle of its body", async () => {
    const caught = await signed(s3(cloud), new PutObjectCommand({ Bucket: "acme-data", Key: "half", Body: "x".repeat(1000) }));
    const head = Object.entries(caught.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const socket = connect(cloud.port, "127.0.0.1");
    socket.write(`PUT ${caught.path} HTTP/1.1\r\n${head.join("")}\r\nxxxx`, () => socket.destroy());
    await new Promise((resolve) => socket.on("close", resolve));
    await alive();
    expect((await refusal(s3(cloud).send(new GetObjectCommand({ Bucket: "acme-data", Key: "half" })))).code).toBe("NoSuchKey");
  });

  it("a value that would break an answer's header", async () => {
    const command = new GetObjectCommand({ Bucket: "acme-data", Key: "reports/q3.txt", ResponseContentType: "a\r\nx-evil: 1" });
    expect((await refusal(s3(cloud).send(command))).code).toBe("InvalidArgument");
    await alive();
  });

  it("a large upload that is refused, whose client still reads why", async () => {
    const wrong = s3(cloud, { ...cloud.admin, secretAccessKey: "wrong" });
    const body = Buffer.alloc(20 * 1024 * 1024);
    expect((await refusal(wrong.send(new PutObjectCommand({ Bucket: "acme-data", Key: "big", Body: body })))).code).toBe(
      "SignatureDoesNotMatch",
    );
    const stream = Readable.from([body]);
    expect(
      (
        await refusal(
          s3(cloud).send(new PutObjectCommand({ Bucket: "no-such-bucket-here", Key: "big", Body: stream, ContentLength: body.length })),
        )
      ).code,
    ).toBe("NoSuchBucket");
  });

  it("300 requests at once", async () => {
    const client = sts(cloud);
    const answers = await Promise.all(Array.from({ length: 300 }, () => client.send(new GetCallerIdentityCommand({}))));
    expect(new Set(answers.map((answer) => answer.Arn))).toEqual(new Set(["arn:aws:iam::123456789012:user/dev"]));
  });
});

describe("a presigned GetCallerIdentity, as Kubernetes takes it", () => {
  it("is accepted from a query string", async () => {
    interface Presigner {
      presign(parts: object, options: { expiresIn: number }): Promise<{ query: Record<string, string> }>;
    }
    const scheme = { name: "sigv4", signingName: "sts", signingRegion: "us-east-1", properties: {} };
    const signer = (await sts(cloud).config.signer(scheme as never)) as unknown as Presigner;
    const query = { Action: "GetCallerIdentity", Version: "2011-06-15" };
    const headers = { host: `127.0.0.1:${cloud.port}` };
    const parts = { method: "GET", protocol: "http:", hostname: "127.0.0.1", port: cloud.port, path: "/", query, headers };
    const { query: full } = await signer.presign(parts, { expiresIn: 60 });
    const answer = await raw(cloud, "GET", `/?${new URLSearchParams(full)}`, headers);
    expect([answer.status, answer.body]).toEqual([200, expect.stringContaining("<Arn>arn:aws:iam::123456789012:user/dev</Arn>")]);
    expect(codeOf(await raw(cloud, "GET", `/?${new URLSearchParams({ ...full, Action: "GetSessionToken" })}`, headers))).toBe(
      "SignatureDoesNotMatch",
    );
  });
});

describe("XML of a request", () => {
  it.each([
    ["an entity of its own", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'],
    ["an unknown entity", "<a>&b;</a>"],
    ["two roots", "<a/><b/>"],
    ["an open element", "<a><b></a>"],
    ["an end without a start", "</a>"],
    ["nothing", ""],
    ["an endless nest", "<a>".repeat(50)],
  ])("with %s is malformed", (_title, text) => {
    expect(() => parseXml(text)).toThrow(expect.objectContaining({ code: "MalformedXML" }));
  });

  it("is read with its entities, empty elements and attributes", () => {
    expect(parseXml('<?xml version="1.0"?>\n<a xmlns="http://x/"><!-- no --><k>1 &lt; 2 &amp; &#252;&#xfc;</k><e/></a>')).toEqual({
      name: "a",
      text: "",
      children: [
        { name: "k", text: "1 < 2 & üü", children: [] },
        { name: "e", text: "", children: [] },
      ],
    });
  });
});
