// S3 (REST): finds the operation and hands it over. Registered in cloud.ts.
import type { Call, Reply, Service } from "../call.ts";
import { AwsFault } from "../fault.ts";
import { hostId } from "../reply.ts";
import { type Address, addressOf, operationOf } from "./address.ts";
import { createBucket, deleteBucket, getBucketLocation, getBucketVersioning, headBucket, listBuckets } from "./buckets.ts";
import { listObjects } from "./list.ts";
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  listMultipartUploads,
  listParts,
  uploadPart,
  uploadPartCopy,
} from "./multipart.ts";
import { copyObject, deleteObject, deleteObjects, getObject, putObject } from "./objects.ts";
import type { S3Call, S3Reply } from "./s3-call.ts";
import type { ObjectStore } from "./store.ts";

const OPERATIONS: Readonly<Record<string, (s3: S3Call) => S3Reply>> = {
  AbortMultipartUpload: abortMultipartUpload,
  CompleteMultipartUpload: completeMultipartUpload,
  CopyObject: copyObject,
  CreateBucket: createBucket,
  CreateMultipartUpload: createMultipartUpload,
  DeleteBucket: deleteBucket,
  DeleteObject: deleteObject,
  DeleteObjects: deleteObjects,
  GetBucketLocation: getBucketLocation,
  GetBucketVersioning: getBucketVersioning,
  GetObject: getObject,
  HeadBucket: headBucket,
  HeadObject: getObject,
  ListBuckets: listBuckets,
  ListMultipartUploads: listMultipartUploads,
  ListObjects: listObjects,
  ListObjectsV2: listObjects,
  ListParts: listParts,
  PutObject: putObject,
  UploadPart: uploadPart,
  UploadPartCopy: uploadPartCopy,
};

/** Bucket-level calls that CloudTrail counts as management events (CloudTrail user guide, "Amazon S3 events"). */
const MANAGEMENT = /^(ListBuckets|CreateBucket|DeleteBucket|HeadBucket|GetBucket|PutBucket|DeleteBucket)/;

export function s3Service(store: ObjectStore): Service {
  return {
    name: "s3",
    dialect: "s3",
    operation: operationOf,
    handle: (call) => finish(call, handle(call, store)),
    managementEvent: (operation) => MANAGEMENT.test(operation),
  };
}

function handle(call: Call, store: ObjectStore): S3Reply {
  const { bucket, key }: Address = addressOf(call.head);
  call.notes.request = { ...(bucket && { bucketName: bucket }), ...(key && { key }), Host: call.head.host };
  if (bucket) call.notes.resources.push({ type: "AWS::S3::Bucket", name: `arn:aws:s3:::${bucket}` });
  if (bucket && key) call.notes.resources.push({ type: "AWS::S3::Object", name: `arn:aws:s3:::${bucket}/${key}` });
  const operation = Object.hasOwn(OPERATIONS, call.operation) ? OPERATIONS[call.operation] : undefined;
  if (operation) return operation({ call, store, bucket: bucket ?? "", key: key ?? "" });
  if (call.operation === "") {
    throw new AwsFault("MethodNotAllowed", 405, "The specified method is not allowed against this resource.", { Method: call.head.method });
  }
  throw new AwsFault("NotImplemented", 501, "A header you provided implies functionality that is not implemented", {
    Header: call.operation,
  });
}

function finish(call: Call, reply: S3Reply): Reply {
  const ids = { "x-amz-request-id": call.requestId, "x-amz-id-2": hostId(call.requestId) };
  return { status: reply.status ?? 200, headers: { ...ids, ...reply.headers }, body: reply.body ?? "" };
}
