// The destructive catalogue, the worst case, and the shipped profiles held against both.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { destructiveActions, destructiveAllowed } from "../../src/policy/destructive.ts";
import { evaluate } from "../../src/policy/evaluate.ts";
import { LONGEST_SESSION_POLICY, minifyPolicy } from "../../src/policy/minify.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import type { PolicyDocument } from "../../src/policy/types.ts";
import { ACCOUNT, allow, deny, identity, request, resourcePolicy, SESSION } from "./build.ts";

const admin = identity([allow("*")], "administrator");
const read = (profile: string, file: string): string => readFileSync(join(import.meta.dirname, "../../profiles", profile, file), "utf8");
const policy = (profile: string, file: string): PolicyDocument => parsePolicy(read(profile, file), `${profile}/${file}`);
const names = (policies: Parameters<typeof destructiveAllowed>[0], context = {}): string[] =>
  destructiveAllowed(policies, SESSION, context).map(({ action }) => action);

describe("the catalogue", () => {
  it("has each action once, with a reason and a resource", () => {
    expect(new Set(destructiveActions.map(({ action }) => action)).size).toBe(destructiveActions.length);
    for (const { action, why, resource } of destructiveActions) {
      expect(action).toMatch(/^[a-z0-9-]+:[A-Z]\w+$/);
      expect(why).not.toBe("");
      expect(resource === "*" || resource.split(":").length >= 6, resource).toBe(true);
    }
  });

  it("is allowed whole to an administrator, in the administrator's account", () => {
    const found = destructiveAllowed({ identity: [admin] }, SESSION);
    expect(found.map(({ action }) => action)).toEqual(destructiveActions.map(({ action }) => action));
    expect(found.find(({ action }) => action === "ec2:TerminateInstances")?.resource).toContain(ACCOUNT);
  });
});

