// Conditional headers and byte ranges (RFC 9110, sections 13 and 14, as S3 applies them). Called by objects.ts and multipart.ts.
import { type HttpHead, header } from "../call.ts";
import { AwsFault } from "../fault.ts";
import type { StoredObject } from "./store.ts";

const failed = (condition: string): AwsFault =>
  new AwsFault("PreconditionFailed", 412, "At least one of the pre-conditions you specified did not hold", { Condition: condition });

function lists(value: string, etag: string): boolean {
  return value.split(",").some((part) => part.trim() === "*" || part.trim().replace(/^(W\/)?"(.*)"$/, "$2") === etag);
}

/** For a read: true when the client's copy is still good. @throws AwsFault `PreconditionFailed` */
export function notModified(head: HttpHead, object: StoredObject): boolean {
  const match = header(head, "if-match");
  const noneMatch = header(head, "if-none-match");
  const since = Date.parse(header(head, "if-modified-since") ?? "");
  const unmodified = Date.parse(header(head, "if-unmodified-since") ?? "");
  const modified = Math.floor(object.modifiedAt / 1000) * 1000;
  if (match !== undefined && !lists(match, object.etag)) throw failed("If-Match");
  if (match === undefined && modified > unmodified) throw failed("If-Unmodified-Since");
  if (noneMatch !== undefined) return lists(noneMatch, object.etag);
  return modified <= since;
}

/** For a write: what is there now must be as the request says. @throws AwsFault `PreconditionFailed`, `NoSuchKey` */
export function checkConditions(head: HttpHead, object: StoredObject | undefined, key: string, prefix = ""): void {
  const match = header(head, `${prefix}if-match`);
  const noneMatch = header(head, `${prefix}if-none-match`);
  if (match !== undefined && !object) throw new AwsFault("NoSuchKey", 404, "The specified key does not exist.", { Key: key });
  if (match !== undefined && object && !lists(match, object.etag)) throw failed(`${prefix}If-Match`);
  if (noneMatch !== undefined && object && lists(noneMatch, object.etag)) throw failed(`${prefix}If-None-Match`);
}

/** First and last byte, inclusive; undefined for the whole object, which a malformed range gives too. @throws AwsFault `InvalidRange` */
export function rangeOf(head: HttpHead, object: StoredObject, name = "range"): { first: number; last: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header(head, name) ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  const size = object.body.length;
  const first = match[1] === "" ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const last = match[1] === "" || match[2] === "" ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (match[1] !== "" && match[2] !== "" && Number(match[2]) < first) return undefined;
  if (first >= size || (match[1] === "" && match[2] === "0")) {
    throw new AwsFault(
      "InvalidRange",
      416,
      "The requested range is not satisfiable",
      { RangeRequested: header(head, name) ?? "", ActualObjectSize: size },
      { "content-range": `bytes */${size}` },
    );
  }
  return { first, last };
}
