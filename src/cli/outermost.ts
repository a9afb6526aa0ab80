// The outermost call of a command line: what is thrown is printed, and becomes an exit status. Called by cli.ts and run-line.ts.
import { AgentRunError } from "../core/error.ts";
import type { Printer } from "./printer.ts";

/** Gives the exit status; never rejects. */
export async function outermost(print: Printer, run: () => Promise<number>): Promise<number> {
  try {
    const status = await run();
    await print.written();
    return status;
  } catch (error) {
    print.error(error);
    return error instanceof AgentRunError ? error.exitStatus : 125;
  }
}
