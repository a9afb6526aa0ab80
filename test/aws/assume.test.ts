// AssumeRole: what is sent, what comes back, and each refusal with the mend. On the local cloud where it refuses alike, else on a pretend server.
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { type AssumeRequest, assumeRole } from "../../src/aws/assume.ts";
import { stsClient } from "../../src/aws/client.ts";
import { callerIdentity } from "../../src/aws/identity.ts";
import type { AgentRunError } from "../../src/core/error.ts";
import { Secret } from "../../src/core/secret.ts";
import { startLocalCloud } from "../../src/localcloud/cloud.ts";
import { allowAll, type Seed, trusts } from "../../src/localcloud/seed.ts";
import { assumedResult, CALLER, type QueryAnswer, queryServer, ROLE } from "./query-server.ts";

const base = {
  accessKeyId: "AKIAEXAMPLE000000001",
  secretAccessKey: new Secret("baseSecret/+0123456789abcdefghijklmnopqr"),
  sessionToken: new Secret(`baseToken${"b".repeat(100)}`),
  expiresAt: undefined,
};
const full: AssumeRequest = {
  roleArn: ROLE,
  sessionName: "sess_00000001",
  sourceIdentity: "ann",
  tags: { "agent-actor": "claude", project: "web" },
  sessionPolicy: '{"Version":"2012-10-17","Statement":[]}',
  externalId: "ext-1",
  mfa: { serial: "arn:aws:iam::111122223333:mfa/ann", code: "123456" },
  durationSeconds: 3600,
  callerArn: CALLER,
};
const tomorrow = new Date(Date.UTC(2031, 0, 1));

async function refusal(answer: QueryAnswer, request: AssumeRequest = full): Promise<AgentRunError> {
  await using server = await queryServer(() => answer);
  const client = await stsClient({ region: "eu-west-1", endpointUrl: server.url, retries: 0 }, base);
  const error: AgentRunError = await assumeRole(client, request).then(
    () => Promise.reject(new Error("it was not refused")),
    (thrown) => thrown,
  );
  expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/baseSecret|baseToken/);
  expect(error.message).not.toMatch(/\.$/);
  return error;
}

describe("what is sent", () => {
  it("is every part of the request, each tag transitive", async () => {
    await using server = await queryServer(() => assumedResult(tomorrow));
    const client = await stsClient({ region: "eu-west-1", endpointUrl: server.url }, base);
    const assumed = await assumeRole(client, full);
    expect(Object.fromEntries(server.requests[0]?.form ?? [])).toEqual({
      Action: "AssumeRole",
      Version: "2011-06-15",
      RoleArn: ROLE,
      RoleSessionName: "sess_00000001",
      SourceIdentity: "ann",
      "Tags.member.1.Key": "agent-actor",
      "Tags.member.1.Value": "claude",
      "Tags.member.2.Key": "project",
      "Tags.member.2.Value": "web",
      "TransitiveTagKeys.member.1": "agent-actor",
      "TransitiveTagKeys.member.2": "project",
      Policy: '{"Version":"2012-10-17","Statement":[]}',
      ExternalId: "ext-1",
      SerialNumber: "arn:aws:iam::111122223333:mfa/ann",
      TokenCode: "123456",
      DurationSeconds: "3600",
    });
    expect(assumed).toMatchObject({ assumedRoleArn: "arn:aws:sts::111122223333:assumed-role/agent/sess_00000001", packedPolicySize: 6 });
    expect(assumed.credentials.expiresAt).toBe(tomorrow.getTime());
    expect(inspect(assumed, { depth: 9, showHidden: true }) + JSON.stringify(assumed)).not.toMatch(/assumedSecret|assumedToken/);
  });

  it("is nothing that was not asked for", async () => {
    await using server = await queryServer(() => assumedResult(tomorrow));
    const client = await stsClient({ region: "eu-west-1", endpointUrl: server.url }, base);
    await assumeRole(client, { roleArn: ROLE, sessionName: "sess_00000001" });
    expect([...(server.requests[0]?.form.keys() ?? [])].sort()).toEqual(["Action", "RoleArn", "RoleSessionName", "Version"]);
  });

  it("goes over one connection for several launches", async () => {
    await using server = await queryServer(() => assumedResult(tomorrow));
    const ports = new Set<unknown>();
    server.answer = (request) => {
      ports.add(request.port);
      return assumedResult(tomorrow);
    };
    for (let launch = 0; launch < 5; launch += 1) {
      await assumeRole(await stsClient({ region: "eu-west-1", endpointUrl: server.url }, base), full);
    }
    expect(ports.size).toBe(1);
  });
});

