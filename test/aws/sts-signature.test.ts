// What is sent to STS: signatures held against AWS's published ones and against the AWS SDK's, bodies byte for byte against the SDK's.
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  AssumeRoleWithWebIdentityCommand,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
  STSClient,
} from "@aws-sdk/client-sts";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AssumeRequest, assumeRole } from "../../src/aws/assume.ts";
import { stsClient } from "../../src/aws/client.ts";
import { federationToken } from "../../src/aws/federation.ts";
import { callerIdentity } from "../../src/aws/identity.ts";
import { mfaSession } from "../../src/aws/session-token.ts";
import { authorization } from "../../src/aws/sigv4.ts";
import { callSts } from "../../src/aws/sts.ts";
import { signed } from "../localcloud/clients.ts";
import { KEYS, ourClient, type RawServer, rawServer, sdkClient } from "./raw-server.ts";

describe("a signature", () => {
  /** AWS's Signature Version 4 test suite: key, time, place and signatures are from there. */
  const signer = {
    accessKeyId: "AKIDEXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    region: "us-east-1",
    service: "service",
  };
  const time = "20150830T123600Z";
  const common = { host: "example.amazonaws.com", "x-amz-date": time };
  const FORM = "application/x-www-form-urlencoded";
  it.each([
    ["post-vanilla", {}, "", "host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"],
    [
      "post-header-key-sort",
      { "my-header1": "value1" },
      "",
      "host;my-header1;x-amz-date",
      "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
    ],
    [
      "post-header-value-case",
      { "my-header1": "VALUE1" },
      "",
      "host;my-header1;x-amz-date",
      "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
    ],
    [
      "post-x-www-form-urlencoded",
      { "content-type": FORM },
      "Param1=value1",
      "content-type;host;x-amz-date",
      "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ],
    [
      "post-x-www-form-urlencoded-parameters",
      { "content-type": `${FORM}; charset=utf8` },
      "Param1=value1",
      "content-type;host;x-amz-date",
      "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe",
    ],
    [
      "post-sts-header-before",
      {
        "x-amz-security-token":
          "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==",
      },
      "",
      "host;x-amz-date;x-amz-security-token",
      "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
    ],
  ])("is the one that AWS published for %s", (_name, headers, body, signedHeaders, signature) => {
    expect(authorization({ path: "/", headers: { ...common, ...headers }, body }, signer, time)).toBe(
      `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${signedHeaders}, Signature=${signature}`,
    );
  });

  it("is the SDK's, whatever the keys, the token, the parameters, the time, the region and the path", async () => {
    const texts = fc.string({ unit: "binary", maxLength: 60 }).filter((text) => text.isWellFormed());
    const printable = fc.string({
      unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
      minLength: 1,
      maxLength: 80,
    });
    const segment = fc.constantFrom("a", "b c", "", ".", "..", "%2f", "ü", "~x", "(1)", "*'!", "a+b", "=&", "@:$");
    const request = fc.record({
      accessKeyId: fc.stringMatching(/^[A-Z0-9]{16,24}$/),
      secretAccessKey: printable,
      sessionToken: fc.option(printable, { nil: undefined }),
      region: fc.constantFrom("eu-west-1", "us-gov-east-1", "cn-north-1"),
      path: fc.array(segment, { maxLength: 5 }).map((parts) => `/${parts.join("/")}`),
      port: fc.constantFrom("", ":443", ":4566"),
      offsetMs: fc.integer({ min: -1_500_000_000_000, max: 2_000_000_000_000 }),
      sessionName: texts,
      policy: texts,
      tags: fc.array(fc.record({ Key: texts, Value: texts }), { maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(request, async ({ accessKeyId, secretAccessKey, sessionToken, region, path, port, offsetMs, ...input }) => {
        const client = new STSClient({
          region,
          endpoint: `https://sts.example.com${port}${path}`,
          credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
          systemClockOffset: offsetMs,
        });
        const { sessionName: RoleSessionName, policy: Policy, tags: Tags } = input;
        const parts = await signed(client, new AssumeRoleCommand({ RoleArn: "arn:aws:iam::1:role/r", RoleSessionName, Policy, Tags }));
        const theirs = parts.headers["authorization"] ?? "";
        const names = (/SignedHeaders=([^,]*)/.exec(theirs)?.[1] ?? "").split(";");
        const headers = Object.fromEntries(names.map((name) => [name, parts.headers[name] ?? ""]));
        const keys = { accessKeyId, secretAccessKey, region, service: "sts" };
        const time = headers["x-amz-date"] ?? "";
        expect(authorization({ path: parts.path, headers, body: String(parts.body) }, keys, time)).toBe(theirs);
        client.destroy();
      }),
      { numRuns: 300 },
    );
  });
});

describe("what is sent", () => {
  let server: RawServer;
  beforeAll(async () => {
    server = await rawServer((response) => {
      const expiration = "2031-01-01T00:00:00Z";
      const credentials = `<Credentials><AccessKeyId>ASIAEXAMPLE000000001</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${expiration}</Expiration></Credentials>`;
      const identity = "<Arn>arn:aws:iam::111122223333:user/ann</Arn><UserId>AIDAEXAMPLE</UserId><Account>111122223333</Account>";
      const action = /Action=(\w+)/.exec(server.heard.at(-1)?.body ?? "")?.[1];
      response.end(`<${action}Response><${action}Result>${credentials}${identity}</${action}Result></${action}Response>`);
    });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  /** The body that the call sent. */
  async function bodyOf(call: Promise<unknown>): Promise<string> {
    const before = server.heard.length;
    await call;
    return server.heard[before]?.body ?? "";
  }

  const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }).filter((found) => found.isWellFormed());
  const tags = fc.dictionary(fc.constantFrom("project", "stage/é", "a b", "x=+-@:_.", "漢字", "Z9"), text, {
    maxKeys: 6,
    noNullPrototype: true,
  });
  const arns = fc.array(fc.constantFrom("arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::111122223333:policy/team/ü"), {
    maxLength: 3,
  });
  const policy = fc.json({ maxDepth: 2 });
  const option = <Value>(values: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> => fc.option(values, { nil: undefined });

  it("with AssumeRole is the SDK's, byte for byte", async () => {
    const requests = fc.record({
      sourceIdentity: option(text),
      tags: option(tags),
      sessionPolicy: option(policy),
      sessionPolicyArns: option(arns),
      externalId: option(text),
      mfa: option(fc.record({ serial: text, code: fc.stringMatching(/^\d{6}$/) })),
      durationSeconds: option(fc.integer({ min: 900, max: 43_200 })),
    });
    const ours = await ourClient(server.url);
    const sdk = sdkClient(server.url);
    await fc.assert(
      fc.asyncProperty(requests, async (more) => {
        const request: AssumeRequest = { roleArn: "arn:aws:iam::111122223333:role/team/agent", sessionName: "sess_00000001", ...more };
        const pairs = Object.entries(request.tags ?? {});
        const { sessionPolicyArns = [] } = request;
        const input: AssumeRoleCommandInput = {
          RoleArn: request.roleArn,
          RoleSessionName: request.sessionName,
          SourceIdentity: request.sourceIdentity,
          Policy: request.sessionPolicy,
          ExternalId: request.externalId,
          SerialNumber: request.mfa?.serial,
          TokenCode: request.mfa?.code,
          DurationSeconds: request.durationSeconds,
          ...(sessionPolicyArns.length === 0 ? {} : { PolicyArns: sessionPolicyArns.map((arn) => ({ arn })) }),
          ...(pairs.length === 0
            ? {}
            : { Tags: pairs.map(([Key, Value]) => ({ Key, Value })), TransitiveTagKeys: pairs.map(([key]) => key) }),
        };
        const sent = await bodyOf(assumeRole(ours, request));
        expect(sent).toBe(await bodyOf(sdk.send(new AssumeRoleCommand(input))));
      }),
      { numRuns: 120 },
    );
  });

  it("with GetFederationToken is the SDK's, also without tags", async () => {
    const ours = await ourClient(server.url);
    const sdk = sdkClient(server.url);
    await fc.assert(
      fc.asyncProperty(tags, policy, arns, async (pairs, Policy, policyArns) => {
        const request = { name: "sess_00000001", tags: pairs, sessionPolicy: Policy, sessionPolicyArns: policyArns, durationSeconds: 900 };
        const sent = await bodyOf(federationToken(ours, request));
        const input = {
          Name: "sess_00000001",
          Policy,
          DurationSeconds: 900,
          Tags: Object.entries(pairs).map(([Key, Value]) => ({ Key, Value })),
          ...(policyArns.length === 0 ? {} : { PolicyArns: policyArns.map((arn) => ({ arn })) }),
        };
        expect(sent).toBe(await bodyOf(sdk.send(new GetFederationTokenCommand(input))));
      }),
      { numRuns: 60 },
    );
  });

  it("with the other operations is the SDK's", async () => {
    const [ours, sdk] = [await ourClient(server.url), sdkClient(server.url)];
    const identity = await bodyOf(callerIdentity(ours));
    expect(identity).toBe("Action=GetCallerIdentity&Version=2011-06-15");
    expect(identity).toBe(await bodyOf(sdk.send(new GetCallerIdentityCommand({}))));
    const [SerialNumber, TokenCode] = ["arn:aws:iam::111122223333:mfa/ann", "123456"];
    const session = await bodyOf(mfaSession(ours, SerialNumber, ` ${TokenCode} `, 900));
    expect(session).toBe(await bodyOf(sdk.send(new GetSessionTokenCommand({ SerialNumber, TokenCode, DurationSeconds: 900 }))));
    const web = { RoleArn: "arn:aws:iam::111122223333:role/ci", RoleSessionName: "agent-run", WebIdentityToken: "eyJ.a+b/c=~.x_y-z" };
    const unsigned = await stsClient({ region: "eu-west-1", endpointUrl: server.url });
    const proof = await bodyOf(callSts(unsigned, "AssumeRoleWithWebIdentity", web));
    expect(server.heard.at(-1)?.headers.authorization).toBeUndefined();
    expect(proof).toBe(await bodyOf(sdk.send(new AssumeRoleWithWebIdentityCommand(web))));
  });

  it.each(["", "/", "/proxy", "/a/b/", "/a%20b/ü"])("goes to the path of an endpoint '…%s', as the SDK's does", async (path) => {
    await callerIdentity(await ourClient(`${server.url}${path}`));
    await sdkClient(`${server.url}${path}`).send(new GetCallerIdentityCommand({}));
    const [ours, theirs] = server.heard.slice(-2);
    expect([ours?.method, ours?.url, ours?.headers.host]).toEqual([theirs?.method, theirs?.url, theirs?.headers.host]);
    expect(ours?.headers["content-type"]).toBe(theirs?.headers["content-type"]);
    expect(ours?.headers["x-amz-security-token"]).toBe(KEYS.sessionToken);
  });

  it("is not made at all without keys", async () => {
    const before = server.heard.length;
    const none = await stsClient({ region: "eu-west-1", endpointUrl: server.url });
    await expect(callerIdentity(none)).rejects.toMatchObject({ code: "internal" });
    expect(server.heard).toHaveLength(before);
  });
});
