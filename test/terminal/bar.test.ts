// The bar at every width: what stands on it, what gives way, and that nothing in a name can change how it is read.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drawBar } from "../../src/terminal/bar.tsx";
import { type BarState, layoutBar, widthOf } from "../../src/terminal/bar-layout.ts";
import { cleanText, columns, shorten } from "../../src/terminal/clean-text.ts";
import { plainBar } from "../../src/terminal/plain-bar.ts";
import { vtScreen } from "./vt-screen.ts";

const state: BarState = {
  agent: "claude",
  role: "readonly",
  account: "123456789012",
  session: "sess_a8f3b21c",
  profile: "readonly",
  left: { label: "left", ms: 14 * 60_000 },
  onExpiry: "stop",
  delivery: "endpoint",
  isolation: "standard",
  caveats: [],
};

/** What a terminal shows of a line, and how: the text, and its SGR attributes of the cell where `part` starts. */
function shown(line: string, width: number): string {
  const screen = vtScreen(Math.max(2, width), 2);
  screen.write(`\x1b[?7l${line}`);
  expect(screen.row(1)).toBe("");
  return screen.terminal.buffer.active.getLine(0)?.translateToString(false).slice(0, width) ?? "";
}
const text = (s: BarState, width: number): string => shown(drawBar(s, "ctrl-k", width, true), width);
const troubled: BarState = {
  ...state,
  isolation: "none",
  trouble: "refresh failing: sts unreachable",
  caveats: ["restriction not verified: no permission"],
};

