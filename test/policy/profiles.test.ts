// The shipped profiles, each as it is sent: what they promise of themselves, and what holds for every one of them.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { resolvePaths } from "../../src/core/paths.ts";
import { readCatalogue } from "../../src/policy/catalogue.ts";
import { destructiveActions, destructiveAllowed } from "../../src/policy/destructive.ts";
import { evaluate } from "../../src/policy/evaluate.ts";
import { LONGEST_SESSION_POLICY } from "../../src/policy/minify.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import { fillPlaceholders, placeholdersOf } from "../../src/policy/placeholders.ts";
import type { PolicyDocument } from "../../src/policy/types.ts";
import { loadProfile, type Profile, profileNames } from "../../src/session/profile.ts";
import { readProfileTests, runCatalogue, runExpectations } from "../../src/session/profile-tests.ts";
import { allow, identity, request, resourcePolicy, SESSION } from "./build.ts";

const root = join(import.meta.dirname, "../..");
const home = mkdtempSync(join(tmpdir(), "ar-profiles-"));
const paths = resolvePaths({ AGENT_RUN_HOME: home }, 0);
afterAll(() => rmSync(home, { recursive: true, force: true }));

const catalogue = readCatalogue(readFileSync(join(root, "dist/iam-data.json"), "utf8"));
const admin = identity([allow("*")], "administrator");
const everyone = resourcePolicy(allow("*", "*", { Principal: "*" }), "a policy that lets everyone in");
const text = (profile: Profile, file: string): string => readFileSync(join(profile.folder, file), "utf8");
function document(profile: Profile, file: string): PolicyDocument {
  const read = text(profile, file);
  if (placeholdersOf(read).length === 0) return parsePolicy(read, file);
  return parsePolicy(JSON.stringify(fillPlaceholders(read, profile.values, file)), file);
}

/** What destroys or outlives a session; no profile is there for any of it. */
const NEVER = destructiveActions
  .map(({ action }) => action)
  .filter((action) =>
    /:(Delete|Terminate|Leave|Close|Purge|Schedule)|^(account|organizations):|AccessKey|LoginProfile|^sts:|PassRole|^cloudtrail:/.test(
      action,
    ),
  );

const names = profileNames(paths, root);

it("are the ones that the documentation names", () => {
  expect(names).toEqual(["bedrock", "demo", "deploy", "developer", "ops", "readonly", "security", "staging-readonly", "zero"]);
});

describe.each(names)("the %s profile", (name) => {
  const profile = loadProfile(paths, root, { profile: name });
  const session = [profile.sessionPolicy.document];

  it("allows and denies what its own tests say, and of the catalogue just what it accepts by name", () => {
    const tests = readProfileTests(name, paths, root);
    if (name !== "demo") expect(tests.expectations.length).toBeGreaterThan(5);
    expect(runExpectations(tests, systemClock.now()).filter(({ passed }) => !passed)).toEqual([]);
    expect(runCatalogue(tests)).toMatchObject({ open: [], idle: [] });
  });

  it("keeps even an administrator's session to what it accepts, also where a resource lets everyone in", () => {
    const open = destructiveAllowed({ identity: [admin], session }, SESSION).map(({ action }) => action);
    expect(open.sort()).toEqual([...profile.accepts].sort());
    for (const { action, resource } of destructiveActions) {
      if (profile.accepts.includes(action)) continue;
      const decision = evaluate(request(action, resource), { identity: [admin], session, resource: [everyone] });
      expect(decision, action).toMatchObject({ outcome: "explicitDeny", statement: { kind: "session" } });
    }
  });

  it("accepts nothing that destroys, mints credentials or hides traces", () => {
    expect(NEVER.length).toBeGreaterThan(60);
    expect(profile.accepts.filter((action) => NEVER.includes(action))).toEqual([]);
  });

  it.each(["role-policy.json", "boundary.json"])("denies by its %s too what it does not accept", (file) => {
    const own = document(profile, file);
    const policies = file === "boundary.json" ? { identity: [admin], boundary: [own] } : { identity: [own, admin] };
    expect(
      destructiveAllowed(policies, SESSION)
        .map(({ action }) => action)
        .filter((action) => !profile.accepts.includes(action)),
    ).toEqual([]);
  });

  it("has a ceiling that its session policy, role policy and boundary all hold", () => {
    const ceiling = document(profile, "deny-always.json").statements.flatMap(({ action }) => action ?? []);
    expect(ceiling).toContain("ec2:Terminate*");
    for (const pattern of ceiling) {
      const asked = request(pattern.replaceAll("*", "X"), "*");
      expect(evaluate(asked, { identity: [admin], session }).outcome, pattern).toBe("explicitDeny");
      expect(
        evaluate(asked, { identity: [admin, document(profile, "role-policy.json"), document(profile, "deny-always.json")] }).outcome,
      ).toBe("explicitDeny");
    }
  });

  it("has a boundary that denies every action of AWS's that the ceiling denies, so that set-up need not attach the ceiling too", () => {
    const boundary = [document(profile, "boundary.json")];
    const ceiling = document(profile, "deny-always.json").statements.flatMap(({ action }) => action ?? []);
    const actions = ceiling.flatMap((pattern) => catalogue.matching(pattern)).map((facts) => facts.name);
    expect(actions.length).toBeGreaterThan(300);
    for (const action of actions) {
      expect(evaluate(request(action, "*"), { identity: [admin], boundary, resource: [everyone] }).outcome, action).toBe("explicitDeny");
    }
    expect(boundary[0]?.statements.filter(({ effect }) => effect === "Deny").some(({ conditions }) => conditions.length > 0)).toBe(false);
  });

  it("fits into what STS and IAM take, with room for the end of the session", () => {
    expect(profile.sessionPolicy.characters).toBeLessThanOrEqual(LONGEST_SESSION_POLICY - 120);
    expect(text(profile, "role-policy.json").replace(/\s/g, "").length).toBeLessThanOrEqual(6144);
    expect(text(profile, "boundary.json").replace(/\s/g, "").length).toBeLessThanOrEqual(6144);
  });

  it("trusts one principal, AssumeRole only with the external id", () => {
    const trust = text(profile, "trust-policy.json");
    expect(JSON.parse(trust)).toEqual(JSON.parse(readFileSync(join(root, "profiles/readonly/trust-policy.json"), "utf8")));
  });

  it("can be narrowed to reading, and then accepts nothing", () => {
    const { sessionPolicy } = loadProfile(paths, root, { profile: name, readOnly: true });
    const left = destructiveAllowed({ identity: [admin], session: [sessionPolicy.document] }, SESSION);
    expect(left).toEqual([]);
    expect(evaluate(request("sts:GetCallerIdentity"), { identity: [admin], session: [sessionPolicy.document] }).outcome).toBe("allowed");
  });
});

describe("the security profile", () => {
  it("is over after five minutes, and cannot be renewed past them", () => {
    expect(loadProfile(paths, root, { profile: "security" })).toMatchObject({ ttlMs: 300_000, maxTtlMs: 300_000, onExpiry: "stop" });
    expect(() => loadProfile(paths, root, { profile: "security", ttl: 600_000 })).toThrow(/over its max_ttl of 5 min/);
  });
});
