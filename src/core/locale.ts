// What the human's locale lets a terminal show. The one place that decides it: used by cli/printer.ts and terminal/terminal-look.ts.
import type { Environment } from "./paths.ts";

/** POSIX: LC_ALL before LC_CTYPE before LANG; none of them is the C locale, which is ASCII. */
export const hasUtf8 = (env: Environment): boolean => /utf-?8/i.test(env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "");

const FORMS: Readonly<Record<string, string>> = {
  "✓": "ok",
  "✗": "x",
  "…": "...",
  "→": "->",
  "↻": "+",
  "×": "x",
  "–": "-",
  "\ufffd": "?",
};
const OURS = new RegExp(`[${Object.keys(FORMS).join("")}]`, "g");

/** The text with what we ourselves print beyond ASCII in ASCII; names that others chose stay as they are. */
export const plainForms = (text: string): string => text.replace(OURS, (character) => FORMS[character] ?? character);
