// Credentials as STS gives them, their secret parts sealed. Passed between aws, credentials and session; never printed.
import type { Instant } from "../core/clock.ts";
import type { Secret } from "../core/secret.ts";

export interface AwsCredentials {
  /** `AKIA…` or `ASIA…`: an identifier that CloudTrail shows too, not a secret. */
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  /** Absent for long-lived keys. */
  readonly sessionToken: Secret | undefined;
  /** When AWS stops accepting them; absent for long-lived keys. */
  readonly expiresAt: Instant | undefined;
  /** The AWS profile that holds them as static keys, for what is said when they fail. */
  readonly heldBy?: string;
}

/** Session credentials: always with a token and an end. */
export interface SessionCredentials extends AwsCredentials {
  readonly sessionToken: Secret;
  readonly expiresAt: Instant;
}
