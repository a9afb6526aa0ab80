// How the agent finds the forwarder of a network of its own. Pure. Used by isolate.ts, and by the launcher and `agent-run env` for what they print.
import type { IsolationLevel } from "../control/protocol.ts";

/** In a network of its own all ports are free but the session's, which can be one of these. */
const PORTS = [3128, 3129, 3130];

export function forwarderPort(taken: readonly number[]): number | undefined {
  return PORTS.find((port) => !taken.includes(port));
}

/**
 * The variables that name it, none where there is none. As curl, Python, Go, git and Node know them; some know one spelling only. What is on the loopback
 * is asked directly.
 */
export function forwarderVariables(level: IsolationLevel, hosts: readonly string[], taken: readonly number[]): Record<string, string> {
  const port = level === "strict" && hosts.length > 0 ? forwarderPort(taken) : undefined;
  if (port === undefined) return {};
  const proxy = `http://127.0.0.1:${port}`;
  const direct = "127.0.0.1,localhost";
  return { HTTPS_PROXY: proxy, https_proxy: proxy, NO_PROXY: direct, no_proxy: direct, NODE_USE_ENV_PROXY: "1" };
}
