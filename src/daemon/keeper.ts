// A waiting shell that starts the next daemon when this one dies with a session on its hands: should the launcher have died too, nobody else would end what
// is left: files, an audit without an end, and at level `none` processes (a sandbox dies with its launcher by itself). Made by cli/daemon.ts for the sessions.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Writable } from "node:stream";
import { daemonEnvironment } from "../control/start-daemon.ts";
import type { Command } from "../core/command.ts";

/** The last word counts: the end of its input is the daemon's death. */
const PROGRAM = 'last=;while read -r word;do last=$word;done;[ "$last" != busy ]||exec "$@"';

/**
 * Gives what a session holds from before it makes anything until all is wiped. The first one starts the shell, in a session of its own so that no signal for
 * us reaches it; one that was killed is replaced at the next. A daemon that it starts leaves at once where a launcher was faster, and serves under `command`.
 */
export function createKeeper({ file, args, env }: Command): () => Disposable {
  let child: ChildProcessByStdio<Writable, null, null> | undefined;
  let held = 0;
  const start = (): void => {
    const started = spawn("/bin/sh", ["-c", PROGRAM, "agent-run", file, ...args], {
      cwd: "/",
      env: daemonEnvironment(env),
      stdio: ["pipe", "inherit", "inherit"],
      detached: true,
    });
    const forget = (): void => {
      if (child === started) child = undefined;
    };
    started.once("error", forget);
    started.once("exit", forget);
    started.unref();
    started.stdin.on("error", () => undefined);
    (started.stdin as Writable & { unref?: () => void }).unref?.();
    child = started;
  };
  return () => {
    held += 1;
    const first = held === 1 || child === undefined;
    if (child === undefined) start();
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
