// CloudTrail (JSON 1.1): LookupEvents over what really happened. Registered in cloud.ts.
import * as z from "zod/mini";
import { authorize } from "./authorize.ts";
import { type Call, type HttpHead, header, type Reply, type Service } from "./call.ts";
import { AwsFault } from "./fault.ts";
import { jsonReply } from "./reply.ts";
import type { TrailEntry } from "./trail.ts";

/** Python's clients send the long form, JavaScript's the short one. */
const TARGET = /^(?:com\.amazonaws\.cloudtrail\.v20131101\.)?CloudTrail_20131101\.(\w+)$/;
const DAYS_KEPT = 90;

export const cloudtrail: Service = {
  name: "cloudtrail",
  dialect: "json",
  operation: (head: HttpHead) => TARGET.exec(header(head, "x-amz-target") ?? "")?.[1] ?? "Unknown",
  handle,
  managementEvent: () => true,
};

const lookup = z.object({
  LookupAttributes: z.optional(z.array(z.object({ AttributeKey: z.string(), AttributeValue: z.string() }))),
  /** Epoch seconds. */
  StartTime: z.optional(z.number()),
  EndTime: z.optional(z.number()),
  MaxResults: z.optional(z.number()),
  NextToken: z.optional(z.string()),
  EventCategory: z.optional(z.string()),
});
type Lookup = z.infer<typeof lookup>;

function handle(call: Call): Reply {
  if (call.operation !== "LookupEvents") throw new AwsFault("UnknownOperationException", 400, "");
  authorize(call, { action: "cloudtrail:LookupEvents", resource: "*" });
  const parsed = lookup.safeParse(readJson(call.body));
  if (!parsed.success) throw new AwsFault("SerializationException", 400, "Start of structure or map found where not expected.");
  call.notes.request = parsed.data;
  return jsonReply(200, lookupEvents(call, parsed.data), call.requestId);
}

function readJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8") || "{}");
  } catch {
    throw new AwsFault("SerializationException", 400, "The request body is not valid JSON");
  }
}

const ATTRIBUTES: Readonly<Record<string, (entry: TrailEntry, value: string) => boolean>> = {
  AccessKeyId: (entry, value) => entry.accessKeyId === value,
  EventId: (entry, value) => entry.id === value,
  EventName: (entry, value) => entry.name === value,
  EventSource: (entry, value) => entry.source === value,
  ReadOnly: (entry, value) => String(entry.readOnly) === value,
  ResourceName: (entry, value) =>
    entry.resources.some(({ name }) => name === value || name.endsWith(`/${value}`) || name.endsWith(`:${value}`)),
  ResourceType: (entry, value) => entry.resources.some(({ type }) => type === value),
  Username: (entry, value) => entry.username === value,
};

/** CloudTrail API Reference, LookupEvents: one attribute, newest first, 50 a page, the last 90 days, management events only. */
function lookupEvents(call: Call, input: Lookup): Record<string, unknown> {
  const attributes = input.LookupAttributes ?? [];
  const [attribute] = attributes;
  const fits = attribute && ATTRIBUTES[attribute.AttributeKey];
  if (attributes.length > 1 || (attribute && (!fits || attribute.AttributeValue === ""))) {
    throw new AwsFault("InvalidLookupAttributesException", 400, "Invalid lookup attributes.");
  }
  const most = input.MaxResults ?? 50;
  if (!Number.isInteger(most) || most < 1 || most > 50) {
    throw new AwsFault("InvalidMaxResultsException", 400, "MaxResults must be between 1 and 50.");
  }
  const start = (input.StartTime ?? 0) * 1000;
  const end = (input.EndTime ?? Number.POSITIVE_INFINITY) * 1000;
  if (start > end) throw new AwsFault("InvalidTimeRangeException", 400, "Start time must not be later than end time.");
  const { trail, switches } = call.cloud;
  const visible = trail.entries.filter(
    (entry) =>
      entry.management &&
      entry.at + switches.trailMs <= call.now &&
      entry.at > call.now - DAYS_KEPT * 86_400_000 &&
      entry.at >= start &&
      entry.at <= end &&
      (!attribute || fits?.(entry, attribute.AttributeValue)),
  );
  const newest = visible.toReversed();
  const from = input.NextToken === undefined ? 0 : newest.findIndex((entry) => entry.id === tokenId(input.NextToken ?? "")) + 1;
  if (input.NextToken !== undefined && from === 0) throw new AwsFault("InvalidNextTokenException", 400, "Invalid NextToken.");
  const page = newest.slice(from, from + most);
  const last = page.at(-1);
  const more = last !== undefined && newest.length > from + most;
  return { Events: page.map(shown), ...(more && { NextToken: Buffer.from(last.id).toString("base64") }) };
}

const tokenId = (token: string): string => Buffer.from(token, "base64").toString("utf8");

function shown(entry: TrailEntry): Record<string, unknown> {
  return {
    EventId: entry.id,
    EventName: entry.name,
    ReadOnly: String(entry.readOnly),
    AccessKeyId: entry.accessKeyId,
    EventTime: Math.floor(entry.at / 1000),
    EventSource: entry.source,
    ...(entry.username !== undefined && { Username: entry.username }),
    Resources: entry.resources.map(({ type, name }) => ({ ResourceType: type, ResourceName: name })),
    CloudTrailEvent: JSON.stringify(entry.record),
  };
}
