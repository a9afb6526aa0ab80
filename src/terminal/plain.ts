// Runs the agent without a terminal of its own: stdin, stdout and stderr are ours, byte for byte. For pipes; called by the launcher.
import { spawn } from "node:child_process";
import type { Socket } from "node:net";
import type { Command, ProcessExit } from "../core/command.ts";
import { AgentRunError, messageOf } from "../core/error.ts";
import { oneLine } from "../core/printable.ts";
import { markedCommand, sessionOf } from "../core/session-mark.ts";
import { type AgentProcess, killTree, stopTree } from "./agent-process.ts";
import { AgentTree } from "./agent-tree.ts";
import { resolveExecutable } from "./executable.ts";
import type { ShimOptions } from "./shim-host.ts";
import { LAUNCHER_FD, RELEASED, tiedCommand } from "./tie.ts";

export interface PlainAgent extends AgentProcess {
  /** Lets the agent start: until then a sandbox holds nothing but our own shell. Where there is no sandbox it runs already. */
  release(): void;
  /** There shall be no agent: nothing is left when it resolves. */
  end(): Promise<void>;
}

/**
 * Spawns `command` with our own stdin, stdout and stderr, in a session of its own: what the terminal sends to us (Ctrl-C) reaches it once,
 * when the caller passes it on with `signal`. A stop of us (Ctrl-Z) stops it too, and SIGCONT continues both; a terminal's new size is told to it.
 * @param options.wrap puts the sandbox around a command; the identity where there is none
 * @param options.check what it throws is said, and ends what would have become the agent with 125
 * @param options.sealed what `wrap` puts around it has a PID namespace of its own
 * @throws AgentRunError `agent-not-found` (127), `agent-not-executable` (126)
 */
export function spawnPlain(command: Command, options: Pick<ShimOptions, "wrap" | "check"> & { readonly sealed: boolean }): PlainAgent {
  const file = resolveExecutable(command.file, command.env["PATH"], command.cwd);
  const inner = options.sealed ? tiedCommand({ ...command, file }) : markedCommand({ ...command, file });
  const outer = options.wrap(inner);
  const child = spawn(outer.file, outer.args, {
    cwd: command.cwd,
    env: { ...outer.env },
    stdio: [
      ...(["inherit", "inherit", "inherit"] as const),
      ...(options.sealed ? (["pipe"] as const) : []),
      ...(outer.channel ? (["ipc"] as const) : []),
    ],
    detached: true,
  });
  outer.channel?.attach(child);
  // Ours as long as we live; read and written to once: see tie.ts.
  const tie = child.stdio[LAUNCHER_FD] as Socket | undefined;
  const tied = new Promise((resolve) => tie?.once("data", resolve));
  tie?.on("error", () => undefined);
  tie?.unref();
  const pid = child.pid;
  if (pid === undefined) {
    child.on("error", () => undefined);
    throw new AgentRunError("agent-not-executable", `cannot start '${file}'`, {
      hint: `run it alone to see why: '${file}'`,
      exitStatus: 126,
    });
  }
  const tree = new AgentTree(pid, { hasShim: false, mark: sessionOf(command) });

  const suspend = (): void => {
    tree.signalGroup(pid, "SIGSTOP");
    process.kill(process.pid, "SIGSTOP");
  };
  const resume = (): void => tree.signalGroup(pid, "SIGCONT");
  // The kernel tells it to the terminal's own session, and that is ours.
  const resized = (): void => tree.signalGroup(pid, "SIGWINCH");
  process.on("SIGTSTP", suspend);
  process.on("SIGCONT", resume);
  process.on("SIGWINCH", resized);

  // As soon as all is mounted, while there is time.
  const checked = tied.then((): { readonly problem?: unknown } => {
    try {
      const first = tree.first();
      if (first === undefined) throw new Error("the sandbox's first process is not found");
      options.check(first);
      return {};
    } catch (problem) {
      return { problem };
    }
  });
  let refused = false;
  const release = async (): Promise<void> => {
    const { problem } = await checked;
    if (problem === undefined) {
      tie?.write(`${RELEASED}\n`);
      return;
    }
    refused = true;
    complain(problem);
    await killTree(tree);
  };

  const exited = new Promise<ProcessExit>((resolve) => {
    const finish = (exit: ProcessExit): void => {
      process.off("SIGTSTP", suspend);
      process.off("SIGCONT", resume);
      process.off("SIGWINCH", resized);
      resolve(refused ? { code: 125 } : exit);
    };
    child.on("exit", (code, signal) => finish(signal === null ? { code: code ?? 0 } : { signal }));
    child.on("error", (error) => {
      complain(error);
      finish({ code: 126 });
    });
  });

  const stop = async (graceMs: number, hurry?: AbortSignal): ReturnType<AgentProcess["stop"]> => {
    return stopTree(tree, exited, graceMs, hurry);
  };
  return {
    pid,
    exited,
    release: () => void release(),
    end: async () => {
      await killTree(tree);
      await exited;
    },
    signal: (name) => tree.signalGroup(pid, name),
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop(0);
    },
  };
}

/** While the agent holds our stderr too: as the printer says it, without colours. */
function complain(problem: unknown): void {
  const hint = problem instanceof AgentRunError && problem.hint !== undefined ? `agent-run: hint: ${oneLine(problem.hint)}\n` : "";
  process.stderr.write(`agent-run: error: ${oneLine(messageOf(problem))}\n${hint}`);
}
