// When an agent's output is said to pause: after a moment without any, once, and not for each chunk of it.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Pauses } from "../../src/terminal/pauses.ts";

/** As long as a pause has to be at most; at least half of that. */
const PAUSE_MS = 16;
/** Shorter than any. */
const CHUNKS_EVERY_MS = 5;

let said = 0;
let pauses: Pauses;
beforeEach(() => {
  vi.useFakeTimers();
  said = 0;
  pauses = new Pauses(() => said++);
});
afterEach(() => {
  pauses.end();
  vi.useRealTimers();
});

describe("a pause", () => {
  it("is the moment after the start, where nothing comes", () => {
    expect(pauses.isQuiet).toBe(false);
    vi.advanceTimersByTime(PAUSE_MS);
    expect([said, pauses.isQuiet]).toEqual([1, true]);
  });

  it("is none while output comes, and one once it ends", () => {
    for (let chunks = 0; chunks < 100; chunks++) {
      pauses.output();
      vi.advanceTimersByTime(CHUNKS_EVERY_MS);
    }
    expect([said, pauses.isQuiet]).toEqual([0, false]);
    vi.advanceTimersByTime(PAUSE_MS);
    expect([said, pauses.isQuiet]).toEqual([1, true]);
    vi.advanceTimersByTime(1000);
    expect(said).toBe(1);
  });

  it("follows where there is something to do, and again where it could not be done", () => {
    vi.advanceTimersByTime(PAUSE_MS);
    pauses.wake();
    expect(pauses.isQuiet).toBe(false);
    vi.advanceTimersByTime(PAUSE_MS);
    expect(said).toBe(2);
    pauses.again();
    vi.advanceTimersByTime(PAUSE_MS);
    expect(said).toBe(3);
  });

  it("takes one timer however much comes, which no chunk sets anew", () => {
    vi.advanceTimersByTime(PAUSE_MS);
    for (let chunks = 0; chunks < 1000; chunks++) pauses.output();
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(PAUSE_MS / 2 - 1);
    pauses.output();
    vi.advanceTimersByTime(PAUSE_MS / 2 + 1);
    expect(said).toBe(2);
  });

  it("comes no more after the end", () => {
    pauses.output();
    pauses.end();
    vi.advanceTimersByTime(1000);
    expect(said).toBe(0);
  });
});
