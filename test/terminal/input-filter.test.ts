// What a terminal with one row more tells the agent: sizes, and the mouse in every encoding.
import { describe, expect, it, onTestFinished } from "vitest";
import { InputFilter } from "../../src/terminal/input-filter.ts";
import { KeyTap } from "../../src/terminal/key-tap.ts";
import { parseKey } from "../../src/terminal/kill-key.ts";
import { demoBundle, removeDemo } from "./demo-bundle.ts";
import { node, openOuter, shows } from "./outer.ts";

const rowsAt = (all: number): { all: number; agent: number } => ({ all, agent: all >= 3 ? all - 1 : all });

/** What the agent gets of what the terminal sends, one read a string. */
function agentGets(
  reads: readonly string[],
  { rows = 24, pixels = false, utf8 = false, cell = undefined as number | undefined } = {},
): string {
  const tap = new KeyTap(parseKey("ctrl-k"));
  tap.utf8Mouse = utf8;
  const filter = new InputFilter();
  filter.cellHeight = cell;
  const events = [...reads.flatMap((read) => tap.push(Buffer.from(read, "latin1"))), ...tap.flush()];
  return Buffer.concat(events.map((event) => filter.forAgent(event, rowsAt(rows), pixels, rowsAt))).toString("latin1");
}

describe("a report of the size", () => {
  it.each([
    ["in characters (18 t)", "\x1b[8;24;80t", "\x1b[8;23;80t"],
    ["in pixels (14 t)", "\x1b[4;480;640t", "\x1b[4;460;640t"],
    ["of one cell (16 t), which is the same", "\x1b[6;20;8t", "\x1b[6;20;8t"],
    ["in-band (mode 2048)", "\x1b[48;24;80;480;640t", "\x1b[48;23;80;460;640t"],
    ["in-band, of a size that we have not heard of yet", "\x1b[48;50;80;1000;640t", "\x1b[48;49;80;980;640t"],
    ["in-band, of a terminal with too few rows for a bar", "\x1b[48;2;80;40;640t", "\x1b[48;2;80;40;640t"],
    ["of the whole screen (19 t), which has no bar", "\x1b[9;60;200t", "\x1b[9;60;200t"],
    ["of something else", "\x1b[3;10;10t", "\x1b[3;10;10t"],
  ])("%s is the agent's", (_, sent, got) => {
    expect(agentGets([sent])).toBe(got);
  });
});

const focus = ["\x1b[I", "\x1b[O"];

describe.each([
  ["SGR (1006)", (code: number, row: number, up = false) => `\x1b[<${code};7;${row}${up ? "m" : "M"}`, {}],
  [
    "SGR with pixels (1016)",
    (code: number, row: number, up = false) => `\x1b[<${code};7;${row * 20 - 7}${up ? "m" : "M"}`,
    { pixels: true, cell: 20 },
  ],
  ["urxvt (1015)", (code: number, row: number, up = false) => `\x1b[${32 + (up ? 3 : code)};7;${row}M`, {}],
  ["X10", (code: number, row: number, up = false) => `\x1b[M${String.fromCharCode(32 + (up ? 3 : code), 39, 32 + row)}`, {}],
  [
    "UTF-8 (1005), far to the right",
    (code: number, row: number, up = false) =>
      Buffer.from(`\x1b[M${String.fromCharCode(32 + (up ? 3 : code), 200, 32 + row)}`, "utf8").toString("latin1"),
    { utf8: true },
  ],
] as const)("the mouse, as %s", (name, at, options) => {
  const last = name.includes("pixels") ? "\x1b[<0;7;460m" : at(0, 23, true);
  const dragged = name.includes("pixels") ? "\x1b[<32;7;460M" : at(32, 23);

  it("is the agent's above the bar", () => {
    const sent = at(0, 1) + at(32, 5) + at(0, 23, true) + at(64, 23) + at(35, 2);
    expect(agentGets([sent], options)).toBe(sent);
  });

  it("is not the agent's on the bar: a click, the wheel, a pointer that moves", () => {
    expect(agentGets([at(0, 24), at(0, 24, true), at(64, 24), at(65, 24), at(35, 24)], options)).toBe("");
  });

  it("lets go in the agent's last row what was pressed above it", () => {
    expect(agentGets([at(0, 5), at(32, 24), at(0, 24, true)], options)).toBe(at(0, 5) + dragged + last);
  });

  it("is not the agent's after it was pressed on the bar, until it is let go", () => {
    expect(agentGets([at(0, 24), at(32, 10), at(0, 10, true), at(0, 3)], options)).toBe(at(0, 3));
  });

  it("passes everywhere where there is no bar", () => {
    const sent = at(0, 2) + at(0, 2, true);
    expect(agentGets([sent], { ...options, rows: 2 })).toBe(sent);
  });

  it("leaves focus events and the keys around it as they are, wherever a read ends", () => {
    const sent = `a${focus[0]}${at(0, 5)}${at(0, 5, true)}b${focus[1]}c`;
    for (let cut = 1; cut < sent.length; cut++) expect(agentGets([sent.slice(0, cut), sent.slice(cut)], options)).toBe(sent);
  });
});

describe("a button that was pressed before an overlay came", () => {
  it("is let go for the agent where it was the agent's, and nothing else of the mouse is, until then or after", () => {
    const tap = new KeyTap(parseKey("ctrl-k"));
    const filter = new InputFilter();
    const got = (bytes: string, covered: boolean): string =>
      tap
        .push(Buffer.from(bytes, "latin1"))
        .map((event) => (covered ? filter.whileCovered(event, rowsAt(24), false) : filter.forAgent(event, rowsAt(24), false, rowsAt)))
        .map((part) => Buffer.from(part).toString("latin1"))
        .join("");
    expect(got("\x1b[<0;5;5M", false)).toBe("\x1b[<0;5;5M");
    expect(got("\x1b[<32;5;6Mkey\x1b[<0;5;7M", true)).toBe("");
    expect(got("\x1b[<0;5;6m", true)).toBe("\x1b[<0;5;6m");
    expect(got("\x1b[<0;5;6m", true)).toBe("");
  });
});

describe("positions in pixels", () => {
  it("pass as they are while nobody knows how high a row is", () => {
    expect(agentGets(["\x1b[<0;7;470M"], { pixels: true })).toBe("\x1b[<0;7;470M");
  });

  it("are understood once the terminal was asked for it, which the agent does not see", async () => {
    const demo = await demoBundle();
    onTestFinished(() => removeDemo(demo));
    const script =
      "stty raw -echo; printf '\\033[?1002h\\033[?1016hready '; dd bs=1 count=17 2>/dev/null | od -An -c | tr -d ' \\n'; sleep 9";
    await using outer = openOuter(node, [demo, "sh", "-c", script]);
    await outer.until("ready", shows("ready"));
    const until = performance.now() + 8000;
    while (!outer.received().includes("\x1b[16t") && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(outer.received()).toContain("\x1b[16t");
    outer.type("\x1b[6;20;8t");
    outer.type("\x1b[<0;7;470M\x1b[<0;7;470m\x1b[<0;9;9M\x1b[<0;9;9mxxxxxxxxxxxx");
    await outer.until("the click above the bar alone", shows("033[<0;9;9M033[<0;9;9"));
  });
});
