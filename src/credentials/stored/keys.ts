// A key pair as it is kept: one JSON text, the same in the keyring and in a sealed file. Called by stores.ts, the source and the credentials command.
import type { AwsCredentials } from "../../aws/credentials.ts";
import type { Instant } from "../../core/clock.ts";
import { AgentRunError } from "../../core/error.ts";
import { Secret } from "../../core/secret.ts";

export interface KeyPair {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
}

/** What an item holds: the pair that is used, and in the middle of a rotation more. */
export interface StoredKeys extends KeyPair {
  /** ARN of the IAM user, as STS told it when they were stored. */
  readonly arn?: string | undefined;
  /** A rotation is about to make a key: when, and which keys the user had, so that the one it makes can be told from others'. */
  readonly rotating?: { readonly at: Instant; readonly keys: readonly string[] } | undefined;
  /** Made, and not yet known to work. */
  readonly next?: KeyPair | undefined;
  /** Replaced, and perhaps not yet deleted in IAM. */
  readonly previous?: string | undefined;
}

const ACCESS_KEY_ID = /^AKIA[A-Z0-9]{12,124}$/;
const SECRET = /^[A-Za-z0-9/+=]{16,128}$/;

/**
 * A key pair out of what somebody typed, or a file held.
 * @throws AgentRunError `base-credentials`, which quotes neither part
 */
export function keyPair(accessKeyId: string, secretAccessKey: string, where: string): KeyPair {
  const bad = (what: string, hint: string): AgentRunError => new AgentRunError("base-credentials", `${where}: ${what}`, { hint });
  if (/^ASIA/.test(accessKeyId))
    throw bad("these are temporary keys (ASIA…), which are not worth storing", "store the IAM user's own keys (AKIA…)");
  if (!ACCESS_KEY_ID.test(accessKeyId)) throw bad("the access key id is none", "it is AKIA and 16 more capitals and digits");
  if (!SECRET.test(secretAccessKey))
    throw bad("the secret access key is none", "it is 40 letters, digits, / and +, shown once when the key is made");
  return { accessKeyId, secretAccessKey: new Secret(secretAccessKey) };
}

/** The text to store. */
export function textOf({ accessKeyId, secretAccessKey, arn, rotating, next, previous }: StoredKeys): Secret {
  const pair = next && { accessKeyId: next.accessKeyId, secretAccessKey: next.secretAccessKey.reveal() };
  return new Secret(
    JSON.stringify({ version: 1, accessKeyId, secretAccessKey: secretAccessKey.reveal(), arn, rotating, next: pair, previous }),
  );
}

/**
 * Reads a stored text.
 * @param where for the error: `keyring item 'dev'`
 * @throws AgentRunError `base-credentials` when it is not what agent-run writes; it is not quoted
 */
export function readKeys(text: Secret, where: string): StoredKeys {
  const bad = (): AgentRunError =>
    new AgentRunError("base-credentials", `${where} does not hold what agent-run stores there`, {
      hint: "store the keys again: agent-run credentials add <name> --replace",
    });
  let parts: Record<string, unknown>;
  try {
    const value: unknown = JSON.parse(text.reveal());
    if (typeof value !== "object" || value === null) throw bad();
    parts = value as Record<string, unknown>;
  } catch {
    throw bad();
  }
  const { version, arn, rotating, next, previous } = parts;
  const pairOf = (value: unknown): KeyPair => {
    const { accessKeyId, secretAccessKey } = (value ?? {}) as Record<string, unknown>;
    if (typeof accessKeyId !== "string" || typeof secretAccessKey !== "string") throw bad();
    try {
      return keyPair(accessKeyId, secretAccessKey, where);
    } catch {
      throw bad();
    }
  };
  if (version !== 1) throw bad();
  const { at, keys } = (rotating ?? {}) as Record<string, unknown>;
  const marked = typeof at === "number" && Array.isArray(keys) ? { at, keys: keys.map(String) } : undefined;
  return {
    ...pairOf(parts),
    arn: typeof arn === "string" ? arn : undefined,
    rotating: marked,
    next: next === undefined ? undefined : pairOf(next),
    previous: typeof previous === "string" ? previous : undefined,
  };
}

/** Long-lived, so without a token and an end. */
export const credentialsOf = ({ accessKeyId, secretAccessKey }: KeyPair): AwsCredentials => ({
  accessKeyId,
  secretAccessKey,
  sessionToken: undefined,
  expiresAt: undefined,
});
