// Keys in the human's environment variables. Called by order.ts, and by a profile with credential_source = Environment.
import { AgentRunError } from "../../core/error.ts";
import { type Found, type Search, sealParts } from "./source.ts";

/** AWS_ACCESS_KEY_ID and its partners, or undefined when none of them is set. Throws AgentRunError `base-credentials` for a part of them. */
export function fromEnvironment({ env, now }: Pick<Search, "env" | "now">): Found | undefined {
  const AccessKeyId = env["AWS_ACCESS_KEY_ID"];
  const SecretAccessKey = env["AWS_SECRET_ACCESS_KEY"];
  if (!AccessKeyId && !SecretAccessKey) return undefined;
  const missing = AccessKeyId ? (SecretAccessKey ? undefined : "AWS_SECRET_ACCESS_KEY") : "AWS_ACCESS_KEY_ID";
  if (missing) {
    throw new AgentRunError("base-credentials", `the environment has only a part of an aws key: ${missing} is not set`, {
      hint: `set ${missing} too, or unset AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN to use another source`,
    });
  }
  const SessionToken = env["AWS_SESSION_TOKEN"] || env["AWS_SECURITY_TOKEN"] || undefined;
  const Expiration = env["AWS_CREDENTIAL_EXPIRATION"];
  const ignored = env["AWS_PROFILE"] ? `, which win over AWS_PROFILE=${env["AWS_PROFILE"]}` : "";
  return {
    credentials: sealParts(
      { AccessKeyId, SecretAccessKey, SessionToken, Expiration },
      "the environment",
      now(),
      "set new keys, or unset AWS_ACCESS_KEY_ID and its partners",
    ),
    source: `environment variables${ignored}`,
    chained: false,
  };
}
