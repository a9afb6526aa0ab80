// When the bar is painted: in a pause, between two sequences, at once where it was drawn over; never between a key and its echo.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BarPainter } from "../../src/terminal/bar-painter.ts";
import { Compositor } from "../../src/terminal/compositor.ts";
import { OverlayHost } from "../../src/terminal/overlay-host.ts";
import { Pauses } from "../../src/terminal/pauses.ts";
import { terminalKind } from "../../src/terminal/terminal-look.ts";
import { BAR, writtenTo } from "./parts.ts";
import { vtScreen } from "./vt-screen.ts";

const COLS = 80;
const ROWS = 6;
const PAUSE_MS = 20;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function world() {
  const { output, written } = writtenTo();
  const compositor = new Compositor({ size: { cols: COLS, rows: ROWS }, reserve: true, emit: output.write, marker: () => false });
  compositor.goWithoutShadow();
  const { look } = terminalKind({ TERM: "xterm" });
  const overlay = new OverlayHost({
    compositor,
    look,
    alternate: true,
    saysEnd: () => false,
    hold: () => undefined,
    loadShadow: async () => undefined,
    changed: () => undefined,
  });
  const pauses = new Pauses(() => {
    bar.renderDue();
    bar.paintDue();
  });
  const bar = new BarPainter({
    bar: BAR,
    killKey: "ctrl-k",
    colour: false,
    width: () => COLS,
    compositor,
    overlay,
    pauses,
    onRender: () => undefined,
  });
  const agent = (text: string): void => {
    compositor.write(Buffer.from(text));
    if (compositor.mayPaint) bar.afterOutput();
    pauses.output();
  };
  /** The last row of the terminal that got all of it. */
  const shown = (): string => {
    const screen = vtScreen(COLS, ROWS);
    screen.write(written());
    return screen.row(ROWS - 1);
  };
  compositor.begin();
  bar.render();
  bar.paint();
  vi.advanceTimersByTime(PAUSE_MS);
  return { bar, agent, shown, written };
}

const named = (agent: string) => ({ ...BAR, agent });

describe("what the bar says", () => {
  it("is there from the start", () => {
    expect(world().shown()).toContain("claude");
  });

  it("is painted in the next pause, and not before", () => {
    const { bar, agent, shown } = world();
    bar.set(named("codex"));
    agent("echo");
    expect(shown()).toContain("claude");
    vi.advanceTimersByTime(PAUSE_MS);
    expect(shown()).toContain("codex");
  });

  it("is painted between two sequences where no pause comes", () => {
    const { bar, agent, shown } = world();
    bar.set(named("codex"));
    const flood = (ms: number): void => {
      for (let passed = 0; passed < ms; passed += 5) {
        agent("flood\r\n");
        vi.advanceTimersByTime(5);
      }
    };
    flood(250);
    expect(shown()).toContain("claude");
    flood(10);
    expect(shown()).toContain("codex");
  });

  it("costs nothing where it is the same", () => {
    const { bar, written } = world();
    const before = written();
    for (let times = 0; times < 10; times++) {
      bar.set({ ...BAR });
      vi.advanceTimersByTime(1000);
    }
    expect(written()).toBe(before);
  });

  it("gives way to a notice for as long as that was to be shown", () => {
    const { bar, shown } = world();
    bar.notice("signed in", 15_000);
    vi.advanceTimersByTime(14_000);
    expect(shown()).toContain("signed in");
    vi.advanceTimersByTime(1000 + PAUSE_MS);
    expect(shown()).not.toContain("signed in");
  });
});

describe("the bar's row", () => {
  it("is painted at once where the agent has erased it", () => {
    const { agent, shown } = world();
    agent("\x1b[2J");
    expect(shown()).toContain("claude");
  });

  it.each([
    ["synchronised output", "\x1b[?2026h", 1000],
    ["a string", `\x1bP${"q".repeat(100)}`, 5000],
  ])("is left alone in %s, unless it stands open for too long", (_, begin, patienceMs) => {
    const { bar, agent, shown } = world();
    agent(begin);
    bar.set(named("codex"));
    vi.advanceTimersByTime(patienceMs - 100);
    expect(shown()).toContain("claude");
    vi.advanceTimersByTime(200);
    expect(shown()).toContain("codex");
  });

  it("is ours no more after the end", () => {
    const { bar, written } = world();
    bar.notice("gone", 1000);
    vi.advanceTimersByTime(PAUSE_MS);
    bar.end();
    const before = written();
    bar.set(named("codex"));
    vi.advanceTimersByTime(10_000);
    bar.render();
    expect(written()).toBe(before);
  });
});
