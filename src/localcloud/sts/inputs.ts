// What STS accepts in a request for credentials: names, tags, durations, policies, MFA. Called by sts.ts and assume-role.ts.
// Source: STS API Reference (lengths, patterns); IAM user guide, "Pass session tags in AWS STS".
import { deflateRawSync } from "node:zlib";
import type { Instant } from "../../core/clock.ts";
import { AgentRunError } from "../../core/error.ts";
import { parsePolicy } from "../../policy/parse.ts";
import type { PolicyDocument } from "../../policy/types.ts";
import type { Call } from "../call.ts";
import { AwsFault, constraint } from "../fault.ts";
import type { Params } from "../params.ts";

const NAME = /^[\w+=,.@-]*$/;
const TAG_KEY = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$/u;
const TAG_VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
const LONGEST_POLICY = 2048;
/** AWS does not publish how it packs; policies and tags are deflated against this many bytes here. */
const PACKED_BYTES = 1024;

/** A role session name, source identity or federated user's name. @throws AwsFault `ValidationError` */
export function checkName(value: string, field: string, longest = 64): string {
  if (value.length < 2) throw constraint(value, field, "have length greater than or equal to 2");
  if (value.length > longest) throw constraint(value, field, `have length less than or equal to ${longest}`);
  if (!NAME.test(value)) throw constraint(value, field, "satisfy regular expression pattern: [\\w+=,.@-]*");
  return value;
}

/** `DurationSeconds` between STS's minimum and the operation's maximum, or undefined when absent. @throws AwsFault `ValidationError` */
export function duration(params: Params, longest: number): number | undefined {
  const value = params.integer("DurationSeconds");
  if (value === undefined) return undefined;
  if (value < 900) throw constraint(String(value), "durationSeconds", "have value greater than or equal to 900");
  if (value > longest) throw constraint(String(value), "durationSeconds", `have value less than or equal to ${longest}`);
  return value;
}

const invalid = (message: string): AwsFault => new AwsFault("InvalidParameterValue", 400, message);

/** Session tags by key. @throws AwsFault `ValidationError`, `InvalidParameterValue` */
export function sessionTags(params: Params): Map<string, string> {
  const tags = params.tags("Tags");
  if (tags.length > 50) throw constraint(`[${tags.length} tags]`, "tags", "have length less than or equal to 50");
  const seen = new Set<string>();
  for (const [index, { key, value }] of tags.entries()) {
    const field = `tags.${index + 1}.member`;
    if (key.length < 1) throw constraint(key, `${field}.key`, "have length greater than or equal to 1");
    if (key.length > 128) throw constraint(key, `${field}.key`, "have length less than or equal to 128");
    if (value.length > 256) throw constraint(value, `${field}.value`, "have length less than or equal to 256");
    if (!TAG_KEY.test(key)) throw constraint(key, `${field}.key`, "satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+");
    if (!TAG_VALUE.test(value)) {
      throw constraint(value, `${field}.value`, "satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*");
    }
    if (key.toLowerCase().startsWith("aws:")) throw invalid("System tags cannot be added/updated by requester");
    if (seen.has(key.toLowerCase())) throw invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive.");
    seen.add(key.toLowerCase());
  }
  return new Map(tags.map(({ key, value }) => [key, value]));
}

/** The session policies of a request: inline and by ARN, and their packed size in percent. */
export interface SessionPolicies {
  /** Undefined when none were sent. */
  readonly documents: readonly PolicyDocument[] | undefined;
  readonly packedPercent: number | undefined;
}

/** @throws AwsFault `ValidationError`, `MalformedPolicyDocument`, `PackedPolicyTooLarge` */
export function sessionPolicies(call: Call, params: Params, tags: ReadonlyMap<string, string>): SessionPolicies {
  const text = params.get("Policy");
  const arns = params.structures("PolicyArns").map((entry) => entry.get("arn") ?? "");
  if (text !== undefined && text.length < 1) throw constraint(text, "policy", "have length greater than or equal to 1");
  if (text !== undefined && text.length > LONGEST_POLICY) {
    throw constraint(text, "policy", `have length less than or equal to ${LONGEST_POLICY}`);
  }
  if (arns.length > 10) throw constraint(`[${arns.join(", ")}]`, "policyArns", "have length less than or equal to 10");
  const managed = arns.map((arn) => {
    const policy = call.cloud.account.policies.get(arn);
    if (!policy) throw new AwsFault("ValidationError", 400, `Policy ${arn} does not exist or is not attachable.`);
    return parsePolicy(policy.inForce.text, policy.name);
  });
  const documents = [...(text === undefined ? [] : [readPolicy(text, "session policy")]), ...managed];
  return {
    documents: documents.length > 0 ? documents : undefined,
    packedPercent: packedPercent(text ?? "", arns, tags),
  };
}

function packedPercent(policy: string, arns: readonly string[], tags: ReadonlyMap<string, string>): number | undefined {
  if (policy === "" && arns.length === 0 && tags.size === 0) return undefined;
  const pairs = [...tags].map(([key, value]) => `${key}=${value}`).join("\n");
  const size = deflateRawSync([policy, ...arns, pairs].join("\n")).length;
  const percent = Math.max(1, Math.ceil((100 * size) / PACKED_BYTES));
  if (percent <= 100) return percent;
  const text = policy === "" && arns.length === 0 ? "Packed size of session tags consumes" : "Packed policy consumes";
  const end = policy === "" && arns.length === 0 ? "." : ", please use smaller policy.";
  throw new AwsFault("PackedPolicyTooLarge", 400, `${text} ${percent}% of allotted space${end}`);
}

/** @throws AwsFault `MalformedPolicyDocument` */
export function readPolicy(text: string, source: string, kind: "identity" | "resource" = "identity"): PolicyDocument {
  try {
    return parsePolicy(text, source, { kind });
  } catch (error) {
    if (!(error instanceof AgentRunError)) throw error;
    throw new AwsFault("MalformedPolicyDocument", 400, `Syntax errors in policy. (${error.message})`);
  }
}

/** When MFA was given with this request: now, or undefined when neither serial nor code was sent. @throws AwsFault `AccessDenied` */
export function mfa(call: Call, params: Params): Instant | undefined {
  const serial = params.get("SerialNumber");
  const code = params.get("TokenCode");
  if (serial === undefined && code === undefined) return undefined;
  const fail = (text: string): AwsFault => new AwsFault("AccessDenied", 403, `MultiFactorAuthentication failed${text}`);
  if (serial === undefined || code === undefined) throw fail(", must provide both MFA serial number and one time pass code.");
  const { holder } = call.caller;
  if (holder?.kind !== "user" || holder.mfaSerial !== serial) {
    throw fail(", unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.");
  }
  if (code !== call.cloud.switches.mfaCode) throw fail(" with invalid MFA one time pass code. ");
  return call.now;
}
