// Decodes an `aws-chunked` body and verifies the signature of each chunk and of the trailer. Called by pipeline.ts.
// Source: S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks", and the page on trailers.
import { AwsFault, authFault } from "../fault.ts";
import { hmac, type Scope, sameSignature, scopeText, sha256 } from "../signature.ts";

/** The values of `x-amz-content-sha256` that say so. */
export const STREAMING = [
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
] as const;
export type Streaming = (typeof STREAMING)[number];

export interface ChunkSigning {
  readonly key: Uint8Array;
  readonly scope: Scope;
  readonly time: string;
  /** The request's own signature: the first link of the chain. */
  readonly seed: string;
}

export interface Decoded {
  readonly payload: Buffer;
  readonly trailers: ReadonlyMap<string, string>;
}

const EMPTY = sha256("");
const LONGEST_LINE = 1024;

/**
 * @param declared `x-amz-decoded-content-length`
 * @throws AwsFault `SignatureDoesNotMatch` for a chunk or trailer that was changed, `IncompleteBody` for a body cut short
 */
export function decodeChunks(raw: Buffer, mode: Streaming, signing: ChunkSigning, declared: number): Decoded {
  const signed = mode !== "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
  const parts: Buffer[] = [];
  let previous = signing.seed;
  let at = 0;
  const line = (): string => {
    const end = raw.indexOf("\r\n", at, "latin1");
    if (end < 0 || end - at > LONGEST_LINE) throw incomplete();
    const text = raw.toString("latin1", at, end);
    at = end + 2;
    return text;
  };
  for (;;) {
    const match = /^([0-9a-fA-F]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line());
    if (!match || signed !== (match[2] !== undefined)) throw incomplete();
    const size = Number.parseInt(match[1] ?? "", 16);
    const data = raw.subarray(at, at + size);
    if (data.length !== size) throw incomplete();
    at += size;
    if (signed) {
      const text = ["AWS4-HMAC-SHA256-PAYLOAD", signing.time, scopeText(signing.scope), previous, EMPTY, sha256(data)].join("\n");
      previous = hmac(signing.key, text).toString("hex");
      if (!sameSignature(previous, match[2] ?? "")) throw authFault("s3", "signature");
    }
    if (size === 0) break;
    if (raw.toString("latin1", at, at + 2) !== "\r\n") throw incomplete();
    at += 2;
    parts.push(data);
  }
  const payload = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
  if (payload.length !== declared) throw incomplete();
  return { payload, trailers: mode.endsWith("-TRAILER") ? readTrailers(raw.toString("utf8", at), signed, signing, previous) : new Map() };
}

function readTrailers(text: string, signed: boolean, signing: ChunkSigning, previous: string): ReadonlyMap<string, string> {
  const trailers = new Map<string, string>();
  for (const entry of text.split("\r\n").filter((part) => part !== "")) {
    const colon = entry.indexOf(":");
    if (colon < 1) throw incomplete();
    trailers.set(entry.slice(0, colon).trim().toLowerCase(), entry.slice(colon + 1).trim());
  }
  const signature = trailers.get("x-amz-trailer-signature");
  trailers.delete("x-amz-trailer-signature");
  if (!signed) return trailers;
  const canonical = [...trailers]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}:${value}\n`)
    .join("");
  const toSign = ["AWS4-HMAC-SHA256-TRAILER", signing.time, scopeText(signing.scope), previous, sha256(canonical)].join("\n");
  if (!sameSignature(hmac(signing.key, toSign).toString("hex"), signature ?? "")) throw authFault("s3", "signature");
  return trailers;
}

const incomplete = (): AwsFault => new AwsFault("IncompleteBody", 400, "The request body terminated unexpectedly");
