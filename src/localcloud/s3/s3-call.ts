// What the S3 handlers share: the request with its address, the answer, the permission check. Made by s3.ts.
import { authorize } from "../authorize.ts";
import type { Call } from "../call.ts";
import { document, type XmlTree } from "../xml.ts";
import type { ObjectStore } from "./store.ts";

/** A request to S3 with its address taken apart. */
export interface S3Call {
  readonly call: Call;
  readonly store: ObjectStore;
  /** Empty for ListBuckets. */
  readonly bucket: string;
  readonly key: string;
}

/** What a handler answers; ids are added on the way out. */
export interface S3Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export const S3_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

export function xml(root: string, tree: XmlTree): S3Reply {
  return { headers: { "content-type": "application/xml" }, body: document(root, S3_NAMESPACE, tree) };
}

/** The owner that every bucket and object shows: the account. */
export function owner({ call }: S3Call): { ID: string; DisplayName: string } {
  return { ID: call.cloud.account.id.padStart(64, "0"), DisplayName: "local-cloud" };
}

const S3_CONTEXT = ["acl", "content-sha256", "copy-source", "metadata-directive", "server-side-encryption", "storage-class"];

/** Asks for one S3 action on the bucket or, with a key, on the object. */
export function need(s3: S3Call, action: string, key?: string, more: Readonly<Record<string, string>> = {}): void {
  const { call } = s3;
  const context: Record<string, string> = { ...more };
  for (const name of S3_CONTEXT) {
    const value = call.head.headers.get(`x-amz-${name}`)?.[0];
    if (value !== undefined) context[`s3:x-amz-${name}`] = value;
  }
  const resource = s3.bucket === "" ? "arn:aws:s3:::*" : `arn:aws:s3:::${s3.bucket}${key === undefined ? "" : `/${key}`}`;
  authorize(call, { action: `s3:${action}`, resource, context: { ...context, "aws:ResourceAccount": call.cloud.account.id } });
}
