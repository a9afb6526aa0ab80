// `agent-run <agent>`: the main path. What it does in order is in launch.ts.
import { basename } from "node:path";
import { AgentRunError } from "../core/error.ts";
import { nearest } from "../core/nearest.ts";
import type { Command } from "./command.ts";
import { commandNames } from "./command-names.ts";
import { launch } from "./launch.ts";
import { overridesOf, runOptions } from "./run-options.ts";
import { takenAsValue } from "./taken-as-value.ts";

export const run: Command = {
  name: "run",
  outside: true,
  usage: "[run] [run options] <agent> [agent's arguments…]",
  summary: "run an agent; the same as agent-run <agent>",
  description:
    "Assumes a short-lived role, confirms who the agent will be, and starts it with only those credentials.\n" +
    "Everything after the agent's name is the agent's. In a terminal the last line is the status bar; Ctrl-K ends the\n" +
    "session. Exit status: the agent's own; 124 its time was up; 137 killed through us; 125 our own failure;\n" +
    "126 not executable; 127 not found.",
  options: runOptions,
  stopsAtFirstWord: true,
  examples: [
    ["agent-run --role agent-readonly claude", "claude, read-only"],
    ["agent-run --ttl 30m --on-expiry stop codex", "ends codex after half an hour"],
    ["agent-run --delivery env -- terraform plan", "keys in the environment"],
    ["agent-run --dry-run claude", "check everything, start nothing"],
  ],
  async run(values, words, context) {
    const [agent, ...args] = words[0] === "--" ? words.slice(1) : words;
    if (agent === undefined)
      throw new AgentRunError("usage", "which agent?", {
        hint: takenAsValue("agent-run", runOptions, values, context) ?? "agent-run claude, or agent-run demo to try it without an account",
        exitStatus: 2,
      });
    const running = launch({
      agent,
      args,
      actor: basename(agent),
      env: context.env,
      overrides: overridesOf(values),
      bar: values["no-bar"] !== true,
      dryRun: values["dry-run"] === true,
      mayStepDown: false,
      context,
    });
    return running.catch((error) => {
      throw perhapsACommand(error, agent);
    });
  },
};

/** `agent-run kil` looks for a program of that name. */
function perhapsACommand(error: unknown, agent: string): unknown {
  const near = nearest(agent, commandNames);
  if (!(error instanceof AgentRunError) || error.code !== "agent-not-found" || near === undefined) return error;
  const { code, message, hint, exitStatus } = error;
  return new AgentRunError(code, message, { hint: `did you mean 'agent-run ${near}'? else ${hint}`, exitStatus, cause: error });
}
