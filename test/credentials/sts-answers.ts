// What STS gives a broker, or does not. Used by the broker's tests.
import type { SessionCredentials } from "../../src/aws/credentials.ts";
import { AgentRunError } from "../../src/core/error.ts";
import { Secret } from "../../src/core/secret.ts";

/** Each number has keys of its own. */
export function issue(number: number, expiresAt: number): SessionCredentials {
  return {
    accessKeyId: `ASIAEXAMPLE${String(number).padStart(9, "0")}`,
    secretAccessKey: new Secret(`secret-${number}`),
    sessionToken: new Secret(`token-${number}`),
    expiresAt,
  };
}

export const down = () => new AgentRunError("sts-unreachable", "cannot reach sts");
