// The additional checksums of S3: reads what a request carries and verifies it. Called by the S3 handlers.
// Source: S3 user guide, "Checking object integrity". CRC64NVME is taken and given back without being computed.
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { AwsFault } from "../fault.ts";

const big = (value: number): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes.toString("base64");
};

const COMPUTE: Readonly<Record<string, (data: Uint8Array) => string>> = {
  crc32: (data) => big(crc32(data)),
  crc32c: (data) => big(crc32c(data)),
  sha1: (data) => createHash("sha1").update(data).digest("base64"),
  sha256: (data) => createHash("sha256").update(data).digest("base64"),
};

const NAMES = [...Object.keys(COMPUTE), "crc64nvme"];

/**
 * The checksum headers of a request, each verified against the body where we can compute it.
 * @param get reads a header or trailer by lower-case name
 * @throws AwsFault `BadDigest`, `InvalidDigest`
 */
export function verifyChecksums(get: (name: string) => string | undefined, body: Uint8Array): Record<string, string> {
  const contentMd5 = get("content-md5");
  if (contentMd5 !== undefined) {
    if (Buffer.from(contentMd5, "base64").length !== 16)
      throw new AwsFault("InvalidDigest", 400, "The Content-MD5 you specified was invalid.");
    const actual = createHash("md5").update(body).digest("base64");
    if (actual !== contentMd5) throw new AwsFault("BadDigest", 400, "The Content-MD5 you specified did not match what we received.");
  }
  const found: Record<string, string> = {};
  for (const name of NAMES) {
    const given = get(`x-amz-checksum-${name}`);
    if (given === undefined) continue;
    const actual = COMPUTE[name]?.(body);
    if (actual !== undefined && actual !== given) {
      throw new AwsFault("BadDigest", 400, `The ${name.toUpperCase()} you specified did not match the calculated checksum.`);
    }
    found[`x-amz-checksum-${name}`] = given;
  }
  return found;
}

/** RFC 3720, appendix B.4: the Castagnoli polynomial, reflected. */
const CASTAGNOLI = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value >>> 0;
});

function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = (CASTAGNOLI[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return crc ^ 0xffffffff;
}
