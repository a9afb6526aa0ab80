// Tells when something was typed that nobody reads, without reading it. Used by private-terminal.ts.
import { closeSync, constants, openSync, readSync } from "node:fs";
import { Socket, type SocketConstructorOpts } from "node:net";
import { ReadStream } from "node:tty";
import { monotonic } from "../core/clock.ts";
import type { Handle } from "./direct-reader.ts";

/** How long it is left to others to read it. */
const THEIRS_MS = 50;
/** A terminal with something to be read says so at once. */
const AT_ONCE_MS = 20;
/** So much is taken at once: a line is shorter (N_TTY_BUF_SIZE, drivers/tty/n_tty.c). */
const LINE_SIZE = 4096;

const STDIN = "/proc/self/fd/0";

/** Opens the terminal that stdin is, for us alone; undefined where it is another user's (`su`). */
export const reopenStdin = (way: number): number | undefined => reopen(STDIN, way);

function reopen(terminal: string, way: number): number | undefined {
  try {
    return openSync(terminal, way | constants.O_NOCTTY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
}

/**
 * Calls `run` once when lines stand in the terminal and nobody has read them after some time, until it is disposed of. Where that cannot be seen, at once.
 */
export function watchUnread(run: () => void): Disposable {
  let over = false;
  let timer: NodeJS.Timeout | undefined;
  let socket: Socket | undefined;
  const arm = (again: boolean): void => {
    if (over) return;
    const armed = monotonic();
    socket = whenReadable(() => {
      if (over) return;
      if (again && monotonic() - armed < AT_ONCE_MS) {
        over = true;
        run();
      } else timer = setTimeout(() => arm(true), THEIRS_MS).unref();
    });
    if (socket === undefined) timer = setTimeout(run, THEIRS_MS).unref();
  };
  arm(false);
  return {
    [Symbol.dispose]() {
      over = true;
      clearTimeout(timer);
      socket?.destroy();
    },
  };
}

/**
 * libuv reads nothing into a buffer of no length and says ENOBUFS instead (uv__read in src/unix/stream.c), so that what could be read stays there for
 * whoever reads it.
 */
function whenReadable(run: () => void): Socket | undefined {
  const descriptor = reopenStdin(constants.O_RDONLY);
  if (descriptor === undefined) return undefined;
  const source = new ReadStream(descriptor) as unknown as Handle;
  const onread = { buffer: new Uint8Array(0), callback: () => true };
  const socket = new Socket({
    handle: source._handle,
    readable: true,
    writable: false,
    manualStart: true,
    onread,
  } as unknown as SocketConstructorOpts);
  (source as { _handle: unknown })._handle = null;
  socket.on("error", ({ code }: NodeJS.ErrnoException) => {
    if (code === "ENOBUFS") run();
  });
  socket.unref();
  socket.read(0);
  return socket;
}

/** What stands in the terminal at that path. An end of the file in it is `endOfFile`, which is NUL where it was typed while the terminal kept lines. */
export function takeTyped(endOfFile: number, terminal = STDIN): Buffer {
  const descriptor = reopen(terminal, constants.O_RDONLY);
  const pieces: Buffer[] = [];
  if (descriptor === undefined) return Buffer.alloc(0);
  try {
    for (let length = 1; length > 0; ) {
      const piece = Buffer.alloc(LINE_SIZE);
      length = readSync(descriptor, piece);
      pieces.push(length > 0 ? piece.subarray(0, length) : Buffer.from([endOfFile]));
    }
  } catch {
    // EAGAIN: there is no more.
  } finally {
    closeSync(descriptor);
  }
  return Buffer.concat(pieces).map((byte) => (byte === 0 ? endOfFile : byte)) as Buffer;
}
