// Sends keys and their echo the way that those of the human will take, through terminals of our own that nobody sees: V8 compiles what has run some hundred
// times, and until then its interpreter takes longer than all else on that way. Loaded by attach.ts once the agent runs.
import { closeSync, openSync, writeSync } from "node:fs";
import { openPair } from "./channel-pty.ts";
import { type Handle, readDirectly } from "./direct-reader.ts";
import { openPacedWriter } from "./paced-writer.ts";
import { Screen, type ScreenOptions } from "./screen.ts";
import { openOutput } from "./terminal-output.ts";

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
const SETTLED_MS = 1000;
const KEY = Buffer.from("x");
const PROMPT = Buffer.from("$ ");
const CURSOR_IS_HOME = Buffer.from("\x1b[1;1R");

const ignore = (): void => undefined;

/**
 * Starts it. Gives what takes it back.
 * @param real options of the screen that is to be fast: these are the same but for all that reaches out of it
 * @param isQuiet whether the agent would not be disturbed now
 */
export function warmUp(real: ScreenOptions, isQuiet: () => boolean): () => void {
  let end = run(real, FIRST_KEYS, isQuiet, () => {
    end = run(real, KEYS, isQuiet, ignore);
  });
  return () => end();
}

function run(real: ScreenOptions, count: number, isQuiet: () => boolean, then: () => void): () => void {
  const nowhere = openSync("/dev/null", "r+");
  const human = openPair({ ...real.size, encoding: null });
  const agent = openPair({ ...real.size, encoding: null });
  // Two of each: what V8 has seen of one object only it takes for the only one, and would compile anew for the real one.
  const screens = [0, 1].map(() => screenTo(nowhere, agent._slave._handle.fd, real));
  let done = 0;
  const type = (): void => void writeSync(human._slave._handle.fd, KEY);
  const keys = readDirectly(human._socket as unknown as Handle, (bytes) => screens[done % 2]?.screen.input(bytes));
  const echo = readDirectly(agent._socket as unknown as Handle, (bytes) => {
    const screen = screens[done % 2]?.screen;
    screen?.output(bytes);
    done++;
    if (real.bar !== undefined && done % BAR_EVERY < 2) screen?.setBar(real.bar);
    if (done < count && done % KEYS_A_ROW !== 0) type();
    else timer = setTimeout(row, PAUSE_MS).unref();
  });
  const row = (): void => {
    if (done >= count) {
      end();
      then();
    } else if (isQuiet()) type();
    else timer = setTimeout(row, BUSY_MS).unref();
  };
  let timer = setTimeout(row, SETTLED_MS).unref();
  let ended = false;
  const end = (): void => {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    for (const reader of [keys, echo]) reader.destroy();
    for (const pair of [human, agent]) {
      pair._socket.destroy();
      pair._slave.destroy();
    }
    for (const each of screens) each.end();
    closeSync(nowhere);
  };
  return end;
}

/** A screen whose terminal is descriptor `fd`, and whose agent `agentFd`. Behind `end` nothing is written to them. */
function screenTo(fd: number, agentFd: number, real: ScreenOptions): { readonly screen: Screen; end(): void } {
  const agent = openPacedWriter(agentFd);
  const output = openOutput({ write: ignore }, fd);
  const screen = new Screen({
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
  screen.begin();
  screen.spawned();
  screen.output(PROMPT);
  screen.input(CURSOR_IS_HOME);
  return {
    screen,
    end() {
      agent.close();
      screen.end();
      void output.drained();
    },
  };
}
