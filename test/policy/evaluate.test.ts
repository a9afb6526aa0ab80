// The evaluation logic of IAM, table by table: reference_policies_evaluation-logic, _elements_principal, _elements_notprincipal of the user guide.
import { describe, expect, it } from "vitest";
import { evaluate } from "../../src/policy/evaluate.ts";
import type { PolicyDocument, PolicySet } from "../../src/policy/types.ts";
import { ACCOUNT, allow, deny, identity, type Json, ROLE, request, resourcePolicy, SESSION, USER } from "./build.ts";

const OBJECT = "arn:aws:s3:::b/k";
const get = request("s3:GetObject", OBJECT);
const yes = identity([allow("s3:*")], "yes");
const other = identity([allow("ec2:*")], "other");
const no = identity([deny("s3:*")], "no");

describe("the kinds of policy", () => {
  it.each<[string, PolicySet, string, string | undefined]>([
    ["nothing allows", { identity: [] }, "implicitDeny", "identity"],
    ["another action is allowed", { identity: [other] }, "implicitDeny", "identity"],
    ["the identity policy allows", { identity: [other, yes] }, "allowed", "identity"],
    ["the boundary does not allow", { identity: [yes], boundary: [other] }, "implicitDeny", "boundary"],
    ["the session policy does not allow", { identity: [yes], session: [other] }, "implicitDeny", "session"],
    ["an organization's policy does not allow", { identity: [yes], serviceControl: [other] }, "implicitDeny", "serviceControl"],
    ["only boundary and session policy allow", { identity: [], boundary: [yes], session: [yes] }, "implicitDeny", "identity"],
    ["a kind is there but empty", { identity: [yes], session: [] }, "implicitDeny", "session"],
    ["all kinds allow", { identity: [yes], boundary: [yes], session: [yes], serviceControl: [yes] }, "allowed", "identity"],
    ["the identity policy denies", { identity: [yes, no] }, "explicitDeny", "identity"],
    ["the boundary denies", { identity: [yes], boundary: [yes, no] }, "explicitDeny", "boundary"],
    ["the session policy denies", { identity: [yes], session: [yes, no] }, "explicitDeny", "session"],
    ["an organization's policy denies", { identity: [yes], serviceControl: [yes, no] }, "explicitDeny", "serviceControl"],
    [
      "the resource policy denies everyone",
      { identity: [yes], resource: [resourcePolicy(deny("s3:*", "*", { Principal: "*" }))] },
      "explicitDeny",
      "resource",
    ],
    ["a resource without a policy", { identity: [yes], resource: [] }, "allowed", "identity"],
  ])("when %s", (_title, policies, outcome, kind) => {
    const decision = evaluate(get, policies);
    expect(decision.outcome).toBe(outcome);
    expect(decision.missing ?? decision.statement?.kind).toBe(kind);
  });

  it("names the statement that decided", () => {
    const document = identity(
      [allow("ec2:*"), { Sid: "Reads", ...allow("s3:Get*") }, { Sid: "NoDeletes", ...deny("s3:Delete*") }],
      "role.json",
    );
    expect(evaluate(get, { identity: [document] }).statement).toEqual({ kind: "identity", source: "role.json", index: 1, sid: "Reads" });
    const { statement } = evaluate(request("s3:DeleteObject", OBJECT), { identity: [document] });
    expect(statement).toEqual({ kind: "identity", source: "role.json", index: 2, sid: "NoDeletes" });
  });
});

