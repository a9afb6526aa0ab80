// One MFA code holds for what is looked for later with the same keys, in memory alone: against the local cloud, which checks code, age and role.
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AgentRunError } from "../../src/core/error.ts";
import { createMfaSessions } from "../../src/credentials/mfa-sessions.ts";
import { type BaseRequest, createBaseResolver } from "../../src/credentials/sources.ts";
import { startLocalCloud } from "../../src/localcloud/cloud.ts";
import { DEMO_ACCOUNT, type Seed } from "../../src/localcloud/seed.ts";
import { human } from "./human.ts";
import { manualClock } from "./manual-clock.ts";

const SERIAL = `arn:aws:iam::${DEMO_ACCOUNT}:mfa/dev`;
const ROLE = `arn:aws:iam::${DEMO_ACCOUNT}:role`;
const HOUR = 3_600_000;
const trust = (Condition: Record<string, Record<string, string>>) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { AWS: `arn:aws:iam::${DEMO_ACCOUNT}:user/dev` }, Action: "sts:AssumeRole", Condition }],
});
const seed: Seed = {
  account: DEMO_ACCOUNT,
  region: "us-east-1",
  users: [{ name: "dev", attached: ["arn:aws:iam::aws:policy/AdministratorAccess"], mfa: true }],
  roles: [
    { name: "guarded", trust: trust({ Bool: { "aws:MultiFactorAuthPresent": "true" } }) },
    { name: "recent", trust: trust({ NumericLessThan: { "aws:MultiFactorAuthAge": "3600" } }) },
  ],
  buckets: {},
  instances: [],
};

/** A human whose AWS profiles `guarded` and `recent` want MFA, and every question that was asked. */
async function withDevice() {
  const clock = manualClock(Date.now());
  const cloud = await startLocalCloud({ seed });
  const keys = `aws_access_key_id = ${cloud.admin.accessKeyId}\naws_secret_access_key = ${cloud.admin.secretAccessKey}\n`;
  const role = (name: string): string => `[profile ${name}]\nrole_arn = ${ROLE}/${name}\nsource_profile = me\nmfa_serial = ${SERIAL}\n`;
  const ann = human({ ".aws/config": role("guarded") + role("recent"), ".aws/credentials": `[me]\n${keys}` });
  const resolver = createBaseResolver(clock);
  const asked: string[] = [];
  const world = {
    now: clock.now,
    /** For resolver, cloud and SDK, which signs with the machine's time. */
    async advance(ms: number) {
      vi.setSystemTime(clock.now() + ms);
      await clock.advance(ms);
    },
    clock,
    cloud,
    ann,
    asked,
    resolver,
    code: "123456",
    find: (awsProfile: string, request: Partial<BaseRequest> = {}) =>
      resolver.resolve({
        awsProfile,
        env: ann.env,
        endpointUrl: cloud.url,
        state: "/nonexistent",
        mfaHoldMs: 12 * HOUR,
        mfa: async (serial) => {
          asked.push(serial);
          return world.code;
        },
        passphrase: () => Promise.reject(new Error("no passphrase was expected")),
        ...request,
      }),
    async [Symbol.asyncDispose]() {
      ann[Symbol.dispose]();
      await cloud[Symbol.asyncDispose]();
    },
  };
  return world;
}

// Only the date: what waits goes on.
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

