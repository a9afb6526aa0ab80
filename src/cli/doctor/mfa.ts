// What doctor finds out about the MFA code that a launch asks for, where it asks for one. Called by doctor.ts.
import { formatSpan } from "../../core/duration.ts";
import { messageOf } from "../../core/error.ts";
import { mfaDeviceOf } from "../../credentials/sources/order.ts";
import type { Profile } from "../../session/profile.ts";
import { statusOf } from "../ask-daemon.ts";
import type { Context } from "../command.ts";
import { heldText } from "../mfa-lines.ts";
import { type Check, ok, warning } from "./check.ts";

/** Nothing where no code is asked for, or where the AWS files cannot be read: the base identity says so. */
export async function mfaChecks(
  { env, paths }: Context,
  { credentials, awsProfile, mfaSerial, mfaHoldMs }: Pick<Profile, "credentials" | "awsProfile" | "mfaSerial" | "mfaHoldMs">,
): Promise<Check[]> {
  const name = "mfa";
  let serial = mfaSerial;
  try {
    serial ??= mfaDeviceOf({ credentials, awsProfile, env });
  } catch {
    return [];
  }
  if (serial === undefined) return [];
  try {
    const held = (await statusOf(paths))?.mfa?.filter((one) => one.serial === serial) ?? [];
    if (held.length > 0) return held.map((one) => ok(name, `${heldText(one)} (agent-run logout ends that)`));
  } catch (error) {
    return [warning(name, `what the daemon has cannot be seen: ${messageOf(error)}`, "agent-run daemon status")];
  }
  const then = mfaHoldMs > 0 ? `, which holds for ${formatSpan(mfaHoldMs)} then` : "";
  return [ok(name, `the next launch asks for a code of ${serial}${then}`)];
}
