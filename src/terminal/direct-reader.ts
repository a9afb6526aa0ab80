// Reads a terminal into one buffer that is used again and again, without what a stream costs a chunk. Used by pty.ts, attach.ts and private-output.ts.
import { Socket, type SocketConstructorOpts } from "node:net";

/**
 * The Linux kernel gives no more than 4095 bytes of a terminal at a time (N_TTY_BUF_SIZE, drivers/tty/n_tty.c). A read that fills its buffer is
 * followed by another in the same turn of the event loop (up to 32, libuv's uv__read), one that does not ends the turn: so this is the size at
 * which a flood costs fewest turns.
 */
const READ_SIZE = 4095;
/** In a flood, so much is gathered before it goes on: fewer and larger writes, but nobody waits long for the first. */
const BLOCK_SIZE = 65_536;

export interface DirectReader {
  pause(): void;
  resume(): void;
  destroy(): void;
  onClose(run: () => void): void;
}

/** What libuv reads with, as a stream of node's holds it. */
export interface Handle {
  readonly _handle: unknown;
}

/**
 * Reads what `source` would have read, in its place: the source itself has nothing left to read with. Starts at once.
 * @param onBytes gets blocks of up to 64 KB: what came alone at once, a flood gathered
 * @param lent what it gets is as it was only until it gets the next: so a flood passes through two blocks, and leaves none for V8 to collect. Else it is
 * its own to keep
 */
export function readDirectly(source: Handle, onBytes: (bytes: Buffer) => void, lent = false): DirectReader {
  let block: Buffer | undefined;
  let length = 0;
  let scheduled = false;
  /** The block that was given last, and the one before. */
  let inUse: Buffer | undefined;
  let free: Buffer | undefined;
  const give = (): void => {
    if (block === undefined) return;
    const bytes = block.subarray(0, length);
    if (lent) {
      free = inUse;
      inUse = block;
    }
    block = undefined;
    length = 0;
    onBytes(bytes);
  };
  const endOfTurn = (): void => {
    scheduled = false;
    give();
  };
  const callback = (count: number, bytes: Uint8Array): boolean => {
    if (block === undefined && count < READ_SIZE) {
      onBytes(Uint8Array.prototype.slice.call(bytes, 0, count) as Buffer);
      return true;
    }
    block ??= free ?? Buffer.allocUnsafeSlow(BLOCK_SIZE);
    block.set(count === bytes.length ? bytes : bytes.subarray(0, count), length);
    length += count;
    if (count < READ_SIZE || length > BLOCK_SIZE - READ_SIZE) give();
    else if (!scheduled) {
      scheduled = true;
      setImmediate(endOfTurn);
    }
    return true;
  };
  const buffer = Buffer.allocUnsafeSlow(READ_SIZE);
  // `handle` is what node:tty itself passes here.
  const options = { handle: source._handle, readable: true, writable: false, manualStart: true, onread: { buffer, callback } };
  const socket = new Socket(options as unknown as SocketConstructorOpts);
  (source as { _handle: unknown })._handle = null;
  // A PTY whose other side is closed reads as EIO.
  socket.on("error", () => undefined);
  // What was gathered before the end comes first.
  socket.on("close", give);
  // Not `resume`, which would start to read in the next tick even when `pause` comes before it.
  socket.read(0);
  return {
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    destroy: () => void socket.destroy(),
    onClose: (run) => void socket.once("close", run),
  };
}
