// Reading, writing, copying and deleting objects. Called by s3.ts.

import { decide } from "../authorize.ts";
import { header } from "../call.ts";
import { AwsFault } from "../fault.ts";
import { childText, parseXml, type XmlTree } from "../xml.ts";
import { verifyChecksums } from "./checksum.ts";
import { checkConditions, notModified, rangeOf } from "./conditional.ts";
import { need, type S3Call, type S3Reply, xml } from "./s3-call.ts";
import { type Bucket, md5, type StoredObject } from "./store.ts";

const KEPT_HEADERS = ["cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires"];
const LONGEST_KEY = 1024;
const MOST_METADATA = 2048;

/** The object, or 404; 403 to a caller that may not list the bucket, so that it cannot find out what is there. */
export function existing(s3: S3Call, bucket: Bucket): StoredObject {
  const object = bucket.objects.get(s3.key);
  if (object) return object;
  const list = { action: "s3:ListBucket", resource: `arn:aws:s3:::${bucket.name}` };
  if (decide(s3.call, list).outcome !== "allowed") throw new AwsFault("AccessDenied", 403, "Access Denied");
  throw new AwsFault("NoSuchKey", 404, "The specified key does not exist.", { Key: s3.key });
}

/** HeadObject too: the server leaves the body out. */
export function getObject(s3: S3Call): S3Reply {
  need(s3, "GetObject", s3.key);
  const { head } = s3.call;
  const object = existing(s3, s3.store.bucket(s3.bucket));
  if (notModified(head, object)) return { status: 304, headers: validators(object) };
  const range = rangeOf(head, object);
  const body = range ? object.body.subarray(range.first, range.last + 1) : object.body;
  const overrides: Record<string, string> = {};
  for (const name of KEPT_HEADERS) {
    const value = head.query.get(`response-${name}`);
    if (value !== null && /[^\t\x20-\x7e]/.test(value)) {
      throw new AwsFault("InvalidArgument", 400, "Header value cannot be represented using ISO-8859-1.", {
        ArgumentName: `response-${name}`,
      });
    }
    if (value !== null) overrides[name] = value;
  }
  const headers = {
    "content-type": "binary/octet-stream",
    ...object.headers,
    ...validators(object),
    "accept-ranges": "bytes",
    ...(range && { "content-range": `bytes ${range.first}-${range.last}/${object.body.length}` }),
    ...(!range && header(head, "x-amz-checksum-mode")?.toUpperCase() === "ENABLED" && checksumHeaders(object)),
    ...overrides,
    "content-length": String(body.length),
  };
  return { status: range ? 206 : 200, headers, body };
}

function validators(object: StoredObject): Record<string, string> {
  return { etag: `"${object.etag}"`, "last-modified": new Date(object.modifiedAt).toUTCString() };
}

function checksumHeaders(object: StoredObject): Record<string, string> {
  return Object.keys(object.checksums).length === 0 ? {} : { ...object.checksums, "x-amz-checksum-type": "FULL_OBJECT" };
}

/** `x-amz-checksum-crc32` as the element `ChecksumCRC32`. */
function checksumElements(checksums: StoredObject["checksums"]): XmlTree {
  const named = Object.entries(checksums).map(([name, value]) => [`Checksum${name.replace("x-amz-checksum-", "").toUpperCase()}`, value]);
  return named.length === 0 ? {} : { ...Object.fromEntries(named), ChecksumType: "FULL_OBJECT" };
}

/** Headers that are kept with the object. @throws AwsFault `MetadataTooLarge` */
export function keptHeaders(s3: S3Call): Record<string, string> {
  const kept: Record<string, string> = {};
  let metadata = 0;
  for (const [name, values] of s3.call.head.headers) {
    const value = name === "content-encoding" ? withoutChunking(values.join(",")) : values.join(",");
    if (name.startsWith("x-amz-meta-")) metadata += name.length - "x-amz-meta-".length + value.length;
    if (value !== "" && (KEPT_HEADERS.includes(name) || name.startsWith("x-amz-meta-"))) kept[name] = value;
  }
  if (metadata > MOST_METADATA)
    throw new AwsFault("MetadataTooLarge", 400, "Your metadata headers exceed the maximum allowed metadata size");
  return kept;
}

