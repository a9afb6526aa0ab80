// A waiting shell that starts a daemon when the launcher dies without having ended its session: should the daemon have died too, nobody else would end
// what is left: files, an audit without an end, and at level `none` processes (a sandbox dies with its launcher by itself). Started by launch.ts before the
// daemon makes the session's folder, and before there is a PTY, whose master every later child inherits.
import { spawn } from "node:child_process";
import { daemonEnvironment } from "../control/start-daemon.ts";
import type { Context } from "./command.ts";
import { startCommand } from "./start-command.ts";

const PROGRAM = 'read -r word;[ "$word" = done ]||exec "$@"';

export interface Keeper {
  /** All is ended: the keeper leaves without doing anything. */
  dismiss(): void;
}

/** Starts it, in a session of its own so that no signal for us reaches it. A daemon that it starts leaves at once where another one serves. */
export function startKeeper(context: Pick<Context, "self" | "env">): Keeper {
  const { file, args, env } = startCommand(context);
  const child = spawn("/bin/sh", ["-c", PROGRAM, "agent-run", file, ...args], {
    cwd: "/",
    env: daemonEnvironment(env),
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  child.on("error", () => undefined);
  child.unref();
  child.stdin.on("error", () => undefined);
  (child.stdin as typeof child.stdin & { unref?: () => void }).unref?.();
  return { dismiss: () => void child.stdin.end("done\n") };
}
