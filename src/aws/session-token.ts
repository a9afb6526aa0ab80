// A session of an IAM user that was opened with an MFA code, so that one code is enough for all refreshes of a run. Called by session/grant.
import type { STSClient } from "@aws-sdk/client-sts";
import { AgentRunError, messageOf } from "../core/error.ts";
import { Secret } from "../core/secret.ts";
import type { SessionCredentials } from "./credentials.ts";

/** The longest that GetSessionToken gives an IAM user is 36 h, its default 12 h (STS API reference); a working day is enough. */
const SECONDS = 12 * 3600;

/**
 * GetSessionToken with an MFA code: credentials of the same user for 12 hours, which satisfy `aws:MultiFactorAuthPresent`.
 * @param serial serial number or ARN of the device
 * @throws AgentRunError `mfa`
 */
export async function mfaSession(client: STSClient, serial: string, code: string): Promise<SessionCredentials> {
  const { GetSessionTokenCommand } = await import("@aws-sdk/client-sts");
  try {
    const { Credentials } = await client.send(new GetSessionTokenCommand({ DurationSeconds: SECONDS, SerialNumber: serial, TokenCode: code }));
    if (!Credentials?.AccessKeyId || !Credentials.SecretAccessKey || !Credentials.SessionToken || !Credentials.Expiration) throw new Error("the answer is incomplete");
    return {
      accessKeyId: Credentials.AccessKeyId,
      secretAccessKey: new Secret(Credentials.SecretAccessKey),
      sessionToken: new Secret(Credentials.SessionToken),
      expiresAt: Credentials.Expiration.getTime(),
    };
  } catch (error) {
    throw new AgentRunError("mfa", `no session for the MFA device ${serial}: ${messageOf(error)}`, {
      hint: "wait for the next code and try again; a code works once. The device must be the one of your IAM user (aws iam list-mfa-devices)",
      cause: error,
    });
  }
}
