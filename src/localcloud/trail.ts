// What really happened: one entry a call, in the shape of a CloudTrail record. Written by pipeline.ts, read by cloudtrail.ts and by tests.
import { randomUUID } from "node:crypto";
import type { Instant } from "../core/clock.ts";
import type { Call } from "./call.ts";
import type { Caller } from "./caller.ts";

/** The oldest entries go when there are more. */
const MOST_ENTRIES = 20_000;

/** One call, as LookupEvents shows it, and the record inside. */
export interface TrailEntry {
  readonly id: string;
  readonly at: Instant;
  /** `AssumeRole` */
  readonly name: string;
  /** `sts.amazonaws.com` */
  readonly source: string;
  readonly username: string | undefined;
  readonly accessKeyId: string;
  readonly readOnly: boolean;
  readonly resources: readonly { readonly type: string; readonly name: string }[];
  /** Whether the event history has it: object-level calls are not in there. */
  readonly management: boolean;
  /** The CloudTrail record (user guide, "CloudTrail record contents"). */
  readonly record: Readonly<Record<string, unknown>>;
}

export interface Outcome {
  readonly errorCode?: string;
  readonly errorMessage?: string;
}

export class Trail {
  readonly #entries: TrailEntry[] = [];

  /** Newest last. */
  get entries(): readonly TrailEntry[] {
    return this.#entries;
  }

  add(call: Call, outcome: Outcome, management: boolean): void {
    if (this.#entries.length >= MOST_ENTRIES) this.#entries.shift();
    this.#entries.push(entryOf(call, outcome, management));
  }
}

const READ_ONLY = /^(Get|List|Describe|Head|Lookup|Simulate|AssumeRole|GenerateCredential)/;

function entryOf(call: Call, outcome: Outcome, management: boolean): TrailEntry {
  const id = randomUUID();
  const readOnly = READ_ONLY.test(call.operation);
  const source = `${call.service}.amazonaws.com`;
  const account = call.cloud.account.id;
  const resources = call.notes.resources.map(({ type, name }) => ({ accountId: account, type, ARN: name }));
  const record = {
    eventVersion: "1.11",
    userIdentity: userIdentity(call.caller, account),
    eventTime: isoSeconds(call.now),
    eventSource: source,
    eventName: call.operation,
    awsRegion: call.region,
    sourceIPAddress: call.head.remoteAddress,
    userAgent: call.head.headers.get("user-agent")?.[0] ?? "",
    ...outcome,
    requestParameters: call.notes.request ?? null,
    responseElements: outcome.errorCode === undefined ? (call.notes.response ?? null) : null,
    requestID: call.requestId,
    eventID: id,
    readOnly,
    ...(resources.length > 0 && { resources }),
    eventType: "AwsApiCall",
    managementEvent: management,
    recipientAccountId: account,
    eventCategory: management ? "Management" : "Data",
  };
  const { session, holder } = call.caller;
  return {
    id,
    at: call.now,
    name: call.operation,
    source,
    username: session && session.kind !== "user" ? session.name : (holder?.name ?? "root"),
    accessKeyId: call.caller.accessKeyId,
    readOnly,
    resources: call.notes.resources,
    management,
    record,
  };
}

/** CloudTrail user guide, "CloudTrail userIdentity element". Session tags are in the AssumeRole record's principalTags only, as AWS has it. */
function userIdentity(caller: Caller, accountId: string): Record<string, unknown> {
  const { session, holder, accessKeyId } = caller;
  const base = { principalId: caller.userId, arn: caller.arn, accountId, accessKeyId };
  if (!holder) return { type: "Root", ...base };
  if (!session) return { type: "IAMUser", ...base, userName: holder.name };
  const attributes = { creationDate: isoSeconds(session.issuedAt), mfaAuthenticated: String(session.mfaAt !== undefined) };
  if (session.kind === "user") return { type: "IAMUser", ...base, userName: holder.name, sessionContext: { attributes } };
  const sessionIssuer = {
    type: holder.kind === "role" ? "Role" : "IAMUser",
    principalId: holder.id,
    arn: holder.arn,
    accountId,
    userName: holder.name,
  };
  const sourceIdentity = session.sourceIdentity === undefined ? {} : { sourceIdentity: session.sourceIdentity };
  const type = session.kind === "role" ? "AssumedRole" : "FederatedUser";
  return { type, ...base, sessionContext: { sessionIssuer, attributes, ...sourceIdentity } };
}

/** `2022-11-22T10:15:00Z` */
export function isoSeconds(ms: Instant): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
