// `--help`: made from the commands' own data, so that it cannot say what they do not do.
import type { Command, Option } from "./command.ts";
import { commands } from "./commands.ts";
import { runOptions } from "./run-options.ts";

/** The first page: what a newcomer needs, and where the rest is. */
export function overview(version: string): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  return [
    `agent-run ${version}: runs an AI agent under a short-lived, tagged, restricted AWS role`,
    "",
    "usage:",
    "  agent-run [run options] <agent> [agent's arguments…]",
    "  agent-run <command> [options]",
    "",
    "start here:",
    "  agent-run demo                     try everything on a local cloud; needs no AWS account",
    "  agent-run --role <arn> claude      run claude under that role, read-only",
    "",
    "commands:",
    ...commands.filter((command) => !command.hidden).map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`),
    "",
    "run options (everything after the agent's name is the agent's):",
    ...optionLines(runOptions),
    "",
    "agent-run <command> --help tells more about a command",
  ].join("\n");
}

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

function optionLines(options: readonly Option[]): string[] {
  const heads = options.map(
    (option) =>
      `${option.short === undefined ? "    " : `-${option.short}, `}--${option.name}${option.value === undefined ? "" : ` ${option.value}`}`,
  );
  const width = Math.max(...heads.map((head) => head.length));
  return options.map((option, index) => `  ${(heads[index] ?? "").padEnd(width)}  ${option.help}`);
}
