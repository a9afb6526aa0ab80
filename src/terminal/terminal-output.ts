// Writes to a terminal without ever waiting for it, and tells when too much is unwritten. Used by human-terminal.ts, private-output.ts and warm-up.ts.
import { writeSync } from "node:fs";
import type { WriteStream } from "node:tty";
import type { Size } from "./pty.ts";

/** Above this much unwritten output the agent's PTY is paused; below a quarter of it, it goes on. */
const HIGH_WATER = 131_072;
/** Of what the terminal does not take at once, so much is kept in memory that is used again. */
const BLOCK_SIZE = 65_536;
const MOST_BLOCKS = 4;
/** A terminal that takes nothing for this long at the end is given up: the launcher must be able to leave. */
const DRAIN_DEADLINE_MS = 2000;

export interface TerminalOutput {
  /** The terminal has taken all that was written. */
  isEmpty(): boolean;
  /** Who is told when too much is unwritten (true: stop producing) and when that is over. */
  onPressure(handler: (high: boolean) => void): void;
  /** Bytes may change once they have gone out: at the end of `together`, else of this turn of the event loop. */
  write(bytes: Uint8Array | string): void;
  /** All that `run` writes goes out at its end, in one piece. */
  together(run: () => void): void;
  /** Resolves when everything was written, or the deadline for a stalled terminal has passed. */
  drained(): Promise<void>;
}

/** @param stream gets what the descriptor, which is not to block, does not take at once */
export function openOutput(stream: { write(bytes: Uint8Array, done: () => void): void }, fd: number): TerminalOutput {
  let onPressure: (high: boolean) => void = () => undefined;
  let waiting = 0;
  let high = false;
  let idle: (() => void)[] = [];
  const blocks: Buffer[] = [];
  /** What waits for the end of the turn: most often one piece. */
  let first: Uint8Array | undefined;
  let others: Uint8Array[] | undefined;
  let scheduled = false;
  let together = false;

  const written = (length: number): void => {
    waiting -= length;
    if (high && waiting < HIGH_WATER / 4) {
      high = false;
      onPressure(false);
    }
    if (waiting === 0) {
      for (const resolve of idle) resolve();
      idle = [];
    }
  };
  const send = (bytes: Uint8Array): void => {
    let taken = 0;
    // What the terminal takes at once needs no stream, and a key's echo waits for none.
    if (waiting === bytes.length) {
      try {
        taken = writeSync(fd, bytes);
      } catch {
        // EAGAIN: the terminal is busy. Whatever else it is, the stream meets it too.
      }
    }
    if (taken === bytes.length) written(taken);
    else later(bytes, taken);
  };
  /** The stream gets a copy: who wrote it may use the memory again. */
  const later = (bytes: Uint8Array, taken: number): void => {
    const rest = bytes.length - taken;
    const block = rest > BLOCK_SIZE ? Buffer.allocUnsafeSlow(rest) : (blocks.pop() ?? Buffer.allocUnsafeSlow(BLOCK_SIZE));
    block.set(taken === 0 ? bytes : bytes.subarray(taken));
    stream.write(block.subarray(0, rest), () => {
      if (block.length === BLOCK_SIZE && blocks.length < MOST_BLOCKS) blocks.push(block);
      written(bytes.length);
    });
  };
  const flush = (): void => {
    if (first === undefined) return;
    const bytes = others === undefined ? first : Buffer.concat([first, ...others]);
    first = undefined;
    others = undefined;
    send(bytes);
  };
  const endOfTurn = (): void => {
    scheduled = false;
    flush();
  };

  return {
    isEmpty: () => waiting === 0,
    onPressure(handler) {
      onPressure = handler;
    },
    write(text) {
      const bytes = typeof text === "string" ? Buffer.from(text, "utf8") : text;
      if (bytes.length === 0) return;
      waiting += bytes.length;
      if (first === undefined) first = bytes;
      else if (others === undefined) others = [bytes];
      else others.push(bytes);
      if (!together && !scheduled) {
        scheduled = true;
        setImmediate(endOfTurn);
      }
      if (!high && waiting > HIGH_WATER) {
        high = true;
        onPressure(true);
      }
    },
    together(run) {
      together = true;
      try {
        run();
      } finally {
        together = false;
        flush();
      }
    },
    async drained() {
      flush();
      if (waiting === 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, DRAIN_DEADLINE_MS);
        idle.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    },
  };
}

/** A terminal that does not tell its size is taken for the classic one. */
export function sizeOf(output: WriteStream): Size {
  const [cols, rows] = output.getWindowSize();
  return { cols: cols > 0 ? cols : 80, rows: rows > 0 ? rows : 24 };
}
