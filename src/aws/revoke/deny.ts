// Pure. The inline policies that deny a session everything: their names, texts, and what a text that is found says. Called by plan.ts and whoever lists them.
import type { Instant } from "../../core/clock.ts";
import { isSessionId, type SessionId } from "../../core/id.ts";

/** A session that is denied, and when the last of its keys will have expired. */
export interface Entry {
  readonly session: SessionId;
  readonly until: Instant;
}

/** What a policy of ours denies: some sessions, or every session whose keys were issued before an instant. */
export type Deny =
  | { readonly kind: "sessions"; readonly entries: readonly Entry[] }
  | { readonly kind: "all"; readonly before: Instant; readonly until: Instant };

/** The session tag that is denied. It is transitive, so a role that the session went on to sees it too. */
const TAG = "aws:PrincipalTag/agent-session";
const PREFIX = "agent-run-revoke-";
/** Long on purpose: three sessions in one merged policy must fit where two had policies of their own. */
const SINGLE_SID = "AgentRunSessionRevokedUntil";
const MERGED_SID = "U";
const ALL_SID = "A";
const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

export const singleName = (session: SessionId): string => `${PREFIX}${session}`;
/** @param nonce makes the name one that nobody else writes */
export const mergedName = (nonce: string): string => `${PREFIX}merged-${nonce}`;
export const allName = (nonce: string): string => `${PREFIX}all-${nonce}`;
export const isOurs = (name: string): boolean => name.startsWith(PREFIX);
export const isMerged = (name: string): boolean => name.startsWith(`${PREFIX}merged-`);

/** How IAM counts a policy against its quota: characters without white space (IAM user guide, "IAM and AWS STS quotas"). */
export const sizeOf = (text: string): number => text.replace(/\s/g, "").length;

/** The policy of one session, made to be read by people too. */
export function singleDocument({ session, until }: Entry): string {
  return document([statement(`${SINGLE_SID}${stamp(until, SECOND_MS)}`, { StringEquals: { [TAG]: session } })]);
}

/**
 * The policy of many. The end of each is rounded up: `hourly` to the hour, a statement an hour; `one` to the latest of all, which is the shortest text:
 * two sessions in it take no more room than one in a policy of its own.
 */
export function mergedDocument(entries: readonly Entry[], ends: "hourly" | "one"): string {
  const latest = new Map<SessionId, Instant>();
  for (const { session, until } of entries) latest.set(session, Math.max(until, latest.get(session) ?? until));
  const each = [...latest].map(([session, until]): Entry => ({ session, until }));
  const last = Math.max(...latest.values());
  const groups = Map.groupBy(each, ({ until }) => (ends === "one" ? roundUp(last, MINUTE_MS) : roundUp(until, HOUR_MS)));
  return document(
    [...groups]
      .sort(([left], [right]) => left - right)
      .map(([until, group]) => {
        const sessions = group.map(({ session }) => session).sort();
        return statement(`${MERGED_SID}${stamp(until, MINUTE_MS)}`, { StringEquals: { [TAG]: sessions } });
      }),
  );
}

/** The policy that denies every session of the role whose keys were issued before `before`. */
export function allDocument(before: Instant, until: Instant): string {
  const at = `${new Date(roundUp(before, SECOND_MS)).toISOString().slice(0, 19)}Z`;
  return document([statement(`${ALL_SID}${stamp(until, MINUTE_MS)}`, { DateLessThan: { "aws:TokenIssueTime": at } })]);
}

/** What an administrator would attach to the role to deny these sessions, laid out to be read. Without an end: whoever attaches it removes it. */
export function documentForAdministrator(sessions: readonly string[]): string {
  const value = sessions.length === 1 ? sessions[0] : sessions;
  const deny = { Effect: "Deny", Action: "*", Resource: "*", Condition: { StringEquals: { [TAG]: value } } };
  return JSON.stringify({ Version: "2012-10-17", Statement: [deny] }, undefined, 2);
}

/** Reads a policy of ours; undefined for any other text, also for one of ours that somebody has changed: that one is theirs. */
export function readDeny(name: string, text: string): Deny | undefined {
  if (!isOurs(name)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { Statement: statements } = (value ?? {}) as { Statement?: unknown };
  if (!Array.isArray(statements)) return undefined;
  const all = statements.map(readStatement);
  const [first] = all;
  if (first?.kind === "all" && all.length === 1) return first;
  const entries = all.flatMap((deny) => (deny?.kind === "sessions" ? deny.entries : []));
  return all.length > 0 && all.every((deny) => deny?.kind === "sessions") ? { kind: "sessions", entries } : undefined;
}

function readStatement(value: unknown): Deny | undefined {
  const { Sid, Effect, Action, Resource, Condition, ...rest } = (value ?? {}) as Record<string, unknown>;
  if (Effect !== "Deny" || Action !== "*" || Resource !== "*" || Object.keys(rest).length > 0 || typeof Sid !== "string") return undefined;
  const { StringEquals, DateLessThan, ...others } = (Condition ?? {}) as Record<string, Record<string, unknown> | undefined>;
  if (Object.keys(others).length > 0) return undefined;
  const until = readStamp(Sid);
  if (until === undefined) return undefined;
  if (StringEquals && !DateLessThan && Object.keys(StringEquals).join() === TAG) {
    const sessions = [StringEquals[TAG]].flat();
    if (!sessions.every((session) => typeof session === "string" && isSessionId(session))) return undefined;
    return { kind: "sessions", entries: (sessions as SessionId[]).map((session) => ({ session, until })) };
  }
  const before = Date.parse(String(DateLessThan?.["aws:TokenIssueTime"]));
  return DateLessThan && !StringEquals && !Number.isNaN(before) ? { kind: "all", before, until } : undefined;
}

function statement(Sid: string, Condition: Record<string, Record<string, unknown>>) {
  return { Sid, Effect: "Deny", Action: "*", Resource: "*", Condition };
}

const document = (Statement: readonly unknown[]): string => JSON.stringify({ Version: "2012-10-17", Statement });

const roundUp = (at: Instant, unit: number): Instant => Math.ceil(at / unit) * unit;

/** A Sid holds letters and digits only (IAM user guide, reference_policies_elements_sid): `20261122T141500Z`, or to the minute `202611221415`. */
function stamp(at: Instant, unit: number): string {
  const digits = new Date(roundUp(at, unit)).toISOString().replace(/[-:]/g, "");
  return unit === SECOND_MS ? `${digits.slice(0, 15)}Z` : `${digits.slice(0, 8)}${digits.slice(9, 13)}`;
}

function readStamp(sid: string): Instant | undefined {
  const match = /^(?:AgentRunSessionRevokedUntil|U|A)(\d{4})(\d\d)(\d\d)T?(\d\d)(\d\d)(\d\d)?Z?$/.exec(sid);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second = "00"] = match;
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(at) ? undefined : at;
}
