// What minifying leaves out, and what it must not.
import { describe, expect, it } from "vitest";
import { minifyPolicy } from "../../src/policy/minify.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import { allow, identity, resourcePolicy } from "./build.ts";

const actions = (...list: string[]): unknown => JSON.parse(minifyPolicy(identity(allow(list)))).Statement.Action;

describe("minifyPolicy", () => {
  it("writes a policy in the shortest way", () => {
    const text = `{
      "Version": "2012-10-17",
      "Statement": [{"Sid": "R", "Effect": "Allow", "Action": ["s3:Get*"], "Resource": ["*", "arn:aws:s3:::b"],
        "Condition": {"StringEquals": {"aws:A": ["x", "x"]}, "ForAnyValue:StringLikeIfExists": {"aws:TagKeys": ["a*", "b"]}}}]
    }`;
    expect(minifyPolicy(text)).toBe(
      `{"Version":"2012-10-17","Statement":{"Sid":"R","Effect":"Allow","Action":"s3:Get*","Resource":"*",` +
        `"Condition":{"StringEquals":{"aws:A":"x"},"ForAnyValue:StringLikeIfExists":{"aws:TagKeys":["a*","b"]}}}}`,
    );
  });

  it.each([
    [["s3:GetObject", "s3:Get*"], "s3:Get*"],
    [["s3:Get*", "s3:getobject*"], "s3:Get*"],
    [["s3:Get*", "S3:GET*"], "s3:Get*"],
    [["s3:*", "s3:**"], "s3:*"],
    [["iam:PassRole", "*"], "*"],
    [["s3:Get?", "s3:Get*"], "s3:Get*"],
    // Neither covers the other: a star is no single character.
    [
      ["s3:Get?", "s3:Ge*t"],
      ["s3:Get?", "s3:Ge*t"],
    ],
    [
      ["s3:?et*", "s3:G*"],
      ["s3:?et*", "s3:G*"],
    ],
    [
      ["s3:Get*", "ec2:Get*"],
      ["s3:Get*", "ec2:Get*"],
    ],
  ])("makes %j into %j", (list, expected) => {
    expect(actions(...list)).toEqual(expected);
  });

  it("keeps the order of statements, their Sids and the old version's meaning", () => {
    const old = parsePolicy(`{"Version": "2008-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`, "p");
    expect(minifyPolicy(old)).toBe(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`);
    const two = identity([
      { Sid: "B", ...allow("s3:*") },
      { Sid: "A", ...allow("ec2:*") },
    ]);
    expect(parsePolicy(minifyPolicy(two), two.source)).toEqual(two);
  });

  it("keeps principals", () => {
    const policy = resourcePolicy({ Effect: "Allow", Principal: { AWS: ["111122223333"] }, Action: "sts:AssumeRole" });
    expect(JSON.parse(minifyPolicy(policy)).Statement.Principal).toEqual({ AWS: "111122223333" });
  });

  it("refuses text that is no policy", () => {
    expect(() => minifyPolicy("{}")).toThrow(/has no Statement/);
  });
});
