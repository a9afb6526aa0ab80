// The compositor over generated agents: valid, broken and hostile output, cut anywhere, with paints and resizes between; the bar stays, the rest is the agent's.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Compositor } from "../../src/terminal/compositor.ts";
import { asMostTerminals, asTheManual } from "../../src/terminal/emulator.ts";
import { openShadow } from "../../src/terminal/shadow.ts";
import { snapshot, vtScreen } from "./vt-screen.ts";

const number = fc.constantFrom("", "0", "1", "2", "3", "5", "8", "11", "12", "13", "40", "999");
const csi = (finals: string, parameters = 2): fc.Arbitrary<string> =>
  fc
    .tuple(fc.array(number, { maxLength: parameters }), fc.constantFrom(...finals))
    .map(([list, final]) => `\x1b[${list.join(";")}${final}`);

/** What programs write. */
const valid = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 50 }).map((text) => text.replace(/[^ -~]/g, "x")) },
  { weight: 4, arbitrary: fc.constantFrom("\r\n", "\n", "\r", "\t", "\b", "漢字", "é", "\r\n\r\n\r\n") },
  { weight: 6, arbitrary: csi("ABCDEFGHfdaeLMPSTXJK@`") },
  { weight: 2, arbitrary: csi("r") },
  { weight: 2, arbitrary: fc.constantFrom("\x1b[m", "\x1b[31m", "\x1b[1;44m", "\x1b[7m", "\x1b[38;5;99m") },
  { weight: 2, arbitrary: fc.constantFrom("\x1b7", "\x1b8", "\x1b[s", "\x1b[u", "\x1bD", "\x1bE", "\x1bM") },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "\x1b[?7l",
      "\x1b[?7h",
      "\x1b[4h",
      "\x1b[4l",
      "\x1b[?6h",
      "\x1b[?6l",
      "\x1b[?25l",
      "\x1b[?25h",
      "\x1b(0",
      "\x1b(B",
      "\x0e",
      "\x0f",
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("\x1b[?1049h", "\x1b[?1049l", "\x1b[?47h", "\x1b[?47l", "\x1b[?1047h", "\x1b[?1047l", "\x1bc", "\x1b[!p"),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "\x1b]0;t\x07",
      "\x1b]8;;http://x\x1b\\",
      "\x1b]8;;\x07",
      "\x1bP1$qm\x1b\\",
      "\x1b_Gx\x1b\\",
      "\x1b[?2026h",
      "\x1b[?2026l",
    ),
  },
);
/** What no program should write. */
const broken = fc.oneof(
  { weight: 5, arbitrary: valid },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString("latin1")) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "\x1b",
      "\x1b[",
      "\x1b[999",
      "\x1b]",
      "\x1bP",
      "\x1b_",
      "\u009b12;1H",
      "\x1b[?2l",
      "\x1b%@",
      "\x1b#8",
      "\x1b[1;1;99;99$z",
      "\x1b[99999;1H",
      "\x1b[?3h",
      "\x18",
    ),
  },
);
const tokens = (token: fc.Arbitrary<string>): fc.Arbitrary<string[]> => fc.array(token, { maxLength: 25 });
const encode = (token: string): Buffer =>
  Buffer.from(token, /[\u0100-\uffff]/.test(token) ? "utf8" : /[\u0080-\u009f]/.test(token) ? "latin1" : "utf8");

function rig(cols: number, rows: number) {
  const outer = vtScreen(cols, rows);
  const oracle = vtScreen(cols, rows - 1);
  for (const { terminal } of [outer, oracle]) asMostTerminals(terminal);
  asTheManual(oracle.terminal);
  const emit = (bytes: Uint8Array | string): void => {
    try {
      outer.write(bytes);
    } catch {
      // xterm.js 6.0 can lose a line of its alternate screen in a resize: then it is the terminal that is broken, and there is nothing to look at.
      fc.pre(false);
    }
  };
  const compositor = new Compositor({ size: { cols, rows }, reserve: true, emit, marker: () => false });
  compositor.bar = "=".repeat(cols);
  compositor.begin();
  compositor.paint();
  compositor.adopt(openShadow(compositor.agentSize, { x: 0, y: 0 }));
  return { outer, oracle, compositor };
}

describe("compositor, generated", () => {
  it("shows what a well-behaved agent wrote, whatever it is and wherever the bar is painted", () => {
    fc.assert(
      fc.property(tokens(valid), fc.infiniteStream(fc.integer({ min: 1, max: 40 })), (list, sizes) => {
        const { outer, oracle, compositor } = rig(40, 12);
        const all = Buffer.concat(list.map(encode));
        for (let at = 0; at < all.length; ) {
          const end = Math.min(all.length, at + (sizes.next().value ?? 1));
          const chunk = all.subarray(at, end);
          oracle.write(chunk);
          compositor.write(chunk);
          if (compositor.mayPaint) compositor.paint();
          at = end;
        }
        // Nothing is set right while synchronised output is open.
        for (const terminal of [oracle, compositor]) terminal.write(Buffer.from("\x1b[?2026l"));
        if (compositor.mayPaint) compositor.paint();
        // Not where links lead: a bare xterm.js forgets that, see `snapshot`.
        expect(snapshot(outer, 11, "cells")).toEqual(snapshot(oracle, 11, "cells"));
        if (compositor.mayPaint) expect(outer.row(11)).toBe("=".repeat(40));
        outer.terminal.dispose();
        oracle.terminal.dispose();
      }),
      { numRuns: 600 },
    );
  });

  it("keeps the bar, and never throws, whatever a hostile agent writes, at any size, while the window changes", () => {
    const size = fc.record({ cols: fc.integer({ min: 2, max: 60 }), rows: fc.integer({ min: 1, max: 20 }) });
    fc.assert(
      fc.property(size, fc.array(fc.tuple(tokens(broken), fc.option(size)), { maxLength: 5 }), ({ cols, rows }, steps) => {
        const { outer, compositor } = rig(cols, Math.max(2, rows));
        for (const [list, next] of steps) {
          compositor.write(Buffer.concat(list.map(encode)));
          // As a screen does that has waited long enough.
          if (list.length % 3 === 0) compositor.paint();
          if (next !== null) {
            outer.terminal.resize(next.cols, next.rows);
            compositor.bar = "=".repeat(next.cols);
            compositor.resize(next);
          }
        }
        // Whatever stands open is closed, as a screen does that has waited long enough.
        compositor.write(Buffer.from("\x18\x1b[?2026l"));
        if (compositor.frame.damaged) compositor.paint();
        compositor.paint();
        if (compositor.frame.reserved) expect(outer.row(outer.terminal.rows - 1)).toBe("=".repeat(outer.terminal.cols));
        outer.terminal.dispose();
      }),
      { numRuns: 600 },
    );
  });
});
