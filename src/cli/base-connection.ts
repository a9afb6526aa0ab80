// AWS with the human's own credentials, for commands that only look. Called by the policy commands and by `agent-run check`.
import type { IAMClient } from "@aws-sdk/client-iam";
import { type Connection, iamClient, stsClient } from "../aws/client.ts";
import { type CallerIdentity, callerIdentity } from "../aws/identity.ts";
import { AgentRunError } from "../core/error.ts";
import { resolveBase } from "../credentials/sources.ts";
import type { Context } from "./command.ts";
import { sourceEnvironment } from "./source-environment.ts";

export interface BaseConnection {
  /** Where the credentials come from, in words. */
  readonly source: string;
  readonly connection: Connection;
  iam(): Promise<IAMClient>;
  identity(): Promise<CallerIdentity>;
}

/** STS and IAM are asked here where the human names no region. */
const FALLBACK_REGION = "us-east-1";

/**
 * Finds the base credentials as a run would.
 * @throws AgentRunError `no-credentials`, `base-credentials`, `mfa`, `sts-unreachable`
 */
export async function baseConnection(context: Context, awsProfile: string | undefined): Promise<BaseConnection> {
  const env = sourceEnvironment(context.env);
  const endpointUrl = env["AWS_ENDPOINT_URL"];
  const base = await resolveBase({ awsProfile, env, endpointUrl, mfa: () => Promise.reject(noCode()) });
  const connection: Connection = { region: base.region ?? FALLBACK_REGION, endpointUrl, env };
  return {
    source: base.source,
    connection,
    iam: async () => iamClient(connection, await base.refresh()),
    identity: async () => callerIdentity(await stsClient(connection, await base.refresh())),
  };
}

function noCode(): AgentRunError {
  return new AgentRunError("mfa", "these credentials ask for an MFA code, which this command does not", {
    hint: "open a session with the code first: aws sts get-session-token, or name another --aws-profile",
  });
}
