// `agent-run <command> --help`, made from the command's own data, so that it cannot say what the command does not do. Called by cli.ts and run-line.ts.
import type { Command, Option } from "./command.ts";

/** All of a command's help, in lines of at most 80 columns where its texts allow it; no newline at the end. */
export function commandHelp(command: Command): string {
  const lines = [...fold(`agent-run ${command.name}: ${command.summary}`), "", "usage:"];
  lines.push(...fold(`agent-run ${command.usage}`, "  ", "      "));
  if (command.description !== undefined) lines.push("", ...fold(command.description));
  if (command.options.length > 0) lines.push("", "options:", ...optionLines(command.options));
  if (command.examples !== undefined) lines.push("", "examples:", ...columns(command.examples));
  return lines.join("\n");
}

const WIDTH = 80;

/** A text in lines of at most 80 columns, as far as its words allow it; `first` stands before the first one, `rest` before the others. */
function fold(text: string, first = "", rest = first): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > WIDTH) lines.push(`${last === undefined ? first : rest}${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** One entry an option: its names, then what it does. */
export function optionLines(options: readonly Option[]): string[] {
  return columns(
    options.map(({ name, short, value, help }) => [
      `${short === undefined ? "    " : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`,
      help,
    ]),
  );
}

/** A head wider than this has its text on the next line. */
const WIDEST_HEAD = 44;

/** Pairs in two columns of 80 together; a text that is too long goes on below itself. */
export function columns(pairs: readonly (readonly [head: string, text: string])[]): string[] {
  const heads = pairs.map(([head]) => head.length).filter((length) => length <= WIDEST_HEAD);
  const indent = " ".repeat(Math.max(0, ...heads) + 4);
  return pairs.flatMap(([head, text]) => {
    if (head.length > WIDEST_HEAD) return [`  ${head}`, ...fold(text, indent)];
    return fold(text, `  ${head}`.padEnd(indent.length), indent);
  });
}
