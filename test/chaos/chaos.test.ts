// A short chaos run: each kind of harm once, at moments drawn from a fixed seed. The long one is `npm run chaos`.
import { describe, expect, it } from "vitest";
import { machineHere, Place } from "./place.ts";
import { describeRound, kinds, moments, planRound, type Round } from "./plan.ts";
import { playRound } from "./round.ts";

const SEED = 4;
/** These wait for longer than somebody's patience; the long run has them. */
const SLOW = /^(stop|clock|disk|sts)/;
/** No more than a minute on a machine that has nothing else to do. */
const BUDGET_MS = 60_000;

const machine = machineHere();
const rounds = Object.keys(kinds)
  .map((_, number) => planRound(SEED, number, machine))
  .filter(({ kind }, index, all) => all.findIndex((other) => other.kind === kind) === index);

describe("chaos", () => {
  it("leaves nothing behind, whatever dies and when", async () => {
    await using place = await Place.open(machine);
    const begun = performance.now();
    const found: string[] = [];
    const played: Round[] = [];
    for (const round of [...rounds.filter(({ kind }) => !SLOW.test(kind)), ...rounds.filter(({ kind }) => SLOW.test(kind))]) {
      if (performance.now() - begun > BUDGET_MS) break;
      const { leftovers } = await playRound(place, round);
      found.push(...leftovers.map((text) => `${describeRound(round)}: ${text}`));
      if (leftovers.length > 0) await place.sweep();
      played.push(round);
    }
    expect(found).toEqual([]);
    expect(played.length).toBeGreaterThan(5);
  }, 240_000);

  it("draws the same round from the same seed, and every moment and kind sooner or later", () => {
    const all = { bwrap: true, tmux: true, faketime: true, mount: true, ordinary: true };
    const many = Array.from({ length: 400 }, (_, number) => planRound(SEED, number, all));
    expect(many.slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, number) => planRound(SEED, number, all)));
    expect(new Set(many.map(({ kind }) => kind))).toEqual(new Set(Object.keys(kinds)));
    expect(new Set(many.map(({ moment }) => moment)).size).toBe(moments.length);
  });
});
