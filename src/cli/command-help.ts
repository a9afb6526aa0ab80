// `agent-run <command> --help`, made from the command's own data, so that it cannot say what the command does not do. Called by cli.ts.
import type { Command, Option } from "./command.ts";
import { folded } from "./fold.ts";

/**
 * All of a command's help, in lines that fit as far as their words allow it; no newline at the end.
 * @param terminal columns of the terminal, where there is one
 */
export function commandHelp(command: Command, terminal: number | undefined): string {
  const width = helpWidth(terminal);
  const lines = [...folded("", `agent-run ${command.name}: ${command.summary}`, width, ""), "", "usage:"];
  lines.push(...folded("  ", `agent-run ${command.usage}`, width, "      "));
  if (command.description !== undefined) lines.push("", ...folded("", command.description.replaceAll("\n", " "), width, ""));
  if (command.options.length > 0) lines.push("", "options:", ...optionLines(command.options, width));
  if (command.examples !== undefined) lines.push("", "examples:", ...columns(command.examples, width));
  return lines.join("\n");
}

/** What is read best, also in a wider terminal; and what a narrower one can show all the same. */
const [WIDEST, NARROWEST] = [80, 20];

export const helpWidth = (terminal: number | undefined): number => Math.max(NARROWEST, Math.min(WIDEST, terminal ?? WIDEST));

/** One entry an option: its names, then what it does. */
export function optionLines(options: readonly Option[], width: number): string[] {
  return columns(
    options.map(({ name, short, value, help }) => [
      `${short === undefined ? "    " : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`,
      help,
    ]),
    width,
  );
}

/** Of 80 columns; a head that is wider has its text on the next line. */
const WIDEST_HEAD = 44;

/** Pairs in two columns of `width` together; a text that is too long goes on below itself. */
export function columns(pairs: readonly (readonly [head: string, text: string])[], width: number): string[] {
  const widest = Math.floor((width * WIDEST_HEAD) / WIDEST);
  const heads = pairs.map(([head]) => head.length).filter((length) => length <= widest);
  const indent = " ".repeat(Math.max(2, ...heads) + 4);
  return pairs.flatMap(([head, text]) => {
    if (head.length > widest) return [...folded("  ", head, width, "    "), ...folded(indent, text, width, indent)];
    return folded(`  ${head}`.padEnd(indent.length), text, width, indent);
  });
}