describe("the bar", () => {
  it("shows everything where there is room", () => {
    const line = text(troubled, 240);
    for (const part of [
      "claude",
      "readonly@123456789012",
      "sess_a8f3b21c",
      "profile readonly",
      "14m left",
      "endpoint",
      "NOT ISOLATED",
      "refresh failing: sts unreachable",
      "restriction not verified",
      "ctrl-k ends it",
    ]) {
      expect(line).toContain(part);
    }
  });

  it("names agent, role and account, session, profile, isolation, time and the kill key in 80 columns", () => {
    for (const part of ["claude", "readonly@123456789012", "a8f3b21c", " readonly ", "standard", "14m", "ctrl-k"])
      expect(text(state, 80)).toContain(part);
  });

  it.each([
    ["ctrl-k", 80, "ctrl-k"],
    ["ctrl-k", 40, "^K"],
    ["ctrl-\\", 40, "^\\"],
    ["f12", 40, "f12"],
  ])("names the kill key %s in %i columns, also beside long names", (key, width, named) => {
    const long = { ...state, agent: "demo-shell", role: "agent-readonly-of-the-team", isolation: "none", caveats: ["not verified"] };
    expect(plainBar(long, key, width, false)).toContain(named);
    expect(plainBar({ ...long, trouble: "sts unreachable" }, key, 80, false)).toMatch(/ctrl-|\^|f12/);
  });

  it("keeps the time, the trouble and the missing isolation in 20 columns", () => {
    expect(text(troubled, 20)).toMatch(/! {2}NOT ISOLATED 14m|!.*NOT ISOLATED/);
    expect(text({ ...state, isolation: "none" }, 20)).toMatch(/NOT ISOLATED {2}14m/);
    expect(text(state, 20)).toMatch(/claude .*14m/);
  });

  it.each(Array.from({ length: 200 }, (_, i) => i + 1))("fills a line of %i columns exactly, with Ink and without", (width) => {
    for (const s of [state, troubled, { ...state, left: undefined, notice: "a notice" }]) {
      expect(widthOf(layoutBar(s, "ctrl-k", width))).toBeLessThanOrEqual(Math.max(width, 2));
      for (const line of [plainBar(s, "ctrl-k", width, true), drawBar(s, "ctrl-k", width, true)]) {
        expect(columns(line.replace(/\x1b\[[\d;]*m/g, ""))).toBe(width);
      }
    }
  });

  it("says the same with Ink as without", () => {
    for (let width = 20; width < 160; width += 7) {
      expect(shown(drawBar(troubled, "ctrl-k", width, true), width)).toBe(shown(plainBar(troubled, "ctrl-k", width, true), width));
    }
  });

  it("changes colour in the last five minutes and in the last one", () => {
    const colours = [6, 4, 0.5].map((minutes) => {
      const line = plainBar({ ...state, left: { label: "left", ms: minutes * 60_000 } }, "ctrl-k", 120, true);
      return /\x1b\[0;([\d;]+)m[\d:m]+ left/.exec(line)?.[1];
    });
    expect(colours).toEqual(["7", "30;43", "1;97;41"]);
  });

  it("has no colour with NO_COLOR, and is still loud where it must be", () => {
    const line = drawBar({ ...troubled, left: { label: "left", ms: 1000 } }, "ctrl-k", 120, false);
    expect(line).not.toMatch(/\x1b\[[\d;]*(?<!\d)(3[0-8]|4[0-8]|9[0-7]|10[0-7])(?!\d)[\d;]*m/);
    expect(line).toMatch(/\x1b\[[\d;]*4[\d;]*m/);
  });

  it.each([
    [120, " claude  agent-readonly@123456789012  a8f3b21c  metadata in reach        endpoint  isolated: standard  14m left  ctrl-k "],
    [100, " claude  agent-readonly@123456789012  a8f3b21c  metadata in reach   endpoint  standard  14m  ctrl-k "],
    [80, " claude  agent-readonly@123456789012  metadata in reach   standard  14m  ctrl-k "],
    [60, " claude  agent-readonly  *   standard  14m  ctrl-k "],
  ])("in %i columns a caveat says what it is about, and outlives profile, session and the usual delivery", (width, line) => {
    const caveats = ["metadata in reach: the machine's metadata service answers the agent too"];
    const set = (spaced: string): string => spaced.replace(/ {3,}/, (gap) => gap.padEnd(gap.length + width - columns(spaced)));
    expect(text({ ...state, role: "agent-readonly", caveats }, width)).toBe(set(line));
    expect(text({ ...state, role: "agent-readonly", caveats: [...caveats, "untagged: x"] }, 100)).toContain("metadata in reach (+1)");
  });

  it("tells the profile unless the role's name does, and keys that nobody can stop before profile and session", () => {
    expect(text({ ...state, role: "deployer", caveats: ["untagged: x"] }, 84)).toMatch(/readonly {2}untagged/);
    const crowded = { ...state, role: "agent-of-the-whole-team", caveats: ["metadata in reach: x"] };
    expect(text(crowded, 95)).not.toContain("endpoint");
    expect(text({ ...crowded, delivery: "env" }, 95)).toMatch(/metadata in reach +env {2}standard/);
    expect(text({ ...state, delivery: "process" }, 80)).not.toContain("process");
  });

  it("shows a notice in full where the role could stand, which is back when the notice goes", () => {
    const notice = "not signed in: base credentials have expired";
    const one = { ...state, agent: "bash", role: "agent-readonly", trouble: "sign in again: Ctrl-K, s", notice };
    expect(text(one, 100)).toContain(notice);
    expect(text(one, 100)).toContain("! sign in again: Ctrl-K, s");
    expect(text(one, 100)).toContain("14m");
    expect(text({ ...state, agent: "bash", role: "agent-readonly", trouble: one.trouble }, 100)).toContain("agent-readonly");
  });

  it("shows a notice before the details", () => {
    expect(text({ ...state, notice: "session renewed" }, 80)).toContain("session renewed");
  });

  it("cannot be changed by what is in a name", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), fc.integer({ min: 20, max: 160 }), (name, width) => {
        const line = plainBar({ ...state, agent: name, role: name, profile: name, trouble: name }, "ctrl-k", width, true).replace(
          /\x1b\[[\d;]*m/g,
          "",
        );
        expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Mn}\p{Me}]/u);
        expect(columns(line)).toBe(width);
      }),
    );
  });

  it.each([
    ["claude\x1b[31m\x07", "claude[31m"],
    ["\u202eedualc\u202c", "edualc"],
    ["c\u200bl\u200da\ufeffude", "claude"],
    ["cla\u0301ude", "cl\u00e1ude"],
    ["a\nb\tc", "a b c"],
  ])("cleans %j to %j", (dirty, clean) => {
    expect(cleanText(dirty)).toBe(clean);
  });

  it("cuts a long name where it shows", () => {
    expect([shorten("claude", 6), shorten("claude-code", 6), shorten("漢字漢字", 5)]).toEqual(["claude", "claud~", "漢字~"]);
  });
});
