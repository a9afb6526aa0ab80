// What a kill leaves in IAM and in the state folder: removed when the last key has expired, and not sooner; and remembered, so that no session comes back.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ListRolePoliciesCommand } from "@aws-sdk/client-iam";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { iamClient } from "../../src/aws/client.ts";
import { mergedDocument, mergedName, singleName } from "../../src/aws/revoke/deny.ts";
import { CLOCK_SLACK_MS } from "../../src/aws/revoke/plan.ts";
import { denySession, rolePolicies } from "../../src/aws/revoke/write.ts";
import { type Paths, resolvePaths } from "../../src/core/paths.ts";
import { Secret } from "../../src/core/secret.ts";
import { type LocalCloud, startLocalCloud } from "../../src/localcloud/cloud.ts";
import { DEMO_ROLE } from "../../src/localcloud/seed.ts";
import { CleanUp } from "../../src/session/clean-up.ts";
import { bury, isBuried, locating, tombstones } from "../../src/session/tombstones.ts";
import { type ManualClock, manualClock } from "../credentials/manual-clock.ts";

const HOUR = 3_600_000;
let home: string;
let paths: Paths;
let cloud: LocalCloud;
let clock: ManualClock;
let logged: string[];

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "ar-"));
  paths = resolvePaths({ AGENT_RUN_HOME: home }, 0);
  cloud = await startLocalCloud();
  clock = manualClock(Date.now());
  logged = [];
});
afterEach(async () => {
  await cloud[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

const iam = () =>
  iamClient(
    { region: cloud.region, endpointUrl: cloud.url },
    {
      accessKeyId: cloud.admin.accessKeyId,
      secretAccessKey: new Secret(cloud.admin.secretAccessKey),
      sessionToken: undefined,
      expiresAt: undefined,
    },
  );
const names = async (): Promise<string[]> =>
  (await (await iam()).send(new ListRolePoliciesCommand({ RoleName: DEMO_ROLE }))).PolicyNames ?? [];
const cleanUp = (): CleanUp => new CleanUp({ paths, clock, log: (text) => logged.push(text) });
/** Until what runs beside us, over real sockets, has come about. */
const until = async (condition: () => Promise<boolean> | boolean): Promise<void> => {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
};
const session = "sess_0000000a";
const other = "sess_0000000b";
const name = singleName(session);
async function revoked(): Promise<number> {
  const end = clock.now() + HOUR;
  expect(await denySession(rolePolicies(await iam(), cloud.roleArn()), { session, until: end }, clock)).toBe(name);
  bury(paths, { session, at: clock.now(), roles: [cloud.roleArn()], until: end, region: cloud.region, endpointUrl: cloud.url });
  return end;
}

describe("the policy of a revoked session", () => {
  it("goes when its keys have expired, while the daemon lives, and not sooner", async () => {
    await revoked();
    cleanUp().ended(session, iam);
    await clock.advance(HOUR + CLOCK_SLACK_MS - 1);
    expect(await names()).toContain(name);
    await clock.advance(1001);
    await until(async () => !(await names()).includes(name));
    await until(() => tombstones(paths)[0]?.roles.length === 0);
    expect(logged).toEqual([expect.stringContaining(name)]);
    expect(isBuried(paths, session)).toBe(true);
  });

  it("goes at the next daemon's start, where the base credentials can be found again", async () => {
    const end = await revoked();
    mkdirSync(join(home, ".aws"));
    const { accessKeyId, secretAccessKey } = cloud.admin;
    writeFileSync(
      join(home, ".aws", "credentials"),
      `[dev]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
    );
    const [stone] = tombstones(paths);
    if (!stone) throw new Error("no tombstone");
    bury(paths, { ...stone, awsProfile: "dev", source: { HOME: home } });
    clock = manualClock(end + CLOCK_SLACK_MS + 1000);
    cleanUp().plan();
    await clock.advance(0);
    await until(async () => !(await names()).includes(name));
  });

  it("is tried again where AWS could not be reached, later each time, and the log says so once", async () => {
    await revoked();
    const offline = cloud.switches.fault({
      operation: "iam:ListRolePolicies",
      error: { code: "AccessDenied", status: 403, message: "not now" },
    });
    cleanUp().ended(session, iam);
    let [due = 0] = clock.due;
    for (const minutes of [1, 2, 4, 8]) {
      await clock.advance(due - clock.now());
      await until(() => clock.due.length > 0);
      expect(clock.due).toEqual([clock.now() + minutes * 60_000]);
      due = clock.due[0] ?? 0;
    }
    expect(logged).toEqual([expect.stringMatching(/are still on .*: AccessDenied; it is tried again/)]);
    offline[Symbol.dispose]();
    await clock.advance(due - clock.now());
    await until(async () => !(await names()).includes(name));
    await until(() => tombstones(paths)[0]?.roles.length === 0);
  });

  it("is given up after a day without AWS, and the log says what is left to do", async () => {
    await revoked();
    using _ = cloud.switches.fault({ operation: "iam:ListRolePolicies", error: { code: "AccessDenied", status: 403, message: "never" } });
    cleanUp().ended(session, iam);
    for (let tries = 0; logged.length < 2; tries += 1) {
      expect(tries).toBeLessThan(40);
      await clock.advance((clock.due[0] ?? 0) - clock.now());
      await until(() => clock.due.length > 0 || logged.length > 1);
    }
    expect(clock.due).toEqual([]);
    expect(logged[1]).toMatch(/nobody tries it again .*agent-run revocations --prune/);
    expect(isBuried(paths, session)).toBe(true);
  });

  it("that others share is looked for an hour later each time, and goes when the keys of the last of them have expired", async () => {
    const end = clock.now() + HOUR;
    const shared = mergedName("a");
    const entries = [
      { session, until: end },
      { session: other, until: end + 2 * HOUR },
    ] as const;
    await rolePolicies(await iam(), cloud.roleArn()).put(shared, mergedDocument(entries, "hourly"));
    bury(paths, { session, at: clock.now(), roles: [cloud.roleArn()], until: end, region: cloud.region, endpointUrl: cloud.url });
    cleanUp().ended(session, iam);
    await clock.advance(HOUR + CLOCK_SLACK_MS + 1000);
    for (let looked = 1; (await names()).includes(shared); looked += 1) {
      expect(looked).toBeLessThan(5);
      expect(clock.now()).toBeLessThan(end + 3 * HOUR + CLOCK_SLACK_MS);
      expect(tombstones(paths)[0]?.roles).toEqual([cloud.roleArn()]);
      await until(() => clock.due.length > 0);
      expect(clock.due).toEqual([clock.now() + HOUR]);
      await clock.advance(HOUR);
      await until(async () => clock.due.length > 0 || !(await names()).includes(shared));
    }
    expect(clock.now()).toBeGreaterThan(end + 2 * HOUR);
    await until(() => tombstones(paths)[0]?.roles.length === 0);
    expect(clock.due).toEqual([]);
    expect(logged).toEqual([expect.stringContaining(shared)]);
  });

  it("stays where nobody can sign any more, and the log says how to remove it", async () => {
    await revoked();
    const [stone] = tombstones(paths);
    if (!stone) throw new Error("no tombstone");
    bury(paths, { ...stone, awsProfile: "gone", source: { HOME: home } });
    cleanUp().plan();
    await clock.advance(HOUR + CLOCK_SLACK_MS + 1000);
    await until(() => logged.length > 0);
    expect(logged[0]).toMatch(/are still on .*agent-run revocations --prune removes them/);
    expect(await names()).toContain(name);
    expect(tombstones(paths)[0]?.roles).toEqual([cloud.roleArn()]);
  });
});

describe("a tombstone", () => {
  it("holds names and files of the human's environment, and nothing that could be a secret", () => {
    const source = { HOME: "/h", AWS_PROFILE: "dev", AWS_SECRET_ACCESS_KEY: "s", AWS_SESSION_TOKEN: "t", HTTPS_PROXY: "http://u:p@h" };
    expect(locating(source)).toEqual({ HOME: "/h", AWS_PROFILE: "dev" });
  });

  it("counts also where it cannot be read", () => {
    expect(isBuried(paths, session)).toBe(false);
    bury(paths, { session, at: 1, roles: [] });
    writeFileSync(join(paths.state, "killed", `${session}.json`), "not json");
    expect(isBuried(paths, session)).toBe(true);
    expect(tombstones(paths)).toEqual([]);
    chmodSync(join(paths.state, "killed", `${session}.json`), 0);
    expect(isBuried(paths, session)).toBe(true);
  });

  it("is forgotten a month after the kill, once nothing is left in IAM", () => {
    bury(paths, { session, at: clock.now() - 31 * 24 * HOUR, roles: [] });
    bury(paths, { session: "sess_0000000b", at: clock.now(), roles: [] });
    cleanUp().plan();
    expect(tombstones(paths).map((stone) => stone.session)).toEqual(["sess_0000000b"]);
  });
});
