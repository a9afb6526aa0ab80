// The human's own identity and what signs with it, for commands that work on the account itself, such as setup. Never used by a run.
import type { ReadStream, WriteStream } from "node:tty";
import { type Connection, stsClient } from "../aws/client.ts";
import type { AwsCredentials } from "../aws/credentials.ts";
import { type CallerIdentity, callerIdentity, refuseRoot } from "../aws/identity.ts";
import { AgentRunError } from "../core/error.ts";
import { resolveBase } from "../credentials/sources.ts";
import type { Context } from "./command.ts";
import { sourceEnvironment } from "./source-environment.ts";

export interface BaseIdentity {
  readonly connection: Connection;
  readonly credentials: AwsCredentials;
  readonly identity: CallerIdentity;
  /** Where they were found: `AWS profile dev`. */
  readonly source: string;
  readonly region: string | undefined;
}

const FALLBACK_REGION = "us-east-1";

/**
 * Finds the base credentials as a run does, and asks STS who they are. They stay in this process's memory, for as long as the command takes.
 * @throws AgentRunError `no-credentials`, `base-credentials`, `root-identity`, `mfa`, `sts-unreachable`
 */
export async function openBase(
  context: Context,
  wanted: {
    readonly credentials?: string | undefined;
    readonly awsProfile: string | undefined;
    readonly region: string | undefined;
    readonly endpointUrl: string | undefined;
  },
): Promise<BaseIdentity> {
  const env = sourceEnvironment(context.env);
  const endpointUrl = wanted.endpointUrl ?? env["AWS_ENDPOINT_URL"];
  const base = await resolveBase({
    ...wanted,
    endpointUrl,
    env,
    state: context.paths.state,
    mfa: (serial) => askCode(context, serial),
    passphrase: (prompt) => askPassphrase(context, prompt),
  });
  const connection: Connection = { region: base.region ?? FALLBACK_REGION, endpointUrl, env };
  const identity = await callerIdentity(await stsClient(connection, base.credentials), base.credentials.heldBy);
  refuseRoot(identity);
  return { connection, credentials: base.credentials, identity, source: base.source, region: base.region };
}

/** Also where the daemon holds a session that a code opened: it would give whoever reaches its socket all that the human may. */
function askCode(context: Context, serial: string): Promise<string> {
  if (context.streams.stdin.isTTY && context.streams.stderr.isTTY)
    context.print.note("this command acts as you: what an earlier code opened serves sessions of agents alone, so it needs one of its own");
  const hint = "run this in a terminal, or name an AWS profile without MFA with --aws-profile";
  return askHere(context, `MFA code of ${serial}`, false, "mfa", hint);
}

/** The passphrase of a sealed file, not shown. Throws AgentRunError `base-credentials` where there is no terminal. */
export const askPassphrase = (context: Context, prompt: string): Promise<string> =>
  askHere(context, prompt, true, "base-credentials", "run this in a terminal");

async function askHere(
  { streams }: Context,
  what: string,
  hidden: boolean,
  code: "mfa" | "base-credentials",
  hint: string,
): Promise<string> {
  if (!streams.stdin.isTTY || !streams.stderr.isTTY) {
    throw new AgentRunError(code, `the ${what} is needed, and there is no terminal to ask for it`, { hint });
  }
  const { askLine } = await import("../terminal/prompt.ts");
  return askLine(streams.stdin as ReadStream, streams.stderr as WriteStream, `${what}: `, { hidden });
}
