// Who credentials are: ARNs, the root refusal, the account pin, the gate, and GetCallerIdentity over a real socket.
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { stsClient } from "../../src/aws/client.ts";
import {
  assumedRoleArn,
  callerIdentity,
  confirmIdentity,
  createIdentityCache,
  isRoleSession,
  parseArn,
  parseRoleArn,
  refuseRoot,
  requireAccount,
} from "../../src/aws/identity.ts";
import type { AgentRunError } from "../../src/core/error.ts";
import { Secret } from "../../src/core/secret.ts";
import { failure } from "../failure.ts";
import { CALLER, identityResult, queryServer } from "./query-server.ts";

const base = {
  accessKeyId: "AKIAEXAMPLE000000001",
  secretAccessKey: new Secret("baseSecret/+0123456789abcdefghijklmnopqr"),
  sessionToken: undefined,
  expiresAt: undefined,
};
const identity = (arn: string, account = "111122223333") => ({ arn, account, userId: "AIDAEXAMPLE" });

describe("arns", () => {
  it.each([
    ["arn:aws:iam::111122223333:role/agent", "arn:aws:sts::111122223333:assumed-role/agent/sess_1"],
    ["arn:aws:iam::111122223333:role/team/sub/agent", "arn:aws:sts::111122223333:assumed-role/agent/sess_1"],
    ["arn:aws-cn:iam::111122223333:role/agent", "arn:aws-cn:sts::111122223333:assumed-role/agent/sess_1"],
    ["arn:aws-us-gov:iam::111122223333:role/agent", "arn:aws-us-gov:sts::111122223333:assumed-role/agent/sess_1"],
  ])("the session of %s is %s", (role, session) => {
    expect(assumedRoleArn(role, "sess_1")).toBe(session);
  });

  it.each([
    "",
    "agent",
    "arn:aws:iam::111122223333:user/ann",
    "arn:aws:iam::1234:role/agent",
    "arn:aws:sts::111122223333:assumed-role/agent/s",
    "arn:aws:iam::111122223333:role/",
    "arn:aws:iam::111122223333:role/a b",
    " arn:aws:iam::111122223333:role/agent",
    "arn:aws:iam::111122223333:role/agent\n",
  ])("%j is refused as a role, with the text quoted", (text) => {
    const error = failure(() => parseRoleArn(text, "--role"));
    expect(error.code).toBe("profile");
    expect(error.message).toContain(`--role: '${text}'`);
    expect(error.hint).toBeDefined();
  });

  it("a role's path and name are told apart", () => {
    expect(parseRoleArn("arn:aws:iam::111122223333:role/team/sub/agent", "role")).toEqual({
      arn: "arn:aws:iam::111122223333:role/team/sub/agent",
      partition: "aws",
      account: "111122223333",
      path: "/team/sub/",
      name: "agent",
    });
  });

  it("only an assumed role is a role session", () => {
    expect(isRoleSession("arn:aws:sts::111122223333:assumed-role/agent/s")).toBe(true);
    expect(isRoleSession("arn:aws:sts::111122223333:federated-user/ann")).toBe(false);
    expect(isRoleSession(CALLER)).toBe(false);
    expect(parseArn("nonsense")).toBeUndefined();
  });
});

describe("what an identity must be", () => {
  it.each(["arn:aws:iam::111122223333:root", "arn:aws-cn:iam::111122223333:root"])("the root user %s is refused", (arn) => {
    expect(failure(() => refuseRoot(identity(arn))).code).toBe("root-identity");
  });

  it("a user who is named root is not the root user", () => {
    expect(() => refuseRoot(identity("arn:aws:iam::111122223333:user/root"))).not.toThrow();
  });

  it("an account that the profile does not name is refused, saying both", () => {
    const error = failure(() => requireAccount(identity(CALLER), ["444455556666", "777788889999"]));
    expect(error.code).toBe("identity");
    expect(error.message).toContain("111122223333");
    expect(error.message).toContain("444455556666, 777788889999");
    expect(() => requireAccount(identity(CALLER), [])).not.toThrow();
    expect(() => requireAccount(identity(CALLER), ["111122223333"])).not.toThrow();
  });

  const expected = { roleArn: "arn:aws:iam::111122223333:role/team/agent", sessionName: "sess_a8f3b21c", account: "111122223333" };

  it("the gate opens for exactly the expected session", () => {
    expect(() => confirmIdentity(identity("arn:aws:sts::111122223333:assumed-role/agent/sess_a8f3b21c"), expected)).not.toThrow();
  });

  it.each([
    ["another session of the role", "arn:aws:sts::111122223333:assumed-role/agent/sess_a8f3b21d", "111122223333"],
    ["another role", "arn:aws:sts::111122223333:assumed-role/admin/sess_a8f3b21c", "111122223333"],
    ["another account in the arn", "arn:aws:sts::444455556666:assumed-role/agent/sess_a8f3b21c", "444455556666"],
    ["another account beside the arn", "arn:aws:sts::111122223333:assumed-role/agent/sess_a8f3b21c", "444455556666"],
    ["another partition", "arn:aws-cn:sts::111122223333:assumed-role/agent/sess_a8f3b21c", "111122223333"],
    ["the base user", CALLER, "111122223333"],
    ["a longer name", "arn:aws:sts::111122223333:assumed-role/agent/sess_a8f3b21cc", "111122223333"],
    ["nothing", "", "111122223333"],
  ])("the gate stays shut for %s", (_what, arn, account) => {
    const error = failure(() => confirmIdentity(identity(arn, account), expected));
    expect(error.code).toBe("identity");
    expect(error.message).toContain("expected arn:aws:sts::111122223333:assumed-role/agent/sess_a8f3b21c in account 111122223333");
    expect(error.message).toContain("found");
  });
});

