// What a call throws. Used by tests that look at an error more than once.
import { AgentRunError } from "../src/core/error.ts";

/** The AgentRunError; anything else is thrown on, and nothing at all is an error. */
export function failure(run: () => unknown): AgentRunError {
  try {
    run();
  } catch (error) {
    if (error instanceof AgentRunError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
