// What doctor finds out about the sign-in at IAM Identity Center that the profile starts from. Called by doctor.ts.
import { AgentRunError, messageOf } from "../../core/error.ts";
import { signInPlaceOf } from "../../credentials/sources/order.ts";
import { signIns } from "../../credentials/sources.ts";
import { KEYRING_NAME } from "../../credentials/stored/keyring.ts";
import type { Profile } from "../../session/profile.ts";
import { statusOf } from "../ask-daemon.ts";
import type { Context } from "../command.ts";
import { type Check, ok, unknown, warning } from "./check.ts";

/** Whether one is signed in where the base credentials come from; nothing where that is not Identity Center. */
export async function signInChecks(
  { env, paths }: Context,
  { credentials, awsProfile }: Pick<Profile, "credentials" | "awsProfile">,
): Promise<Check[]> {
  const name = "sign-in";
  try {
    const place = signInPlaceOf({ credentials, awsProfile, env });
    if (!place) return [];
    const inMemory = (await statusOf(paths))?.signIns?.includes(place.startUrl) === true;
    if (inMemory) return [ok(name, `signed in at ${place.startUrl}, in the daemon's memory only`)];
    const session = await signIns.find(place, env, paths.state);
    return session
      ? [ok(name, `signed in at ${place.startUrl}, kept in the ${KEYRING_NAME}`)]
      : [unknown(name, `agent-run is not signed in at ${place.startUrl}; a login of the AWS CLI counts too`, "agent-run login")];
  } catch (error) {
    return [warning(name, messageOf(error), (error instanceof AgentRunError ? error.hint : undefined) ?? "agent-run login")];
  }
}
