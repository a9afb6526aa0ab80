// Runs the agent in a terminal of its own inside the human's, with the bar on the last row. Called by the launcher when stdin and stdout are terminals.
import type { ReadStream, WriteStream } from "node:tty";
import type { ProcessExit } from "../core/command.ts";
import { messageOf } from "../core/error.ts";
import { oneLine } from "../core/printable.ts";
import { signal } from "../core/process-tree.ts";
import { randomHex } from "../core/random.ts";
import { sessionOf } from "../core/session-mark.ts";
import { type AgentProcess, stopTree } from "./agent-process.ts";
import type { BarState } from "./bar-layout.ts";
import { type Handle, readDirectly } from "./direct-reader.ts";
import { resolveExecutable } from "./executable.ts";
import { foregroundGroup } from "./foreground.ts";
import { type HumanTerminal, openHumanTerminal } from "./human-terminal.ts";
import { InnerVoice } from "./inner-run.ts";
import { parseKey } from "./kill-key.ts";
import type { OverlayView } from "./overlay.ts";
import type { Details } from "./overlay-views.ts";
import { openPacedWriter } from "./paced-writer.ts";
import type { openPty, PtyHost } from "./pty.ts";
import { Screen } from "./screen.ts";
import type { ScreenOptions } from "./screen-options.ts";
import { silentStatus } from "./shim.ts";
import { type ShimHost, type ShimOptions, startShim } from "./shim-host.ts";
import { terminalKind } from "./terminal-look.ts";
import { openOutput, sizeOf } from "./terminal-output.ts";

export interface AttachOptions extends Pick<ShimOptions, "command" | "wrap" | "check" | "releaseFile"> {
  /** It is held already; else it is started with the options above. */
  readonly shim?: ShimHost | undefined;
  /** The human's environment: TERM, NO_COLOR and the locale say what the terminal can show. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** As the human knows the agent: `claude`. */
  readonly agent: string;
  /** What is known of the session now, for the human who asks. */
  readonly details: () => Details;
  /** As in the configuration: `ctrl-k`. */
  readonly killKey: string;
  /** Undefined: no line is reserved (`--no-bar`). */
  readonly bar: BarState | undefined;
  /** What the agent writes may neither command what the terminal is part of nor ask for the clipboard. */
  readonly closed: boolean;
  /** Inside another agent-run: that one's bar is enough. */
  readonly nested: boolean;
  /** The human confirmed that the agent is to be ended. */
  readonly onKill: () => void;
  /** Whether the human may sign in anew, and what begins it. */
  readonly signIn: { needed(): boolean; begin(): void };
}

export interface TerminalAgent extends AgentProcess {
  setBar(state: BarState): void;
  /** Shows a short message on the bar for `ms` milliseconds. */
  notice(text: string, ms: number): void;
  /** Sends what shows nothing on the screen, between two sequences of the agent. */
  send(sequence: string): void;
  /** Shows how the end proceeds, over the agent; no lines take it away. */
  progress(lines: readonly string[]): void;
  /** Asks over the running agent; gives the key of the choice, or undefined when the agent ended first or `signal` took the question away. */
  question(view: OverlayView, signal?: AbortSignal): Promise<string | undefined>;
  /** Asks for a code over the running agent; undefined when it was put off, or the agent ended first. */
  code(title: string, lines: readonly string[]): Promise<string | undefined>;
  /** Gives the terminal back as it was. Any number of times; after `exited`, unless the agent is left to itself. */
  restore(): Promise<void>;
}

/** The human's terminal before there is an agent, and the means to give that one its own. */
export interface PreparedTerminal {
  readonly input: ReadStream;
  readonly output: WriteStream;
  readonly human: HumanTerminal;
  readonly openPty: typeof openPty;
}

/**
 * Does what takes its time and changes nothing: loads what makes a PTY, reads the terminal's modes, starts the guard. Where no agent is attached then,
 * `human.close()`.
 */
export async function prepareTerminal(input: ReadStream, output: WriteStream): Promise<PreparedTerminal> {
  const [pty, human] = await Promise.all([import("./pty.ts"), openHumanTerminal(input, output)]);
  return { input, output, human, openPty: pty.openPty };
}

