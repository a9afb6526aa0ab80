// The session policy that is sent: narrowing never widens, on generated policies and on the shipped ones.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AgentRunError } from "../../src/core/error.ts";
import { type CompiledSession, compileSession, readNarrowing, type SessionPolicyRequest } from "../../src/policy/compile-session.ts";
import { evaluate } from "../../src/policy/evaluate.ts";
import { actionMatches, resourceMatches } from "../../src/policy/match.ts";
import { LONGEST_SESSION_POLICY } from "../../src/policy/minify.ts";
import { apart, common, within } from "../../src/policy/overlap.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import type { Decision, PolicyDocument, PolicyRequest } from "../../src/policy/types.ts";
import { ACCOUNT, allow, deny, identity, type Json, request, resourcePolicy, SESSION } from "./build.ts";

const admin = identity([allow("*")], "administrator");
const everyone = resourcePolicy(allow("*", "*", { Principal: "*" }), "a policy that lets everyone in");
const decide = (document: PolicyDocument, asked: PolicyRequest, open = false): Decision["outcome"] =>
  evaluate(asked, { identity: [admin], session: [document], ...(open ? { resource: [everyone] } : {}) }).outcome;
const source = (statements: Json | readonly Json[], label: string) => ({ label, document: identity(statements, label) });

function compiled(given: SessionPolicyRequest): CompiledSession | AgentRunError {
  try {
    return compileSession(given);
  } catch (error) {
    if (error instanceof AgentRunError) return error;
    throw error;
  }
}

const letters = fc.constantFrom("a", "b", "*", "?", "ab", "ba");
const glob = fc.array(letters, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(""));
const plain = fc.array(fc.constantFrom("a", "b"), { maxLength: 6 }).map((parts) => parts.join(""));

describe("a narrowing", () => {
  it.each(["s3:GetObject=", "s3:GetObject=bucket", "GetObject", "="])("that is %j is refused with what it should look like", (entry) => {
    expect(() => readNarrowing([entry], "Deny", "--deny")).toThrow(
      expect.objectContaining({ code: "policy", hint: expect.stringMatching(/\S/) }),
    );
  });
});

