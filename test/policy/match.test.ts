// Wildcards in actions and resources, against AWS's examples and against a naive regular expression.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { actionMatches, resourceMatches } from "../../src/policy/match.ts";
import { fits, globPattern } from "../../src/policy/wildcard.ts";

describe("actions", () => {
  it.each([
    ["s3:GetObject", "s3:GetObject", true],
    ["S3:getobject", "s3:GetObject", true],
    ["iam:*AccessKey*", "iam:CreateAccessKey", true],
    ["iam:*AccessKey*", "iam:ListAccessKeys", true],
    ["ec2:Describe*", "ec2:TerminateInstances", false],
    ["s3:?etObject", "s3:PutObject", false],
    ["s3:?etObject", "s3:GetObject", true],
    ["s3:GetObject", "s3:GetObjectVersion", false],
    ["s3:*", "s3-outposts:GetObject", false],
    ["*", "anything:AtAll", true],
    ["*:*", "anything:AtAll", true],
  ])("%s against %s is %s", (pattern, action, expected) => {
    expect(actionMatches(pattern, action)).toBe(expected);
  });
});

describe("resources", () => {
  const bucket = "arn:aws:s3:::amzn-s3-demo-bucket";
  it.each([
    ...["1/test/object.jpg", "1/2/test/object.jpg", "1/2/test/3/object.jpg", "1/2/3/test/4/object.jpg", "1///test///object.jpg"].map(
      (key) => [`${bucket}/*/test/*`, `${bucket}/${key}`, true] as const,
    ),
    ...["1/test/.jpg", "/test/object.jpg", "1/test/"].map((key) => [`${bucket}/*/test/*`, `${bucket}/${key}`, true] as const),
    ...["1-test/object.jpg", "test/object.jpg", "1/2/test.jpg"].map((key) => [`${bucket}/*/test/*`, `${bucket}/${key}`, false] as const),
    ["arn:aws:iam::123456789012:user/Bob", "arn:aws:iam::123456789012:user/bob", false],
    ["arn:aws:iam::123456789012:user/accounting/*", "arn:aws:iam::123456789012:user/accounting/x/Bob", true],
    ["arn:aws:ec2:us-east-1:*:instance/*", "arn:aws:ec2:us-east-1:123456789012:instance/i-1", true],
    ["arn:aws:ec2:us-*:123456789012:instance/*", "arn:aws:ec2:eu-west-1:123456789012:instance/i-1", false],
    // A star that ends its segment may run past the colon; one inside it, and a question mark, may not.
    ["arn:aws:s3:*", "arn:aws:s3:::bucket/key", true],
    ["arn:aws:sns:*:topic", "arn:aws:sns:eu-west-1:123456789012:topic", true],
    ["arn:aws:sns:eu*1:topic", "arn:aws:sns:eu-west-1:123456789012:topic1:topic", false],
    ["arn:aws:sns:*t-1:1*9:x", "arn:aws:sns:eu-west-1:129:x", true],
    ["arn:aws:sns:*t-1:1*9:x", "arn:aws:sns:eu:st-1:129:x", false],
    ["arn:aws:s3?::bucket", "arn:aws:s3:::bucket", false],
    ["arn:aws:s3:::a*b", "arn:aws:s3:::a:b", true],
    ["arn:aws:s3:::a?b", "arn:aws:s3:::a:b", true],
    ["*", "*", true],
    ["arn:aws:s3:::*", "*", false],
  ] as const)("%s against %s is %s", (pattern, resource, expected) => {
    expect(resourceMatches(pattern, resource)).toBe(expected);
  });
});

const naive = (pattern: string, text: string): boolean => {
  const source = [...pattern]
    .map((char) => (char === "*" ? "[^]*" : char === "?" ? "[^]" : char.replace(/[.+^${}()|[\]\\]/, "\\$&")))
    .join("");
  return new RegExp(`^${source}$`).test(text);
};

/** The segment rule spelt out as a regular expression. */
const naiveResource = (pattern: string, text: string): boolean => {
  let colons = 0;
  const source = [...pattern].map((char, index, all) => {
    if (char === ":") colons += 1;
    const next = all[index + 1];
    const free = colons >= 5 || next === ":" || next === undefined;
    if (char === "*") return free ? "[^]*" : "[^:]*";
    if (char === "?") return colons >= 5 ? "[^]" : "[^:]";
    return char;
  });
  return new RegExp(`^${source.join("")}$`).test(text);
};

describe("matching", () => {
  it("agrees with a naive regular expression", () => {
    const pattern = fc.string({ unit: fc.constantFrom("a", "b", ".", "*", "*", "?"), maxLength: 10 });
    const text = fc.string({ unit: fc.constantFrom("a", "b", ".", "*"), maxLength: 12 });
    fc.assert(
      fc.property(pattern, text, (one, other) => {
        expect(fits(globPattern([{ text: one, live: true }]), other)).toBe(naive(one, other));
      }),
      { numRuns: 5000 },
    );
  });

  it("agrees with a naive regular expression on resources, where colons count", () => {
    const pattern = fc.string({ unit: fc.constantFrom("a", "b", ":", ":", "*", "*", "?"), maxLength: 16 });
    const text = fc.string({ unit: fc.constantFrom("a", "b", ":"), maxLength: 16 });
    fc.assert(
      fc.property(pattern, text, (one, other) => {
        expect(resourceMatches(one, other), `${one} ${other}`).toBe(naiveResource(one.replace(/\*+/g, "*"), other));
      }),
      { numRuns: 20_000 },
    );
  });

  it("stays fast on patterns that make a backtracking matcher explode", () => {
    const started = performance.now();
    expect(resourceMatches(`arn:aws:s3:::${"*a".repeat(200)}b`, `arn:aws:s3:::${"a".repeat(4000)}`)).toBe(false);
    expect(resourceMatches(`${"*a:".repeat(4)}${"*a?".repeat(100)}b`, "a:".repeat(2000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
