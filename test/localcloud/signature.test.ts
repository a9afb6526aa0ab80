// Whose request is it: each way of not being who one says, in the words of each protocol.
import { request as httpRequest } from "node:http";
import { LookupEventsCommand } from "@aws-sdk/client-cloudtrail";
import { DescribeInstancesCommand } from "@aws-sdk/client-ec2";
import { ListRolesCommand } from "@aws-sdk/client-iam";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LocalCloud, startLocalCloud } from "../../src/localcloud/cloud.ts";
import { assume, cloudtrail, codeOf, ec2, iam, type Keys, type Parts, raw, refusal, s3, settings, signed, sts, target } from "./clients.ts";

describe("a request that is not who it says it is", () => {
  let cloud: LocalCloud;
  beforeAll(async () => {
    cloud = await startLocalCloud();
  });
  afterAll(() => cloud[Symbol.asyncDispose]());

  const calls: Record<string, (keys: Keys, more?: object) => Promise<unknown>> = {
    sts: (keys, more) => new STSClient({ ...settings(cloud, keys), ...more }).send(new GetCallerIdentityCommand({})),
    iam: (keys) => iam(cloud, keys).send(new ListRolesCommand({})),
    s3: (keys) => s3(cloud, keys).send(new GetObjectCommand({ Bucket: "acme-data", Key: "reports/q3.txt" })),
    ec2: (keys) => ec2(cloud, keys).send(new DescribeInstancesCommand({})),
    cloudtrail: (keys) => cloudtrail(cloud, keys).send(new LookupEventsCommand({})),
  };
  const MISMATCH =
    /^The request signature we calculated does not match the signature you provided\. Check your (AWS Secret Access Key|key) and signing method\./;
  const INVALID = "The security token included in the request is invalid.";
  const NOT_VALIDATED = "AWS was not able to validate the provided access credentials";

  const table: [service: string, kind: string, expected: { code: string; status: number; message: string | RegExp }][] = [
    ["sts", "wrong secret", { code: "SignatureDoesNotMatch", status: 403, message: MISMATCH }],
    ["iam", "wrong secret", { code: "SignatureDoesNotMatch", status: 403, message: MISMATCH }],
    ["s3", "wrong secret", { code: "SignatureDoesNotMatch", status: 403, message: MISMATCH }],
    ["ec2", "wrong secret", { code: "AuthFailure", status: 401, message: NOT_VALIDATED }],
    ["cloudtrail", "wrong secret", { code: "InvalidSignatureException", status: 400, message: MISMATCH }],
    ["sts", "unknown key", { code: "InvalidClientTokenId", status: 403, message: INVALID }],
    ["iam", "unknown key", { code: "InvalidClientTokenId", status: 403, message: INVALID }],
    [
      "s3",
      "unknown key",
      { code: "InvalidAccessKeyId", status: 403, message: "The AWS Access Key Id you provided does not exist in our records." },
    ],
    ["ec2", "unknown key", { code: "AuthFailure", status: 401, message: NOT_VALIDATED }],
    ["cloudtrail", "unknown key", { code: "UnrecognizedClientException", status: 400, message: INVALID }],
    ["sts", "another key's token", { code: "InvalidClientTokenId", status: 403, message: INVALID }],
    ["iam", "another key's token", { code: "InvalidClientTokenId", status: 403, message: INVALID }],
    ["s3", "another key's token", { code: "InvalidToken", status: 400, message: "The provided token is malformed or otherwise invalid." }],
    ["ec2", "another key's token", { code: "AuthFailure", status: 401, message: NOT_VALIDATED }],
    ["cloudtrail", "another key's token", { code: "UnrecognizedClientException", status: 400, message: INVALID }],
    ["sts", "no token", { code: "InvalidClientTokenId", status: 403, message: INVALID }],
    ["s3", "no token", { code: "InvalidAccessKeyId", status: 403, message: /does not exist in our records/ }],
    ["cloudtrail", "no token", { code: "UnrecognizedClientException", status: 400, message: INVALID }],
    ["sts", "expired token", { code: "ExpiredToken", status: 403, message: "The security token included in the request is expired" }],
    ["iam", "expired token", { code: "ExpiredToken", status: 403, message: "The security token included in the request is expired" }],
    ["s3", "expired token", { code: "ExpiredToken", status: 400, message: "The provided token has expired." }],
    ["ec2", "expired token", { code: "RequestExpired", status: 400, message: "Request has expired." }],
    [
      "cloudtrail",
      "expired token",
      { code: "ExpiredTokenException", status: 400, message: "The security token included in the request is expired" },
    ],
  ];

  async function keysFor(kind: string): Promise<Keys> {
    if (kind === "wrong secret") return { ...cloud.admin, secretAccessKey: "x".repeat(40) };
    if (kind === "unknown key") return { ...cloud.admin, accessKeyId: "AKIAIOSFODNN7EXAMPLE" };
    if (kind === "expired token") {
      cloud.switches.apply({ credentialSeconds: 0 });
      const keys = await assume(cloud);
      cloud.switches.apply({ credentialSeconds: null });
      await new Promise((resolve) => setTimeout(resolve, 1100));
      return keys;
    }
    const [one, other] = [await assume(cloud), await assume(cloud)];
    if (kind === "no token") return { accessKeyId: one.accessKeyId, secretAccessKey: one.secretAccessKey };
    return { ...one, sessionToken: other.sessionToken ?? "" };
  }

  it.each(table)("is refused by %s: %s", async (service, kind, expected) => {
    const found = await refusal(calls[service]?.(await keysFor(kind)) ?? Promise.resolve());
    expect({ code: found.code, status: found.status }).toEqual({ code: expected.code, status: expected.status });
    if (typeof expected.message === "string") expect(found.message).toBe(expected.message);
    else expect(found.message).toMatch(expected.message);
  });

  /** With `systemClockOffset` the SDK signs at another time. */
  const skewed = (service: keyof typeof calls, minutes: number): Promise<unknown> => {
    const clients = { sts: sts(cloud), iam: iam(cloud), s3: s3(cloud), ec2: ec2(cloud), cloudtrail: cloudtrail(cloud) };
    for (const client of Object.values(clients)) client.config.systemClockOffset = minutes * 60_000;
    if (service === "sts") return clients.sts.send(new GetCallerIdentityCommand({}));
    if (service === "s3") return clients.s3.send(new GetObjectCommand({ Bucket: "acme-data", Key: "reports/q3.txt" }));
    if (service === "ec2") return clients.ec2.send(new DescribeInstancesCommand({}));
    return clients.cloudtrail.send(new LookupEventsCommand({}));
  };

  it.each([
    ["sts", -16, "SignatureDoesNotMatch", /^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 15 min\.\)$/],
    [
      "sts",
      16,
      "SignatureDoesNotMatch",
      /^Signature not yet current: \d{8}T\d{6}Z is still later than \d{8}T\d{6}Z \(\d{8}T\d{6}Z \+ 15 min\.\)$/,
    ],
    ["s3", -16, "RequestTimeTooSkewed", /^The difference between the request time and the current time is too large\.$/],
    ["s3", 16, "RequestTimeTooSkewed", /^The difference between the request time and the current time is too large\.$/],
    ["ec2", -16, "RequestExpired", /^Request has expired\.$/],
    ["cloudtrail", -16, "InvalidSignatureException", /^Signature expired: /],
  ])("is refused by %s when its clock is %i minutes off", async (service, minutes, code, message) => {
    const found = await refusal(skewed(service, minutes));
    expect(found.code).toBe(code);
    expect(found.message).toMatch(message);
  });

  it("is accepted when its clock is 14 minutes off", async () => {
    await expect(skewed("sts", -14)).resolves.toBeDefined();
    await expect(skewed("s3", 14)).resolves.toBeDefined();
  });

  it("is refused with a body that was changed on the way", async () => {
    const caught = await signed(sts(cloud), new GetCallerIdentityCommand({}));
    const body = String(caught.body);
    expect((await raw(cloud, "POST", "/", caught.headers, body)).status).toBe(200);
    const longer = { ...caught.headers, "content-length": String(body.length + 4) };
    expect(codeOf(await raw(cloud, "POST", "/", longer, `${body}&a=b`))).toBe("SignatureDoesNotMatch");
    expect(codeOf(await raw(cloud, "POST", "/", caught.headers, body.replace("GetCaller", "GotCaller")))).toBe("SignatureDoesNotMatch");
  });

  it("is refused without any signature, by what it looks like", async () => {
    const form = { "content-type": "application/x-www-form-urlencoded" };
    expect(codeOf(await raw(cloud, "POST", "/", form, "Action=GetCallerIdentity&Version=2011-06-15"))).toBe("MissingAuthenticationToken");
    expect(codeOf(await raw(cloud, "GET", "/acme-data/reports/q3.txt", {}))).toBe("AccessDenied");
    const json = await raw(cloud, "POST", "/", { "content-type": "application/x-amz-json-1.1", "x-amz-target": "X.Y" }, "{}");
    expect([json.status, JSON.parse(json.body)]).toEqual([400, expect.objectContaining({ __type: "MissingAuthenticationTokenException" })]);
  });

  it.each([
    ["no parameter at all", "AWS4-HMAC-SHA256 nonsense", "AuthorizationHeaderMalformed"],
    ["a credential of three parts", "AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=00", "AuthorizationHeaderMalformed"],
    ["the old way of signing", "AWS AKIA:c2lnbmF0dXJl", "InvalidRequest"],
  ])("is refused with %s in its Authorization header", async (_title, authorization, code) => {
    const headers = { authorization, "x-amz-date": "20261122T000000Z", "x-amz-content-sha256": "UNSIGNED-PAYLOAD" };
    expect(codeOf(await raw(cloud, "GET", "/acme-data", headers))).toBe(code);
  });

  interface Presigner {
    presign(parts: Parts, options: { expiresIn: number; signingDate: Date }): Promise<Parts>;
  }
  async function presigned(keys: Keys, expiresIn: number, signingDate = new Date()): Promise<string> {
    const scheme = { name: "sigv4", signingName: "s3", signingRegion: "us-east-1", properties: {} };
    const signer = (await s3(cloud, keys).config.signer(scheme as never)) as unknown as Presigner;
    const parts = {
      method: "GET",
      protocol: "http:",
      hostname: "127.0.0.1",
      port: cloud.port,
      query: {},
      headers: { host: `127.0.0.1:${cloud.port}`, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
    };
    return target(await signer.presign({ ...parts, path: "/acme-data/reports/q3.txt" }, { expiresIn, signingDate }));
  }

  it("is accepted with a presigned URL until that has run out", async () => {
    const host = { host: `127.0.0.1:${cloud.port}` };
    const session = await assume(cloud);
    expect((await raw(cloud, "GET", await presigned(session, 60), host)).status).toBe(200);
    const old = await raw(cloud, "GET", await presigned(session, 60, new Date(Date.now() - 61_000)), host);
    expect([old.status, codeOf(old)]).toEqual([403, "AccessDenied"]);
    expect(old.body).toContain("<Message>Request has expired</Message>");
    expect((await raw(cloud, "GET", await presigned(session, 3600, new Date(Date.now() - 1_800_000)), host)).status).toBe(200);
  });

  it("gets its 100-continue before it sends a body", async () => {
    const caught = await signed(s3(cloud), new PutObjectCommand({ Bucket: "acme-data", Key: "waited", Body: "x".repeat(100_000) }));
    const seen: string[] = [];
    const status = await new Promise((resolve, reject) => {
      const headers = { ...caught.headers, expect: "100-continue" };
      const request = httpRequest({ host: "127.0.0.1", port: cloud.port, method: "PUT", path: target(caught), headers, agent: false });
      request.on("continue", () => {
        seen.push("continue");
        request.end("x".repeat(100_000));
      });
      request.on("response", (response) => resolve(response.statusCode));
      request.on("error", reject);
      request.flushHeaders();
    });
    expect([status, seen]).toEqual([200, ["continue"]]);
  });

  it("is told 413 when it is larger than any request, before it is read", async () => {
    const answer = await raw(cloud, "POST", "/", {
      "content-type": "application/x-www-form-urlencoded",
      "content-length": "2000000",
      expect: "100-continue",
    });
    expect(answer.status).toBe(413);
  });
});
