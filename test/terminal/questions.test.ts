// How long the end of a run waits for what the terminal was asked: an answer that comes later is typed into the human's shell.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { InputFilter } from "../../src/terminal/input-filter.ts";
import type { TapEvent } from "../../src/terminal/key-tap.ts";
import { Questions } from "../../src/terminal/questions.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const ANSWER: TapEvent = { kind: "reply", bytes: Buffer.from("\x1b[3;1R"), csi: { body: "3;1", final: "R" } };

function world() {
  const questions = new Questions(() => undefined, new InputFilter());
  const settled = { done: false };
  return {
    questions,
    settled,
    end(): void {
      void questions.settled({ asked: false, cursorAsked: 0 }).then(() => {
        settled.done = true;
      });
    },
  };
}

it("waits for a slow answer of a terminal that has answered before", async () => {
  const { questions, settled, end } = world();
  void questions.cursor();
  expect(questions.answeredBy(ANSWER)).toBe(true);
  void questions.cursor();
  end();
  await vi.advanceTimersByTimeAsync(1500);
  expect(settled.done).toBe(false);
  expect(questions.answeredBy(ANSWER)).toBe(true);
  await vi.advanceTimersByTimeAsync(0);
  expect(settled.done).toBe(true);
});

it("waits no longer than a short moment for a terminal that never answered", async () => {
  const { questions, settled, end } = world();
  void questions.cursor();
  end();
  await vi.advanceTimersByTimeAsync(399);
  expect(settled.done).toBe(false);
  await vi.advanceTimersByTimeAsync(2);
  expect(settled.done).toBe(true);
});

it("does not wait for a question of long ago", async () => {
  const { questions, settled, end } = world();
  void questions.cursor();
  expect(questions.answeredBy(ANSWER)).toBe(true);
  void questions.cursor();
  await vi.advanceTimersByTimeAsync(3000);
  end();
  await vi.advanceTimersByTimeAsync(1);
  expect(settled.done).toBe(true);
});