describe("a duration that the role does not allow", () => {
  it.each([
    "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
  ])("is asked for once more with one hour, and that is said: %s", async (message) => {
    await using server = await queryServer(({ form }) =>
      Number(form.get("DurationSeconds")) > 3600 ? { error: "ValidationError", message } : assumedResult(tomorrow),
    );
    const client = await stsClient({ region: "eu-west-1", endpointUrl: server.url }, base);
    const assumed = await assumeRole(client, { ...full, durationSeconds: 7200 });
    expect(assumed.shortened).toContain("1 h");
    expect(server.requests.map(({ form }) => form.get("DurationSeconds"))).toEqual(["7200", "3600"]);
  });

  it("is not asked for a third time", async () => {
    const message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
    await using server = await queryServer(() => ({ error: "ValidationError", message }));
    const client = await stsClient({ region: "eu-west-1", endpointUrl: server.url }, base);
    await expect(assumeRole(client, { ...full, durationSeconds: 7200 })).rejects.toMatchObject({ code: "assume-role" });
    expect(server.requests).toHaveLength(2);
  });
});

describe("a source identity that the base session has already", () => {
  it.each(["The source identity is already set for this assume role session", "SourceIdentity can't be changed once it is set"])(
    "goes on in place of the developer's, and that is said: %s",
    async (message) => {
      await using server = await queryServer(({ form }) =>
        form.has("SourceIdentity")
          ? { error: "ValidationError", message }
          : Number(form.get("DurationSeconds")) > 3600
            ? { error: "ValidationError", message: "The requested DurationSeconds exceeds the 1 hour session limit." }
            : assumedResult(tomorrow),
      );
      const client = await stsClient({ region: "eu-west-1", endpointUrl: server.url }, base);
      const assumed = await assumeRole(client, { ...full, durationSeconds: 7200 });
      expect(assumed.kept).toMatch(/^source identity 'ann' is not sent/);
      expect(assumed.shortened).toContain("1 h");
      expect(server.requests.map(({ form }) => form.get("SourceIdentity"))).toEqual(["ann", null, null]);
    },
  );

  it("is not taken for one that the trust policy does not let be set", async () => {
    await using server = await queryServer(() => denied("sts:SetSourceIdentity"));
    const client = await stsClient({ region: "eu-west-1", endpointUrl: server.url }, base);
    await expect(assumeRole(client, full)).rejects.toMatchObject({ message: expect.stringContaining("sts:SetSourceIdentity") });
    expect(server.requests).toHaveLength(1);
  });
});

const denied = (action: string, more = ""): QueryAnswer => ({
  error: "AccessDenied",
  message: `User: ${CALLER} is not authorized to perform: ${action} on resource: ${ROLE}${more}`,
  status: 403,
});

