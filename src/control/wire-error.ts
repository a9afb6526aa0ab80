// An AgentRunError on its way between daemon and launcher. Called by client and routes, and by the session for its `failed` message.
import { AgentRunError, messageOf } from "../core/error.ts";
import type { WireError } from "./protocol.ts";

/** What may be told about anything that was thrown; what is not an AgentRunError becomes `internal`. */
export function toWireError(thrown: unknown): WireError {
  const error = thrown instanceof AgentRunError ? thrown : new AgentRunError("internal", messageOf(thrown), { cause: thrown });
  return {
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    exitStatus: error.exitStatus,
  };
}

/** The error as it was thrown on the other side, without its cause. */
export function fromWireError(wire: WireError): AgentRunError {
  return new AgentRunError(wire.code, wire.message, { hint: wire.hint, exitStatus: wire.exitStatus });
}
