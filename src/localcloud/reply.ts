// How each protocol writes a success and an error. Called by the services and, for errors, by pipeline.ts.
import type { Reply } from "./call.ts";
import type { AwsFault, Dialect } from "./fault.ts";
import { document, type XmlTree } from "./xml.ts";

/** Query protocol: `<XResponse><XResult>…</XResult><ResponseMetadata/></XResponse>`; without a result element when there is none. */
export function queryReply(namespace: string, operation: string, requestId: string, result: XmlTree | undefined): Reply {
  const tree = { ...(result && { [`${operation}Result`]: result }), ResponseMetadata: { RequestId: requestId } };
  return xmlReply(200, document(`${operation}Response`, namespace, tree, "member"), { "x-amzn-requestid": requestId });
}

export function xmlReply(status: number, body: string, headers: Readonly<Record<string, string>>): Reply {
  return { status, headers: { "content-type": "text/xml", ...headers }, body };
}

export function jsonReply(status: number, value: unknown, requestId: string): Reply {
  const headers = { "content-type": "application/x-amz-json-1.1", "x-amzn-requestid": requestId };
  return { status, headers, body: JSON.stringify(value) };
}

/** @param namespace of the service, for the query protocol's error document */
export function faultReply(dialect: Dialect, fault: AwsFault, requestId: string, resource: string, namespace?: string): Reply {
  const { code, status, message } = fault;
  if (dialect === "json") return jsonReply(status, { __type: code, message }, requestId);
  if (dialect === "ec2") {
    const tree = { Errors: { Error: { Code: code, Message: message } }, RequestID: requestId };
    return xmlReply(status, document("Response", undefined, tree), { "x-amzn-requestid": requestId });
  }
  if (dialect === "query") {
    const tree = { Error: { Type: status < 500 ? "Sender" : "Receiver", Code: code, Message: message }, RequestId: requestId };
    return xmlReply(status, document("ErrorResponse", namespace, tree), { "x-amzn-requestid": requestId });
  }
  const tree = { Code: code, Message: message, ...fault.fields, Resource: resource, RequestId: requestId, HostId: hostId(requestId) };
  return {
    status,
    headers: { "content-type": "application/xml", "x-amz-request-id": requestId, "x-amz-id-2": hostId(requestId), ...fault.headers },
    body: document("Error", undefined, tree),
  };
}

/** S3's second request id; opaque to everybody. */
export function hostId(requestId: string): string {
  return Buffer.from(`host ${requestId}`).toString("base64");
}