describe("statements", () => {
  const decide = (statement: Json, action: string, resource: string, context = {}): string =>
    evaluate(request(action, resource, context), { identity: [identity([statement])] }).outcome;

  it("NotAction stands for every other action", () => {
    const statement = { Effect: "Allow", NotAction: ["iam:*", "organizations:*"], Resource: "*" };
    expect(decide(statement, "s3:GetObject", OBJECT)).toBe("allowed");
    expect(decide(statement, "IAM:CreateUser", "*")).toBe("implicitDeny");
  });

  it("NotResource stands for every other resource", () => {
    const statement = { Effect: "Allow", Action: "s3:*", NotResource: ["arn:aws:s3:::secret", "arn:aws:s3:::secret/*"] };
    expect(decide(statement, "s3:GetObject", OBJECT)).toBe("allowed");
    expect(decide(statement, "s3:GetObject", "arn:aws:s3:::secret/k")).toBe("implicitDeny");
    expect(decide({ ...statement, Effect: "Deny" }, "s3:GetObject", OBJECT)).toBe("explicitDeny");
  });

  it("a variable in Resource is the request's value, and its wildcards are none", () => {
    const statement = allow("s3:*", `arn:aws:s3:::b/$\{aws:PrincipalTag/project}/*`);
    expect(decide(statement, "s3:GetObject", "arn:aws:s3:::b/web/x", { "aws:PrincipalTag/project": "web" })).toBe("allowed");
    expect(decide(statement, "s3:GetObject", "arn:aws:s3:::b/web/x", { "aws:PrincipalTag/project": "*" })).toBe("implicitDeny");
    expect(decide(statement, "s3:GetObject", "arn:aws:s3:::b/web/x")).toBe("implicitDeny");
  });

  it("a NotResource whose variable has no value closes: an Allow does not apply, a Deny does", () => {
    const statement = { Effect: "Allow", Action: "s3:*", NotResource: `arn:aws:s3:::b/$\{aws:PrincipalTag/project}/*` };
    expect(decide(statement, "s3:GetObject", OBJECT)).toBe("implicitDeny");
    expect(decide({ ...statement, Effect: "Deny" }, "s3:GetObject", OBJECT)).toBe("explicitDeny");
    expect(decide(statement, "s3:GetObject", OBJECT, { "aws:PrincipalTag/project": "web" })).toBe("allowed");
  });

  it("an action without a resource is met by * alone", () => {
    expect(decide(allow("s3:ListAllMyBuckets", "*"), "s3:ListAllMyBuckets", "*")).toBe("allowed");
    expect(decide(allow("s3:ListAllMyBuckets", "arn:aws:s3:::*"), "s3:ListAllMyBuckets", "*")).toBe("implicitDeny");
  });
});

