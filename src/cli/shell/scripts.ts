// Fills in the scripts of shell/: agents through agent-run, the prompt's segment, completion. Printed by shell-init.ts and completion.ts.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AgentRunError, messageOf } from "../../core/error.ts";

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

export interface ScriptSettings {
  readonly packageFolder: string;
  /** How to call agent-run: its name, or where it lies. */
  readonly self: string;
}

/** A text as one word of bash or zsh: in single quotes nothing means anything. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
/** The same for fish, which reads `\\` and `\'` even in single quotes (fish language, "Quotes"). */
const fishQuoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

/**
 * What a shell's start-up file evaluates.
 * @param agents commands that go through agent-run: letters, digits, `_` and `-`
 * @param runtime the runtime folder, where sessions leave their `status`
 */
export function shellInit(shell: Shell, agents: readonly string[], runtime: string, settings: ScriptSettings): string {
  const quote = shell === "fish" ? fishQuoted : quoted;
  const self = quote(settings.self);
  // `function name` and not `name()`: where an alias has that name, it would be read in its place.
  const functions = agents.map((agent) =>
    shell === "fish"
      ? `function ${agent} --wraps ${agent}\n        command ${self} ${agent} $argv\n    end`
      : `function ${agent} { command ${self} ${agent} "$@"; }`,
  );
  return filled(`init.${shell}`, settings, {
    ": # @FUNCTIONS@": functions.join("\n  ") || ":",
    "# @FUNCTIONS@": functions.join("\n    "),
    "@RUNTIME@": quote(runtime),
    "@BEFORE@": agents.length === 0 ? "''" : `"$(${shell === "zsh" ? "functions" : "declare -f"} ${agents.join(" ")} 2>/dev/null || :)"`,
    "@NAMES@": agents.join(" "),
  });
}

/** What makes a shell complete `agent-run`: it asks `agent-run completion --words` at each Tab. */
export function completionScript(shell: Shell, settings: ScriptSettings): string {
  return filled(`completion.${shell}`, settings, { "@AGENT_RUN@": (shell === "fish" ? fishQuoted : quoted)(settings.self) });
}

function filled(name: string, { packageFolder }: ScriptSettings, values: Readonly<Record<string, string>>): string {
  const file = join(packageFolder, "shell", name);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new AgentRunError("internal", `the package lacks shell/${name}: ${messageOf(error)}`, { hint: "install agent-run again" });
  }
  for (const [hole, value] of Object.entries(values)) text = text.replaceAll(hole, () => value);
  return text;
}
