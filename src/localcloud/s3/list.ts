// ListObjects, old and new: prefix, delimiter, paging, url encoding. Called by s3.ts.
import { AwsFault } from "../fault.ts";
import { encode } from "../signature.ts";
import type { XmlTree } from "../xml.ts";
import { need, owner, type S3Call, type S3Reply, xml } from "./s3-call.ts";
import type { Bucket, StoredObject } from "./store.ts";

const MOST_KEYS = 1000;

interface Page {
  readonly keys: readonly string[];
  readonly prefixes: readonly string[];
  /** The last key or common prefix, when there is more. */
  readonly next: string | undefined;
}

export function listObjects(s3: S3Call): S3Reply {
  const { call, store } = s3;
  const { query } = call.head;
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const given = query.get("max-keys");
  need(s3, "ListBucket", undefined, {
    ...(query.has("prefix") && { "s3:prefix": prefix }),
    ...(delimiter && { "s3:delimiter": delimiter }),
    ...(given !== null && { "s3:max-keys": given }),
  });
  if (given !== null && !/^\d{1,9}$/.test(given)) {
    throw new AwsFault("InvalidArgument", 400, "Provided max-keys not an integer or within integer range", {
      ArgumentName: "max-keys",
      ArgumentValue: given,
    });
  }
  const bucket = store.bucket(s3.bucket);
  const second = call.operation === "ListObjectsV2";
  const token = query.get("continuation-token");
  const after = second ? (token === null ? (query.get("start-after") ?? "") : readToken(token)) : (query.get("marker") ?? "");
  const most = Math.min(Number(given ?? MOST_KEYS), MOST_KEYS);
  const page = pageOf(bucket, { prefix, delimiter, after, most });
  const text = query.get("encoding-type") === "url" ? urlEncoded : (value: string): string => value;
  const withOwner = !second || query.get("fetch-owner") === "true";
  const tree: XmlTree = {
    Name: s3.bucket,
    Prefix: text(prefix),
    ...(second
      ? {
          StartAfter: query.has("start-after") ? text(query.get("start-after") ?? "") : undefined,
          ContinuationToken: token ?? undefined,
          NextContinuationToken: page.next === undefined ? undefined : Buffer.from(page.next).toString("base64url"),
          KeyCount: page.keys.length + page.prefixes.length,
        }
      : { Marker: text(after), NextMarker: page.next !== undefined && delimiter ? text(page.next) : undefined }),
    MaxKeys: most,
    Delimiter: delimiter ? text(delimiter) : undefined,
    EncodingType: query.get("encoding-type") ?? undefined,
    IsTruncated: page.next !== undefined,
    Contents: page.keys.map((key) => entry(s3, bucket, key, text, withOwner)),
    CommonPrefixes: page.prefixes.map((common) => ({ Prefix: text(common) })),
  };
  return xml("ListBucketResult", tree);
}

function entry(s3: S3Call, bucket: Bucket, key: string, text: (value: string) => string, withOwner: boolean): XmlTree {
  const object = bucket.objects.get(key);
  return {
    Key: text(key),
    LastModified: new Date(object?.modifiedAt ?? 0).toISOString(),
    ETag: `"${object?.etag ?? ""}"`,
    ...checksumOf(object),
    Size: object?.body.length ?? 0,
    Owner: withOwner ? owner(s3) : undefined,
    StorageClass: "STANDARD",
  };
}

function checksumOf(object: StoredObject | undefined): XmlTree {
  const names = Object.keys(object?.checksums ?? {}).map((name) => name.replace("x-amz-checksum-", "").toUpperCase());
  return names.length === 0 ? {} : { ChecksumAlgorithm: names, ChecksumType: "FULL_OBJECT" };
}

/** Slashes stay, as S3 leaves them. */
const urlEncoded = (text: string): string => text.split("/").map(encode).join("/");

function readToken(token: string): string {
  if (!/^[\w-]+$/.test(token))
    throw new AwsFault("InvalidArgument", 400, "The continuation token provided is incorrect", { ArgumentName: "continuation-token" });
  return Buffer.from(token, "base64url").toString();
}

interface Wanted {
  readonly prefix: string;
  readonly delimiter: string;
  readonly after: string;
  readonly most: number;
}

/** Keys in the order of their UTF-8 bytes; those that share the part up to the delimiter are one common prefix. */
function pageOf(bucket: Bucket, { prefix, delimiter, after, most }: Wanted): Page {
  const keys: string[] = [];
  const prefixes: string[] = [];
  let last: string | undefined;
  const sorted = [...bucket.objects.keys()].filter((key) => key.startsWith(prefix)).sort(byBytes);
  for (const key of sorted) {
    const end = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    const common = end < 0 ? undefined : key.slice(0, end + delimiter.length);
    const shown = common ?? key;
    if (shown === last && common !== undefined) continue;
    if (byBytes(shown, after) <= 0) continue;
    if (keys.length + prefixes.length >= most) return { keys, prefixes, next: most === 0 ? undefined : last };
    (common === undefined ? keys : prefixes).push(shown);
    last = shown;
  }
  return { keys, prefixes, next: undefined };
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
