// A flood that was cut to its end leaves the shadow as one that was worked through whole.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Backlog, LONGEST_WAIT } from "../../src/terminal/backlog.ts";
import { Compositor } from "../../src/terminal/compositor.ts";
import { overdrawn } from "../../src/terminal/redraws.ts";
import { openShadow, type Shadow } from "../../src/terminal/shadow.ts";

const SIZE = { cols: 60, rows: 12 };
const AGENT = { cols: 60, rows: 11 };
/** Without a sequence that moves the cursor up. */
const plain = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 90 }).map((text) => text.replace(/[^ -~]/g, "x")) },
  { weight: 6, arbitrary: fc.constant("\r\n") },
  {
    weight: 4,
    arbitrary: fc.constantFrom("\x1b[m", "\x1b[0m", "\x1b[31m", "\x1b[1;44m", "\x1b[7m", "\x1b[38;5;99m", "\x1b[22m", "\x1b[38:2::9:8:7m"),
  },
  { weight: 2, arbitrary: fc.constantFrom("漢字", "é", "🙂", "\t", "\b", "\r", "\n") },
  { weight: 2, arbitrary: fc.constantFrom("\x1b[K", "\x1b[1K", "\x1b[9G", "\x1b[3C", "\x1b[2D", "\x1b[2P", "\x1b[@", "\x1b[4X") },
);
/** What else may come between: kept whole, or acted upon. */
const complex = fc.constantFrom(
  "\x1b[3A",
  "\x1b[H\x1b[J",
  "\x1b7",
  "\x1b8",
  "\x1b[3;8r",
  "\x1b[4;11r",
  "\x1b[r",
  "\x1b[?1049h",
  "\x1b[?1049l",
  "\x1b(0",
  "\x1b(B",
  "\x0e",
  "\x0f",
  "\x1b[4h",
  "\x1b[4l",
  "\x1b[?45h\b\b",
  "\x1b[?45l",
  "\u008d",
  "\x1bPq\r\n\r\n#0\r\n\x1b\\",
  "\x1b]0;a\nb\x07",
  "\x1b[3\r\n1m",
  "\x1b[?7l",
  "\x1b[?7h",
  "\x1bH",
);
const lines = fc.array(plain, { minLength: 5, maxLength: 60 }).map((parts) => `${parts.join("")}\r\n`);
const flood = fc.tuple(lines, fc.integer({ min: 0, max: 1 })).map(([text, less]) => {
  const times = Math.ceil((LONGEST_WAIT * (1.6 - less)) / Buffer.byteLength(text));
  return text.repeat(Math.min(times, 40_000));
});
const story = fc.array(fc.tuple(complex, flood), { minLength: 1, maxLength: 3 }).map((parts) => Buffer.from(parts.flat().join("")));

