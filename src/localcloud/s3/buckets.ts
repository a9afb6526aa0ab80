// Operations on buckets. Called by s3.ts.
import { AwsFault } from "../fault.ts";
import { childText, parseXml } from "../xml.ts";
import { need, owner, S3_NAMESPACE, type S3Call, type S3Reply, xml } from "./s3-call.ts";

/** The region of each bucket is shown to a request with parameters only (S3 API Reference, ListBuckets). */
export function listBuckets(s3: S3Call): S3Reply {
  need(s3, "ListAllMyBuckets");
  const { query } = s3.call.head;
  const prefix = query.get("prefix") ?? "";
  const names = [...s3.store.buckets.keys()].filter((name) => name.startsWith(prefix)).sort();
  const most = Math.min(Number(query.get("max-buckets") ?? 10_000) || 10_000, 10_000);
  const after = Buffer.from(query.get("continuation-token") ?? "", "base64url").toString();
  const rest = names.filter((name) => name > after);
  const shown = rest.slice(0, most);
  const asked = ["prefix", "max-buckets", "continuation-token", "bucket-region"].some((name) => query.has(name));
  const entries = shown.map((name) => {
    const bucket = s3.store.bucket(name);
    return { Name: name, CreationDate: new Date(bucket.createdAt).toISOString(), BucketRegion: asked ? bucket.region : undefined };
  });
  const more = rest.length > shown.length ? Buffer.from(shown.at(-1) ?? "").toString("base64url") : undefined;
  const tree = { Owner: owner(s3), Buckets: { Bucket: entries }, ContinuationToken: more, Prefix: prefix || undefined };
  return xml("ListAllMyBucketsResult", tree);
}

/** S3 user guide, "General purpose bucket naming rules". */
const BUCKET_NAME = /^(?!xn--|sthree-|amzn-s3-demo-)(?!\d+\.\d+\.\d+\.\d+$)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

export function createBucket(s3: S3Call): S3Reply {
  need(s3, "CreateBucket");
  const { call, store, bucket } = s3;
  if (!BUCKET_NAME.test(bucket)) {
    throw new AwsFault("InvalidBucketName", 400, "The specified bucket is not valid.", { BucketName: bucket });
  }
  const wanted = call.body.length > 0 ? childText(parseXml(call.body.toString("utf8")), "LocationConstraint") : undefined;
  if (store.buckets.has(bucket) && (wanted ?? "us-east-1") !== "us-east-1") {
    const text = "Your previous request to create the named bucket succeeded and you already own it.";
    throw new AwsFault("BucketAlreadyOwnedByYou", 409, text, { BucketName: bucket });
  }
  if (!store.buckets.has(bucket)) store.create(bucket, wanted || "us-east-1", call.now);
  return { headers: { location: `/${bucket}` } };
}

export function deleteBucket(s3: S3Call): S3Reply {
  need(s3, "DeleteBucket");
  const bucket = s3.store.bucket(s3.bucket);
  if (bucket.objects.size > 0 || bucket.uploads.size > 0) {
    throw new AwsFault("BucketNotEmpty", 409, "The bucket you tried to delete is not empty", { BucketName: s3.bucket });
  }
  s3.store.buckets.delete(s3.bucket);
  return { status: 204 };
}

export function headBucket(s3: S3Call): S3Reply {
  need(s3, "ListBucket");
  return { headers: { "x-amz-bucket-region": s3.store.bucket(s3.bucket).region, "content-type": "application/xml" } };
}

/** us-east-1 is shown as an empty constraint. */
export function getBucketLocation(s3: S3Call): S3Reply {
  need(s3, "GetBucketLocation");
  const { region } = s3.store.bucket(s3.bucket);
  const text = region === "us-east-1" ? "" : region;
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<LocationConstraint xmlns="${S3_NAMESPACE}">${text}</LocationConstraint>`;
  return { headers: { "content-type": "application/xml" }, body };
}

/** No bucket here is versioned. */
export function getBucketVersioning(s3: S3Call): S3Reply {
  need(s3, "GetBucketVersioning");
  s3.store.bucket(s3.bucket);
  return xml("VersioningConfiguration", {});
}
