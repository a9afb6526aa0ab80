// Which policies a revocation writes and deletes: at no step is an entry lost or the quota passed, whatever was there, wherever it stops, whoever else writes.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  allDocument,
  documentForAdministrator,
  type Entry,
  mergedDocument,
  mergedName,
  readDeny,
  singleDocument,
  singleName,
  sizeOf,
} from "../../../src/aws/revoke/deny.ts";
import {
  CLOCK_SLACK_MS,
  INLINE_QUOTA,
  type InlinePolicy,
  planPrune,
  planRevocation,
  planRevokeAll,
  type Step,
} from "../../../src/aws/revoke/plan.ts";
import type { SessionId } from "../../../src/core/id.ts";
import { parsePolicy } from "../../../src/policy/parse.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const HOUR = 3_600_000;
const id = (number: number): SessionId => `sess_${number.toString(16).padStart(8, "0")}`;
const entry = (number: number, until = NOW + HOUR): Entry => ({ session: id(number), until });
const single = (one: Entry): InlinePolicy => ({ name: singleName(one.session), text: singleDocument(one) });
const merged = (nonce: string, entries: readonly Entry[]): InlinePolicy => ({
  name: mergedName(nonce),
  text: mergedDocument(entries, "hourly"),
});
/** A policy of somebody else with so many characters that count. */
const foreign = (characters: number, name = "team-access"): InlinePolicy => ({ name, text: "x".repeat(characters) });

type Role = Map<string, string>;
const roleOf = (policies: readonly InlinePolicy[]): Role => new Map(policies.map(({ name, text }) => [name, text]));
const used = (role: Role): number => [...role.values()].reduce((sum, text) => sum + sizeOf(text), 0);
const policiesOf = (role: Role): InlinePolicy[] => [...role].map(([name, text]) => ({ name, text }));
/** Sessions that the role denies now, with the latest end that stands for each; `*`: all of them. */
function denied(role: Role): Map<string, number> {
  const found = new Map<string, number>();
  for (const [name, text] of role) {
    const deny = readDeny(name, text);
    if (deny?.kind === "all") found.set("*", deny.until);
    if (deny?.kind === "sessions")
      for (const { session, until } of deny.entries) found.set(session, Math.max(found.get(session) ?? 0, until));
  }
  return found;
}
const holds = (role: Role, { session, until }: Entry): boolean =>
  [session, "*"].some((key) => (denied(role).get(key) ?? Number.NEGATIVE_INFINITY) >= until);
const isLive = ({ until }: Entry): boolean => until + CLOCK_SLACK_MS > NOW;
/** As IAM does it: gives false for LimitExceeded. */
function apply(role: Role, step: Step): boolean {
  if (step.type === "delete") {
    role.delete(step.name);
    return true;
  }
  if (used(new Map(role).set(step.name, step.document)) > INLINE_QUOTA) return false;
  role.set(step.name, step.document);
  return true;
}
const nonces = (prefix: string) => {
  let count = 0;
  return () => `${prefix}${(count++).toString(16).padStart(4, "0")}`;
};

/** The end of a session's keys is a fact about it: whoever tells it tells the same. */
const endOf = (number: number): number => NOW + (((number * 7) % 160) - 30) * (HOUR / 10);
const entries = (max: number) =>
  fc.uniqueArray(fc.integer({ min: 0, max: 400 }), { maxLength: max }).map((all) => all.map((number) => entry(number, endOf(number))));
/** A role as it can be found: policies of ours, single and merged, some over, and what others have there. */
const aRole = fc
  .record({ singles: entries(50), groups: fc.array(entries(30), { maxLength: 3 }), others: fc.integer({ min: 0, max: INLINE_QUOTA }) })
  .map(({ singles, groups, others }) => {
    const role = roleOf([
      ...singles.map(single),
      ...groups.filter((group) => group.length > 0).map((group, index) => merged(`old${index}`, group)),
    ]);
    role.set("team-access", "x".repeat(Math.max(0, Math.min(others, INLINE_QUOTA - used(role)))));
    return role;
  })
  .filter((role) => used(role) <= INLINE_QUOTA);
const wantedOf = (role: Role): Entry[] =>
  [...denied(role)].filter(([session]) => session !== "*").map(([session, until]) => ({ session: session as SessionId, until }));

