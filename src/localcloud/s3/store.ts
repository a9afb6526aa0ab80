// Buckets, objects and unfinished uploads, in memory. Changed by the S3 handlers, filled by the seed.
import { createHash, randomBytes } from "node:crypto";
import type { Instant } from "../../core/clock.ts";
import { AwsFault } from "../fault.ts";

/** All objects and parts together. */
const MOST_BYTES = 1024 * 1024 * 1024;

export interface StoredObject {
  readonly body: Buffer;
  /** Without quotes: the MD5, or for a multipart object the MD5 of its parts' MD5s and their number. */
  readonly etag: string;
  readonly modifiedAt: Instant;
  /** Headers to give back: content-type, cache-control, x-amz-meta-… */
  readonly headers: Readonly<Record<string, string>>;
  /** Checksum headers by name (`x-amz-checksum-crc32`), base64. */
  readonly checksums: Readonly<Record<string, string>>;
}

export interface Part {
  readonly body: Buffer;
  readonly etag: string;
  readonly modifiedAt: Instant;
}

export interface Upload {
  readonly id: string;
  readonly key: string;
  readonly startedAt: Instant;
  readonly headers: Readonly<Record<string, string>>;
  readonly parts: Map<number, Part>;
}

export interface Bucket {
  readonly name: string;
  readonly region: string;
  readonly createdAt: Instant;
  readonly objects: Map<string, StoredObject>;
  readonly uploads: Map<string, Upload>;
}

export class ObjectStore {
  readonly buckets = new Map<string, Bucket>();
  #bytes = 0;

  create(name: string, region: string, now: Instant): Bucket {
    const bucket: Bucket = { name, region, createdAt: now, objects: new Map(), uploads: new Map() };
    this.buckets.set(name, bucket);
    return bucket;
  }

  /** @throws AwsFault `NoSuchBucket` */
  bucket(name: string): Bucket {
    const bucket = this.buckets.get(name);
    if (!bucket) throw new AwsFault("NoSuchBucket", 404, "The specified bucket does not exist", { BucketName: name });
    return bucket;
  }

  /** Stores or replaces. @throws AwsFault `EntityTooLarge` when the store is full */
  put(bucket: Bucket, key: string, object: StoredObject): void {
    this.account(object.body.length - (bucket.objects.get(key)?.body.length ?? 0));
    bucket.objects.set(key, object);
  }

  remove(bucket: Bucket, key: string): void {
    this.account(-(bucket.objects.get(key)?.body.length ?? 0));
    bucket.objects.delete(key);
  }

  putPart(upload: Upload, number: number, part: Part): void {
    this.account(part.body.length - (upload.parts.get(number)?.body.length ?? 0));
    upload.parts.set(number, part);
  }

  /** Ends an upload and gives up its parts. */
  removeUpload(bucket: Bucket, upload: Upload): void {
    this.account(-[...upload.parts.values()].reduce((sum, part) => sum + part.body.length, 0));
    bucket.uploads.delete(upload.id);
  }

  private account(change: number): void {
    if (change > 0 && this.#bytes + change > MOST_BYTES) {
      throw new AwsFault("EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size of the local cloud");
    }
    this.#bytes += change;
  }
}

export const md5 = (data: Uint8Array): string => createHash("md5").update(data).digest("hex");

export const newUploadId = (): string => randomBytes(48).toString("base64url");
