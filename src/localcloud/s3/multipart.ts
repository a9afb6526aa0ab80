// Multipart uploads. Called by s3.ts.
import { header } from "../call.ts";
import { AwsFault } from "../fault.ts";
import { childText, parseXml } from "../xml.ts";
import { verifyChecksums } from "./checksum.ts";
import { checkConditions, rangeOf } from "./conditional.ts";
import { copySource, keptHeaders, sent } from "./objects.ts";
import { need, owner, type S3Call, type S3Reply, xml } from "./s3-call.ts";
import { type Bucket, md5, newUploadId, type Part, type Upload } from "./store.ts";

/** All parts but the last are at least this large (S3 user guide, "Amazon S3 multipart upload limits"). */
const SMALLEST_PART = 5 * 1024 * 1024;

export function createMultipartUpload(s3: S3Call): S3Reply {
  need(s3, "PutObject", s3.key);
  const bucket = s3.store.bucket(s3.bucket);
  const upload: Upload = { id: newUploadId(), key: s3.key, startedAt: s3.call.now, headers: keptHeaders(s3), parts: new Map() };
  bucket.uploads.set(upload.id, upload);
  return xml("InitiateMultipartUploadResult", { Bucket: s3.bucket, Key: s3.key, UploadId: upload.id });
}

function uploadOf(s3: S3Call): { bucket: Bucket; upload: Upload } {
  const bucket = s3.store.bucket(s3.bucket);
  const id = s3.call.head.query.get("uploadId") ?? "";
  const upload = bucket.uploads.get(id);
  if (upload?.key !== s3.key) {
    const text =
      "The specified multipart upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.";
    throw new AwsFault("NoSuchUpload", 404, text, { UploadId: id });
  }
  return { bucket, upload };
}

function partNumber(s3: S3Call): number {
  const text = s3.call.head.query.get("partNumber") ?? "";
  const number = Number(text);
  if (!/^\d{1,5}$/.test(text) || number < 1 || number > 10_000) {
    const message = "Part number must be an integer between 1 and 10000, inclusive";
    throw new AwsFault("InvalidArgument", 400, message, { ArgumentName: "partNumber", ArgumentValue: text });
  }
  return number;
}

export function uploadPart(s3: S3Call): S3Reply {
  need(s3, "PutObject", s3.key);
  const number = partNumber(s3);
  const { upload } = uploadOf(s3);
  const checksums = verifyChecksums(sent(s3), s3.call.body);
  const part: Part = { body: s3.call.body, etag: md5(s3.call.body), modifiedAt: s3.call.now };
  s3.store.putPart(upload, number, part);
  return { headers: { etag: `"${part.etag}"`, ...checksums } };
}

export function uploadPartCopy(s3: S3Call): S3Reply {
  const source = copySource(s3);
  need(s3, "PutObject", s3.key);
  const number = partNumber(s3);
  const { upload } = uploadOf(s3);
  const range = rangeOf(s3.call.head, source, "x-amz-copy-source-range");
  const body = range ? source.body.subarray(range.first, range.last + 1) : source.body;
  const part: Part = { body, etag: md5(body), modifiedAt: s3.call.now };
  s3.store.putPart(upload, number, part);
  return xml("CopyPartResult", { ETag: `"${part.etag}"`, LastModified: new Date(part.modifiedAt).toISOString() });
}

export function completeMultipartUpload(s3: S3Call): S3Reply {
  need(s3, "PutObject", s3.key);
  const { call, store, key } = s3;
  const { bucket, upload } = uploadOf(s3);
  const request = parseXml(call.body.toString("utf8"));
  const wanted = request.children
    .filter((child) => child.name === "Part")
    .map((child) => ({ number: Number(childText(child, "PartNumber")), etag: (childText(child, "ETag") ?? "").replaceAll('"', "") }));
  const parts = wanted.map(({ number, etag }, index) => {
    if (index > 0 && number <= (wanted[index - 1]?.number ?? 0)) {
      const text = "The list of parts was not in ascending order. The parts list must be specified in order by part number.";
      throw new AwsFault("InvalidPartOrder", 400, text, { UploadId: upload.id });
    }
    const part = upload.parts.get(number);
    if (part?.etag !== etag) {
      const text =
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.";
      throw new AwsFault("InvalidPart", 400, text, { UploadId: upload.id, PartNumber: number, ETag: etag });
    }
    return part;
  });
  if (parts.length === 0) {
    throw new AwsFault("MalformedXML", 400, "The XML you provided was not well-formed or did not validate against our published schema");
  }
  if (parts.slice(0, -1).some((part) => part.body.length < SMALLEST_PART)) {
    throw new AwsFault("EntityTooSmall", 400, "Your proposed upload is smaller than the minimum allowed size");
  }
  checkConditions(call.head, bucket.objects.get(key), key);
  const etag = `${md5(Buffer.concat(parts.map((part) => Buffer.from(part.etag, "hex"))))}-${parts.length}`;
  const body = Buffer.concat(parts.map((part) => part.body));
  store.removeUpload(bucket, upload);
  store.put(bucket, key, { body, etag, modifiedAt: call.now, headers: upload.headers, checksums: {} });
  const location = `http://${header(call.head, "host") ?? ""}/${s3.bucket}/${key}`;
  return xml("CompleteMultipartUploadResult", { Location: location, Bucket: s3.bucket, Key: key, ETag: `"${etag}"` });
}

export function abortMultipartUpload(s3: S3Call): S3Reply {
  need(s3, "AbortMultipartUpload", s3.key);
  const { bucket, upload } = uploadOf(s3);
  s3.store.removeUpload(bucket, upload);
  return { status: 204 };
}

export function listParts(s3: S3Call): S3Reply {
  need(s3, "ListMultipartUploadParts", s3.key);
  const { upload } = uploadOf(s3);
  const { query } = s3.call.head;
  const after = Number(query.get("part-number-marker") ?? 0) || 0;
  const most = Math.min(Number(query.get("max-parts") ?? 1000) || 1000, 1000);
  const rest = [...upload.parts].filter(([number]) => number > after).sort(([a], [b]) => a - b);
  const shown = rest.slice(0, most);
  return xml("ListPartsResult", {
    Bucket: s3.bucket,
    Key: s3.key,
    UploadId: upload.id,
    Initiator: owner(s3),
    Owner: owner(s3),
    StorageClass: "STANDARD",
    PartNumberMarker: after,
    NextPartNumberMarker: shown.at(-1)?.[0] ?? 0,
    MaxParts: most,
    IsTruncated: rest.length > shown.length,
    Part: shown.map(([number, part]) => ({
      PartNumber: number,
      LastModified: new Date(part.modifiedAt).toISOString(),
      ETag: `"${part.etag}"`,
      Size: part.body.length,
    })),
  });
}

export function listMultipartUploads(s3: S3Call): S3Reply {
  need(s3, "ListBucketMultipartUploads");
  const prefix = s3.call.head.query.get("prefix") ?? "";
  const uploads = [...s3.store.bucket(s3.bucket).uploads.values()].filter((upload) => upload.key.startsWith(prefix));
  return xml("ListMultipartUploadsResult", {
    Bucket: s3.bucket,
    KeyMarker: "",
    UploadIdMarker: "",
    Prefix: prefix,
    MaxUploads: 1000,
    IsTruncated: false,
    Upload: uploads.map((upload) => ({
      Key: upload.key,
      UploadId: upload.id,
      Initiator: owner(s3),
      Owner: owner(s3),
      StorageClass: "STANDARD",
      Initiated: new Date(upload.startedAt).toISOString(),
    })),
  });
}
