// What the lint says, and what it does not: one row a rule where the example of docs/policies.md is not enough, and properties of all findings.
import { globSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resolvePaths } from "../../src/core/paths.ts";
import { destructiveActions } from "../../src/policy/destructive.ts";
import { atLeast, type Code } from "../../src/policy/lint/finding.ts";
import { EXPOSES, MINTS } from "../../src/policy/lint/grants.ts";
import { lintPolicies } from "../../src/policy/lint/lint.ts";
import { locator, pathOf } from "../../src/policy/lint/locate.ts";
import { overlaps } from "../../src/policy/lint/overlap.ts";
import { escalationPaths } from "../../src/policy/lint/paths.ts";
import { isAnyResource, type PolicyKind } from "../../src/policy/lint/subject.ts";
import { readProfileDocuments } from "../../src/session/profile-documents.ts";
import { allow, deny, type Json } from "./build.ts";
import { catalogue, input, lint, lintStatements } from "./lint-catalogue.ts";

const variable = (key: string): string => ["$", "{", key, "}"].join("");
const codesOf = (statements: readonly Json[] | Json, kind?: PolicyKind): Code[] => lintStatements(statements, kind).map(({ code }) => code);
const under = (condition: Json): Json => ({ Condition: condition });
const text = (statements: unknown): string => JSON.stringify({ Version: "2012-10-17", Statement: statements });
const github = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
const object = "arn:aws:s3:::b/*";

