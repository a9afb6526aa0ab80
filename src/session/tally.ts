// What is counted over a session's life, and the audit records that go with each count. Held by supply.ts.
import type { RecordData, RecordKind } from "../audit/record.ts";
import type { Clock, Instant } from "../core/clock.ts";
import type { ErrorCode } from "../core/error.ts";
import type { BrokerEvent } from "../credentials/broker.ts";
import type { FetchInfo } from "../credentials/endpoint.ts";

const MENDED_BY_SIGN_IN: ReadonlySet<string> = new Set<ErrorCode>(["base-credentials", "no-credentials", "mfa", "keyring"]);

/** Successful fetches of a session that have a record each, and clients that are named at their first. */
const MOST_SINGLE = 20;
const MOST_CLIENTS = 50;
/** What comes on top is counted, a record for so long: an agent that fetches without end must not fill the disk. */
const COUNTED_MS = 60_000;
/** How often whoever shows the count is told of it, after the first fetch. */
const TOLD_MS = 1000;

/** Fetches that no record tells of yet. */
interface Uncounted {
  readonly accessKeyId: string;
  count: number;
  readonly first: Instant;
  last: Instant;
  readonly due: Disposable;
}

export class Tally {
  readonly #clock: Clock;
  readonly #clients = new Set<string>();
  readonly #keys = new Set<string>();
  #single = 0;
  #uncounted: Uncounted | undefined;
  readonly #record: (kind: RecordKind, data: RecordData) => void;
  #fetches: number;
  #refused = 0;
  #refreshes = 0;
  #keysExpireAt: Instant = 0;
  #signIn = false;
  readonly #tell: () => void;
  #telling: Disposable | undefined;

  /**
   * @param fetches those of a session that is resumed
   * @param tell called when the number of fetches is another: at once for the first, for others a second later at the latest
   */
  constructor(record: (kind: RecordKind, data: RecordData) => void, fetches: number, clock: Clock, tell: () => void) {
    this.#record = record;
    this.#clock = clock;
    this.#tell = tell;
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
      this.#served(accessKeyId ?? "", userAgent);
      this.#tellSoon();
      return;
    }
    this.#refused += 1;
    if (isTold(this.#refused)) this.#record("fetch", { status, reason, userAgent, refusedSoFar: this.#refused });
  }

  #tellSoon(): void {
    if (this.#fetches === 1) this.#tell();
    else
      this.#telling ??= this.#clock.at(this.#clock.now() + TOLD_MS, () => {
        this.#telling = undefined;
        this.#tell();
      });
  }

  /** What was counted and not yet recorded is recorded; nobody is told any more. */
  close(): void {
    this.#telling?.[Symbol.dispose]();
    this.#closeCount();
  }

  #closeCount(): void {
    const { accessKeyId, count, first, last, due } = this.#uncounted ?? {};
    if (count === undefined) return;
    due?.[Symbol.dispose]();
    this.#uncounted = undefined;
    const [from, to] = [first, last].map((at) => new Date(at ?? 0).toISOString());
    this.#record("fetch", { status: 200, accessKeyId, count, first: from, last: to });
  }

  /** The first ones, the first of each key and the first of each client have a record of their own. */
  #served(accessKeyId: string, userAgent: string): void {
    const isNew = !this.#keys.has(accessKeyId) || (!this.#clients.has(userAgent) && this.#clients.size < MOST_CLIENTS);
    this.#keys.add(accessKeyId);
    if (this.#clients.size < MOST_CLIENTS) this.#clients.add(userAgent);
    if (this.#uncounted?.accessKeyId !== accessKeyId) this.#closeCount();
    if (isNew || this.#single < MOST_SINGLE) {
      this.#single += 1;
      this.#record("fetch", { status: 200, accessKeyId, userAgent });
      return;
    }
    const now = this.#clock.now();
    this.#uncounted ??= { accessKeyId, count: 0, first: now, last: now, due: this.#clock.at(now + COUNTED_MS, () => this.#closeCount()) };
    this.#uncounted.count += 1;
    this.#uncounted.last = now;
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
