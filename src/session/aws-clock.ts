// How far AWS's clock is from this machine's, as STS's answers tell it, and session policies that end by it. Held by a grant's way.
import type { SessionCredentials } from "../aws/credentials.ts";
import { formatSpan } from "../core/duration.ts";

/** Answers take seconds, and a session's end is no more exact than that. */
const WORTH_CORRECTING_MS = 60_000;

interface Made {
  readonly given: { readonly credentials: SessionCredentials; readonly aheadMs?: number };
}

export class AwsClock {
  /** How far it is known to be ahead of this machine's. */
  aheadMs = 0;

  /**
   * What `attempt` makes; made anew where it was made by a clock that is off.
   * @param ends whether it has an end of its own, which AWS counts by its clock
   */
  async right<Kind extends Made>(ends: boolean, attempt: () => Promise<Kind>): Promise<Kind> {
    const made = await attempt();
    const { aheadMs = this.aheadMs, credentials } = made.given;
    if (Math.abs(aheadMs - this.aheadMs) <= WORTH_CORRECTING_MS) return made;
    this.aheadMs = aheadMs;
    if (!ends) return made;
    const again = await attempt();
    credentials.secretAccessKey.wipe();
    credentials.sessionToken.wipe();
    return again;
  }

  /** For the human, where it matters. */
  get note(): string | undefined {
    if (Math.abs(this.aheadMs) <= WORTH_CORRECTING_MS) return undefined;
    const off = `${formatSpan(Math.abs(this.aheadMs))} ${this.aheadMs > 0 ? "behind" : "ahead of"}`;
    return `this machine's clock is ${off} aws's, and a session's end there is set by that; set the clock: sudo timedatectl set-ntp true`;
  }
}
