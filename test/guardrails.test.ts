// The templates for an organisation: what they deny and to whom, which events they tell about, and that CloudFormation takes them.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { LookupEventsCommand } from "@aws-sdk/client-cloudtrail";
import { DeleteBucketCommand } from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { startLocalCloud } from "../src/localcloud/cloud.ts";
import { destructiveActions } from "../src/policy/destructive.ts";
import { evaluate } from "../src/policy/evaluate.ts";
import { parsePolicy } from "../src/policy/parse.ts";
import { assume, cloudtrail, refusal, s3 } from "./localcloud/clients.ts";

const folder = join(import.meta.dirname, "..", "guardrails");
const read = (name: string): string => readFileSync(join(folder, name), "utf8");
/** AWS Organizations user guide, "Quotas": characters of a service control policy. */
const LONGEST_SCP = 5120;
const AGENT = { "aws:PrincipalTag/agent-actor": "claude" };
const EVERYTHING = parsePolicy('{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}', "all");

const decide = (scp: string, action: string, context: Record<string, string> = {}): string =>
  evaluate(
    { principal: "arn:aws:iam::123456789012:role/any", action, resource: "*", context },
    { identity: [EVERYTHING, parsePolicy(read(scp), scp)] },
  ).outcome;

describe("service control policies", () => {
  it.each(["scp-agents.json", "scp-production.json"])("%s is short enough for Organizations and has Deny statements only", (name) => {
    const document = JSON.parse(read(name));
    expect(JSON.stringify(document).length).toBeLessThanOrEqual(LONGEST_SCP);
    expect(document.Statement.every((statement: { Effect: string }) => statement.Effect === "Deny")).toBe(true);
  });

  it("for agents denies to their sessions alone", () => {
    for (const action of [
      "ec2:TerminateInstances",
      "s3:DeleteObject",
      "iam:CreateUser",
      "ec2:AuthorizeSecurityGroupIngress",
      "cloudtrail:StopLogging",
    ]) {
      expect(decide("scp-agents.json", action, AGENT), action).toBe("explicitDeny");
      expect(decide("scp-agents.json", action), action).toBe("allowed");
    }
    expect(decide("scp-agents.json", "s3:GetObject", AGENT)).toBe("allowed");
  });

  it("for agents denies most of what is destructive, and what it leaves is known", () => {
    const left = destructiveActions
      .filter(({ action }) => decide("scp-agents.json", action, AGENT) !== "explicitDeny")
      .map(({ action }) => action);
    expect(left.length / destructiveActions.length).toBeLessThan(0.5);
    for (const service of ["iam", "organizations", "account"])
      expect(left.filter((action) => action.startsWith(`${service}:`))).toEqual([]);
  });

  it("for production denies deletion to everyone but a break-glass role", () => {
    const as = (role: string) =>
      decide("scp-production.json", "rds:DeleteDBInstance", { "aws:PrincipalArn": `arn:aws:iam::123456789012:role/${role}` });
    expect(as("admin")).toBe("explicitDeny");
    expect(as("break-glass-1")).toBe("allowed");
    expect(decide("scp-production.json", "rds:DescribeDBInstances")).toBe("allowed");
  });
});

type Pattern = { readonly [key: string]: Pattern | readonly (string | boolean | { prefix?: string; wildcard?: string })[] };

/** As EventBridge compares (user guide, "Event patterns"): every field of the pattern, by equality, prefix or wildcard. */
function matches(pattern: Pattern, event: Record<string, unknown>): boolean {
  return Object.entries(pattern).every(([key, wanted]) => {
    const value = event[key];
    if (!Array.isArray(wanted))
      return typeof value === "object" && value !== null && matches(wanted as Pattern, value as Record<string, unknown>);
    return wanted.some((one) => {
      if (typeof one !== "object") return one === value;
      if (one.prefix !== undefined) return String(value).startsWith(one.prefix);
      const parts = (one.wildcard ?? "").split("*").map((part: string) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
      return new RegExp(`^${parts.join(".*")}$`).test(String(value));
    });
  });
}

const rules = (): Record<string, Pattern> => {
  const { Resources } = JSON.parse(read("alerts.cloudformation.json")) as {
    Resources: Record<string, { Type: string; Properties: { EventPattern: Pattern } }>;
  };
  return Object.fromEntries(
    Object.entries(Resources).flatMap(([name, { Type, Properties }]) =>
      Type === "AWS::Events::Rule" ? [[name, Properties.EventPattern]] : [],
    ),
  );
};
const told = (detail: Record<string, unknown>): string[] =>
  Object.entries(rules()).flatMap(([name, pattern]) =>
    matches(pattern, { "detail-type": "AWS API Call via CloudTrail", detail }) ? [name] : [],
  );

const call = (eventSource: string, eventName: string, arn = "arn:aws:sts::123456789012:assumed-role/agent-readonly/sess_0a1b2c3d") => ({
  eventSource: `${eventSource}.amazonaws.com`,
  eventName,
  readOnly: /^(Get|List|Describe)/.test(eventName),
  userIdentity: { arn },
});

describe("alerts", () => {
  it("tell about IAM changes, security groups and deletions of agent sessions, and about nothing else", () => {
    expect(told(call("iam", "CreateUser"))).toEqual(["IdentityChanges"]);
    expect(told(call("ec2", "AuthorizeSecurityGroupIngress"))).toEqual(["NetworkOpened"]);
    expect(told(call("rds", "DeleteDBInstance"))).toEqual(["Deletions"]);
    expect(told(call("iam", "ListRoles"))).toEqual([]);
    expect(told(call("rds", "DeleteDBInstance", "arn:aws:iam::123456789012:user/jordan"))).toEqual([]);
  });

  it("tell about an event as CloudTrail writes it, also of a call that was denied", async () => {
    await using cloud = await startLocalCloud();
    await refusal(s3(cloud, await assume(cloud)).send(new DeleteBucketCommand({ Bucket: "acme-data" })));
    const { Events = [] } = await cloudtrail(cloud).send(new LookupEventsCommand({}));
    const event = Events.map(({ CloudTrailEvent }) => JSON.parse(CloudTrailEvent ?? "{}")).find(
      ({ eventName }) => eventName === "DeleteBucket",
    );
    expect(told(event)).toEqual(["Deletions"]);
  });
});

const lint = join(import.meta.dirname, "..", ".venv", "bin", "cfn-lint");
describe.skipIf(spawnSync(lint, ["--version"]).status !== 0)("CloudFormation templates (needs .venv: pip install cfn-lint)", () => {
  it.each(["alerts", "remediation"])("%s passes cfn-lint", (name) => {
    const linted = spawnSync(lint, ["--non-zero-exit-code", "warning", join(folder, `${name}.cloudformation.json`)], { encoding: "utf8" });
    expect(linted.stdout).toBe("");
    expect(linted.status).toBe(0);
  });
});