describe("a lint of narrow policies finds nothing:", () => {
  it.each<[string, readonly Json[] | Json, PolicyKind?]>([
    ["one prefix of one bucket", allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::my-builds/builds/*")],
    ["a bucket whose name could be a type of resource", allow("s3:PutObject", "arn:aws:s3:::instance/*")],
    ["a list that has no resource", allow("ec2:DescribeInstances")],
    ["a folder by tag", allow("s3:GetObject", `arn:aws:s3:::b/${variable("aws:PrincipalTag/project")}/*`)],
    ["a write by the tag of the resource", allow("ec2:StartInstances", "*", under({ StringEquals: { "aws:ResourceTag/team": "a" } }))],
    [
      "one role to one service",
      allow("iam:PassRole", "arn:aws:iam::123456789012:role/f", under({ StringEquals: { "iam:PassedToService": "lambda.amazonaws.com" } })),
    ],
    [
      "an action and its deny under a condition",
      [allow("s3:PutObject", object), deny("s3:PutObject", "*", under({ Bool: { "aws:SecureTransport": "false" } }))],
    ],
    ["a deny of everything but one", { Effect: "Deny", NotAction: ["s3:GetObject"], Resource: "*" }],
    ["one user", { Effect: "Allow", Principal: { AWS: "arn:aws:iam::123456789012:user/a" }, Action: "sts:AssumeRole" }, "trust"],
    ["a function's own role", { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }, "trust"],
    [
      "one repository",
      {
        Effect: "Allow",
        Principal: { Federated: github },
        Action: "sts:AssumeRoleWithWebIdentity",
        ...under({ StringEquals: { "token.actions.githubusercontent.com:sub": "repo:o/r:ref:refs/heads/main" } }),
      },
      "trust",
    ],
    [
      "a bucket for one organization",
      {
        Effect: "Allow",
        Principal: "*",
        Action: "s3:GetObject",
        Resource: object,
        ...under({ StringEquals: { "aws:PrincipalOrgID": "o-a1b2c3d4e5" } }),
      },
      "resource",
    ],
  ])("%s", (_, statements, kind) => {
    expect(lintStatements(statements, kind)).toEqual([]);
  });
});

describe("a lint", () => {
  it.each<[string, Code, readonly Json[] | Json, PolicyKind?]>([
    ["everything by another spelling", "admin-everything", allow("**")],
    ["everything under a condition", "service-wildcard", allow("*", "*", under({ Bool: { "aws:MultiFactorAuthPresent": "true" } }))],
    ["every role of an account", "pass-role", allow("iam:PassRole", "arn:aws:iam::123456789012:role/*")],
    ["a role to any service", "pass-role", allow("iam:PassRole", "arn:aws:iam::123456789012:role/f")],
    ["a wildcard that covers PassRole", "pass-role", allow("iam:Pass*")],
    ["another role", "mints-credentials", allow("sts:AssumeRole", "arn:aws:iam::123456789012:role/admin")],
    ["a path over two statements", "privilege-escalation", [allow("iam:PassRole", "arn:aws:iam::1:role/x"), allow("ec2:RunInstances")]],
    ["a firewall", "public-exposure", allow("ec2:AuthorizeSecurityGroupIngress")],
    [
      "every repository of a code host",
      "public-exposure",
      { Effect: "Allow", Principal: { Federated: github }, Action: "sts:AssumeRoleWithWebIdentity" },
      "trust",
    ],
    [
      "every repository by a wildcard",
      "public-exposure",
      {
        Effect: "Allow",
        Principal: { Federated: github },
        Action: "sts:AssumeRoleWithWebIdentity",
        ...under({ StringLike: { "token.actions.githubusercontent.com:sub": "repo:*" } }),
      },
      "trust",
    ],
    [
      "everyone but one",
      "public-exposure",
      { Effect: "Allow", NotPrincipal: { AWS: "123456789012" }, Action: "s3:GetObject", Resource: object },
      "resource",
    ],
    [
      "a topic for any customer's bucket",
      "missing-condition",
      {
        Effect: "Allow",
        Principal: { Service: "s3.amazonaws.com" },
        Action: "sns:Publish",
        Resource: "arn:aws:sns:us-east-1:123456789012:t",
      },
      "resource",
    ],
    ["a machine of any size", "missing-condition", allow("ec2:RunInstances", "arn:aws:ec2:*:*:instance/*")],
    ["a grant of a key to anybody", "missing-condition", allow("kms:CreateGrant", "arn:aws:kms:us-east-1:123456789012:key/0")],
    ["a bucket's list on its objects", "never-matches", allow("s3:ListBucket", object)],
    ["objects on the bucket", "never-matches", allow("s3:GetObject", "arn:aws:s3:::b")],
    [
      "two values at once",
      "never-matches",
      allow(
        "s3:GetObject",
        object,
        under({ StringEquals: { "aws:RequestedRegion": "eu-west-1" }, StringNotEquals: { "aws:RequestedRegion": "eu-west-1" } }),
      ),
    ],
    [
      "a range with its ends swapped",
      "never-matches",
      allow(
        "s3:GetObject",
        object,
        under({
          DateGreaterThan: { "aws:CurrentTime": "2027-02-01T00:00:00Z" },
          DateLessThan: { "aws:CurrentTime": "2027-01-01T00:00:00Z" },
        }),
      ),
    ],
    [
      "a wildcard where it is a letter",
      "never-matches",
      allow("s3:GetObject", object, under({ StringEquals: { "aws:RequestedRegion": "eu-*" } })),
    ],
    [
      "a key of another service",
      "unknown-condition-key",
      allow("s3:GetObject", object, under({ StringEquals: { "ec2:InstanceType": "t3.micro" } })),
    ],
    ["a service that is not there", "unknown-action", allow("s4:GetObject", "*")],
    ["a wildcard that covers nothing", "unknown-action", allow("s3:Fetch*", "*")],
    [
      "a list under an operator for one",
      "set-operator",
      allow("dynamodb:Query", "arn:aws:dynamodb:*:*:table/t", under({ StringEquals: { "dynamodb:LeadingKeys": "a" } })),
    ],
  ])("finds %s", (_, code, statements, kind) => {
    expect(codesOf(statements, kind)).toContain(code);
  });

  it("suggests the action that was meant, and the key", () => {
    const fixOf = (wanted: Code, statements: Json): string | undefined =>
      lintStatements(statements).find(({ code }) => code === wanted)?.fix;
    expect(fixOf("unknown-action", allow("ec2:DescribeInstance", "*"))).toBe("write ec2:DescribeInstances");
    expect(
      fixOf(
        "unknown-condition-key",
        allow("ec2:StartInstances", "arn:aws:ec2:*:*:instance/*", under({ StringEquals: { "aws:SourceVpcId": "x" } })),
      ),
    ).toBe("write aws:SourceVpc");
  });

  it("takes what a Deny of the same policy takes back out of what is given", () => {
    expect(codesOf([allow("iam:PassRole"), deny("iam:*")])).toEqual(["shadowed"]);
    expect(codesOf([allow("s3:*", object), { Effect: "Deny", NotAction: ["s3:Get*", "s3:List*"], Resource: "*" }])).not.toContain(
      "service-wildcard",
    );
  });

  it("counts an escalation only where boundary and session policy leave it open too", () => {
    const role = input(text(allow("iam:PutRolePolicy", "arn:aws:iam::123456789012:role/a")), "identity", "role");
    const escalates = (kind: PolicyKind, statements: unknown): boolean =>
      lint(role, input(text(statements), kind, kind)).some(({ code, source }) => code === "privilege-escalation" && source === "role");
    expect(lint(role).filter(({ code }) => code === "privilege-escalation")).toHaveLength(1);
    expect(escalates("boundary", [allow("*"), deny("iam:*")])).toBe(false);
    expect(escalates("session", allow("s3:GetObject", object))).toBe(false);
    expect(escalates("session", allow("*"))).toBe(true);
  });

  it("counts what boundary or session policy may leave open where their patterns cross in more ways than can be tried", () => {
    const crossing = (names: string) => `arn:aws:iam::123456789012:role/*${[...names].map((name) => `${name}-app`).join("*")}*`;
    const role = input(text(allow(["iam:PutRolePolicy", "iam:DeleteRole"], crossing("abc"))), "identity", "role");
    const of = (...statements: Json[]) =>
      lint(role, input(text(statements), "session", "session")).map(({ code, source }) => [source, code]);
    const open = [
      ["role", "privilege-escalation"],
      ["role", "destructive"],
    ];
    expect(of(allow("iam:*", crossing("xyz")))).toEqual(expect.arrayContaining(open));
    expect(of(allow("iam:Get*", crossing("xyz")))).not.toEqual(expect.arrayContaining([open[0]]));
    expect(of(allow("iam:*", crossing("xyz")), deny("iam:*"))).not.toEqual(expect.arrayContaining([open[0]]));
  });

  it("does not report what the policies are there for", () => {
    const inputs = [
      input(text([allow("ec2:StopInstances", "arn:aws:ec2:*:*:instance/i-0"), allow("ssm:StartSession", "arn:aws:ec2:*:*:instance/i-0")])),
    ];
    expect(lintPolicies(inputs, { catalogue }).map(({ code }) => code)).toEqual(["destructive", "privilege-escalation"]);
    expect(lintPolicies(inputs, { catalogue, accepts: ["ec2:StopInstances", "ssm:StartSession"] })).toEqual([]);
  });

  it("measures a session policy as it is sent, and others as they stand", () => {
    const long = (count: number): string => {
      const resources = Array.from({ length: count }, (_, index) => `arn:aws:s3:::bucket-${index}/*`);
      return JSON.stringify({ Version: "2012-10-17", Statement: allow("s3:GetObject", resources) }, undefined, 4);
    };
    expect(lint(input(long(90), "session")).map(({ code }) => code)).toContain("too-long");
    expect(lint(input(long(60), "session")).map(({ code }) => code)).not.toContain("too-long");
    expect(lint(input(long(90), "identity")).map(({ code }) => code)).not.toContain("too-long");
  });

  it("does not call a session policy too long that fits once its statements are merged", () => {
    const statements = Array.from({ length: 60 }, (_, index) => ({
      ...allow(`s3:GetObject${index}`, object),
      Sid: `Bucket${index}`,
    }));
    expect(text(statements).length).toBeGreaterThan(4000);
    expect(lint(input(text(statements), "session")).map(({ code }) => code)).not.toContain("too-long");
  });

  it("gives the session policies of a profile one limit, that of what is sent, and one finding", () => {
    const inputs = [input(text([allow("s3:GetObject", object)]), "session"), input(text([allow("s3:PutObject", object)]), "session")];
    const long = (sent: number): string[] =>
      lintPolicies(inputs, { catalogue, sent })
        .filter(({ code }) => code === "too-long")
        .map(({ reason }) => reason);
    expect(long(2048)).toEqual([]);
    expect(long(2049)).toEqual(["2049 characters without white space; AWS takes 2048 for a session policy"]);
  });

  it("orders severities", () => {
    expect(atLeast("error", "warning")).toBe(true);
    expect(atLeast("note", "warning")).toBe(false);
    expect(atLeast("warning", "warning")).toBe(true);
  });
});

describe("places", () => {
  it("lead to line and column, also through a list that stands as its only value", () => {
    const place = locator(
      '{\n  "Version": "2012-10-17",\n  "Statement": [\n    { "Effect": "Allow", "Action": "s3:GetObject", "Resource": ["arn:aws:s3:::a", "*"] }\n  ]\n}\n',
    );
    expect(place?.(["Statement", 0, "Resource", 1])).toEqual({ line: 4, column: 83 });
    expect(place?.(["Statement", 0, "Action", 0])).toEqual({ line: 4, column: 36 });
    expect(place?.([])).toEqual({ line: 1, column: 1 });
    expect(pathOf(["Statement", 0, "Action", 2])).toBe("Statement[0].Action[2]");
  });

  it("of every finding are in the text", () => {
    const actions = fc.constantFrom(
      "*",
      "s3:*",
      "s3:GetObject",
      "iam:PassRole",
      "ec2:RunInstances",
      "s3:Nothing",
      "sts:AssumeRole",
      "s3:ListAllMyBuckets",
    );
    const resources = fc.constantFrom("*", "arn:aws:s3:::b", object, "arn:aws:iam::123456789012:role/x");
    const statement = fc.record({
      Effect: fc.constantFrom("Allow", "Deny"),
      Action: fc.oneof(actions, fc.array(actions, { minLength: 1, maxLength: 3 })),
      Resource: fc.oneof(resources, fc.array(resources, { minLength: 1, maxLength: 2 })),
    });
    fc.assert(
      fc.property(fc.oneof(statement, fc.array(statement, { minLength: 1, maxLength: 3 })), (Statement) => {
        const json = JSON.stringify({ Version: "2012-10-17", Statement }, undefined, 2);
        const lines = json.split("\n");
        const place = locator(json);
        for (const { steps, reason, fix } of lint(input(json))) {
          const at = place?.(steps);
          expect(at && at.line <= lines.length && at.column <= (lines[at.line - 1]?.length ?? 0)).toBe(true);
          expect(`${reason} ${fix}`).not.toMatch(/undefined|\[object/);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("resources", () => {
  it.each(["*", "arn:aws:s3:::*", "arn:aws:s3:::*/*", "arn:aws:ec2:*:*:instance/*", "arn:aws:lambda:*:*:function:*", "arn:aws:*"])(
    "%s is any",
    (resource) => {
      expect(isAnyResource(resource)).toBe(true);
    },
  );
  it.each([object, "arn:aws:ec2:*:*:instance/i-0", "arn:aws:iam::123456789012:role/team/*", "arn:aws:lambda:*:*:function:agent-*"])(
    "%s is not",
    (resource) => {
      expect(isAnyResource(resource)).toBe(false);
    },
  );

  const reference = (rest: string): string => `arn:${variable("Partition")}:${rest}`;
  const bucket = reference(`s3:::${variable("BucketName")}`);
  const key = reference(`s3:::${variable("BucketName")}/${variable("ObjectName")}`);
  const machine = reference(`ec2:${variable("Region")}:${variable("Account")}:instance/${variable("InstanceId")}`);
  it.each<[string, string, boolean]>([
    ["arn:aws:s3:::b", bucket, true],
    [object, bucket, false],
    ["arn:aws:s3:::b", key, false],
    ["arn:aws:s3:::*", key, true],
    ["arn:aws:s3:::b*", key, true],
    ["arn:aws:ec2:*:*:volume/*", machine, false],
    ["arn:aws:*:*:*:*", machine, true],
    [`arn:aws:s3:::${variable("aws:PrincipalTag/b")}/*`, key, true],
  ])("%s and %s have an ARN in common: %s", (policy, known, expected) => {
    expect(overlaps(policy, known)).toBe(expected);
  });

  it("are compared in time that hostile patterns cannot stretch", () => {
    expect(overlaps(`arn:aws:s3:::${"*a".repeat(500)}`, `${bucket}/${"b".repeat(500)}`)).toBe(false);
  });
});

describe("the catalogue of AWS's actions", () => {
  it("knows every action that the lint and the destructive catalogue speak of", () => {
    const spoken = [
      ...MINTS,
      ...EXPOSES,
      ...escalationPaths.flatMap(({ actions }) => actions),
      ...destructiveActions.map(({ action }) => action),
    ];
    expect(spoken.filter((action) => catalogue.matching(action)[0]?.name !== action)).toEqual([]);
  });

  it("expands wildcards, in any case, and knows levels, resources and keys", () => {
    expect(catalogue.matching("S3:getobject").map(({ name, level }) => [name, level])).toEqual([["s3:GetObject", "Read"]]);
    expect(catalogue.matching("s3:Delete*").length).toBeGreaterThan(10);
    expect(catalogue.matching("*").length).toBeGreaterThan(15_000);
    expect(catalogue.matching("sts:GetCallerIdentity")[0]?.resources).toEqual([]);
    expect(catalogue.keyType("AWS:PrincipalTag/anything")).toBe("String");
    expect(catalogue.keyType("s3:ExistingObjectTag/a")).toBe("String");
    expect(catalogue.keyType("aws:nothing")).toBeUndefined();
    expect(catalogue.meant("dynamodb:GetItems")).toBe("dynamodb:GetItem");
    expect(catalogue.meant("lamda:InvokeFunction")).toBe("lambda:InvokeFunction");
  });
});

describe("the shipped profiles", () => {
  const root = join(import.meta.dirname, "../..");
  const nobody = resolvePaths({ AGENT_RUN_HOME: "/nonexistent" }, 0);
  it.each(
    globSync("*/profile.toml", { cwd: join(root, "profiles") })
      .map((file) => dirname(file))
      .sort(),
  )("%s has no error", (profile) => {
    const { accepts, documents } = readProfileDocuments(profile, nobody, root);
    expect(documents.length).toBeGreaterThan(0);
    const inputs = documents.map(({ file, kind, text: json }) => input(json, kind, file));
    expect(lintPolicies(inputs, { catalogue, accepts }).filter(({ severity }) => severity === "error")).toEqual([]);
  });
});
