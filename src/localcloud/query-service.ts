// What the query-protocol services (STS, IAM) share: the operation's name, its parameters, the answer around its result. Used by sts.ts and iam.ts.
import type { Call, HttpHead, Reply } from "./call.ts";
import { AwsFault } from "./fault.ts";
import { Params } from "./params.ts";
import { queryReply } from "./reply.ts";
import type { XmlTree } from "./xml.ts";

/** Gives the content of the result element, or nothing where the operation has none. */
export type QueryOperation = (call: Call, params: Params) => XmlTree | undefined;

export interface QueryService {
  readonly namespace: string;
  /** `2011-06-15` */
  readonly version: string;
  readonly operations: Readonly<Record<string, QueryOperation>>;
  /** Refuses whole kinds of callers before the operation runs. */
  readonly check?: (call: Call) => void;
}

/** Parameters come as a form; in a presigned request, in the query string. */
export function queryParams(head: HttpHead, body: Buffer): Params {
  return Params.parse(body.length > 0 ? body.toString("utf8") : head.rawQuery);
}

/** `Action`, as sent. @throws AwsFault `MissingAction` */
export function queryOperation(head: HttpHead, body: Buffer): string {
  const action = queryParams(head, body).get("Action");
  if (!action) throw new AwsFault("MissingAction", 400, "Could not find an Action parameter in the request");
  return action;
}

export function queryHandler(service: QueryService): (call: Call) => Reply {
  return (call) => {
    const params = queryParams(call.head, call.body);
    const version = params.get("Version") ?? service.version;
    const operation = Object.hasOwn(service.operations, call.operation) ? service.operations[call.operation] : undefined;
    if (!operation || version !== service.version) {
      throw new AwsFault("InvalidAction", 400, `Could not find operation ${call.operation} for version ${version}`);
    }
    service.check?.(call);
    call.notes.request = params.toJSON(["Action", "Version", "TokenCode"]);
    return queryReply(service.namespace, call.operation, call.requestId, operation(call, params));
  };
}
