// Source, AssumeRole, broker and endpoint together, on the local cloud: what an agent's SDK gets over several lifetimes, and while STS is down.
import { describe, expect, it } from "vitest";
import { assumeRole } from "../../src/aws/assume.ts";
import { stsClient } from "../../src/aws/client.ts";
import type { SessionCredentials } from "../../src/aws/credentials.ts";
import { callerIdentity } from "../../src/aws/identity.ts";
import { systemClock } from "../../src/core/clock.ts";
import { newToken } from "../../src/core/id.ts";
import { Secret } from "../../src/core/secret.ts";
import { Broker, type BrokerEvent } from "../../src/credentials/broker.ts";
import { openEndpoint } from "../../src/credentials/endpoint.ts";
import { createBaseResolver } from "../../src/credentials/sources.ts";
import { startLocalCloud } from "../../src/localcloud/cloud.ts";

async function setUp(lifeSeconds?: number) {
  const cloud = await startLocalCloud(lifeSeconds === undefined ? {} : { settings: { credentialSeconds: lifeSeconds } });
  const env = {
    HOME: "/nonexistent",
    AWS_ACCESS_KEY_ID: cloud.admin.accessKeyId,
    AWS_SECRET_ACCESS_KEY: cloud.admin.secretAccessKey,
  };
  const connection = { region: "us-east-1", endpointUrl: cloud.url, retries: 0, requestTimeoutMs: 500 };
  const resolver = createBaseResolver();
  const events: BrokerEvent[] = [];
  const broker = new Broker({
    obtain: async () => {
      const nobody = () => Promise.reject(new Error("nobody is to be asked"));
      const base = await resolver.resolve({ env, endpointUrl: cloud.url, state: "/nonexistent", mfa: nobody, passphrase: nobody });
      const client = await stsClient(connection, base.credentials);
      return (await assumeRole(client, { roleArn: cloud.roleArn(), sessionName: "sess_a8f3b21c" })).credentials;
    },
    clock: systemClock,
    onEvent: (event) => events.push(event),
  });
  const token = newToken();
  const endpoint = await openEndpoint({
    session: "sess_a8f3b21c",
    token: new Secret(token),
    credentials: () => broker.current(),
    onFetch: () => undefined,
  });
  const fetchKeys = async (): Promise<{ status: number; body: Record<string, string>; tookMs: number }> => {
    const began = performance.now();
    const response = await fetch(endpoint.url, { headers: { authorization: token } });
    return { status: response.status, body: (await response.json()) as Record<string, string>, tookMs: performance.now() - began };
  };
  return {
    cloud,
    connection,
    broker,
    events,
    fetchKeys,
    async [Symbol.asyncDispose]() {
      broker.stop();
      await endpoint.close();
      await cloud[Symbol.asyncDispose]();
    },
  };
}

const asCredentials = (body: Record<string, string>): SessionCredentials => ({
  accessKeyId: body["AccessKeyId"] ?? "",
  secretAccessKey: new Secret(body["SecretAccessKey"] ?? ""),
  sessionToken: new Secret(body["Token"] ?? ""),
  expiresAt: Date.parse(body["Expiration"] ?? ""),
});

describe("delivery", () => {
  it("makes one AssumeRole for 200 parallel fetches on a cold cache, and all get the session", async () => {
    await using all = await setUp();
    const replies = await Promise.all(Array.from({ length: 200 }, () => all.fetchKeys()));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
    expect(all.cloud.calls("sts:AssumeRole")).toBe(1);
    const client = await stsClient(all.connection, asCredentials(replies[0]?.body ?? {}));
    expect((await callerIdentity(client)).arn).toBe("arn:aws:sts::123456789012:assumed-role/agent-demo/sess_a8f3b21c");
  });

  it("goes on past the credentials' lifetime, and what is served is always accepted by AWS", async () => {
    await using all = await setUp(3);
    const seen = new Set<string>();
    for (const end = Date.now() + 7000; Date.now() < end; ) {
      const { status, body } = await all.fetchKeys();
      expect(status).toBe(200);
      seen.add(body["AccessKeyId"] ?? "");
      await callerIdentity(await stsClient(all.connection, asCredentials(body)));
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(seen.size).toBeGreaterThanOrEqual(4);
  });

  it("serves what it has while STS hangs, stops at the expiry, and recovers", async () => {
    await using all = await setUp(4);
    expect((await all.fetchKeys()).status).toBe(200);
    all.cloud.switches.apply({ faults: [{ operation: "sts:*", end: "hang" }] });
    let last = 200;
    for (const end = Date.now() + 8000; Date.now() < end && last === 200; ) {
      const reply = await all.fetchKeys();
      last = reply.status;
      if (last === 200) expect(Date.parse(reply.body["Expiration"] ?? "")).toBeGreaterThan(Date.now() - 1000);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(last).toBe(503);
    expect(all.broker.trouble).toBe("no credentials: sts unreachable");
    all.cloud.switches.clear();
    for (const end = Date.now() + 10_000; Date.now() < end && last !== 200; last = (await all.fetchKeys()).status) {
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(last).toBe(200);
    expect(all.events.map(({ type }) => type)).toEqual(expect.arrayContaining(["refresh-failed", "expired", "recovered"]));
  });
});
