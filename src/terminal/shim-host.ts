// The agent's own terminal with the shim in it, from before there is an agent: a sandbox is made while AWS is asked. Started by preparation.ts or attach.ts;
// attach.ts shows it.
import { writeFileSync } from "node:fs";
import { sleep } from "../core/clock.ts";
import type { Command } from "../core/command.ts";
import { AgentRunError, messageOf } from "../core/error.ts";
import { isStopped, signal } from "../core/process-tree.ts";
import { markedCommand, sessionOf } from "../core/session-mark.ts";
import { killTree } from "./agent-process.ts";
import { AgentTree } from "./agent-tree.ts";
import { resolveExecutable } from "./executable.ts";
import type { openPty, PtyHost, Size } from "./pty.ts";
import { Markers, shimCommand } from "./shim.ts";

export interface ShimOptions {
  readonly command: Command;
  /** Puts the sandbox around a command; the identity where there is none. Our shim goes inside it. */
  readonly wrap: (command: Command) => Command;
  /**
   * What `wrap` puts around it has a PID namespace of its own, and the agent waits in it for `release`, which makes this file: seen from inside too, and
   * not for the agent to make. Undefined: the agent starts at once.
   */
  readonly releaseFile: string | undefined;
  /** Throws where the sandbox that this process is in did not become what `wrap` says: there is no agent then. */
  readonly check: (pid: number) => void;
  /** The terminal's modes as `stty -g` gives them. */
  readonly modes: string;
  readonly size: Size;
}

export interface ShimHost {
  readonly host: PtyHost;
  readonly tree: AgentTree;
  readonly markers: Markers;
  /** The agent's program. */
  readonly file: string;
  /** Where output goes from now on; what came until then goes there first. As with `openPty`, it is as it was only until the next comes. */
  show(take: (bytes: Buffer) => void): void;
  /** The agent may start. Resolves when it was let go. Throws what the file system says of the file, and what `check` throws. */
  release(): Promise<void>;
  /** There shall be no agent: nothing is left when it resolves, and nothing was shown. */
  end(): Promise<void>;
}

/** The shim stops itself right after its first word. */
const LOOK_MS = 1;

/** @throws AgentRunError `agent-not-found` (127), `agent-not-executable` (126) */
export function startShim(open: typeof openPty, { command, wrap, releaseFile, check, modes, size }: ShimOptions): ShimHost {
  const file = resolveExecutable(command.file, command.env["PATH"], command.cwd);
  const markers = new Markers();
  const greeted = Promise.withResolvers<void>();
  const unseen: Buffer[] = [];
  let take = (bytes: Buffer): void => void unseen.push(Buffer.from(bytes));
  let host: PtyHost;
  try {
    const program = { ...command, file };
    const started = releaseFile === undefined ? markedCommand(program) : program;
    host = open(wrap(shimCommand(started, modes, releaseFile)), size, (bytes) => {
      const shown = markers.greet(bytes);
      if (markers.greeted) greeted.resolve();
      if (shown.length > 0) take(shown);
    });
  } catch (error) {
    throw new AgentRunError("agent-not-executable", `cannot start '${file}' in a terminal: ${messageOf(error)}`, {
      hint: "run it through pipes to see more: agent-run … | cat",
      exitStatus: 126,
      cause: error,
    });
  }
  const tree = new AgentTree(host.pid, { hasShim: true, mark: sessionOf(command) });
  let over = false;
  void host.exited.then(() => {
    over = true;
    greeted.resolve();
  });
  let shim: number | undefined;
  let checked: { readonly problem?: unknown } | undefined;
  const look = (): void => {
    shim ??= tree.shim();
    if (shim === undefined || checked !== undefined) return;
    try {
      check(shim);
      checked = {};
    } catch (problem) {
      checked = over ? {} : { problem };
    }
  };
  // As soon as it is there, while there is time.
  if (releaseFile !== undefined) void greeted.promise.then(() => setImmediate(() => over || look()));
  return {
    host,
    tree,
    markers,
    file,
    show(next) {
      take = next;
      for (const bytes of unseen.splice(0)) next(bytes);
    },
    async release() {
      if (releaseFile === undefined) return;
      await greeted.promise;
      // A SIGCONT that came before it has stopped would be lost.
      for (; !over; await sleep(LOOK_MS)) {
        look();
        if (checked?.problem !== undefined) throw checked.problem;
        if (shim === undefined || !isStopped(shim)) continue;
        writeFileSync(releaseFile, "", { mode: 0o600, flag: "wx" });
        signal(shim, "SIGCONT");
        return;
      }
    },
    async end() {
      await killTree(tree);
      await host.exited;
    },
  };
}
