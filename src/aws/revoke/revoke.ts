// One session revoked on one role: the deny, the proof that it holds, and what to say where it could not be written. Called by session and by `agent-run kill`.
import type { IAMClient } from "@aws-sdk/client-iam";
import type { RevocationReport } from "../../control/protocol.ts";
import type { Clock, Instant } from "../../core/clock.ts";
import { AgentRunError, messageOf } from "../../core/error.ts";
import type { SessionId } from "../../core/id.ts";
import { networkFailure, readFailure } from "../failure.ts";
import { parseRoleArn } from "../identity.ts";
import { awaitDeny, type CanaryAnswer } from "./canary.ts";
import { INLINE_QUOTA } from "./plan.ts";
import { denyAll, denySession, rolePolicies } from "./write.ts";

export interface RevocationRequest {
  readonly session: SessionId;
  readonly roleArn: string;
  /** When the last key of the session will have expired, as far as is known. */
  readonly until: Instant;
  /** Whose permission it takes. */
  readonly base: { readonly arn: string; readonly account: string };
  readonly iam: () => Promise<IAMClient>;
  readonly clock: Clock;
  /** Where the role is full, deny every session of it that began until now. */
  readonly revokeAll: boolean;
  /** `performance.now()` when the end began: what the times in the report count from. */
  readonly since: number;
  /** Shows whether the deny holds; absent: nobody looks. */
  readonly canary?: Canary | undefined;
  /** Each state that is reached, the last one too. */
  readonly onReport?: ((report: RevocationReport) => void) | undefined;
}

export interface Canary {
  readonly action: string;
  readonly call: () => Promise<() => Promise<CanaryAnswer>>;
  /** Nobody waits for a proof: it is looked for a moment, and a deny that was not seen to hold by then is only in place. */
  readonly briefly: boolean;
}

/** How long to look. AWS speaks of seconds to some minutes (IAM user guide, "Changes that I make are not always immediately visible"). */
const CONFIRM_MS = 60_000;
const BRIEFLY_MS = 1500;
/** A role's longest session (IAM API reference, CreateRole): no key that was issued before now lives longer. */
const LONGEST_SESSION_MS = 43_200_000;

/** The permissions that revoking takes; the first alone does where there is room. */
const REVOKE_ACTIONS = ["iam:PutRolePolicy", "iam:ListRolePolicies", "iam:GetRolePolicy", "iam:DeleteRolePolicy"] as const;

/** Nobody but AWS can change them: those of IAM Identity Center, and of AWS's services (IAM user guide, "Using service-linked roles"). */
const RESERVED = /:role\/(aws-reserved|aws-service-role)\/|\/AWSReservedSSO_/;

/** Denies the session everything on the role, and looks whether that holds. Never throws: what went wrong is in the report. */
export async function revokeSession(request: RevocationRequest): Promise<RevocationReport> {
  const { session, roleArn, base, clock, since, until } = request;
  const tell = (report: RevocationReport): RevocationReport => {
    request.onReport?.(report);
    return report;
  };
  const failed = (why: string, hint: string): RevocationReport => tell({ role: roleArn, state: "failed", why, hint });
  const byHand = `an administrator can attach what this prints: agent-run kill ${session} --role ${roleArn} --print-policy`;
  try {
    if (RESERVED.test(roleArn)) {
      const why = `${roleArn} belongs to IAM Identity Center or an aws service, and roles of that kind cannot be edited`;
      return failed(why, "give agents a role of their own: agent-run setup");
    }
    if (parseRoleArn(roleArn, "role").account !== base.account) {
      return failed(`IAM edits roles of its own account only: ${roleArn} is not in ${base.account}, that of ${base.arn}`, byHand);
    }
    const role = rolePolicies(await request.iam(), roleArn);
    const name =
      (await denySession(role, { session, until }, clock)) ??
      (request.revokeAll ? await denyAll(role, Math.max(until, clock.now() + LONGEST_SESSION_MS), clock) : undefined);
    if (name === undefined) {
      return failed(
        `${roleArn} has no room for a deny: IAM allows ${INLINE_QUOTA} characters of inline policies`,
        `deny every session of the role that began until now: agent-run kill ${session} --role ${roleArn} --revoke-all`,
      );
    }
    const inPlace: RevocationReport = { role: roleArn, state: "in-place", policy: name, inPlaceMs: performance.now() - since };
    tell(inPlace);
    if (!request.canary) return inPlace;
    const seen = await confirmed(request, request.canary);
    return seen.state === "unconfirmed" && request.canary.briefly
      ? { ...inPlace, ...seen, state: "in-place" }
      : tell({ ...inPlace, ...seen });
  } catch (error) {
    return failed(...explained(error, request, byHand));
  }
}

async function confirmed({ clock, since }: RevocationRequest, { action, call, briefly }: Canary): Promise<Partial<RevocationReport>> {
  try {
    const result = await awaitDeny(await call(), clock, briefly ? BRIEFLY_MS : CONFIRM_MS);
    if (result.confirmed) return { state: "confirmed", canary: action, confirmedMs: performance.now() - since };
    return { state: "unconfirmed", canary: action, why: result.why };
  } catch (error) {
    return { state: "unconfirmed", canary: action, why: messageOf(error) };
  }
}

function explained(thrown: unknown, { roleArn, base }: RevocationRequest, byHand: string): [why: string, hint: string] {
  if (thrown instanceof AgentRunError) return [thrown.message, thrown.hint ?? byHand];
  const failure = readFailure(thrown);
  if (/^AccessDenied/.test(failure.name)) {
    const action = /perform:? ?(iam:\w+)/.exec(failure.text)?.[1] ?? REVOKE_ACTIONS[0];
    const allow = JSON.stringify({ Effect: "Allow", Action: REVOKE_ACTIONS, Resource: roleArn });
    return [`${base.arn} may not ${action} on ${roleArn}`, `${byHand}; or allow it for the next time: ${allow}`];
  }
  if (/^NoSuchEntity/.test(failure.name)) return [`there is no role ${roleArn}`, "check the arn: agent-run kill <session> --role <arn>"];
  if (/^Unmodifiable/.test(failure.name)) return [`${roleArn} belongs to an aws service and cannot be edited`, byHand];
  const network = networkFailure(failure, "iam");
  if (network) return [network.message, `${network.hint}; then kill it again with --role ${roleArn}`];
  return [`iam answered ${failure.name}: ${failure.text}`, byHand];
}