describe("GetCallerIdentity", () => {
  it("is asked at the endpoint given, signed for the region, under our name", async () => {
    await using server = await queryServer(() => identityResult(CALLER));
    const client = await stsClient({ region: "eu-west-1", endpointUrl: server.url }, base);
    expect(await callerIdentity(client)).toEqual(identity(CALLER, "111122223333"));
    const [request] = server.requests;
    expect(request?.headers.authorization).toContain("/eu-west-1/sts/aws4_request");
    expect(request?.headers["user-agent"]).toContain("app/agent-run");
  });

  it("is asked once for a key that is already known", async () => {
    await using server = await queryServer(() => identityResult(CALLER));
    const client = await stsClient({ region: "eu-west-1", endpointUrl: server.url }, base);
    const cache = createIdentityCache();
    expect(await cache.of(client, base)).toEqual(await cache.of(client, base));
    expect(server.requests).toHaveLength(1);
    await using other = await queryServer(() => identityResult("arn:aws:iam::444455556666:user/bob", "444455556666"));
    const elsewhere = await stsClient({ region: "eu-west-1", endpointUrl: other.url }, base);
    expect((await cache.of(elsewhere, base)).account).toBe("444455556666");
  });

  it.each([
    ["ExpiredToken", "The security token included in the request is expired", "base-credentials"],
    ["InvalidClientTokenId", "The security token included in the request is invalid.", "base-credentials"],
    ["RegionDisabledException", "STS is not activated in this region", "config"],
    ["Throttling", "Rate exceeded", "sts-unreachable"],
  ])("%s becomes an error with a mend", async (error, message, code) => {
    await using server = await queryServer(() => ({ error, message, status: 403 }));
    const client = await stsClient({ region: "eu-west-1", endpointUrl: server.url, retries: 0 }, base);
    await expect(callerIdentity(client)).rejects.toMatchObject({ code, hint: expect.any(String) });
  });

  it("a wrong secret does not print the canonical request that a service may quote", async () => {
    const token = "IQoJb3JpZ2luX2VjEXAMPLE".repeat(8);
    await using server = await queryServer(() => ({
      error: "SignatureDoesNotMatch",
      message: `The Canonical String for this request should have been 'POST x-amz-security-token:${token}'`,
      status: 403,
    }));
    const client = await stsClient({ region: "eu-west-1", endpointUrl: server.url }, base);
    const error: AgentRunError = await callerIdentity(client).catch((thrown) => thrown);
    expect(error.code).toBe("base-credentials");
    expect(`${error.message} ${error.hint} ${String(error.cause)}`).not.toContain("IQoJb3JpZ2lu");
  });

  it("a clock that is wrong is named with its distance", async () => {
    await using server = await queryServer(() => ({
      error: "SignatureDoesNotMatch",
      message: "Signature expired: 20261122T093300Z is now earlier than 20261122T101500Z (20261122T102000Z - 5 min.)",
      status: 403,
    }));
    const client = await stsClient({ region: "eu-west-1", endpointUrl: server.url }, base);
    await expect(callerIdentity(client)).rejects.toMatchObject({
      code: "base-credentials",
      message: expect.stringContaining("47 min behind"),
    });
  });

  it("a refused connection names the endpoint", async () => {
    const url = await closedPort();
    const client = await stsClient({ region: "eu-west-1", endpointUrl: url, retries: 0 }, base);
    await expect(callerIdentity(client)).rejects.toMatchObject({ code: "sts-unreachable", message: expect.stringContaining(url) });
  });

  it("a server that never answers is given up after the time limit", async () => {
    await using server = await queryServer(() => ({ hang: true }));
    const client = await stsClient({ region: "eu-west-1", endpointUrl: server.url, retries: 0, requestTimeoutMs: 200 }, base);
    const start = performance.now();
    await expect(callerIdentity(client)).rejects.toMatchObject({
      code: "sts-unreachable",
      message: expect.stringContaining("no answer in time"),
    });
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it("a name that does not resolve hints at the network", async () => {
    const client = await stsClient({ region: "eu-west-1", endpointUrl: "http://no-such-host.invalid", retries: 0 }, base);
    await expect(callerIdentity(client)).rejects.toMatchObject({ code: "sts-unreachable", hint: expect.stringContaining("network") });
  });

  it("what answers but is not aws is said to be that", async () => {
    await using server = await queryServer(() => ({ result: "<html>welcome</html>" }));
    const client = await stsClient({ region: "eu-west-1", endpointUrl: server.url, retries: 0 }, base);
    await expect(callerIdentity(client)).rejects.toMatchObject({ code: "identity" });
  });

  it.each(["", "eu-west-1.evil.example/", "EU-WEST-1", "eu west 1"])("the region %j is refused before anything is sent", async (region) => {
    await expect(stsClient({ region }, base)).rejects.toMatchObject({ code: "config" });
  });
});

/** An address that nobody listens at. */
async function closedPort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  if (address === null || typeof address === "string") throw new Error("no port");
  return `http://127.0.0.1:${address.port}`;
}
