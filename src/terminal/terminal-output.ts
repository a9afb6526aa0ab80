// Writes to a terminal without ever waiting for it, and tells when too much is unwritten. Used by human-terminal.ts, private-output.ts and warm-up.ts.
import { writeSync } from "node:fs";
import type { WriteStream } from "node:tty";
import type { Size } from "./pty.ts";

/** Above this much unwritten output the agent's PTY is paused; below a quarter of it, it goes on. */
const HIGH_WATER = 131_072;
/** Of what the terminal does not take at once, so much is kept in memory that is used again. */
const BLOCK_SIZE = 65_536;
const MOST_BLOCKS = 8;
/** What is put together in one turn is so in memory that is used again, up to this. */
const MOST_ROOM = 262_144;
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
  /** Several are put together, so that however many there are leave nothing for V8 to collect. */
  let room: Buffer | undefined;
  let gathered = 0;
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
    if (taken > 0) written(taken);
    for (let at = taken; at < bytes.length; at += BLOCK_SIZE) later(bytes.subarray(at, at + BLOCK_SIZE));
  };
  /** The stream gets a copy: who wrote it may use the memory again. */
  const later = (bytes: Uint8Array): void => {
    const block = blocks.pop() ?? Buffer.allocUnsafeSlow(BLOCK_SIZE);
    block.set(bytes);
    stream.write(block.subarray(0, bytes.length), () => {
      if (blocks.length < MOST_BLOCKS) blocks.push(block);
      written(bytes.length);
    });
  };
  const gather = (text: Uint8Array | string, length: number): void => {
    const end = gathered + length;
    if (room === undefined || room.length < end) {
      const larger = Buffer.allocUnsafeSlow(Math.max(BLOCK_SIZE, 2 * end));
      if (room !== undefined) larger.set(room.subarray(0, gathered));
      room = larger;
    }
    if (typeof text === "string") room.write(text, gathered);
    else room.set(text, gathered);
    gathered = end;
  };
  const flush = (): void => {
    if (first !== undefined) {
      const bytes = first;
      first = undefined;
      send(bytes);
    } else if (room !== undefined && gathered > 0) {
      const bytes = room.subarray(0, gathered);
      gathered = 0;
      send(bytes);
      if (room.length > MOST_ROOM) room = undefined;
    }
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
      const length = typeof text === "string" ? Buffer.byteLength(text) : text.length;
      if (length === 0) return;
      waiting += length;
      if (first === undefined && gathered === 0) first = typeof text === "string" ? Buffer.from(text) : text;
      else {
        if (first !== undefined) gather(first, first.length);
        first = undefined;
        gather(text, length);
      }
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
