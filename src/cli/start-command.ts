// How this program starts its own daemon. Called by launch.ts and daemon.ts.
import type { Command as Program } from "../core/command.ts";
import type { Context } from "./command.ts";

/** Program, arguments and environment of the daemon. */
export function startCommand({ self, env }: Pick<Context, "self" | "env">): Program {
  const [file, ...args] = self;
  const kept = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  // On SIGUSR1 Node would open its debugger on loopback, where an agent could read the daemon's memory.
  return { file, args: ["--disable-sigusr1", ...args, "daemon", "run"], cwd: "/", env: Object.fromEntries(kept) };
}
