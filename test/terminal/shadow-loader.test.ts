// The shadow is loaded once, for the screen as the agent found it: the terminal is asked before the agent's first byte, and what came too late is not used.
import { afterEach, describe, expect, it, vi } from "vitest";
import { Compositor } from "../../src/terminal/compositor.ts";
import { InputFilter } from "../../src/terminal/input-filter.ts";
import { Questions } from "../../src/terminal/questions.ts";
import { ShadowLoader } from "../../src/terminal/shadow-loader.ts";
import { terminalKind } from "../../src/terminal/terminal-look.ts";
import { Timers } from "../../src/terminal/timers.ts";
import { writtenTo } from "./parts.ts";

afterEach(() => {
  vi.useRealTimers();
});

function world() {
  const { output, written } = writtenTo();
  const compositor = new Compositor({ size: { cols: 20, rows: 8 }, reserve: true, emit: output.write, marker: () => false });
  const questions = new Questions((text) => output.write(text), new InputFilter());
  const timers = new Timers();
  const loader = new ShadowLoader({ compositor, questions, kind: terminalKind({ TERM: "xterm" }), timers });
  const answer = (row: number, column: number): boolean =>
    questions.answeredBy({ kind: "reply", bytes: Buffer.of(), csi: { body: `${row};${column}`, final: "R" } });
  const asked = (): number => written().split("\x1b[6n").length - 1;
  return { compositor, loader, timers, answer, asked };
}

describe("a shadow", () => {
  it("starts where the terminal says that the agent did, and is asked for once", async () => {
    const { compositor, loader, answer, asked } = world();
    expect(loader.begun).toBe(false);
    loader.askCursor();
    expect(loader.begun).toBe(true);
    compositor.write(Buffer.from("$ "));
    const loading = loader.load();
    expect(loader.load()).toBe(loading);
    answer(3, 5);
    await loading;
    const { shadow } = compositor.frame;
    shadow?.drain();
    expect(shadow?.cursor).toEqual({ x: 6, y: 2 });
    expect(asked()).toBe(1);
  });

  it("is asked for by whoever loads it first, and comes without an answer too", async () => {
    const { compositor, loader, asked } = world();
    await loader.load();
    expect(asked()).toBe(1);
    expect(compositor.frame.shadow?.cursor).toEqual({ x: 0, y: 0 });
  });

  it("of an agent that has ended asks nothing any more", async () => {
    const { compositor, loader, asked } = world();
    await loader.loadAtTheEnd();
    expect(asked()).toBe(0);
    expect(compositor.frame.shadow).toBeDefined();
  });

  it("that was on its way when somebody else got the terminal is not used, the next one is", async () => {
    const { compositor, loader, answer } = world();
    const first = loader.load();
    loader.startAnew();
    const second = loader.load();
    answer(1, 1);
    await first;
    expect(compositor.frame.shadow).toBeUndefined();
    answer(4, 2);
    await second;
    expect(compositor.frame.shadow?.cursor).toEqual({ x: 1, y: 3 });
  });

  it("that comes after the end is not used", async () => {
    const { compositor, loader, answer } = world();
    const loading = loader.load();
    loader.end();
    answer(1, 1);
    await loading;
    expect(compositor.frame.shadow).toBeUndefined();
  });

  it("is loaded at once where the bar cannot be put right without it, however often that is said", () => {
    vi.useFakeTimers();
    const { loader, timers, asked } = world();
    loader.loadLater();
    const set = vi.getTimerCount();
    for (let times = 0; times < 100; times++) loader.loadSoon();
    expect(vi.getTimerCount()).toBe(set + 1);
    vi.advanceTimersByTime(20);
    expect(asked()).toBe(1);
    timers.end();
  });
});
