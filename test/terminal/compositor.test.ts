// The compositor against an oracle: what an agent wrote, in a fresh terminal one row shorter, is what the rows above the bar show.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Compositor } from "../../src/terminal/compositor.ts";
import { ConsoleReader } from "../../src/terminal/console-reader.ts";
import { asMostTerminals, asTheManual } from "../../src/terminal/emulator.ts";
import { openShadow } from "../../src/terminal/shadow.ts";
import type { Multiplexer } from "../../src/terminal/terminal-look.ts";
import { snapshot, type VtScreen, vtScreen } from "./vt-screen.ts";

const COLS = 40;
const ROWS = 12;
const BAR = "=".repeat(COLS);

interface Rig {
  readonly outer: VtScreen;
  readonly oracle: VtScreen;
  readonly compositor: Compositor;
  readonly sent: () => string;
  /** The agent writes; then a pause, in which the bar is painted. */
  step(bytes: string | Uint8Array): void;
}

function rig(options: { shadow?: boolean; cols?: number; rows?: number; multiplexer?: Multiplexer } = {}): Rig {
  const { cols = COLS, rows = ROWS } = options;
  const outer = vtScreen(cols, rows);
  const oracle = vtScreen(cols, rows - 1);
  for (const { terminal } of [outer, oracle]) asMostTerminals(terminal);
  asTheManual(oracle.terminal);
  let sent = "";
  const compositor = new Compositor({
    size: { cols, rows },
    reserve: true,
    multiplexer: options.multiplexer,
    emit: (bytes) => {
      sent += typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("latin1");
      outer.write(bytes);
    },
    marker: () => false,
  });
  compositor.bar = "=".repeat(cols);
  compositor.begin();
  compositor.paint();
  if (options.shadow !== false) compositor.adopt(openShadow(compositor.agentSize, { x: 0, y: 0 }));
  return {
    outer,
    oracle,
    compositor,
    sent: () => sent,
    step(bytes) {
      const chunk = typeof bytes === "string" ? Buffer.from(bytes, "utf8") : bytes;
      oracle.write(chunk);
      compositor.write(chunk);
      if (compositor.mayPaint) compositor.paint();
    },
  };
}

function same({ outer, oracle, compositor }: Rig, bar = BAR): void {
  const { rows } = compositor.agentSize;
  expect(snapshot(outer, rows)).toEqual(snapshot(oracle, rows));
  if (compositor.mayPaint) {
    compositor.paint();
    expect(outer.row(rows)).toBe(bar);
    expect(snapshot(outer, rows)).toEqual(snapshot(oracle, rows));
  }
}

const lines = (count: number, word = "line"): string => Array.from({ length: count }, (_, i) => `${word} ${i}\r\n`).join("");

