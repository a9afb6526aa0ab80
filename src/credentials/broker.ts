// Holds one session's current credentials: answers from memory, renews at half-life, one request at a time. Called by session; read by the endpoint.
import type { SessionCredentials } from "../aws/credentials.ts";
import type { Clock, Instant } from "../core/clock.ts";
import { AgentRunError } from "../core/error.ts";

export type BrokerEvent =
  | { readonly type: "refreshed"; readonly at: Instant; readonly accessKeyId: string; readonly expiresAt: Instant }
  | { readonly type: "refresh-failed"; readonly at: Instant; readonly error: AgentRunError; readonly retryAt: Instant }
  /** The first success after one or more failures; comes right after its `refreshed`. */
  | { readonly type: "recovered"; readonly at: Instant; readonly failures: number }
  /** What was held has ended without a successor: nothing is served until a refresh succeeds. */
  | { readonly type: "expired"; readonly at: Instant; readonly accessKeyId: string };

export interface BrokerOptions {
  /** Gets new credentials for the same session. Called at most once at a time; may take as long as it likes. */
  readonly obtain: () => Promise<SessionCredentials>;
  readonly clock: Clock;
  /** 0 up to 1; Math.random unless a test says otherwise. */
  readonly random?: (() => number) | undefined;
  /** Must not throw. */
  readonly onEvent: (event: BrokerEvent) => void;
  /** Credentials that the session already has, from the identity gate. */
  readonly initial?: SessionCredentials | undefined;
  /** The session's limit: credentials that last until then are not renewed, so that none outlives it by more than it must. */
  readonly neededUntil?: (() => Instant) | undefined;
}

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;
/** How soon after a failure it is tried again for a client that asks and has nothing: a short trouble is over at once, a long one is not asked about often. */
const DEMAND_MS = 500;
const LONG_DEMAND_MS = 5000;
const LONG_AFTER = 10;
/** No client waits longer for a next try; the endpoint answers after 900 ms in any case. */
const WORTH_WAITING_MS = 600;
/** How long replaced secrets stay readable, for an answer that is just being written. */
const WIPE_AFTER_MS = 5000;
/** Part of the half-life by which sessions are spread, so that a daemon's sessions do not renew in one burst. */
const JITTER = 0.1;

/** With `initial` it serves at once, without it the first `current` obtains. */
export class Broker {
  readonly #options: BrokerOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  /** Until it is wiped, which a successor or its end brings about. */
  #held: SessionCredentials | undefined;
  /** No longer held, but still readable. */
  readonly #replaced = new Set<SessionCredentials>();
  #running: Promise<SessionCredentials> | undefined;
  #waiting: Promise<SessionCredentials> | undefined;
  #failures = 0;
  #failure: { readonly error: AgentRunError; readonly at: Instant; readonly retryAt: Instant } | undefined;
  #stopped = false;
  #renewal: Disposable | undefined;
  #expiry: Disposable | undefined;

  constructor(options: BrokerOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#random = options.random ?? Math.random;
    if (options.initial) this.#hold(options.initial);
  }

