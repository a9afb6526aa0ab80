// `agent-run completion`: the code that makes a shell complete agent-run, and the answer to each Tab.
import { oneLine } from "../core/printable.ts";
import { readAwsFiles } from "../credentials/sources/aws-files.ts";
import { KNOWN_AGENTS } from "../isolation/agents.ts";
import { profileNames } from "../session/profile.ts";
import { readStatusFiles } from "../session/status-file.ts";
import type { Command, Context } from "./command.ts";
import { commands } from "./commands.ts";
import { complete, type Names } from "./shell/complete.ts";
import { completionScript } from "./shell/scripts.ts";
import { selfName } from "./shell/self.ts";
import { shellOf } from "./shell-init.ts";

export const completion: Command = {
  name: "completion",
  usage: "completion bash|zsh|fish",
  summary: "completion of commands, options, profiles and sessions, for your shell",
  options: [{ name: "words", help: "what could come after these words, a line each: asked by the shell" }],
  examples: [
    ["agent-run completion bash", "in ~/.bashrc: source <(agent-run completion bash)"],
    ["agent-run completion zsh", "in ~/.zshrc, after compinit: source <(agent-run completion zsh)"],
  ],
  stopsAtFirstWord: true,
  async run(values, words, context) {
    if (values["words"] !== true) {
      context.print.raw(
        completionScript(shellOf(words[0], "completion"), { packageFolder: context.packageFolder, self: selfName(context) }),
      );
      return 0;
    }
    const line = words[0] === "--" ? words.slice(1) : words;
    for (const { word, help } of await complete(line, namesOf(context))) {
      // A name with a line break cannot be told to a shell, and one that cannot be seen shall not be chosen.
      if (oneLine(word) === word) context.print.raw(`${word}\t${oneLine(help)}`);
    }
    return 0;
  },
};

/** What cannot be read is not completed. */
function namesOf({ paths, packageFolder, env }: Context): Names {
  const shown = commands.filter(({ hidden }) => !hidden);
  return {
    commands: () => [...shown.map(({ name, summary }) => ({ word: name, help: summary })), { word: "help", help: "help of a command" }],
    command: async (name): Promise<Command | undefined> => shown.find((entry) => entry.name === name)?.load(),
    run: async () => (await import("./run.ts")).run,
    agents: () => KNOWN_AGENTS.map(({ name }) => name),
    profiles: () => orNone(() => profileNames(paths, packageFolder)),
    awsProfiles: () => orNone(() => [...readAwsFiles(env).profiles.keys()]),
    sessions: () => readStatusFiles(paths.runtime).map(({ session }) => session),
  };
}

function orNone(read: () => readonly string[]): readonly string[] {
  try {
    return read();
  } catch {
    return [];
  }
}
