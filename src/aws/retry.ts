// Which failed calls are tried once more, and after what pause: the standard mode of AWS's own SDKs. Called by sts.
// Source: AWS SDKs and Tools Reference Guide, "Retry behavior".

const THROTTLING = new Set([
  ...["BandwidthLimitExceeded", "EC2ThrottledException", "LimitExceededException", "PriorRequestNotComplete"],
  ...["ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled", "RequestThrottledException", "SlowDown"],
  ...["ThrottledException", "Throttling", "ThrottlingException", "TooManyRequestsException", "TransactionInProgressException"],
]);
const TRANSIENT = new Set(["TimeoutError", "RequestTimeout", "RequestTimeoutException", "IDPCommunicationErrorException"]);
/** Node's codes for a connection that broke or was never there. */
const BROKEN = new Set(["ECONNRESET", "ECONNREFUSED", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "EAI_AGAIN"]);
const TRANSIENT_STATUS = new Set([500, 502, 503, 504]);

const TRANSIENT_PAUSE_MS = 50;
const THROTTLED_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 20_000;
/** A service may ask for this much more, and no further. */
const ASKED_FOR_MS = 5000;

export interface Failed {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly retryAfterMs?: number | undefined;
}

/**
 * Milliseconds until the next try; undefined for what another try would not mend, such as a denial.
 * @param retries how many there have been
 * @param chance from 0 to 1: all who failed at once shall not come back at once
 */
export function pauseBefore(error: Failed, retries: number, chance: number): number | undefined {
  const status = error.$metadata?.httpStatusCode;
  const name = String(error.name);
  const throttled = status === 429 || THROTTLING.has(name);
  const transient = TRANSIENT.has(name) || BROKEN.has(String(error.code)) || TRANSIENT_STATUS.has(status ?? 0);
  if (!throttled && !transient) return undefined;
  const longest = Math.min((throttled ? THROTTLED_PAUSE_MS : TRANSIENT_PAUSE_MS) * 2 ** retries, LONGEST_PAUSE_MS);
  const pause = Math.floor(chance * longest);
  return Math.max(pause, Math.min(error.retryAfterMs ?? 0, pause + ASKED_FOR_MS));
}
