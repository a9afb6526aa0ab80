// How this program starts its own daemon. Called by launch.ts and daemon.ts.
import type { Command as Program } from "../core/command.ts";
import type { Context } from "./command.ts";

/**
 * What the daemon's process reads itself. Keys and tokens of the human's environment are not among them: anybody with the same uid could read them in
 * /proc for as long as the daemon lives, and the next launch may have others. Each launch sends its own over the socket.
 */
const KEPT = /^(AGENT_RUN_HOME|HOME|PATH|USER|LOGNAME|SHELL|TMPDIR|TZ|LANG|LC_\w+|XDG_\w+|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|SSL_CERT_DIR)$/;

export function startCommand({ self, env }: Pick<Context, "self" | "env">): Program {
  const [file, ...args] = self;
  // On SIGUSR1 Node would open its debugger on loopback, where an agent could read the daemon's memory.
  const hardened = ["--disable-sigusr1", ...args];
  const kept = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && KEPT.test(entry[0]));
  return { file, args: [...hardened, "daemon", "run"], cwd: "/", env: Object.fromEntries(kept) };
}
