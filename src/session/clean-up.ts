// Takes the policies of revoked sessions away again, once the last of their keys has expired. Held by sessions.ts; what it cannot do, `agent-run revocations` can.
import type { IAMClient } from "@aws-sdk/client-iam";
import { iamClient } from "../aws/client.ts";
import { readFailure } from "../aws/failure.ts";
import { CLOCK_SLACK_MS } from "../aws/revoke/plan.ts";
import { pruneRole, rolePolicies } from "../aws/revoke/write.ts";
import type { Clock } from "../core/clock.ts";
import { AgentRunError } from "../core/error.ts";
import type { Paths } from "../core/paths.ts";
import { MFA_HOLD_MS } from "../credentials/mfa-sessions.ts";
import { resolveBase } from "../credentials/sources.ts";
import { bury, forget, type Tombstone, tombstones } from "./tombstones.ts";

/** After its kill no session can come back for longer than this: its own limit has passed, whatever its profile said. */
const KEPT_MS = 30 * 24 * 3_600_000;
/** A policy says its end in whole seconds. */
const ROUNDED_MS = 1000;
const MERGED_MS = 3_600_000;
/** What failed is tried again after the first, then after twice as long each time up to the second, as often as the third says: some 20 hours. */
const RETRY_FIRST_MS = 60_000;
const RETRY_LAST_MS = 3_600_000;
const RETRIES = 24;
const FALLBACK_REGION = "us-east-1";

export class CleanUp {
  readonly #paths: Paths;
  readonly #clock: Clock;
  readonly #log: (text: string) => void;
  /** How to sign, of sessions that this daemon itself has ended. */
  readonly #signers = new Map<string, () => Promise<IAMClient>>();
  readonly #planned = new Set<string>();

  constructor(options: { readonly paths: Paths; readonly clock: Clock; readonly log: (text: string) => void }) {
    this.#paths = options.paths;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** Plans what is still to be removed, of this daemon's sessions and of those before it. */
  plan(): void {
    for (const stone of tombstones(this.#paths)) {
      const { session, roles, until, at } = stone;
      if (roles.length === 0) {
        if (at + KEPT_MS < this.#clock.now()) forget(this.#paths, session);
        continue;
      }
      if (until === undefined || this.#planned.has(session)) continue;
      this.#planned.add(session);
      this.#clock.at(until + CLOCK_SLACK_MS + ROUNDED_MS, () => void this.#remove(stone));
    }
  }

  /** A session ended that this daemon can sign for. */
  ended(session: string, iam: () => Promise<IAMClient>): void {
    this.#signers.set(session, iam);
    this.plan();
  }

  async #remove(stone: Tombstone, failures = 0): Promise<void> {
    try {
      const iam = await (this.#signers.get(stone.session) ?? (() => signer(stone, this.#paths.state)))();
      const left: string[] = [];
      for (const role of stone.roles) {
        const { removed, denied } = await pruneRole(rolePolicies(iam, role), this.#clock);
        if (removed.length > 0) this.#log(`removed from ${role}, as the keys have expired: ${removed.join(", ")}`);
        if (denied.includes(stone.session)) left.push(role);
      }
      bury(this.#paths, { ...stone, roles: left });
      // A merged policy goes when the hour of its last entry is over.
      if (left.length > 0) this.#clock.at(this.#clock.now() + MERGED_MS, () => void this.#remove({ ...stone, roles: left }));
      else this.#signers.delete(stone.session);
    } catch (error) {
      // The SDK's own errors hold the signed request.
      const why = error instanceof AgentRunError ? error.message : readFailure(error).name;
      const left = `the policies of ${stone.session} are still on ${stone.roles.join(", ")}: ${why}`;
      const pause = Math.min(RETRY_FIRST_MS * 2 ** failures, RETRY_LAST_MS);
      const isLast = failures >= RETRIES;
      // Offline for a day is no news an hour.
      if (failures === 0)
        this.#log(`${left}; it is tried again as long as this daemon lives, and agent-run revocations --prune removes them`);
      if (isLast) this.#log(`${left}; nobody tries it again before the next daemon starts: agent-run revocations --prune removes them`);
      else this.#clock.at(this.#clock.now() + pause, () => void this.#remove(stone, failures + 1));
    }
  }
}

/** IAM with base credentials that are found as they were then. Those that were in the environment are gone with it. */
async function signer({ source = {}, credentials, awsProfile, region, endpointUrl }: Tombstone, state: string): Promise<IAMClient> {
  const base = await resolveBase({
    credentials,
    state,
    awsProfile,
    env: source,
    region,
    endpointUrl,
    mfaHoldMs: MFA_HOLD_MS,
    mfa: () => Promise.reject(new AgentRunError("mfa", "an mfa code is needed, and nobody is there to ask")),
    passphrase: () => Promise.reject(new AgentRunError("base-credentials", "a passphrase is needed, and nobody is there to ask")),
  });
  return iamClient({ region: base.region ?? FALLBACK_REGION, endpointUrl, env: source }, await base.refresh());
}
