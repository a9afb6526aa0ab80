// What every way of finding base credentials takes and gives. One provider a file beside this one; order.ts puts them in order.
import type { AwsCredentials } from "../../aws/credentials.ts";
import type { Instant } from "../../core/clock.ts";
import { AgentRunError } from "../../core/error.ts";
import type { Environment } from "../../core/paths.ts";
import { Secret } from "../../core/secret.ts";
import type { MfaSessions } from "../mfa-sessions.ts";
import type { OwnSessions } from "../sso/own-sessions.ts";
import type { Unlocking } from "../stored/stores.ts";
import type { AwsFiles } from "./aws-files.ts";
import type { SsoTokens } from "./sso-token.ts";

/** The surroundings of one search. Nothing of this process's own environment is in it. */
export interface Search {
  readonly env: Environment;
  readonly files: AwsFiles;
  /** For the calls to STS that a source itself makes. */
  readonly region: string;
  readonly endpointUrl: string | undefined;
  readonly mfa: (serial: string) => Promise<string>;
  /** 0: a code opens the one role alone. */
  readonly mfaHoldMs: number;
  readonly mfaSessions: MfaSessions;
  readonly now: () => Instant;
  readonly ssoTokens: SsoTokens;
  /** What agent-run itself keeps for this human. */
  readonly own: { readonly state: string; readonly unlocking: Unlocking; readonly sso: OwnSessions };
}

export interface Found {
  readonly credentials: AwsCredentials;
  /** For the human: `AWS profile 'dev' (SSO)`. */
  readonly source: string;
  /** Whether it is known to be a role session; of a session token in the environment only GetCallerIdentity can tell. */
  readonly chained: boolean;
  /** When the human gave the MFA code that they were opened with. */
  readonly codeAt?: Instant | undefined;
}

/**
 * Seals what a file, process or endpoint gave under AWS's own names.
 * @param parts.Expiration ISO 8601, or absent for long-lived keys
 * @throws AgentRunError `base-credentials` when a part is missing, no text, or it has expired
 */
export function sealParts(
  parts: { AccessKeyId?: unknown; SecretAccessKey?: unknown; SessionToken?: unknown; Expiration?: unknown },
  where: string,
  now: Instant,
  hint: string,
): AwsCredentials {
  const bad = (what: string): AgentRunError => new AgentRunError("base-credentials", `${where} ${what}`, { hint });
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = parts;
  if (typeof AccessKeyId !== "string" || AccessKeyId === "") throw bad("gave no AccessKeyId");
  if (!/^\w{16,128}$/.test(AccessKeyId)) throw bad("gave an AccessKeyId that is none");
  if (typeof SecretAccessKey !== "string" || SecretAccessKey === "") throw bad("gave no SecretAccessKey");
  if (SessionToken !== undefined && SessionToken !== null && typeof SessionToken !== "string")
    throw bad("gave a SessionToken that is no text");
  const expiresAt = Expiration === undefined || Expiration === null || Expiration === "" ? undefined : Date.parse(String(Expiration));
  if (Number.isNaN(expiresAt)) throw bad(`gave an Expiration that is no date: '${String(Expiration).slice(0, 40)}'`);
  if (expiresAt !== undefined && expiresAt <= now) throw bad(`gave credentials that expired at ${new Date(expiresAt).toISOString()}`);
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: new Secret(SecretAccessKey),
    sessionToken: SessionToken ? new Secret(SessionToken) : undefined,
    expiresAt,
  };
}
