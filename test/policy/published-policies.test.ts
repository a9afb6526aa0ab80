// The policies of published guidance on AI agents and AWS, as they were printed: parsed, linted, and evaluated with the outcomes that their text
// claims. Where the text is wrong, the title says so.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cleanTags, durationFor } from "../../src/aws/assume.ts";
import { destructiveAllowed } from "../../src/policy/destructive.ts";
import { evaluate } from "../../src/policy/evaluate.ts";
import { PolicyFault } from "../../src/policy/json.ts";
import type { Code } from "../../src/policy/lint/finding.ts";
import type { PolicyKind } from "../../src/policy/lint/subject.ts";
import { parsePolicyValue } from "../../src/policy/parse.ts";
import type { Outcome, PolicyDocument, PolicySet, RequestContext } from "../../src/policy/types.ts";
import { catalogue, input, lint } from "./lint-catalogue.ts";

const published: Readonly<Record<string, Readonly<Record<string, unknown>>>> = JSON.parse(
  readFileSync(join(import.meta.dirname, "../fixtures/published-policies.json"), "utf8"),
);

const ACCOUNT = "123456789012";
const SESSION = `arn:aws:sts::${ACCOUNT}:assumed-role/AIAgentRole/sess_a8f3b21c`;
type Value = Readonly<Record<string, unknown>>;
const printed = (name: string): Value => published[name] ?? expect.fail(name);
const whole = (value: Value): Value => ("Statement" in value ? value : { Version: "2012-10-17", Statement: value });
const document = (name: string, kind: "identity" | "resource" = "identity"): PolicyDocument =>
  parsePolicyValue(whole(printed(name)), name, { kind });
const statement = (value: Value): PolicyDocument => parsePolicyValue(whole(value), "statement");
const admin = statement({ Effect: "Allow", Action: "*", Resource: "*" });

function outcome(policies: PolicySet, action: string, resource = "*", context: RequestContext = {}): Outcome {
  return evaluate({ principal: SESSION, action, resource, context }, policies).outcome;
}
const codesIn = (value: Value, kind: PolicyKind = "identity"): Code[] =>
  lint(input(JSON.stringify(whole(value)), kind)).map(({ code }) => code);
const codesOf = (name: string, kind: PolicyKind = "identity"): Code[] => codesIn(printed(name), kind);

describe("a read-only policy with explicit denies", () => {
  const policies = { identity: [document("readOnly")] };

  it("reads, and is denied outright what it lists", () => {
    for (const action of ["ec2:DescribeInstances", "s3:GetObject", "logs:FilterLogEvents", "iam:GetRole"])
      expect(outcome(policies, action), action).toBe("allowed");
    for (const action of [
      "ec2:TerminateInstances",
      "s3:DeleteObject",
      "iam:DeleteRole",
      "iam:PutRolePolicy",
      "cloudformation:DeleteStack",
    ]) {
      expect(outcome(policies, action), action).toBe("explicitDeny");
    }
  });

  it("is wrong about its denies: beside another policy, most of what destroys is open", () => {
    const beside = { identity: [document("readOnly"), admin] };
    for (const action of ["lambda:DeleteFunction", "iam:CreateAccessKey", "kms:ScheduleKeyDeletion", "dynamodb:DeleteTable"]) {
      expect(outcome(policies, action), action).toBe("implicitDeny");
      expect(outcome(beside, action), action).toBe("allowed");
    }
    expect(codesOf("readOnly")).toContain("read-data-anywhere");
  });
});

