// What of an agent's output goes on to the terminal: in order, each byte once, never from memory that the agent's next output may have changed.
import { describe, expect, it } from "vitest";
import { Outgoing } from "../../src/terminal/outgoing.ts";

function world() {
  const emitted: string[] = [];
  const heads: string[] = [];
  const out = new Outgoing({
    emit: (bytes) => emitted.push(Buffer.from(bytes).toString("latin1")),
    dcs: (head) => {
      heads.push(head);
      return head.endsWith("+p");
    },
  });
  /** A chunk of which the scanner has found a sequence at `start`. */
  const begin = (text: string, start = 0): Buffer => {
    const chunk = Buffer.from(text, "latin1");
    out.begin(chunk);
    out.startSequence(start);
    return chunk;
  };
  return { out, emitted, heads, begin };
}

describe("a chunk", () => {
  it("goes out in one piece where nothing is to be changed, and as it came", () => {
    const { out, emitted, begin } = world();
    begin("plain text");
    out.hold(10);
    expect(emitted).toEqual(["plain text"]);
    expect(out.held).toHaveLength(0);
  });

  it("holds back what waits for its rest, as a copy, and joins it to what comes next", () => {
    const { out, emitted, begin } = world();
    const chunk = begin("text\x1b[3", 4);
    out.hold(4);
    chunk.fill("#");
    out.begin(Buffer.from("1m"));
    expect(Buffer.from(out.bytes).toString("latin1")).toBe("\x1b[31m");
    expect(out.inChunk(5)).toBe(2);
    out.hold(5);
    expect(emitted).toEqual(["text", "\x1b[31m"]);
  });

  it("gives out at the end of the stream what was held", () => {
    const { out, emitted, begin } = world();
    begin("\x1b[3");
    out.hold(0);
    out.finish();
    out.finish();
    expect(emitted).toEqual(["\x1b[3"]);
  });
});

describe("a sequence", () => {
  it("has something else in its place, or nothing, between what came before and after it", () => {
    const { out, emitted, begin } = world();
    begin("ab\x1b[rcd\x1b[2r", 2);
    expect(out.isFirst).toBe(false);
    out.replace(5, "\x1b[1;9r");
    out.startSequence(7);
    out.replace(11, "");
    out.hold(11);
    expect(emitted).toEqual(["ab", "\x1b[1;9r", "cd"]);
  });

  it("lets a control character inside it go first, once, and changes nothing of what we were given", () => {
    const { out, emitted, begin } = world();
    const chunk = begin("a\x1b[3\n1m", 1);
    out.actAtOnce(4, 0x0a);
    out.hold(7);
    expect(emitted).toEqual(["a", "\n", "\x1b[31m"]);
    expect(chunk.toString("latin1")).toBe("a\x1b[3\n1m");
  });

  it("goes out without what is no character inside it, and that is left in what we were given", () => {
    const { out, emitted, begin } = world();
    const chunk = begin("a\x1b[3\xff1m", 1);
    out.leaveOut(4, 1);
    out.hold(7);
    expect(emitted).toEqual(["a", "\x1b[31m"]);
    expect(chunk.toString("latin1")).toBe("a\x1b[3\xff1m");
  });

  it("longer than any that means something is left out to its end, over all chunks that it takes", () => {
    const { out, emitted, begin } = world();
    const long = `\x1b[${"1".repeat(300)}`;
    begin(`a${long}`, 1);
    expect([out.isVoid(100), out.isVoid(301)]).toEqual([false, true]);
    out.discard(303);
    out.begin(Buffer.from("1m after"));
    expect(out.isVoid(0)).toBe(true);
    out.replace(2, "");
    out.hold(8);
    out.finish();
    expect(emitted).toEqual(["a", " after"]);
  });

  it("that long is left out at the end of the stream too, with what was not read of it", () => {
    const { out, emitted, begin } = world();
    begin(`a\x1b[${"1".repeat(300)}\xc2`, 1);
    out.discard(303);
    out.finish();
    expect(emitted).toEqual(["a"]);
  });
});

describe("a string", () => {
  it("goes out as it comes, but for DECRSPS and what the handler refuses, of which nothing does up to its end", () => {
    for (const [text, final, goesOut] of [
      ["\x1bP0;1|", 5, true],
      ["\x1bP1$t", 4, false],
      ["\x1bP1$\0t", 5, false],
      ["\x1bP1+p", 4, false],
    ] as const) {
      const { out, emitted, begin } = world();
      begin(`${text}data`);
      expect({ text, goesOut: out.startDcs(final, final + 1) }).toEqual({ text, goesOut });
      out.hold(text.length + 4);
      expect(emitted).toEqual(goesOut ? [`${text}data`] : []);
      expect(out.swallows).toBe(!goesOut);
    }
  });

  it("tells the handler how it begins, from behind the introducer to the final", () => {
    const { out, heads, begin } = world();
    begin("\x1bP$qm");
    out.startDcs(3, 4);
    expect(heads).toEqual(["$q"]);
  });

  it("that the terminal is inside of is ended before what takes the place of the sequence that ended it", () => {
    for (const [broken, end] of [
      ["\x1b[r", "\x1b\\"],
      ["\xc2\x9br", "\x18"],
    ] as const) {
      const { out, emitted, begin } = world();
      begin(broken);
      out.inString = true;
      out.replace(3, "instead");
      expect(emitted).toEqual([end, "instead"]);
      expect(out.inString).toBe(false);
    }
  });

  it("is broken off for what must be written now, and its rest goes nowhere", () => {
    const { out, emitted, begin } = world();
    begin("rest of a string");
    expect(out.cutString(true)).toBe("");
    out.inString = true;
    expect(out.cutString(true)).toBe("\x18");
    expect(out.cutString(true)).toBe("");
    out.hold(16);
    expect(emitted).toEqual([]);
  });

  it("whose end waits for one more byte is ended as the agent was about to", () => {
    const { out, begin } = world();
    begin("\x1b");
    out.hold(0);
    out.inString = true;
    expect(out.cutString(false)).toBe("\x1b\\");
    expect(out.dropsTerminator).toBe(true);
  });
});
