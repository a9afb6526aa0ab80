// Signature Version 4, the server's side: reads what a request claims and computes what its signature should be. Used by authenticate.ts and s3/chunks.ts.
// Source: AWS General Reference, "Create a signed AWS API request"; S3 API Reference, "Authenticating Requests (AWS Signature Version 4)".
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** The part of a request that is signed, as it came over the wire. */
export interface SignedRequest {
  readonly method: string;
  /** Percent-encoded, without the query. */
  readonly rawPath: string;
  readonly rawQuery: string;
  /** Lower-case names; several values of one name in their order. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
}

/** Date, region and service that a signature is good for. */
export interface Scope {
  /** `20221122` */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** What a request claims about itself: nothing in it is verified. */
export interface Claim {
  readonly presigned: boolean;
  readonly accessKeyId: string;
  readonly scope: Scope;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `20221122T101500Z` */
  readonly time: string;
  readonly sessionToken: string | undefined;
  /** Seconds that a presigned request is good for. */
  readonly expires: number | undefined;
}

/** The claim, `undefined` for a request without a signature, or what is wrong with it, in AWS's words. */
export type Reading = Claim | undefined | { readonly problem: string };

const ALGORITHM = "AWS4-HMAC-SHA256";

export function readClaim(request: SignedRequest): Reading {
  const header = request.headers.get("authorization")?.[0];
  const query = new URLSearchParams(request.rawQuery);
  if (header === undefined && query.has("AWSAccessKeyId")) return { problem: "Unsupported authorization type" };
  if (header === undefined) return query.has("X-Amz-Signature") || query.has("X-Amz-Algorithm") ? fromQuery(query) : undefined;
  const space = header.indexOf(" ");
  if (header.slice(0, space) !== ALGORITHM) return { problem: "Unsupported authorization type" };
  const parts = new Map(
    header
      .slice(space + 1)
      .split(",")
      .map((part) => part.trim().split(/=(.*)/s, 2) as [string, string]),
  );
  const missing = ["Credential", "Signature", "SignedHeaders"].filter((name) => !parts.get(name));
  if (missing.length > 0) {
    return { problem: missing.map((name) => `Authorization header requires '${name}' parameter.`).join(" ") };
  }
  return claim({
    presigned: false,
    credential: parts.get("Credential") ?? "",
    signedHeaders: parts.get("SignedHeaders") ?? "",
    signature: parts.get("Signature") ?? "",
    time: request.headers.get("x-amz-date")?.[0] ?? isoBasic(request.headers.get("date")?.[0]),
    sessionToken: request.headers.get("x-amz-security-token")?.[0],
    expires: undefined,
  });
}

function fromQuery(query: URLSearchParams): Reading {
  const names = ["Algorithm", "Credential", "Date", "SignedHeaders", "Signature"];
  const missing = names.filter((name) => !query.get(`X-Amz-${name}`));
  if (missing.length > 0) return { problem: `Query-string authentication requires the X-Amz-${missing[0]} parameter.` };
  if (query.get("X-Amz-Algorithm") !== ALGORITHM) return { problem: `X-Amz-Algorithm only supports "${ALGORITHM}"` };
  const expires = query.get("X-Amz-Expires");
  if (expires !== null && !/^\d{1,7}$/.test(expires)) return { problem: "X-Amz-Expires should be a number" };
  if (expires !== null && Number(expires) > 604_800) {
    return {
      problem: "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
    };
  }
  return claim({
    presigned: true,
    credential: query.get("X-Amz-Credential") ?? "",
    signedHeaders: query.get("X-Amz-SignedHeaders") ?? "",
    signature: query.get("X-Amz-Signature") ?? "",
    time: query.get("X-Amz-Date") ?? "",
    sessionToken: query.get("X-Amz-Security-Token") ?? undefined,
    expires: expires === null ? undefined : Number(expires),
  });
}

interface RawClaim extends Omit<Claim, "accessKeyId" | "scope" | "signedHeaders"> {
  readonly credential: string;
  readonly signedHeaders: string;
}

function claim(raw: RawClaim): Reading {
  const { credential, signedHeaders, ...rest } = raw;
  const [accessKeyId, date, region, service, terminator, ...more] = credential.split("/");
  if (!accessKeyId || !date || region === undefined || !service || terminator === undefined || more.length > 0) {
    return { problem: `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${credential}'` };
  }
  if (terminator !== "aws4_request") {
    return { problem: `Credential should be scoped with a valid terminator: 'aws4_request', not '${terminator}'.` };
  }
  if (!/^\d{8}T\d{6}Z$/.test(raw.time)) return { problem: `Date must be in ISO-8601 'basic format'. Got '${raw.time}'.` };
  if (!raw.time.startsWith(date)) {
    return {
      problem: `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${date}' != '${raw.time.slice(0, 8)}', from '${raw.time}'.`,
    };
  }
  const names = signedHeaders.split(";");
  if (!names.includes("host")) return { problem: "'Host' must be a 'SignedHeader' in the AWS Authorization." };
  return { ...rest, accessKeyId, scope: { date, region, service }, signedHeaders: names };
}

/** An HTTP date as `20221122T101500Z`; empty when there is none. */
function isoBasic(httpDate: string | undefined): string {
  const ms = Date.parse(httpDate ?? "");
  return Number.isNaN(ms) ? "" : basicTime(ms);
}

/** Milliseconds since 1970 as `20221122T101500Z`. */
export function basicTime(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]|\.\d+/g, "");
}

