// Credentials out of an answer of AWS, complete and sealed, or an error. Called wherever an answer brings some.
import { AgentRunError } from "../core/error.ts";
import { Secret } from "../core/secret.ts";
import { elementAt, type XmlElement } from "./answer-xml.ts";
import type { SessionCredentials } from "./credentials.ts";

/**
 * Seals the `Credentials` of an STS answer.
 * @param action such as `sts:AssumeRole`, for the error
 * @throws AgentRunError `assume-role` when a part is missing
 */
export function sealed(result: XmlElement | undefined, action: string): SessionCredentials {
  const part = (name: string): string | undefined => elementAt(result, "Credentials", name)?.text;
  const [accessKeyId, secretAccessKey, sessionToken] = ["AccessKeyId", "SecretAccessKey", "SessionToken"].map(part);
  const expiresAt = instantOf(part("Expiration") ?? "");
  if (!accessKeyId || !secretAccessKey || !sessionToken || Number.isNaN(expiresAt)) {
    throw new AgentRunError("assume-role", `${action} was answered without complete credentials`, {
      hint: "check what answers at the endpoint: --endpoint-url, AWS_ENDPOINT_URL",
    });
  }
  return { accessKeyId, secretAccessKey: new Secret(secretAccessKey), sessionToken: new Secret(sessionToken), expiresAt };
}

/** `Date.parse` alone takes much that is no date of RFC 3339. */
const instantOf = (text: string): number =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i.test(text) ? Date.parse(text) : Number.NaN;
