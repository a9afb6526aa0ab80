// On pipes: a terminal of the agent's own in the place of each of the human's that its output goes to, so that it has none to take keys from. What it writes
// is relayed. Loaded by preparation.ts where there is such a stream, and handed to plain.ts.
import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { isatty, ReadStream, type WriteStream } from "node:tty";
import { within } from "../core/clock.ts";
import { AgentRunError, messageOf } from "../core/error.ts";
import type { AgentKeys } from "./agent-keys.ts";
import { type Handle, readDirectly } from "./direct-reader.ts";
import { native } from "./native-pty.ts";
import type { Size } from "./pty.ts";
import { openOutput, sizeOf } from "./terminal-output.ts";

/** The human's streams. */
export type Outputs = Readonly<Record<"stdout" | "stderr", NodeJS.WriteStream>>;

export interface PrivateOutput {
  /** What stands in for our streams; undefined where that is no terminal. */
  readonly ends: ReadonlyMap<0 | 1 | 2, number>;
  /** Our sides, which every program inherits that is started. */
  readonly masters: readonly number[];
  /** The agent has what is in `ends`; nobody else needs it. */
  handedOver(): void;
  /** The human's terminal may have another size now. */
  resized(): void;
  /** The last process that could write is gone: resolves when all was written. A terminal that takes nothing is waited for until `giveUp`. */
  drained(): Promise<void>;
  /** From now on not for long. */
  giveUp(): void;
  /** Where stdin is one too: see private-terminal.ts. */
  readonly job?: Job;
}

/** The agent is a job of a terminal of its own, which leads its session. */
export interface Job {
  /** Its name. */
  readonly pty: string;
  readonly keys: AgentKeys;
  /** Before that there shall be no agent. */
  readonly ready: Promise<unknown>;
}

/** Who ends a session does not wait longer than this for a terminal that takes nothing. */
const GIVEN_UP_MS = 1000;

/**
 * @param terminals which of them are
 * @throws AgentRunError `isolation` where no PTY is left: an agent would have the human's terminal
 */
export function openPrivateOutput(
  { stdout, stderr }: Outputs,
  terminals = ([1, 2] as const).filter((each) => isatty(each)),
): PrivateOutput {
  keepModes();
  const ends = new Map<1 | 2, number>();
  const relays: Relay[] = [];
  // One for both where both are the same, so that what is written to them keeps its order.
  const same = terminals.length === 2 && fstatSync(1).rdev === fstatSync(2).rdev;
  for (const descriptor of terminals) {
    const stream = descriptor === 1 ? stdout : stderr;
    const relay = same ? (relays[0] ?? openRelay(stdout as WriteStream)) : openRelay(stream as WriteStream);
    if (!relays.includes(relay)) relays.push(relay);
    ends.set(descriptor, relay.end);
  }
  const givenUp = Promise.withResolvers<void>();
  return {
    ends,
    masters: relays.map(({ master }) => master),
    handedOver() {
      for (const relay of relays) relay.handedOver();
    },
    resized() {
      for (const relay of relays) relay.resized();
    },
    async drained() {
      const over = Promise.all(relays.map((relay) => relay.over));
      await Promise.race([over, givenUp.promise.then(() => within(over, GIVEN_UP_MS))]);
      for (const relay of relays) relay.close();
    },
    giveUp: () => givenUp.resolve(),
  };
}

/** Node gives terminals the modes that they had when it began, at its own end: those of a pager beside it, which may be gone by then. Not where they are closed. */
function keepModes(): void {
  process.once("exit", () => {
    for (const descriptor of [0, 1, 2]) if (isatty(descriptor)) closeSync(descriptor);
  });
}

function openPair({ cols, rows }: Size): ReturnType<typeof native.open> {
  try {
    return native.open(cols, rows);
  } catch (error) {
    throw new AgentRunError("isolation", `no terminal of its own for the agent's output: ${messageOf(error)}`, {
      hint: "close terminals, or sudo sysctl -w kernel.pty.max=8192",
      cause: error,
    });
  }
}

export interface Relay {
  readonly master: number;
  readonly end: number;
  /** The end's name. */
  readonly pty: string;
  /** All was read, as nobody is left who could write, and all that was read is written. */
  readonly over: Promise<void>;
  handedOver(): void;
  resized(): void;
  /** Nothing more is read until `resume`. */
  pause(): void;
  resume(): void;
  /** Writes this, as if it had been read. */
  show(bytes: Buffer): void;
  /** What was read is written, or the terminal takes nothing. */
  flushed(): Promise<void>;
  close(): void;
}

/** @param shown what is to be written for what was read */
export function openRelay(stream: WriteStream, shown: (bytes: Buffer) => Buffer = (bytes) => bytes): Relay {
  const size = sizeOf(stream);
  const { master, slave, pty } = openPair(size);
  // Node's own way to open it: blocking, and for no program that is started but the one it is given to. Ours is no terminal's session.
  const end = openSync(pty, constants.O_RDWR | constants.O_NOCTTY);
  closeSync(slave);
  const near = new ReadStream(master);
  const handle = (stream as unknown as { readonly _handle: { setBlocking?(on: boolean): void } })._handle;
  // A terminal that takes nothing must not stop our timers: the session's end is one of them.
  handle.setBlocking?.(false);
  const output = openOutput(stream, (stream as unknown as { readonly fd: number }).fd);
  const reader = readDirectly(near as unknown as Handle, (bytes) => output.write(shown(bytes)));
  const holding = new Set<"pressure" | "pause">();
  const hold = (why: "pressure" | "pause", on: boolean): void => {
    if (on) holding.add(why);
    else holding.delete(why);
    if (holding.size > 0) reader.pause();
    else reader.resume();
  };
  output.onPressure((high) => hold("pressure", high));
  // The human's terminal is gone, and so is the agent's: whoever writes to it is told, as bare (EIO).
  stream.on("error", () => reader.destroy());
  let closed = false;
  const over = new Promise<void>((resolve) => reader.onClose(resolve)).then(async () => {
    closed = true;
    while (!output.isEmpty()) await output.drained();
  });
  return {
    master,
    end,
    pty,
    over,
    handedOver: () => closeSync(end),
    pause: () => hold("pause", true),
    resume: () => hold("pause", false),
    show: (bytes) => output.together(() => output.write(bytes)),
    flushed: () => output.drained(),
    resized() {
      if (closed) return;
      const { cols, rows } = sizeOf(stream);
      native.resize(master, cols, rows, 0, 0);
    },
    close() {
      reader.destroy();
      // What it has not taken is given up; a blocking write would hang our exit.
      if (output.isEmpty()) handle.setBlocking?.(true);
    },
  };
}