  /**
   * Credentials that are valid now: from memory at once, else when the one running request is done, or the next one where that begins in half a second.
   * @throws AgentRunError why there are none: of the last refresh, or `session-not-found` after `stop`
   */
  async current(): Promise<SessionCredentials> {
    if (this.#stopped) throw ended();
    const ready = this.#valid();
    if (ready) return ready;
    const failure = this.#failure;
    if (this.#running || !failure) return await this.#obtainOnce();
    const at = Math.min(failure.retryAt, failure.at + demandPause(this.#failures));
    if (at - this.#clock.now() > WORTH_WAITING_MS) throw failure.error;
    return await this.#obtainAt(at);
  }

  /** What is held and valid, without waiting. */
  held(): SessionCredentials | undefined {
    return this.#stopped ? undefined : this.#valid();
  }

  /** Takes credentials obtained elsewhere in place of the held ones. */
  adopt(credentials: SessionCredentials): void {
    if (this.#stopped) wipe(credentials);
    else this.#hold(credentials);
  }

  /** Renews now, whatever is held: after a change of the session. Rejects as `current` does; what was held stays. */
  async refresh(): Promise<SessionCredentials> {
    if (this.#stopped) throw ended();
    return await this.#obtainOnce();
  }

  /** What is wrong right now in a few words, for the bar. */
  get trouble(): string | undefined {
    if (this.#stopped || !this.#failure) return undefined;
    return `${this.#valid() ? "refresh failing" : "no credentials"}: ${inShort(this.#failure.error)}`;
  }

  /** Nothing is served from here on, no refresh is begun, every secret is overwritten. */
  stop(): void {
    this.#stopped = true;
    this.#renewal?.[Symbol.dispose]();
    this.#expiry?.[Symbol.dispose]();
    for (const credentials of [this.#held, ...this.#replaced]) if (credentials) wipe(credentials);
    this.#replaced.clear();
    this.#held = undefined;
  }

  #valid(): SessionCredentials | undefined {
    return this.#held && this.#clock.now() < this.#held.expiresAt ? this.#held : undefined;
  }

  #hold(credentials: SessionCredentials): void {
    const before = this.#held;
    this.#held = credentials;
    this.#failure = undefined;
    this.#failures = 0;
    if (before && before !== credentials) this.#retire(before);
    const now = this.#clock.now();
    const left = credentials.expiresAt - now;
    this.#renewAt(now + (left / 2) * (1 - JITTER + 2 * JITTER * this.#random()));
    this.#expiry?.[Symbol.dispose]();
    this.#expiry = this.#clock.at(credentials.expiresAt, () => {
      if (this.#held !== credentials) return;
      this.#held = undefined;
      this.#retire(credentials);
      this.#options.onEvent({ type: "expired", at: this.#clock.now(), accessKeyId: credentials.accessKeyId });
    });
  }

  #retire(credentials: SessionCredentials): void {
    this.#replaced.add(credentials);
    this.#clock.at(this.#clock.now() + WIPE_AFTER_MS, () => {
      wipe(credentials);
      this.#replaced.delete(credentials);
    });
  }

  #renewAt(at: Instant): void {
    this.#renewal?.[Symbol.dispose]();
    this.#renewal = this.#clock.at(at, () => {
      const needed = this.#options.neededUntil?.();
      const valid = this.#valid();
      if (valid && needed !== undefined && valid.expiresAt >= needed) this.#renewAt(valid.expiresAt);
      else this.#obtainOnce().catch(() => undefined);
    });
  }

  /** One request for all who wait. It is its own task: a client that hangs up cannot cancel it. */
  #obtainOnce(): Promise<SessionCredentials> {
    this.#running ??= this.#obtain().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** The next request for all who wait for it, so that a client that asks just after a failure is not sent away when the next try succeeds. */
  #obtainAt(at: Instant): Promise<SessionCredentials> {
    this.#waiting ??= new Promise<void>((resolve) => {
      this.#clock.at(at, resolve);
    }).then(() => {
      this.#waiting = undefined;
      return this.#valid() ?? this.#obtainOnce();
    });
    return this.#waiting;
  }

  async #obtain(): Promise<SessionCredentials> {
    if (this.#stopped) throw ended();
    let fresh: SessionCredentials;
    try {
      fresh = await this.#options.obtain();
      if (this.#stopped) wipe(fresh);
      else if (fresh.expiresAt <= this.#clock.now()) throw alreadyExpired();
    } catch (thrown) {
      throw this.#stopped ? ended() : this.#failed(thrown instanceof AgentRunError ? thrown : unexpected(thrown));
    }
    if (this.#stopped) throw ended();
    const failures = this.#failures;
    this.#hold(fresh);
    const { onEvent } = this.#options;
    onEvent({ type: "refreshed", at: this.#clock.now(), accessKeyId: fresh.accessKeyId, expiresAt: fresh.expiresAt });
    if (failures > 0) onEvent({ type: "recovered", at: this.#clock.now(), failures });
    return fresh;
  }

  #failed(error: AgentRunError): AgentRunError {
    this.#failures += 1;
    const at = this.#clock.now();
    const end = this.#valid()?.expiresAt;
    const later = at + pause(this.#failures, this.#random());
    // A try just before the end is worth more than the one that would come just after it.
    const retryAt = end !== undefined && later > end && end - FIRST_RETRY_MS > at ? end - FIRST_RETRY_MS : later;
    this.#failure = { error, at, retryAt };
    this.#renewAt(retryAt);
    this.#options.onEvent({ type: "refresh-failed", at, error, retryAt });
    return error;
  }
}

/** Exponential back-off, 1 s to 60 s, of which the upper half is random. */
export function pause(failures: number, random: number): number {
  const whole = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 16));
  return Math.max(FIRST_RETRY_MS, whole / 2 + (whole / 2) * random);
}

const demandPause = (failures: number): number => (failures > LONG_AFTER ? LONG_DEMAND_MS : DEMAND_MS);

function wipe(credentials: SessionCredentials): void {
  credentials.secretAccessKey.wipe();
  credentials.sessionToken.wipe();
}

const shortNames: Partial<Record<AgentRunError["code"], string>> = {
  "sts-unreachable": "sts unreachable",
  "base-credentials": "base credentials rejected",
  "no-credentials": "no base credentials",
  "assume-role": "role not assumable",
  mfa: "mfa needed",
};

const inShort = (error: AgentRunError): string => shortNames[error.code] ?? error.message.slice(0, 60);

const ended = (): AgentRunError =>
  new AgentRunError("session-not-found", "the session has ended", { hint: "start a new one: agent-run <agent>" });

const alreadyExpired = (): AgentRunError =>
  new AgentRunError("assume-role", "sts gave credentials that have expired already", { hint: "check this machine's clock" });

/** Not of a kind that we know, so its text is not trusted to be free of secrets. */
const unexpected = (thrown: unknown): AgentRunError =>
  new AgentRunError("internal", `the refresh failed: ${thrown instanceof Error ? thrown.name : "an unknown error"}`, {
    hint: "agent-run daemon logs shows more",
    cause: thrown,
  });
