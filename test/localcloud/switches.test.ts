// The test switches: latency, errors, silence, a service that is down, short lives; and what tests can ask the cloud about itself.
import { Agent } from "node:http";
import { ListBucketsCommand } from "@aws-sdk/client-s3";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { sleep } from "../../src/core/clock.ts";
import { startLocalCloud } from "../../src/localcloud/cloud.ts";
import { assume, refusal, s3, settings, sts } from "./clients.ts";

const who = new GetCallerIdentityCommand({});

describe("a fault", () => {
  it("slows one operation and no other", async () => {
    await using cloud = await startLocalCloud();
    {
      using _slow = cloud.switches.fault({ operation: "sts:GetCallerIdentity", latencyMs: 300 });
      const started = performance.now();
      await sts(cloud).send(who);
      expect(performance.now() - started).toBeGreaterThan(295);
    }
    // Longer than this test may take.
    using _slow = cloud.switches.fault({ operation: "sts:GetCallerIdentity", latencyMs: 3_600_000 });
    await s3(cloud).send(new ListBucketsCommand({}));
  });

  it("answers with an error for as many times as it says, in the protocol of the service", async () => {
    await using cloud = await startLocalCloud({
      settings: {
        faults: [
          { operation: "sts:*", error: { code: "Throttling", status: 400 }, times: 2 },
          { operation: "s3:ListBuckets", error: { code: "SlowDown", status: 503, message: "Please reduce your request rate." } },
        ],
      },
    });
    expect(await refusal(sts(cloud).send(who))).toEqual({ code: "Throttling", status: 400, message: "Rate exceeded" });
    expect((await refusal(sts(cloud).send(who))).code).toBe("Throttling");
    await expect(sts(cloud).send(who)).resolves.toBeDefined();
    expect(await refusal(s3(cloud).send(new ListBucketsCommand({})))).toEqual({
      code: "SlowDown",
      status: 503,
      message: "Please reduce your request rate.",
    });
    cloud.switches.clear();
    await expect(s3(cloud).send(new ListBucketsCommand({}))).resolves.toBeDefined();
  });

  it("cuts the connection of a service that is down, and brings it back when it goes", async () => {
    await using cloud = await startLocalCloud();
    {
      using _down = cloud.switches.fault({ operation: "sts:*", end: "close" });
      expect((await refusal(sts(cloud).send(who))).message).toMatch(/socket hang up|ECONNRESET/);
      await expect(s3(cloud).send(new ListBucketsCommand({}))).resolves.toBeDefined();
    }
    await expect(sts(cloud).send(who)).resolves.toBeDefined();
  });

  it("leaves a request without an answer, also when the cloud is closed", async () => {
    const cloud = await startLocalCloud();
    cloud.switches.fault({ operation: "sts:GetCallerIdentity", end: "hang" });
    let over = false;
    const hanging = refusal(sts(cloud).send(who)).then((error) => {
      over = true;
      return error;
    });
    await sleep(300);
    expect(over).toBe(false);
    await cloud[Symbol.asyncDispose]();
    expect((await hanging).message).toMatch(/socket hang up|ECONNRESET/);
  });
});

describe("credentials", () => {
  it("live as many seconds as the switch says, whatever was asked for, and then are expired", async () => {
    await using cloud = await startLocalCloud({ settings: { credentialSeconds: 1 } });
    const answer = await sts(cloud).send(
      new AssumeRoleCommand({ RoleArn: cloud.roleArn(), RoleSessionName: "sess_1", DurationSeconds: 3600 }),
    );
    const end = answer.Credentials?.Expiration?.getTime() ?? 0;
    expect(end - Date.now()).toBeLessThanOrEqual(2000);
    const keys = {
      accessKeyId: answer.Credentials?.AccessKeyId ?? "",
      secretAccessKey: answer.Credentials?.SecretAccessKey ?? "",
      sessionToken: answer.Credentials?.SessionToken ?? "",
    };
    await expect(sts(cloud, keys).send(who)).resolves.toBeDefined();
    await sleep(end - Date.now() + 20);
    expect((await refusal(sts(cloud, keys).send(who))).code).toBe("ExpiredToken");
    expect((await refusal(assume(cloud, { DurationSeconds: 60 }))).code).toBe("ValidationError");
  });

  it("are all known to whoever searches for leaks", async () => {
    await using cloud = await startLocalCloud();
    const keys = await assume(cloud);
    expect(cloud.issuedSecrets()).toEqual([cloud.admin.secretAccessKey, keys.secretAccessKey, keys.sessionToken]);
  });
});

describe("counters", () => {
  it("count every request by operation, refused ones too", async () => {
    await using cloud = await startLocalCloud();
    expect(cloud.calls("sts:AssumeRole")).toBe(0);
    await assume(cloud);
    await refusal(assume(cloud, { RoleSessionName: "x" }));
    await refusal(sts(cloud, { ...cloud.admin, secretAccessKey: "wrong" }).send(who));
    expect([cloud.calls("sts:AssumeRole"), cloud.calls("sts:GetCallerIdentity")]).toEqual([2, 1]);
    expect(cloud.switches.allCalls()).toEqual({ "sts:AssumeRole": 2, "sts:GetCallerIdentity": 1 });
  });
});

describe("an answer", () => {
  it("waits for no clock, and leaves the connection to the next one", async () => {
    await using cloud = await startLocalCloud();
    let connections = 0;
    const httpAgent = new Agent({ keepAlive: true });
    const connect = httpAgent.createConnection.bind(httpAgent);
    httpAgent.createConnection = (...how) => {
      connections += 1;
      return connect(...how);
    };
    const client = new STSClient({ ...settings(cloud, cloud.admin), requestHandler: { httpAgent } });
    vi.useFakeTimers({ toFake: ["setTimeout", "setInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    for (let index = 0; index < 20; index += 1) await client.send(who);
    expect(connections).toBe(1);
    httpAgent.destroy();
  });
});
