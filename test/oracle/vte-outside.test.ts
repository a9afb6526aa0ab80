// VTE, the terminal of GNOME and others, as the human's terminal: what the compositor sends it, beside a VTE of one row less that got the agent's own bytes.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Compositor } from "../../src/terminal/compositor.ts";
import type { Size } from "../../src/terminal/pty.ts";
import { openShadow } from "../../src/terminal/shadow.ts";
import { Covered } from "./covered.ts";
import { type Display, openDisplay, succeeds } from "./display.ts";
import { streamOf } from "./streams.ts";

const SIZE = { cols: 40, rows: 12 };
const BAR = `\x1b[7m${"agent-run".padEnd(SIZE.cols)}`;
/** Debian's own Python, to which its modules belong. */
const PYTHON = "/usr/bin/python3";
const LOAD = `import gi; gi.require_version("Gtk", "3.0"); gi.require_version("Vte", "2.91"); from gi.repository import Gtk, Vte`;
const STREAMS = 60;

interface Shown {
  readonly rows: readonly string[];
  readonly cursor: readonly [number, number];
  readonly last: string | null;
}

const there = succeeds("command -v Xvfb") && succeeds(`${PYTHON} -c '${LOAD}'`);
let display: Display | undefined;
beforeAll(async () => {
  if (there) display = await openDisplay();
});
afterAll(() => display?.close());

/** What the compositor sends, with a paint after each part of the output. */
function sent(parts: readonly Uint8Array[]): Buffer {
  const out: Buffer[] = [];
  const compositor = new Compositor({ size: SIZE, reserve: true, emit: (bytes) => out.push(Buffer.from(bytes)), marker: () => false });
  compositor.bar = BAR;
  compositor.begin();
  compositor.paint();
  compositor.adopt(openShadow(compositor.agentSize, { x: 0, y: 0 }));
  for (const part of parts) {
    compositor.write(part);
    if (compositor.mayPaint) compositor.paint();
  }
  compositor.write(Buffer.from("\x18\x1b[?2026l"));
  compositor.paint();
  return Buffer.concat(out);
}

/** Output, another size of the window, an overlay that borrows the alternate screen or not, and its end. */
type Act = string | Size | "cover" | "cover here" | "uncover";
type Step = { readonly bytes: string } | Size;
interface Played extends Size {
  readonly steps: readonly Step[];
}

/** What happens to the human's terminal, with a paint wherever one may be. */
function played(acts: readonly Act[]): Played {
  const steps: Step[] = [];
  const emit = (bytes: Uint8Array | string): void => void steps.push(fed(bytes));
  const compositor = new Compositor({ size: SIZE, reserve: true, emit, marker: () => false });
  const overlay = new Covered(compositor);
  compositor.bar = BAR;
  compositor.begin();
  compositor.paint();
  compositor.adopt(openShadow(compositor.agentSize, { x: 0, y: 0 }));
  for (const act of acts) {
    if (typeof act !== "string") {
      steps.push(act);
      compositor.bar = `\x1b[7m${"agent-run".padEnd(act.cols)}`;
      compositor.resize(act);
    } else if (act.startsWith("cover")) overlay.open(act === "cover");
    else if (act === "uncover") overlay.close();
    else overlay.write(Buffer.from(act));
    if (!overlay.isOpen && compositor.mayPaint) compositor.paint();
  }
  return { ...SIZE, steps };
}

/** The same without us, one row less. */
function playedBare(acts: readonly Act[]): Played {
  const steps = acts.flatMap((act): Step[] => {
    if (typeof act !== "string") return [{ cols: act.cols, rows: act.rows - 1 }];
    return act.startsWith("cover") || act === "uncover" ? [] : [fed(act)];
  });
  return { cols: SIZE.cols, rows: SIZE.rows - 1, steps };
}

const fed = (bytes: Uint8Array | string): Step => ({ bytes: Buffer.from(bytes as string).toString("base64") });

type Case = { readonly rows: number; readonly bytes: Buffer; readonly bar: boolean } | Played;