describe("destructiveAllowed", () => {
  it("finds what is allowed only on resources that no sample names", () => {
    expect(names({ identity: [identity([allow("s3:DeleteObject", "arn:aws:s3:::scratch-*/tmp/*")])] })).toEqual(["s3:DeleteObject"]);
  });

  it("takes conditions that it cannot tell as met for an Allow and unmet for a Deny", () => {
    const condition = { Condition: { StringNotEquals: { "aws:RequestedRegion": "eu-west-1" } } };
    const mfa = { Condition: { Bool: { "aws:MultiFactorAuthPresent": "true" } } };
    expect(names({ identity: [identity([allow("s3:DeleteBucket", "*", mfa)])] })).toEqual(["s3:DeleteBucket"]);
    expect(names({ identity: [identity([allow("s3:DeleteBucket"), deny("s3:*", "*", condition)])] })).toEqual(["s3:DeleteBucket"]);
    expect(names({ identity: [identity([allow("s3:DeleteBucket"), deny("s3:*")])] })).toEqual([]);
  });

  it("finds an object that is called by a wildcard's own sign", () => {
    for (const sign of ["*", "?", "$"]) {
      const policies = { identity: [identity([allow("s3:DeleteObject", `arn:aws:s3:::a/$\{${sign}}`)])] };
      expect(
        evaluate({ principal: SESSION, action: "s3:DeleteObject", resource: `arn:aws:s3:::a/${sign}`, context: {} }, policies).outcome,
      ).toBe("allowed");
      expect(names(policies), sign).toEqual(["s3:DeleteObject"]);
    }
  });

  it("finds, of policies of any kind, whatever any request is allowed", () => {
    const some = (...values: readonly string[]) => fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 3 });
    const key = fc.constantFrom("aws:PrincipalTag/team", "AWS:principaltag/TEAM", "aws:RequestedRegion", "aws:TagKeys");
    const condition = fc.tuple(
      fc.constantFrom(
        "StringEquals",
        "StringNotLike",
        "StringEqualsIfExists",
        "ForAnyValue:StringEquals",
        "ForAllValues:StringNotEquals",
        "Null",
      ),
      key,
      fc.constantFrom("true", "false", "red", "r*", `$\{aws:PrincipalTag/team, 'red'}`),
    );
    const statement = fc.tuple(
      fc.constantFrom("Allow", "Allow", "Deny"),
      fc.constantFrom("Action", "Action", "NotAction"),
      some("s3:DeleteObject", "S3:delete*", "s3:GetObject", "*"),
      fc.constantFrom("Resource", "Resource", "NotResource"),
      some(
        "*",
        "arn:aws:s3:::logs-*",
        "arn:aws:s3:::*-prod/*",
        "arn:aws:s3:::a/b",
        `arn:aws:s3:::?/$\{*}`,
        `arn:aws:s3:::$\{aws:PrincipalTag/team}/*`,
      ),
      fc.option(condition, { nil: undefined, freq: 2 }),
    );
    const document = fc
      .array(statement, { minLength: 1, maxLength: 3 })
      .filter((statements) =>
        statements.every(([, , , , , test]) => test === undefined || (test[0] === "Null") === /^(true|false)$/.test(test[2])),
      );
    const read = (statements: Parameters<Parameters<typeof document.map>[0]>[0]) =>
      identity(
        statements.map(([Effect, action, actions, resource, resources, test]) => ({
          Effect,
          [action]: actions,
          [resource]: resources,
          ...(test ? { Condition: { [test[0]]: { [test[1]]: test[2] } } } : {}),
        })),
      );
    const context = fc.record(
      {
        "aws:PrincipalTag/team": fc.constantFrom("red", "lo"),
        "aws:RequestedRegion": fc.constant("red"),
        "aws:TagKeys": fc.constantFrom(["red"], ["a", "red"], []),
      },
      { requiredKeys: [] },
    );
    const resources = ["logs-a/b", "logs-1-prod/z", "a/b", "a/*", "red/k", "lo/x"].map((name) => `arn:aws:s3:::${name}`);
    fc.assert(
      fc.property(
        fc.array(document, { minLength: 1, maxLength: 2 }),
        fc.option(document, { nil: undefined }),
        context,
        (own, session, given) => {
          const policies = { identity: own.map(read), ...(session ? { session: [read(session)] } : {}) };
          const allowed = resources.some(
            (resource) =>
              evaluate({ principal: SESSION, action: "s3:DeleteObject", resource, context: given }, policies).outcome === "allowed",
          );
          if (allowed) expect(names(policies)).toContain("s3:DeleteObject");
        },
      ),
      { numRuns: 300 },
    );
  });

  it("goes by what the context tells", () => {
    const agents = { Condition: { StringLike: { "aws:PrincipalTag/agent-session": "sess_*" } } };
    const policies = { identity: [identity([allow("s3:DeleteBucket"), deny("s3:*", "*", agents)])] };
    expect(names(policies)).toEqual(["s3:DeleteBucket"]);
    expect(names(policies, { "aws:PrincipalTag/agent-session": "sess_a8f3b21c" })).toEqual([]);
    const own = identity([allow("s3:DeleteObject", `arn:aws:s3:::$\{aws:PrincipalTag/project}/*`)]);
    expect(names({ identity: [own] }, { "aws:PrincipalTag/project": "shop" })).toEqual(["s3:DeleteObject"]);
  });

  it("takes a variable without a value as any", () => {
    const own = `arn:aws:s3:::$\{aws:PrincipalTag/project}/*`;
    expect(names({ identity: [identity([allow("s3:DeleteObject", own)])] })).toEqual(["s3:DeleteObject"]);
    const notOwn = { Effect: "Deny", Action: "s3:DeleteObject", NotResource: own };
    expect(names({ identity: [identity([allow("s3:DeleteObject"), notOwn])] })).toEqual(["s3:DeleteObject"]);
  });

  it("takes an action as allowed where the patterns that cross are too many to try, and tries no longer", () => {
    const crossing = (name: string) => Array.from({ length: 10 }, (_, index) => `arn:aws:s3:::*${name}${index}*${name}x${index}*`);
    const leftOut = { Effect: "Deny", Action: "*", NotResource: crossing("c") };
    const policies = {
      identity: [identity([allow("s3:DeleteObject", crossing("a")), leftOut])],
      session: [identity([allow("*", crossing("b"))])],
    };
    expect(destructiveAllowed(policies, SESSION).map(({ action, resource }) => [action, resource])).toContainEqual([
      "s3:DeleteObject",
      undefined,
    ]);
  });

  it("takes an action as allowed where two patterns cross in more ways than can be written, unless a Deny holds everywhere", () => {
    const three = (names: string) => `arn:aws:s3:::*${[...names].map((name) => `${name}-logs`).join("*")}*`;
    const policies = { identity: [identity([allow("s3:DeleteObject", three("abc"))])], session: [identity([allow("s3:*", three("xyz"))])] };
    expect(names(policies)).toEqual(["s3:DeleteObject"]);
    expect(names({ ...policies, boundary: [identity([allow("*"), deny("s3:Delete*")])] })).toEqual([]);
  });

  it("is bounded by session policy and boundary", () => {
    const reads = identity([allow("s3:Get*")]);
    expect(names({ identity: [admin], session: [reads] })).toEqual([]);
    expect(names({ identity: [admin], boundary: [reads] })).toEqual([]);
  });

  it("finds what a Deny NotResource leaves out", () => {
    const scratch = { Effect: "Deny", Action: "s3:*", NotResource: ["arn:aws:s3:::*-scratch/*", "arn:aws:s3:::*-tmp/*"] };
    expect(names({ identity: [identity([allow("s3:DeleteObject"), scratch])] })).toEqual(["s3:DeleteObject"]);
    expect(
      names({ identity: [identity([allow("s3:DeleteObject", "arn:aws:s3:::logs-*")])], session: [identity([allow("*"), scratch])] }),
    ).toEqual(["s3:DeleteObject"]);
  });

  it("finds what role and session policy allow together, on resources that only both of their patterns make", () => {
    const logs = identity([allow("s3:DeleteObject", "arn:aws:s3:::logs-*")]);
    const production = identity([allow("s3:*", "arn:aws:s3:::*-prod/*")]);
    const own = identity([allow("s3:*", `arn:aws:s3:::logs-$\{aws:PrincipalTag/team}/*`)]);
    expect(names({ identity: [logs], session: [production] })).toEqual(["s3:DeleteObject"]);
    expect(names({ identity: [logs], boundary: [own], session: [production] })).toEqual(["s3:DeleteObject"]);
  });
});

