// What must hold for every policy: on generated policies and requests, and on any text at all.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AgentRunError } from "../../src/core/error.ts";
import { evaluate } from "../../src/policy/evaluate.ts";
import { minifyPolicy } from "../../src/policy/minify.ts";
import { parsePolicy, parsePolicyValue } from "../../src/policy/parse.ts";
import type { PolicyRequest, PolicySet } from "../../src/policy/types.ts";
import { ACCOUNT, identity, type Json, ROLE, resourcePolicy, SESSION, USER } from "./build.ts";

const list = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | T[]> => fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 3 }));
const action = fc.constantFrom(
  "*",
  "s3:*",
  "s3:Get*",
  "S3:getobject",
  "s3:?etObject",
  "s3:DeleteObject",
  "s3:Get*",
  "s3:*Object",
  "ec2:Describe*",
);
const resource = fc.constantFrom(
  "*",
  "arn:aws:s3:::*",
  "arn:aws:s3:::b",
  "arn:aws:s3:::b/*",
  "arn:aws:s3:::b/$" + "{aws:PrincipalTag/team}/*",
  "arn:aws:s3:*",
);
const text = fc.constantFrom("a", "b", "*", "", "$" + "{aws:PrincipalTag/team}", "$" + "{aws:none, 'a'}", "$" + "{aws:none}");
const condition: fc.Arbitrary<Json> = fc
  .oneof(
    fc.record({
      operator: fc.constantFrom("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase", "ArnLike"),
      values: list(text),
    }),
    fc.record({
      operator: fc.constantFrom("NumericEquals", "NumericLessThan", "NumericNotEquals"),
      values: list(fc.constantFrom("1", "2")),
    }),
    fc.record({ operator: fc.constantFrom("Bool"), values: fc.constantFrom("true", "false") }),
    fc.record({ operator: fc.constantFrom("IpAddress", "NotIpAddress"), values: list(fc.constantFrom("10.0.0.0/8", "::/0")) }),
  )
  .chain(({ operator, values }) =>
    fc
      .record({
        set: fc.constantFrom("", "", "ForAllValues:", "ForAnyValue:"),
        ifExists: fc.constantFrom("", "", "IfExists"),
        key: fc.constantFrom("aws:PrincipalTag/team", "aws:x", "aws:y"),
      })
      .map(({ set, ifExists, key }) => ({ [`${set}${operator}${ifExists}`]: { [key]: values } })),
  );

const statement = (effect: fc.Arbitrary<string>, principals = false): fc.Arbitrary<Json> =>
  fc
    .record({
      effect,
      actions: fc.tuple(fc.constantFrom("Action", "NotAction"), list(action)),
      resources: fc.tuple(fc.constantFrom("Resource", "NotResource"), list(resource)),
      principal: fc.tuple(
        fc.constantFrom("Principal", "NotPrincipal"),
        fc.constantFrom<unknown>("*", { AWS: SESSION }, { AWS: [ROLE, ACCOUNT] }, { AWS: USER, Service: "ec2.amazonaws.com" }),
      ),
      condition: fc.option(condition, { nil: undefined }),
    })
    .map((part) => ({
      Effect: part.effect,
      [part.actions[0]]: part.actions[1],
      [part.resources[0]]: part.resources[1],
      ...(principals ? { [part.principal[0]]: part.principal[1] } : {}),
      ...(part.condition ? { Condition: part.condition } : {}),
    }));

const either = fc.constantFrom("Allow", "Deny");
const allows = fc.constant("Allow");
const denials = fc.constant("Deny");
const statements = (effect = either, principals = false): fc.Arbitrary<Json[]> =>
  fc.array(statement(effect, principals), { minLength: 1, maxLength: 4 });

interface Sets {
  readonly identity: Json[];
  readonly boundary: Json[] | undefined;
  readonly session: Json[] | undefined;
  readonly resource: Json[] | undefined;
  readonly serviceControl: Json[] | undefined;
}

const sets = (effect = either): fc.Arbitrary<Sets> => {
  const some = (principals = false): fc.Arbitrary<Json[] | undefined> => fc.option(statements(effect, principals), { nil: undefined });
  return fc.record({ identity: statements(effect), boundary: some(), session: some(), resource: some(true), serviceControl: some() });
};

const parsed = (given: Sets): PolicySet => ({
  identity: [identity(given.identity)],
  boundary: given.boundary && [identity(given.boundary)],
  session: given.session && [identity(given.session)],
  resource: given.resource && [resourcePolicy(given.resource)],
  serviceControl: given.serviceControl && [identity(given.serviceControl)],
});

const value = fc.constantFrom("a", "b", "1", "2", "true", "10.1.2.3", "", "*");
const requests: fc.Arbitrary<PolicyRequest> = fc.record({
  principal: fc.constantFrom(SESSION, ROLE, USER, "ec2.amazonaws.com"),
  action: fc.constantFrom("s3:GetObject", "s3:DeleteObject", "S3:GETOBJECT", "ec2:DescribeInstances", "iam:PassRole"),
  resource: fc.constantFrom("*", "arn:aws:s3:::b", "arn:aws:s3:::b/a/x", "arn:aws:s3:::c/x", `arn:aws:sqs:us-east-1:${ACCOUNT}:q`),
  context: fc.dictionary(
    fc.constantFrom("aws:PrincipalTag/team", "aws:x", "AWS:Y", "aws:ResourceAccount"),
    fc.oneof(value, fc.array(value, { maxLength: 2 })),
    { maxKeys: 3 },
  ),
});