/** How often it is looked whether the agent ended without a word, because it had stopped its terminal's output. */
const SILENT_LOOK_MS = 1000;
/** The agent has started by then, and so has what we load for it. */
const WARM_UP_MS = 1000;
/** A window that is being dragged changes its size many times a second. */
const RESIZE_PAUSE_MS = 12;

/**
 * Starts the agent and shows it. The caller handles signals for us and ends the agent; terminal modes, job control and resizing are handled here.
 * @throws AgentRunError `agent-not-found` (127), `agent-not-executable` (126), `config` for the kill key; the terminal is then as it was
 */
export async function attachTerminal(prepared: PreparedTerminal, options: AttachOptions): Promise<TerminalAgent> {
  const { input, output, human: terminal, openPty } = prepared;
  const { command } = options;
  const killKey = parseKey(options.killKey);
  // Before anything is changed: the program may not be there.
  if (options.shim === undefined) resolveExecutable(command.file, command.env["PATH"], command.cwd);
  const holding = new Set<string>();
  let pty: PtyHost | undefined;
  const hold = (why: string, on: boolean): void => {
    const before = holding.size;
    if (on) holding.add(why);
    else holding.delete(why);
    if (before === 0 && holding.size > 0) pty?.pause();
    if (before > 0 && holding.size === 0) pty?.resume();
  };
  terminal.output.onPressure((high) => hold("terminal", high));
  const ended = Promise.withResolvers<ProcessExit>();
  let exitSeen = false;

  const kind = terminalKind(options.env);
  const screenOptions: ScreenOptions = {
    output: terminal.output,
    guard: terminal.guard,
    size: sizeOf(output),
    bar: options.nested ? undefined : options.bar,
    agent: options.agent,
    killKey,
    kind,
    console: kind.console ? (await import("./console-reader.ts")).ConsoleReader : undefined,
    closed: options.closed,
    details: options.details,
    voice: options.nested ? new InnerVoice(randomHex(16)) : undefined,
    saysEnd: (chunk, before) => shim.markers.within(chunk, before),
    marker: (payload) => {
      const marker = shim.markers.read(payload);
      if (marker?.kind === "exit") {
        exitSeen = true;
        void finish(marker.exit);
      } else if (marker?.kind === "stop") setImmediate(() => void suspend());
      return marker !== undefined;
    },
    toAgent: (bytes) => pty?.write(bytes),
    resizeAgent: (size) => pty?.resize(size),
    hold,
    onKill: options.onKill,
    signIn: options.signIn,
  };
  const screen = new Screen(screenOptions);

  let restored: Promise<void> | undefined;
  const giveBack = async (): Promise<void> => {
    for (const undo of cleanups) undo();
    screen.end();
    await terminal.output.drained();
    await terminal.cooked();
    terminal.close();
  };
  const restore = (): Promise<void> => (restored ??= giveBack());
  const cleanups: (() => void)[] = [];
  const on = (target: NodeJS.EventEmitter, event: string, run: (...args: never[]) => void): void => {
    target.on(event, run as () => void);
    cleanups.push(() => target.off(event, run as () => void));
  };

  const raw = terminal.raw();
  screen.begin();
  let shim: ShimHost;
  try {
    shim = options.shim ?? startShim(openPty, { ...options, modes: terminal.modes, size: screen.agentSize });
  } catch (error) {
    await restore();
    throw error;
  }
  const { host, tree, markers } = shim;
  pty = host;
  // Nothing of the agent before the terminal takes it as it is.
  hold("modes", true);
  void raw.then(() => hold("modes", false));
  if (options.shim) host.resize(screen.agentSize);
  shim.show((bytes) => screen.output(bytes));
  screen.spawned();
  const warm = setTimeout(async () => {
    // Keys are slower for a while without it, where this version was replaced meanwhile.
    const found = await import("./warm-up.ts").catch(() => undefined);
    const way = { readDirectly, openOutput, openPacedWriter, Screen };
    if (!restored && found) cleanups.push(found.warmUp(way, screenOptions, () => screen.isQuiet));
  }, WARM_UP_MS).unref();
  cleanups.push(() => clearTimeout(warm));

  /** The agent's last byte is through: let go of the shim and its sandbox, and tell the caller. */
  const finish = async (exit: ProcessExit): Promise<void> => {
    // What has no mark to be found by later is remembered now, for a stop that comes then. The shim's session dies with it, a sandbox with its root.
    if (sessionOf(command) === undefined) tree.look();
    signal(host.pid, "SIGKILL");
    await screen.settle();
    await terminal.output.drained();
    ended.resolve(exit);
  };
  void host.exited.then((exit) => {
    const unsaid = markers.unsaid();
    if (unsaid.length > 0) screen.output(unsaid);
    if (!exitSeen) void finish(exit);
  });
  shim.release().catch((error: unknown) => {
    screen.output(Buffer.from(`agent-run: error: cannot let the agent start: ${oneLine(messageOf(error))}\r\n`));
    exitSeen = true;
    void finish({ code: 125 });
  });

  let shimPid: number | undefined;
  let silent: ProcessExit | undefined;
  const looking = setInterval(() => {
    // Where we hold the output back ourselves, the shim waits for us.
    if (exitSeen || holding.size > 0 || !markers.greeted || process.platform !== "linux") return;
    shimPid ??= tree.shim();
    const before = silent;
    silent = shimPid === undefined ? undefined : silentStatus(shimPid);
    if (silent === undefined || before === undefined) return;
    exitSeen = true;
    void finish(silent);
  }, SILENT_LOOK_MS).unref();
  void ended.promise.then(() => clearInterval(looking));

  let suspended = false;
  const suspend = async (): Promise<void> => {
    if (suspended || restored) return;
    suspended = true;
    // An answer of the terminal to us that came after this would be typed into the shell.
    await screen.answered();
    if (restored) return;
    screen.release();
    await terminal.output.drained();
    await terminal.cooked();
    // The session can have ended meanwhile, and its human is told of that now.
    if (restored) return;
    process.off("SIGTSTP", onStop);
    process.kill(0, "SIGTSTP");
    // We are here again after SIGCONT, or at once when nobody could continue us (an orphaned process group is not stopped).
    process.on("SIGTSTP", onStop);
    await terminal.raw();
    suspended = false;
    // The same, while we were stopped: what took the terminal back has given it up again.
    if (restored) return;
    screen.retake(sizeOf(output));
    const stopped = tree.shim();
    if (stopped !== undefined) signal(stopped, "SIGCONT");
  };
  const onStop = (): void => agentSignal("SIGTSTP");
  /** Stopped from outside by SIGSTOP: whoever had the terminal meanwhile may have changed it. */
  const onContinue = async (): Promise<void> => {
    if (suspended || restored) return;
    await terminal.raw();
    if (!restored) screen.retake(sizeOf(output));
  };
  const agentSignal = (name: NodeJS.Signals): void => {
    const group = foregroundGroup(tree.shim() ?? host.pid);
    if (group !== undefined) tree.signalGroup(group, name);
  };
  on(process, "SIGTSTP", onStop);
  on(process, "SIGCONT", () => setImmediate(() => void onContinue()));

  let resizing: NodeJS.Timeout | undefined;
  on(output, "resize", () => {
    clearTimeout(resizing);
    resizing = setTimeout(() => screen.resize(sizeOf(output)), RESIZE_PAUSE_MS);
  });
  cleanups.push(() => clearTimeout(resizing));
  const keys = readDirectly(input as unknown as Handle, (bytes) => screen.input(bytes));
  cleanups.push(keys.pause);
  // The window is gone. The kernel tells it to the terminal's own session only, and ours may be another (setsid, runuser).
  keys.onClose(() => {
    if (!restored) process.kill(process.pid, "SIGHUP");
  });
  // What was typed ahead of a question that the launcher asked before.
  const early: unknown = input.readableLength > 0 ? input.read() : undefined;
  if (early instanceof Uint8Array) screen.input(early);

  const stop = async (graceMs: number, hurry?: AbortSignal): ReturnType<AgentProcess["stop"]> => {
    const result = await stopTree(tree, ended.promise, graceMs, hurry);
    return result;
  };
  return {
    pid: host.pid,
    exited: ended.promise,
    signal: agentSignal,
    stop,
    setBar: (state) => screen.setBar(state),
    notice: (text, ms) => screen.notice(text, ms),
    send: (sequence) => screen.send(sequence),
    progress: (lines) => screen.progress(lines),
    question: (view, signal) => screen.question(view, signal),
    code: (title, lines) => screen.code(title, lines),
    restore,
    async [Symbol.asyncDispose]() {
      await stop(0);
      await restore();
    },
  };
}