/** The time of a claim in milliseconds since 1970. */
export function parseBasicTime(text: string): number {
  return Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
}

export const sha256 = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex");
export const hmac = (key: string | Uint8Array, data: string): Buffer => createHmac("sha256", key).update(data).digest();
export const scopeText = (scope: Scope): string => `${scope.date}/${scope.region}/${scope.service}/aws4_request`;

export function signingKey(secret: string, scope: Scope): Buffer {
  return hmac(hmac(hmac(hmac(`AWS4${secret}`, scope.date), scope.region), scope.service), "aws4_request");
}

/**
 * The signature that this request must carry, in hex.
 * @param payloadHash hex SHA-256 of the body, or the word that stands for it (`UNSIGNED-PAYLOAD`, `STREAMING-…`)
 * @throws URIError when the path or the query is not valid percent-encoding
 */
export function expectedSignature(request: SignedRequest, claimed: Claim, key: Uint8Array, payloadHash: string): string {
  const canonical = [
    request.method,
    canonicalPath(request.rawPath, claimed.scope.service),
    canonicalQuery(request.rawQuery),
    ...claimed.signedHeaders.map((name) => `${name}:${canonicalHeader(request.headers.get(name))}`),
    "",
    claimed.signedHeaders.join(";"),
    payloadHash,
  ].join("\n");
  return hmac(key, [ALGORITHM, claimed.time, scopeText(claimed.scope), sha256(canonical)].join("\n")).toString("hex");
}

/** Compares two hex signatures in constant time. */
export function sameSignature(expected: string, given: string): boolean {
  const a = Buffer.from(expected);
  const b = Buffer.from(given);
  return a.length === b.length && timingSafeEqual(a, b);
}

const canonicalHeader = (values: readonly string[] | undefined): string =>
  (values ?? []).map((value) => value.trim().replace(/ +/g, " ")).join(",");

/** S3 signs the path encoded once; every other service signs the encoded path encoded again. */
function canonicalPath(rawPath: string, service: string): string {
  if (service === "s3")
    return (
      rawPath
        .split("/")
        .map((part) => encode(decodeURIComponent(part)))
        .join("/") || "/"
    );
  return rawPath.split("/").map(encode).join("/") || "/";
}

function canonicalQuery(rawQuery: string): string {
  return rawQuery
    .split("&")
    .filter((part) => part !== "")
    .map((part) => {
      const [name = "", value = ""] = part.split(/=(.*)/s, 2);
      return [encode(decodeURIComponent(name)), encode(decodeURIComponent(value))] as const;
    })
    .filter(([name]) => name !== "X-Amz-Signature")
    .sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

/** RFC 3986: everything but letters, digits and `-._~`. */
export function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
