// What is read out of the environment about the human's terminal: each kind of terminal that can do less than others.
import { describe, expect, it } from "vitest";
import { terminalKind } from "../../src/terminal/terminal-look.ts";

const LANG = "C.UTF-8";

describe("the human's terminal, by its environment", () => {
  it.each([
    ["xterm", { TERM: "xterm-256color", LANG }, { colour: true, border: "round", alternate: true, console: false }],
    ["the Linux console", { TERM: "linux", LANG }, { colour: true, border: "single", alternate: false, console: true }],
    [
      "the Linux console with more colours",
      { TERM: "linux-16color", LANG },
      { colour: true, border: "single", alternate: false, console: true },
    ],
    [
      "GNU screen",
      { TERM: "screen.xterm-256color", STY: "1.x", LANG },
      { colour: true, border: "round", alternate: false, console: false },
    ],
    ["GNU screen over ssh", { TERM: "screen", LANG }, { colour: true, border: "round", alternate: false, console: false }],
    [
      "GNU screen in tmux",
      { TERM: "screen", STY: "1.x", TMUX: "/x,1,0", LANG },
      { colour: true, border: "round", alternate: false, console: false },
    ],
    [
      "tmux that calls itself screen",
      { TERM: "screen-256color", TMUX: "/x,1,0", LANG },
      { colour: true, border: "round", alternate: true, console: false },
    ],
    ["tmux", { TERM: "tmux-256color", TMUX: "/x,1,0", LANG }, { colour: true, border: "round", alternate: true, console: false }],
    ["a VT220", { TERM: "vt220", LANG }, { colour: false, border: "round", alternate: false, console: false }],
    ["xterm without colours", { TERM: "xterm-mono", LANG }, { colour: false, border: "round", alternate: true, console: false }],
    ["ansi", { TERM: "ansi", LANG }, { colour: true, border: "round", alternate: false, console: false }],
    ["a terminal without a name", { LANG }, { colour: false, border: "round", alternate: false, console: false }],
    ["NO_COLOR", { TERM: "xterm", LANG, NO_COLOR: "1" }, { colour: false, border: "round", alternate: true, console: false }],
    [
      "an empty NO_COLOR, which is none",
      { TERM: "xterm", LANG, NO_COLOR: "" },
      { colour: true, border: "round", alternate: true, console: false },
    ],
    [
      "a locale that is not UTF-8",
      { TERM: "xterm", LANG, LC_ALL: "C" },
      { colour: true, border: "classic", alternate: true, console: false },
    ],
    [
      "LC_CTYPE before LANG",
      { TERM: "xterm", LANG: "C", LC_CTYPE: "de_DE.utf8" },
      { colour: true, border: "round", alternate: true, console: false },
    ],
    ["the Linux console without UTF-8", { TERM: "linux" }, { colour: true, border: "classic", alternate: false, console: true }],
  ])("%s", (_, env, { colour, border, alternate, console }) => {
    expect(terminalKind(env)).toMatchObject({ look: { colour, border }, alternate, console, xtermJs: false });
  });

  it.each([
    [{ TERM: "xterm-256color" }, undefined],
    [{ TERM: "screen", STY: "1.x" }, "screen"],
    [{ TERM: "screen-256color" }, "screen"],
    [{ TERM: "xterm", STY: "1.x", TMUX: "/x,1,0" }, "screen"],
    [{ TERM: "screen-256color", TMUX: "/x,1,0" }, "tmux"],
    [{ TERM: "tmux-256color" }, "tmux"],
    [{ TERM: "xterm-256color", TMUX: "/x,1,0" }, "tmux"],
  ])("is a multiplexer or not: %j", (env, multiplexer) => {
    expect(terminalKind(env).multiplexer).toBe(multiplexer);
  });

  it.each([
    ["VS Code", { TERM_PROGRAM: "vscode" }, true],
    ["Hyper", { TERM_PROGRAM: "Hyper" }, true],
    ["tmux in VS Code", { TERM_PROGRAM: "vscode", TMUX: "/x,1,0" }, false],
    ["GNU screen in VS Code", { TERM_PROGRAM: "vscode", STY: "1.x" }, false],
    ["another program's", { TERM_PROGRAM: "iTerm.app" }, false],
  ])("is xterm.js or not: %s", (_, env, xtermJs) => {
    expect(terminalKind({ TERM: "xterm-256color", ...env }).xtermJs).toBe(xtermJs);
  });
});
