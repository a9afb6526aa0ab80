// `agent-run shell-init`: code for a shell's start-up file, so that `claude` goes through agent-run and the prompt shows the time left.
import { AgentRunError } from "../core/error.ts";
import { KNOWN_AGENTS } from "../isolation/agents.ts";
import { readConfig } from "../session/profile.ts";
import { visibleRuntime } from "../session/status-file.ts";
import { atMost, type Command } from "./command.ts";
import { type Shell, shellInit, shells } from "./shell/scripts.ts";
import { selfName } from "./shell/self.ts";

export const shellInitCommand: Command = {
  name: "shell-init",
  usage: "shell-init bash|zsh|fish",
  summary: "agents through agent-run and a prompt segment, for your shell",
  description:
    "Prints functions, one for each agent of `shell.agents` in config.toml (default: those that it knows by name), that start it through\n" +
    "agent-run; `command claude` starts the bare one. `agent_run_prompt` prints the segment for a prompt, `agent_run_off` takes all of it away.",
  options: [],
  examples: [
    ["agent-run shell-init bash", 'in ~/.bashrc: eval "$(agent-run shell-init bash)"'],
    ["agent-run shell-init fish", "in config.fish: agent-run shell-init fish | source"],
  ],
  async run(_values, words, context) {
    atMost(words, 1, "shell-init");
    const agents = readConfig(context.paths).shell?.agents ?? KNOWN_AGENTS.map(({ name }) => name);
    const settings = { packageFolder: context.packageFolder, self: selfName(context) };
    context.print.raw(shellInit(shellOf(words[0], "shell-init"), agents, visibleRuntime(context.env, context.paths.runtime), settings));
    return 0;
  },
};

/** @throws AgentRunError `usage` for a shell that there is no code for */
export function shellOf(word: string | undefined, command: string): Shell {
  const found = shells.find((shell) => shell === word);
  if (found !== undefined) return found;
  throw new AgentRunError("usage", word === undefined ? "which shell?" : `'${word}' is none of ${shells.join(", ")}`, {
    hint: `agent-run ${command} bash`,
    exitStatus: 2,
  });
}