describe("the policies of a revocation", () => {
  it("read back as what they deny, and are policies that IAM takes", () => {
    fc.assert(
      fc.property(entries(60), fc.constantFrom("hourly" as const, "one" as const), (all, ends) => {
        fc.pre(all.length > 0);
        const text = mergedDocument(all, ends);
        parsePolicy(text, "merged");
        const role = roleOf([{ name: mergedName("a"), text }]);
        for (const one of all) {
          expect(holds(role, one)).toBe(true);
          expect(denied(role).get(one.session)).toBeLessThanOrEqual(ends === "hourly" ? one.until + HOUR : Number.POSITIVE_INFINITY);
        }
        for (const one of all) {
          parsePolicy(singleDocument(one), "single");
          expect(denied(roleOf([single(one)])).get(one.session)).toBe(Math.ceil(one.until / 1000) * 1000);
        }
      }),
    );
    parsePolicy(allDocument(NOW, NOW + HOUR), "all");
    parsePolicy(documentForAdministrator([id(1)]), "administrator");
    expect(readDeny("agent-run-revoke-all-1", allDocument(NOW, NOW + HOUR))).toEqual({ kind: "all", before: NOW, until: NOW + HOUR });
  });

  it("of two sessions take no more room in one than the first took alone", () => {
    expect(sizeOf(mergedDocument([entry(1), entry(2, NOW + 7 * HOUR)], "one"))).toBeLessThanOrEqual(sizeOf(singleDocument(entry(1))));
  });

  it.each([
    ["another action", (text: string) => text.replace('"Action":"*"', '"Action":"s3:*"')],
    ["another effect", (text: string) => text.replace("Deny", "Allow")],
    ["one more condition", (text: string) => text.replace('"Condition":{', '"Condition":{"Bool":{"aws:SecureTransport":"false"},')],
    ["a second statement", (text: string) => text.replace("}]}", '},{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}')],
    ["a wildcard", (text: string) => text.replace("sess_", "sess_*")],
    ["no Sid", (text: string) => text.replace(/"Sid":"\w+",/, "")],
    ["no JSON", (text: string) => text.slice(1)],
  ])("with %s are somebody's own, and not touched", (_what, change) => {
    const before = single(entry(1, NOW - 10 * HOUR));
    const text = change(before.text);
    expect(text).not.toBe(before.text);
    expect(readDeny(before.name, text)).toBeUndefined();
    expect(planPrune({ policies: [{ ...before, text }], now: NOW }).steps).toEqual([]);
  });
});

