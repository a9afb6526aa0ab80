// What the local cloud answers when it refuses: AWS's own codes and texts, by protocol. Thrown by every handler, written by reply.ts.

/** How a service writes requests and errors: `query` (STS, IAM), `ec2`, `json` (CloudTrail), `s3`. */
export type Dialect = "query" | "ec2" | "json" | "s3";

/** Further elements of an S3 error body, such as `BucketName`. */
export type FaultFields = Readonly<Record<string, string | number>>;

/** An error answer on the wire; not a failure of the product. */
export class AwsFault extends Error {
  readonly code: string;
  readonly status: number;
  readonly fields: FaultFields;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: string, status: number, message: string, fields: FaultFields = {}, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.fields = fields;
    this.headers = headers;
  }
}

/** Why a request is not accepted as coming from anybody. */
export type AuthFailure = "missing" | "unknown-key" | "wrong-token" | "expired-token" | "signature" | "expired-signature" | "incomplete";

const TOKEN_INVALID = "The security token included in the request is invalid.";
const TOKEN_EXPIRED = "The security token included in the request is expired";
const SIGNATURE =
  "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
const EC2_AUTH = "AWS was not able to validate the provided access credentials";

/** IAM user guide and each service's "common errors" page; S3 API, error responses; EC2 API, error codes. */
const AUTH: Record<Dialect, Record<AuthFailure, readonly [code: string, status: number, message: string]>> = {
  query: {
    missing: ["MissingAuthenticationToken", 403, "Request is missing Authentication Token"],
    "unknown-key": ["InvalidClientTokenId", 403, TOKEN_INVALID],
    "wrong-token": ["InvalidClientTokenId", 403, TOKEN_INVALID],
    "expired-token": ["ExpiredToken", 403, TOKEN_EXPIRED],
    signature: ["SignatureDoesNotMatch", 403, SIGNATURE],
    "expired-signature": ["SignatureDoesNotMatch", 403, ""],
    incomplete: ["IncompleteSignature", 400, ""],
  },
  json: {
    missing: ["MissingAuthenticationTokenException", 400, "Missing Authentication Token"],
    "unknown-key": ["UnrecognizedClientException", 400, TOKEN_INVALID],
    "wrong-token": ["UnrecognizedClientException", 400, TOKEN_INVALID],
    "expired-token": ["ExpiredTokenException", 400, TOKEN_EXPIRED],
    signature: ["InvalidSignatureException", 400, SIGNATURE],
    "expired-signature": ["InvalidSignatureException", 400, ""],
    incomplete: ["IncompleteSignatureException", 400, ""],
  },
  ec2: {
    missing: ["MissingAuthenticationToken", 403, "Request is missing Authentication Token"],
    "unknown-key": ["AuthFailure", 401, EC2_AUTH],
    "wrong-token": ["AuthFailure", 401, EC2_AUTH],
    "expired-token": ["RequestExpired", 400, "Request has expired."],
    signature: ["AuthFailure", 401, EC2_AUTH],
    "expired-signature": ["RequestExpired", 400, "Request has expired."],
    incomplete: ["IncompleteSignature", 400, ""],
  },
  s3: {
    missing: ["AccessDenied", 403, "Access Denied"],
    "unknown-key": ["InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records."],
    "wrong-token": ["InvalidToken", 400, "The provided token is malformed or otherwise invalid."],
    "expired-token": ["ExpiredToken", 400, "The provided token has expired."],
    signature: [
      "SignatureDoesNotMatch",
      403,
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    ],
    "expired-signature": ["RequestTimeTooSkewed", 403, "The difference between the request time and the current time is too large."],
    incomplete: ["AuthorizationHeaderMalformed", 400, ""],
  },
};

/**
 * The answer to a request that is not authenticated, as this protocol words it.
 * @param detail replaces the text where AWS's own text depends on the request and the protocol has no fixed one
 */
export function authFault(dialect: Dialect, failure: AuthFailure, detail = "", fields: FaultFields = {}): AwsFault {
  const [code, status, message] = AUTH[dialect][failure];
  return new AwsFault(code, status, message === "" ? detail : message, fields);
}

/** `ValidationError` of the query protocol, worded as the service's request validation does. */
export function constraint(value: string | undefined, field: string, rule: string): AwsFault {
  const shown = value === undefined ? "null" : `'${value}'`;
  const text = `1 validation error detected: Value ${shown} at '${field}' failed to satisfy constraint: Member must ${rule}`;
  return new AwsFault("ValidationError", 400, text);
}
