// Credentials out of an answer of AWS, complete and sealed, or an error. Called wherever an answer brings some.
import { AgentRunError } from "../core/error.ts";
import { Secret } from "../core/secret.ts";
import type { SessionCredentials } from "./credentials.ts";

/**
 * Seals the `Credentials` of an STS answer.
 * @param action such as `sts:AssumeRole`, for the error
 * @throws AgentRunError `assume-role` when a part is missing
 */
export function sealed(
  answer:
    | {
        AccessKeyId?: string | undefined;
        SecretAccessKey?: string | undefined;
        SessionToken?: string | undefined;
        Expiration?: Date | undefined;
      }
    | undefined,
  action: string,
): SessionCredentials {
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = answer ?? {};
  if (!AccessKeyId || !SecretAccessKey || !SessionToken || !Expiration || Number.isNaN(Expiration.getTime())) {
    throw new AgentRunError("assume-role", `${action} was answered without complete credentials`, {
      hint: "check what answers at the endpoint: --endpoint-url, AWS_ENDPOINT_URL",
    });
  }
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: new Secret(SecretAccessKey),
    sessionToken: new Secret(SessionToken),
    expiresAt: Expiration.getTime(),
  };
}
