// Whose request is this? Verifies a signature and the key behind it. Called by pipeline.ts once for every request.
import type { AccessKey } from "./account.ts";
import type { Cloud, HttpHead } from "./call.ts";
import { AwsFault, authFault, type Dialect } from "./fault.ts";
import { basicTime, type Claim, expectedSignature, parseBasicTime, type Reading, sameSignature, signingKey } from "./signature.ts";

/** AWS takes a signature that is at most this much older or newer than its own clock. */
const MOST_SKEW_MS = 15 * 60_000;
const KEYS_KEPT = 500;

/** A verified request: the key it was signed with, and what the chunks of its body are signed with. */
export interface Authenticated {
  readonly claim: Claim;
  readonly key: AccessKey;
  readonly signingKey: Buffer;
}

const derived = new Map<string, Buffer>();

/** Deriving costs four HMACs and the result is good for a day. */
function derivedKey(key: AccessKey, claim: Claim): Buffer {
  const name = `${key.secret}/${claim.scope.date}/${claim.scope.region}/${claim.scope.service}`;
  const known = derived.get(name);
  if (known) return known;
  if (derived.size >= KEYS_KEPT) derived.clear();
  const made = signingKey(key.secret, claim.scope);
  derived.set(name, made);
  return made;
}

/**
 * Checks, in AWS's order: there is a claim, the key is known, the token is that key's own, the time is now, the signature fits, the session still lives.
 * @param payloadHash what stands for the body in the signature
 * @throws AwsFault in the words of the service's protocol
 */
export function authenticate(cloud: Cloud, head: HttpHead, reading: Reading, dialect: Dialect, payloadHash: string): Authenticated {
  if (reading === undefined) throw authFault(dialect, "missing");
  if ("problem" in reading) throw unreadable(head, dialect, reading.problem);
  const claim = reading;
  const now = cloud.clock.now();
  const key = cloud.account.keys.get(claim.accessKeyId);
  if (!key?.active) throw authFault(dialect, "unknown-key", "", dialect === "s3" ? { AWSAccessKeyId: claim.accessKeyId } : {});
  if (key.token !== claim.sessionToken) {
    throw authFault(dialect, claim.sessionToken === undefined && dialect === "s3" ? "unknown-key" : "wrong-token");
  }
  checkTime(claim, now, dialect);
  const derivedFor = derivedKey(key, claim);
  if (!sameSignature(expectedSignature(head, claim, derivedFor, payloadHash), claim.signature)) throw authFault(dialect, "signature");
  if (dialect === "s3") checkHeadersSigned(head, claim);
  if (key.session && key.session.expiresAt <= now) throw authFault(dialect, "expired-token");
  key.lastUsed = { at: now, service: claim.scope.service };
  return { claim, key, signingKey: derivedFor };
}

function unreadable(head: HttpHead, dialect: Dialect, problem: string): AwsFault {
  if (dialect !== "s3") return authFault(dialect, "incomplete", problem);
  if (problem.startsWith("Unsupported"))
    return new AwsFault(
      "InvalidRequest",
      400,
      "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
    );
  if (head.headers.has("authorization")) return authFault("s3", "incomplete", `The authorization header is malformed; ${problem}`);
  return new AwsFault("AuthorizationQueryParametersError", 400, problem);
}

function checkTime(claim: Claim, now: number, dialect: Dialect): void {
  const signedAt = parseBasicTime(claim.time);
  if (claim.presigned && claim.expires !== undefined) {
    const end = signedAt + claim.expires * 1000;
    if (now > end && dialect === "s3") {
      throw new AwsFault("AccessDenied", 403, "Request has expired", {
        "X-Amz-Expires": claim.expires,
        Expires: new Date(end).toISOString(),
        ServerTime: new Date(now).toISOString(),
      });
    }
    if (now > end)
      throw authFault(
        dialect,
        "expired-signature",
        `Signature expired: ${claim.time} is now earlier than ${basicTime(now - claim.expires * 1000)}`,
      );
    if (signedAt - now <= MOST_SKEW_MS) return;
  }
  if (Math.abs(now - signedAt) <= MOST_SKEW_MS) return;
  const late = signedAt < now;
  const bound = basicTime(late ? now - MOST_SKEW_MS : now + MOST_SKEW_MS);
  const text = late
    ? `Signature expired: ${claim.time} is now earlier than ${bound} (${basicTime(now)} - 15 min.)`
    : `Signature not yet current: ${claim.time} is still later than ${bound} (${basicTime(now)} + 15 min.)`;
  const fields = { RequestTime: claim.time, ServerTime: new Date(now).toISOString(), MaxAllowedSkewMilliseconds: MOST_SKEW_MS };
  throw authFault(dialect, "expired-signature", text, dialect === "s3" ? fields : {});
}

/** S3 refuses an `x-amz-…` header that anybody on the way could have added. */
function checkHeadersSigned(head: HttpHead, claim: Claim): void {
  const loose = [...head.headers.keys()].filter((name) => name.startsWith("x-amz-") && !claim.signedHeaders.includes(name));
  const open = loose.filter((name) => !(claim.presigned && name === "x-amz-content-sha256"));
  if (open.length > 0) {
    throw new AwsFault("AccessDenied", 403, "There were headers present in the request which were not signed", {
      HeadersNotSigned: open.join(", "),
    });
  }
}
