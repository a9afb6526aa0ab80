// Pure. Which inline policies of a role to write and to delete, in which order, so that sessions are denied within IAM's quota. Carried out by write.ts.
//
// What two writers may do at the same time rests on this: a merged policy has a name of its own and is never changed, and a writer deletes an entry only
// after it wrote a policy that holds it. So of the policies that hold an entry the one that was written last is never deleted before there is a later one,
// and no entry is lost, whatever the others do and wherever a writer stops. Where there is not even room for a merged policy, one of a single session is overwritten
// as a step (`stepping stone`); what it held is wanted by the rest of the plan, so that it ends in a merged policy all the same.
import type { Instant } from "../../core/clock.ts";
import {
  allDocument,
  allName,
  type Deny,
  type Entry,
  isMerged,
  mergedDocument,
  mergedName,
  readDeny,
  singleDocument,
  singleName,
  sizeOf,
} from "./deny.ts";

export interface InlinePolicy {
  readonly name: string;
  readonly text: string;
}

export type Step =
  | { readonly type: "put"; readonly name: string; readonly document: string }
  | { readonly type: "delete"; readonly name: string };

export interface Plan {
  /** Each is safe whether or not those after it follow. */
  readonly steps: readonly Step[];
  /** What does not fit, whatever is merged; empty: after the steps all that is wanted is denied. */
  readonly unmet: readonly Entry[];
  /** Characters that are free after the steps. */
  readonly room: number;
}

export interface PlanRequest {
  /** Every inline policy of the role, others' too: they count, and are never touched. Where there is a choice, the first in order are taken. */
  readonly policies: readonly InlinePolicy[];
  readonly wanted: readonly Entry[];
  readonly now: Instant;
  /** A new one at each call. */
  readonly nonce: () => string;
}

/** All inline policies of a role together (IAM user guide, "IAM and AWS STS quotas"). */
export const INLINE_QUOTA = 10_240;
/** How long after its end an entry is kept: for clocks that differ. */
export const CLOCK_SLACK_MS = 300_000;

/** So many characters are made free once a role was full, so that the next sessions find room. */
const RESERVE = 1500;

const isOver = (until: Instant, now: Instant): boolean => until + CLOCK_SLACK_MS <= now;
const endOf = (deny: Deny): Instant => (deny.kind === "all" ? deny.until : Math.max(...deny.entries.map(({ until }) => until)));

/** The role as it will be after the steps so far. */
class Role {
  readonly steps: Step[] = [];
  readonly #texts: Map<string, string>;

  constructor(policies: readonly InlinePolicy[]) {
    this.#texts = new Map(policies.map(({ name, text }) => [name, text]));
  }

  get room(): number {
    return [...this.#texts.values()].reduce((left, text) => left - sizeOf(text), INLINE_QUOTA);
  }

  put(name: string, document: string): void {
    this.#texts.set(name, document);
    this.steps.push({ type: "put", name, document });
  }

  delete(name: string): void {
    this.#texts.delete(name);
    this.steps.push({ type: "delete", name });
  }

  denies(): { name: string; deny: Deny; size: number }[] {
    return [...this.#texts].flatMap(([name, text]) => {
      const deny = readDeny(name, text);
      return deny ? [{ name, deny, size: sizeOf(text) }] : [];
    });
  }

  /** Policies of ours that deny sessions, each with the entries that are not over; the small ones, by which most is won, first. */
  live(now: Instant): Live[] {
    const live = this.denies().flatMap(({ name, deny, size }) =>
      deny.kind === "sessions" ? [{ name, size, entries: deny.entries.filter(({ until }) => !isOver(until, now)) }] : [],
    );
    return live.sort((left, right) => left.size - right.size);
  }
}

interface Live {
  readonly name: string;
  readonly size: number;
  readonly entries: readonly Entry[];
}

/** Denies `wanted`: removes what is over, then, where there is no room for a policy each, merges; first what makes room for them, then the rest. */
export function planRevocation({ policies, wanted, now, nonce }: PlanRequest): Plan {
  const role = new Role(policies);
  tidy(role, now);
  let missing = wanted.filter((entry) => !isOver(entry.until, now) && !covered(entry, role.live(now).filter(isFirm)));
  const singles = missing.map((entry) => ({ name: singleName(entry.session), document: singleDocument(entry) }));
  // What an interrupted stepping stone left under a session's name holds another session too.
  const clash = role.live(now).some(({ name, entries }) => singles.some((one) => one.name === name) && entries.length > 1);
  if (!clash && singles.reduce((sum, { document }) => sum + sizeOf(document), 0) <= role.room) {
    for (const { name, document } of singles) role.put(name, document);
    missing = [];
  }
  const tight = missing.length > 0;
  // What a stepping stone holds too must end in a merged policy: a stone can be overwritten by somebody who knew only what was there before.
  let owed: readonly Entry[] = [];
  let beforeStones = role.steps.length;
  while (missing.length > 0) {
    const live = role.live(now);
    if (mergeWhatFits(role, [...missing, ...owed], live, nonce)) missing = [];
    else if (!mergeWhatFits(role, [], live, nonce)) {
      if (owed.length === 0) beforeStones = role.steps.length;
      const stone = steppingStone(role, live);
      if (!stone) return { steps: role.steps.slice(0, beforeStones), unmet: missing, room: role.room };
      owed = [...owed, ...stone];
    }
  }
  while (tight && role.room < RESERVE && mergeWhatFits(role, [], role.live(now), nonce));
  return { steps: role.steps, unmet: [], room: role.room };
}

