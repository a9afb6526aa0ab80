// What is said of MFA codes that still hold in the daemon's memory, in one wording. Called by credentials, daemon and doctor, by logout and kill.
import type { DaemonStatus } from "../control/requests.ts";
import { systemClock } from "../core/clock.ts";
import { formatSpan } from "../core/duration.ts";
import { oneLine } from "../core/printable.ts";

type Held = NonNullable<DaemonStatus["mfa"]>[number];

/** `mfa code of <device>: launches ask for none for 11 h 58 min`. */
export const heldText = ({ serial, until }: Held): string =>
  `mfa code of ${oneLine(serial)}: launches ask for none for ${formatSpan(Math.max(1000, until - systemClock.now()))}`;

export const forgottenText = (serial: string): string => `the mfa code of ${oneLine(serial)} holds no longer: the next launch asks for one`;