const runs = { numRuns: 1500 };

describe("every policy", () => {
  it("that has no Allow allows nothing", () => {
    fc.assert(
      fc.property(sets(denials), requests, (given, request) => {
        expect(evaluate(request, parsed(given)).outcome).not.toBe("allowed");
      }),
      runs,
    );
  });

  it("with one more Deny, of whatever kind, allows no more than before", () => {
    const kinds = fc.constantFrom("identity", "boundary", "session", "resource", "serviceControl");
    fc.assert(
      fc.property(sets(), requests, kinds, statement(denials, true), (given, request, kind, extra) => {
        const before = evaluate(request, parsed(given)).outcome;
        if (kind !== "identity" && given[kind as keyof Sets] === undefined) return;
        const { Principal, NotPrincipal, ...bare } = extra;
        const more = { ...given, [kind]: [...(given[kind as keyof Sets] ?? []), kind === "resource" ? extra : bare] };
        const after = evaluate(request, parsed(more)).outcome;
        if (before !== "allowed") expect(after).not.toBe("allowed");
        if (before === "explicitDeny") expect(after).toBe("explicitDeny");
      }),
      runs,
    );
  });

  it("with one more Allow denies explicitly just where it did", () => {
    fc.assert(
      fc.property(sets(), requests, statement(allows), (given, request, extra) => {
        const before = evaluate(request, parsed(given)).outcome;
        const after = evaluate(request, parsed({ ...given, identity: [...given.identity, extra] })).outcome;
        expect(after === "explicitDeny").toBe(before === "explicitDeny");
        if (before === "allowed") expect(after).toBe("allowed");
      }),
      runs,
    );
  });

  it("decides the same with its statements in another order, and spread over several documents", () => {
    fc.assert(
      fc.property(sets(), requests, (given, request) => {
        const outcome = evaluate(request, parsed(given)).outcome;
        const turned = Object.fromEntries(
          Object.entries(given).map(([kind, one]: [string, Json[] | undefined]) => [kind, one?.toReversed()]),
        );
        expect(evaluate(request, parsed(turned as unknown as Sets)).outcome).toBe(outcome);
        const spread = { ...parsed(given), identity: given.identity.map((one) => identity(one)) };
        expect(evaluate(request, spread).outcome).toBe(outcome);
      }),
      runs,
    );
  });

  it("allows a session no more with a session policy or boundary than without, unless a resource policy denies by NotPrincipal", () => {
    fc.assert(
      fc.property(sets(), requests, (given, request) => {
        const bare = parsed({ ...given, session: undefined, boundary: undefined });
        if (evaluate(request, parsed(given)).outcome === "allowed") expect(evaluate(request, bare).outcome).toBe("allowed");
      }),
      runs,
    );
  });

  it("decides each request as before when it is minified, by the same statement", () => {
    fc.assert(
      fc.property(statements(), requests, (given, request) => {
        const whole = identity(given);
        const short = minifyPolicy(whole);
        expect(short.length).toBeLessThanOrEqual(JSON.stringify({ Version: "2012-10-17", Statement: given }).length);
        expect(evaluate(request, { identity: [parsePolicy(short, whole.source)] })).toEqual(evaluate(request, { identity: [whole] }));
        expect(minifyPolicy(short)).toBe(short);
      }),
      runs,
    );
  });
});

const accepts = (run: () => unknown): void => {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(AgentRunError);
    expect((error as AgentRunError).code).toBe("policy");
  }
};

describe("the reader", () => {
  const broken = fc
    .tuple(
      statements(either, true),
      fc.nat(),
      fc.nat(3),
      fc.string({ unit: fc.constantFrom('"', "{", "}", "[", ",", ":", "\\", "*", "$", "1", "a"), maxLength: 3 }),
    )
    .map(([given, at, cut, insert]) => {
      const whole = JSON.stringify({ Version: "2012-10-17", Statement: given });
      const place = at % whole.length;
      return whole.slice(0, place) + insert + whole.slice(place + cut);
    });

  it("throws nothing but its own error, on any text", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.json(), broken),
        fc.constantFrom("identity", "resource"),
        (any, kind) => accepts(() => parsePolicy(any, "any", { kind: kind as "identity" })),
      ),
      { numRuns: 5000 },
    );
  });

  it("throws nothing but its own error, on any value, and evaluates what it accepts", () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withSparseArray: true }),
        (any) => {
          accepts(() => parsePolicyValue(any, "any"));
          accepts(() => parsePolicyValue({ Statement: any }, "any"));
        },
      ),
      { numRuns: 5000 },
    );
  });

  it("reads what JSON.parse reads to the same policy, and refuses what it refuses", () => {
    fc.assert(
      fc.property(broken, (any) => {
        const outcome = (run: () => unknown): unknown => {
          try {
            return run();
          } catch {
            return "refused";
          }
        };
        const ours = outcome(() => parsePolicy(any, "any", { kind: "resource" }));
        const theirs = outcome(() => parsePolicyValue(JSON.parse(any), "any", { kind: "resource" }));
        // Only a duplicate key, of which JSON.parse takes the last, may be refused by the reader alone.
        if (ours !== "refused") expect(theirs).toEqual(ours);
      }),
      { numRuns: 5000 },
    );
  });
});
