// Whether a session may be opened in the AWS console, and the address for it. Called by supply.ts.
import { consoleUrl } from "../aws/console.ts";
import type { ConsoleReply } from "../control/requests.ts";
import { AgentRunError } from "../core/error.ts";
import type { SessionId } from "../core/id.ts";
import type { Broker } from "../credentials/broker.ts";
import type { Grant } from "./grant.ts";
import type { Profile } from "./profile.ts";

/**
 * The address that signs a browser in.
 * @throws AgentRunError `profile` where the profile does not allow it, `session-not-found` where it does not run, and as `consoleUrl`
 */
export async function openConsole(
  session: SessionId,
  { name, console, signinUrl }: Profile,
  grant: Grant | undefined,
  broker: Broker | undefined,
): Promise<ConsoleReply> {
  if (!console) {
    throw new AgentRunError("profile", `profile '${name}' does not open the console`, {
      hint: `a browser's session has no bar and is not ended by Ctrl-K; to allow it all the same, console = true under [profiles.${name}] in config.toml, for sessions that begin then`,
    });
  }
  if (grant === undefined || broker === undefined) {
    throw new AgentRunError("session-not-found", `session ${session} does not run yet or any more`, {
      hint: "agent-run ps",
      exitStatus: 1,
    });
  }
  if (grant.endpointUrl !== undefined && signinUrl === undefined) {
    throw new AgentRunError("config", `the session works at ${grant.endpointUrl}, and its keys are not for AWS's own sign-in`, {
      hint: "set signin_url in the profile where that place has one",
    });
  }
  const keys = await broker.current();
  return { session, arn: grant.identity.arn, url: await consoleUrl(grant.connection, keys, signinUrl), keysExpireAt: keys.expiresAt };
}
