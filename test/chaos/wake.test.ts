// A laptop that wakes up: its clock, and AWS's, are far ahead at once. What is over ends, what goes on asks AWS once a session.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { requestJson } from "../../src/control/client.ts";
import type { SessionView } from "../../src/control/protocol.ts";
import { daemonStatus } from "../../src/control/requests.ts";
import { sleep, systemClock } from "../../src/core/clock.ts";
import { BIN, makeWorld, until } from "../end-to-end/world.ts";
import { fakeTime, hasFakeTime, moveClock } from "./fake-time.ts";

const SESSIONS = 5;
const MINUTE = 60;

describe.skipIf(!hasFakeTime)("waking up (needs libfaketime)", () => {
  it("renews each session once after a sleep past its keys' half-life, and ends all at once after one past their limit", async () => {
    let ahead = 0;
    const now = (): number => Date.now() + ahead * 1000;
    await using world = await makeWorld({ clock: { now, at: systemClock.at } });
    const file = join(world.home, "clock");
    const sleepFor = (seconds: number): void => {
      ahead += seconds;
      moveClock(file, ahead);
    };
    sleepFor(0);
    const daemon = spawn(process.execPath, [BIN, "daemon", "run"], { env: { ...world.env, ...fakeTime(file) }, stdio: "ignore" });
    try {
      await until(async () => (await world.daemonPid()) === daemon.pid, 15_000, "the daemon");
      const views = async (): Promise<SessionView[]> =>
        (await requestJson(join(world.own, "run", "control.sock"), { path: "/v1/status", answer: daemonStatus })).sessions;
      const runs = Array.from({ length: SESSIONS }, () => world.start(["--ttl", "1h", "sleep", "600"]));
      const ended = runs.map((run) => new Promise((resolve) => run.once("close", resolve)));
      await until(async () => (await views()).filter(({ state }) => state === "active").length === SESSIONS, 30_000, "the sessions");
      const before = world.cloud.calls("sts:AssumeRole");

      sleepFor(50 * MINUTE);
      await until(async () => (await views()).every(({ refreshes }) => refreshes === 1), 20_000, "a refresh of each");
      await sleep(2000);
      expect(world.cloud.calls("sts:AssumeRole") - before).toBe(SESSIONS);
      expect((await views()).map(({ trouble }) => trouble)).toEqual(Array.from({ length: SESSIONS }));

      sleepFor(14 * 60 * MINUTE);
      expect(await Promise.all(ended)).toEqual(Array.from({ length: SESSIONS }, () => 124));
      expect(await views()).toEqual([]);
      // Whether a limit or a renewal is looked at first, no session asks more than once.
      expect(world.cloud.calls("sts:AssumeRole") - before).toBeLessThanOrEqual(2 * SESSIONS);
    } finally {
      daemon.kill("SIGTERM");
    }
  }, 90_000);
});
