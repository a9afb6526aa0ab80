// Which terminal is told by which sequence, what a program of the desktop is given, and that no text changes either.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { describe, expect, it } from "vitest";
import { noticeProgram, noticeSequence } from "../../src/terminal/desktop-notice.ts";

const osc9 = "\u001b]9;agent-run: hello\u0007";
const osc777 = "\u001b]777;notify;agent-run;hello\u0007";

describe("the sequence of a notice", () => {
  it.each([
    ["iTerm2", { TERM: "xterm-256color", TERM_PROGRAM: "iTerm.app" }, osc9],
    ["WezTerm", { TERM: "xterm-256color", TERM_PROGRAM: "WezTerm" }, osc9],
    ["Ghostty", { TERM: "xterm-ghostty", TERM_PROGRAM: "ghostty" }, osc9],
    ["Ghostty over ssh", { TERM: "xterm-ghostty" }, osc9],
    ["kitty", { TERM: "xterm-kitty" }, osc9],
    ["foot", { TERM: "foot-extra" }, osc777],
    ["rxvt-unicode", { TERM: "rxvt-unicode-256color" }, osc777],
    ["xterm", { TERM: "xterm-256color" }, undefined],
    ["Terminal.app", { TERM: "xterm-256color", TERM_PROGRAM: "Apple_Terminal" }, undefined],
    ["Visual Studio Code", { TERM: "xterm-256color", TERM_PROGRAM: "vscode" }, undefined],
    ["Windows Terminal, where OSC 9 is something else", { TERM: "xterm-256color", WT_SESSION: "x" }, undefined],
    ["the Linux console", { TERM: "linux" }, undefined],
    ["tmux in iTerm2", { TERM: "tmux-256color", TERM_PROGRAM: "iTerm.app", TMUX: "/tmp/x,1,0" }, undefined],
    ["screen in kitty", { TERM: "screen.xterm-kitty", STY: "1.x" }, undefined],
    ["tmux, by its TERM alone", { TERM: "tmux-256color", TERM_PROGRAM: "WezTerm" }, undefined],
    ["tmux, by its variable alone", { TERM: "xterm-kitty", TMUX: "/tmp/x,1,0" }, undefined],
    ["screen, by its variable alone", { TERM: "xterm-kitty", STY: "1.x" }, undefined],
    ["nothing that is known", {}, undefined],
  ])("in %s", (_terminal, env, sequence) => {
    expect(noticeSequence(env, "hello")).toBe(sequence);
  });

  it("holds no character that ends it, hides something or is read as a field", () => {
    const text = `a\u0007b\u001b\\c\u009cd;e\u202ef\n${"x".repeat(500)}`;
    for (const TERM of ["xterm-kitty", "foot"]) {
      const sequence = noticeSequence({ TERM }, text) ?? "";
      expect(sequence).toMatch(/^\u001b\](9;agent-run: |777;notify;agent-run;)ab\\cd,ef x+~\u0007$/);
      expect(sequence.length).toBeLessThan(160);
    }
  });
});

describe("the program of a notice", () => {
  it("is notify-send on a desktop that has it, with the text as an argument and nothing in it markup", () => {
    const folder = mkdtempSync(join(tmpdir(), "ar-notice-"));
    try {
      const file = join(folder, "notify-send");
      writeFileSync(file, "#!/bin/sh\n");
      chmodSync(file, 0o755);
      const PATH = ["relative", "/nowhere", folder].join(delimiter);
      expect(noticeProgram({ PATH, DISPLAY: ":0" }, "linux", "-u <b>x</b> & \u001b[31m$(id)")).toEqual({
        file,
        args: ["--app-name=agent-run", "--", "agent-run", "-u &lt;b>x&lt;/b> &amp; [31m$(id)"],
      });
      expect(noticeProgram({ PATH }, "linux", "x")).toBeUndefined();
      expect(noticeProgram({ PATH: "/nowhere", DISPLAY: ":0" }, "linux", "x")).toBeUndefined();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("is osascript on macOS, with the text as an argument and not in the script", () => {
    const { file, args = [] } = noticeProgram({}, "darwin", '" & do shell script "id') ?? {};
    expect(file).toBe("/usr/bin/osascript");
    expect(args.slice(-2)).toEqual(['" & do shell script "id', "agent-run"]);
    expect(args.slice(0, -2).join(" ")).not.toContain("shell");
  });
});
