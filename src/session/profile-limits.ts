// The limits of a profile. Where its other settings replace one another these hold together: what it extends binds it, the shortest time counts, and a
// repository's file can only be stricter. Called by profile.ts.
import { join } from "node:path";
import type { IsolationLevel, Overrides } from "../control/protocol.ts";
import type { Instant } from "../core/clock.ts";
import { formatSpan } from "../core/duration.ts";
import { AgentRunError } from "../core/error.ts";
import { closingTime, type Hours } from "./hours.ts";
import { type Level, settingsOf } from "./profile-levels.ts";
import type { RepositorySettings } from "./settings.ts";

const DEFAULT_TTL_MS = 3_600_000;
const DEFAULT_MAX_TTL_MS = 12 * 3_600_000;

/**
 * What a profile extends holds on: its stage, and that a policy bounds the session at all.
 * @throws AgentRunError `profile`
 */
export function requireKept(levels: readonly Level[]): void {
  for (const [index, { name, settings, folder }] of levels.entries()) {
    const below = levels.slice(0, index);
    const stage = below.find((level) => level.settings.stage !== undefined)?.settings.stage;
    const hint = `change it in ${join(folder, "profile.toml")} or config.toml, or copy the profile: agent-run profiles new ${name}-own --from ${below.at(-1)?.name}`;
    if (settings.stage !== undefined && stage !== undefined && settings.stage !== stage) {
      throw new AgentRunError("profile", `profile '${name}' is of stage '${settings.stage}', and what it extends of '${stage}'`, { hint });
    }
    if (settings.grant === "as-is" && below.length > 0 && settingsOf(below).grant !== "as-is") {
      throw new AgentRunError(
        "profile",
        `profile '${name}' has grant = "as-is", which holds no policy of '${below.at(-1)?.name}' that it extends`,
        {
          hint,
        },
      );
    }
  }
}

/**
 * How long a session lasts, and how long it may be made to.
 * @throws AgentRunError `profile` where more is asked for than a max_ttl of the chain
 */
export function timesOf(
  name: string,
  overrides: Overrides,
  levels: readonly Level[],
  own: RepositorySettings | undefined,
): { readonly ttlMs: number; readonly maxTtlMs: number } {
  const asked = overrides.ttl ?? settingsOf(levels).ttl ?? DEFAULT_TTL_MS;
  const limits = levels.flatMap((level) => level.settings.max_ttl ?? []);
  const most = limits.length > 0 ? Math.min(...limits) : Math.max(asked, DEFAULT_MAX_TTL_MS);
  if (asked > most) {
    throw new AgentRunError(
      "profile",
      `profile '${name}': a time limit of ${formatSpan(asked)} is over its max_ttl of ${formatSpan(most)}`,
      {
        hint:
          limits.length > 1
            ? "pass a shorter --ttl; a profile keeps the max_ttl of what it extends"
            : "pass a shorter --ttl, or raise max_ttl",
      },
    );
  }
  const maxTtlMs = Math.min(most, own?.max_ttl ?? most);
  return { ttlMs: Math.min(asked, own?.ttl ?? asked, maxTtlMs), maxTtlMs };
}

/** Milliseconds until the first of all hours that are for everything close. */
export function timeLeft(name: string, hours: readonly Hours[], startsAt: Instant | undefined): number {
  if (startsAt === undefined) return Number.POSITIVE_INFINITY;
  return Math.min(...hours.filter(({ actions }) => !actions).map((one) => closingTime(one, startsAt, name) - startsAt));
}

/**
 * The accounts that every list has; an absent list does not restrict.
 * @throws AgentRunError `profile` where none is left
 */
export function accountsOf(name: string, lists: readonly (readonly string[] | undefined)[]): readonly string[] {
  const given = lists.filter((list) => list !== undefined);
  const accounts = (given[0] ?? []).filter((account) => given.every((list) => list.includes(account)));
  if (given.length === 0 || accounts.length > 0) return accounts;
  throw new AgentRunError("profile", `profile '${name}': no account is left that all of its accounts settings allow`, {
    hint: "change accounts in the profile, in what it extends, or in .agent-run.toml",
  });
}

const LEVELS: readonly IsolationLevel[] = ["none", "standard", "strict"];

/** The stricter one of two isolation levels; an absent one does not restrict. */
export function stricter(one: IsolationLevel, other: IsolationLevel | undefined): IsolationLevel {
  return other !== undefined && LEVELS.indexOf(other) > LEVELS.indexOf(one) ? other : one;
}
