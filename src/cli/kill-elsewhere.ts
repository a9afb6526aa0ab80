// A session denied by hand: its daemon is dead, or it runs on another machine. The human's own credentials do it, in this process. Called by kill.ts.
import { iamClient } from "../aws/client.ts";
import { parseRoleArn } from "../aws/identity.ts";
import { revokeSession } from "../aws/revoke/revoke.ts";
import type { RevocationReport } from "../control/protocol.ts";
import { systemClock } from "../core/clock.ts";
import { AgentRunError, messageOf } from "../core/error.ts";
import type { SessionId } from "../core/id.ts";
import { bury, locating, tombstones } from "../session/tombstones.ts";
import { openBase } from "./base.ts";
import { baseOfRole, type Wanted } from "./base-of.ts";
import { type Context, textValue, type Values } from "./command.ts";
import { sourceEnvironment } from "./source-environment.ts";

/**
 * Nobody here knows how long its keys live. A session that is still refreshed elsewhere gets new ones, denied as well, until its own limit (12 hours unless
 * a profile says more), and those live 12 hours more at most.
 */
const UNKNOWN_MS = 24 * 3_600_000;

/**
 * Denies it on each of the roles, and remembers it.
 * @param ran the profile that it was run under, where the audit knows it
 * @throws AgentRunError for credentials that cannot be found, and for a role that is none
 */
export async function revokeElsewhere(
  session: SessionId,
  roles: readonly string[],
  values: Values,
  context: Context,
  ran: string | undefined,
): Promise<{ revocations: RevocationReport[]; notes: string[] }> {
  const since = performance.now();
  for (const role of roles) parseRoleArn(role, "--role");
  const notes: string[] = [];
  const wanted = wantedFor(roles[0] ?? "", values, context, notes, ran);
  const { connection, credentials, identity, region } = await openBase(context, wanted);
  const stone = tombstones(context.paths).find((one) => one.session === session);
  const until = stone?.until ?? systemClock.now() + UNKNOWN_MS;
  const revocations = await Promise.all(
    roles.map((roleArn) =>
      revokeSession({
        session,
        roleArn,
        until,
        base: identity,
        iam: () => iamClient(connection, credentials),
        clock: systemClock,
        revokeAll: values["revoke-all"] === true,
        since,
      }),
    ),
  );
  const denied = revocations.filter(({ policy }) => policy !== undefined).map(({ role }) => role);
  try {
    bury(context.paths, {
      session,
      at: systemClock.now(),
      // Where it was denied before, that is still to be taken away.
      roles: [...new Set([...(stone?.roles ?? []), ...denied])],
      until,
      source: locating(sourceEnvironment(context.env)),
      ...(wanted.credentials === undefined ? {} : { credentials: wanted.credentials }),
      ...(wanted.awsProfile === undefined ? {} : { awsProfile: wanted.awsProfile }),
      ...(region === undefined ? {} : { region }),
      ...(connection.endpointUrl === undefined ? {} : { endpointUrl: connection.endpointUrl }),
    });
  } catch (error) {
    notes.push(`the state folder does not remember it: ${messageOf(error)}`);
  }
  return { revocations, notes };
}

/** As a run under that role takes them. A config.toml that is broken keeps nobody from a kill: then what AWS's own tools know, and that is told. */
function wantedFor(role: string, values: Values, context: Context, notes: string[], ran: string | undefined): Wanted {
  const given = textValue(values, "region");
  const awsProfile = textValue(values, "aws-profile");
  try {
    const wanted = baseOfRole(role, awsProfile, context, ran);
    return { ...wanted, region: given ?? wanted.region };
  } catch (error) {
    if (!(error instanceof AgentRunError)) throw error;
    notes.push(`denied with the credentials that AWS's own tools find, as your profile cannot be read: ${error.message}`);
    return { awsProfile, region: given, endpointUrl: undefined };
  }
}