const everyRead = [
  ["sts:GetCallerIdentity", "*"],
  ["s3:ListAllMyBuckets", "*"],
  ["s3:ListBucket", "arn:aws:s3:::b"],
  ["s3:GetObject", "arn:aws:s3:::b/k"],
  ["ec2:DescribeInstances", "*"],
  ["cloudtrail:LookupEvents", "*"],
  ["iam:GetRole", `arn:aws:iam::${ACCOUNT}:role/r`],
  ["iam:ListRoles", "*"],
] as const;

const readonlyReads = [
  ["rds:DescribeDBInstances", "*"],
  ["logs:FilterLogEvents", `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:x`],
  ["logs:GetLogEvents", `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:x:log-stream:y`],
  ["logs:StartQuery", `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:x`],
  ["cloudwatch:GetMetricData", "*"],
  ["cloudformation:DescribeStacks", "*"],
  ["cloudformation:GetTemplate", `arn:aws:cloudformation:us-east-1:${ACCOUNT}:stack/s/0`],
  ["lambda:ListFunctions", "*"],
  ["iam:ListAttachedRolePolicies", `arn:aws:iam::${ACCOUNT}:role/r`],
  ["iam:GetPolicyVersion", `arn:aws:iam::${ACCOUNT}:policy/p`],
  ["eks:DescribeCluster", `arn:aws:eks:us-east-1:${ACCOUNT}:cluster/c`],
] as const;

describe.each(["readonly", "demo"])("the %s profile", (profile) => {
  const session = [policy(profile, "session-policy.json")];
  const openBucket = resourcePolicy(allow("*", "*", { Principal: "*" }), "a policy that lets everyone in");

  it("keeps even an administrator's session from every action of the catalogue", () => {
    expect(names({ identity: [admin], session })).toEqual([]);
  });

  it.each(destructiveActions)("denies $action explicitly, also where a resource policy lets everyone in", ({ action, resource }) => {
    const policies = { identity: [admin], session, resource: [openBucket] };
    expect(evaluate(request(action, resource), policies)).toMatchObject({ outcome: "explicitDeny", statement: { kind: "session" } });
  });

  it.each([...everyRead, ...(profile === "readonly" ? readonlyReads : [])])("allows %s on %s to its own role", (action, resource) => {
    const policies = { identity: [policy(profile, "role-policy.json")], boundary: [policy(profile, "boundary.json")], session };
    expect(evaluate(request(action, resource), policies).outcome).toBe("allowed");
  });

  it.each(["role-policy.json", "boundary.json"])("denies the whole catalogue in its %s too", (file) => {
    const policies =
      file === "boundary.json" ? { identity: [admin], boundary: [policy(profile, file)] } : { identity: [policy(profile, file)] };
    expect(names(policies)).toEqual([]);
  });

  it("fits into what STS takes, with room for a time window", () => {
    expect(minifyPolicy(read(profile, "session-policy.json")).length).toBeLessThanOrEqual(LONGEST_SESSION_POLICY - 200);
    expect(read(profile, "role-policy.json").replace(/\s/g, "").length).toBeLessThanOrEqual(10_240);
    expect(read(profile, "boundary.json").replace(/\s/g, "").length).toBeLessThanOrEqual(6144);
  });

  it("trusts one principal for the three actions of a tagged session, the first only with the external id", () => {
    const text = read(profile, "trust-policy.json")
      .replaceAll(`$\{PRINCIPAL_ARN}`, `arn:aws:iam::${ACCOUNT}:user/jordan`)
      .replace(`$\{EXTERNAL_ID}`, "agreed");
    const resource = [parsePolicy(text, "trust-policy.json", { kind: "resource" })];
    const role = `arn:aws:iam::${ACCOUNT}:role/agent`;
    for (const action of ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]) {
      const decide = (externalId: string, user: string): string =>
        evaluate(
          request(action, role, { "sts:ExternalId": externalId }, `arn:aws:iam::${ACCOUNT}:user/${user}`),
          { identity: [], resource },
          { resourceMustAllow: true },
        ).outcome;
      expect(decide("agreed", "jordan")).toBe("allowed");
      expect(decide("guessed", "jordan")).toBe(action === "sts:AssumeRole" ? "implicitDeny" : "allowed");
      expect(decide("agreed", "other")).toBe("implicitDeny");
    }
  });
});
