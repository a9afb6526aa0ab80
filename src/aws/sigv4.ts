// Signature Version 4, the caller's side, for a POST without a query: the Authorization header of one request. Called by sts. The local cloud computes
// what a signature must be by code of its own (src/localcloud/signature.ts), so that each checks the other.
// Source: IAM User Guide, "Create a signed AWS API request".
import { createHash, createHmac } from "node:crypto";

/** What is signed of a request: all of it. */
export interface Signable {
  /** Percent-encoded, as it is sent. */
  readonly path: string;
  /** By lower-case names; the session token among them, where there is one. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Signer {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  readonly service: string;
}

const ALGORITHM = "AWS4-HMAC-SHA256";
const TERMINATOR = "aws4_request";

/**
 * The Authorization header of the request.
 * @param time `20221122T101500Z`, as its header `x-amz-date` says
 */
export function authorization({ path, headers, body }: Signable, signer: Signer, time: string): string {
  const names = Object.keys(headers).sort();
  const lines = names.map((name) => `${name}:${oneBlank(headers[name] ?? "")}`);
  const signedHeaders = names.join(";");
  const canonical = ["POST", canonicalPath(path), "", ...lines, "", signedHeaders, sha256(body)].join("\n");
  const date = time.slice(0, 8);
  const scope = [date, signer.region, signer.service, TERMINATOR];
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${signer.secretAccessKey}`);
  const signature = hmac(key, [ALGORITHM, time, scope.join("/"), sha256(canonical)].join("\n")).toString("hex");
  return `${ALGORITHM} Credential=${signer.accessKeyId}/${scope.join("/")}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
}

/** Milliseconds since 1970 as `20221122T101500Z`. */
export const basicTime = (ms: number): string => new Date(ms).toISOString().replace(/[-:]|\.\d+/g, "");

/** RFC 3986: everything but letters, digits and `-._~`. */
export function uriEncoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
const oneBlank = (value: string): string => value.replace(/[ \t\r\n]+/g, " ").replace(/^ | $/g, "");

/** Without empty and dotted segments, and encoded once more: only S3 signs a path as it is. */
function canonicalPath(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(uriEncoded(segment));
  }
  return kept.length === 0 ? "/" : `/${kept.join("/")}${path.endsWith("/") ? "/" : ""}`;
}