function withoutChunking(encoding: string): string {
  return encoding
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "aws-chunked")
    .join(",");
}

/** Reads a checksum from the trailer or the headers. */
export function sent(s3: S3Call): (name: string) => string | undefined {
  return (name) => s3.call.trailers.get(name) ?? header(s3.call.head, name);
}

export function putObject(s3: S3Call): S3Reply {
  need(s3, "PutObject", s3.key);
  const { call, store, key } = s3;
  const bucket = store.bucket(s3.bucket);
  if (Buffer.byteLength(key) > LONGEST_KEY) throw new AwsFault("KeyTooLongError", 400, "Your key is too long");
  checkConditions(call.head, bucket.objects.get(key), key);
  const checksums = verifyChecksums(sent(s3), call.body);
  const object = { body: call.body, etag: md5(call.body), modifiedAt: call.now, headers: keptHeaders(s3), checksums };
  store.put(bucket, key, object);
  return { headers: { etag: `"${object.etag}"`, ...checksumHeaders(object) } };
}

export function deleteObject(s3: S3Call): S3Reply {
  need(s3, "DeleteObject", s3.key);
  s3.store.remove(s3.store.bucket(s3.bucket), s3.key);
  return { status: 204 };
}

/** Each key is asked for by itself; a refused one is an entry of the answer. */
export function deleteObjects(s3: S3Call): S3Reply {
  const bucket = s3.store.bucket(s3.bucket);
  const { body } = s3.call;
  verifyChecksums(sent(s3), body);
  const request = parseXml(body.toString("utf8"));
  const keys = request.children.filter((child) => child.name === "Object").map((child) => childText(child, "Key") ?? "");
  if (keys.length < 1 || keys.length > 1000) {
    throw new AwsFault("MalformedXML", 400, "The XML you provided was not well-formed or did not validate against our published schema");
  }
  const deleted: { Key: string }[] = [];
  const errors: { Key: string; Code: string; Message: string }[] = [];
  for (const key of keys) {
    try {
      need(s3, "DeleteObject", key);
      s3.store.remove(bucket, key);
      deleted.push({ Key: key });
    } catch (error) {
      if (!(error instanceof AwsFault)) throw error;
      errors.push({ Key: key, Code: error.code, Message: error.message });
    }
  }
  const quiet = childText(request, "Quiet") === "true";
  return xml("DeleteResult", { Deleted: quiet ? [] : deleted, Error: errors });
}

/** `x-amz-copy-source`: `/bucket/key`, percent-encoded; the caller must be allowed to read it. */
export function copySource(s3: S3Call): StoredObject {
  const text = header(s3.call.head, "x-amz-copy-source") ?? "";
  const match = /^\/?([^/?]+)\/([^?]+)$/.exec(text);
  if (!match) throw new AwsFault("InvalidArgument", 400, "Copy Source must mention the source bucket and key: sourcebucket/sourcekey");
  const from = { ...s3, bucket: decodeURIComponent(match[1] ?? ""), key: decodeURIComponent(match[2] ?? "") };
  need(from, "GetObject", from.key);
  const object = existing(from, s3.store.bucket(from.bucket));
  checkConditions(s3.call.head, object, from.key, "x-amz-copy-source-");
  return object;
}

export function copyObject(s3: S3Call): S3Reply {
  const source = copySource(s3);
  need(s3, "PutObject", s3.key);
  const { call, store } = s3;
  const bucket = store.bucket(s3.bucket);
  const replace = header(call.head, "x-amz-metadata-directive") === "REPLACE";
  if (!replace && bucket.objects.get(s3.key) === source) {
    throw new AwsFault(
      "InvalidRequest",
      400,
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  const headers = replace ? keptHeaders(s3) : source.headers;
  const object = { body: source.body, etag: md5(source.body), modifiedAt: call.now, headers, checksums: source.checksums };
  store.put(bucket, s3.key, object);
  return xml("CopyObjectResult", {
    ETag: `"${object.etag}"`,
    LastModified: new Date(call.now).toISOString(),
    ...checksumElements(object.checksums),
  });
}
