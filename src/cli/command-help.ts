// `agent-run <command> --help`, made from the command's own data, so that it cannot say what the command does not do. Called by cli.ts and run-line.ts.
import type { Command, Option } from "./command.ts";

export function commandHelp(command: Command): string {
  const lines = [`agent-run ${command.name}: ${command.summary}`, "", "usage:", `  agent-run ${command.usage}`];
  if (command.description !== undefined) lines.push("", ...command.description.split("\n"));
  if (command.options.length > 0) lines.push("", "options:", ...optionLines(command.options));
  if (command.examples !== undefined) {
    const width = Math.max(...command.examples.map(([example]) => example.length));
    lines.push("", "examples:", ...command.examples.map(([example, what]) => `  ${example.padEnd(width)}  ${what}`));
  }
  return lines.join("\n");
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
