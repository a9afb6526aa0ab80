// A waiting shell that starts the next daemon when this one dies with a session on its hands: should the launcher have died too, nobody else would end what
// is left: files, an audit without an end, and at level `none` processes (a sandbox dies with its launcher by itself). Made by cli/daemon.ts for the sessions.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Writable } from "node:stream";
import { daemonEnvironment } from "../control/start-daemon.ts";
import type { Command } from "../core/command.ts";
import { AgentRunError, messageOf } from "../core/error.ts";
import { FEW_PROCESSES } from "../core/few-processes.ts";

/** How many daemons are started in a row where each dies within `WELL_MS`. */
const MOST_IN_A_ROW = 5;
const WELL_MS = 60_000;

/** How many daemons in a row a keeper has started, the one that reads it included. */
export const KEPT = "AGENT_RUN_KEPT";

/** The last word counts: the end of its input is the daemon's death. With it comes how many were started in a row until then. */
const PROGRAM = [
  "last=;kept=0;while read -r word count;do last=$word;kept=$count;done",
  '[ "$last" = busy ]||exit 0',
  `if [ "$kept" -lt ${MOST_IN_A_ROW} ];then export ${KEPT}=$((kept+1));exec "$@";fi`,
  `echo "agent-run: error: $kept daemons were started in a row for sessions that a dead one left, and died: no other is started; agent-run daemon logs, then agent-run ps" >&2`,
].join(";");

/**
 * Makes holds: a session takes one before it makes anything and disposes of it when all is wiped. The first hold starts the shell, in a session of its own so that no signal for
 * us reaches it; a shell that was killed is replaced at the next hold. The daemon that the shell starts runs `command`, and leaves at once where a launcher was faster.
 * Taking a hold throws AgentRunError `daemon` where the system starts no shell.
 * @param kept what `KEPT` says in this process's environment
 */
export function createKeeper({ file, args, env }: Command, kept: string | undefined): () => Disposable {
  let row = Number(kept ?? 0) || 0;
  setTimeout(() => {
    row = 0;
    if (held > 0) child?.stdin.write(busy());
  }, WELL_MS).unref();
  const busy = (): string => `busy ${row}\n`;
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
    // Where no descriptor is left, spawn gives a child without a pid.
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
    if (first) child?.stdin.write(busy());
    let over = false;
    return {
      [Symbol.dispose]() {
        if (over) return;
        over = true;
        held -= 1;
        if (held === 0) child?.stdin.write("idle 0\n");
      },
    };
  };
}
