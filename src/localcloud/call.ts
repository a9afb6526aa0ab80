// One request on its way through the local cloud: what the handlers get, and the shape of a service. Made by pipeline.ts.
import type { Clock, Instant } from "../core/clock.ts";
import type { RequestContext } from "../policy/types.ts";
import type { Account } from "./account.ts";
import type { Caller } from "./caller.ts";
import type { Dialect } from "./fault.ts";
import type { SignedRequest } from "./signature.ts";
import type { Switches } from "./switches.ts";
import type { Trail } from "./trail.ts";

/** The head of an HTTP request. */
export interface HttpHead extends SignedRequest {
  readonly query: URLSearchParams;
  /** `Host` as sent. */
  readonly host: string;
  readonly remoteAddress: string;
}

/** First value of a header, by lower-case name. */
export function header(head: SignedRequest, name: string): string | undefined {
  return head.headers.get(name)?.[0];
}

/** What all services share. */
export interface Cloud {
  readonly account: Account;
  readonly region: string;
  readonly clock: Clock;
  readonly switches: Switches;
  readonly trail: Trail;
}

/** What is recorded of a call beside its caller and outcome: filled in by the handler. */
export interface CallNotes {
  request: unknown;
  response: unknown;
  resources: { readonly type: string; readonly name: string }[];
}

export interface Call {
  readonly cloud: Cloud;
  readonly head: HttpHead;
  readonly body: Buffer;
  /** What came after the chunks of an `aws-chunked` body, by lower-case name. */
  readonly trailers: ReadonlyMap<string, string>;
  /** `sts`, and the operation's own name: `AssumeRole`. */
  readonly service: string;
  readonly operation: string;
  readonly caller: Caller;
  /** Region of the credential scope. */
  readonly region: string;
  readonly now: Instant;
  readonly requestId: string;
  /** Condition keys that every request has. */
  readonly context: RequestContext;
  readonly notes: CallNotes;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export interface Service {
  /** As in the credential scope. */
  readonly name: string;
  readonly dialect: Dialect;
  /** XML namespace of the query protocol's answers. */
  readonly namespace?: string;
  /** The operation that a request asks for. A name that the service does not know gets the protocol's own error from `handle`. */
  operation(head: HttpHead, body: Buffer): string;
  handle(call: Call): Reply;
  /** Whether CloudTrail's event history has it; object-level calls are not in there. */
  managementEvent(operation: string): boolean;
}
