// A command line that names a command: help, version, or one of commands.ts. Called by main.ts.
import { AgentRunError } from "../core/error.ts";
import { nearest } from "../core/nearest.ts";
import { type Context, contextOf, type Host, parseCommand } from "./command.ts";
import { commandHelp } from "./command-help.ts";
import { commands } from "./commands.ts";
import { overview } from "./help.ts";
import { refuseInside } from "./inside.ts";
import { outermost } from "./outermost.ts";
import { printVersion } from "./version.ts";

/** Runs it and gives the exit status. */
export function runCommandLine(argv: readonly string[], host: Host): Promise<number> {
  const context = contextOf(host);
  return outermost(context.print, () => dispatch(argv, context));
}

async function dispatch(argv: readonly string[], context: Context): Promise<number> {
  const [first, ...rest] = argv;
  if (first === "--version" || first === "-V") {
    printVersion(rest, context);
    return 0;
  }
  if (first === "help" && rest[0] !== undefined) return dispatch([rest[0], "--help"], context);
  const entry = commands.find((command) => command.name === first);
  if (!entry && first !== undefined && !["help", "--help", "-h"].includes(first)) throw noCommand(first);
  if (!entry) {
    context.print.out(overview(context.version, context.print.width()));
    return first === undefined ? 2 : 0;
  }
  const command = await entry.load();
  const { values, words } = parseCommand(command, rest);
  if (values["help"] === true) {
    context.print.out(commandHelp(command, context.print.width()));
    return 0;
  }
  if (command.outside) refuseInside(context);
  return command.run(values, words, context);
}

/** Of `agent-run help <word>`: any other word that is no command is a program to run. */
function noCommand(word: string): AgentRunError {
  const names = commands.map(({ name }) => name);
  const near = nearest(word, names);
  return new AgentRunError("usage", `there is no command '${word}'`, {
    hint: near === undefined ? "agent-run help lists all" : `did you mean 'agent-run help ${near}'?`,
    exitStatus: 2,
  });
}
