// AssumeRole of the local cloud through the official SDK: what it gives, and every way in which it says no.
import { type AssumeRoleCommandInput, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { describe, expect, it } from "vitest";
import { startLocalCloud } from "../../src/localcloud/cloud.ts";
import { trusts } from "../../src/localcloud/seed.ts";
import { assume, type Keys, refusal, sharedCloud, sts } from "./clients.ts";
import { ACCOUNT, askFor, DEV, notAuthorized, role, seed } from "./sts-seed.ts";

const cloud = await sharedCloud({ seed });

const ask = (input: Partial<AssumeRoleCommandInput>, from: Keys = cloud.admin) => askFor(cloud, from, input);

describe("AssumeRole gives", () => {
  it("keys of a session that GetCallerIdentity names by role and session", async () => {
    const answer = await ask({ DurationSeconds: 900, SourceIdentity: "ada", Tags: [{ Key: "agent-actor", Value: "claude" }] });
    expect(answer.AssumedRoleUser?.Arn).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/plain/sess_0a1b2c3d`);
    expect(answer.AssumedRoleUser?.AssumedRoleId).toMatch(/^AROA[A-Z2-7]{17}:sess_0a1b2c3d$/);
    expect(answer.SourceIdentity).toBe("ada");
    expect(answer.PackedPolicySize).toBeGreaterThan(0);
    expect(answer.Credentials?.AccessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
    const left = (answer.Credentials?.Expiration?.getTime() ?? 0) - Date.now();
    expect(left).toBeGreaterThan(890_000);
    expect(left).toBeLessThanOrEqual(901_000);
    const identity = await sts(cloud, await assume(cloud, { RoleArn: role("plain") })).send(new GetCallerIdentityCommand({}));
    expect(identity).toMatchObject({ Account: ACCOUNT, Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/plain/sess_0a1b2c3d` });
    expect(identity.UserId).toMatch(/^AROA[A-Z2-7]{17}:sess_0a1b2c3d$/);
  });

  it("no packed size where neither policy nor tag was sent, and one hour where no duration was", async () => {
    const answer = await ask({});
    expect(answer.PackedPolicySize).toBeUndefined();
    expect(answer.SourceIdentity).toBeUndefined();
    expect((answer.Credentials?.Expiration?.getTime() ?? 0) - Date.now()).toBeGreaterThan(3_595_000);
  });

  it("a session to a caller whom the trust policy names, though no identity policy allows it", async () => {
    const one = { ...seed, roles: [{ name: "plain", trust: trusts(`arn:aws:iam::${ACCOUNT}:user/nobody`) }] };
    await using other = await startLocalCloud({ seed: one });
    const keys = await assume(other, { RoleArn: role("plain") }, other.keys("nobody"));
    expect(keys.accessKeyId).toMatch(/^ASIA/);
  });

  it("a role of the account only to callers whose own policies allow it", async () => {
    await expect(ask({ RoleArn: role("account") })).resolves.toBeDefined();
    const denied = await refusal(ask({ RoleArn: role("account") }, cloud.keys("nobody")));
    expect(denied).toEqual({
      code: "AccessDenied",
      status: 403,
      message: notAuthorized(`arn:aws:iam::${ACCOUNT}:user/nobody`, "sts:AssumeRole", role("account")),
    });
  });

  it("what an external id, an MFA code or a request tag opens", async () => {
    await expect(ask({ RoleArn: role("with-id"), ExternalId: "right-id" })).resolves.toBeDefined();
    await expect(
      ask({ RoleArn: role("with-mfa"), SerialNumber: `arn:aws:iam::${ACCOUNT}:mfa/dev`, TokenCode: "123456" }),
    ).resolves.toBeDefined();
    await expect(ask({ RoleArn: role("with-tag"), Tags: [{ Key: "project", Value: "web" }] })).resolves.toBeDefined();
  });
});

