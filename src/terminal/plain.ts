// Runs the agent without the human's terminal between: stdin, stdout and stderr are ours, byte for byte. For pipes; called by the launcher.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Socket } from "node:net";
import { within } from "../core/clock.ts";
import type { Command, ProcessExit } from "../core/command.ts";
import { AgentRunError } from "../core/error.ts";
import { FEW_PROCESSES, isShortOfProcesses } from "../core/few-processes.ts";
import { childrenOf, processInfo } from "../core/process-tree.ts";
import { markedCommand, sessionOf } from "../core/session-mark.ts";
import { type AgentProcess, killTree, stopTree } from "./agent-process.ts";
import { AgentTree } from "./agent-tree.ts";
import { resolveExecutable } from "./executable.ts";
import { foregroundGroup } from "./foreground.ts";
import type { PrivateOutput } from "./private-output.ts";
import type { ShimOptions } from "./shim-host.ts";
import { ENDED, heldCommand, LAUNCHER_FD, RELEASED, STANDS, STOPPED, tiedCommand, WANTS } from "./tie.ts";

export interface PlainAgent extends AgentProcess {
  /** Lets the agent start: until then there is nothing but our own shell. Where nothing holds it, it runs already. */
  release(): void;
  /** There shall be no agent: nothing is left when it resolves. */
  end(): Promise<void>;
}

export interface PlainOptions extends Pick<ShimOptions, "wrap" | "check"> {
  readonly sealed: boolean;
  /** Where it is not sealed: it may not start yet. */
  readonly held?: boolean;
  /** It gets nothing to read, whatever our own stdin is. */
  readonly nothingToRead?: boolean;
  /** Stands in for those of our output streams that are a terminal. */
  readonly output?: PrivateOutput | undefined;
  /** Says it to the human, on the stderr that the agent holds too. */
  readonly complain: (problem: unknown) => void;
}

/** Leads a session (Node's `detached`), and so gets the terminal that it opens as its own (tty_ioctl(4)). */
const LEADS = ': <>"$0";exec "$@"';

/** What a sandbox that fell says comes right before its end, or not at all. */
const LAST_WORDS_MS = 300;

/**
 * Spawns `command` with our own stdin, stdout and stderr, in a session of its own: what the terminal sends to us (Ctrl-C) reaches it once,
 * when the caller passes it on with `signal`. A stop of us (Ctrl-Z) stops it too, and SIGCONT continues both; a terminal's new size is told to it.
 * @param options.wrap puts the sandbox around a command; the identity where there is none
 * @param options.check what it throws is said, and ends what would have become the agent with 125
 * @param options.sealed what `wrap` puts around it has a PID namespace of its own; until that is let go, nothing of it is seen
 * @throws AgentRunError `agent-not-found` (127), `agent-not-executable` (126)
 */
