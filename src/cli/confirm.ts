// Asks the human yes or no before a command changes something. Called by commands that change an account or a file.
import type { ReadStream, WriteStream } from "node:tty";
import { AgentRunError } from "../core/error.ts";
import type { Context } from "./command.ts";

/**
 * True for `y` or `yes`.
 * @param flag what answers it beforehand
 * @throws AgentRunError `usage` where there is no terminal to ask, and when it is cancelled
 */
export async function confirm({ streams }: Context, question: string, flag: string): Promise<boolean> {
  if (!streams.stdin.isTTY || !streams.stderr.isTTY) {
    throw new AgentRunError("usage", `${question} there is no terminal to ask`, {
      hint: `pass ${flag} to agree beforehand`,
      exitStatus: 2,
    });
  }
  const { askLine } = await import("../terminal/prompt.ts");
  const answer = await askLine(streams.stdin as ReadStream, streams.stderr as WriteStream, `agent-run: ${question} [y/N] `);
  return /^y(es)?$/i.test(answer.trim());
}
