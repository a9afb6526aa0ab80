// Business hours, as absolute times: IAM compares instants and knows neither weekdays nor time zones. Pure. Called by profile.ts and grant.ts.
import type { Instant } from "../core/clock.ts";
import { AgentRunError } from "../core/error.ts";
import { type DenyJson, denyAfter, denyBefore } from "../policy/limits.ts";

export const weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
type Weekday = (typeof weekdays)[number];

export interface Hours {
  /** Monday to Friday when absent. */
  readonly days?: readonly Weekday[] | undefined;
  /** `09:00` */
  readonly from: string;
  /** `18:00`; not later than `from`: on the next day. */
  readonly to: string;
  /** IANA name. */
  readonly time_zone: string;
  /** What is only for these hours; absent: everything, and the session ends with them. */
  readonly actions?: readonly string[] | undefined;
}

export interface OpenHours {
  readonly opensAt: Instant;
  readonly closesAt: Instant;
}

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** Whether it is a name of the time zone database, such as `Europe/Berlin`. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** The hours that `now` lies in, or else the next ones; undefined where there are none within ten days. */
export function hoursAt(hours: Hours, now: Instant): OpenHours | undefined {
  const days = hours.days ?? weekdays.slice(0, 5);
  for (let offset = -1; offset <= 9; offset += 1) {
    const date = new Date(localWall(now, hours.time_zone) + offset * DAY_MS).toISOString().slice(0, 10);
    const weekday = weekdays[(new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7];
    if (!weekday || !days.includes(weekday)) continue;
    const opensAt = instantOf(date, hours.from, hours.time_zone);
    const nextDay = new Date(Date.parse(`${date}T00:00:00Z`) + DAY_MS).toISOString().slice(0, 10);
    const closesAt = instantOf(hours.to > hours.from ? date : nextDay, hours.to, hours.time_zone);
    if (closesAt > now) return { opensAt, closesAt };
  }
  return undefined;
}

/**
 * When a session that is asked for at `now` must be over.
 * @throws AgentRunError `profile` outside the hours
 */
export function closingTime(hours: Hours, now: Instant, profile: string): Instant {
  const open = hoursAt(hours, now);
  if (open && open.opensAt <= now) return open.closesAt;
  const when = open ? `; they begin again at ${new Date(open.opensAt).toISOString().slice(0, 16)}Z` : "";
  throw new AgentRunError("profile", `profile '${profile}' is for ${described(hours)} only${when}`, {
    hint: `wait, choose another profile with -p, or change conditions.hours of '${profile}'`,
  });
}

/** The denials of actions outside their hours, seen from `now`: what comes after the hours of now, or before the next ones and after them. */
export function hoursDenies(hours: Hours, now: Instant): DenyJson[] {
  const { actions } = hours;
  if (!actions) return [];
  const open = hoursAt(hours, now);
  if (!open) return [{ Effect: "Deny", Action: actions, Resource: "*" }];
  return [denyAfter(open.closesAt, actions), ...(open.opensAt > now ? [denyBefore(open.opensAt, actions)] : [])];
}

function described({ days, from, to, time_zone }: Hours): string {
  return `${days ? days.join(", ") : "mon to fri"} ${from}–${to} ${time_zone}`;
}

/** The instant at which clocks in the zone show this date and time; in the gap of a spring night the one an hour later. */
function instantOf(date: string, time: string, zone: string): Instant {
  const wall = Date.parse(`${date}T${time}:00Z`);
  let at = wall;
  // Twice: the first guess may lie on the other side of a change of the offset.
  for (let round = 0; round < 2; round += 1) at = wall - (localWall(at, zone) - at);
  return at;
}

/** What clocks in the zone show at an instant, written as if it were UTC; to the minute. */
function localWall(at: Instant, zone: string): number {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  });
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const minutes = Date.parse(`${part["year"]}-${part["month"]}-${part["day"]}T${part["hour"]}:${part["minute"]}:00Z`);
  return minutes + (((at % MINUTE_MS) + MINUTE_MS) % MINUTE_MS);
}
