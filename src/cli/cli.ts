// From argv to a command and its exit status: the first word is a command's name or the agent's. Called by main.ts.
import { AgentRunError } from "../core/error.ts";
import { type Context, parseCommand } from "./command.ts";
import { commands } from "./commands.ts";
import { runOptions } from "./run-options.ts";

/** Runs one command line. Never throws: what goes wrong is printed, and its exit status given. */
export async function runCommandLine(argv: readonly string[], context: Context): Promise<number> {
  try {
    return await dispatch(argv, context);
  } catch (error) {
    context.print.error(error);
    return error instanceof AgentRunError ? error.exitStatus : 125;
  }
}

async function dispatch(argv: readonly string[], context: Context): Promise<number> {
  const [first] = argv;
  if (first === undefined || first === "--help" || first === "-h" || first === "help") {
    const { overview } = await import("./help.ts");
    context.print.out(overview(context.version));
    return first === undefined ? 2 : 0;
  }
  if (first === "--version" || first === "-V") {
    context.print.out(`agent-run ${context.version}`);
    return 0;
  }
  const entry = commands.find((command) => command.name === first);
  const command = entry ? await entry.load() : (await import("./run.ts")).run;
  const { values, words } = parseCommand(
    entry ? command : { ...command, options: runOptions, stopsAtFirstWord: true },
    entry ? argv.slice(1) : argv,
  );
  if (values["help"] === true) {
    const { commandHelp } = await import("./help.ts");
    context.print.out(commandHelp(command));
    return 0;
  }
  return command.run(values, words, context);
}
