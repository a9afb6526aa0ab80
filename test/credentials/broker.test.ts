// The broker: one request for all, renewal at half-life, what holds while STS is down, and the end.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SessionCredentials } from "../../src/aws/credentials.ts";
import type { AgentRunError } from "../../src/core/error.ts";
import { Broker, type BrokerEvent, pause } from "../../src/credentials/broker.ts";
import { manualClock } from "./manual-clock.ts";
import { down, issue } from "./sts-answers.ts";

const MINUTE = 60_000;

function setUp(options: { lifeMs?: number; initial?: boolean; neededUntil?: () => number } = {}) {
  const clock = manualClock();
  const life = options.lifeMs ?? 60 * MINUTE;
  const events: BrokerEvent[] = [];
  const issued: SessionCredentials[] = [];
  const calls: { answer: "give" | "fail" | "hang" | Promise<void> } = { answer: "give" };
  let count = 0;
  const give = () => {
    const credentials = issue(issued.length + 1, clock.now() + life);
    issued.push(credentials);
    return credentials;
  };
  const broker = new Broker({
    obtain: async () => {
      count += 1;
      if (calls.answer === "fail") throw down();
      if (calls.answer === "hang") return await new Promise<SessionCredentials>(() => undefined);
      if (calls.answer instanceof Promise) await calls.answer;
      return give();
    },
    clock,
    random: () => 0.5,
    onEvent: (event) => events.push(event),
    ...(options.initial === false ? {} : { initial: give() }),
    neededUntil: options.neededUntil,
  });
  return { clock, broker, events, issued, calls, calledTimes: () => count, types: () => events.map(({ type }) => type) };
}

describe("a broker with credentials", () => {
  it("answers from memory without asking", async () => {
    const { broker, calledTimes, issued } = setUp();
    expect(await broker.current()).toBe(issued[0]);
    expect(broker.held()).toBe(issued[0]);
    expect(calledTimes()).toBe(0);
    expect(broker.trouble).toBeUndefined();
  });

  it("renews at half-life and serves the new ones", async () => {
    const { broker, clock, calledTimes, types, issued } = setUp();
    await clock.advance(29 * MINUTE);
    expect(calledTimes()).toBe(0);
    await clock.advance(2 * MINUTE);
    expect(calledTimes()).toBe(1);
    expect(types()).toEqual(["refreshed"]);
    expect((await broker.current()).accessKeyId).toBe(issued[1]?.accessKeyId);
  });

  it("renews again and again, one lifetime after the other", async () => {
    const { clock, calledTimes, broker } = setUp({ lifeMs: 15 * MINUTE });
    for (let minute = 0; minute < 120; minute += 1) {
      await clock.advance(MINUTE);
      expect((await broker.current()).expiresAt).toBeGreaterThan(clock.now());
    }
    expect(calledTimes()).toBe(16);
  });

  it("spreads the renewals of several sessions over a fifth of the half-life", () => {
    const times = [0, 0.999].map((random) => {
      const clock = manualClock(0);
      new Broker({
        obtain: async () => issue(1, 0),
        clock,
        random: () => random,
        onEvent: () => undefined,
        initial: issue(1, 60 * MINUTE),
      });
      return clock.due[0] ?? 0;
    });
    expect(times[0]).toBe(27 * MINUTE);
    expect(times[1]).toBeGreaterThan(32.9 * MINUTE);
    expect(times[1]).toBeLessThan(33 * MINUTE);
  });

  it("overwrites what was replaced, but not at once: an answer may just be written", async () => {
    const { clock, issued } = setUp();
    await clock.advance(30 * MINUTE + 1000);
    expect(issued[0]?.secretAccessKey.reveal()).toBe("secret-1");
    await clock.advance(10_000);
    expect(issued[0]?.secretAccessKey.reveal()).toBe("");
    expect(issued[0]?.sessionToken.reveal()).toBe("");
    expect(issued[1]?.secretAccessKey.reveal()).toBe("secret-2");
  });

  it("does not renew credentials that last until the session's limit", async () => {
    const limit = Date.UTC(2026, 10, 22, 9) + 50 * MINUTE;
    const { clock, calledTimes } = setUp({ neededUntil: () => limit });
    await clock.advance(50 * MINUTE);
    expect(calledTimes()).toBe(0);
  });

  it("renews when the limit has moved past them", async () => {
    let limit = Date.UTC(2026, 10, 22, 9) + 50 * MINUTE;
    const { clock, calledTimes, broker } = setUp({ neededUntil: () => limit });
    await clock.advance(40 * MINUTE);
    limit += 60 * MINUTE;
    await broker.refresh();
    expect(calledTimes()).toBe(1);
  });
});

