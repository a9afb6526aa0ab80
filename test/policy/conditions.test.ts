// Every condition operator against tables drawn from the IAM User Guide: reference_policies_elements_condition_operators and _multi-value-conditions.
import { describe, expect, it } from "vitest";
import type { RequestContext } from "../../src/policy/types.ts";
import { denies, holds, type Json } from "./build.ts";

type Row = readonly [operator: string, asked: unknown, found: string | readonly string[] | undefined, expected: boolean];

const table: readonly Row[] = [
  ["StringEquals", "john", "john", true],
  ["StringEquals", "john", "John", false],
  ["StringEquals", ["a", "b"], "b", true],
  ["StringEquals", "j*", "john", false],
  ["StringEquals", `j\${*}`, "j*", true],
  ["StringNotEquals", "john", "John", true],
  ["StringNotEquals", ["a", "b"], "b", false],
  ["StringNotEquals", ["a", "b"], "c", true],
  ["StringEqualsIgnoreCase", "john", "JOHN", true],
  ["StringNotEqualsIgnoreCase", "john", "JOHN", false],
  ["StringNotEqualsIgnoreCase", ["x", "john"], "jane", true],
  ["StringLike", "t2.*", "t2.micro", true],
  ["StringLike", "T2.*", "t2.micro", false],
  ["StringLike", "t?.micro", "t3.micro", true],
  ["StringLike", ["", "home/"], "", true],
  ["StringLike", `a\${*}b`, "axb", false],
  ["StringLike", `a\${?}\${*}b`, "a?*b", true],
  ["StringLike", `cost: \${$}{x}`, `cost: \${x}`, true],
  [
    "StringLike",
    "arn:aws:someservice:*:111122223333:finance/*",
    "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/d.txt",
    true,
  ],
  ["StringNotLike", "t2.*", "t2.micro", false],
  ["StringNotLike", ["t1.*", "t2.*"], "m5.large", true],
  ["NumericEquals", "10", "10.0", true],
  ["NumericEquals", 10, "10", true],
  ["NumericNotEquals", ["1", "2"], "2", false],
  ["NumericNotEquals", ["1", "2"], "3", true],
  ["NumericLessThan", "10", "9.5", true],
  ["NumericLessThan", "10", "10", false],
  ["NumericLessThanEquals", "10", "10", true],
  ["NumericLessThanEquals", "10", "9", true],
  ["NumericLessThanEquals", "10", "100", false],
  ["NumericGreaterThan", "-1", "0", true],
  ["NumericGreaterThanEquals", "10", "9.999", false],
  ["DateEquals", "2027-01-31T08:00:00Z", "2027-01-31T09:00:00+01:00", true],
  ["DateNotEquals", "2027-01-31T08:00:00Z", "2027-01-31T08:00:00Z", false],
  ["DateLessThan", "2027-01-31T08:00Z", "2027-01-31T07:59:59Z", true],
  ["DateLessThanEquals", "2027-01-31", "2027-01-31T00:00:00Z", true],
  ["DateGreaterThan", "2020-01-01T00:00:01Z", "2027-01-31T08:00:00.123Z", true],
  ["DateGreaterThan", "1801382400", "2027-01-31T08:00:01Z", true],
  ["DateGreaterThan", "2027-01-31T08:00:00Z", "1801382401", true],
  ["DateGreaterThanEquals", "2027-01", "1801382400", true],
  ["Bool", "true", "true", true],
  ["Bool", true, "true", true],
  ["Bool", "false", "true", false],
  ["Bool", "True", "true", true],
  ["BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", true],
  ["BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", "QmluYXJ5VmFsdWVJbkJhc2U2NA", true],
  ["BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", "b3RoZXI=", false],
  ["IpAddress", "203.0.113.0/24", "203.0.113.255", true],
  ["IpAddress", "203.0.113.0/24", "203.0.114.0", false],
  ["IpAddress", "203.0.113.7/24", "203.0.113.9", true],
  ["IpAddress", "203.0.113.0/24", "203.0.113.0/8", false],
  ["IpAddress", "203.0.113.7", "203.0.113.7", true],
  ["IpAddress", "203.0.113.7", "203.0.113.8", false],
  ["IpAddress", "0.0.0.0/0", "198.51.100.1", true],
  ["IpAddress", "0.0.0.0/0", "2001:db8::1", false],
  ["IpAddress", ["203.0.113.0/24", "2001:DB8:1234:5678::/64"], "2001:db8:1234:5678:9::1", true],
  ["IpAddress", "2001:db8:1234:5678::/64", "2001:db8:1234:5679::1", false],
  ["IpAddress", "2001:db8::1", "2001:db8:0:0:0:0:0:1", true],
  ["IpAddress", "::ffff:192.0.2.0/120", "::ffff:192.0.2.9", true],
  ["NotIpAddress", ["203.0.113.0/24", "198.51.100.0/24"], "198.51.100.9", false],
  ["NotIpAddress", ["203.0.113.0/24", "198.51.100.0/24"], "192.0.2.9", true],
  ["ArnEquals", "arn:aws:sns:us-east-1:111122223333:topic", "arn:aws:sns:us-east-1:111122223333:topic", true],
  ["ArnEquals", "arn:aws:sns:*:111122223333:t?pic", "arn:aws:sns:us-east-1:111122223333:topic", true],
  ["ArnLike", "arn:aws:iam::111122223333:role/*", "arn:aws:iam::111122223333:role/path/x", true],
  ["ArnLike", "arn:aws:iam::111122223333:role/A", "arn:aws:iam::111122223333:role/a", false],
  ["ArnLike", "arn:aws:logs:*:*:log-group:x:*", "arn:aws:logs:eu-west-1:111122223333:log-group:x:stream:y", true],
  [
    "ArnLike",
    "arn:aws:someservice:*:111122223333:finance/*",
    "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/d.txt",
    false,
  ],
  ["ArnLike", "*", "arn:aws:iam::111122223333:role/x", true],
  ["ArnLike", "arn:aws:iam::*", "arn:aws:iam::111122223333:role/x", true],
  ["ArnLike", "arn:aws:iam::*", "arn:aws:sts::111122223333:role/x", false],
  ["ArnLike", "*", "no arn", false],
  ["ArnNotEquals", "arn:aws:iam::444455556666:user/user-name", "arn:aws:iam::444455556666:user/other", true],
  ["ArnNotLike", ["arn:aws:iam::*:role/a", "arn:aws:iam::*:role/b"], "arn:aws:iam::444455556666:role/b", false],
];

