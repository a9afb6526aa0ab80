// The words that everything shares: durations, secrets, ids, paths, nearest names, errors.
import { userInfo } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { sleep, steadyClock, systemClock, within } from "../../src/core/clock.ts";
import { formatLeft, formatSpan, parseDuration } from "../../src/core/duration.ts";
import { AgentRunError, messageOf } from "../../src/core/error.ts";
import { isSessionId, newSessionId, newToken, typedSession } from "../../src/core/id.ts";
import { nearest } from "../../src/core/nearest.ts";
import { controlSocket, resolvePaths } from "../../src/core/paths.ts";
import { Secret } from "../../src/core/secret.ts";

describe("duration", () => {
  it.each([
    ["45s", 45_000],
    ["90", 90_000],
    ["15m", 900_000],
    ["1h30m", 5_400_000],
    [" 2D ", 172_800_000],
  ])("reads %j as %i ms", (text, ms) => expect(parseDuration(text, "--ttl")).toBe(ms));

  it.each(["", "0", "0s", "soon", "1h 30m", "-5m", "1.5h", "5x", "m", "99999999999999999999d"])(
    "refuses %j as wrong usage that names the flag",
    (text) => {
      expect(() => parseDuration(text, "--ttl")).toThrow(
        expect.objectContaining({ code: "usage", exitStatus: 2, message: expect.stringMatching(/^--ttl: /) }),
      );
    },
  );

  it.each([
    [-5, "0:00"],
    [1, "0:01"],
    [9_000, "0:09"],
    [245_000, "4:05"],
    [600_000, "10m"],
    [3_600_000, "1h00m"],
    [3_840_000, "1h04m"],
  ])("shows %i ms left as %s", (ms, text) => expect(formatLeft(ms)).toBe(text));

  it.each([
    [820, "820 ms"],
    [4_240, "4.2 s"],
    [840_000, "14 min"],
    [3_840_000, "1 h 4 min"],
    [7_200_000, "2 h"],
  ])("tells %i ms as %s", (ms, text) => expect(formatSpan(ms)).toBe(text));
});

describe("secret", () => {
  it("shows itself in no rendering", () => {
    const secret = new Secret("hunter2");
    const renderings = [
      `${secret}`,
      String(secret),
      JSON.stringify({ secret }),
      inspect({ deep: { secret } }, { depth: 9, showHidden: true }),
      new Error(`x ${secret}`).message,
      Object.values({ ...secret }).join(),
    ];
    for (const text of renderings) expect(text).not.toContain("hunter2");
    expect(secret.reveal()).toBe("hunter2");
  });

  it("is gone after a wipe, and equals nothing then", () => {
    const secret = new Secret("hunter2");
    expect(secret.equals("hunter2")).toBe(true);
    expect(secret.equals("hunter3")).toBe(false);
    secret.wipe();
    expect(secret.reveal()).toBe("");
    for (const guess of ["hunter2", "", "\0\0\0\0\0\0\0"]) expect(secret.equals(guess)).toBe(false);
  });
});

describe("ids", () => {
  it("are of one form, and tokens hold nothing that a header, a shell or an INI file would change", () => {
    for (let round = 0; round < 100; round += 1) {
      expect(isSessionId(newSessionId())).toBe(true);
      expect(newToken()).toMatch(/^[A-Za-z0-9_-]{43}$/);
    }
    expect(typedSession("a8f3b21c")).toBe("sess_a8f3b21c");
    for (const text of ["sess_a8f3b21c", "A8F3B21C", "a8f3b21", "all", ""]) expect(typedSession(text)).toBe(text);
    for (const text of ["sess_", "sess_A8F3B21C", "sess_a8f3b21c/../x", "x sess_a8f3b21c"]) expect(isSessionId(text)).toBe(false);
  });
});

