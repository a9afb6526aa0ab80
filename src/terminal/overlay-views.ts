// What the overlays of our own say: the kill question, its progress, the keys, the session's details. Pure. Used by dialogs.ts.
import type { Choice, OverlayView } from "./overlay.ts";

/** What is known of the session, a label and its value each. */
export type Details = readonly (readonly [label: string, value: string])[];

const BACK: Choice = { key: "escape", shown: "Esc", label: "go back", brief: "back" };
const KEYS: Choice = { key: "?", shown: "?", label: "all keys", brief: "keys" };
const SIGN_IN: Choice = { key: "s", shown: "s", label: "sign in again", brief: "sign in" };
const NEEDED = "Your own credentials are over: what it holds is not renewed until you sign in again.";
const DETAILS: Choice = { key: "d", shown: "d", label: "details of the session", brief: "info" };

/**
 * @param inner another agent-run says that it runs inside
 * @param signIn the base credentials are over, and the human may sign in anew
 */
export function killView(agent: string, killKey: string, inner = false, signIn = false): OverlayView {
  const key = shownKey(killKey);
  const literal: Choice = { key: "l", shown: "l", label: `send ${key} to ${agent}`, brief: "send" };
  if (inner) {
    return {
      title: `End the agent inside, or ${agent} too?`,
      lines: [`Inside ${agent} runs another agent-run.`],
      choices: [
        { key: "kill", shown: key, label: "end the inner one", brief: "inner" },
        { key: "a", shown: "a", label: `end all: ${agent} and what is inside`, brief: "all" },
        BACK,
        literal,
        KEYS,
        DETAILS,
      ],
      loud: true,
    };
  }
  return {
    title: `End ${agent}?`,
    lines: ["Its access is cut at once and its processes are ended.", ...(signIn ? [NEEDED] : [])],
    choices: [{ key: "kill", shown: key, label: "end it", brief: "end" }, BACK, ...(signIn ? [SIGN_IN] : []), literal, KEYS, DETAILS],
    loud: true,
  };
}

export function progressView(title: string, lines: readonly string[], killKey: string): OverlayView {
  return { title, lines, choices: [{ key: "kill", shown: shownKey(killKey), label: "end it at once", brief: "now" }], loud: false };
}

export function helpView(agent: string, killKey: string): OverlayView {
  const key = shownKey(killKey);
  return {
    title: "Keys",
    lines: [
      ...columnsOf([
        [key, `asks whether to end ${agent}; then:`],
        [key, "ends it: access is cut, its processes are ended"],
        ["Esc", `goes back to ${agent}`],
        ["l", `sends ${key} itself to ${agent}`],
        ["d", "shows the session's details"],
      ]),
      "",
      `Every other key is ${agent}'s. While a question like this is open, ${agent} goes on and what it writes is shown afterwards. Keys count half a second after a question came up.`,
      "",
      `Another key: kill_key = "f12" in config.toml. From another terminal: agent-run kill.`,
    ],
    choices: [BACK, DETAILS],
    loud: false,
  };
}

/** Asks for the six digits of a code; `typed` are those that stand already. */
export function codeView(title: string, lines: readonly string[], typed: string): OverlayView {
  return {
    title,
    lines: [...lines, `code  ${typed.padEnd(CODE_LENGTH, "_")}`],
    choices: [{ key: "escape", shown: "Esc", label: "not now", brief: "not now" }],
    typed: [..."0123456789", "backspace"],
    loud: false,
  };
}

/** Of a TOTP device (RFC 6238), as AWS takes them. */
export const CODE_LENGTH = 6;

export function detailsView(details: Details): OverlayView {
  return { title: "Session", lines: columnsOf(details), choices: [BACK, KEYS], loud: false };
}

/** `ctrl-k` as people write it: `Ctrl-K`. */
export function shownKey(name: string): string {
  return name.replace(/^ctrl-(.)$/, (_, key: string) => `Ctrl-${key.toUpperCase()}`).replace(/^f(\d+)$/, "F$1");
}

/** Labels padded to the same width, two blanks before each value. */
function columnsOf(rows: Details): string[] {
  const width = Math.max(...rows.map(([label]) => label.length)) + 2;
  return rows.map(([label, value]) => label.padEnd(width) + value.replace(/ {2,}/g, " "));
}
