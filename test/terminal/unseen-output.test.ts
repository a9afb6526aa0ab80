// What we say that nobody sees: it stands between two sequences of the agent, and the guard always knows what gives the terminal back.
import { describe, expect, it } from "vitest";
import { Compositor } from "../../src/terminal/compositor.ts";
import { InnerVoice } from "../../src/terminal/inner-run.ts";
import { UnseenOutput } from "../../src/terminal/unseen-output.ts";
import { writtenTo } from "./parts.ts";

const TITLE = "\x1b]2;ours\x07";

/** The agent and what we say, on one terminal. */
function world(voice?: InnerVoice) {
  const { output, written } = writtenTo();
  const guarded: string[] = [];
  const compositor = new Compositor({ size: { cols: 20, rows: 4 }, reserve: false, emit: output.write, marker: () => false });
  compositor.goWithoutShadow();
  const unseen = new UnseenOutput({ output, guard: { protect: (reset) => guarded.push(reset) }, voice, compositor });
  const agent = (text: string): void => {
    compositor.write(Buffer.from(text));
    unseen.protectChanged();
    unseen.sendWhereAllowed();
  };
  return { unseen, agent, written, guarded };
}

describe("what is sent", () => {
  it("goes out at once where the agent is between two sequences", () => {
    const { unseen, agent, written } = world();
    agent("text");
    unseen.send(TITLE);
    expect(written()).toBe(`text${TITLE}`);
  });

  it("waits for the end of a string that the terminal is inside of, and of synchronised output", () => {
    for (const [begin, end] of [
      [`\x1bP${"q".repeat(100)}`, "\x1b\\."],
      ["\x1b[?2026h", "\x1b[?2026l"],
    ] as const) {
      const { unseen, agent, written } = world();
      agent(begin);
      unseen.send(TITLE);
      unseen.send(TITLE);
      expect(written()).toBe(begin);
      agent(end);
      expect(written()).toBe(begin + end + TITLE + TITLE);
    }
  });

  it("goes out at the end, wherever the agent was, and an agent-run outside hears that we are gone", () => {
    const voice = new InnerVoice("0".repeat(32));
    const { unseen, agent, written } = world(voice);
    agent("\x1b[?2026h");
    unseen.send(TITLE);
    unseen.end();
    expect(written()).toBe(`\x1b[?2026h${TITLE}${voice.gone}`);
  });
});

describe("the guard", () => {
  it("is told of each mode that the agent changes, before anything else happens, and only then", () => {
    const { agent, guarded } = world();
    agent("\x1b[?1000h");
    expect(guarded).toHaveLength(1);
    expect(guarded[0]).toContain("\x1b[?1000l");
    agent("text \x1b[31m and colours\x1b[m\r\n");
    expect(guarded).toHaveLength(1);
    agent("\x1b[?1000l");
    expect(guarded).toHaveLength(2);
    expect(guarded[1]).not.toContain("\x1b[?1000l");
  });

  it("says for us that we are gone, and nothing while somebody else has the terminal", () => {
    const voice = new InnerVoice("0".repeat(32));
    const { unseen, guarded } = world(voice);
    unseen.protect();
    expect(guarded.at(-1)).toContain(voice.gone);
    unseen.unprotect();
    expect(guarded.at(-1)).toBe("");
  });
});
