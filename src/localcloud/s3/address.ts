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

/** S3's own name of the operation: `GetObject`. A feature that is not here gets a name of the same form, such as `GetBucketAcl`. */
export function operationOf(head: HttpHead): string {
  const { bucket, key } = addressOf(head);
  const { method, query } = head;
  const has = (name: string): boolean => query.has(name);
  const absent = [...query.keys()].find((name) => ABSENT.has(name));
  if (absent !== undefined) {
    const feature = absent.replace(/(?:^|-)(\w)/g, (_whole, letter: string) => letter.toUpperCase());
    return `${VERBS[method] ?? ""}${key === undefined ? "Bucket" : "Object"}${feature}`;
  }
  if (bucket === undefined) return method === "GET" ? "ListBuckets" : "";
  if (key === undefined) {
    if (method === "GET" && has("location")) return "GetBucketLocation";
    if (method === "GET" && has("versioning")) return "GetBucketVersioning";
    if (method === "GET" && has("uploads")) return "ListMultipartUploads";
    if (method === "GET") return query.get("list-type") === "2" ? "ListObjectsV2" : "ListObjects";
    if (method === "POST" && has("delete")) return "DeleteObjects";
    return { PUT: "CreateBucket", DELETE: "DeleteBucket", HEAD: "HeadBucket" }[method] ?? "";
  }
  const copies = header(head, "x-amz-copy-source") !== undefined;
  if (method === "PUT" && has("uploadId")) return copies ? "UploadPartCopy" : "UploadPart";
  if (method === "PUT") return copies ? "CopyObject" : "PutObject";
  if (method === "POST" && has("uploads")) return "CreateMultipartUpload";
  if (method === "POST" && has("uploadId")) return "CompleteMultipartUpload";
  if (method === "GET" && has("uploadId")) return "ListParts";
  if (method === "DELETE" && has("uploadId")) return "AbortMultipartUpload";
  return { GET: "GetObject", HEAD: "HeadObject", DELETE: "DeleteObject" }[method] ?? "";
}
