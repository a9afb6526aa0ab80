// Sessions that an MFA code opened, in the memory of this process alone: launches and renewals with the same keys and device ask for no other code while
// one holds. Held by sources.ts; used by a profile's mfa_serial and by that of an AWS profile.
import { createHmac, randomBytes } from "node:crypto";
import { type Connection, stsClient } from "../aws/client.ts";
import type { AwsCredentials, SessionCredentials } from "../aws/credentials.ts";
import { mfaSession, requireCode } from "../aws/session-token.ts";
import type { Clock, Instant } from "../core/clock.ts";
import { Secret } from "../core/secret.ts";

/** What GetSessionToken gives unless told otherwise: a session lives as long at least, so that a run needs no second code. */
export const MFA_HOLD_MS = 12 * 3_600_000;
/** GetSessionToken gives no longer ones (STS API reference). */
export const MOST_MFA_HOLD_MS = 36 * 3_600_000;
/** Less than this left, and another code is asked for. */
const SPARE_MS = 5 * 60_000;

export interface MfaWish {
  readonly connection: Connection;
  /** An IAM user's own keys. */
  readonly credentials: AwsCredentials;
  readonly serial: string;
  /** How long after its code a session serves others; 0: not at all. */
  readonly holdMs: number;
  /** Only one that was opened after this: an earlier one no longer opens what is wanted. */
  readonly after?: Instant;
  readonly code: () => Promise<string>;
}

/** The caller's own copy: whoever has it wipes it. */
export interface MfaOpened {
  readonly credentials: SessionCredentials;
  readonly openedAt: Instant;
  /** The code was asked for just now. */
  readonly fresh: boolean;
}

export interface MfaHeld {
  readonly serial: string;
  readonly until: Instant;
}

export interface MfaSessions {
  /** One that holds, else one that a code opens. Throws AgentRunError as `mfaSession`, and what `code` throws. */
  open(wish: MfaWish): Promise<MfaOpened>;
  /** One that holds; nobody is asked. */
  find(wish: Omit<MfaWish, "code">): MfaOpened | undefined;
  held(): MfaHeld[];
  /** Gives the devices whose sessions are gone now. */
  forget(): string[];
}

interface Kept extends MfaHeld {
  readonly credentials: SessionCredentials;
  readonly openedAt: Instant;
  readonly timer: Disposable;
}

/** In memory only; none outlives this process. */
export function createMfaSessions(clock: Clock): MfaSessions {
  // Who does not have the secret key is given nothing that it opened.
  const seal = randomBytes(32);
  const kept = new Map<string, Kept>();
  let forgotten = 0;

  const keyOf = ({ connection, credentials, serial }: Omit<MfaWish, "code">): string =>
    createHmac("sha256", seal)
      .update(JSON.stringify([credentials.accessKeyId, credentials.secretAccessKey.reveal(), serial, connection.endpointUrl]))
      .digest("base64");

  const drop = (key: string): string | undefined => {
    const known = kept.get(key);
    kept.delete(key);
    known?.timer[Symbol.dispose]();
    if (known) wipe(known.credentials);
    return known?.serial;
  };

  const keep = (key: string, serial: string, credentials: SessionCredentials, holdMs: number): void => {
    drop(key);
    const now = clock.now();
    const until = Math.min(now + holdMs, credentials.expiresAt - SPARE_MS);
    if (until <= now) return;
    kept.set(key, { serial, until, credentials: copyOf(credentials), openedAt: now, timer: clock.at(until, () => drop(key)) });
  };

  const find: MfaSessions["find"] = (wish) => {
    const known = kept.get(keyOf(wish));
    const now = clock.now();
    if (!known || known.until <= now || known.openedAt + wish.holdMs <= now) return undefined;
    if (wish.after !== undefined && known.openedAt <= wish.after) return undefined;
    return { credentials: copyOf(known.credentials), openedAt: known.openedAt, fresh: false };
  };

  return {
    find,
    async open(wish) {
      const known = find(wish);
      if (known) return known;
      const before = forgotten;
      const code = await wish.code();
      requireCode(code);
      // As a code works once, who was asked at two terminals at a time has just opened it with this one at the other.
      const meanwhile = find(wish);
      if (meanwhile) return meanwhile;
      const { connection, credentials, serial, holdMs } = wish;
      const seconds = Math.max(holdMs, MFA_HOLD_MS) / 1000;
      const opened = await mfaSession(await stsClient(connection, credentials), serial, code, Math.floor(seconds));
      // What was under way when all was forgotten serves its own launch alone.
      if (holdMs > 0 && before === forgotten) keep(keyOf(wish), serial, opened, holdMs);
      return { credentials: opened, openedAt: clock.now(), fresh: true };
    },
    held: () => [...kept.values()].filter(({ until }) => until > clock.now()).map(({ serial, until }) => ({ serial, until })),
    forget() {
      forgotten += 1;
      return [...kept.keys()].flatMap((key) => drop(key) ?? []);
    },
  };
}

/** Overwrites a copy. */
export function wipe({ secretAccessKey, sessionToken }: SessionCredentials): void {
  secretAccessKey.wipe();
  sessionToken.wipe();
}

const copyOf = (given: SessionCredentials): SessionCredentials => ({
  ...given,
  secretAccessKey: new Secret(given.secretAccessKey.reveal()),
  sessionToken: new Secret(given.sessionToken.reveal()),
});
