// Starts the daemon's process, detached from this terminal. Called by start-daemon.ts, which loads it only when it is needed.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import type { Command } from "../core/command.ts";
import { AgentRunError, messageOf } from "../core/error.ts";
import { FEW_PROCESSES, isForWantOfProcesses } from "../core/few-processes.ts";
import { privateFolder } from "../core/folder.ts";
import { withoutInherited } from "../core/inherited.ts";
import { daemonLog, type Paths } from "../core/paths.ts";

/** How much of the log an error quotes. */
const LAST_LINES = 5;

/**
 * Runs `command` in a session of its own, without core files (its memory holds credentials), its output appended to the log.
 * `failure` gives the error when it has ended with a status other than 0, which it uses to say that another daemon serves already.
 * @throws AgentRunError `state-folder` when there can be no log
 */
export function spawnDaemon(paths: Paths, command: Command): { child: ChildProcess; failure(): AgentRunError | undefined } {
  privateFolder(paths.state, "state-folder");
  const log = daemonLog(paths);
  let descriptor: number;
  try {
    descriptor = openSync(log, "a", 0o600);
  } catch (error) {
    throw new AgentRunError("state-folder", `cannot write ${log}: ${messageOf(error)}`, { hint: `chmod 700 ${paths.state}`, cause: error });
  }
  const from = fstatSync(descriptor).size;
  const words = ["-c", 'ulimit -c 0; exec "$@"', "agent-run", command.file, ...command.args];
  const child = withoutInherited(["ignore" as const, descriptor, descriptor], (stdio) =>
    spawn("/bin/sh", words, { cwd: command.cwd, env: command.env, detached: true, stdio }),
  );
  closeSync(descriptor);
  child.unref();
  let failed: string | undefined;
  child.once("error", (error) => {
    failed = messageOf(error);
  });
  child.once("exit", (code, signal) => {
    if (code !== 0) failed = signal === null ? `it ended with status ${code}` : `it was ended by ${signal}`;
  });
  return {
    child,
    failure() {
      if (failed === undefined) return undefined;
      const said = lastLines(log, from);
      const [, error, hint] = /(?:^| \| )agent-run: error: (.*?)(?: \| agent-run: hint: (.*))?$/.exec(said) ?? [];
      if (error !== undefined) return new AgentRunError("daemon", `the daemon did not start: ${error}`, { hint: hint ?? `see ${log}` });
      return new AgentRunError("daemon", `the daemon did not start: ${failed}${said === "" ? "" : `; it said: ${said}`}`, {
        hint: isForWantOfProcesses(`${failed} ${said}`) ? FEW_PROCESSES : `see ${log}`,
      });
    },
  };
}

/** The last lines of what was written since `from`, as one. */
function lastLines(log: string, from: number): string {
  try {
    const text = readFileSync(log).subarray(from).toString("utf8").trim();
    const lines = text.split("\n").map((line) => line.trim());
    return lines.filter(Boolean).slice(-LAST_LINES).join(" | ");
  } catch {
    return "";
  }
}
