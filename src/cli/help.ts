// The first page of `--help`: what a newcomer needs, and where the rest is. Called by cli.ts.
import { columns, optionLines } from "./command-help.ts";
import { commands } from "./commands.ts";
import { runOptions } from "./run-options.ts";

/** The page of `agent-run --help`; no newline at the end. */
export function overview(version: string): string {
  return [
    `agent-run ${version}: an AI agent under a short-lived, restricted AWS role`,
    "",
    "usage:",
    "  agent-run [run options] <agent> [agent's arguments…]",
    "  agent-run <command> [options]",
    "",
    "start here:",
    "  agent-run demo            try it on a local cloud; needs no AWS account",
    "  agent-run setup readonly  make a read-only role for agents in your account",
    "  agent-run claude          run claude under it",
    "  agent-run doctor          see what is missing, and what mends it",
    "",
    "commands:",
    ...columns(commands.filter((command) => !command.hidden).map(({ name, summary }) => [name, summary])),
    "",
    "run options (everything after the agent's name is the agent's):",
    ...optionLines(runOptions),
    "",
    "agent-run <command> --help tells more about a command",
  ].join("\n");
}
