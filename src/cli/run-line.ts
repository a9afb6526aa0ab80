// A command line that starts an agent: the run options, then the agent. Called by main.ts; apart from cli.ts so that it loads fast.

import { contextOf, type Host, parseCommand } from "./command.ts";
import { commandHelp } from "./command-help.ts";
import { refuseInside } from "./inside.ts";
import { outermost } from "./outermost.ts";
import { run } from "./run.ts";

/** Runs it and gives the exit status. */
export function runCommandLine(argv: readonly string[], host: Host): Promise<number> {
  const context = contextOf(host);
  return outermost(context.print, async () => {
    const { values, words } = parseCommand(run, argv);
    if (values["help"] === true) {
      context.print.out(commandHelp(run));
      return 0;
    }
    refuseInside(context);
    return run.run(values, words, context);
  });
}