describe("AssumeRole refuses", () => {
  const tooBig = Array.from({ length: 50 }, (_, index) => ({
    Key: `key-${index}-${"abcdefghij".repeat(10)}`.slice(0, 120),
    Value: noise(250, index),
  }));
  const duration = (value: number, rule: string): string =>
    `1 validation error detected: Value '${value}' at 'durationSeconds' failed to satisfy constraint: Member must have value ${rule}`;
  const denied = (action: string, what: string): [string, number, string] => ["AccessDenied", 403, notAuthorized(DEV, action, what)];
  const MFA = `arn:aws:iam::${ACCOUNT}:mfa/dev`;

  const table: [
    title: string,
    input: Partial<AssumeRoleCommandInput>,
    expected: [code: string, status: number, message: string | RegExp],
  ][] = [
    ["899 seconds", { DurationSeconds: 899 }, ["ValidationError", 400, duration(899, "greater than or equal to 900")]],
    ["more than 12 hours", { DurationSeconds: 43_201 }, ["ValidationError", 400, duration(43_201, "less than or equal to 43200")]],
    [
      "more than the role's maximum",
      { DurationSeconds: 3601 },
      ["ValidationError", 400, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."],
    ],
    [
      "a session name of one character",
      { RoleSessionName: "a" },
      [
        "ValidationError",
        400,
        "1 validation error detected: Value 'a' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2",
      ],
    ],
    [
      "a session name with a space",
      { RoleSessionName: "a b" },
      ["ValidationError", 400, /Member must satisfy regular expression pattern: \[\\w\+=,\.@-\]\*$/],
    ],
    [
      "a source identity with a colon",
      { SourceIdentity: "aws:me" },
      ["ValidationError", 400, /at 'sourceIdentity' failed to satisfy constraint/],
    ],
    [
      "what is no role's ARN",
      { RoleArn: `arn:aws:iam::${ACCOUNT}:user/plain` },
      ["ValidationError", 400, `arn:aws:iam::${ACCOUNT}:user/plain is invalid`],
    ],
    ["a role that is not there, as one that it may not have", { RoleArn: role("ghost") }, denied("sts:AssumeRole", role("ghost"))],
    [
      "tags where the trust policy lacks sts:TagSession",
      { RoleArn: role("no-tags"), Tags: [{ Key: "a", Value: "b" }] },
      denied("sts:TagSession", role("no-tags")),
    ],
    [
      "a source identity where the trust policy lacks sts:SetSourceIdentity",
      { RoleArn: role("no-source"), SourceIdentity: "ada" },
      denied("sts:SetSourceIdentity", role("no-source")),
    ],
    ["no external id", { RoleArn: role("with-id") }, denied("sts:AssumeRole", role("with-id"))],
    ["a wrong external id", { RoleArn: role("with-id"), ExternalId: "wrong-id" }, denied("sts:AssumeRole", role("with-id"))],
    ["no MFA", { RoleArn: role("with-mfa") }, denied("sts:AssumeRole", role("with-mfa"))],
    [
      "a wrong MFA code",
      { RoleArn: role("with-mfa"), SerialNumber: MFA, TokenCode: "654321" },
      ["AccessDenied", 403, "MultiFactorAuthentication failed with invalid MFA one time pass code. "],
    ],
    [
      "an MFA device of somebody else",
      { SerialNumber: `arn:aws:iam::${ACCOUNT}:mfa/other`, TokenCode: "123456" },
      [
        "AccessDenied",
        403,
        "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.",
      ],
    ],
    [
      "an MFA device without a code",
      { SerialNumber: MFA },
      ["AccessDenied", 403, "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."],
    ],
    [
      "a request tag that the trust policy does not want",
      { RoleArn: role("with-tag"), Tags: [{ Key: "project", Value: "bank" }] },
      denied("sts:AssumeRole", role("with-tag")),
    ],
    [
      "a tag key twice in two spellings",
      {
        Tags: [
          { Key: "Team", Value: "a" },
          { Key: "team", Value: "b" },
        ],
      },
      ["InvalidParameterValue", 400, "Duplicate tag keys found. Please note that Tag keys are case insensitive."],
    ],
    [
      "a transitive key without its tag",
      { Tags: [{ Key: "a", Value: "b" }], TransitiveTagKeys: ["c"] },
      ["InvalidParameterValue", 400, "The specified transitive tag key must be included in the requested tags."],
    ],
    ["a tag of AWS's own", { Tags: [{ Key: "aws:x", Value: "b" }] }, ["InvalidParameterValue", 400, /System tags/]],
    [
      "a tag value with a semicolon",
      { Tags: [{ Key: "a", Value: "b;c" }] },
      ["ValidationError", 400, /at 'tags\.1\.member\.value' failed to satisfy constraint/],
    ],
    [
      "51 tags",
      { Tags: Array.from({ length: 51 }, (_, index) => ({ Key: `k${index}`, Value: "v" })) },
      ["ValidationError", 400, /at 'tags' failed .* less than or equal to 50/],
    ],
    [
      "tags that do not fit when packed",
      { Tags: tooBig },
      ["PackedPolicyTooLarge", 400, /^Packed size of session tags consumes \d{3,}% of allotted space\.$/],
    ],
    ["a session policy that is no JSON", { Policy: "{oops" }, ["MalformedPolicyDocument", 400, /policy/i]],
    [
      "a session policy with an unknown element",
      { Policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Alow","Action":"*","Resource":"*"}]}' },
      ["MalformedPolicyDocument", 400, /Alow/],
    ],
    [
      "a session policy of 2,049 characters",
      { Policy: " ".repeat(2049) },
      ["ValidationError", 400, /at 'policy' failed .* length less than or equal to 2048/],
    ],
    [
      "eleven managed session policies",
      { PolicyArns: Array.from({ length: 11 }, () => ({ arn: "arn:aws:iam::aws:policy/ReadOnlyAccess" })) },
      ["ValidationError", 400, /at 'policyArns'/],
    ],
    [
      "a managed session policy that is not there",
      { PolicyArns: [{ arn: "arn:aws:iam::aws:policy/Ghost" }] },
      ["ValidationError", 400, /Ghost does not exist/],
    ],
  ];

  it.each(table)("%s", async (_title, input, [code, status, message]) => {
    const found = await refusal(ask(input));
    expect({ code: found.code, status: found.status }).toEqual({ code, status });
    if (typeof message === "string") expect(found.message).toBe(message);
    else expect(found.message).toMatch(message);
  });

  it("a caller with an explicit deny, though the trust policy names the account, and says so", async () => {
    const found = await refusal(ask({ RoleArn: role("account") }, cloud.keys("denied")));
    expect(found.message).toBe(
      `${notAuthorized(`arn:aws:iam::${ACCOUNT}:user/denied`, "sts:AssumeRole", role("account"))} with an explicit deny in an identity-based policy`,
    );
  });

  it("the account's root user", async () => {
    expect(await refusal(ask({}, cloud.keys("root")))).toEqual({
      code: "AccessDenied",
      status: 403,
      message: "Roles may not be assumed by root accounts.",
    });
  });
});

/** Text that does not pack. */
function noise(length: number, start: number): string {
  let state = start * 7919 + 1;
  return Array.from({ length }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"[(state >> 8) % 62];
  }).join("");
}
