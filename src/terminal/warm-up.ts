// Sends keys and their echo the way that those of the human will take, through terminals of our own that nobody sees: V8 compiles what has run some hundred
// times, and until then its interpreter takes longer than all else on that way. Loaded by attach.ts once the agent runs.
import { closeSync, openSync, writeSync } from "node:fs";
import { ReadStream } from "node:tty";
import * as nodePty from "@lydell/node-pty";
import type { Handle, readDirectly } from "./direct-reader.ts";
import type { openPacedWriter } from "./paced-writer.ts";
import type { Size } from "./pty.ts";
import type { Screen } from "./screen.ts";
import type { ScreenOptions } from "./screen-options.ts";
import type { openOutput } from "./terminal-output.ts";

/** What the way consists of. Handed in, since this file is in another bundle, which would have them a second time. */
export interface Way {
  readonly readDirectly: typeof readDirectly;
  readonly openOutput: typeof openOutput;
  readonly openPacedWriter: typeof openPacedWriter;
  readonly Screen: typeof Screen;
}

const KEYS = 1000;
/** What V8 compiled is void once something changes that never did, as when the first of its kind is closed: so a few keys go all the way before the others. */
const FIRST_KEYS = 4;
/** In a row, though each in turns of its own of the event loop, so that a real key waits for none; between the rows V8's threads compile. */
const KEYS_A_ROW = 20;
const PAUSE_MS = 10;
/** While the agent writes there is no hurry: that warms as well. */
const BUSY_MS = 100;
const BAR_EVERY = 50;
/** What a screen loads for itself is there. */
const SETTLED_MS = 300;
const KEY = Buffer.from("x");
const PROMPT = Buffer.from("$ ");
const CURSOR_IS_HOME = Buffer.from("\x1b[1;1R");

/** Both ends of a new PTY. What node-pty itself makes of them keeps the second open for good. */
const openPair = (nodePty as unknown as { native: { open(cols: number, rows: number): { master: number; slave: number } } }).native.open;

const ignore = (): void => undefined;

/**
 * Starts it. Gives what takes it back.
 * @param real options of the screen that is to be fast: these are the same but for all that reaches out of it
 * @param isQuiet whether the agent would not be disturbed now
 */
export function warmUp(way: Way, real: ScreenOptions, isQuiet: () => boolean): () => void {
  let opened = new DisposableStack();
  const run = (keys: number, then: () => void): void => {
    opened = new DisposableStack();
    try {
      type(way, real, { count: keys, isQuiet, then }, opened);
    } catch {
      // No PTY is left. Keys are slower then, until V8 has seen enough of them, and nothing else is.
      opened.dispose();
    }
  };
  run(FIRST_KEYS, () => run(KEYS, ignore));
  return () => opened.dispose();
}

interface Typing {
  /** How many keys. */
  readonly count: number;
  readonly isQuiet: () => boolean;
  /** Called when all is typed, and closed. */
  readonly then: () => void;
}

function type(way: Way, real: ScreenOptions, { count, isQuiet, then }: Typing, opened: DisposableStack): void {
  const nowhere = openSync("/dev/null", "r+");
  opened.defer(() => closeSync(nowhere));
  const human = openLoop(way, real.size, opened);
  const agent = openLoop(way, real.size, opened);
  // Two of each: what V8 has seen of one object only it takes for the only one, and would compile anew for the real one.
  const screens = [0, 1].map(() => screenTo(way, nowhere, agent.far, real, opened));
  let done = 0;
  const press = (): void => void writeSync(human.far, KEY);
  human.read((bytes) => screens[done % 2]?.input(bytes));
  agent.read((bytes) => {
    const screen = screens[done % 2];
    screen?.output(bytes);
    done++;
    if (real.bar !== undefined && done % BAR_EVERY < 2) screen?.setBar(real.bar);
    if (done < count && done % KEYS_A_ROW !== 0) press();
    else timer = setTimeout(row, PAUSE_MS).unref();
  });
  const row = (): void => {
    if (done >= count) {
      opened.dispose();
      then();
    } else if (isQuiet()) press();
    else timer = setTimeout(row, BUSY_MS).unref();
  };
  let timer = setTimeout(row, SETTLED_MS).unref();
  opened.defer(() => clearTimeout(timer));
}

/** A PTY with both its ends here. */
function openLoop(
  { readDirectly }: Way,
  size: Size,
  opened: DisposableStack,
): { readonly far: number; read(onBytes: (bytes: Buffer) => void): void } {
  const { master, slave } = openPair(size.cols, size.rows);
  opened.defer(() => closeSync(slave));
  const near = new ReadStream(master);
  opened.defer(() => near.destroy());
  return {
    far: slave,
    read(onBytes) {
      const reader = readDirectly(near as unknown as Handle, onBytes);
      opened.defer(reader.destroy);
    },
  };
}

/** A screen whose terminal is descriptor `fd`, and whose agent `agentFd`. */
function screenTo(way: Way, fd: number, agentFd: number, real: ScreenOptions, opened: DisposableStack): Screen {
  const agent = way.openPacedWriter(agentFd);
  const output = way.openOutput({ write: ignore }, fd);
  const screen = new way.Screen({
    ...real,
    output,
    guard: { protect: ignore },
    voice: undefined,
    saysEnd: () => false,
    marker: () => false,
    toAgent: (bytes) => agent.write(bytes),
    resizeAgent: ignore,
    hold: ignore,
    onKill: ignore,
    signIn: { needed: () => false, begin: ignore },
  });
  opened.defer(() => {
    agent.close();
    screen.end();
    // At once: the descriptors may be others' soon.
    void output.drained();
  });
  screen.begin();
  screen.spawned();
  screen.output(PROMPT);
  screen.input(CURSOR_IS_HOME);
  return screen;
}