describe("a cold broker", () => {
  it("makes one request for 200 who ask at once", async () => {
    const { broker, calledTimes, issued } = setUp({ initial: false });
    const answers = await Promise.all(Array.from({ length: 200 }, () => broker.current()));
    expect(calledTimes()).toBe(1);
    expect(new Set(answers)).toEqual(new Set([issued[0]]));
  });

  it("goes on with its request when everybody who waited has hung up", async () => {
    let open = (): void => undefined;
    const { broker, calls, calledTimes, issued } = setUp({ initial: false });
    calls.answer = new Promise<void>((resolve) => {
      open = resolve;
    });
    await Promise.race([broker.current(), Promise.resolve("hung up")]);
    open();
    await new Promise((resolve) => setImmediate(resolve));
    expect(broker.held()).toBe(issued[0]);
    await broker.current();
    expect(calledTimes()).toBe(1);
  });

  it("refuses credentials that have expired already", async () => {
    const clock = manualClock();
    const broker = new Broker({ obtain: async () => issue(1, clock.now()), clock, onEvent: () => undefined });
    await expect(broker.current()).rejects.toMatchObject({ code: "assume-role" });
    expect(broker.held()).toBeUndefined();
  });
});

describe("while STS is down", () => {
  it("serves the held credentials until they expire, and says that the refresh fails", async () => {
    const { broker, clock, calls, issued, types } = setUp();
    calls.answer = "fail";
    await clock.advance(59 * MINUTE);
    expect(await broker.current()).toBe(issued[0]);
    expect(broker.trouble).toBe("refresh failing: sts unreachable");
    expect(types()).toContain("refresh-failed");
    await clock.advance(2 * MINUTE);
    expect(types()).toContain("expired");
    const asked = expect(broker.current()).rejects.toMatchObject({ code: "sts-unreachable" });
    await clock.advance(500);
    await asked;
    expect(broker.held()).toBeUndefined();
    expect(broker.trouble).toBe("no credentials: sts unreachable");
  });

  it("never serves an expired key, also when the machine slept past the end and STS hangs", async () => {
    const { broker, clock, calls } = setUp();
    calls.answer = "hang";
    await clock.sleepThrough(61 * MINUTE);
    const answer = await Promise.race([broker.current(), new Promise((resolve) => setTimeout(resolve, 30, "waits"))]);
    expect(answer).toBe("waits");
    expect(broker.held()).toBeUndefined();
  });

  it("retries after 1 s at first and every 60 s at most, and recovers", async () => {
    const { broker, clock, calls, events, types } = setUp();
    calls.answer = "fail";
    await clock.advance(45 * MINUTE);
    const pauses = events.flatMap((event) => (event.type === "refresh-failed" ? [event.retryAt - event.at] : []));
    expect(pauses[0]).toBe(1000);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(60_000);
    expect(pauses.length).toBeGreaterThan(15);
    calls.answer = "give";
    await clock.advance(MINUTE);
    expect(types().slice(-2)).toEqual(["refreshed", "recovered"]);
    expect(broker.trouble).toBeUndefined();
  });

  it("asks STS once for all clients that ask between two tries, and serves them when that succeeds", async () => {
    const { broker, clock, calls, calledTimes } = setUp({ initial: false });
    calls.answer = "fail";
    await expect(broker.current()).rejects.toThrow("cannot reach sts");
    const asked = Array.from({ length: 50 }, () => broker.current().then(({ accessKeyId }) => accessKeyId));
    await clock.advance(400);
    expect(calledTimes()).toBe(1);
    calls.answer = "give";
    await clock.advance(100);
    expect(new Set(await Promise.all(asked)).size).toBe(1);
    expect(calledTimes()).toBe(2);
  });

  it("asks twice a second at most for clients that ask all the time, and every 5 s when the trouble lasts; in between it answers at once why", async () => {
    const { broker, clock, calls, calledTimes } = setUp({ initial: false });
    calls.answer = "fail";
    const ask = (): void => void broker.current().catch(() => undefined);
    for (let ms = 0; ms < 5000; ms += 50) {
      ask();
      await clock.advance(50);
    }
    expect(calledTimes()).toBeGreaterThan(8);
    expect(calledTimes()).toBeLessThanOrEqual(11);
    const before = calledTimes();
    for (let ms = 0; ms < 60_000; ms += 250) {
      ask();
      await clock.advance(250);
    }
    expect(calledTimes() - before).toBeLessThanOrEqual(14);
    await clock.advance(1000);
    await expect(broker.current()).rejects.toMatchObject({ code: "sts-unreachable" });
  });

  it("tells those who wait for the next try that the session has ended", async () => {
    const { broker, clock, calls } = setUp({ initial: false });
    calls.answer = "fail";
    await expect(broker.current()).rejects.toThrow("cannot reach sts");
    const asked = broker.current();
    broker.stop();
    const refused = expect(asked).rejects.toMatchObject({ code: "session-not-found" });
    await clock.advance(500);
    await refused;
  });

  it("tries once more just before the end rather than just after it", async () => {
    const { clock, calls, events, issued } = setUp({ lifeMs: 60_000 });
    calls.answer = "fail";
    await clock.advance(60_000);
    const last = events.filter((event) => event.type === "refresh-failed" && event.at < (issued[0]?.expiresAt ?? 0)).at(-1);
    expect((issued[0]?.expiresAt ?? 0) - (last?.at ?? 0)).toBeLessThanOrEqual(1000);
  });

  it("does not repeat the text of an error that is not ours", async () => {
    const clock = manualClock();
    const broker = new Broker({
      obtain: () => Promise.reject(new TypeError("wJalrXUtnFEMI secret")),
      clock,
      onEvent: () => undefined,
    });
    const error: AgentRunError = await broker.current().catch((thrown) => thrown);
    expect(error.code).toBe("internal");
    expect(error.message).not.toContain("wJalr");
  });

  it("waits between 1 s and 60 s whatever the failures and the dice", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
        const ms = pause(failures, random);
        return ms >= 1000 && ms <= 60_000;
      }),
    );
  });
});

