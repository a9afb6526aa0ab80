// The first page of `--help`: what a newcomer needs, and where the rest is. Called by cli.ts.
import { columns, helpWidth, optionLines } from "./command-help.ts";
import { commands } from "./commands.ts";
import { folded } from "./fold.ts";
import { runOptions } from "./run-options.ts";

const FIRST_STEPS = [
  ["agent-run demo", "try it on a local cloud; needs no AWS account"],
  ["agent-run setup readonly", "make a read-only role for agents in your account"],
  ["agent-run claude", "run claude under it"],
  ["agent-run doctor", "see what is missing, and what mends it"],
] as const;

/**
 * The page of `agent-run --help`; no newline at the end.
 * @param terminal columns of the terminal, where there is one
 */
export function overview(version: string, terminal: number | undefined): string {
  const width = helpWidth(terminal);
  return [
    ...folded("", `agent-run ${version}: an AI agent under a short-lived, restricted AWS role`, width, ""),
    "",
    "usage:",
    ...folded("  ", "agent-run [run options] <agent> [agent's arguments…]", width, "      "),
    ...folded("  ", "agent-run <command> [options]", width, "      "),
    "",
    "start here:",
    ...columns(FIRST_STEPS, width),
    "",
    "commands:",
    ...columns(
      commands.filter((command) => !command.hidden).map(({ name, summary }) => [name, summary]),
      width,
    ),
    "",
    ...folded("", "run options (everything after the agent's name is the agent's):", width, ""),
    ...optionLines(runOptions, width),
    "",
    ...folded("", "agent-run <command> --help tells more about a command", width, ""),
  ].join("\n");
}
