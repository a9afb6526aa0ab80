// What the audit holds of fetches: enough to say who took which keys and when, and no more than a disk can bear.
import { describe, expect, it } from "vitest";
import type { RecordData } from "../../src/audit/record.ts";
import { Tally } from "../../src/session/tally.ts";
import { manualClock } from "../credentials/manual-clock.ts";

function start() {
  const clock = manualClock();
  const records: RecordData[] = [];
  const shown: number[] = [];
  const tally = new Tally(
    (_kind, data) => records.push(data),
    0,
    clock,
    () => shown.push(tally.fetches),
  );
  const fetch = (accessKeyId: string, userAgent: string): void =>
    tally.fetched({ status: 200, form: "container", accessKeyId, expiresAt: 0, userAgent, reason: undefined, tookMs: 1 });
  const told = (): number => records.reduce((sum, { count }) => sum + (typeof count === "number" ? count : 1), 0);
  return { clock, records, tally, fetch, told, shown };
}

describe("fetches that succeed", () => {
  it("are told of to whoever shows their number: the first at once, then once a second while there are more, and not after the end", async () => {
    const { clock, tally, fetch, shown } = start();
    for (let n = 0; n < 500; n++) fetch("ASIA1", "boto");
    expect(shown).toEqual([1]);
    await clock.advance(1000);
    expect(shown).toEqual([1, 500]);
    await clock.advance(5000);
    fetch("ASIA1", "boto");
    await clock.advance(1000);
    expect(shown).toEqual([1, 500, 501]);
    fetch("ASIA1", "boto");
    tally.close();
    await clock.advance(5000);
    expect(shown).toEqual([1, 500, 501]);
  });

  it("have a record each at first, then one a minute with their number, the first and the last", async () => {
    const { clock, records, tally, fetch, told } = start();
    for (let n = 0; n < 20; n++) fetch("ASIA1", "boto");
    expect(records).toHaveLength(20);
    const began = new Date(clock.now()).toISOString();
    for (let n = 0; n < 5000; n++) fetch("ASIA1", "boto");
    await clock.advance(59_000);
    fetch("ASIA1", "boto");
    const ended = new Date(clock.now()).toISOString();
    expect(records).toHaveLength(20);
    await clock.advance(1000);
    expect(records.slice(20)).toEqual([{ status: 200, accessKeyId: "ASIA1", count: 5001, first: began, last: ended }]);
    fetch("ASIA1", "boto");
    tally.close();
    tally.close();
    expect(records).toHaveLength(22);
    expect(told()).toBe(tally.fetches);
  });

  it("have one for each new key, after what was counted of the one before", () => {
    const { records, fetch, told, tally } = start();
    for (let n = 0; n < 30; n++) fetch("ASIA1", "boto");
    fetch("ASIA2", "boto");
    expect(records.slice(20)).toMatchObject([
      { accessKeyId: "ASIA1", count: 10 },
      { accessKeyId: "ASIA2", userAgent: "boto" },
    ]);
    expect(told()).toBe(tally.fetches);
  });

  it("name a client that comes late, and stay few whatever clients say they are", () => {
    const { records, fetch, told, tally } = start();
    for (let n = 0; n < 30; n++) fetch("ASIA1", "boto");
    fetch("ASIA1", "curl");
    expect(records.at(-1)).toEqual({ status: 200, accessKeyId: "ASIA1", userAgent: "curl" });
    for (let n = 0; n < 10_000; n++) fetch("ASIA1", `made up ${n}`);
    tally.close();
    expect(records.length).toBeLessThan(100);
    expect(told()).toBe(tally.fetches);
  });
});
