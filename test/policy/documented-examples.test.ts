// Requests that the rules of AWS's own pages decide. The policies of one account and of Shirley's boundary are the IAM User Guide's, and so is the outcome
// that a page names (saving to the logs, creating a user); the other requests and values are ours, chosen to meet the rule that the page states.
import { describe, expect, it } from "vitest";
import { evaluate } from "../../src/policy/evaluate.ts";
import type { Outcome, PolicySet, RequestContext } from "../../src/policy/types.ts";
import { allow, deny, holds, identity, type Json, resourcePolicy } from "./build.ts";

const CARLOS = "arn:aws:iam::111111111111:user/carlossalazar";
const ask = (principal: string, action: string, resource: string, policies: PolicySet, context: RequestContext = {}): Outcome =>
  evaluate({ principal, action, resource, context }, policies).outcome;

describe("reference_policies_evaluation-logic_policy-eval-basics: one account", () => {
  const bucket = "arn:aws:s3:::amzn-s3-demo-bucket-carlossalazar";
  const logs = deny("s3:*", "arn:aws:s3:::*log*");
  const self: Json[] = [
    allow(["s3:GetBucketLocation", "s3:GetAccountPublicAccessBlock", "s3:ListAccessPoints", "s3:ListAllMyBuckets"], "arn:aws:s3:::*"),
    allow("s3:*", [`${bucket}/*`, bucket]),
  ];
  const resource = [resourcePolicy({ Effect: "Allow", Principal: { AWS: CARLOS }, Action: "s3:*", Resource: [`${bucket}/*`, bucket] })];

  it("saving to the bucket of logs is denied by the statement about logs", () => {
    expect(ask(CARLOS, "s3:PutObject", `${bucket}-logs/a`, { identity: [identity([...self, logs])] })).toBe("explicitDeny");
  });
  it("without that statement it is denied because nothing allows it", () => {
    expect(ask(CARLOS, "s3:PutObject", `${bucket}-logs/a`, { identity: [identity(self)] })).toBe("implicitDeny");
  });
  it("saving to his own bucket is allowed by either policy alone", () => {
    expect(ask(CARLOS, "s3:PutObject", `${bucket}/a`, { identity: [identity([...self, logs])], resource })).toBe("allowed");
    expect(ask(CARLOS, "s3:PutObject", `${bucket}/a`, { identity: [identity(logs)], resource })).toBe("allowed");
  });
  it("all buckets are listed under a resource of arn:aws:s3:::*", () => {
    expect(ask(CARLOS, "s3:ListAllMyBuckets", "arn:aws:s3:::*", { identity: [identity([...self, logs])] })).toBe("allowed");
  });
});

describe("reference_policies_evaluation-logic-cross-account: both accounts have to allow", () => {
  const production = "arn:aws:s3:::amzn-s3-demo-bucket-production";
  const own = [
    identity([
      allow("s3:ListAllMyBuckets"),
      allow("s3:*Object*", `${production}/*`),
      deny("s3:*", ["arn:aws:s3:::*log*", "arn:aws:s3:::*log*/*"]),
    ]),
  ];
  const resource = [
    resourcePolicy({
      Effect: "Allow",
      Principal: { AWS: CARLOS },
      Action: ["s3:GetObject*", "s3:PutObject*", "s3:ReplicateObject", "s3:RestoreObject"],
      Resource: `${production}/*`,
    }),
  ];
  const context = { "aws:ResourceAccount": "222222222222" };

  it("an object is saved where both accounts allow it", () => {
    expect(ask(CARLOS, "s3:PutObject", `${production}/a`, { identity: own, resource }, context)).toBe("allowed");
  });
  it("logs are denied, and what one side alone allows is not enough", () => {
    expect(ask(CARLOS, "s3:PutObject", "arn:aws:s3:::amzn-s3-demo-bucket-production-logs/a", { identity: own, resource }, context)).toBe(
      "explicitDeny",
    );
    expect(ask(CARLOS, "s3:DeleteObject", `${production}/a`, { identity: own, resource }, context)).toBe("implicitDeny");
    expect(ask(CARLOS, "s3:PutObject", `${production}/a`, { identity: own, resource: [] }, context)).toBe("implicitDeny");
    expect(ask(CARLOS, "s3:PutObject", `${production}/a`, { identity: [], resource }, context)).toBe("implicitDeny");
  });
});