describe("resource policies within the account", () => {
  const grants = (Principal: unknown): PolicyDocument => resourcePolicy(allow("s3:GetObject", OBJECT, { Principal }));
  const limits: [string, Omit<PolicySet, "identity">][] = [
    ["no boundary or session policy", {}],
    ["an implicit deny in the boundary", { boundary: [other] }],
    ["an implicit deny in the session policy", { session: [other] }],
  ];
  // Who is named, what the policy names, and whether it suffices alone, under a silent boundary, under a silent session policy.
  it.each<[string, string, unknown, [boolean, boolean, boolean]]>([
    ["a session", SESSION, { AWS: SESSION }, [true, true, true]],
    ["a session, by its role", SESSION, { AWS: ROLE }, [true, false, false]],
    ["a session, by its role under a path", SESSION, { AWS: `arn:aws:iam::${ACCOUNT}:role/team/examplerole` }, [true, false, false]],
    ["a session, by its account", SESSION, { AWS: `arn:aws:iam::${ACCOUNT}:root` }, [false, false, false]],
    ["a session, by its account's number", SESSION, { AWS: ACCOUNT }, [false, false, false]],
    ["a session, as one of all", SESSION, "*", [true, true, true]],
    ["a session, as one of all AWS principals", SESSION, { AWS: "*" }, [true, true, true]],
    ["another session of the role", `${SESSION}2`, { AWS: SESSION }, [false, false, false]],
    ["a session of another role", SESSION.replace("examplerole/", "examplerole2/"), { AWS: ROLE }, [false, false, false]],
    ["a session, among several", SESSION, { AWS: [ACCOUNT, ROLE, SESSION] }, [true, true, true]],
    ["a session of a role of that name elsewhere", SESSION, { AWS: ROLE.replace(ACCOUNT, "444455556666") }, [false, false, false]],
    ["a role", ROLE, { AWS: ROLE }, [true, false, false]],
    ["a user", USER, { AWS: USER }, [true, true, true]],
    ["another user", `${USER}2`, { AWS: USER }, [false, false, false]],
    [
      "a federated user",
      `arn:aws:sts::${ACCOUNT}:federated-user/x`,
      { AWS: `arn:aws:sts::${ACCOUNT}:federated-user/x` },
      [true, true, true],
    ],
    ["a service", "ec2.amazonaws.com", { Service: "ec2.amazonaws.com" }, [true, true, true]],
    ["a service, as one of all AWS principals", "ec2.amazonaws.com", { AWS: "*" }, [false, false, false]],
    ["another service", "ec2.amazonaws.com", { Service: "ecs.amazonaws.com" }, [false, false, false]],
    ["a role that was deleted", SESSION, { AWS: "AROAEXAMPLEEXAMPLE123" }, [false, false, false]],
  ])("%s is granted as the guide's table says", (_title, principal, named, expected) => {
    const found = limits.map(
      ([, set]) => evaluate({ ...get, principal }, { identity: [], resource: [grants(named)], ...set }).outcome === "allowed",
    );
    expect(found).toEqual(expected);
  });

  it("leave to the identity policy what they grant to the account", () => {
    const resource = [grants({ AWS: ACCOUNT })];
    expect(evaluate(get, { identity: [yes], resource }).statement?.kind).toBe("identity");
    expect(evaluate(get, { identity: [], resource }).missing).toBe("identity");
  });

  it("never outweigh an explicit deny, nor a service control policy that is silent", () => {
    const resource = [grants({ AWS: SESSION })];
    expect(evaluate(get, { identity: [], session: [no], resource }).outcome).toBe("explicitDeny");
    expect(evaluate(get, { identity: [], serviceControl: [other], resource }).missing).toBe("serviceControl");
  });

  it("deny a session through its account or role", () => {
    for (const AWS of [ACCOUNT, ROLE, SESSION, "*"]) {
      const resource = [resourcePolicy(deny("s3:*", "*", { Principal: { AWS } }))];
      expect(evaluate(get, { identity: [yes], resource }).outcome).toBe("explicitDeny");
    }
  });
});

describe("NotPrincipal", () => {
  const except = (names: string[], effect: string): PolicyDocument[] => [
    resourcePolicy({ Effect: effect, NotPrincipal: { AWS: names }, Action: "s3:*", Resource: "*" }),
  ];
  const root = `arn:aws:iam::${ACCOUNT}:root`;

  it.each([
    ["session, role and account", [SESSION, ROLE, root], "allowed"],
    ["session and role", [SESSION, ROLE], "allowed"],
    ["the session without its role", [SESSION, root], "explicitDeny"],
    ["the role without the session", [ROLE, root], "explicitDeny"],
    ["the account alone", [root], "explicitDeny"],
    ["somebody else", [USER], "explicitDeny"],
  ])("with Deny leaves a session out that is listed by %s: %s", (_title, names, outcome) => {
    expect(evaluate(get, { identity: [yes], resource: except(names, "Deny") }).outcome).toBe(outcome);
  });

  it("with Deny leaves out a listed user, and nobody who has a boundary", () => {
    const asUser = { ...get, principal: USER };
    expect(evaluate(asUser, { identity: [yes], resource: except([USER, root], "Deny") }).outcome).toBe("allowed");
    expect(evaluate(asUser, { identity: [yes], boundary: [yes], resource: except([USER, root], "Deny") }).outcome).toBe("explicitDeny");
  });

  it("with Allow grants to all but those listed, in whatever way", () => {
    expect(evaluate(get, { identity: [], resource: except([USER], "Allow") }).outcome).toBe("allowed");
    for (const name of [SESSION, ROLE, root, ACCOUNT]) {
      expect(evaluate(get, { identity: [], resource: except([name], "Allow") }).outcome).toBe("implicitDeny");
    }
  });
});