/** Each case: what it is about, and what the agent writes between pauses. */
const cases: [string, (string | Uint8Array)[]][] = [
  ["plain lines that scroll", [lines(30), "more\r\n", "and more"]],
  ["DECSTBM without parameters, as Claude Code writes it", ["one\r\n", "\x1b7\x1b[r\x1b8two\r\n", lines(20)]],
  ["DECSTBM that asks for more than there is", ["\x1b[1;999r", lines(30), "\x1b[5r\x1b[11;1H", lines(9)]],
  ["DECSTBM that is not one", [lines(5), "\x1b[7;3rx", "\x1b[99;100ry"]],
  ["CUP, HVP and VPA past the end", ["\x1b[999;5Ha", "\x1b[999;7fb", "\x1b[999dc", "\x1b[12;1Hd", "\x1b[;3He"]],
  ["CUP that is split between two reads", ["\x1b[9", "99;", "5", "Ha", "\x1b", "[12dz"]],
  ["VPR past the end", ["\x1b[5;5H\x1b[99ex", "\x1b[2;1H\x1b[3ey"]],
  ["CUD and CNL past the end", ["\x1b[99Bx\x1b[2;1H\x1b[99Ey"]],
  ["a region, and a line feed on the last row below it", ["\x1b[2;6r\x1b[11;1Hlast\n", "after", "\x1b[r"]],
  ["a region, and CUD below it", ["\x1b[2;6r\x1b[9;1H\x1b[99Blow", "er"]],
  ["a region, and text that wraps on the last row below it", ["\x1b[2;6r\x1b[11;30H0123456789abcdefghij", "klm", "\x1b[1;1Htop"]],
  [
    "a region in which lines scroll, and a status line under it",
    ["\x1b[1;10r\x1b[11;1H\x1b[7mstatus\x1b[m\x1b[1;1H", lines(30), "\x1b[r\x1b[5;1Hx"],
  ],
  ["a pending wrap over a pause", [`${"x".repeat(40)}`, "y", "\x1b[3;1H", `\x1b[31m${"z".repeat(40)}`, "\x1b[Kq"]],
  ["a pending wrap of a wide character over a pause", [`${"x".repeat(38)}漢`, "y"]],
  ["a saved cursor over a pause", ["ab\x1b7cd\r\nef", "\x1b8X", "\x1b[5;5H\x1b[s\x1b[9;9H", "y", "\x1b[uZ"]],
  ["a saved cursor with its attributes", ["\x1b[1;31m\x1b[4;4H\x1b7\x1b[m\x1b[8;8Hplain", "p", "\x1b8red", "\x1b8again"]],
  ["a cursor that was never saved", ["abc\r\ndef", "\x1b8X"]],
  ["origin mode over a pause", ["\x1b[3;8r\x1b[?6h\x1b[1;1Hfirst", "\x1b[99;1Hlast", "\x1b[2;2Hx", "\x1b[?6l\x1b[r"]],
  ["insert mode over a pause", ["abcdef\x1b[1;3H\x1b[4h", "XY", "Z", "\x1b[4l!"]],
  ["line drawing over a pause", ["\x1b(0lqqk", "x", "\x1b(Bx", "\x1b)0\x0eqq", "q\x0fq"]],
  ["the alternate screen", [lines(20), "\x1b[?1049h\x1b[H\x1b[2Jalt", lines(15), "\x1b[?1049l", "back\r\n", lines(3)]],
  ["alternate screens 47 and 1047", [lines(4), "\x1b[?47hx", lines(20), "\x1b[?47ly", "\x1b[?1047hz", lines(20), "\x1b[?1047lw"]],
  ["a region in the alternate screen", ["\x1b[?1049h\x1b[2;5r\x1b[11;1H", "low\n", "er", "\x1b[?1049lx"]],
  ["RIS", [lines(20), "\x1bc", lines(30), "x"]],
  ["DECSTR", ["\x1b[2;5r\x1b[?6h\x1b[4h\x1b[7mx", "\x1b[!py", lines(20)]],
  ["ED of all kinds", [lines(20), "\x1b[5;5H\x1b[J", "a\x1b[2J", "b\x1b[1J", "\x1b[H\x1b[J", lines(5), "\x1b[3J"]],
  ["clear, as clear(1) does it", [lines(20), "\x1b[H\x1b[2J\x1b[3J", "x"]],
  ["OSC, DCS and APC that a pause splits", ["\x1b]0;ti", "tle\x07a", "\x1b]0;t\x1b", "\\b", "\x1bP1$q", "m\x1b\\c", "\x1b_Gx", "y\x1b\\d"]],
  [
    "UTF-8 that a pause splits",
    [Buffer.from([0xe6, 0xbc]), Buffer.from([0xa2, 0xf0, 0x9f]), Buffer.from([0x99]), Buffer.from([0x82, 0x41])],
  ],
  ["8-bit controls as U+0080 to U+009F", ["a\u009b5;5Hb\u009b99", "9;3Hc", "\u009d0;t\u009cd\u0085e"]],
  ["synchronised output that stands open", ["a\x1b[?2026hb\x1b[5;5Hc", "d\x1b[?2026le"]],
  ["wide characters, emoji and combining marks", ["漢字 🙂 e\u0301 👩‍👩‍👧\r\n", "🙂", "x", "\u{1f1e9}\u{1f1ea}y"]],
  ["REP after a pause", ["ab", "\x1b[5b", "c\x1b[3b"]],
  ["REP after a pause and DEL, which is nothing", ["a", "\x7f", "\x1b[3b", "b\x7f\x7f", "\x1b[3b", "c", "\x7f\u0301"]],
  ["REP after a pause and a mark that follows a malformed sequence", ["a", "\u0301\x1b[1<2m", "\x1b[3b", "b\x1b[1<2m\u0301", "\x1b[3b"]],
  ["what joins a wide character that does not fit", ["\x1b[?7lx\x1b[39Gy", "漢\u0301"]],
  [
    "a wide character that does not fit, in other colours, a link or another character set",
    ["\x1b[?7l\x1b[39Gy\x1b[31m漢", "z\x1b[39Gy\x1b]8;;http://x\x07漢", "\x1b]8;;\x07z\x1b[39Gy\x1b)A漢", "z"],
  ],
  ["tabs, backspaces and carriage returns", ["a\tb\x08c\rd", "\x1b[3g\x1b[1;9H\x1bH\r\tx"]],
  [
    "insert and delete of lines and characters",
    [lines(9), "\x1b[3;1H\x1b[2Lx", "\x1b[2M", "\x1b[3P\x1b[4@y", "\x1b[2Xz", "\x1b[2S", "\x1b[3T"],
  ],
  ["IND, NEL and RI at the edges", ["\x1b[11;1H\x1bDa\x1bEb", "\x1b[1;1H\x1bMc", "\x1b[11;5H\x1bM\x1bM"]],
  ["autowrap off", ["\x1b[?7l", `${"x".repeat(50)}`, "y", "\x1b[?7hz"]],
  ["hyperlinks", ["\x1b]8;;https://example.com\x07link", " on\x1b]8;;\x07 off"]],
  ["colours of every kind", ["\x1b[31;42;1;3;4;7ma", "\x1b[38;5;200mb", "\x1b[48;2;1;2;3mc\x1b[K", "\x1b[mx"]],
  [
    "rows up from below a region, where the cursor could go no further down",
    ["\x1b[1;2r\x1b[11;1H\x1b[9B\x1bMa", "\x1b[11;1H\n\n\x1b[Ab\x1b[2E\x1b[Fc"],
  ],
  ["another character set than a full line was printed in", [`${"x".repeat(COLS - 1)}q`, "\x1b(0", "\r\nx\x1b(0l"]],
  ["a character set that the alternate screen leaves behind", ["\x1b(0q", "\x1b[?47h\x1b8q", "\x1b[?1049lq"]],
  ["malformed sequences", ["\x1b[1;2\x18x", "\x1b[1<2my", "\x1b[\x1b[5Gz", "\x1b[5\nG!", "\x1b[1 2qa"]],
];