describe("two patterns", () => {
  it("are one within the other only when every text of the narrower fits the wider", () => {
    fc.assert(
      fc.property(glob, glob, plain, (wide, narrow, text) => {
        if (within("action", wide, narrow) && actionMatches(narrow, text)) expect(actionMatches(wide, text)).toBe(true);
        const [wideArn, narrowArn, arn] = [wide, narrow, text].map((part) => `arn:aws:s3:${part}:${part}:${part}`) as [
          string,
          string,
          string,
        ];
        if (within("resource", wideArn, narrowArn) && resourceMatches(narrowArn, arn)) expect(resourceMatches(wideArn, arn)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  it("are apart only when no text fits both, and what they have in common is just what fits both", () => {
    fc.assert(
      fc.property(glob, glob, plain, (one, other, text) => {
        const both = actionMatches(one, text) && actionMatches(other, text);
        if (apart("action", one, other)) expect(both).toBe(false);
        const shared = common("action", one, other);
        if (shared) expect(shared.some((pattern) => actionMatches(pattern, text))).toBe(both);
      }),
      { numRuns: 5000 },
    );
  });

  it("cross in patterns of their own", () => {
    expect(common("action", "s3:Get*", "s3:*Object")).toEqual(["s3:get*object"]);
    expect(common("action", "s3:*", "S3:GetObject")).toEqual(["S3:GetObject"]);
    expect(common("action", "s3:Get*", "s3:Put*")).toEqual([]);
    expect(common("resource", "arn:aws:s3:::b/*", "arn:aws:s3:::*/x")).toEqual(["arn:aws:s3:::b/x", "arn:aws:s3:::b/*/x"]);
    expect(common("resource", "arn:aws:s3:::b/*", `arn:aws:s3:::b/$\{aws:PrincipalTag/team}/*`)).toEqual([
      `arn:aws:s3:::b/$\{aws:PrincipalTag/team}/*`,
    ]);
    expect(common("resource", "arn:aws:s3:::b/red/*", `arn:aws:s3:::b/$\{aws:PrincipalTag/team}/*`)).toBeUndefined();
  });

  it("take a variable for a text of its own: no letter of its name is part of it, and a default makes it another", () => {
    const bucket = (key: string): string => `arn:aws:s3:::b/${key}`;
    const user = bucket("$" + "{aws:username}");
    for (const wide of [bucket("*username*"), bucket("*aws*"), bucket("*:*"), bucket("*?:*")])
      expect(within("resource", wide, user), wide).toBe(false);
    expect(within("resource", bucket("*"), user)).toBe(true);
    const nobody = bucket("$" + "{aws:username, 'nobody'}");
    const other = bucket("$" + "{aws:username, 'other'}");
    for (const [wide, narrow] of [
      [user, nobody],
      [nobody, other],
    ] as const) {
      expect(within("resource", wide, narrow)).toBe(false);
      expect(common("resource", wide, narrow)).toBeUndefined();
    }
  });

  it("keep a wildcard inside its segment of an ARN", () => {
    expect(within("resource", "arn:aws:sqs:eu-*-1:1:q", "arn:aws:sqs:*:1:q")).toBe(false);
    expect(within("resource", "arn:aws:sqs:*:1:q", "arn:aws:sqs:eu-central-1:1:q")).toBe(true);
  });
});

const action = fc.constantFrom(
  "*",
  "s3:*",
  "s3:Get*",
  "s3:GetObject",
  "s3:*Object",
  "s3:PutObject",
  "ec2:*",
  "ec2:Describe*",
  "iam:PassRole",
);
const resource = fc.constantFrom(
  "*",
  "arn:aws:s3:::*",
  "arn:aws:s3:::b/*",
  "arn:aws:s3:::b/a/*",
  "arn:aws:s3:::*/x",
  "arn:aws:s3:::b/*team*/*",
  `arn:aws:s3:::b/$\{aws:PrincipalTag/team}/*`,
  `arn:aws:s3:::b/$\{aws:PrincipalTag/team, 'red'}/*`,
);
const condition = fc.constantFrom<Json | undefined>(
  undefined,
  undefined,
  { StringEquals: { "aws:x": ["1", "2"] } },
  { StringEquals: { "aws:x": "2" } },
  { StringNotEquals: { "aws:x": "1" } },
  { StringNotEquals: { "aws:x": ["1", "1"] } },
  { StringNotEquals: { "aws:x": ["1", "2"] } },
  { StringLike: { "aws:x": "1*" } },
  { Null: { "aws:x": "true" } },
);
const some = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.uniqueArray(value, { minLength: 1, maxLength: 3 });
const statement = fc
  .record({
    Effect: fc.constantFrom("Allow", "Allow", "Deny"),
    actions: fc.tuple(fc.constantFrom("Action", "Action", "Action", "NotAction"), some(action)),
    resources: fc.tuple(fc.constantFrom("Resource", "Resource", "Resource", "NotResource"), some(resource)),
    Condition: condition,
  })
  .map(({ Effect, actions, resources, Condition }) => ({
    Effect,
    [actions[0]]: actions[1],
    [resources[0]]: resources[1],
    ...(Condition ? { Condition } : {}),
  }));
const documents = fc.array(fc.array(statement, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 });
const requests = fc.record({
  principal: fc.constant(SESSION),
  action: fc.constantFrom("s3:GetObject", "s3:PutObject", "s3:GetBucketAcl", "ec2:DescribeInstances", "ec2:RunInstances", "iam:PassRole"),
  resource: fc.constantFrom(
    "*",
    "arn:aws:s3:::b/k",
    "arn:aws:s3:::b/a/x",
    "arn:aws:s3:::c/x",
    "arn:aws:s3:::b/red/x",
    `arn:aws:ec2:us-east-1:${ACCOUNT}:instance/i-0`,
  ),
  context: fc.constantFrom<Record<string, string>>(
    {},
    { "aws:x": "1" },
    { "aws:x": "2" },
    { "aws:PrincipalTag/team": "red", "aws:x": "3" },
  ),
});

describe("a compiled session policy", () => {
  it("allows just what every one of its policies allows, and denies explicitly whatever one of them does", () => {
    let written = 0;
    fc.assert(
      fc.property(documents, fc.array(requests, { minLength: 8, maxLength: 8 }), fc.boolean(), (given, asked, tight) => {
        const sources = given.map((statements, index) => source(statements, `policy ${index}`));
        const result = compiled({ sources, reserve: tight ? 2000 : 0 });
        if (result instanceof AgentRunError) {
          expect(result.message).toMatch(/^cannot write what .* both allow: | leaves nothing: |, and sts takes 2048: /);
          return;
        }
        written += 1;
        const limiting = sources.filter(({ document }) => document.statements.some(({ effect }) => effect === "Allow"));
        for (const one of asked) {
          const each = sources.map(({ document }) => decide(document, one));
          const wanted =
            limiting.length > 0 && limiting.every(({ document }) => decide(document, one) === "allowed") && !each.includes("explicitDeny");
          expect(decide(result.document, one) === "allowed").toBe(wanted);
          if (each.includes("explicitDeny")) expect(decide(result.document, one)).toBe("explicitDeny");
        }
      }),
      { numRuns: 3000 },
    );
    expect(written).toBeGreaterThan(1300);
  });

  it("of one policy decides every request as that policy does, however short it had to become", () => {
    fc.assert(
      fc.property(fc.array(statement, { minLength: 1, maxLength: 5 }), requests, (statements, asked) => {
        const one = source(statements, "policy");
        const result = compiled({ sources: [one], reserve: 2000 });
        if (!(result instanceof AgentRunError)) expect(decide(result.document, asked)).toBe(decide(one.document, asked));
      }),
      { numRuns: 2000 },
    );
  });
});

const profile = (name: string) => ({
  label: "session-policy.json",
  document: parsePolicy(readFileSync(join(import.meta.dirname, "../../profiles", name, "session-policy.json"), "utf8"), name),
});
const narrowed = (allows: string[], denies: string[] = []): CompiledSession =>
  compileSession({
    sources: [profile("readonly"), readNarrowing(allows, "Allow", "--allow"), readNarrowing(denies, "Deny", "--deny")].filter(
      (one) => one !== undefined,
    ),
  });

describe("narrowing", () => {
  it("to one action on one prefix leaves that alone, and holds where a bucket lets everyone in", () => {
    const { document, text } = narrowed(["s3:GetObject=arn:aws:s3:::acme/builds/*"]);
    expect(decide(document, request("s3:GetObject", "arn:aws:s3:::acme/builds/1"))).toBe("allowed");
    for (const [action, resource] of [
      ["s3:GetObject", "arn:aws:s3:::acme/secret"],
      ["s3:ListBucket", "arn:aws:s3:::acme"],
      ["ec2:DescribeInstances", "*"],
      ["sts:AssumeRole", `arn:aws:iam::${ACCOUNT}:role/admin`],
    ] as const) {
      expect(decide(document, request(action, resource), true)).toBe("explicitDeny");
    }
    expect(text.length).toBeLessThan(400);
  });

  it("takes away with --deny what is still allowed elsewhere", () => {
    const { document } = narrowed([], ["s3:GetObject=arn:aws:s3:::acme/secret/*", "logs:*"]);
    expect(decide(document, request("s3:GetObject", "arn:aws:s3:::acme/secret/1"), true)).toBe("explicitDeny");
    expect(decide(document, request("logs:GetLogEvents", "*"))).toBe("explicitDeny");
    expect(decide(document, request("s3:GetObject", "arn:aws:s3:::acme/1"))).toBe("allowed");
  });

  it("to what the profile does not allow is refused, not widened", () => {
    expect(compiled({ sources: [profile("readonly"), source(allow("s3:PutObject"), "--allow")] })).toMatchObject({
      code: "policy",
      message: expect.stringContaining("--allow leaves nothing"),
    });
  });

  it("to actions with different conditions on one key says that it cannot be written", () => {
    const like = (value: string) => allow("s3:*", "*", { Condition: { StringLike: { "aws:x": value } } });
    expect(compiled({ sources: [source(like("a*"), "one"), source(like("*b"), "two")] })).toMatchObject({
      code: "policy",
      message: expect.stringContaining("both have a condition StringLike on aws:x"),
    });
  });

  it("to neither of two values asks for both, and says where one of several keys would be enough that this cannot be written", () => {
    const not = (operator: string, value: string) => source(allow("s3:*", "*", { Condition: { [operator]: { "aws:x": value } } }), value);
    const both = compileSession({ sources: [not("StringNotEquals", "1"), not("StringNotEquals", "2")] });
    const got = (value: string) => decide(both.document, request("s3:GetObject", "arn:aws:s3:::b/k", { "aws:x": value }));
    expect(["1", "2", "3"].map(got)).toEqual(["implicitDeny", "implicitDeny", "allowed"]);
    const any = "ForAnyValue:StringNotEquals";
    expect(compiled({ sources: [not(any, "1"), not(any, "2")] })).toMatchObject({
      message: expect.stringContaining("both have a condition StringNotEquals on aws:x"),
    });
  });

  it("keeps what holds under fewer conditions beside what holds under more", () => {
    const when = (...keys: string[]) =>
      allow("s3:*", "*", keys.length > 0 ? { Condition: { Null: Object.fromEntries(keys.map((key) => [key, "false"])) } } : {});
    const { document } = compileSession({ sources: [source(when("aws:x"), "one"), source([when("aws:y"), when()], "two")] });
    const got = (context: Record<string, string>) => decide(document, request("s3:GetObject", "arn:aws:s3:::b/k", context));
    expect([got({ "aws:x": "1" }), got({ "aws:x": "1", "aws:y": "1" }), got({ "aws:y": "1" })]).toEqual([
      "allowed",
      "allowed",
      "implicitDeny",
    ]);
  });

  it("keeps a Sid that several of its policies have once: IAM takes none twice", () => {
    const named = (action: string) => source({ ...deny(action), Sid: "Same" }, action);
    const { text } = compileSession({ sources: [source(allow("*"), "all"), named("s3:PutObject"), named("ec2:RunInstances")] });
    expect(text.match(/"Same"/g)?.length ?? 0).toBeLessThan(2);
  });

  it("over managed policies is all denials, so that it adds nothing to what they allow", () => {
    const managedArns = ["arn:aws:iam::aws:policy/ReadOnlyAccess"];
    const result = compileSession({ sources: [source(allow(["s3:Get*"], "arn:aws:s3:::b/*"), "--allow")], managedArns });
    expect(result.text).not.toContain("Allow");
    expect(decide(result.document, request("s3:GetObject", "arn:aws:s3:::b/k"))).toBe("allowed");
    expect(decide(result.document, request("s3:GetObject", "arn:aws:s3:::c/k"))).toBe("explicitDeny");
    expect(decide(result.document, request("ec2:DescribeInstances"))).toBe("explicitDeny");
    expect(result.characters).toBe(result.text.length + 38);
    const onlyDenied = compileSession({ sources: [source(deny("s3:*"), "--deny")], managedArns });
    expect(decide(onlyDenied.document, request("s3:GetObject"))).toBe("explicitDeny");
    expect(decide(onlyDenied.document, request("ec2:DescribeInstances"))).toBe("allowed");
    const uneven = [allow("s3:*", "arn:aws:s3:::b/*"), allow("s3:Get*", "arn:aws:s3:::c/*")];
    expect(compiled({ sources: [source(uneven, "--allow")], managedArns })).toMatchObject({ code: "policy" });
  });
});

describe("the length of a session policy", () => {
  const actions = Array.from({ length: 70 }, (_, index) => `service${index}:Describe*`);
  it("is brought down where the same list is allowed and left open", () => {
    const list = [allow(actions), { Effect: "Deny", NotAction: actions, Resource: "*" }];
    const result = compileSession({ sources: [source(list, "long")] });
    expect(result.text.length).toBeLessThanOrEqual(LONGEST_SESSION_POLICY);
    expect(decide(result.document, request("service7:DescribeX"))).toBe("allowed");
    expect(decide(result.document, request("service7:PutX"))).toBe("explicitDeny");
  });

  it("that sts would not take is told with what weighs how much", () => {
    const sources = [
      source(
        [
          { ...allow([...actions, ...actions.map((one) => `x${one}`)]), Sid: "Much" },
          { ...deny("s3:PutObject"), Sid: "Little" },
        ],
        "long.json",
      ),
    ];
    const error = compiled({ sources });
    expect(error).toMatchObject({ code: "policy" });
    expect((error as AgentRunError).message).toMatch(
      /has \d{4} characters without white space, and sts takes 2048: long\.json Much \d{4}, long\.json Little \d+$/,
    );
  });
});
