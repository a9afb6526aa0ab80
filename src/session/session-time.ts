// The session policy of one AssumeRole: what was compiled, and the times that hold for just this one. Called by grant-ways.ts.
import type { Instant } from "../core/clock.ts";
import { AgentRunError } from "../core/error.ts";
import { type DenyJson, denyAfter } from "../policy/limits.ts";
import { LONGEST_SESSION_POLICY, minifyPolicy } from "../policy/minify.ts";
import { hoursDenies } from "./hours.ts";
import type { Profile } from "./profile.ts";

export interface TimedPolicy {
  readonly text: string;
  /** Whether keys that an agent copied work on after the end of the session: there was no room for its Deny. */
  readonly unlimited: boolean;
}

/**
 * The session policy with the hours that hold now and, for keys that last longer than the session, a Deny of everything after its end, although STS
 * gives no less than 15 minutes (an explicit Deny, because an implicit one does not bind resource policies that name the session).
 * @param endsAt undefined where the keys end no later than the session
 * @throws AgentRunError `policy` where the hours have no room
 */
export function timedPolicy(
  profile: Pick<Profile, "name" | "sessionPolicy" | "hours">,
  now: Instant,
  endsAt: Instant | undefined,
): TimedPolicy {
  const { text, characters } = profile.sessionPolicy;
  const room = LONGEST_SESSION_POLICY - (characters - text.length);
  const hours = profile.hours.flatMap((one) => hoursDenies(one, now));
  const timed = hours.length === 0 ? text : withStatements(text, hours);
  if (timed.length > room) {
    throw new AgentRunError("policy", `the session policy of profile '${profile.name}' has no room for its hours`, {
      hint: "shorten it, or list fewer actions under conditions.hours",
    });
  }
  if (endsAt === undefined) return { text: timed, unlimited: false };
  const limited = withStatements(timed, [denyAfter(endsAt)]);
  return limited.length <= room ? { text: limited, unlimited: false } : { text: timed, unlimited: true };
}

function withStatements(policy: string, statements: readonly DenyJson[]): string {
  const parsed = JSON.parse(policy) as { Statement: unknown };
  return minifyPolicy(JSON.stringify({ ...parsed, Statement: [parsed.Statement, statements].flat() }));
}
