// What a failed STS or IAM call means for the human: which code, which sentence, which mend. Called by identity, assume and the credential sources.
import type { IAMClient } from "@aws-sdk/client-iam";
import { formatSpan } from "../core/duration.ts";
import { AgentRunError } from "../core/error.ts";
import { oneLine } from "../core/printable.ts";
import { endpointOf, regionOf } from "./client.ts";
import type { StsClient } from "./sts.ts";
import { UNREADABLE } from "./sts-answer.ts";

/** What is known of an error that STS, the AWS SDK or Node's sockets threw. The error itself is not kept: it holds the signed request. */
export interface ServiceFailure {
  /** AWS's error code, or Node's, such as `AccessDenied`, `ECONNREFUSED`. */
  readonly name: string;
  /** AWS's own text, safe to print. */
  readonly text: string;
  readonly status: number | undefined;
}

/** Reads an error of a call. Anything in its text that could be a key or a token is blotted out. */
export function readFailure(thrown: unknown): ServiceFailure {
  const error = (thrown ?? {}) as { name?: unknown; code?: unknown; message?: unknown; $metadata?: { httpStatusCode?: number } };
  const status = error.$metadata?.httpStatusCode;
  const name = status === undefined && typeof error.code === "string" ? error.code : String(error.name ?? "Error");
  return { name, text: printable(String(error.message ?? "")), status };
}

/**
 * One line of at most 400 characters, without control and invisible characters and without runs that could be a secret key (40) or a session token
 * (100 and more). The path of a role is none, where an ARN says that it is one.
 */
export function printable(text: string): string {
  const line = text
    .replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, " ")
    .replace(/(arn:aws[a-z-]*:iam::\d{12}:)?[A-Za-z0-9+/=]{40,}/g, (run, arn) => (arn === undefined ? "[redacted]" : run))
    .trim();
  return oneLine(line.length > 400 ? `${line.slice(0, 399)}…` : line);
}