describe("planRevocation", () => {
  it("writes one policy of the session's name where there is room", () => {
    const one = entry(7);
    const { steps } = planRevocation({ policies: [foreign(500)], wanted: [one], now: NOW, nonce: nonces("n") });
    expect(steps).toEqual([{ type: "put", name: singleName(one.session), document: singleDocument(one) }]);
  });

  it("near the quota removes what is over before it merges anything", () => {
    const old = Array.from({ length: 10 }, (_, number) => single(entry(number, NOW - HOUR)));
    const live = [single(entry(100)), single(entry(101))];
    const policies = [...old, ...live];
    const { steps } = planRevocation({
      policies: [...policies, foreign(INLINE_QUOTA - used(roleOf(policies)))],
      wanted: [entry(200)],
      now: NOW,
      nonce: nonces("n"),
    });
    expect(steps).toEqual([
      ...old.map(({ name }) => ({ type: "delete", name })),
      { type: "put", name: singleName(id(200)), document: singleDocument(entry(200)) },
    ]);
  });

  it("merges into one: the merged policy first, then the single ones go", () => {
    const live = Array.from({ length: 20 }, (_, number) => single(entry(number)));
    const room = sizeOf(mergedDocument([entry(200)], "hourly")) + 4 * 20;
    const policies = [...live, foreign(INLINE_QUOTA - used(roleOf(live)) - room)];
    const { steps, unmet } = planRevocation({ policies, wanted: [entry(200), entry(201)], now: NOW, nonce: nonces("n") });
    expect(unmet).toEqual([]);
    const [first, second] = steps;
    expect(first).toMatchObject({ type: "put", name: mergedName("n0000"), document: expect.stringContaining(id(200)) });
    expect(second?.type).toBe("delete");
    const role = roleOf(policies);
    for (const step of steps) expect(apply(role, step)).toBe(true);
    expect([...role.keys()].filter((name) => name.startsWith("agent-run-revoke-"))).toHaveLength(1);
    expect(denied(role).size).toBe(22);
  });

  it("finds a way where not a character is free, as long as there are two policies of ours", () => {
    const live = [single(entry(1)), single(entry(2, NOW + 9 * HOUR))];
    const role = roleOf([...live, foreign(INLINE_QUOTA - used(roleOf(live)))]);
    expect(used(role)).toBe(INLINE_QUOTA);
    const { steps, unmet } = planRevocation({ policies: policiesOf(role), wanted: [entry(3)], now: NOW, nonce: nonces("n") });
    expect(unmet).toEqual([]);
    for (const step of steps) expect(apply(role, step)).toBe(true);
    for (const one of [entry(1), entry(2, NOW + 9 * HOUR), entry(3)]) expect(holds(role, one)).toBe(true);
    expect([...role.keys()].filter((name) => name.startsWith("agent-run-")).length).toBeLessThan(3);
  });

  it("says what does not fit where others fill the role", () => {
    const { steps, unmet } = planRevocation({ policies: [foreign(INLINE_QUOTA)], wanted: [entry(1)], now: NOW, nonce: nonces("n") });
    expect({ steps, unmet }).toEqual({ steps: [], unmet: [entry(1)] });
  });

  it("holds 400 sessions of one role at once", () => {
    const role = roleOf([foreign(500)]);
    for (let number = 0; number < 400; number += 1) {
      const wanted = [entry(number, NOW + (number % 12) * HOUR + HOUR)];
      const { steps, unmet } = planRevocation({ policies: policiesOf(role), wanted, now: NOW, nonce: nonces(`${number}-`) });
      expect(unmet).toEqual([]);
      for (const step of steps) expect(apply(role, step)).toBe(true);
    }
    expect(denied(role).size).toBe(400);
  });

  it("at every step keeps all that was denied, the quota, and what others wrote; at the end what was wanted is denied", () => {
    fc.assert(
      fc.property(aRole, entries(40), (role, wanted) => {
        const before = wantedOf(role).filter(isLive);
        const others = role.get("team-access");
        const { steps, unmet } = planRevocation({ policies: policiesOf(role), wanted, now: NOW, nonce: nonces("n") });
        for (const step of steps) {
          expect(apply(role, step), `no room for ${JSON.stringify(step)}`).toBe(true);
          expect(role.get("team-access")).toBe(others);
          for (const one of before) expect(holds(role, one), `${one.session} after ${step.type} ${step.name}`).toBe(true);
        }
        const missing = wanted.filter(isLive).filter((one) => !holds(role, one));
        expect(missing).toEqual(unmet);
      }),
      { numRuns: 300 },
    );
  });

  it("goes on from wherever another run of it was interrupted, and nothing is lost", () => {
    fc.assert(
      fc.property(aRole, entries(10), entries(10), fc.nat(200), (role, first, second, stop) => {
        const before = wantedOf(role).filter(isLive);
        const interrupted = planRevocation({ policies: policiesOf(role), wanted: first, now: NOW, nonce: nonces("a") });
        for (const step of interrupted.steps.slice(0, stop)) apply(role, step);
        const next = planRevocation({ policies: policiesOf(role), wanted: second, now: NOW, nonce: nonces("b") });
        for (const step of next.steps) expect(apply(role, step)).toBe(true);
        for (const one of before) expect(holds(role, one)).toBe(true);
        for (const one of second.filter(isLive)) if (!next.unmet.includes(one)) expect(holds(role, one)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

/** A writer as write.ts is one: it reads, plans, takes a step at a time, and reads anew when the quota stops it; what it deleted it still wants. */
class Writer {
  readonly #role: Role;
  readonly #nonce: () => string;
  #wanted: Entry[];
  #steps: Step[] | undefined;
  #seen: Role = new Map();
  #attempts = 0;
  done = false;
  unmet: readonly Entry[] = [];

  constructor(role: Role, wanted: readonly Entry[], name: string) {
    this.#role = role;
    this.#wanted = [...wanted];
    this.#nonce = nonces(name);
  }

  /** One call to IAM. */
  step(): void {
    if (this.done) return;
    if (this.#steps === undefined) {
      this.#seen = new Map(this.#role);
      const plan = planRevocation({ policies: policiesOf(this.#seen), wanted: this.#wanted, now: NOW, nonce: this.#nonce });
      this.#steps = [...plan.steps];
      this.unmet = plan.unmet;
      this.#attempts += 1;
    }
    const next = this.#steps.shift();
    if (!next) {
      this.done = true;
      return;
    }
    const gone = readDeny(next.name, this.#seen.get(next.name) ?? "");
    if (gone?.kind === "sessions") this.#wanted.push(...gone.entries);
    if (!apply(this.#role, next)) {
      this.#steps = undefined;
      if (this.#attempts > 20) {
        this.done = true;
        this.unmet = this.#wanted;
      }
    }
  }
}

describe("writers at the same time", () => {
  it("lose nothing of what was there and nothing of each other's, in whatever order their calls arrive", () => {
    const writers = fc.array(entries(8), { minLength: 2, maxLength: 3 });
    const turns = fc.array(fc.nat(2), { maxLength: 400 });
    fc.assert(
      fc.property(aRole, writers, turns, (role, wishes, order) => {
        const before = wantedOf(role).filter(isLive);
        const all = wishes.map((wanted, index) => new Writer(role, wanted, "abc"[index] ?? ""));
        for (const turn of order) all[turn % all.length]?.step();
        for (let more = 0; more < 3000 && all.some(({ done }) => !done); more += 1) all[more % all.length]?.step();
        expect(used(role)).toBeLessThanOrEqual(INLINE_QUOTA);
        // What a writer could not write in the end it says.
        const unmet = new Set(all.flatMap((writer) => writer.unmet.map(({ session }) => session)));
        for (const one of [...before, ...wishes.flat().filter(isLive)]) {
          if (!unmet.has(one.session)) expect(holds(role, one), one.session).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("planPrune", () => {
  it("removes what is over and what a merged policy holds as well, and nothing else", () => {
    const policies = [
      single(entry(1, NOW - HOUR)),
      single(entry(2, NOW - CLOCK_SLACK_MS / 2)),
      single(entry(3)),
      single(entry(4)),
      merged("m", [entry(3), entry(5)]),
      merged("over", [entry(6, NOW - 3 * HOUR)]),
      { name: "agent-run-revoke-all-1", text: allDocument(NOW - 9 * HOUR, NOW - HOUR) },
      foreign(10),
    ];
    expect(planPrune({ policies, now: NOW }).steps.map(({ name }) => name)).toEqual([
      singleName(id(1)),
      mergedName("over"),
      "agent-run-revoke-all-1",
      singleName(id(3)),
    ]);
  });
});

describe("planRevokeAll", () => {
  it("denies all that was issued before, at every step keeps what was denied, and leaves one policy of ours", () => {
    fc.assert(
      fc.property(aRole, (role) => {
        const before = wantedOf(role).filter(isLive);
        const until = NOW + 14 * HOUR;
        const { steps, unmet } = planRevokeAll({ policies: policiesOf(role), now: NOW, nonce: nonces("n"), before: NOW, until });
        for (const step of steps) {
          expect(apply(role, step)).toBe(true);
          for (const one of before) expect(holds(role, one)).toBe(true);
        }
        const { session } = { session: "*" };
        if (unmet.length === 0 && steps.some(({ type }) => type === "put")) {
          expect(denied(role).get(session)).toBe(until);
          expect([...role.keys()].filter((name) => name.startsWith("agent-run-revoke-"))).toHaveLength(1);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("takes the place of a session's policy where there is no other room", () => {
    const live = [single(entry(1)), single(entry(2))];
    const role = roleOf([...live, foreign(INLINE_QUOTA - used(roleOf(live)))]);
    const plan = planRevokeAll({ policies: policiesOf(role), now: NOW, nonce: nonces("n"), before: NOW, until: NOW + HOUR });
    for (const step of plan.steps) expect(apply(role, step)).toBe(true);
    expect([...role.keys()]).toEqual(["team-access", "agent-run-revoke-all-n0000"]);
  });
});
