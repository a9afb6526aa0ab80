// AssumeRole with everything that a session sends, and what its refusals mean. Called by session, and by the sources for a profile's role_arn.
import { systemClock } from "../core/clock.ts";
import { elementAt } from "./answer-xml.ts";
import { explainRefusal } from "./assume-refusal.ts";
import type { SessionCredentials } from "./credentials.ts";
import { readFailure } from "./failure.ts";
import { assumedRoleArn } from "./identity.ts";
import { CHAINED_LIMIT_S, checkTagKeys } from "./names.ts";
import type { QueryParameters } from "./query-body.ts";
import { sealed } from "./sealed.ts";
import { callSts, type StsClient } from "./sts.ts";

export { cleanName, cleanTags, durationFor } from "./names.ts";

export interface AssumeRequest {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly sourceIdentity?: string | undefined;
  /** All of them are made transitive, so that they live on in roles that the session assumes. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** IAM JSON as it is sent. */
  readonly sessionPolicy?: string | undefined;
  /** Managed policies that STS takes as session policies beside the inline one. */
  readonly sessionPolicyArns?: readonly string[] | undefined;
  readonly externalId?: string | undefined;
  readonly mfa?: { readonly serial: string; readonly code: string } | undefined;
  /** 900 to 43200; see `durationFor`. */
  readonly durationSeconds?: number | undefined;
  /** ARN of the base identity, to name in a hint; AWS's own text is used when it is absent. */
  readonly callerArn?: string | undefined;
  /** The AWS profile that holds the keys that sign it, to name in a hint. */
  readonly heldBy?: string | undefined;
}

export interface AssumedRole {
  readonly credentials: SessionCredentials;
  /** What STS says the new identity is. Not a proof: the identity gate asks again with the new credentials. */
  readonly assumedRoleArn: string;
  /** Percent of what STS allows for policy and tags together. */
  readonly packedPolicySize?: number;
  /** How far STS's clock is ahead of this machine's, to a second or two: by its `Date`. */
  readonly aheadMs?: number;
  /** Said when STS refused the duration and one hour was taken. */
  readonly shortened?: string;
  /** Said when the base session's own source identity went on in place of the one that was asked for. */
  readonly kept?: string;
}

/**
 * Asks STS for a session of a role.
 * @throws AgentRunError `assume-role`, `mfa`, `policy`, `base-credentials`, `config` or `sts-unreachable`, each with what mends it
 */
export async function assumeRole(client: StsClient, request: AssumeRequest): Promise<AssumedRole> {
  checkTagKeys(Object.keys(request.tags ?? {}));
  const { sourceIdentity, ...rest } = request;
  try {
    return await lasting(client, request);
  } catch (error) {
    if (sourceIdentity === undefined || !isSourceIdentityRefusal(error)) throw await explainRefusal(error, client, request);
  }
  try {
    const kept = `source identity '${sourceIdentity}' is not sent: your base session has one, which goes on and which nobody can change`;
    return { ...(await lasting(client, rest)), kept };
  } catch (error) {
    throw await explainRefusal(error, client, rest);
  }
}

/** For as long as is asked, else for what every role allows. Throws what the call throws. */
async function lasting(client: StsClient, request: AssumeRequest): Promise<AssumedRole> {
  try {
    return await send(client, request, request.durationSeconds);
  } catch (error) {
    if (!isDurationRefusal(error) || (request.durationSeconds ?? 0) <= CHAINED_LIMIT_S) throw error;
  }
  // One hour is what every role allows at least: MaxSessionDuration is 3600 to 43200 (IAM API reference, CreateRole).
  const assumed = await send(client, request, CHAINED_LIMIT_S);
  return { ...assumed, shortened: "credentials last 1 h: the role allows no more (MaxSessionDuration); they are refreshed" };
}

/** It persists over role chaining and cannot be changed (IAM user guide, "Monitor and control actions taken with assumed roles"). */
function isSourceIdentityRefusal(error: unknown): boolean {
  const { name, text } = readFailure(error);
  return (
    /^(Validation|InvalidParameter|AccessDenied)/.test(name) && /source ?identity\b.*\b(already|can(no|')t be (changed|set))/i.test(text)
  );
}

/** STS's two texts: over the role's MaxSessionDuration, and over the hour of role chaining. Both are a ValidationError. */
function isDurationRefusal(error: unknown): boolean {
  const { name, text } = readFailure(error);
  return /^Validation(Error|Exception)$/.test(name) && /DurationSeconds exceeds/i.test(text);
}

async function send(client: StsClient, request: AssumeRequest, durationSeconds: number | undefined): Promise<AssumedRole> {
  const { result, date } = await callSts(client, "AssumeRole", parameters(request, durationSeconds));
  const packedPolicySize = Number.parseInt(elementAt(result, "PackedPolicySize")?.text ?? "", 10);
  return {
    credentials: sealed(result, "sts:AssumeRole"),
    // Left out by some emulators; the identity gate asks for it anyway.
    assumedRoleArn: elementAt(result, "AssumedRoleUser", "Arn")?.text ?? assumedRoleArn(request.roleArn, request.sessionName),
    ...aheadOf(date),
    ...(Number.isNaN(packedPolicySize) ? {} : { packedPolicySize }),
  };
}

function parameters(request: AssumeRequest, durationSeconds: number | undefined): QueryParameters {
  const tags = Object.entries(request.tags ?? {});
  return {
    RoleArn: request.roleArn,
    RoleSessionName: request.sessionName,
    ...policyArns(request.sessionPolicyArns),
    Policy: request.sessionPolicy,
    DurationSeconds: durationSeconds,
    ...(tags.length === 0 ? {} : { Tags: tags.map(([Key, Value]) => ({ Key, Value })), TransitiveTagKeys: tags.map(([key]) => key) }),
    ExternalId: request.externalId,
    SerialNumber: request.mfa?.serial,
    TokenCode: request.mfa?.code,
    SourceIdentity: request.sourceIdentity,
  };
}

/** How far STS's clock is ahead of this machine's, by the `Date` of an answer that came just now; nothing where it has none. */
export function aheadOf(date = ""): { aheadMs?: number } {
  const aheadMs = Date.parse(date) - systemClock.now();
  return Number.isNaN(aheadMs) ? {} : { aheadMs };
}

/** `PolicyArns` as STS takes them; nothing where there are none. */
export function policyArns(arns: readonly string[] = []): { PolicyArns?: { arn: string }[] } {
  return arns.length === 0 ? {} : { PolicyArns: arns.map((arn) => ({ arn })) };
}