describe("a stopped broker", () => {
  it("refuses, has overwritten every secret, and begins nothing", async () => {
    const { broker, clock, issued, calledTimes } = setUp();
    await clock.advance(30 * MINUTE + 500);
    broker.stop();
    await expect(broker.current()).rejects.toMatchObject({ code: "session-not-found" });
    await expect(broker.refresh()).rejects.toMatchObject({ code: "session-not-found" });
    expect(issued.map((credentials) => credentials.secretAccessKey.reveal() + credentials.sessionToken.reveal())).toEqual(["", ""]);
    await clock.advance(24 * 60 * MINUTE);
    expect(calledTimes()).toBe(1);
  });

  it("overwrites what a request brings that was under way", async () => {
    let open = (): void => undefined;
    const { broker, calls, issued, events } = setUp({ initial: false });
    calls.answer = new Promise<void>((resolve) => {
      open = resolve;
    });
    const waiting = broker.current();
    broker.stop();
    open();
    await expect(waiting).rejects.toMatchObject({ code: "session-not-found" });
    expect(issued[0]?.secretAccessKey.reveal()).toBe("");
    expect(events).toEqual([]);
  });

  it("sends those away who wait for the next try, which is not made", async () => {
    const { broker, clock, calls, calledTimes } = setUp({ initial: false });
    calls.answer = "fail";
    await expect(broker.current()).rejects.toMatchObject({ code: "sts-unreachable" });
    const waiting = expect(broker.current()).rejects.toMatchObject({ code: "session-not-found" });
    broker.stop();
    await clock.advance(MINUTE);
    await waiting;
    expect(calledTimes()).toBe(1);
  });

  it("overwrites what it is given afterwards", () => {
    const { broker, clock } = setUp();
    broker.stop();
    const late = issue(9, clock.now() + MINUTE);
    broker.adopt(late);
    expect(late.secretAccessKey.reveal()).toBe("");
    expect(broker.held()).toBeUndefined();
  });
});