describe("access_policies_boundaries: Shirley", () => {
  const shirley = "arn:aws:iam::123456789012:user/ShirleyRodriguez";
  const boundary = [identity(allow(["s3:*", "cloudwatch:*", "ec2:*"]))];

  it("a boundary for three services lets nobody create users, whatever the policy says", () => {
    expect(
      ask(shirley, "iam:CreateUser", "arn:aws:iam::123456789012:user/x", { identity: [identity(allow("iam:CreateUser"))], boundary }),
    ).toBe("implicitDeny");
  });
  it("a boundary grants nothing by itself", () => {
    expect(ask(shirley, "s3:ListBucket", "arn:aws:s3:::b", { identity: [], boundary })).toBe("implicitDeny");
    expect(ask(shirley, "s3:ListBucket", "arn:aws:s3:::b", { identity: [identity(allow("s3:*"))], boundary })).toBe("allowed");
  });
});

describe("the rules of the pages on condition operators and on keys with several values, with values of ours", () => {
  it.each<[string, Json, RequestContext, boolean]>([
    [
      "ForAllValues, each requested tag is one of those allowed",
      { "ForAllValues:StringEquals": { "aws:TagKeys": ["environment", "costcenter"] } },
      { "aws:TagKeys": ["environment"] },
      true,
    ],
    [
      "ForAllValues, one is not",
      { "ForAllValues:StringEquals": { "aws:TagKeys": ["environment", "costcenter"] } },
      { "aws:TagKeys": ["environment", "project"] },
      false,
    ],
    ["ForAllValues, no key in the request", { "ForAllValues:StringEquals": { "aws:TagKeys": ["environment"] } }, {}, true],
    [
      "ForAllValues with Null false, no key in the request",
      { "ForAllValues:StringEquals": { "aws:TagKeys": ["environment"] }, Null: { "aws:TagKeys": "false" } },
      {},
      false,
    ],
    [
      "ForAnyValue, one of the requested tags is allowed",
      { "ForAnyValue:StringEquals": { "aws:TagKeys": ["environment"] } },
      { "aws:TagKeys": ["environment", "project"] },
      true,
    ],
    ["ForAnyValue, no key in the request", { "ForAnyValue:StringEquals": { "aws:TagKeys": ["environment"] } }, {}, false],
    ["IfExists, the key is absent", { StringEqualsIfExists: { "ec2:InstanceType": "t3.micro" } }, {}, true],
    [
      "IfExists, the key is there and another",
      { StringEqualsIfExists: { "ec2:InstanceType": "t3.micro" } },
      { "ec2:InstanceType": "m5.large" },
      false,
    ],
    ["a negated operator, the key is absent", { StringNotEquals: { "aws:PrincipalTag/team": "a" } }, {}, true],
    [
      "an address in one of two ranges",
      { IpAddress: { "aws:SourceIp": ["203.0.113.0/24", "2001:DB8:1234:5678::/64"] } },
      { "aws:SourceIp": "2001:db8:1234:5678::1" },
      true,
    ],
    [
      "an IPv6 address outside of IPv4 ranges",
      { NotIpAddress: { "aws:SourceIp": "203.0.113.0/24" } },
      { "aws:SourceIp": "2001:db8::1" },
      true,
    ],
    [
      "every IPv4 address, by arithmetic: no page says it",
      { IpAddress: { "aws:SourceIp": "0.0.0.0/0" } },
      { "aws:SourceIp": "198.51.100.1" },
      true,
    ],
  ])("%s", (_, condition, context, expected) => {
    expect(holds(condition, context)).toBe(expected);
  });
});