export function spawnPlain(command: Command, options: PlainOptions): PlainAgent {
  const { output, complain } = options;
  const job = output?.job;
  const file = resolveExecutable(command.file, command.env["PATH"], command.cwd);
  const inner = options.sealed
    ? tiedCommand({ ...command, file }, relayed(output), job !== undefined)
    : markedCommand(options.held ? heldCommand({ ...command, file }) : { ...command, file });
  const outer = options.wrap(inner);
  const child = start(outer, command.cwd, options);
  outer.channel?.attach(child);
  // Ours as long as we live; written to once: see tie.ts.
  const tie = child.stdio[LAUNCHER_FD] as Socket | undefined;
  const standing = Promise.withResolvers<void>();
  let stands = !options.sealed;
  if (stands) standing.resolve();
  let said = "";
  /** What bubblewrap said, and nobody has seen. */
  let words: Buffer[] = [];
  const show = (): void => {
    // Of a job in the background even nothing is too much for some terminals (stty tostop).
    for (const each of words) if (each.length > 0) process.stderr.write(each);
    words = [];
  };
  tie?.on("data", (bytes: Buffer) => {
    const end = stands ? -1 : bytes.indexOf(STANDS);
    if (job !== undefined && released) {
      said += bytes.toString("latin1");
      for (const word of bytes) if (word === WANTS || word === STOPPED) job.keys.said(word);
      return;
    }
    words.push(...(end < 0 ? [bytes] : [bytes.subarray(0, end), bytes.subarray(end + 1)]));
    if (released) show();
    if (end < 0) return;
    stands = true;
    standing.resolve();
  });
  tie?.on("error", () => undefined);
  tie?.unref();
  /** Whether there shall be an agent. */
  const decided = Promise.withResolvers<boolean>();
  const pid = child.pid;
  if (pid === undefined) {
    child.on("error", () => undefined);
    throw new AgentRunError("agent-not-executable", `cannot start '${file}'`, {
      hint: isShortOfProcesses() ? FEW_PROCESSES : `run it alone to see why: '${file}'`,
      exitStatus: 126,
    });
  }
  const tree = new AgentTree(pid, { hasShim: job !== undefined, mark: sessionOf(command) });

  /** Its own, where it is a job; else that of all that we started. */
  const group = (): number => {
    const shell = job === undefined || !released ? undefined : tree.first();
    return (shell === undefined ? undefined : jobGroup(shell)) ?? pid;
  };
  const suspend = (): void => {
    if (job === undefined || !released) {
      tree.signalGroup(pid, "SIGSTOP");
      process.kill(process.pid, "SIGSTOP");
    } else if (job.keys.isWaiting) void job.keys.stop();
    else tree.signalGroup(group(), "SIGTSTP");
  };
  /** All of our group, as the kernel does it; it is over when we are continued. */
  const stopUs = (name: NodeJS.Signals): void => {
    process.off("SIGTSTP", suspend);
    process.kill(0, name);
    process.on("SIGTSTP", suspend);
  };
  const resume = (): void => {
    if (job === undefined || !released) tree.signalGroup(pid, "SIGCONT");
    else void job.keys.continued();
  };
  // The kernel tells it to who has the terminal's foreground.
  const resized = (): void => {
    output?.resized();
    if (!job?.keys.isTaken) tree.signalGroup(group(), "SIGWINCH");
  };
  process.on("SIGTSTP", suspend);
  process.on("SIGCONT", resume);
  process.on("SIGWINCH", resized);

  // As soon as all is mounted, while there is time.
  const checked = standing.promise.then((): { readonly problem?: unknown } => {
    if (!options.sealed) return {};
    try {
      const first = tree.first();
      if (first === undefined) throw new Error("the sandbox's first process is not found");
      options.check(first);
      return {};
    } catch (problem) {
      return { problem };
    }
  });
  let released = false;
  let refused = false;
  const release = async (): Promise<void> => {
    decided.resolve(true);
    const { problem } = await checked;
    if (problem === undefined) {
      await job?.ready;
      released = true;
      show();
      void job?.keys.begin((answer) => void tie?.write(`${answer}\n`), stopUs);
      tie?.write(`${RELEASED}\n`);
      return;
    }
    refused = true;
    complain(problem);
    await killTree(tree);
  };

  let gone = false;
  const exited = new Promise<ProcessExit>((resolve) => {
    const finish = async (exit: ProcessExit): Promise<void> => {
      gone = true;
      if (tie && (!stands || job) && !tie.closed) await within(new Promise((closed) => tie.once("close", closed)), LAST_WORDS_MS);
      if (words.length > 0 && (await decided.promise)) {
        show();
        // What it said is no agent's, and neither is its status.
        if (options.sealed && !stands) {
          refused = true;
          const hint = isShortOfProcesses() ? FEW_PROCESSES : "agent-run doctor";
          complain(new AgentRunError("isolation", "the sandbox could not be started, and no agent was", { hint }));
        }
      }
      await output?.drained();
      process.off("SIGTSTP", suspend);
      process.off("SIGCONT", resume);
      process.off("SIGWINCH", resized);
      const status = ENDED.exec(said)?.[1];
      resolve(refused ? { code: 125 } : status === undefined ? exit : { code: Number(status) });
    };
    child.on("exit", (code, signal) => void finish(signal === null ? { code: code ?? 0 } : { signal }));
    child.on("error", (error) => {
      complain(error);
      void finish({ code: 126 });
    });
  });

  const stop = async (graceMs: number, hurry?: AbortSignal): ReturnType<AgentProcess["stop"]> => {
    output?.giveUp();
    return stopTree(tree, exited, graceMs, hurry);
  };
  return {
    pid,
    exited,
    release: () => void release(),
    end: async () => {
      decided.resolve(false);
      output?.giveUp();
      await killTree(tree);
      await exited;
    },
    signal(name) {
      // Who is in a hurry now does not want to wait for a terminal that takes nothing.
      if (gone) output?.giveUp();
      tree.signalGroup(group(), name);
      job?.keys.goOn();
    },
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop(0);
    },
  };
}

/** Beside its streams it gets a tie to us in a sandbox, and Node's channel where it asked for it. */
function start(
  { file, args, env, channel, argsClosing }: Command,
  cwd: string,
  { sealed, held, output, nothingToRead }: PlainOptions,
): ChildProcess {
  const stdio: ("inherit" | "pipe" | "ipc" | "ignore" | number)[] = [
    output?.ends.get(0) ?? (nothingToRead ? "ignore" : "inherit"),
    output?.ends.get(1) ?? "inherit",
    output?.ends.get(2) ?? "inherit",
    ...(sealed || held ? (["pipe"] as const) : []),
    ...(channel ? (["ipc"] as const) : []),
  ];
  const options = { cwd, env: { ...env }, stdio, detached: true };
  if (output === undefined) return spawn(file, args, options);
  // Nothing closes the masters in a child: /dev/null takes their numbers there, and is closed. To libuv `ignore` leaves the others as they are.
  const nothing = openSync("/dev/null", "r");
  try {
    while (stdio.length <= Math.max(...output.masters)) stdio.push("ignore");
    for (const master of output.masters) stdio[master] = nothing;
    const words = argsClosing?.(output.masters) ?? args;
    return output.job ? spawn("/bin/sh", ["-c", LEADS, output.job.pty, file, ...words], options) : spawn(file, words, options);
  } finally {
    closeSync(nothing);
    output.handedOver();
  }
}

/** Which output streams are terminals whose modes another one does. */
function relayed(output: PrivateOutput | undefined): number[] {
  const own = output?.job === undefined ? undefined : output.ends.get(0);
  return [...(output?.ends ?? [])].flatMap(([descriptor, end]) => (end === own ? [] : [descriptor]));
}

/** Who has the agent's terminal, or the job of the shell that leads it. */
function jobGroup(shell: number): number | undefined {
  const foreground = foregroundGroup(shell);
  return foreground === processInfo(shell)?.group ? childrenOf(shell)[0]?.group : foreground;
}