describe("compositor", () => {
  it.each(cases)("shows what the agent wrote: %s", (_, steps) => {
    const test = rig();
    for (const bytes of steps) {
      test.step(bytes);
      same(test);
    }
  });

  it.each(cases)("gives the same wherever the stream is cut: %s", (_, steps) => {
    const all = Buffer.concat(steps.map((bytes) => Buffer.from(bytes as string)));
    const whole = rig();
    whole.compositor.write(all);
    for (const size of [1, 2, 3, 7]) {
      const test = rig();
      test.oracle.write(all);
      for (let i = 0; i < all.length; i += size) test.compositor.write(all.subarray(i, i + size));
      same(test);
    }
  });

  it("paints where the terminal's cursor is, not where it will be when the rest of a string has come", () => {
    const test = rig();
    // xterm.js ends the string at the wide character.
    test.step(`${"x".repeat(COLS - 1)}\x1b_漢y`);
    test.step("\x1b\\");
    same(test);
  });

  const sizes = [
    [24, 12],
    [18, 9],
    [30, 16],
    [60, 20],
    [40, 3],
    [40, 12],
  ] as const;
  it.each([
    ["on the main screen, at the top", "one\r\n\x1b[31mtwo\x1b[m three"],
    ["on the main screen, after scrolling", lines(40)],
    ["on the main screen, with lines that wrap", Array.from({ length: 9 }, (_, i) => `${"wrapped ".repeat(7)}${i}\r\n`).join("")],
    ["on the alternate screen", `${lines(20)}\x1b[?1049h\x1b[H\x1b[44mfull\x1b[m\r\n${lines(8, "alt")}`],
  ])("has the agent's cells and cursor after each change of the size: %s", (_, output) => {
    const test = rig();
    test.step(output);
    for (const [cols, rows] of sizes) {
      test.outer.terminal.resize(cols, rows);
      test.oracle.terminal.resize(cols, rows - 1);
      test.compositor.bar = "=".repeat(cols);
      test.compositor.resize({ cols, rows });
      const [outer, oracle] = [test.outer, test.oracle].map((screen) => {
        const { rows: cells, cursor, buffer } = snapshot(screen, rows - 1);
        return { cols, cells, cursor, buffer };
      });
      expect(outer).toEqual(oracle);
      expect(test.outer.row(rows - 1)).toBe("=".repeat(cols));
      test.step("x");
    }
  });

  const everything = ({ terminal }: VtScreen): string[] =>
    Array.from(
      { length: terminal.buffer.active.length },
      (_, y) => terminal.buffer.active.getLine(y)?.translateToString(true) ?? "",
    ).filter((row) => row !== "" && row !== BAR);
  const resized = (test: Rig, rows: number, cols = COLS): void => {
    test.outer.terminal.resize(cols, rows);
    test.oracle.terminal.resize(cols, rows - 1);
    // As a screen does that asks where the cursor is.
    const asks = test.compositor.mayPull({ cols, rows });
    test.compositor.bar = "=".repeat(cols);
    test.compositor.resize({ cols, rows }, asks ? test.outer.terminal.buffer.active.cursorY : undefined);
  };
  const changed = (heights: readonly number[]): Rig => {
    const test = rig();
    test.step(lines(40));
    for (const rows of heights) resized(test, rows);
    return test;
  };

  it("neither loses nor doubles a line of the scrollback when the window shrinks", () => {
    const test = changed([9, 8, 4]);
    expect(everything(test.outer)).toEqual(everything(test.oracle));
  });

  it("neither loses nor doubles a line of the scrollback when the window grows again", () => {
    const test = changed([6, 12, 5, 20]);
    expect(everything(test.outer)).toEqual(everything(test.oracle));
  });

  it("neither loses nor doubles a line, whatever heights the window has while the agent writes", () => {
    const heights = fc.array(fc.tuple(fc.integer({ min: 4, max: 30 }), fc.nat({ max: 12 }), fc.nat({ max: 6 })), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(heights, (steps) => {
        const test = rig();
        let line = 0;
        const write = (count: number): void => {
          for (let i = 0; i < count; i++) test.step(`line ${line++}\r\n`);
        };
        write(steps.length * 5);
        for (const [rows, count, typed] of steps) {
          resized(test, rows);
          write(count);
          test.step("x".repeat(typed));
        }
        expect(everything(test.outer)).toEqual(everything(test.oracle));
        expect(test.outer.row(test.outer.terminal.rows - 1)).toBe(BAR);
      }),
      { numRuns: 200 },
    );
  });

  it("neither loses nor doubles a line where the terminal tells a size when it has the next one already", () => {
    const test = rig();
    test.step(`${lines(40)}${"wrapped ".repeat(7)}\r\n${lines(9)}`);
    // As tmux, where a window becomes larger and small again at once: first it pulls lines, then it drops our row.
    test.outer.write(`\x1b[r\x1b[${ROWS};1H`);
    test.outer.terminal.resize(COLS, ROWS + 6);
    test.outer.write("\x1b[A");
    test.outer.terminal.resize(COLS, ROWS);
    test.compositor.resize({ cols: COLS, rows: ROWS + 6 });
    test.compositor.resize({ cols: COLS, rows: ROWS });
    expect(everything(test.outer)).toEqual(everything(test.oracle));
  });

  it("puts lines back that the terminal has pulled out of its scrollback and the agent's screen had not", () => {
    const late = rig();
    late.outer.write(`\x1b[r${lines(30, "before")}\x1b[H\x1b[2J\x1b[1;11r`);
    late.step("agent");
    // As xterm and tmux do it: the screen moves down by as many lines.
    late.outer.terminal.resize(COLS, ROWS + 4);
    late.outer.write(`\x1b[r\x1b[1;1H\x1b[4Lbefore 1\r\nbefore 2\r\nbefore 3\r\nbefore 4\x1b[5;6H`);
    late.compositor.resize({ cols: COLS, rows: ROWS + 4 }, 4);
    expect(late.outer.row(0)).toBe("agent");
    const { active } = late.outer.terminal.buffer;
    const last = [4, 3, 2, 1].map((back) => active.getLine(active.baseY - back)?.translateToString(true));
    expect(last).toEqual(["before 1", "before 2", "before 3", "before 4"]);
  });

  it("paints no bar into a window too small for one, whatever region there was before", () => {
    const test = rig();
    test.step("\x1b[1;5rx\x1b[?2026h\x1b[2;6r");
    test.outer.terminal.resize(COLS, 2);
    test.oracle.terminal.resize(COLS, 2);
    test.compositor.resize({ cols: COLS, rows: 2 });
    test.step("\x1b[?2026ly");
    expect(test.outer.rows()).toEqual(test.oracle.rows());
  });

  it.each([
    ["another region", "\x1b[r"],
    ["a region within it", "\x1b[2;3r"],
    ["DECSTR", "\x1b[!p"],
    ["the alternate screen", "\x1b[?1049h"],
    ["the other alternate screen", "\x1b[?47h"],
  ])("keeps the agent off the bar's row where it leaves a region for %s after text below it, wherever the stream is cut", (_, leave) => {
    for (const low of ["\x1b[999;1H", "\x1b[999d", "\x1b[9;1H\x1b[99e", "\x1b7\x1b[1;4r\x1b8"]) {
      const all = `\x1b[11;5H\x1b7\x1b[1;4r${low}${"x".repeat(COLS)}fake\n bar${leave}more\r\n${lines(3)}`;
      for (let at = 0; at <= all.length; at++) {
        const test = rig();
        for (const part of [all.slice(0, at), all.slice(at)]) {
          test.oracle.write(part);
          test.compositor.write(Buffer.from(part));
        }
        if (test.compositor.frame.damaged) test.compositor.paint();
        expect(test.outer.row(ROWS - 1)).toBe(BAR);
        expect(snapshot(test.outer, ROWS - 1)).toEqual(snapshot(test.oracle, ROWS - 1));
      }
      const late = rig({ shadow: false });
      late.compositor.write(Buffer.from(all));
      late.compositor.adopt(openShadow(late.compositor.agentSize, { x: 0, y: 0 }));
      if (late.compositor.frame.damaged) late.compositor.paint();
      expect(late.outer.row(ROWS - 1)).toBe(BAR);
    }
  });

  it.each([
    ["set", "\x1b[?69h\x1b[5;10s", "\x1b[?69l", "\x1b[?69h\x1b[5;10s"],
    ["to the edge", "\x1b[?69h\x1b[5;999s", "\x1b[?69l", `\x1b[?69h\x1b[5;${COLS}s`],
    ["none, which leave those before", "\x1b[?69h\x1b[5;10s\x1b[9;3s", "\x1b[?69l", "\x1b[?69h\x1b[5;10s"],
    ["taken back", "\x1b[?69h\x1b[5;10s\x1b[s", "\x1b[?69l", "\x1b[?69h"],
    ["gone with DECALN", "\x1b[?69h\x1b[5;10s\x1b#8", "\x1b[?69l", "\x1b[?69h"],
    ["gone with the mode", "\x1b[?69h\x1b[5;10s\x1b[?69l\x1b[?69h", "\x1b[?69l", "\x1b[?69h"],
    ["gone with DECSTR", "\x1b[?69h\x1b[5;10s\x1b[!p", "", ""],
    ["not allowed", "\x1b[5;10s", "", ""],
  ])("lifts left and right margins for the bar, and sets them again: %s", (_, bytes, lifted, again) => {
    const test = rig();
    test.compositor.write(Buffer.from(bytes));
    const before = test.sent().length;
    test.compositor.paint();
    const bar = `\x1b[${ROWS};1H\x1b[m${BAR}\x1b[m`;
    expect(test.sent().slice(before)).toBe(`\x1b7${lifted}\x1b[?7l${bar}\x1b[?7h\x1b8${again === "" ? "" : `${again}\x1b8`}`);
  });

  it("has the cursor back where it was in a terminal that takes left and right margins for a cursor to be saved", () => {
    // Bare xterm.js is one.
    const test = rig();
    for (const bytes of ["\x1b[?69h\x1b[5;10s\x1b[3;7H\x1b[31mred", "more"]) test.step(bytes);
    test.compositor.openOverlay(true);
    test.compositor.closeOverlay();
    test.step("after");
    test.step("\x1b[?1049h\x1b[4;4H");
    test.compositor.openOverlay(true);
    test.compositor.closeOverlay();
    test.step("alternate");
    same(test);
  });

  it("knows where the Linux console's sequences for its palette end, wherever they are cut", () => {
    const palette = /\x1b\](?:R|P[\da-f]{7})/g;
    const all = "a\x1b]Rb\r\n\x1b]P0aabbccd0\x1b]P1ff00ff\x1b]Re\x1b]0;t\x07f";
    for (let at = 0; at <= all.length; at++) {
      // It knows no other end of them, and no title.
      let sent = "";
      const outer = vtScreen(COLS, ROWS);
      const compositor = new Compositor({
        size: { cols: COLS, rows: ROWS },
        reserve: true,
        console: ConsoleReader,
        emit: (bytes) => {
          sent += Buffer.from(bytes as string).toString();
        },
        marker: () => false,
      });
      compositor.bar = BAR;
      compositor.begin();
      compositor.adopt(openShadow(compositor.agentSize, { x: 0, y: 0 }));
      for (const part of [all.slice(0, at), all.slice(at)]) {
        compositor.write(Buffer.from(part));
        if (compositor.mayPaint) compositor.paint();
      }
      expect(sent.match(palette)).toEqual(["\x1b]R", "\x1b]P0aabbcc", "\x1b]P1ff00ff", "\x1b]R"]);
      outer.write(sent.replaceAll(palette, ""));
      expect(outer.rows().slice(0, 2)).toEqual(["ab", "d0ef"]);
      expect(outer.row(ROWS - 1)).toBe(BAR);
      const drawn = vtScreen(COLS, ROWS);
      drawn.write(compositor.frame.shadow?.rows(0, ROWS - 1, true) ?? "");
      expect(drawn.rows().slice(0, 2)).toEqual(["ab", "d0ef"]);
    }
  });

  describe("of an isolated agent", () => {
    const closed = (parts: readonly (string | Uint8Array)[], isClosed = true): string => {
      let sent = "";
      const compositor = new Compositor({
        size: { cols: COLS, rows: ROWS },
        reserve: true,
        closed: isClosed,
        emit: (bytes) => {
          sent += typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("latin1");
        },
        marker: () => false,
      });
      for (const part of parts) compositor.write(typeof part === "string" ? Buffer.from(part) : part);
      compositor.write(Buffer.from("END"));
      expect(sent.endsWith("END"), JSON.stringify(sent)).toBe(true);
      // What stands in a left out sequence's place, and the ends that empty strings keep.
      return sent.slice(0, -3).replaceAll("\x18", "").replaceAll("\x1bPtmux;\x1b\\", "").replaceAll("\x1b\\", "");
    };
    const long = "c".repeat(6000);

    it.each([
      ["the clipboard", "\x1b]52;c;?\x07"],
      ["any selection, ended otherwise", "\x1b]52;;?\x1b\\"],
      ["with C1 controls", "\u009d52;p;?\u009c"],
      ["with zeros and control characters", "\x1b]0\x0005\x012;c\x0a;?\x07"],
      ["with a selection that is too long to be held", `\x1b]52;${long};?\x07`],
      ["for a multiplexer to pass on", "\x1bPtmux;\x1b\x1b]52;c;?\x07\x1b\\"],
      ["kitty's own protocol", "\x1b]5522;type=read;dGV4dA==\x1b\\"],
      ["a file of the human's, of iTerm2 and kitty", "\x1b]1337;RequestUpload=format=tgz\x07\x1b]5113;ac=receive\x1b\\"],
      ["kitty to run a command", '\x1bP@kitty-cmd{"cmd":"launch"}\x1b\\'],
      ["Emacs or Vim to call a function", '\x1b]51;Efind-file "x"\x07\x1b]51;["drop","x"]\x07'],
      ["GNU screen to run its commands", "\x1b]83;exec sh\x07"],
      ["ConEmu to run a program", '\x1b]9;7;"cmd"\x07'],
      ["to be taken for a multiplexer", "\x1bP1000p"],
    ])("does not let it ask for %s, wherever it is cut", (_, bytes) => {
      const all = Buffer.from(bytes);
      const end = bytes.startsWith("\x1bP1000p") ? "\x1b\\" : "";
      const step = all.length > 200 ? 977 : 1;
      for (let at = 0; at <= all.length; at += step) expect(closed([all.subarray(0, at), all.subarray(at), end]), `cut at ${at}`).toBe("");
      expect(closed([...all].map((byte) => Uint8Array.of(byte)).concat([Buffer.from(end)]))).toBe("");
      // An agent that is not isolated does as it does bare.
      expect(closed([bytes, end], false)).not.toBe("");
    });

    it.each([
      ["setting the clipboard", "\x1b]52;c;aGVsbG8=\x07"],
      ["setting the clipboard to much", `\x1b]52;c;${"aGVs".repeat(5000)}\x07`],
      ["titles, colours, links, notices, progress", "\x1b]0;52;c;?\x07\x1b]11;?\x07\x1b]8;;http://x\x07\x1b]9;done\x07\x1b]9;4;1;50\x07"],
      ["iTerm2's images and kitty's", `\x1b]1337;File=inline=1:${"A".repeat(9000)}\x07\x1b_Ga=T;AAAA\x1b\\`],
      ["settings that are asked for", "\x1bP$qm\x1b\\\x1bP+q544e\x1b\\"],
      ["Sixel and ReGIS", "\x1bP0;1;0q#0~~\x1b\\\x1bP1pS(E)\x1b\\"],
    ])("leaves %s", (_, bytes) => {
      expect(closed([bytes])).toBe(closed([bytes], false));
      expect(closed([bytes])).not.toBe("");
    });
  });

  it.each([
    ["the cursor's place", "\x1b[6n", true],
    ["a mode", "\x1b[?25$p", true],
    ["a setting", "\x1bP$qm\x1b\\", true],
    ["what terminfo says", "\x1bP+q544e\x1b\\", true],
    ["a colour", "\x1b]11;?\x07", true],
    ["nothing", "\x1b[?25h\x1bP0;1q#0~\x1b\\\x1b]11;red\x07", false],
  ])("knows that the terminal is asked for %s", (_, bytes, asked) => {
    const { compositor } = rig();
    compositor.write(Buffer.from(bytes));
    expect(compositor.frame.asked).toBe(asked);
  });

  it.each([
    ["Sixel", "\x1bP0;1q#0~-~\x1b\\", ""],
    ["ReGIS", "\x1bPpP[10,10]\x1b\\", ""],
    ["the kitty graphics protocol", "\x1b_Ga=T,f=24,s=1,v=1,r=99;AAAA\x1b\\", `\x1b_Ga=d,d=y,y=${ROWS},q=2\x1b\\`],
    ["the same, in U+009F", "\u009fGa=T;AAAA\x1b\\", `\x1b_Ga=d,d=y,y=${ROWS},q=2\x1b\\`],
  ])("paints the bar again after an image of %s, and takes away what lies over it", (_, image, taken) => {
    const bytes = Buffer.from(image);
    for (let at = 1; at <= bytes.length; at++) {
      const test = rig();
      test.step("text");
      const before = test.sent().length;
      test.compositor.write(bytes.subarray(0, at));
      test.compositor.write(bytes.subarray(at));
      expect(test.compositor.mayPaint && test.compositor.frame.damaged).toBe(true);
      test.compositor.paint();
      const [own = "", ours = ""] = [test.sent().slice(before, before + bytes.length), test.sent().slice(before + bytes.length)];
      expect(own).toBe(bytes.toString("latin1"));
      expect(ours).toContain(`${taken}\x1b[${ROWS};1H`);
      test.compositor.paint();
      expect(test.sent().split("\x1b_Ga=d").length).toBe(taken === "" ? 1 : 2);
    }
    const covered = rig();
    covered.step(`\x1b[?1049h${image}`);
    covered.compositor.openOverlay(true);
    expect(covered.sent().includes("\x1b_Ga=d,q=2")).toBe(taken !== "");
  });

  it.each(["\x1b[5i", "\x1b[05i", "\u009b1;5i"])("lets no printer take the screen's place: %j", (sequence) => {
    const test = rig();
    test.step(`${sequence}text\x1b[4i\x1b[?5i\x1b[i`);
    expect(test.sent()).not.toMatch(/\[[\d;]*5i/);
    expect(test.sent()).toContain("text\x1b[4i\x1b[?5i\x1b[i");
  });

  it("lifts left and right margins while an overlay is drawn", () => {
    const test = rig();
    test.step("\x1b[?69h\x1b[2;9s");
    const sentBy = (act: () => void): string => {
      const before = test.sent().length;
      act();
      return test.sent().slice(before);
    };
    expect(sentBy(() => test.compositor.openOverlay(true))).toContain("\x1b[?69l");
    expect(sentBy(() => test.compositor.closeOverlay()).split("\x1b[?1049l")[1]).toContain("\x1b[?69h");
  });

  it.each([
    ["plain text", "x".repeat(COLS)],
    ["a wide character", `${"x".repeat(COLS - 2)}漢`],
    ["colours, which end after it", `\x1b[31m${"x".repeat(COLS)}\x1b[m`],
    ["line drawing, which is still on", `\x1b(0${"q".repeat(COLS)}`],
    ["a link, which is still open", `\x1b]8;;http://x\x1b\\${"x".repeat(COLS)}`],
    ["insert mode", `\x1b[4h${"x".repeat(COLS)}`],
    ["origin mode", `\x1b[3;7r\x1b[?6h${"x".repeat(COLS)}`],
  ])("leaves a last line whole that fills its row: %s", (_, text) => {
    // Bare xterm.js: its DECRC ends that the cursor waits behind the last column, as in most terminals.
    const [outer, oracle] = [vtScreen(COLS, ROWS), vtScreen(COLS, ROWS - 1)];
    const compositor = new Compositor({
      size: { cols: COLS, rows: ROWS },
      reserve: true,
      emit: (bytes) => outer.write(bytes),
      marker: () => false,
    });
    compositor.begin();
    compositor.paint();
    compositor.write(Buffer.from(text));
    expect(compositor.endsWithinLine).toBe(true);
    compositor.adopt(openShadow(compositor.agentSize, undefined));
    compositor.end();
    outer.write("end");
    oracle.write(`${text}\x1b(B\x1b[m\x1b[4l\x1b]8;;\x07end`);
    expect(outer.rows().filter((row) => row !== "")).toEqual(oracle.rows().filter((row) => row !== ""));
  });

  it("knows an output that ends with a line from one that does not", () => {
    const marked = (...chunks: string[]): boolean => {
      const test = rig({ shadow: false });
      for (const chunk of chunks) test.compositor.write(Buffer.from(chunk));
      return test.compositor.endsWithinLine;
    };
    const marker = "\x1b]7777;x;exit;0\x07";
    expect([marked(`a\r\n${marker}`), marked("a\r\n", marker), marked(marker), marked()]).toEqual([false, false, false, false]);
    expect([marked(`a${marker}`), marked("a", marker), marked("a")]).toEqual([true, true, true]);
  });

  it("paints its row again at once where a combining character comes that has nothing to join but that", () => {
    const test = rig();
    for (const before of ["\r\n", "\x1b[5;1H", "a\x1b[m"]) {
      test.step(before);
      expect(test.compositor.frame.damaged).toBe(false);
      test.compositor.write(Buffer.from("\u0301"));
      expect(test.compositor.frame.damaged).toBe(true);
      test.compositor.paint();
    }
    test.step("e");
    test.compositor.write(Buffer.from("\u0301"));
    expect(test.compositor.frame.damaged).toBe(false);
  });

  it.each([
    ["DECSCL", '\x1b[61"p\x1b[64;1"p'],
    ["controls of 8 bits", "\x1b G"],
    ["a status line", "\x1b[2$~\x1b[1$}"],
    ["right-to-left rows", "\x1b[8l\x1b[2 k\x1b[3 S\x1b[?2501h\x1b[?2500;2501h\x1b[?2501s\x1b[?2501r"],
    ["DECRSPS", "\x1bP1$t12;1;1;@;@;A;0;2;@;B0@\x1b\\\x1bP1$\n\x7ft12;1;1\x9c".replace("\x9c", "\x1b\\")],
    ["DECRSPS of tabs, long", `\x1bP2$t${"1/".repeat(900)}\x1b\\`],
  ])("keeps from the terminal what only some of them know, and would let the agent onto its row: %s", (_, bytes) => {
    const all = Buffer.from(`a${bytes}b`);
    for (const size of [1, 2, 5, all.length]) {
      const test = rig();
      const before = test.sent().length;
      for (let at = 0; at < all.length; at += size) test.compositor.write(all.subarray(at, at + size));
      // In its place, at most an ST.
      expect(test.sent().slice(before).replaceAll("\x1b\\", "")).toBe("ab");
    }
  });

  it.each([
    ["\x1b[4;8h", "\x1b[4h"],
    ["\x1b[?2501;25l", "\x1b[?25l"],
  ])("lets the other modes of a list pass: %j", (bytes, passed) => {
    const test = rig();
    const before = test.sent().length;
    test.compositor.write(Buffer.from(bytes));
    expect(test.sent().slice(before)).toBe(passed);
  });

  it.each(["1337;File=:AA==", "66;s=2;big"])("paints its row again after what may have reached it: OSC %s", (payload) => {
    const test = rig();
    expect(test.compositor.frame.damaged).toBe(false);
    test.compositor.write(Buffer.from(`\x1b]${payload}\x07`));
    expect(test.compositor.frame.damaged).toBe(true);
  });

  it("asks for one row more where an agent sets the lines of a screen", () => {
    const test = rig();
    test.compositor.write(Buffer.from("\x1b[20*|"));
    expect(test.sent().endsWith("\x1b[21*|")).toBe(true);
  });

  it.each([
    ["\x1b[8;1;80t", "\x1b[8;3;80t"],
    ["\x1b[8;40;80t", "\x1b[8;41;80t"],
    ["\x1b[1*|", "\x1b[3*|"],
    ["\x1b[4;40;800t", ""],
    ["\x1b[4;400;800t", "\x1b[4;400;800t"],
  ])("lets no agent have the window so low that the bar goes: %j", (sequence, instead) => {
    for (const rows of [ROWS, 2]) {
      const test = rig({ rows });
      test.compositor.write(Buffer.from(`<${sequence}>`));
      expect(
        test
          .sent()
          .slice(test.sent().indexOf("<") + 1, -1)
          .replace("\x1b\\", ""),
      ).toBe(instead);
    }
  });

  it.each(["\x1b[2h", "\x1b[12l", "\x1b[20;2h", "\x1b[?1051h", "\x1b[?1061h", "\x1b[?1051;2004h", "\x1b[?1053s\x1b[?1053r"])(
    "lets no agent lock the keyboard, have keys written on the screen or function keys send something else: %j",
    (sequence) => {
      const test = rig();
      test.step(`${sequence}text`);
      expect(test.sent()).not.toMatch(/\[(?:20;)?(?:2h|12l)|\?10[56]/);
      expect(test.sent().includes("\x1b[20h")).toBe(sequence.includes("20;"));
      expect(test.sent().includes("\x1b[?2004h")).toBe(sequence.includes("2004"));
    },
  );

  // tmux, and GNU screen: an ESC inside a string belongs to it, and the string goes to the terminal that they are in.
  it.each([
    ["tmux's way through to its terminal", "\x1bPtmux;\x1b\x1b[99B\x1b\x1b[2hFAKE\x1b\\"],
    ["GNU screen's", "\x1bPq\x1b[99BFAKE\x1b\\"],
    ["the same of an APC", "\x1b_x\x1b[mFAKE"],
    ["a title that goes on for them", "\x1b]0;x\x1b[mFAKE"],
    ["a string in a string", "\x1bPq\x1b]0;t\x07FAKE"],
    ["a string in another, which is no command", `\x1bPq\x1b_${"y".repeat(100)}\x1b(BFAKE`],
    ["a title that is long", `\x1b]0;${"x".repeat(9000)}\x1b7FAKE`],
  ])("leaves no string open for a multiplexer, to take what follows for a part of it: %s", (_, stream) => {
    for (const size of [1, 7, 1000, 20_000]) {
      const test = rig({ multiplexer: "tmux" });
      for (let at = 0; at < stream.length; at += size) test.compositor.write(Buffer.from(stream.slice(at, at + size)));
      test.compositor.paint();
      const sent = test.sent();
      let string = "";
      for (let at = 0; at < sent.length; at++) {
        const two = sent.slice(at, at + 2);
        if (string === "") {
          if (/^\x1b[\]P_X^]$/.test(two)) string = two;
        } else if (two === "\x1b\\" || sent[at] === "\x18" || (sent[at] === "\x07" && string === "\x1b]")) string = "";
        else if (at > 0 && sent.slice(at - 1, at + 1) !== string) expect(sent.slice(at, at + 4)).not.toMatch(/^\x1b|FAKE|====/);
      }
      expect(string).toBe("");
      expect(sent).toContain("FAKE");
    }
  });

  it.each(["tmux", "screen", undefined] as const)("knows a title from text where ESC k begins one: %s", (multiplexer) => {
    const long = "x".repeat(90);
    for (const title of ["title", "größer 漢", "", `${long}title`]) {
      const stream = Buffer.from(`one\x1bk${title}\x1b\\two`);
      for (let size = 1; size <= stream.length; size++) {
        const test = rig({ cols: 2 * COLS, ...(multiplexer && { multiplexer }) });
        for (let at = 0; at < stream.length; at += size) test.compositor.write(stream.subarray(at, at + size));
        expect(test.sent()).toContain(`\x1bk${stream.toString("latin1", 5, stream.length - 5)}\x1b\\`);
        const before = test.sent().length;
        test.compositor.resize({ cols: 2 * COLS, rows: ROWS - 1 });
        const drawn = test.sent().slice(before);
        expect(drawn.includes("onetwo")).toBe(multiplexer !== undefined || title === "");
      }
    }
  });

  it.each([
    ["tmux", "\x1bPtmux;\n\n\nFAKE\x1b\\", false],
    [undefined, "\x1bPtmux;\n\n\nFAKE\x1b\\", false],
    ["screen", "\x1bPq\n\n\nFAKE\x1b\\", false],
    ["screen", "\u0090q\n\n\nFAKE\x1b\\", false],
    ["tmux", "\x1bPq#0;2;0;0;0FAKE\x1b\\", true],
    [undefined, "\x1bP1;1q#0;2;0;0;0FAKE\x1b\\", true],
  ] as const)(
    "hands nothing on to the terminal that a multiplexer is in, which could paint over the bar there: %s, %j",
    (multiplexer, string, passes) => {
      for (let size = 1; size <= string.length; size++) {
        const test = rig({ ...(multiplexer && { multiplexer }) });
        for (let at = 0; at < string.length; at += size) test.compositor.write(Buffer.from(string.slice(at, at + size)));
        test.step("text");
        expect(test.sent().includes("FAKE")).toBe(passes);
        expect(test.outer.row(0)).toBe("text");
      }
    },
  );

  it("makes its row one of single width again once an agent has made others double", () => {
    const test = rig();
    test.step("\x1b#6wide");
    expect(test.sent()).toContain(`\x1b[${ROWS};1H\x1b#5\x1b[m${BAR}`);
  });

  it.each([
    ["origin mode", "\x1b[?6h\x1b[?6s\x1b[?6l\x1b[?6r", "\x1b[?6h"],
    ["never saved, so off", "\x1b[?6h\x1b[?6r", "\x1b[?6l"],
    ["among others, which the terminal knows alone", "\x1b[?69h\x1b[?69s\x1b[?69l\x1b[?12;69r", "\x1b[?12r\x1b[?69h"],
    ["set by the agent before", "\x1b[?2004h\x1b[?2004s\x1b[?2004l\x1b[?2004r", "\x1b[?2004h"],
    ["neither a cursor nor VT52", "\x1b[?1048;2s\x1b[?1048;2r", "\x1b\\\x1b\\"],
    ["not ours", "\x1b[?1001s\x1b[?1001r", "\x1b[?1001r"],
  ])("carries XTRESTORE out itself: %s", (_, bytes, end) => {
    const test = rig();
    const before = test.sent().length;
    test.compositor.write(Buffer.from(bytes));
    const sent = test.sent().slice(before);
    expect(sent.slice(-end.length)).toBe(end);
  });

  it("has the alternate screen of XTRESTORE at its size", () => {
    const test = rig();
    for (const bytes of [
      "main\x1b[?1049h\x1b[?1049salternate",
      "\x1b[?1049lback",
      "\x1b[?1049ragain",
      "\x1b[999;1Hlow\n\n",
      "\x1b[?1049l",
    ]) {
      test.step(bytes);
      same(test);
    }
  });

  it("says of what an overlay covered whether it was drawn as it had been", () => {
    const closed = (bytes: string, alternate: boolean): boolean => {
      const test = rig();
      test.step(bytes);
      test.compositor.openOverlay(alternate);
      return test.compositor.closeOverlay();
    };
    const margins = "\x1b[?69h\x1b[2;9s";
    expect([closed("", false), closed(margins, true), closed(`${margins}\x1b[?69l\x1b[2J`, false)]).toEqual([true, true, true]);
    expect([closed(margins, false), closed(`\x1b[?1049h${margins}`, true), closed(`${margins}\x1b[?69l`, false)]).toEqual([
      false,
      false,
      false,
    ]);
  });

  it("keeps a link open over a paint when the line is deleted on which it began", () => {
    const test = rig();
    for (const piece of ["\x1b]8;;http://x\x1b\\", "\x1bM", "linked"]) test.step(piece);
    // A bare xterm.js forgets by then where the link leads; which cells are part of it, it knows.
    expect(snapshot(test.outer, ROWS - 1, "cells")).toEqual(snapshot(test.oracle, ROWS - 1, "cells"));
    expect(test.sent().split("\x1b]8;;http://x\x07").length).toBeGreaterThan(1);
  });

  it("keeps the cursor off the bar's row when the window shrinks before there is a shadow", () => {
    const test = rig({ shadow: false });
    test.compositor.write(Buffer.from(lines(30)));
    test.outer.terminal.resize(COLS, 7);
    test.compositor.resize({ cols: COLS, rows: 7 });
    test.compositor.write(Buffer.from("typed"));
    test.compositor.paint();
    expect([test.outer.row(5), test.outer.row(6)]).toEqual(["typed", BAR]);
  });
});
