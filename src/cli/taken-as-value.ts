// Where no agent is named: whether the last option took it as its value. Called by run.ts and exec.ts.
import { resolveExecutable } from "../terminal/executable.ts";
import type { Context, Option, Values } from "./command.ts";

/**
 * What to type instead of `agent-run --region claude`; undefined where the last value is no program.
 * @param start the command line up to the option
 */
export function takenAsValue(start: string, options: readonly Option[], values: Values, { env, cwd }: Context): string | undefined {
  const [name, value] = Object.entries(values).at(-1) ?? [];
  const word = Array.isArray(value) ? value.at(-1) : value;
  if (name === undefined || typeof word !== "string") return undefined;
  try {
    resolveExecutable(word, env["PATH"], cwd);
  } catch {
    return undefined;
  }
  const placeholder = options.find((option) => option.name === name)?.value;
  return `--${name} took '${word}' as its value: ${start} --${name} ${placeholder} ${word}`;
}
