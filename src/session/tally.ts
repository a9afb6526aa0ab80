// What is counted over a session's life, and the audit records that go with each count. Held by supply.ts.
import type { RecordData, RecordKind } from "../audit/record.ts";
import type { Instant } from "../core/clock.ts";
import type { ErrorCode } from "../core/error.ts";
import type { BrokerEvent } from "../credentials/broker.ts";
import type { FetchInfo } from "../credentials/endpoint.ts";

const MENDED_BY_SIGN_IN: ReadonlySet<string> = new Set<ErrorCode>(["base-credentials", "no-credentials", "mfa", "keyring"]);

export class Tally {
  readonly #record: (kind: RecordKind, data: RecordData) => void;
  #fetches: number;
  #refused = 0;
  #refreshes = 0;
  #keysExpireAt: Instant = 0;
  #signIn = false;

  /** @param fetches those of a session that is resumed */
  constructor(record: (kind: RecordKind, data: RecordData) => void, fetches: number) {
    this.#record = record;
    this.#fetches = fetches;
  }

  get fetches(): number {
    return this.#fetches;
  }

  get refused(): number {
    return this.#refused;
  }

  get refreshes(): number {
    return this.#refreshes;
  }

  /** When the last of all keys that the session had will have expired; 0 before there are any. */
  get keysExpireAt(): Instant {
    return this.#keysExpireAt;
  }

  /** The last renewal failed for what a sign-in mends. */
  get signIn(): boolean {
    return this.#signIn;
  }

  /** New keys, which the agent may be handed from now on. */
  keys(expiresAt: Instant): void {
    this.#keysExpireAt = Math.max(this.#keysExpireAt, expiresAt);
  }

  fetched({ status, accessKeyId, userAgent, reason }: FetchInfo): void {
    if (status === 200) {
      this.#fetches += 1;
      this.#record("fetch", { status, accessKeyId, userAgent });
      return;
    }
    this.#refused += 1;
    if (isTold(this.#refused)) this.#record("fetch", { status, reason, userAgent, refusedSoFar: this.#refused });
  }

  broker(event: BrokerEvent): void {
    if (event.type === "refreshed") {
      this.#refreshes += 1;
      this.#signIn = false;
      this.keys(event.expiresAt);
      this.#record("refresh", { accessKeyId: event.accessKeyId, expiresAt: new Date(event.expiresAt).toISOString() });
    } else if (event.type === "refresh-failed") {
      this.#signIn = MENDED_BY_SIGN_IN.has(event.error.code);
      this.#record("refresh-failed", { code: event.error.code, message: event.error.message });
    } else if (event.type === "expired") {
      this.#record("expired", { accessKeyId: event.accessKeyId });
    }
  }
}

/** The first twenty refusals of a session are recorded, then each that doubles their number: anybody on the machine can cause them. */
function isTold(refused: number): boolean {
  return refused <= 20 || (refused & (refused - 1)) === 0;
}
