// Names, tags and durations as STS accepts them. Pure: what was changed is given back, so that it can be said. Called by session and assume.

import { formatSpan } from "../core/duration.ts";
import { AgentRunError } from "../core/error.ts";

export interface Cleaned {
  readonly value: string;
  /** What was done to it, for the human; undefined when nothing was. */
  readonly changed: string | undefined;
}

/**
 * A role session name or source identity: 2 to 64 of `[\w+=,.@-]` (STS API reference, AssumeRole). Other characters become `-`;
 * a source identity may not begin with `aws:`, which cannot happen as `:` is replaced.
 * @param what such as `developer`, for the text
 */
export function cleanName(value: string, what: string): Cleaned {
  const plain = withoutMarks(value).replace(/[^A-Za-z0-9_+=,.@-]+/g, "-");
  const trimmed = plain.replace(/^-+|-+$/g, "") || "unknown";
  const cut = trimmed.slice(0, 64);
  const result = cut.length < 2 ? `${cut}-` : cut;
  return { value: result, changed: said(value, result, what) };
}

/**
 * A tag's value: at most 256 of letters, digits, spaces and `_.:/=+-@` in any script (STS API reference, Tag). Other characters become `_`.
 */
export function cleanTag(value: string, key: string): Cleaned {
  const result = [...value.normalize("NFC").replace(/[^\p{L}\p{Z}\p{N}_.:/=+\-@]+/gu, "_")].slice(0, 256).join("").trim();
  return { value: result, changed: said(value, result, `tag ${key}`) };
}

/** AWS's limits of one session: 50 tags, keys of 1 to 128 characters that do not begin with `aws:` and differ by more than case. */
export function checkTagKeys(keys: readonly string[]): void {
  const seen = new Set<string>();
  for (const key of keys) {
    const problem =
      key.length === 0 || [...key].length > 128
        ? "must have 1 to 128 characters"
        : !/^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$/u.test(key)
          ? "may hold letters, digits, spaces and _.:/=+-@ only"
          : /^aws:/i.test(key)
            ? "begins with aws:, which is reserved"
            : seen.has(key.toLowerCase())
              ? "is there twice; aws does not distinguish case"
              : undefined;
    if (problem) throw new AgentRunError("usage", `tag '${key}' ${problem}`, { hint: "change --tag or the profile's tags", exitStatus: 2 });
    seen.add(key.toLowerCase());
  }
  if (seen.size > 50)
    throw new AgentRunError("usage", `${seen.size} session tags; sts takes 50`, {
      hint: "remove some of the profile's tags",
      exitStatus: 2,
    });
}

/**
 * Session tags ready to send, in the order given; empty values of tags are left out.
 * @throws AgentRunError `usage` for a key that STS would refuse
 */
export function cleanTags(tags: Readonly<Record<string, string>>): { tags: Record<string, string>; changed: string[] } {
  checkTagKeys(Object.keys(tags));
  const cleaned = Object.entries(tags).map(([key, value]) => ({ key, ...cleanTag(value, key) }));
  return {
    tags: Object.fromEntries(cleaned.filter(({ value }) => value !== "").map(({ key, value }) => [key, value])),
    changed: cleaned.map(({ changed }) => changed).filter((text) => text !== undefined),
  };
}

const withoutMarks = (value: string): string => value.normalize("NFKD").replace(/\p{M}+/gu, "");

function said(before: string, after: string, what: string): string | undefined {
  if (before === after) return undefined;
  return `${what} '${[...before].slice(0, 80).join("")}' is sent as '${after.length > 80 ? `${after.slice(0, 79)}…` : after}', which is what sts accepts`;
}

/** The shortest session that STS gives, and the longest of a role session that assumes another role (role chaining). Seconds. */
export const SHORTEST_SESSION_S = 900;
export const CHAINED_LIMIT_S = 3600;
const LONGEST_SESSION_S = 43_200;

export interface SessionDuration {
  readonly seconds: number;
  /** Why it is not what was wanted; undefined when it is. */
  readonly changed: string | undefined;
}

/**
 * How long to ask STS for (API reference, AssumeRole, DurationSeconds): 900 s up to the role's maximum, one hour when chained.
 * @param request.wantedMs milliseconds
 * @param request.roleMaxS the role's MaxSessionDuration where it is known, seconds
 * @param request.chained whether the base credentials are themselves a role session
 */
export function durationFor(request: { wantedMs: number; roleMaxS?: number | undefined; chained: boolean }): SessionDuration {
  const wanted = Math.ceil(request.wantedMs / 1000);
  const limits: [number, string][] = [[LONGEST_SESSION_S, "the longest that sts gives"]];
  if (request.roleMaxS !== undefined) limits.push([request.roleMaxS, "the role's maximum session duration"]);
  if (request.chained) limits.push([CHAINED_LIMIT_S, "all that aws gives when the base credentials are a role themselves"]);
  const [most, why] = limits.reduce((least, limit) => (limit[0] < least[0] ? limit : least));
  if (wanted > most) return { seconds: most, changed: `credentials last ${formatSpan(most * 1000)}, ${why}; they are refreshed` };
  if (wanted < SHORTEST_SESSION_S) return { seconds: SHORTEST_SESSION_S, changed: "credentials last 15 min, the shortest that sts gives" };
  return { seconds: wanted, changed: undefined };
}