describe("condition operators", () => {
  it.each(table)("%s %j against %j gives %j", (operator, asked, found, expected) => {
    const context: RequestContext = found === undefined ? {} : { "aws:Key": found };
    const condition: Json = { [operator]: { "AWS:key": asked } };
    expect(holds(condition, context)).toBe(expected);
    expect(denies(condition, context)).toBe(expected);
  });

  it.each([...new Set(table.map(([operator]) => operator))])(
    "%s on an absent key is false unless negated, and true with IfExists",
    (operator) => {
      const asked = table.find(([name]) => name === operator)?.[1];
      const negated = operator.includes("Not");
      expect(holds({ [operator]: { "aws:Key": asked } }, {})).toBe(negated);
      expect(holds({ [operator]: { "aws:Key": asked } }, { "aws:Key": [] })).toBe(negated);
      expect(holds({ [`${operator}IfExists`]: { "aws:Key": asked } }, {})).toBe(true);
      expect(holds({ [`ForAllValues:${operator}`]: { "aws:Key": asked } }, {})).toBe(true);
      expect(holds({ [`ForAnyValue:${operator}`]: { "aws:Key": asked } }, {})).toBe(false);
      expect(holds({ [`ForAnyValue:${operator}IfExists`]: { "aws:Key": asked } }, {})).toBe(true);
    },
  );

  it.each([...new Set(table.map(([operator]) => operator))])("%s is known in any case of its name", (operator) => {
    const [, asked, found, expected] = table.find(([name]) => name === operator) ?? [];
    expect(holds({ [operator.toUpperCase()]: { "aws:Key": asked } }, { "aws:Key": found ?? "" })).toBe(expected);
  });

  it.each([
    ["NumericEquals", "1", "one"],
    ["NumericNotEquals", "1", "one"],
    ["DateLessThan", "2027-01-31", "tomorrow"],
    ["Bool", "true", "yes"],
    ["NotIpAddress", "203.0.113.0/24", "localhost"],
    ["StringEquals", "a", ["a"]],
    ["StringNotEquals", "a", ["b", "c"]],
  ])("%s %j against the unfit value %j closes: an Allow does not apply, a Deny does", (operator, asked, found) => {
    expect(holds({ [operator]: { "aws:Key": asked } }, { "aws:Key": found })).toBe(false);
    expect(denies({ [operator]: { "aws:Key": asked } }, { "aws:Key": found })).toBe(true);
  });
});

describe("Null", () => {
  it.each([
    ["true", {}, true],
    ["false", {}, false],
    ["true", { "aws:Key": "x" }, false],
    ["false", { "aws:Key": "x" }, true],
    ["false", { "aws:Key": "" }, true],
    ["false", { "aws:Key": [] }, false],
    ["false", { "aws:Key": [""] }, false],
    [true, {}, true],
  ])("%j in the context %j gives %j", (asked, context, expected) => {
    expect(holds({ Null: { "aws:Key": asked } }, context as RequestContext)).toBe(expected);
  });
});

