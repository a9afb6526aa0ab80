// A command line that starts an agent or a program: `run`, `exec`, or the run options and then the agent. Called by main.ts; apart from cli.ts so that it loads fast.
import { contextOf, type Host, parseCommand } from "./command.ts";
import { exec } from "./exec.ts";
import { refuseInside } from "./inside.ts";
import { outermost } from "./outermost.ts";
import { run } from "./run.ts";

const EXEC_INSIDE =
  "an MCP server with a role of its own is for a client that runs outside of agent-run: docs/tools.md; where the session is long over: unset AGENT_RUN_SESSION";

/** Runs it and gives the exit status. */
export function runCommandLine(argv: readonly string[], host: Host): Promise<number> {
  const context = contextOf(host);
  return outermost(context.print, async () => {
    const command = argv[0] === "exec" ? exec : run;
    const { values, words } = parseCommand(command, argv[0] === command.name ? argv.slice(1) : argv);
    if (values["help"] === true) {
      // In the other bundle: no run needs it.
      const { runCommandLine } = await import("./cli.ts");
      return runCommandLine(["help", command.name], host);
    }
    refuseInside(context, command === exec ? EXEC_INSIDE : undefined);
    return command.run(values, words, context);
  });
}