describe("an MFA code", () => {
  it("holds for other profiles, terminals and renewals with the same keys, on no disk, until it is forgotten", async () => {
    await using world = await withDevice();
    const base = await world.find("guarded");
    expect(base.source).toBe("AWS profile 'guarded' (role guarded, from AWS profile 'me' (static keys))");
    // The device shows another one by now.
    world.code = "654321";
    await world.find("guarded", { env: { ...world.ann.env, PATH: "/bin" } });
    await world.find("recent");
    await world.advance(HOUR);
    expect((await base.refresh()).expiresAt).toBeGreaterThan(world.now() + HOUR / 2);
    expect(world.asked).toEqual([SERIAL]);
    expect(world.cloud.calls("sts:GetSessionToken")).toBe(1);
    expect(world.resolver.mfaSessions.held()).toEqual([{ serial: SERIAL, until: expect.closeTo(world.now() + 11 * HOUR, -6) }]);
    expect(inspect(world.resolver, { depth: 9, showHidden: true })).not.toContain(world.cloud.admin.secretAccessKey);
    expect(Object.keys(world.ann.files())).toHaveLength(2);
    world.resolver.forget();
    await world.find("guarded");
    expect(world.asked).toHaveLength(1);
    expect(world.resolver.mfaSessions.forget()).toEqual([SERIAL]);
    world.resolver.forget();
    await expect(world.find("guarded")).rejects.toMatchObject({ code: "mfa", message: `sts rejects the mfa code of ${SERIAL}` });
    expect(world.resolver.mfaSessions.held()).toEqual([]);
  });

  it("holds no longer than is said, also where it was kept for longer, and is gone from memory then", async () => {
    await using world = await withDevice();
    await world.find("guarded");
    await world.advance(2 * HOUR);
    await world.find("guarded", { mfaHoldMs: HOUR });
    expect(world.asked).toHaveLength(2);
    await world.advance(HOUR);
    expect(world.resolver.mfaSessions.held()).toEqual([]);
    await world.find("guarded");
    expect(world.asked).toHaveLength(3);
  });

  it("that holds for nothing else is sent with the role's own request", async () => {
    await using world = await withDevice();
    await world.find("guarded", { mfaHoldMs: 0 });
    expect(world.cloud.calls("sts:GetSessionToken")).toBe(0);
    world.resolver.forget();
    await world.find("guarded", { mfaHoldMs: 0 });
    expect(world.asked).toHaveLength(2);
  });

  it("that holds for less than the role lasts serves no later launch, and the run that gave it to the role's end", async () => {
    await using world = await withDevice();
    const hold = { mfaHoldMs: 10 * 60_000 };
    const base = await world.find("guarded", hold);
    await world.advance(9 * 60_000);
    await world.find("guarded", hold);
    expect(world.asked).toHaveLength(1);
    await world.advance(60_000);
    expect(await base.refresh()).toBe(base.credentials);
    const cancelled = () => Promise.reject(new AgentRunError("mfa", "no code"));
    await expect(world.find("guarded", { ...hold, mfa: cancelled })).rejects.toMatchObject({ message: "no code" });
    expect(await base.refresh()).toBe(base.credentials);
    await world.find("guarded", hold);
    expect(world.asked).toHaveLength(2);
    expect((await base.refresh()).accessKeyId).not.toBe(base.credentials.accessKeyId);
    expect(world.asked).toHaveLength(2);
  });

  it("that holds for nothing else is asked for by each launch, also while the role that one opened is open", async () => {
    await using world = await withDevice();
    const base = await world.find("guarded", { mfaHoldMs: 0 });
    await world.find("guarded", { mfaHoldMs: 0 });
    expect(world.asked).toHaveLength(2);
    await base.refresh();
    expect(world.asked).toHaveLength(2);
    // A profile that lets it hold may go on with it.
    await world.find("guarded");
    expect(world.asked).toHaveLength(2);
  });

  it("is asked for anew where the role wants a newer one, once", async () => {
    await using world = await withDevice();
    await world.find("recent");
    await world.advance(2 * HOUR);
    await world.find("guarded");
    expect(world.asked).toHaveLength(1);
    await world.find("recent");
    expect(world.asked).toHaveLength(2);
    world.ann.write(".aws/config", `[profile none]\nrole_arn = ${ROLE}/none\nsource_profile = me\nmfa_serial = ${SERIAL}\n`);
    await expect(world.find("none")).rejects.toMatchObject({ code: "assume-role" });
    expect(world.asked).toHaveLength(3);
  });

  it("gives nothing to who has the access key's id alone", async () => {
    await using world = await withDevice();
    await world.find("guarded");
    world.ann.write(".aws/credentials", `[me]\naws_access_key_id = ${world.cloud.admin.accessKeyId}\naws_secret_access_key = guessed\n`);
    await expect(world.find("guarded")).rejects.toMatchObject({ code: "base-credentials" });
    expect(world.asked).toHaveLength(2);
  });

  it("is not asked for twice by two that wait for it at the same time", async () => {
    await using world = await withDevice();
    const { admin, url } = world.cloud;
    const { credentials } = await world.find("me");
    expect(credentials.accessKeyId).toBe(admin.accessKeyId);
    const sessions = createMfaSessions(world.clock);
    const given = Promise.withResolvers<string>();
    const wish = {
      connection: { region: "us-east-1", endpointUrl: url },
      credentials,
      serial: SERIAL,
      holdMs: HOUR,
      code: () => given.promise,
    };
    const other = sessions.open(wish);
    const first = await sessions.open({ ...wish, code: async () => "123456" });
    given.resolve("123456");
    expect([first.fresh, (await other).fresh]).toEqual([true, false]);
    expect(world.cloud.calls("sts:GetSessionToken")).toBe(1);
  });
});
