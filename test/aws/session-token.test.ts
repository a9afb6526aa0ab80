// MFA: one code opens the base for hours; a wrong one, or a base that cannot have MFA, is said before anything is launched.
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { assumeRole } from "../../src/aws/assume.ts";
import { stsClient } from "../../src/aws/client.ts";
import { mfaSession } from "../../src/aws/session-token.ts";
import { Secret } from "../../src/core/secret.ts";
import { type LocalCloud, startLocalCloud } from "../../src/localcloud/cloud.ts";
import { DEMO_ACCOUNT, type Seed } from "../../src/localcloud/seed.ts";

const SERIAL = `arn:aws:iam::${DEMO_ACCOUNT}:mfa/dev`;
const seed: Seed = {
  account: DEMO_ACCOUNT,
  region: "us-east-1",
  users: [{ name: "dev", attached: ["arn:aws:iam::aws:policy/AdministratorAccess"], mfa: true }],
  roles: [
    {
      name: "guarded",
      trust: {
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Principal: { AWS: `arn:aws:iam::${DEMO_ACCOUNT}:user/dev` },
            Action: "sts:AssumeRole",
            Condition: { Bool: { "aws:MultiFactorAuthPresent": "true" } },
          },
        ],
      },
    },
  ],
  buckets: {},
  instances: [],
};
const guarded = { roleArn: `arn:aws:iam::${DEMO_ACCOUNT}:role/guarded`, sessionName: "sess_00000001" };

const connectionOf = (cloud: LocalCloud) => ({ region: "us-east-1", endpointUrl: cloud.url });
const keysOf = (cloud: LocalCloud) => ({
  accessKeyId: cloud.admin.accessKeyId,
  secretAccessKey: new Secret(cloud.admin.secretAccessKey),
  sessionToken: undefined,
  expiresAt: undefined,
});

describe("an MFA session", () => {
  it("opens a role that asks for MFA, as often as is needed, with one code", async () => {
    await using cloud = await startLocalCloud({ seed });
    const client = await stsClient(connectionOf(cloud), keysOf(cloud));
    await expect(assumeRole(client, guarded)).rejects.toMatchObject({ code: "assume-role", hint: expect.stringContaining("mfa_serial") });
    const session = await mfaSession(client, SERIAL, " 123456 ");
    const inSession = await stsClient(connectionOf(cloud), session);
    for (let refresh = 0; refresh < 2; refresh += 1) await assumeRole(inSession, guarded);
    expect(cloud.calls("sts:GetSessionToken")).toBe(1);
    expect(session.expiresAt - Date.now()).toBeGreaterThan(11 * 3_600_000);
    expect(inspect(session, { depth: 9, showHidden: true })).not.toContain(session.secretAccessKey.reveal());
  });

  it("is not given for a wrong code, and the code is not repeated", async () => {
    await using cloud = await startLocalCloud({ seed });
    const client = await stsClient(connectionOf(cloud), keysOf(cloud));
    const error = await mfaSession(client, SERIAL, "654321").catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "mfa", message: `sts rejects the mfa code of ${SERIAL}` });
    expect(inspect(error)).not.toContain("654321");
  });

  it.each(["", "12345", "1234567", "12345x", "123 456"])("is not asked for with %j, which can be no code", async (code) => {
    await using cloud = await startLocalCloud({ seed });
    const client = await stsClient(connectionOf(cloud), keysOf(cloud));
    await expect(mfaSession(client, SERIAL, code)).rejects.toMatchObject({ code: "mfa", message: "an mfa code has six digits" });
    expect(cloud.calls("sts:GetSessionToken")).toBe(0);
  });

  it("that a policy of the user forbids is said, with what else there is", async () => {
    await using cloud = await startLocalCloud({ seed });
    const message = "User: arn:aws:iam::123456789012:user/dev is not authorized to perform: sts:GetSessionToken with an explicit deny";
    cloud.switches.apply({ faults: [{ operation: "sts:GetSessionToken", error: { code: "AccessDenied", status: 403, message } }] });
    const client = await stsClient(connectionOf(cloud), keysOf(cloud));
    await expect(mfaSession(client, SERIAL, "123456")).rejects.toMatchObject({ code: "mfa", hint: expect.stringContaining("mfa_hold") });
  });

  it("cannot be had from a session, which is said", async () => {
    await using cloud = await startLocalCloud({ seed });
    const session = await mfaSession(await stsClient(connectionOf(cloud), keysOf(cloud)), SERIAL, "123456");
    await expect(mfaSession(await stsClient(connectionOf(cloud), session), SERIAL, "123456")).rejects.toMatchObject({
      code: "mfa",
      message: expect.stringContaining("IAM user's own keys"),
    });
  });
});
