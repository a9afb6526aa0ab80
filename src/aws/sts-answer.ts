// What STS answered: the result of an operation, or the error that it names. Called by sts.
import { elementAt, readXml, type XmlElement } from "./answer-xml.ts";

export interface Reply {
  readonly status: number;
  /** By lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** An answer that is an error, in the form of the SDK's own errors, so that `readFailure` reads both. Nothing of the request is in it. */
export class ServiceError extends Error {
  override readonly name: string;
  readonly $metadata: { readonly httpStatusCode: number };
  /** How long the service asks to be left alone. */
  readonly retryAfterMs: number | undefined;

  constructor(name: string, message: string, { status, headers }: Omit<Reply, "text">) {
    super(message);
    this.name = name;
    this.$metadata = { httpStatusCode: status };
    this.retryAfterMs = retryAfter(headers);
  }
}

/** Names what is no answer of AWS at all: a portal's page, JSON, half a document. */
export const UNREADABLE = "UnreadableAnswer";

/** As the API's model calls those whose code on the wire differs (STS API reference, "Common Errors", and each operation's). */
const MODELLED: Readonly<Record<string, string>> = {
  IDPCommunicationError: "IDPCommunicationErrorException",
  IDPRejectedClaim: "IDPRejectedClaimException",
  InvalidIdentityToken: "InvalidIdentityTokenException",
  MalformedPolicyDocument: "MalformedPolicyDocumentException",
  PackedPolicyTooLarge: "PackedPolicyTooLargeException",
};

/**
 * The `<action>Result` of an answer; undefined where there is none in it. Redirects are answers like others, and are not followed.
 * @throws ServiceError
 */
export function resultOf(action: string, reply: Reply): XmlElement | undefined {
  const root = reply.text === "" ? undefined : readXml(reply.text);
  if (reply.text !== "" && root === undefined) throw new ServiceError(UNREADABLE, "", reply);
  if (reply.status < 300) return elementAt(root, `${action}Result`);
  const error = elementAt(root, "Error") ?? elementAt(root, "Errors", "Error");
  const code = elementAt(error, "Code")?.text ?? (reply.status === 404 ? "NotFound" : "Unknown");
  const name = code.split("#")[1] ?? code;
  const message = (elementAt(error, "message") ?? elementAt(error, "Message") ?? elementAt(root, "message") ?? elementAt(root, "Message"))
    ?.text;
  throw new ServiceError(MODELLED[name] ?? name, message === "" ? "UnknownError" : (message ?? "Unknown"), reply);
}

/** `Retry-After` in seconds or as a date, or AWS's own header in milliseconds. */
function retryAfter(headers: Reply["headers"]): number | undefined {
  const own = Number(headers["x-amz-retry-after"] ?? Number.NaN);
  const told = String(headers["retry-after"] ?? "");
  const ms = /^\d+(\.\d+)?$/.test(told) ? Number(told) * 1000 : told.endsWith("GMT") ? Date.parse(told) - Date.now() : own;
  return ms > 0 ? ms : undefined;
}