describe("a boundary that allows all and denies a list", () => {
  const policies = { identity: [admin], boundary: [document("denyingBoundary")] };

  it("denies what it lists, whatever the role allows", () => {
    for (const action of ["ec2:TerminateInstances", "rds:DeleteDBCluster", "s3:DeleteBucket", "iam:DeleteRole"])
      expect(outcome(policies, action), action).toBe("explicitDeny");
    expect(outcome(policies, "ec2:RunInstances")).toBe("allowed");
  });

  it("is wrong that escalation stays within safe limits: it leaves keys, policies and the boundary itself open", () => {
    for (const action of ["iam:CreateAccessKey", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary", "kms:ScheduleKeyDeletion"]) {
      expect(outcome(policies, action), action).toBe("allowed");
    }
    expect(codesOf("denyingBoundary", "boundary")).toContain("ceiling-open");
  });
});

describe("a custom role of another cloud", () => {
  it("is no policy of IAM, and is said to be none", () => {
    expect(() => parsePolicyValue(printed("azureRole"), "azure")).toThrow(PolicyFault);
  });
});

describe("a role for agents", () => {
  it("is assumed by the one user with the external id, and by nobody without", () => {
    const user = `arn:aws:iam::${ACCOUNT}:user/developer-workstation`;
    const ask = (principal: string, context: RequestContext, action = "sts:AssumeRole"): Outcome =>
      evaluate(
        { principal, action, resource: `arn:aws:iam::${ACCOUNT}:role/AIAgentRole`, context },
        { identity: [admin], resource: [document("trust", "resource")] },
        { resourceMustAllow: true },
      ).outcome;
    expect(ask(user, { "sts:ExternalId": "ai-agent-session-2026" })).toBe("allowed");
    expect(ask(user, {})).toBe("implicitDeny");
    expect(ask(`arn:aws:iam::${ACCOUNT}:user/other`, { "sts:ExternalId": "ai-agent-session-2026" })).toBe("implicitDeny");
    // What the same kind of guidance asks for elsewhere, tags that attribute each call, this trust policy refuses.
    expect(ask(user, { "sts:ExternalId": "ai-agent-session-2026" }, "sts:TagSession")).toBe("implicitDeny");
    expect(codesOf("trust", "trust")).toEqual([]);
  });

  it("is denied every action that its deny policy lists, beside full access", () => {
    const deny = document("denyDestructive");
    const listed = deny.statements.flatMap(({ action }) => action ?? []);
    expect(listed.length).toBe(35);
    for (const action of listed) expect(outcome({ identity: [admin, deny] }, action), action).toBe("explicitDeny");
    expect(codesOf("denyDestructive")).toEqual([]);
  });

  it("is wrong that all destructive actions are denied by it", () => {
    const open = destructiveAllowed({ identity: [admin, document("denyDestructive")] }, SESSION).map(({ action }) => action);
    for (const action of ["kms:ScheduleKeyDeletion", "iam:PutRolePolicy", "dynamodb:DeleteItem", "cloudtrail:StopLogging"])
      expect(open).toContain(action);
  });

  it("creates machines and ends none, but can open firewalls and stop machines of any size", () => {
    const policies = { identity: [document("ec2Create")] };
    expect(outcome(policies, "ec2:RunInstances")).toBe("allowed");
    expect(outcome(policies, "ec2:TerminateInstances")).toBe("implicitDeny");
    expect(codesOf("ec2Create")).toEqual(expect.arrayContaining(["public-exposure", "missing-condition", "destructive", "write-anywhere"]));
  });

  it("reads and writes objects, lists buckets and deletes none, in every bucket of the account", () => {
    const policies = { identity: [document("s3ReadWrite")] };
    expect(outcome(policies, "s3:PutObject", "arn:aws:s3:::b/k")).toBe("allowed");
    expect(outcome(policies, "s3:DeleteObject", "arn:aws:s3:::b/k")).toBe("implicitDeny");
    // What S3 holds a list of all buckets against.
    expect(outcome(policies, "s3:ListAllMyBuckets", "arn:aws:s3:::*")).toBe("allowed");
    expect(codesOf("s3ReadWrite")).toEqual(expect.arrayContaining(["write-anywhere", "read-data-anywhere"]));
    expect(codesOf("s3ReadWrite")).not.toContain("never-matches");
  });

  it("stays within its boundary under full access, and is wrong that this is reading and creating: it takes over functions", () => {
    const policies = { identity: [admin], boundary: [document("listedBoundary")] };
    for (const action of ["ec2:RunInstances", "s3:PutObject", "sts:GetCallerIdentity"])
      expect(outcome(policies, action), action).toBe("allowed");
    for (const action of ["ec2:TerminateInstances", "iam:CreateUser", "dynamodb:DeleteTable"])
      expect(outcome(policies, action), action).toBe("explicitDeny");
    expect(outcome(policies, "iam:UpdateAssumeRolePolicy")).toBe("implicitDeny");
    expect(outcome(policies, "lambda:UpdateFunctionCode")).toBe("allowed");
    expect(codesOf("listedBoundary", "boundary")).toContain("ceiling-open");
  });
});

describe("conditions", () => {
  it("on addresses deny from elsewhere, and also what services do for the caller", () => {
    const policies = { identity: [admin, document("addresses")] };
    expect(outcome(policies, "s3:GetObject", "*", { "aws:SourceIp": "203.0.113.7" })).toBe("allowed");
    expect(outcome(policies, "s3:GetObject", "*", { "aws:SourceIp": "192.0.2.1" })).toBe("explicitDeny");
    expect(codesOf("addresses")).toContain("denies-service-calls");
  });

  it("on the time are wrong: the fixed dates deny one night, and no other", () => {
    const policies = { identity: [admin, document("businessHours")] };
    const at = (time: string): Outcome => outcome(policies, "s3:PutObject", "*", { "aws:CurrentTime": time });
    expect(at("2026-01-01T20:00:00Z")).toBe("explicitDeny");
    expect(at("2026-01-02T20:00:00Z")).toBe("allowed");
    expect(at("2026-11-22T23:00:00Z")).toBe("allowed");
    expect(codesOf("businessHours")).toContain("fixed-date");
  });

  it("on MFA deny also where the request says nothing of it", () => {
    const policies = { identity: [admin, document("mfa")] };
    expect(outcome(policies, "ec2:RunInstances", "*", { "aws:MultiFactorAuthPresent": "true" })).toBe("allowed");
    expect(outcome(policies, "ec2:RunInstances", "*", { "aws:MultiFactorAuthPresent": "false" })).toBe("explicitDeny");
    expect(outcome(policies, "ec2:RunInstances")).toBe("explicitDeny");
    expect(codesOf("mfa")).not.toContain("deny-fails-open");
  });

  it("of an organization deny beside its full access, and alone allow nothing", () => {
    const under = (...serviceControl: PolicyDocument[]): PolicySet => ({ identity: [admin], serviceControl });
    expect(outcome(under(admin, document("serviceControl")), "rds:DeleteDBInstance")).toBe("explicitDeny");
    expect(outcome(under(admin, document("serviceControl")), "rds:CreateDBInstance")).toBe("allowed");
    expect(outcome(under(document("serviceControl")), "rds:CreateDBInstance")).toBe("implicitDeny");
    expect(codesOf("serviceControl", "service-control")).toContain("ceiling-open");
  });
});

describe("least privilege for one task", () => {
  it("is one prefix of one bucket, and nothing else", () => {
    const policies = { identity: [document("onePrefix")] };
    expect(outcome(policies, "s3:GetObject", "arn:aws:s3:::my-app-deployments/builds/1.zip")).toBe("allowed");
    expect(outcome(policies, "s3:PutObject", "arn:aws:s3:::my-app-deployments/builds/1.zip")).toBe("allowed");
    for (const [action, resource] of [
      ["s3:ListBucket", "arn:aws:s3:::my-app-deployments"],
      ["s3:DeleteObject", "arn:aws:s3:::my-app-deployments/builds/1.zip"],
      ["s3:PutBucketPolicy", "arn:aws:s3:::my-app-deployments"],
      ["s3:GetObject", "arn:aws:s3:::my-app-deployments/secrets/1"],
      ["s3:GetObject", "arn:aws:s3:::other/builds/1.zip"],
    ] as const) {
      expect(outcome(policies, action, resource), `${action} ${resource}`).toBe("implicitDeny");
    }
    expect(codesOf("onePrefix")).toEqual([]);
  });

  it("allows small machines and no large one; is wrong by itself, since a start also asks about resources that have no such key", () => {
    const policies = {
      identity: [statement({ Effect: "Allow", Action: "ec2:RunInstances", Resource: "*", ...printed("smallInstances") })],
    };
    const start = (type: string): Outcome =>
      outcome(policies, "ec2:RunInstances", `arn:aws:ec2:us-east-1:${ACCOUNT}:instance/*`, { "ec2:InstanceType": type });
    expect(start("t3.micro")).toBe("allowed");
    expect(start("p4d.24xlarge")).toBe("implicitDeny");
    expect(outcome(policies, "ec2:RunInstances", `arn:aws:ec2:us-east-1:${ACCOUNT}:subnet/subnet-1`)).toBe("implicitDeny");
  });

  it("tags sessions with what STS takes", () => {
    const list = printed("sessionTags")["Tags"] as { Key: string; Value: string }[];
    const tags = Object.fromEntries(list.map(({ Key, Value }) => [Key, Value]));
    expect(cleanTags(tags)).toEqual({ tags, changed: [] });
  });

  it("is wrong about the command that revokes a session: STS has no such action", () => {
    expect(catalogue.matching("sts:*Revoke*")).toEqual([]);
    expect(catalogue.matching("sts:AssumeRole").map(({ name }) => name)).toEqual(["sts:AssumeRole"]);
  });
});

describe("a standing role near zero, and elevation", () => {
  const secret = (account: string, suffix: string): string =>
    `arn:aws:secretsmanager:ap-southeast-2:111111111111:secret:agent/elevated/${account}-${suffix}`;

  it("reads three secrets, the trail and its own name, and nothing else", () => {
    const policies = { identity: [document("agentBase")] };
    for (const account of ["111111111111", "222222222222", "333333333333"]) {
      expect(outcome(policies, "secretsmanager:GetSecretValue", secret(account, "AbCdEf"))).toBe("allowed");
    }
    expect(outcome(policies, "secretsmanager:GetSecretValue", secret("444444444444", "AbCdEf"))).toBe("implicitDeny");
    expect(outcome(policies, "secretsmanager:GetSecretValue", secret("111111111111", "AbCdEfG"))).toBe("implicitDeny");
    expect(outcome(policies, "cloudtrail:LookupEvents")).toBe("allowed");
    expect(outcome(policies, "secretsmanager:PutSecretValue", secret("111111111111", "AbCdEf"))).toBe("implicitDeny");
  });

  it("is wrong that its keys can do nothing dangerous: during an elevation they read the stronger credentials", () => {
    expect(codesOf("agentBase")).toContain("destructive");
    expect(Object.keys(printed("grantedSecret"))).toEqual(
      expect.arrayContaining(["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"]),
    );
  });

  it("operates under the deny that goes with it; is wrong that nothing gets round it: commands run under each machine's own role", () => {
    const policies = { identity: [document("ops"), document("denyAlways")] };
    expect(outcome(policies, "ecs:UpdateService")).toBe("allowed");
    for (const action of ["ec2:TerminateInstances", "rds:DeleteDBInstance", "organizations:LeaveOrganization", "account:CloseAccount"]) {
      expect(outcome({ identity: [admin, document("denyAlways")] }, action), action).toBe("explicitDeny");
    }
    expect(outcome(policies, "ssm:SendCommand")).toBe("allowed");
    expect(codesOf("ops")).toContain("privilege-escalation");
  });

  it("deploys with whole services; is wrong that the deny is a ceiling for it: buckets and zones can be deleted", () => {
    const policies = { identity: [document("deploy"), document("denyAlways")] };
    for (const action of ["s3:DeleteBucket", "route53:DeleteHostedZone", "ecr:DeleteRepository", "logs:DeleteLogGroup"]) {
      expect(outcome(policies, action), action).toBe("allowed");
    }
    expect(codesOf("deploy").filter((code) => code === "service-wildcard")).toHaveLength(7);
  });

  it("is wrong that it cannot escalate: the security role attaches any policy to any role, its own among them", () => {
    const policies = { identity: [document("security"), document("denyAlways")] };
    expect(outcome(policies, "iam:AttachRolePolicy", `arn:aws:iam::${ACCOUNT}:role/AgentElevated-Security`)).toBe("allowed");
    expect(codesOf("security")).toEqual(expect.arrayContaining(["privilege-escalation", "public-exposure", "service-wildcard"]));
  });

  it("is wrong about five minutes: STS gives no session under fifteen", () => {
    expect(durationFor({ wantedMs: 5 * 60_000, chained: false }).seconds).toBe(900);
  });
});

describe("cloud functions", () => {
  it("as printed lost their asterisks, and are no policy; with them, are every action of a service", () => {
    expect(() => document("serviceLevel")).toThrow(PolicyFault);
    expect(codesIn({ ...printed("serviceLevel"), Action: "s3:*", Resource: "*" })).toContain("service-wildcard");
  });

  it("write below their own user's folder only, and nowhere without the tag", () => {
    const policies = { identity: [document("ownFolder")] };
    const put = (folder: string, context: RequestContext): Outcome =>
      outcome(policies, "s3:PutObject", `arn:aws:s3:::weesec-pdfs/clients/${folder}/a.pdf`, context);
    expect(put("7", { "aws:PrincipalTag/UserId": "7" })).toBe("allowed");
    expect(put("8", { "aws:PrincipalTag/UserId": "7" })).toBe("implicitDeny");
    expect(put("8", { "aws:PrincipalTag/UserId": "*" })).toBe("implicitDeny");
    expect(put("7", {})).toBe("implicitDeny");
    expect(codesOf("ownFolder")).toEqual([]);
  });

  it("in one network only are wrong: no VPC has such a name, so the permission never holds", () => {
    const limited = { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::b/*", ...printed("fromNetwork") };
    expect(codesIn(limited)).toEqual(["never-matches"]);
    expect(
      outcome({ identity: [statement(limited)] }, "s3:GetObject", "arn:aws:s3:::b/k", { "aws:SourceVpc": "vpc-0123456789abcdef0" }),
    ).toBe("implicitDeny");
  });

  it("for each tenant are wrong: the key has several values, which StringEquals does not compare; with a set operator they hold", () => {
    expect(codesOf("tenantRows")).toContain("set-operator");
    const rows = (policy: PolicyDocument, keys: string[]): Outcome =>
      outcome({ identity: [policy] }, "dynamodb:Query", `arn:aws:dynamodb:us-east-1:${ACCOUNT}:table/orders`, {
        "aws:PrincipalTag/TenantId": "t1",
        "dynamodb:LeadingKeys": keys,
      });
    const { StringEquals } = printed("tenantRows")["Condition"] as Record<string, unknown>;
    const mended = statement({
      ...printed("tenantRows"),
      Condition: { "ForAllValues:StringEquals": StringEquals, Null: { "dynamodb:LeadingKeys": "false" } },
    });
    expect(rows(document("tenantRows"), ["t1", "t2"])).toBe("implicitDeny");
    expect(rows(mended, ["t1"])).toBe("allowed");
    expect(rows(mended, ["t1", "t2"])).toBe("implicitDeny");
    expect(rows(mended, [])).toBe("implicitDeny");
  });
});