describe("set operators", () => {
  const attributes = ["PostDateTime", "Message", "Tags"];
  it.each<[string, readonly string[], readonly string[], boolean]>([
    ["ForAllValues:StringEquals", attributes, ["PostDateTime", "UserName"], false],
    ["ForAllValues:StringEquals", attributes, ["Message", "Tags"], true],
    ["ForAllValues:StringEquals", attributes, [""], true],
    ["ForAnyValue:StringEquals", ["ID", "PostDateTime"], ["UserName", "Message", "PostDateTime"], true],
    ["ForAnyValue:StringEquals", ["ID", "PostDateTime"], ["UserName"], false],
    ["ForAnyValue:StringEquals", ["ID", ""], [""], false],
    ["ForAllValues:StringNotEquals", ["ID", "UserName"], ["Message", "Tags"], true],
    ["ForAllValues:StringNotEquals", ["ID", "UserName"], ["Message", "ID"], false],
    ["ForAnyValue:StringNotEquals", ["ID", "UserName"], ["Message", "ID"], true],
    ["ForAnyValue:StringNotEquals", ["ID", "UserName"], ["UserName", "ID"], false],
    ["ForAllValues:StringLike", ["key1*"], ["key1:legal", "key1:hr"], true],
    ["ForAllValues:StringLike", ["key1*"], ["key1:legal", "key2:hr"], false],
    ["ForAnyValue:ArnLike", ["arn:aws:iam::*:role/a"], ["x", "arn:aws:iam::1:role/a"], true],
    ["ForAllValues:NumericLessThan", ["10"], ["1", "9"], true],
  ])("%s %j against %j gives %j", (operator, asked, found, expected) => {
    expect(holds({ [operator]: { "aws:TagKeys": asked } }, { "aws:TagKeys": found })).toBe(expected);
  });

  it("says nothing of a set with an unfit value, unless another value decides", () => {
    expect(holds({ "ForAllValues:NumericLessThan": { "aws:N": "10" } }, { "aws:N": ["1", "x"] })).toBe(false);
    expect(denies({ "ForAllValues:NumericLessThan": { "aws:N": "10" } }, { "aws:N": ["1", "x"] })).toBe(true);
    expect(denies({ "ForAllValues:NumericLessThan": { "aws:N": "10" } }, { "aws:N": ["11", "x"] })).toBe(false);
    expect(holds({ "ForAnyValue:NumericLessThan": { "aws:N": "10" } }, { "aws:N": ["1", "x"] })).toBe(true);
  });
});

describe("several conditions", () => {
  it("hold only together: operators and keys are joined by and, values by or", () => {
    const condition = { StringEquals: { "aws:A": ["1", "2"], "aws:B": "x" }, Bool: { "aws:SecureTransport": "true" } };
    const met = { "aws:A": "2", "aws:B": "x", "aws:SecureTransport": "true" };
    expect(holds(condition, met)).toBe(true);
    for (const key of Object.keys(met)) expect(holds(condition, { ...met, [key]: "false" })).toBe(false);
  });

  it("are no condition at all when the block is empty", () => {
    expect(holds({}, {})).toBe(true);
  });

  it("let a false condition outweigh one that cannot be told", () => {
    const condition = { NumericEquals: { "aws:N": "1" }, StringEquals: { "aws:A": "x" } };
    expect(denies(condition, { "aws:N": "one", "aws:A": "y" })).toBe(false);
    expect(denies(condition, { "aws:N": "one", "aws:A": "x" })).toBe(true);
  });
});

describe("policy variables in conditions", () => {
  it("take the request's value as it is, wildcards included", () => {
    const condition = { StringLike: { "s3:prefix": `home/\${aws:username}/*` } };
    expect(holds(condition, { "s3:prefix": "home/jordan/x", "aws:username": "jordan" })).toBe(true);
    expect(holds(condition, { "s3:prefix": "home/other/x", "aws:username": "*" })).toBe(false);
  });

  it("match nothing without a value, so that a negated operator holds", () => {
    const asked = { "s3:ExistingObjectTag/Team": `\${aws:PrincipalTag/Team}` };
    expect(holds({ StringEquals: asked }, { "s3:ExistingObjectTag/Team": "red" })).toBe(false);
    expect(denies({ StringNotEquals: asked }, { "s3:ExistingObjectTag/Team": "red" })).toBe(true);
  });

  it("take their default only without a value", () => {
    const condition = { StringEquals: { "aws:Team": `\${aws:PrincipalTag/team, 'company-wide'}` } };
    expect(holds(condition, { "aws:Team": "company-wide" })).toBe(true);
    expect(holds(condition, { "aws:Team": "company-wide", "aws:PrincipalTag/team": "red" })).toBe(false);
    expect(holds(condition, { "aws:Team": "red", "aws:PrincipalTag/Team": "red" })).toBe(true);
  });

  it("are not taken from multivalued keys", () => {
    expect(holds({ StringEquals: { "aws:A": `\${aws:TagKeys}` } }, { "aws:A": "x", "aws:TagKeys": ["x"] })).toBe(false);
  });

  it("keep an ARN's parts apart whatever the value holds", () => {
    const condition = { ArnLike: { "aws:SourceArn": `arn:aws:sns:us-east-1:111122223333:\${aws:PrincipalTag/topic}` } };
    const source = "arn:aws:sns:us-east-1:111122223333:orders";
    expect(holds(condition, { "aws:SourceArn": source, "aws:PrincipalTag/topic": "orders" })).toBe(true);
    expect(holds(condition, { "aws:SourceArn": source, "aws:PrincipalTag/topic": "*" })).toBe(false);
  });
});
