// GetSessionToken with an MFA code: one code opens the base for hours, so that refreshes need no other. Called by session.
import { AgentRunError } from "../core/error.ts";
import type { SessionCredentials } from "./credentials.ts";
import { explainFailure, readFailure } from "./failure.ts";
import { sealed } from "./sealed.ts";
import { callSts, type StsClient } from "./sts.ts";

/**
 * A session of the client's IAM user that has MFA. Only an IAM user's own long-lived keys can ask for one.
 * @param serial ARN of the device (or its number, for a hardware device)
 * @param durationSeconds 900 to 129600; 12 hours unless told otherwise
 * @throws AgentRunError `mfa` for a wrong code or device, else as `callerIdentity`
 */
export async function mfaSession(client: StsClient, serial: string, code: string, durationSeconds = 43_200): Promise<SessionCredentials> {
  requireCode(code);
  try {
    const { result } = await callSts(client, "GetSessionToken", {
      DurationSeconds: durationSeconds,
      SerialNumber: serial,
      TokenCode: code.trim(),
    });
    return sealed(result, "sts:GetSessionToken");
  } catch (error) {
    const { name, text } = readFailure(error);
    if (/^AccessDenied/.test(name) && /MultiFactor|MFA/i.test(text)) throw wrongCode(serial);
    if (/^AccessDenied/.test(name) && /session credentials/i.test(text)) {
      throw new AgentRunError("mfa", "mfa can only be given for an IAM user's own keys, and the base credentials are a session", {
        hint: "take mfa_serial out of the profile: the login that made the base credentials is where mfa belongs",
      });
    }
    if (/^AccessDenied/.test(name) && /not authorized to perform:? ?sts:GetSessionToken/i.test(text)) {
      throw new AgentRunError("mfa", `the base credentials may not open a session with mfa: '${text}'`, {
        hint: 'allow sts:GetSessionToken to your user; or mfa_hold = "off", with which the code of an AWS profile is sent with AssumeRole',
      });
    }
    throw await explainFailure(error, client, "sts:GetSessionToken");
  }
}

/** Throws AgentRunError `mfa` unless the text is six digits, so that a typing mistake costs no call. */
export function requireCode(code: string): void {
  if (/^\d{6}$/.test(code.trim())) return;
  throw new AgentRunError("mfa", "an mfa code has six digits", { hint: "enter the code that the device shows now" });
}

export const wrongCode = (serial: string): AgentRunError =>
  new AgentRunError("mfa", `sts rejects the mfa code of ${serial}`, {
    hint: "wait for the next code: each works once; check mfa_serial and the device's clock",
  });