describe("a refusal", () => {
  it.each(["sts:TagSession", "sts:SetSourceIdentity"])(
    "for %s names it and shows the statement to add to the trust policy",
    async (action) => {
      const error = await refusal(denied(action));
      expect(error.code).toBe("assume-role");
      expect(error.message).toContain(action);
      expect(error.message).toContain(ROLE);
      const json = /: (\{.*\})$/.exec(error.hint ?? "")?.[1] ?? "";
      expect(JSON.parse(json)).toEqual({
        Effect: "Allow",
        Principal: { AWS: CALLER },
        Action: ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
      });
    },
  );

  it("across accounts shows both sides' statements", async () => {
    const caller = "arn:aws:iam::444455556666:user/ann";
    const error = await refusal(denied("sts:AssumeRole"), { ...full, callerArn: caller });
    expect(error.message).toBe(`${caller} may not assume ${ROLE}`);
    expect(error.hint).toContain(`"Principal":{"AWS":"${caller}"}`);
    expect(error.hint).toContain(`"Resource":"${ROLE}"`);
    expect(error.hint).toContain("external id");
  });

  it("to a role session names the role as the principal, not the session", async () => {
    const error = await refusal(denied("sts:TagSession"), { ...full, callerArn: "arn:aws:sts::111122223333:assumed-role/dev/ann" });
    expect(error.hint).toContain('"Principal":{"AWS":"arn:aws:iam::111122223333:role/dev"}');
  });

  it("to an Identity Center role matches it by condition, as its path holds the region", async () => {
    const callerArn = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Dev_0123456789abcdef/ann";
    const error = await refusal(denied("sts:TagSession"), { ...full, callerArn });
    expect(error.hint).toContain('"Principal":{"AWS":"arn:aws:iam::111122223333:root"}');
    expect(error.hint).toContain("aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Dev_0123456789abcdef");
  });

  it("finds the caller in AWS's own text when nobody told it", async () => {
    const { callerArn: _, ...request } = full;
    expect((await refusal(denied("sts:TagSession"), request)).hint).toContain(`"AWS":"${CALLER}"`);
  });

  it("by an explicit deny does not tell to add an Allow", async () => {
    const error = await refusal(denied("sts:AssumeRole", " with an explicit deny in a service control policy"));
    expect(error.message).toContain("explicitly denied");
    expect(error.hint).toContain("that service control policy, as your organization's administrators can");
    expect(error.hint).not.toContain('"Effect":"Allow"');
    const own = await refusal(denied("sts:AssumeRole", " with an explicit deny in an identity-based policy"));
    expect(own.hint).toMatch(/in that identity-based policy$/);
  });

  it.each(["service control policy", "resource control policy", "permissions boundary", "session policy", "VPC endpoint policy"])(
    "for want of an Allow in a %s is not told as the trust policy's",
    async (kind) => {
      const error = await refusal(denied("sts:TagSession", ` because no ${kind} allows the sts:TagSession action`));
      expect(error.message).toBe(`no ${kind} allows sts:TagSession on ${ROLE} to ${CALLER}`);
      expect(error.hint).toContain(`let the ${kind} allow sts:AssumeRole, sts:TagSession, sts:SetSourceIdentity on ${ROLE}`);
      expect(error.hint?.includes("organization's administrators")).toBe(kind.includes("control"));
    },
  );

  it.each(["identity-based", "resource-based"])("for want of an Allow in a %s policy shows the statement to add", async (kind) => {
    const error = await refusal(denied("sts:AssumeRole", ` because no ${kind} policy allows the sts:AssumeRole action`));
    expect(error.hint).toContain(`add to the trust policy of ${ROLE}: {"Effect":"Allow"`);
  });

  it.each([
    ["AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. ", "mfa", /rejects the mfa code/],
    ["MalformedPolicyDocument", "Syntax errors in policy.", "policy", /Syntax errors in policy/],
    ["PackedPolicyTooLarge", "Packed policy consumes 113% of allotted space, please use smaller policy.", "policy", /113 %/],
    ["RegionDisabledException", "STS is not activated in this region", "config", /eu-west-1/],
    ["ExpiredToken", "The security token included in the request is expired", "base-credentials", /expired/],
    ["InvalidClientTokenId", "The security token included in the request is invalid", "base-credentials", /does not know/],
    ["Throttling", "Rate exceeded", "sts-unreachable", /throttling/],
    ["TooManyRequests", "Too Many Requests", "sts-unreachable", /throttling/],
    [
      "ValidationError",
      "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
      "assume-role",
      /transitive/,
    ],
    ["SomethingNew", "Nobody has seen this.", "assume-role", /SomethingNew/],
  ] as const)("%s (%s) is %s", async (error, message, code, text) => {
    const explained = await refusal({ error, message, status: error === "AccessDenied" ? 403 : error === "TooManyRequests" ? 429 : 400 });
    expect(explained.code).toBe(code);
    expect(explained.message).toMatch(text);
    expect(explained.hint).toBeDefined();
  });

  it("by a broken service is told as unreachable", async () => {
    expect((await refusal({ error: "InternalFailure", message: "", status: 503 })).code).toBe("sts-unreachable");
  });

  it("blots out what could be a key in AWS's text", async () => {
    const error = await refusal({
      error: "SomethingNew",
      message: `unexpected ${base.secretAccessKey.reveal()} and ${base.sessionToken.reveal()}`,
    });
    expect(error.message).toContain("[redacted]");
    const path = "arn:aws:iam::111122223333:role/engineering/platform/production/deployments/AgentReadOnly";
    expect((await refusal({ error: "SomethingNew", message: `no ${path}` })).message).toContain(path);
  });
});

