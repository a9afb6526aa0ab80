// A window that grows while the agent writes: nothing that it writes is lost, doubled or out of order, whatever the terminal answers, and when.
import { describe, expect, it } from "vitest";
import { InputFilter } from "../../src/terminal/input-filter.ts";
import { Questions } from "../../src/terminal/questions.ts";
import { WindowGrowth } from "../../src/terminal/window-growth.ts";

/** What became of it, in order. */
function world() {
  const happened: string[] = [];
  const questions = new Questions(() => happened.push("asked"), new InputFilter());
  const growth = new WindowGrowth({
    questions,
    hold: (on) => happened.push(on ? "held back" : "let through"),
    resized: (row) => happened.push(`resized at ${row}`),
    output: (chunk) => happened.push(chunk.toString()),
  });
  const answer = (row: number): boolean =>
    questions.answeredBy({ kind: "reply", bytes: Buffer.from(`\x1b[${row + 1};1R`), csi: { body: `${row + 1};1`, final: "R" } });
  return { happened, growth, answer };
}

describe("a window that grows", () => {
  it("has what the agent writes wait for the terminal's answer", async () => {
    const { happened, growth, answer } = world();
    const asked = growth.ask();
    growth.hold(Buffer.from("one"));
    growth.hold(Buffer.from("two"));
    expect(growth.isOpen).toBe(true);
    answer(5);
    await asked;
    expect(happened).toEqual(["held back", "asked", "let through", "resized at 5", "one", "two"]);
    expect(growth.isOpen).toBe(false);
  });

  it("keeps what it holds although the memory is used again", async () => {
    const { happened, growth, answer } = world();
    const asked = growth.ask();
    const memory = Buffer.from("one");
    growth.hold(memory);
    memory.write("two");
    answer(5);
    await asked;
    expect(happened.at(-1)).toBe("one");
  });

  it("is asked about once more where it grows again, and the last answer counts", async () => {
    const { happened, growth, answer } = world();
    const first = growth.ask();
    growth.hold(Buffer.from("one"));
    const second = growth.ask();
    answer(5);
    await first;
    expect(growth.isOpen).toBe(true);
    answer(7);
    await second;
    expect(happened.slice(-3)).toEqual(["let through", "resized at 7", "one"]);
    expect(happened.filter((word) => word.startsWith("resized"))).toHaveLength(1);
  });

  it("is taken as it is where something is to be shown, and the answer that comes then changes nothing", async () => {
    const { happened, growth, answer } = world();
    const asked = growth.ask();
    growth.hold(Buffer.from("one"));
    growth.settle();
    const then = [...happened];
    expect(then.slice(-3)).toEqual(["let through", "resized at undefined", "one"]);
    expect(answer(5)).toBe(true);
    await asked;
    expect(happened).toEqual(then);
  });

  it("is nothing where none was asked for", () => {
    const { happened, growth } = world();
    growth.settle();
    expect(happened).toEqual([]);
    growth.take();
    expect(happened).toEqual(["let through", "resized at undefined"]);
  });
});
