// An option that takes one of a few words. Called by the commands that have such options.
import { AgentRunError } from "../core/error.ts";
import { nearest } from "../core/nearest.ts";
import { textValue, type Values } from "./command.ts";

/**
 * The word that was given, undefined where the option was not. Nobody is led to `none` by a slip of the finger: it takes the protection away.
 * @param example a use of the option, for the hint where no word is near
 * @throws AgentRunError `usage` for any other word
 */
export function choice<Word extends string>(
  values: Values,
  name: string,
  words: readonly Word[],
  example = `--${name} ${words[0]}`,
): Word | undefined {
  const value = textValue(values, name);
  if (value === undefined) return undefined;
  const found = words.find((word) => word === value);
  if (found !== undefined) return found;
  const near = nearest(
    value,
    words.filter((word) => word !== "none"),
  );
  throw new AgentRunError("usage", `--${name}: '${value}' is none of ${words.join(", ")}`, {
    hint: near ? `did you mean '${near}'?` : example,
    exitStatus: 2,
  });
}
