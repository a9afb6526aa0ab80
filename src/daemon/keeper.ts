// A waiting shell that starts the next daemon when this one dies with a session on its hands: should the launcher have died too, nobody else would end what
// is left: files, an audit without an end, and at level `none` processes (a sandbox dies with its launcher by itself). Made by cli/daemon.ts for the sessions.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Writable } from "node:stream";
import { daemonEnvironment } from "../control/start-daemon.ts";
import type { Command } from "../core/command.ts";
import { AgentRunError, messageOf } from "../core/error.ts";
import { FEW_PROCESSES } from "../core/few-processes.ts";

/** The last word counts: the end of its input is the daemon's death. */
const PROGRAM = 'last=;while read -r word;do last=$word;done;[ "$last" != busy ]||exec "$@"';

/**
 * Gives what a session holds from before it makes anything until all is wiped. The first one starts the shell, in a session of its own so that no signal for
 * us reaches it; one that was killed is replaced at the next. A daemon that it starts leaves at once where a launcher was faster, and serves under `command`.
 * What it gives throws AgentRunError `daemon` where the system starts no shell, and holds nothing then.
 */
export function createKeeper({ file, args, env }: Command): () => Disposable {
  let child: ChildProcessByStdio<Writable, null, null> | undefined;
  let held = 0;
  const start = (): void => {
    let started: typeof child;
    let why: unknown;
    try {
      started = spawn("/bin/sh", ["-c", PROGRAM, "agent-run", file, ...args], {
        cwd: "/",
        env: daemonEnvironment(env),
        stdio: ["pipe", "inherit", "inherit"],
        detached: true,
      });
      started.once("error", () => undefined);
    } catch (error) {
      why = error;
    }
    // Without a descriptor left it has no stdin either.
    if (started?.pid === undefined) {
      throw new AgentRunError(
        "daemon",
        `nothing could be started that would end the session should the daemon die${why === undefined ? "" : `: ${messageOf(why)}`}`,
        { hint: FEW_PROCESSES, cause: why },
      );
    }
    const forget = (): void => {
      if (child === started) child = undefined;
    };
    started.once("exit", forget);
    started.unref();
    started.stdin.on("error", () => undefined);
    (started.stdin as Writable & { unref?: () => void }).unref?.();
    child = started;
  };
  return () => {
    const first = held === 0 || child === undefined;
    if (child === undefined) start();
    held += 1;
    // Written at once: it is in the pipe whatever happens to us.
    if (first) child?.stdin.write("busy\n");
    let over = false;
    return {
      [Symbol.dispose]() {
        if (over) return;
        over = true;
        held -= 1;
        if (held === 0) child?.stdin.write("idle\n");
      },
    };
  };
}
