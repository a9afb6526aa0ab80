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

export interface Broker extends Disposable {
  /**
   * Credentials that are valid now: from memory at once, else when the one running request is done, or the next one where that begins in half a second.
   * @throws AgentRunError why there are none: of the last refresh, or `session-not-found` after `stop`
   */
  current(): Promise<SessionCredentials>;
  /** What is held and valid, without waiting. */
  held(): SessionCredentials | undefined;
  /** Takes credentials obtained elsewhere in place of the held ones. */
  adopt(credentials: SessionCredentials): void;
  /** Renews now, whatever is held: after a change of the session. Rejects as `current` does; what was held stays. */
  refresh(): Promise<SessionCredentials>;
  /** What is wrong right now in a few words, for the bar. */
  readonly trouble: string | undefined;
  /** Nothing is served from here on, no refresh is begun, every secret is overwritten. */
  stop(): void;
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

/** A broker; with `initial` it serves at once, without it the first `current` obtains. */
export function createBroker(options: BrokerOptions): Broker {
  const { clock, random = Math.random } = options;
  let held: SessionCredentials | undefined;
  let running: Promise<SessionCredentials> | undefined;
  let failures = 0;
  let failure: { error: AgentRunError; at: Instant; retryAt: Instant } | undefined;
  let waiting: Promise<SessionCredentials> | undefined;
  let stopped = false;
  let renewal: Disposable | undefined;
  let expiry: Disposable | undefined;
  const replaced = new Set<SessionCredentials>();

  const tell = (event: BrokerEvent): void => options.onEvent(event);
  const valid = (): SessionCredentials | undefined => (held && clock.now() < held.expiresAt ? held : undefined);

  const schedule = (at: Instant): void => {
    renewal?.[Symbol.dispose]();
    renewal = clock.at(at, () => {
      const needed = options.neededUntil?.();
      if (held && needed !== undefined && held.expiresAt >= needed && clock.now() < held.expiresAt) return schedule(held.expiresAt);
      obtainOnce().catch(() => undefined);
    });
  };

  const adopt = (credentials: SessionCredentials): void => {
    const before = held;
    held = credentials;
    failure = undefined;
    failures = 0;
    if (before && before !== credentials) retire(before);
    const left = credentials.expiresAt - clock.now();
    schedule(clock.now() + (left / 2) * (1 - JITTER + 2 * JITTER * random()));
    expiry?.[Symbol.dispose]();
    expiry = clock.at(credentials.expiresAt, () => {
      if (held !== credentials) return;
      held = undefined;
      retire(credentials);
      tell({ type: "expired", at: clock.now(), accessKeyId: credentials.accessKeyId });
    });
  };

  const retire = (credentials: SessionCredentials): void => {
    replaced.add(credentials);
    clock.at(clock.now() + WIPE_AFTER_MS, () => {
      wipe(credentials);
      replaced.delete(credentials);
    });
  };

  /** One request for all who wait. It is its own task: a client that hangs up cannot cancel it. */
  const obtainOnce = (): Promise<SessionCredentials> => {
    running ??= obtain().finally(() => {
      running = undefined;
    });
    return running;
  };

  /** The next request for all who wait for it, so that a client that asks just after a failure is not sent away when the next try succeeds. */
  const obtainAt = (at: Instant): Promise<SessionCredentials> => {
    waiting ??= new Promise<void>((resolve) => {
      clock.at(at, resolve);
    }).then(() => {
      waiting = undefined;
      return valid() ?? obtainOnce();
    });
    return waiting;
  };

  const obtain = async (): Promise<SessionCredentials> => {
    if (stopped) throw ended();
    let fresh: SessionCredentials;
    try {
      fresh = await options.obtain();
      if (stopped) wipe(fresh);
      else if (fresh.expiresAt <= clock.now()) throw alreadyExpired();
    } catch (thrown) {
      throw stopped ? ended() : failed(thrown instanceof AgentRunError ? thrown : unexpected(thrown));
    }
    if (stopped) throw ended();
    const before = failures;
    adopt(fresh);
    tell({ type: "refreshed", at: clock.now(), accessKeyId: fresh.accessKeyId, expiresAt: fresh.expiresAt });
    if (before > 0) tell({ type: "recovered", at: clock.now(), failures: before });
    return fresh;
  };

  const failed = (error: AgentRunError): AgentRunError => {
    failures += 1;
    const now = clock.now();
    const end = valid()?.expiresAt;
    const later = now + pause(failures, random());
    // A try just before the end is worth more than the one that would come just after it.
    const retryAt = end !== undefined && later > end && end - FIRST_RETRY_MS > now ? end - FIRST_RETRY_MS : later;
    failure = { error, at: now, retryAt };
    schedule(retryAt);
    tell({ type: "refresh-failed", at: now, error, retryAt });
    return error;
  };

  if (options.initial) adopt(options.initial);

  return {
    async current() {
      if (stopped) throw ended();
      const ready = valid();
      if (ready) return ready;
      if (running || !failure) return await obtainOnce();
      const at = Math.min(failure.retryAt, failure.at + demandPause(failures));
      if (at - clock.now() > WORTH_WAITING_MS) throw failure.error;
      return await obtainAt(at);
    },
    held: () => (stopped ? undefined : valid()),
    adopt(credentials) {
      if (stopped) wipe(credentials);
      else adopt(credentials);
    },
    refresh: () => (stopped ? Promise.reject(ended()) : obtainOnce()),
    get trouble() {
      if (stopped || !failure) return undefined;
      return `${valid() ? "refresh failing" : "no credentials"}: ${inShort(failure.error)}`;
    },
    stop() {
      stopped = true;
      renewal?.[Symbol.dispose]();
      expiry?.[Symbol.dispose]();
      for (const credentials of [held, ...replaced]) if (credentials) wipe(credentials);
      replaced.clear();
      held = undefined;
    },
    [Symbol.dispose]() {
      this.stop();
    },
  };
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
