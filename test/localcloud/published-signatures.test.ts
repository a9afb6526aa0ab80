// The signatures that AWS has published, as an independent word on ours: each is accepted, and nothing that differs from it.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Clock } from "../../src/core/clock.ts";
import { type LocalCloud, startLocalCloud } from "../../src/localcloud/cloud.ts";
import { allowAll } from "../../src/localcloud/seed.ts";
import { codeOf, raw } from "./clients.ts";

/** S3 API Reference, "Examples: Signature Calculations" and the examples of chunked uploads: keys, time and signatures are from there. */
describe("the published examples are accepted, and nothing that differs from them", () => {
  const now = Date.parse("2013-05-24T00:00:00Z");
  const clock: Clock = { now: () => now, at: () => ({ [Symbol.dispose]() {} }) };
  const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  const CREDENTIAL = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";
  let cloud: LocalCloud;
  beforeAll(async () => {
    cloud = await startLocalCloud({
      clock,
      seed: {
        account: "123456789012",
        region: "us-east-1",
        users: [
          {
            name: "example",
            accessKeyId: "AKIAIOSFODNN7EXAMPLE",
            secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            policies: { all: allowAll },
          },
        ],
        roles: [],
        buckets: { examplebucket: { "test.txt": "0123456789abcdef", June: "1" } },
        instances: [],
      },
    });
  });
  afterAll(() => cloud[Symbol.asyncDispose]());

  const authorization = (signedHeaders: string, signature: string): string =>
    `AWS4-HMAC-SHA256 Credential=${CREDENTIAL},SignedHeaders=${signedHeaders},Signature=${signature}`;
  const common = { host: "examplebucket.s3.amazonaws.com", "x-amz-date": "20130524T000000Z", "x-amz-content-sha256": EMPTY };

  it("GET of an object with a range", async () => {
    const signature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
    const headers = {
      ...common,
      range: "bytes=0-9",
      authorization: authorization("host;range;x-amz-content-sha256;x-amz-date", signature),
    };
    expect(await raw(cloud, "GET", "/test.txt", headers)).toMatchObject({ status: 206, body: "0123456789" });
    const tampered = await raw(cloud, "GET", "/test.txt", { ...headers, range: "bytes=0-8" });
    expect([tampered.status, codeOf(tampered)]).toEqual([403, "SignatureDoesNotMatch"]);
  });

  it("PUT of an object, whose body must be the one that was signed", async () => {
    const headers = {
      ...common,
      date: "Fri, 24 May 2013 00:00:00 GMT",
      "x-amz-content-sha256": "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
      "x-amz-storage-class": "REDUCED_REDUNDANCY",
      authorization: authorization(
        "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
      ),
    };
    expect((await raw(cloud, "PUT", "/test$file.text", headers, "Welcome to Amazon S3.")).status).toBe(200);
    const tampered = await raw(cloud, "PUT", "/test$file.text", headers, "Welcome to Amazon S4.");
    expect([tampered.status, codeOf(tampered)]).toEqual([400, "XAmzContentSHA256Mismatch"]);
    const loose = await raw(cloud, "PUT", "/test$file.text", { ...headers, "x-amz-acl": "public-read" }, "Welcome to Amazon S3.");
    expect(loose.body).toContain("There were headers present in the request which were not signed");
  });

  it("GET with a query", async () => {
    const list = {
      ...common,
      authorization: authorization(
        "host;x-amz-content-sha256;x-amz-date",
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
      ),
    };
    const answer = await raw(cloud, "GET", "/?max-keys=2&prefix=J", list);
    expect([answer.status, /<Key>([^<]*)</.exec(answer.body)?.[1]]).toEqual([200, "June"]);
    expect(codeOf(await raw(cloud, "GET", "/?max-keys=3&prefix=J", list))).toBe("SignatureDoesNotMatch");
    const lifecycle = {
      ...common,
      authorization: authorization(
        "host;x-amz-content-sha256;x-amz-date",
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
      ),
    };
    expect(codeOf(await raw(cloud, "GET", "/?lifecycle", lifecycle))).toBe("NotImplemented");
  });

  it("GET with a presigned query", async () => {
    const query = `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${encodeURIComponent(CREDENTIAL)}&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host`;
    const signature = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    const host = { host: common.host };
    expect((await raw(cloud, "GET", `/test.txt?${query}&X-Amz-Signature=${signature}`, host)).status).toBe(200);
    expect(codeOf(await raw(cloud, "DELETE", `/test.txt?${query}&X-Amz-Signature=${signature}`, host))).toBe("SignatureDoesNotMatch");
    expect(codeOf(await raw(cloud, "GET", `/test.txt?${query.replace("86400", "86401")}&X-Amz-Signature=${signature}`, host))).toBe(
      "SignatureDoesNotMatch",
    );
    expect(codeOf(await raw(cloud, "GET", `/test.txt?${query.replace("86400", "604801")}&X-Amz-Signature=${signature}`, host))).toBe(
      "AuthorizationQueryParametersError",
    );
  });

  const chunk = (size: number, signature: string, fill = "a"): string =>
    `${size.toString(16)};chunk-signature=${signature}\r\n${fill.repeat(size)}`;
  const upload = (body: string, more: Record<string, string>, signature: string) => {
    const headers: Record<string, string> = {
      host: "s3.amazonaws.com",
      "x-amz-date": "20130524T000000Z",
      "x-amz-storage-class": "REDUCED_REDUNDANCY",
      "content-encoding": "aws-chunked",
      "x-amz-decoded-content-length": "66560",
      ...more,
    };
    const names = [...Object.keys(headers)].sort().join(";");
    return raw(cloud, "PUT", "/examplebucket/chunkObject.txt", { ...headers, authorization: authorization(names, signature) }, body);
  };

  describe("PUT in signed chunks", () => {
    const first = "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648";
    const second = "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497";
    const last = "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9";
    const send = (body: string) =>
      upload(
        body,
        { "content-length": "66824", "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" },
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
      );
    const whole = `${chunk(65_536, first)}\r\n${chunk(1024, second)}\r\n${chunk(0, last)}\r\n`;

    it("stores the decoded body", async () => {
      expect((await send(whole)).status).toBe(200);
      expect(cloud.events().at(-1)?.record).toMatchObject({ eventName: "PutObject", requestParameters: { key: "chunkObject.txt" } });
    });

    it.each([
      ["a chunk whose bytes were changed", whole.replace("\r\naaaa", "\r\naaab"), "SignatureDoesNotMatch"],
      ["a chunk whose signature was changed", whole.replace(second, second.replace("0", "1")), "SignatureDoesNotMatch"],
      ["chunks in another order", `${chunk(1024, second)}\r\n${chunk(65_536, first)}\r\n${chunk(0, last)}\r\n`, "SignatureDoesNotMatch"],
      ["a last chunk that was cut off", `${chunk(65_536, first)}\r\n${chunk(1024, second)}\r\n`.padEnd(66_824, "x"), "IncompleteBody"],
      ["an end after the first chunk", `${chunk(65_536, first)}\r\n${chunk(0, last)}\r\n`.padEnd(66_824, " "), "SignatureDoesNotMatch"],
      [
        "chunks without signatures",
        `10000\r\n${"a".repeat(65_536)}\r\n400\r\n${"a".repeat(1024)}\r\n0\r\n\r\n`.padEnd(66_824, " "),
        "IncompleteBody",
      ],
    ])("refuses %s", async (_title, body, code) => {
      expect(body).toHaveLength(66_824);
      expect(codeOf(await send(body))).toBe(code);
    });
  });

  describe("PUT in signed chunks with a trailer", () => {
    const trailer = "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435";
    const chunks = `${chunk(65_536, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2")}\r\n${chunk(1024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7")}\r\n${chunk(0, "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992")}`;
    const send = (checksum: string, signature: string) =>
      upload(
        `${chunks}x-amz-checksum-crc32c:${checksum}\r\nx-amz-trailer-signature:${signature}\r\n\r\n`,
        { "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", "x-amz-trailer": "x-amz-checksum-crc32c" },
        "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
      );

    it("stores the body with its checksum, and refuses another checksum or signature", async () => {
      const good = await send("sOO8/Q==", trailer);
      expect([good.status, good.headers["x-amz-checksum-crc32c"]]).toEqual([200, "sOO8/Q=="]);
      expect(codeOf(await send("sOO8/g==", trailer))).toBe("SignatureDoesNotMatch");
      expect(codeOf(await send("sOO8/Q==", trailer.replace("d", "e")))).toBe("SignatureDoesNotMatch");
    });
  });
});
