// What doctor finds out about a session that is not an assumed role: obtained once for the shortest time, through its gate, and what it cannot promise.
// Called by account.ts.
import { AgentRunError, messageOf } from "../../core/error.ts";
import { newSessionId } from "../../core/id.ts";
import { wayOf } from "../../session/grant-ways.ts";
import type { Profile } from "../../session/profile.ts";
import type { BaseIdentity } from "../base.ts";
import { type Check, failing, ok, warning } from "./check.ts";

const SHORTEST_MS = 900_000;

export async function grantChecks(profile: Profile, base: BaseIdentity): Promise<Check[]> {
  const { credentials, identity, source, connection } = base;
  const session = newSessionId();
  try {
    const way = wayOf(profile, { base: { ...base, chained: false, refresh: async () => credentials }, identity, session });
    const now = Date.now();
    const given = await way.obtain({
      connection,
      credentials: async () => credentials,
      sourceIdentity: "agent-run-doctor",
      tags: { "agent-actor": "doctor", "agent-session": session },
      now,
      endsAt: now + SHORTEST_MS,
    });
    given.credentials.secretAccessKey.wipe();
    given.credentials.sessionToken.wipe();
    const caveats = way.caveats.map((text) => warning("grant", text, 'grant = "assume-role" and a role promise more: agent-run setup'));
    return [ok("grant", `${profile.grant}: ${way.said}`), ok("identity gate", given.identity.arn), ...caveats];
  } catch (error) {
    const hint = error instanceof AgentRunError ? error.hint : undefined;
    return [failing("grant", `${profile.grant}: ${messageOf(error)}`, hint ?? `choose other credentials than ${source}`)];
  }
}
