// `agent-run <command> --help`, made from the command's own data, so that it cannot say what the command does not do. Called by cli.ts and run-line.ts.
import type { Command, Option } from "./command.ts";

/** All of a command's help, in lines of at most 80 columns where its texts allow it; no newline at the end. */
export function commandHelp(command: Command): string {
  const lines = [`agent-run ${command.name}: ${command.summary}`, "", "usage:", `  agent-run ${command.usage}`];
  if (command.description !== undefined) lines.push("", ...fold(command.description));
  if (command.options.length > 0) lines.push("", "options:", ...optionLines(command.options));
  if (command.examples !== undefined) {
    const width = Math.max(...command.examples.map(([example]) => example.length));
    lines.push("", "examples:", ...command.examples.map(([example, what]) => `  ${example.padEnd(width)}  ${what}`));
  }
  return lines.join("\n");
}

const WIDTH = 80;

/** A text in lines of at most 80 columns. */
function fold(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** One line an option: its names, then what it does. */
export function optionLines(options: readonly Option[]): string[] {
  const heads = options.map(
    (option) =>
      `${option.short === undefined ? "    " : `-${option.short}, `}--${option.name}${option.value === undefined ? "" : ` ${option.value}`}`,
  );
  const width = Math.max(...heads.map((head) => head.length));
  return options.map((option, index) => `  ${(heads[index] ?? "").padEnd(width)}  ${option.help}`);
}
