// Whether this runs inside a session that cannot reach agent-run's own files. Called by cli.ts and run-line.ts before a command that needs them.
import { existsSync } from "node:fs";
import { AgentRunError } from "../core/error.ts";
import { isSessionId } from "../core/id.ts";
import { controlSocket } from "../core/paths.ts";
import type { Context } from "./command.ts";

/**
 * Refuses what could only mislead there: an empty list of sessions, a second daemon that the sandbox hides. An instance of its own (AGENT_RUN_HOME), and a
 * session without a sandbox, go on.
 * @param hint where another one helps more
 * @throws AgentRunError `isolation`
 */
export function refuseInside({ env, paths }: Pick<Context, "env" | "paths">, hint?: string): void {
  const session = env["AGENT_RUN_SESSION"] ?? "";
  if (env["AGENT_RUN"] !== "1" || !isSessionId(session) || env["AGENT_RUN_HOME"] || existsSync(controlSocket(paths))) return;
  throw new AgentRunError("isolation", `this is inside the session ${session}, from which agent-run's own files cannot be reached`, {
    hint: hint ?? "run it in another terminal; where the session is long over: unset AGENT_RUN_SESSION",
  });
}