describe("on the local cloud", () => {
  const seed: Seed = {
    account: "111122223333",
    region: "us-east-1",
    users: [{ name: "ann", attached: ["arn:aws:iam::aws:policy/AdministratorAccess"] }],
    roles: [
      { name: "agent", trust: trusts("arn:aws:iam::111122223333:user/ann"), policies: { all: allowAll } },
      {
        name: "untagged",
        trust: {
          Version: "2012-10-17",
          Statement: [
            {
              Effect: "Allow",
              Principal: { AWS: "arn:aws:iam::111122223333:user/ann" },
              Action: ["sts:AssumeRole", "sts:SetSourceIdentity"],
            },
          ],
        },
      },
      { name: "closed", trust: trusts("arn:aws:iam::111122223333:user/nobody") },
    ],
    buckets: {},
    instances: [],
  };
  const request = (name: string): AssumeRequest => ({
    roleArn: `arn:aws:iam::111122223333:role/${name}`,
    sessionName: "sess_00000002",
    sourceIdentity: "ann",
    tags: { "agent-actor": "claude" },
    sessionPolicy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}',
    durationSeconds: 43_200,
  });

  it("a session is what it was asked to be, shortened to what the role allows", async () => {
    await using cloud = await startLocalCloud({ seed });
    const connection = { region: "us-east-1", endpointUrl: cloud.url };
    const keys = { ...base, ...cloud.admin, secretAccessKey: new Secret(cloud.admin.secretAccessKey), sessionToken: undefined };
    const assumed = await assumeRole(await stsClient(connection, keys), request("agent"));
    expect(assumed.shortened).toContain("MaxSessionDuration");
    expect(assumed.credentials.expiresAt - Date.now()).toBeLessThanOrEqual(3_601_000);
    const identity = await callerIdentity(await stsClient(connection, assumed.credentials));
    expect(identity.arn).toBe(assumed.assumedRoleArn);
    expect(identity.arn).toBe("arn:aws:sts::111122223333:assumed-role/agent/sess_00000002");
  });

  it("a trust policy without sts:TagSession, and one that is closed, are told apart", async () => {
    await using cloud = await startLocalCloud({ seed });
    const keys = { ...base, ...cloud.admin, secretAccessKey: new Secret(cloud.admin.secretAccessKey), sessionToken: undefined };
    const client = await stsClient({ region: "us-east-1", endpointUrl: cloud.url }, keys);
    await expect(assumeRole(client, request("untagged"))).rejects.toMatchObject({
      code: "assume-role",
      message: expect.stringContaining("sts:TagSession"),
    });
    await expect(assumeRole(client, request("closed"))).rejects.toMatchObject({
      code: "assume-role",
      message: expect.stringContaining("may not assume"),
    });
  });
});