describe("paths", () => {
  it("follow XDG, and AGENT_RUN_HOME moves all three", () => {
    expect(resolvePaths({ HOME: "/h", XDG_RUNTIME_DIR: "/run/user/7" }, 7)).toEqual({
      config: "/h/.config/agent-run",
      state: "/h/.local/state/agent-run",
      runtime: "/run/user/7/agent-run",
    });
    expect(resolvePaths({ HOME: "/h", XDG_CONFIG_HOME: "/c", XDG_STATE_HOME: "/s", XDG_RUNTIME_DIR: "/r" }, 7)).toEqual({
      config: "/c/agent-run",
      state: "/s/agent-run",
      runtime: "/r/agent-run",
    });
    const { homedir } = userInfo();
    for (const HOME of ["", "relative", "./x", undefined]) {
      const { config, state } = resolvePaths({ HOME, XDG_CONFIG_HOME: "rel", XDG_STATE_HOME: "../rel" }, 7);
      expect([config, state]).toEqual([join(homedir, ".config/agent-run"), join(homedir, ".local/state/agent-run")]);
    }
    expect(resolvePaths({ HOME: "/h" }, 7, () => false).runtime).toMatch(/agent-run-7$/);
    // Whoever is started with few variables meets the same daemon.
    expect(resolvePaths({ HOME: "/h" }, 7, (path) => path === "/run/user/7").runtime).toBe("/run/user/7/agent-run");
    expect(controlSocket(resolvePaths({ AGENT_RUN_HOME: "/x" }, 7))).toBe("/x/run/control.sock");
  });
});

describe("nearest", () => {
  it("finds the word that was meant, and none where nothing is near", () => {
    expect(nearest("readolny", ["readonly", "deploy"])).toBe("readonly");
    expect(nearest("rloe", ["role", "ttl"])).toBe("role");
    expect(nearest("nope", ["role", "ttl"])).toBeUndefined();
    expect(nearest("xyz", ["readonly", "deploy"])).toBeUndefined();
  });

  it("finds every word that is one edit away", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{4,12}$/), fc.nat(), (word, seed) => {
        const at = seed % word.length;
        expect(nearest(word.slice(0, at) + word.slice(at + 1), [word])).toBe(word);
      }),
    );
  });
});

describe("errors and time", () => {
  it("give the message of whatever was thrown", () => {
    expect(messageOf(new AgentRunError("config", "bad"))).toBe("bad");
    expect(messageOf(new AggregateError([new Error("first")]))).toBe("first");
    expect(messageOf("text")).toBe("text");
    expect(messageOf(new TypeError(""))).toBe("TypeError");
  });

  it("fire a timer whose time has come or passed, and not one that was disposed", async () => {
    const fired: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    systemClock.at(systemClock.now() - 1000, () => fired.push("past"));
    systemClock.at(systemClock.now() + 20, () => fired.push("disposed"))[Symbol.dispose]();
    systemClock.at(systemClock.now() + 60, () => resolve());
    const keepAlive = setInterval(() => {}, 10);
    await promise;
    clearInterval(keepAlive);
    expect(fired).toEqual(["past"]);
  });

  it("are told by a steady clock that counts on where the machine's is set back, and follows it forwards", async () => {
    let machine = 1_000_000_000;
    const asked: number[] = [];
    const clock = steadyClock({
      now: () => machine,
      at: (at) => {
        asked.push(at);
        return { [Symbol.dispose]: () => undefined };
      },
    });
    machine += 60_000;
    expect(clock.now()).toBe(machine);
    expect(clock.ahead()).toBe(0);
    const before = clock.now();
    machine -= 12 * 3_600_000;
    await sleep(20);
    expect(clock.now()).toBeGreaterThanOrEqual(before + 15);
    expect(clock.ahead()).toBeGreaterThanOrEqual(12 * 3_600_000);
    // In 10 s by this clock is in 10 s by the machine's.
    clock.at(clock.now() + 10_000, () => undefined);
    expect(asked[0]).toBeGreaterThan(machine + 9000);
    expect(asked[0]).toBeLessThan(machine + 11_000);
    machine += 13 * 3_600_000;
    expect(clock.now()).toBe(machine);
  });

  it("fire a timer no later than its time from now when the clock is set back meanwhile", async () => {
    const real = Date.now;
    const fired = Promise.withResolvers<void>();
    using _timer = systemClock.at(systemClock.now() + 150, () => fired.resolve());
    try {
      Date.now = () => real() - 12 * 3_600_000;
      expect(
        await within(
          fired.promise.then(() => "fired"),
          10_000,
        ),
      ).toBe("fired");
    } finally {
      Date.now = real;
    }
  });

  it("wait for a promise no longer than told", async () => {
    expect(await within(Promise.resolve(7), 1000)).toBe(7);
    expect(await within(new Promise(() => {}), 10)).toBeUndefined();
    await expect(within(Promise.reject(new Error("no")), 1000)).rejects.toThrow("no");
  });

  it("waits no longer for a time that is over, without a warning of Node's in the human's terminal", async () => {
    const warned = vi.spyOn(process, "emitWarning");
    expect(await within(new Promise(() => {}), -5)).toBeUndefined();
    expect(warned).not.toHaveBeenCalled();
    warned.mockRestore();
  });
});