describe("across accounts", () => {
  const table = "arn:aws:dynamodb:us-east-1:444455556666:table/t";
  const ask = request("dynamodb:GetItem", table);
  const mine = identity([allow("dynamodb:*")]);
  const theirs = (AWS: string): PolicyDocument => resourcePolicy(allow("dynamodb:GetItem", table, { Principal: { AWS } }));

  it.each<[string, PolicySet, string, string | undefined]>([
    ["both allow", { identity: [mine], resource: [theirs(SESSION)] }, "allowed", undefined],
    ["both allow, by account", { identity: [mine], resource: [theirs(ACCOUNT)] }, "allowed", undefined],
    ["only the resource allows", { identity: [], resource: [theirs(SESSION)] }, "implicitDeny", "identity"],
    ["only the caller's side allows", { identity: [mine], resource: [] }, "implicitDeny", "resource"],
    ["the session policy is silent", { identity: [mine], session: [yes], resource: [theirs(SESSION)] }, "implicitDeny", "session"],
  ])("when %s", (_title, policies, outcome, missing) => {
    expect(evaluate(ask, policies)).toMatchObject(missing ? { outcome, missing } : { outcome });
  });

  it("is not what a policy of AWS's own is", () => {
    const ask = request("iam:GetPolicy", "arn:aws:iam::aws:policy/ReadOnlyAccess");
    expect(evaluate(ask, { identity: [identity([allow("iam:*")])], resource: [] }).outcome).toBe("allowed");
  });

  it("a bucket's account comes from aws:ResourceAccount", () => {
    const resource = [resourcePolicy(allow("s3:GetObject", OBJECT, { Principal: { AWS: SESSION } }))];
    expect(evaluate(get, { identity: [], resource }).outcome).toBe("allowed");
    const foreign = { ...get, context: { "aws:ResourceAccount": "444455556666" } };
    expect(evaluate(foreign, { identity: [], resource }).missing).toBe("identity");
  });
});

describe("role trust policies", () => {
  const assume = request("sts:AssumeRole", `arn:aws:iam::${ACCOUNT}:role/target`, { "sts:ExternalId": "x" }, USER);
  const trust = (Principal: unknown): PolicyDocument[] => [
    resourcePolicy({ Effect: "Allow", Principal, Action: "sts:AssumeRole", Condition: { StringEquals: { "sts:ExternalId": "x" } } }),
  ];
  const may = identity([allow("sts:AssumeRole")]);
  const must = { resourceMustAllow: true };

  it("must allow, also within the account", () => {
    expect(evaluate(assume, { identity: [may], resource: [] }, must).missing).toBe("resource");
    expect(evaluate(assume, { identity: [may] }, must).missing).toBe("resource");
    expect(evaluate(assume, { identity: [may], resource: trust({ AWS: `${USER}2` }) }, must).missing).toBe("resource");
  });

  it("suffice when they name the caller, and not when they name the account", () => {
    expect(evaluate(assume, { identity: [], resource: trust({ AWS: USER }) }, must).outcome).toBe("allowed");
    expect(evaluate(assume, { identity: [], resource: trust({ AWS: ACCOUNT }) }, must).missing).toBe("identity");
    expect(evaluate(assume, { identity: [may], resource: trust({ AWS: ACCOUNT }) }, must).outcome).toBe("allowed");
  });

  it("hold only under their conditions", () => {
    expect(evaluate({ ...assume, context: {} }, { identity: [may], resource: trust({ AWS: USER }) }, must).missing).toBe("resource");
  });
});