const UNREACHABLE = new Set([
  ...[
    "ECONNREFUSED",
    "ECONNRESET",
    "EPIPE",
    "ETIMEDOUT",
    "EHOSTUNREACH",
    "ENETUNREACH",
    "ENETDOWN",
    "EADDRNOTAVAIL",
    "ECONNABORTED",
    "EPROTO",
  ],
  ...["TimeoutError", "AbortError", "ENOTFOUND", "EAI_AGAIN", "EAI_FAIL", "ERR_SOCKET_CONNECTION_TIMEOUT", "HPE_INVALID_CONSTANT"],
]);
const THROTTLED = new Set([
  "Throttling",
  "ThrottlingException",
  "ThrottledException",
  "RequestLimitExceeded",
  "TooManyRequestsException",
  "SlowDown",
]);
const EXPIRED = new Set(["ExpiredToken", "ExpiredTokenException", "RequestExpired"]);
const REJECTED = new Set(["InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "InvalidToken"]);

/**
 * The AgentRunError for what any call can meet: network, throttling, clock, rejected or expired credentials; what is left gets `fallback`'s code.
 * @param action such as `sts:AssumeRole`
 * @param heldBy the AWS profile that holds the keys that signed it, where one does
 */
export async function explainFailure(
  thrown: unknown,
  client: StsClient | IAMClient,
  action: string,
  fallback: "base-credentials" | "assume-role" | "restriction" = "base-credentials",
  heldBy?: string,
): Promise<AgentRunError> {
  if (thrown instanceof AgentRunError) return thrown;
  const failure = readFailure(thrown);
  const region = await regionOf(client);
  return (
    networkFailure(failure, await endpointOf(client)) ??
    credentialFailure(failure, region, heldBy) ??
    unknownFailure(failure, action, fallback)
  );
}

/** For a failure to reach an endpoint, or of the endpoint itself; undefined when AWS answered about the request. */
export function networkFailure({ name, text, status }: ServiceFailure, endpoint: string): AgentRunError | undefined {
  const fail = (what: string, hint: string): AgentRunError =>
    new AgentRunError("sts-unreachable", `cannot reach ${endpoint}: ${what}`, { hint });
  if (name === "ENOTFOUND" || name === "EAI_AGAIN" || name === "EAI_FAIL") {
    const missing = new RegExp(`${name} ([\\w.-]+)$`).exec(text)?.[1];
    const proxy = missing === undefined || endpoint.includes(missing) ? undefined : missing;
    if (proxy !== undefined) {
      return fail(
        `the name of the proxy ${proxy} does not resolve (${name})`,
        "check HTTPS_PROXY, or set NO_PROXY=.amazonaws.com to go without it",
      );
    }
    return fail(
      `its name does not resolve (${name})`,
      endpoint.includes("-fips.")
        ? "AWS_USE_FIPS_ENDPOINT is set, and not every region has fips endpoints: pass --region with one that has, such as us-east-1; check the network"
        : "check the network, the vpn, HTTPS_PROXY (an http:// or https:// proxy) and --region: a misspelt region has no endpoint",
    );
  }
  if (name === "ECONNREFUSED") return fail("connection refused", "check --endpoint-url or AWS_ENDPOINT_URL, and HTTPS_PROXY");
  if (name === "TimeoutError" || name === "ETIMEDOUT" || name === "AbortError") {
    return fail("no answer in time", "check the network, the vpn and HTTPS_PROXY");
  }
  if (/^(CERT_|ERR_TLS|ERR_SSL|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/.test(name)) {
    return fail(`its certificate was not accepted (${name})`, "set AWS_CA_BUNDLE to your company's certificate authorities");
  }
  if (UNREACHABLE.has(name)) return fail(`the connection broke (${name})`, "check the network, the vpn and HTTPS_PROXY");
  if (THROTTLED.has(name) || status === 429)
    return new AgentRunError("sts-unreachable", `${endpoint} is throttling${text ? `: '${text}'` : ""}`, {
      hint: "wait a minute and try again",
    });
  if ((status ?? 0) >= 500) {
    return new AgentRunError("sts-unreachable", `${endpoint} answered ${status}${text ? `: '${text}'` : ""}`, {
      hint: "try again; https://health.aws.amazon.com shows the state of aws",
    });
  }
  if (name === UNREADABLE || name === "SyntaxError" || /^HPE_/.test(name)) {
    return new AgentRunError("sts-unreachable", `what answers at ${endpoint} is not aws`, {
      hint: "check --endpoint-url or AWS_ENDPOINT_URL, and HTTPS_PROXY",
    });
  }
  return undefined;
}

function credentialFailure({ name, text }: ServiceFailure, region: string, heldBy: string | undefined): AgentRunError | undefined {
  if (EXPIRED.has(name)) {
    return new AgentRunError("base-credentials", "the base credentials have expired", {
      hint:
        heldBy === undefined
          ? "get new ones by your usual login, such as agent-run login, or export new ones, then run this again"
          : `get new ones into aws profile '${heldBy}' by what wrote these there, or choose another with --aws-profile`,
    });
  }
  if (REJECTED.has(name)) {
    return new AgentRunError("base-credentials", `aws does not know the base credentials (${name})`, {
      hint:
        `check that the access key still exists, and that region ${region} is enabled in the account and of its partition ` +
        "(keys of aws, aws-cn and aws-us-gov are known in their own regions only)",
    });
  }
  if (name === "SignatureDoesNotMatch" || name === "RequestTimeTooSkewed") {
    // The service's text may quote the canonical request, session token included, so only its times are taken.
    const skew = clockSkew(text);
    return skew === undefined
      ? new AgentRunError("base-credentials", "aws rejects the signature: the secret access key does not belong to the access key id", {
          hint: "enter the key pair again: aws configure",
        })
      : new AgentRunError("base-credentials", `this machine's clock is ${skew} aws's`, {
          hint: "set the clock: sudo timedatectl set-ntp true",
        });
  }
  if (name === "RegionDisabledException") {
    return new AgentRunError("config", `sts is switched off in region ${region} for this account`, {
      hint: "pass --region with an enabled region, or enable it in the account settings",
    });
  }
  return undefined;
}

/** `7 min behind`, `1 h ahead of`: from `Signature expired: 20261122T093300Z is now earlier than 20261122T093500Z (20261122T094000Z - 5 min.)`. */
export function clockSkew(text: string): string | undefined {
  const match = /Signature (?:expired|not yet current): (\d{8}T\d{6}Z) .*\((\d{8}T\d{6}Z) [+-]/.exec(text);
  if (!match) return /Signature (?:expired|not yet current)/.test(text) ? "more than 5 minutes off" : undefined;
  const ahead = instant(match[1] ?? "") - instant(match[2] ?? "");
  return `${formatSpan(Math.abs(ahead))} ${ahead < 0 ? "behind" : "ahead of"}`;
}

const instant = (basic: string): number => Date.parse(basic.replace(/^(....)(..)(..T..)(..)(..Z)$/, "$1-$2-$3:$4:$5"));

function unknownFailure(
  { name, text, status }: ServiceFailure,
  action: string,
  code: "base-credentials" | "assume-role" | "restriction",
): AgentRunError {
  const said = text === "" || text === name ? "" : `: '${text}'`;
  return new AgentRunError(code, `${action} failed with ${name}${status === undefined ? "" : ` (${status})`}${said}`, {
    hint: "aws sts get-caller-identity shows whether the base credentials work at all",
  });
}
