// The broker under any sequence of passing time, sleep, failure and asking.
import { inspect } from "node:util";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Broker } from "../../src/credentials/broker.ts";
import { manualClock } from "./manual-clock.ts";
import { down, issue } from "./sts-answers.ts";

const MINUTE = 60_000;
const LONGEST_WAIT_MS = 700;

it("whatever happens in whatever order, no expired key is served and at most one request runs", async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("advance" as const), ms: fc.integer({ min: 1, max: 40 * MINUTE }) }),
    fc.record({ do: fc.constant("sleep" as const), ms: fc.integer({ min: 1, max: 90 * MINUTE }) }),
    fc.record({ do: fc.constantFrom("ask" as const, "refresh" as const, "up" as const, "down" as const), ms: fc.constant(0) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const clock = manualClock();
      let running = 0;
      let most = 0;
      let up = true;
      const broker = new Broker({
        obtain: async () => {
          running += 1;
          most = Math.max(most, running);
          await Promise.resolve();
          running -= 1;
          if (!up) throw down();
          return issue(1, clock.now() + 15 * MINUTE);
        },
        clock,
        onEvent: () => undefined,
      });
      const ask = async (): Promise<void> => {
        const served = await broker.current().catch(() => undefined);
        if (served && served.expiresAt <= clock.now()) throw new Error("an expired key was served");
        if (served?.secretAccessKey.reveal() === "") throw new Error("a wiped key was served");
      };
      for (const { do: what, ms } of steps) {
        if (what === "advance") await clock.advance(ms);
        if (what === "sleep") await clock.sleepThrough(ms);
        if (what === "up" || what === "down") up = what === "up";
        if (what === "refresh") broker.refresh().catch(() => undefined);
        const asking = [ask(), ask()];
        await new Promise(setImmediate);
        // Whoever asks just after a failure may wait for the next try.
        await clock.advance(LONGEST_WAIT_MS);
        await Promise.all(asking);
      }
      broker.stop();
      expect(most).toBeLessThanOrEqual(1);
      expect(inspect(broker, { depth: 9, showHidden: true })).not.toContain("secret-1");
    }),
    { numRuns: 60 },
  );
});