/** Removes what is over, and what a merged policy holds too: what an interrupted merge left. */
export function planPrune(request: Omit<PlanRequest, "wanted" | "nonce">): Plan {
  return planRevocation({ ...request, wanted: [], nonce: () => "" });
}

/**
 * Denies every session of the role whose keys were issued before `before`: the last resort. All that was denied singly is denied by it, so those
 * policies go. Where there is no room for it, it first takes the place of one of them.
 */
export function planRevokeAll({
  policies,
  now,
  nonce,
  before,
  until,
}: Omit<PlanRequest, "wanted"> & { before: Instant; until: Instant }): Plan {
  const role = new Role(policies);
  tidy(role, now);
  const document = allDocument(before, until);
  const ours = role.live(now);
  let stone: Live | undefined;
  if (sizeOf(document) > role.room) {
    stone = ours.find(({ size }) => sizeOf(document) - size <= role.room);
    if (!stone) return { steps: role.steps, unmet: ours.flatMap(({ entries }) => entries), room: role.room };
    role.put(stone.name, document);
  }
  const others = ours.filter((policy) => policy !== stone);
  while (stone && sizeOf(document) > role.room && others[0]) role.delete((others.shift() as Live).name);
  if (sizeOf(document) <= role.room) {
    role.put(allName(nonce()), document);
    if (stone) role.delete(stone.name);
  }
  for (const { name } of others) role.delete(name);
  return { steps: role.steps, unmet: [], room: role.room };
}

/** Not a stepping stone: nobody writes this name with anything else. */
const isFirm = ({ name, entries }: Live): boolean =>
  isMerged(name) || (entries.length === 1 && name === singleName(entries[0]?.session ?? "sess_"));

function tidy(role: Role, now: Instant): void {
  for (const { name, deny } of role.denies()) if (isOver(endOf(deny), now)) role.delete(name);
  // Only ever the single for the merged one: were it also the other way round, two writers could take the one for the other's reason to go.
  const live = role.live(now);
  const merged = live.filter(({ name }) => isMerged(name));
  for (const { name, entries } of live) if (!isMerged(name) && entries.every((entry) => covered(entry, merged))) role.delete(name);
}

function covered({ session, until }: Entry, live: readonly Live[]): boolean {
  return live.some(({ entries }) => entries.some((other) => other.session === session && other.until >= until));
}

/**
 * Writes one merged policy with `missing` and as many of the live policies as there is room for, and deletes those. Gives false, and does nothing, where
 * not even `missing` fits, or where without any missing nothing would be won.
 */
function mergeWhatFits(role: Role, missing: readonly Entry[], live: readonly Live[], nonce: () => string): boolean {
  const { room } = role;
  const fitting = (entries: readonly Entry[]): string | undefined =>
    (["hourly", "one"] as const).map((ends) => mergedDocument(entries, ends)).find((text) => sizeOf(text) <= room);
  const taken: Live[] = [];
  let entries = [...missing];
  let text = missing.length > 0 ? fitting(entries) : undefined;
  if (missing.length > 0 && text === undefined) return false;
  for (const policy of live) {
    const more = [...entries, ...policy.entries];
    const longer = fitting(more);
    if (longer === undefined) continue;
    taken.push(policy);
    entries = more;
    text = longer;
  }
  const won = taken.reduce((sum, { size }) => sum + size, 0) - sizeOf(text ?? "");
  if (text === undefined || (missing.length === 0 && (taken.length < 2 || won <= 0))) return false;
  role.put(mergedName(nonce()), text);
  for (const { name } of taken) role.delete(name);
  return true;
}

/** Puts the entries of two policies into one of them, never a merged one, and deletes the other. Gives those entries; undefined where no two would win room. */
function steppingStone(role: Role, live: readonly Live[]): readonly Entry[] | undefined {
  const { room } = role;
  for (const into of live.filter(({ name }) => !isMerged(name))) {
    for (const from of live) {
      if (from === into) continue;
      const entries = [...into.entries, ...from.entries];
      const text = mergedDocument(entries, "one");
      if (sizeOf(text) - into.size > room || sizeOf(text) >= into.size + from.size) continue;
      role.put(into.name, text);
      role.delete(from.name);
      return entries;
    }
  }
  return undefined;
}
