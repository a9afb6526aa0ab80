// All printing. Results go to stdout; everything said to the human goes to stderr with the prefix `agent-run: `, lower case, no full stop.
// Colour only where the stream is a terminal and NO_COLOR (no-color.org) and TERM=dumb allow it; ASCII where the locale has nothing else.
import { AgentRunError, messageOf } from "../core/error.ts";
import { hasUtf8, plainForms } from "../core/locale.ts";
import type { Environment } from "../core/paths.ts";
import { oneLine, printable, printableJson } from "../core/printable.ts";
import { folded } from "./fold.ts";

const STYLES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39] } as const;
export type Style = keyof typeof STYLES;

export interface Printer {
  /** A result, to stdout: lines, of which only what is printable comes out, and what `paint` painted. */
  out(text: string): void;
  /** The same in sentences: on a terminal each line is folded at its width. */
  text(text: string): void;
  /** The same with nothing changed: for what another program reads, made of nothing that others named. */
  raw(text: string): void;
  /** @param compact on one line */
  json(value: unknown, compact?: "compact"): void;
  /** A sentence to the human. */
  note(text: string): void;
  warn(text: string): void;
  error(error: unknown): void;
  /** A start step that is done: a tick or an exclamation mark before it. */
  step(state: "ok" | "warning", text: string): void;
  /** Columns of stdout, where it is a terminal. */
  width(): number | undefined;
  /** For text on stdout. */
  paint(style: Style, text: string): string;
  /**
   * When all results are written. A reader that left early (`| head`) is no error.
   * @throws AgentRunError `output`
   */
  written(): Promise<void>;
}

/** Our own colours in a result, by `paint`; no other sequence passes. */
const PAINTED = new RegExp(`(\\u001b\\[(?:${Object.values(STYLES).flat().join("|")})m)`);

/** A label longer than this has no column to itself. */
const MOST_LABEL = 20;

/** @param streams read when something is printed, not before */
export function createPrinter(
  streams: { readonly stdout: NodeJS.WriteStream; readonly stderr: NodeJS.WriteStream },
  env: Environment,
): Printer {
  const shown = hasUtf8(env) ? (text: string): string => text : plainForms;
  const plain = Boolean(env["NO_COLOR"]) || env["TERM"] === "dumb";
  const paint = (name: "stdout" | "stderr", style: Style, text: string): string =>
    plain || !streams[name].isTTY ? text : `\u001b[${STYLES[style][0]}m${text}\u001b[${STYLES[style][1]}m`;
  const paintErr = (style: Style, text: string): string => paint("stderr", style, text);
  /** By name: to look at a stream makes it. */
  const guarded = new Set<"stdout" | "stderr">();
  let failure: NodeJS.ErrnoException | undefined;
  const write = (name: "stdout" | "stderr", text: string): void => {
    const stream = streams[name];
    if (!guarded.has(name)) {
      guarded.add(name);
      // Without a listener a full disk ends the process. What cannot be said on stderr cannot be said at all.
      stream.on("error", (error) => {
        if (name === "stdout") failure ??= error;
      });
    }
    stream.write(text);
  };
  const result = (text: string): void => write("stdout", text.endsWith("\n") ? text : `${text}\n`);
  const isPainted = (): boolean => !plain && streams.stdout.isTTY;
  const visible = (text: string): string =>
    text.includes("\u001b") && isPainted()
      ? text
          .split(PAINTED)
          .map((part, index) => (index % 2 === 1 ? part : printable(part)))
          .join("")
      : printable(text);
  /** A terminal that does not tell its size has none that a line could be folded at. */
  const widthOf = (name: "stdout" | "stderr"): number | undefined => (streams[name].isTTY && streams[name].columns) || undefined;
  /** It goes on below, two columns in from where the line begins, or where the text does. */
  const lines = (name: "stdout" | "stderr", first: string, text: string, indent: string): string => {
    const width = widthOf(name);
    return width === undefined ? first + text : folded(first, text, width, indent).join("\n");
  };
  const say = (word: string, text: string): void =>
    write("stderr", `${lines("stderr", `${paintErr("dim", "agent-run:")} ${word}`, shown(oneLine(text)), "  ")}\n`);
  return {
    out: (text) => result(shown(visible(text))),
    text: (text) =>
      result(
        shown(visible(text))
          .split("\n")
          .map((line) => {
            const [label = ""] = /^ *(?:\S+ {2,})?/.exec(line) ?? [];
            const margin = label.length > MOST_LABEL ? "  " : label.trim() === "" ? `${label}  ` : " ".repeat(label.length);
            return lines("stdout", label, line.slice(label.length), margin);
          })
          .join("\n"),
      ),
    raw: result,
    json: (value, compact) => result(printableJson(JSON.stringify(value, undefined, compact === undefined ? 2 : undefined))),
    note: (text) => say("", text),
    warn: (text) => say(`${paintErr("yellow", "warning:")} `, text),
    error(error) {
      say(`${paintErr("red", "error:")} `, messageOf(error));
      const hint = error instanceof AgentRunError ? error.hint : undefined;
      if (hint !== undefined) say(`${paintErr("cyan", "hint:")} `, hint);
    },
    step(state, text) {
      const [mark, style] = state === "ok" ? ([shown("✓"), "green"] as const) : (["!", "yellow"] as const);
      write("stderr", `${lines("stderr", `${paintErr(style, mark)} `, shown(oneLine(text)), " ".repeat(mark.length + 1))}\n`);
    },
    width: () => widthOf("stdout"),
    paint: (style, text) => paint("stdout", style, text),
    async written() {
      if (guarded.has("stdout")) await new Promise<void>((resolve) => streams.stdout.write("", () => resolve()));
      if (failure && failure.code !== "EPIPE")
        throw new AgentRunError("output", `cannot write to stdout: ${failure.message}`, { cause: failure });
    },
  };
}
