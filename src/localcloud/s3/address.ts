// Which bucket, key and operation a request to S3 means. Called by s3.ts.
import { type HttpHead, header } from "../call.ts";
import { AwsFault } from "../fault.ts";

export interface Address {
  readonly bucket: string | undefined;
  readonly key: string | undefined;
}

/** `bucket.localhost`, `bucket.s3.localhost`, `bucket.s3.us-east-1.amazonaws.com` and the like; a bare or numeric host has no bucket in it. */
const VIRTUAL_HOST = /^(.+?)\.(?:s3[.-](?:.+\.)?(?:localhost|amazonaws\.com)|s3\.(?:.+)|localhost)$/;

/** Virtual-host style when the `Host` names a bucket, else path style. @throws AwsFault `InvalidURI` */
export function addressOf(head: HttpHead): Address {
  const hostname = head.host.replace(/:\d+$/, "").toLowerCase();
  const fromHost = /^s3[.-]/.test(hostname) ? undefined : VIRTUAL_HOST.exec(hostname)?.[1];
  const path = decodePath(head.rawPath);
  if (fromHost !== undefined) return { bucket: fromHost, key: path.slice(1) || undefined };
  const [, bucket, key] = /^\/([^/]*)(?:\/(.*))?$/s.exec(path) ?? [];
  return { bucket: bucket || undefined, key: key || undefined };
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new AwsFault("InvalidURI", 400, "Couldn't parse the specified URI.");
  }
}

/** Features of S3 that are asked for by a query parameter and are not here. */
const ABSENT = new Set(
  "accelerate acl analytics attributes cors encryption intelligent-tiering inventory legal-hold lifecycle logging metrics notification object-lock ownershipControls policy policyStatus publicAccessBlock replication requestPayment restore retention select session tagging torrent versions website".split(
    " ",
  ),
);

const VERBS: Readonly<Record<string, string>> = { GET: "Get", HEAD: "Head", PUT: "Put", POST: "Post", DELETE: "Delete" };

/** The first row counts whose method it is, and whose query parameter is there. */
type Operations = readonly (readonly [method: string, parameter: string | undefined, operation: string])[];

const OF_BUCKETS: Operations = [
  ["GET", "location", "GetBucketLocation"],
  ["GET", "versioning", "GetBucketVersioning"],
  ["GET", "uploads", "ListMultipartUploads"],
  ["GET", undefined, "ListObjects"],
  ["POST", "delete", "DeleteObjects"],
  ["PUT", undefined, "CreateBucket"],
  ["DELETE", undefined, "DeleteBucket"],
  ["HEAD", undefined, "HeadBucket"],
];

const OF_OBJECTS: Operations = [
  ["PUT", "uploadId", "UploadPart"],
  ["PUT", undefined, "PutObject"],
  ["POST", "uploads", "CreateMultipartUpload"],
  ["POST", "uploadId", "CompleteMultipartUpload"],
  ["GET", "uploadId", "ListParts"],
  ["GET", undefined, "GetObject"],
  ["HEAD", undefined, "HeadObject"],
  ["DELETE", "uploadId", "AbortMultipartUpload"],
  ["DELETE", undefined, "DeleteObject"],
];

/** With `x-amz-copy-source`. */
const COPIES: Readonly<Record<string, string>> = { UploadPart: "UploadPartCopy", PutObject: "CopyObject" };

/** S3's own name of the operation: `GetObject`. A feature that is not here gets a name of the same form, such as `GetBucketAcl`; what is none at all, none. */
export function operationOf(head: HttpHead): string {
  const { bucket, key } = addressOf(head);
  const { method, query } = head;
  const absent = [...query.keys()].find((name) => ABSENT.has(name));
  if (absent !== undefined) {
    const feature = absent.replace(/(?:^|-)(\w)/g, (_whole, letter: string) => letter.toUpperCase());
    return `${VERBS[method] ?? ""}${key === undefined ? "Bucket" : "Object"}${feature}`;
  }
  if (bucket === undefined) return method === "GET" ? "ListBuckets" : "";
  const operations = key === undefined ? OF_BUCKETS : OF_OBJECTS;
  const [, , operation = ""] = operations.find(([verb, name]) => verb === method && (name === undefined || query.has(name))) ?? [];
  if (operation === "ListObjects" && query.get("list-type") === "2") return "ListObjectsV2";
  return header(head, "x-amz-copy-source") === undefined ? operation : (COPIES[operation] ?? operation);
}
