// A notice outside the terminal's text: which sequence the human's terminal knows for it, or which program shows it. Pure but for `runNoticeProgram`. Called by the
// launcher shortly before a session's end and at it.
import { spawn } from "node:child_process";
import { statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { withoutInherited } from "../core/inherited.ts";
import { cleanText, shorten } from "./clean-text.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const TITLE = "agent-run";
const LONGEST = 120;
/** A notification service that does not answer is given up. */
const PROGRAM_MS = 5000;

/** Nothing in it ends a sequence, begins another or is read as a field of it. */
const harmless = (text: string): string => shorten(cleanText(text).replaceAll(";", ","), LONGEST);

/**
 * OSC 9 (iTerm2's) or OSC 777 (rxvt-unicode's), or undefined where the terminal is not known for either: one that is not would print it, or take it for something
 * else. A multiplexer in between knows neither.
 */
export function noticeSequence(env: Environment, text: string): string | undefined {
  const { TERM = "", TERM_PROGRAM = "", TMUX, STY } = env;
  if (TMUX || STY || /^(screen|tmux)/.test(TERM)) return undefined;
  if (/^(iTerm\.app|WezTerm|ghostty)$/.test(TERM_PROGRAM) || /^(xterm-kitty|xterm-ghostty|wezterm)$/.test(TERM)) {
    return `\x1b]9;${TITLE}: ${harmless(text)}\x07`;
  }
  if (/^(foot|rxvt-unicode)/.test(TERM)) return `\x1b]777;notify;${TITLE};${harmless(text)}\x07`;
  return undefined;
}

export interface NoticeProgram {
  readonly file: string;
  readonly args: readonly string[];
}

/** `notify-send` where there is a desktop to show it on, or macOS's `osascript`; undefined where there is neither. */
export function noticeProgram(env: Environment, platform: string, text: string): NoticeProgram | undefined {
  if (platform === "darwin") {
    // The text is an argument and not part of the script.
    const script = ["on run argv", "display notification (item 1 of argv) with title (item 2 of argv)", "end run"];
    return { file: "/usr/bin/osascript", args: [...script.flatMap((line) => ["-e", line]), harmless(text), TITLE] };
  }
  if (!env["DBUS_SESSION_BUS_ADDRESS"] && !env["WAYLAND_DISPLAY"] && !env["DISPLAY"]) return undefined;
  const file = (env["PATH"] ?? "")
    .split(delimiter)
    .filter(isAbsolute)
    .map((folder) => join(folder, "notify-send"))
    .find((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
  // The body may hold markup (Desktop Notifications Specification).
  const body = harmless(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return file === undefined ? undefined : { file, args: [`--app-name=${TITLE}`, "--", TITLE, body] };
}

/** Starts it and leaves it alone: nobody waits for a notice, and one that cannot be shown is no trouble. */
export function runNoticeProgram({ file, args }: NoticeProgram, env: Environment): void {
  const options = { detached: true, env: { ...env }, timeout: PROGRAM_MS, killSignal: "SIGKILL" } as const;
  const child = withoutInherited(["ignore", "ignore", "ignore"] as const, (stdio) => spawn(file, args, { ...options, stdio }));
  child.on("error", () => {});
  child.unref();
}