async function shown(cases: readonly Case[]): Promise<Shown[]> {
  const env = { PATH: process.env["PATH"], DISPLAY: display?.name, LC_ALL: "C.UTF-8", GDK_BACKEND: "x11", NO_AT_BRIDGE: "1" };
  const vte = spawn(PYTHON, [join(import.meta.dirname, "vte.py")], { env, stdio: ["pipe", "pipe", "pipe"] });
  vte.stdin.end(
    cases
      .map((one) => ("bytes" in one ? { cols: SIZE.cols, ...one, bytes: one.bytes.toString("base64") } : one))
      .map((one) => `${JSON.stringify(one)}\n`)
      .join(""),
  );
  const [out, errors] = await Promise.all([text(vte.stdout), text(vte.stderr), once(vte, "close")]);
  expect({ status: vte.exitCode, errors: vte.exitCode === 0 ? "" : errors }).toEqual({ status: 0, errors: "" });
  return out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Shown);
}

const withBar = (parts: readonly Uint8Array[]) => ({ rows: SIZE.rows, bytes: sent(parts), bar: true });
const bare = (parts: readonly Uint8Array[]) => ({ rows: SIZE.rows - 1, bytes: Buffer.concat(parts), bar: false });

describe.skipIf(!there)("in VTE (needs Xvfb, gir1.2-vte-2.91, python3-gi)", () => {
  it("an agent has its rows and cursor as bare, and does not come onto the bar's row", async () => {
    const cases: readonly (readonly [string, readonly string[]])[] = [
      ["text", ["plain ", "\x1b[1;31mred", "\x1b[m\r\nand on"]],
      ["what is left out, within text", ["abc", '\x1b[61"p', "def"]],
      ["what is left out, within a region", ["\x1b[1;5r\x1b[5;1H", '\x1b[61"p', "x\r\n\r\n", "y"]],
      ["what is left out, on the last row", ["\x1b[99;1Hx", "\x1b[2$~", "\r\n\r\n\r\ny"]],
      ["text below a region", ["\x1b[2;4r\x1b[99;1H", "low\n\n", "\x1b[r", "x"]],
      ["addresses past the end", ["\x1b[99;99H", "x", "\x1b[99d", "y"]],
      ["origin mode, and 1049 on the main screen", ["\x1b[3;6r\x1b[?6h", "x", "\x1b[?6;1049l", "y", "\x1b[5r", "\x1b[J", "z"]],
      ["an alternate screen that scrolls", ["main", "\x1b[?1049h\x1b[99;1H\n\n", "low", "\x1b[?1049l", "x"]],
      ["RIS", ["abc", "\x1bc", "x"]],
      ["a clear, which keeps the lines", ["a\r\nb\r\n", "\x1b[H\x1b[2J", "c"]],
      ["a saved cursor", ["\x1b[1;31m\x1b[4;4H\x1b7", "\x1b[m\x1b[H", "plain", "\x1b8red"]],
      ["a line that fills its row", ["x".repeat(SIZE.cols), "y"]],
      ["emoji", ["✅👍👩", "\u200d", `\r\n${"⏳".repeat(SIZE.cols / 2)}`, "x\x1b7", "\x1b[H", "\x1b8🚀y", "\u200d"]],
      ["line drawing", ["\x1b(0l", "qk", "\x1b(B", "q"]],
      ["left and right margins", ["\x1b[?69h\x1b[5;20s", "\x1b[3;7Htext that wraps"]],
      ["rows from right to left", ["\x1b[8l\x1b[2 k\x1b[2J\x1b[3;1Htext", "\x1b[99;1H\x1b[J", "low"]],
      ["rows by what is in them", ["\x1b[?2501h\x1b[2 k\x1b[2J", "\x1b[99;1H\x1b[J", "\u05d0\u05d1"]],
    ];
    const parts = cases.map(([, words]) => words.map((word) => Buffer.from(word)));
    const all = await shown([...parts.map(withBar), ...parts.map(bare)]);
    const [ours, theirs] = [all.slice(0, cases.length), all.slice(cases.length)];
    const last = ours[0]?.last;
    for (const [index, [name]] of cases.entries()) {
      const { rows, cursor } = theirs[index] as Shown;
      expect({ name, ...ours[index] }).toEqual({ name, rows: [...rows, "agent-run"], cursor, last });
    }
  }, 60_000);

  it("an agent has its rows and cursor as bare after other sizes of the window, and under questions", async () => {
    const lines = (count: number) => Array.from({ length: count }, (_, i) => `line ${i}\r\n`).join("");
    const cases: readonly (readonly [string, readonly Act[]])[] = [
      ["narrower", ["one\r\ntwo ", { cols: 20, rows: 12 }, "three"]],
      ["narrower, a line that wraps then", ["one\r\n", `${"x".repeat(30)}\r\n`, { cols: 20, rows: 12 }, "y"]],
      ["wider, a line that wrapped", [`${"x".repeat(50)}\r\nnext`, { cols: 60, rows: 12 }, "y"]],
      ["lower, with room", ["one\r\ntwo", { cols: 40, rows: 8 }, "\x1b[99;1Hlow"]],
      ["lower, on the last row", [lines(20), { cols: 40, rows: 8 }, "end"]],
      ["emoji", ["✅ 🚀 done ", { cols: 30, rows: 12 }, "👩x", { cols: 20, rows: 10 }, "⏳".repeat(12), "z"]],
      ["a full screen", ["\x1b[?1049h\x1b[2J\x1b[1;1Htop\x1b[11;1Hlow", { cols: 30, rows: 9 }, "\x1b[H\x1b[2Jnew", "\x1b[?1049l", "x"]],
      ["a region", ["\x1b[2;5r\x1b[5;1Ha", { cols: 40, rows: 10 }, "\r\nb", "\x1b[99;1Hc"]],
      ["a question", ["\x1b[1;31mone 🚀\r\n", "cover", "two\r\n", "uncover", "three"]],
      ["a question over the agent's own screen", ["\x1b[?1049h\x1b[3;3H✅ text", "cover here", "\x1b[5;1Hmore", "uncover", "on"]],
      ["a question where there is no screen to borrow", [lines(14), "a ✅ b", "cover here", " c", "uncover", "d"]],
      ["a question, and another size behind it", ["one\r\n✅", "cover", "two", "uncover", { cols: 24, rows: 9 }, "three"]],
    ];
    const all = await shown([...cases.map(([, acts]) => played(acts)), ...cases.map(([, acts]) => playedBare(acts))]);
    const [ours, theirs] = [all.slice(0, cases.length), all.slice(cases.length)];
    for (const [index, [name]] of cases.entries()) {
      const { rows, cursor } = theirs[index] as Shown;
      expect.soft({ name, ...ours[index] }).toEqual({ name, rows: [...rows, "agent-run"], cursor, last: null });
    }
  }, 60_000);

  it("there still is this difference: a narrower window does not wrap the line anew that the cursor stands in", async () => {
    const acts: readonly Act[] = ["one\r\n", "x".repeat(30), { cols: 20, rows: 12 }];
    const [ours, theirs] = await shown([played(acts), playedBare(acts)]);
    expect(theirs?.rows.slice(0, 3)).toEqual(["one", "x".repeat(20), "x".repeat(10)]);
    expect(ours?.rows.slice(0, 3)).toEqual(["one", "x".repeat(20), ""]);
    expect(ours?.rows.at(-1)).toBe("agent-run");
  }, 60_000);

  it(`${STREAMS} generated streams do not come onto the bar's row`, async () => {
    const seeds = Array.from({ length: STREAMS }, (_, index) => index + 1);
    const writes = seeds.map((seed) => streamOf(seed).steps.flatMap((step) => (step.kind === "write" ? [step.bytes] : [])));
    const all = await shown(writes.map(withBar));
    const bars = all.map(({ rows, last }, index) => ({ seed: seeds[index], bar: rows.at(-1), last }));
    expect(bars).toEqual(seeds.map((seed) => ({ seed, bar: "agent-run", last: all[0]?.last })));
  }, 60_000);
});