/** What a frame that is drawn anew holds, in rows that it addresses, follows on another or reaches by chance. */
const drawn = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(fc.integer({ min: 0, max: 13 }), fc.constantFrom("", "\x1b[2K", "\x1b[K"))
      .map(([row, erase]) => `\x1b[${row};1H${erase}`),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 70 })).map(([row, col]) => `\x1b[${row};${col}H`),
  },
  { weight: 6, arbitrary: fc.string({ maxLength: 70 }).map((text) => text.replace(/[^ -~]/g, "x")) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      "漢字",
      "é",
      "🙂",
      "─".repeat(60),
      "═".repeat(61),
      "語".repeat(31),
      "→".repeat(61),
      "✓".repeat(31),
      "\t",
      "\b",
      "\r",
      "\r\n",
      "\r\n\x1b[K",
    ),
  },
  { weight: 4, arbitrary: fc.constantFrom("\x1b[m", "\x1b[31m", "\x1b[1;44m", "\x1b[7m", "\x1b[38:2::9:8:7m", "\x1b[?25l", "\x1b[?25h") },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "\x1b[K",
      "\x1b[1K",
      "\x1b[2K",
      "\x1b[9G",
      "\x1b[G",
      "\x1b[30C",
      "\x1b[2D",
      "\x1b[2P",
      "\x1b[3@",
      "\x1b[4X",
      "\x1b[2A",
      "\x1b[3B",
      "\x1b[2E",
      "\x1b[F",
      "\x1b[5d",
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom("\x1b[H\x1b[J", "\x1b[2J", "\x1b[4;1H\x1b[J", "\x1b[J", "\x1b[?2026h", "\x1b[?25;2026l") },
  {
    weight: 2,
    arbitrary: fc.constantFrom("\x1b]0;a title\x07", "\x1b]2;größer\x1b\\", "\x1b]1;\x1b[H\x07", "\x1b]2;a\x18b", "\x1b]8;;x:y\x07"),
  },
);
const everyRow = Array.from({ length: 11 }, (_, row) => `\x1b[${row + 1};1H\x1b[2K${"word ".repeat(row)}`).join("");
const frames = fc.array(drawn, { minLength: 3, maxLength: 40 }).map((parts) => {
  const frame = everyRow + parts.join("");
  return frame.repeat(Math.ceil((LONGEST_WAIT * 1.3) / Buffer.byteLength(frame)));
});
const drawnStory = fc
  .array(
    fc.tuple(
      fc.oneof({ weight: 3, arbitrary: fc.constant("") }, { weight: 2, arbitrary: complex }),
      frames,
      fc.array(drawn, { maxLength: 5 }),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((parts) => Buffer.from(parts.map(([first, text, last]) => first + text + last.join("")).join("")));

/** All that is read of a shadow. */
function look(shadow: Shadow): unknown {
  shadow.drain();
  return {
    rows: shadow.rows(0, AGENT.rows, true),
    cursor: { ...shadow.cursor },
    attributes: shadow.attributes(),
    known: shadow.firstKnownRow,
  };
}

/**
 * As the launcher would do it, in chunks of these lengths, in turn, of memory that is used again; the shadow comes after `late` of them, and after every
 * `pause` of them there is one, in which it works through what it has got.
 */
function throughCompositor(
  bytes: Buffer,
  lengths: readonly number[],
  late: number,
  reserve: boolean,
  pause = Number.POSITIVE_INFINITY,
): Shadow {
  const compositor = new Compositor({ size: reserve ? SIZE : AGENT, reserve, emit: () => undefined, marker: () => false });
  const shadow = openShadow(AGENT, undefined);
  compositor.begin();
  if (late === 0) compositor.adopt(shadow);
  let count = 0;
  let at = 0;
  const block = Buffer.alloc(65_536);
  while (at < bytes.length) {
    const end = at + (lengths[count % lengths.length] as number);
    const length = bytes.copy(block, 0, at, end);
    compositor.write(block.subarray(0, length));
    block.fill("#");
    at = end;
    if (++count === late) compositor.adopt(shadow);
    if (count >= late && count % pause === 0) shadow.drain();
  }
  if (late > count) compositor.adopt(shadow);
  return shadow;
}

/** A flood of `story` in any pieces, to a shadow that comes at any time, leaves what the whole of it would. */
const leavesTheSame = (stories: typeof story) =>
  fc.property(
    stories,
    fc.array(fc.integer({ min: 1000, max: 65_536 }), { minLength: 1, maxLength: 4 }),
    fc.constantFrom(0, 3, 1000),
    fc.boolean(),
    fc.constantFrom(1, 2, 3, 1000),
    (bytes, lengths, late, reserve, pause) => {
      const whole = openShadow(AGENT, undefined);
      whole.feed(bytes, "odd");
      expect(look(throughCompositor(bytes, lengths, late, reserve, pause))).toEqual(look(whole));
    },
  );

describe("a flood", () => {
  it("that was cut leaves what the whole of it would have left, also before there is a shadow", () => {
    fc.assert(leavesTheSame(story), { numRuns: 15 });
  });

  it("of redraws that was cut leaves the same too", () => {
    fc.assert(leavesTheSame(drawnStory), {
      numRuns: Number(process.env["RUNS"] ?? 25),
      ...(process.env["RUNS"] === undefined && { seed: 1 }),
    });
  });

  it("of redraws keeps what later ones erase in part only", () => {
    const rowsOf = (start: string): string => Array.from({ length: 11 }, (_, row) => `\x1b[${row + 1};${start}word`).join("");
    for (const start of ["9H\x1b[K", "9H\x1b[1K", "9H", "1H\x1b[4X", "9H\x1b[J"]) {
      const [before, after] = [rowsOf("1H\x1b[2Kbefore and beyond "), rowsOf(start)];
      const bytes = Buffer.from(before.repeat(2000) + after.repeat(30_000));
      const whole = openShadow(AGENT, undefined);
      whole.feed(bytes, "odd");
      expect(look(throughCompositor(bytes, [50_000], 0, true))).toEqual(look(whole));
    }
  });

  it("of full-screen redraws takes no more memory than its end, whether rows or the whole screen are erased", () => {
    const rows = Array.from({ length: 20 }, (_, row) => `\x1b[${row + 1};1H\x1b[2K\x1b[3${row % 8}mwords of row ${row}\x1b[0m`).join("");
    const top = `\x1b[H\x1b[J${"name   0.3  words\x1b[K\r\n".repeat(22)}`;
    for (const frame of [`\x1b[?2026h\x1b[?25l\x1b[H${rows}\x1b[?25h\x1b[?2026l`, top]) {
      const backlog = new Backlog(overdrawn);
      const part = Buffer.from(frame.repeat(Math.ceil(60_000 / frame.length)));
      for (let i = 0; i < 200; i++) backlog.push(part, "sequences", { cols: 80, rows: 23 });
      expect(backlog.size).toBeLessThanOrEqual(2 * LONGEST_WAIT);
    }
  });

  it("of plain lines takes no more memory than its end, with and without colours", () => {
    for (const line of ["plain words\r\n", "\x1b[32mgreen\x1b[39m words\x1b[K\r\n", "\x1b[1mbold\x1b[0m\r\n"]) {
      const backlog = new Backlog(overdrawn);
      const part = Buffer.from(line.repeat(Math.ceil(60_000 / line.length)));
      for (let i = 0; i < 200; i++) backlog.push(part, "lines", { cols: 80, rows: 24 });
      expect(backlog.size).toBeLessThanOrEqual(2 * LONGEST_WAIT);
    }
  });
});
