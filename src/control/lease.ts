// The lease: one JSON message a line over a duplex socket, every incoming one checked. Opened by client.ts, accepted by daemon/socket.ts.
import type { Socket } from "node:net";
import { AgentRunError, messageOf } from "../core/error.ts";
import { LONGEST_LINE } from "./protocol.ts";
import { checked, Mismatch, type Shape } from "./shape.ts";

export interface Lease<Out, In> {
  /** Queues one message. Does nothing once the lease is closed; a peer that stops reading loses the lease. */
  send(message: Out): void;
  /** Sets the one handler; the last one set wins. Messages that came before there was one are handed over first, in order. */
  onMessage(handler: (message: In) => void): void;
  /** Resolves once the connection is gone, never rejects: with an error (`lease`) when the peer sent garbage or stopped reading. */
  readonly closed: Promise<AgentRunError | undefined>;
  /** Sends what is queued, then hangs up. No message is handed over any more. */
  close(): void;
}

/** Messages that may wait for a handler, and bytes that may wait for the peer to read. */
const MOST_WAITING = 64;
const MOST_UNSENT = 8 * LONGEST_LINE;
/** How long `close` tries to get rid of what is queued. */
const FLUSH_MS = 1000;
/** Chunks of an unfinished line that are kept apart before they are joined. */
const MOST_CHUNKS = 1024;

/**
 * Speaks the lease over a connected socket, which it owns from now on.
 * @param shape what an incoming message must be
 * @param peer who is on the other side, for errors; they name the field, never its content
 * @param early bytes that were read from the socket already
 */
export function makeLease<Out, In>(
  socket: Socket,
  shape: Shape<In>,
  peer: "daemon" | "launcher",
  early: Buffer = Buffer.alloc(0),
): Lease<Out, In> {
  let open = true;
  let reason: AgentRunError | undefined;
  let handler: ((message: In) => void) | undefined;
  const waiting: In[] = [];

  const fail = (what: string, cause?: unknown): void => {
    if (!open) return;
    open = false;
    reason = new AgentRunError("lease", `the ${peer} ${what}`, { cause });
    socket.destroy();
  };

  const deliver = (message: In): void => {
    try {
      handler?.(message);
    } catch (error) {
      fail(`sent a message that could not be handled: ${messageOf(error)}`, error);
    }
  };

  const lines = lineReader(
    (line) => {
      const message = readMessage(line, shape);
      if (message instanceof AgentRunError) fail(message.message);
      else if (handler) deliver(message);
      else if (waiting.push(message) > MOST_WAITING) fail(`sent more than ${MOST_WAITING} messages before the first was read`);
    },
    () => fail(`sent a line of more than ${LONGEST_LINE} bytes`),
    () => open,
  );

  const closed = new Promise<AgentRunError | undefined>((resolve) => {
    const gone = (): void => {
      open = false;
      resolve(reason);
    };
    if (socket.closed) gone();
    else socket.once("close", gone);
  });
  // A peer that was killed shows as ECONNRESET or EPIPE; `close` follows either way, and that is what the two sides act on.
  socket.on("error", () => {});
  socket.on("data", lines.read);
  socket.on("end", () => {
    if (lines.unfinished()) fail("hung up in the middle of a line");
    // Whoever hangs up reads no more, so there is nothing to flush.
    socket.destroy();
  });
  socket.setTimeout(0);
  if (early.length > 0) lines.read(early);
  socket.resume();

  return {
    send(message) {
      if (!open) return;
      socket.write(lineOf(message, peer));
      if (socket.writableLength > MOST_UNSENT) fail("does not read what it is sent");
    },
    onMessage(next) {
      handler = next;
      for (let message = waiting.shift(); message !== undefined && open; message = waiting.shift()) deliver(message);
    },
    closed,
    close() {
      if (!open) return;
      open = false;
      waiting.length = 0;
      socket.end();
      setTimeout(() => socket.destroy(), FLUSH_MS).unref();
    },
  };
}

/** A message as it is sent. Throws AgentRunError `lease` when the other side would not read it. */
export function lineOf(message: unknown, peer: "daemon" | "launcher"): string {
  const line = `${JSON.stringify(message)}\n`;
  if (Buffer.byteLength(line) <= LONGEST_LINE) return line;
  throw new AgentRunError("lease", `a message for the ${peer} is longer than ${LONGEST_LINE} bytes`);
}

/** The checked message, or an error that says what is wrong with the line without quoting it. */
function readMessage<In>(line: Buffer, shape: Shape<In>): In | AgentRunError {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(line));
  } catch {
    return new AgentRunError("lease", "sent a line that is not JSON");
  }
  const parsed = checked(shape, value);
  if (!(parsed instanceof Mismatch)) return parsed.value;
  const where = parsed.at.slice(0, 80);
  return new AgentRunError("lease", `sent a message that this version does not understand${where ? ` (at '${where}')` : ""}`);
}

/** Cuts a byte stream into lines of at most LONGEST_LINE bytes, whatever the chunks are. Stops as soon as `wanted` is false. */
function lineReader(onLine: (line: Buffer) => void, onTooLong: () => void, wanted: () => boolean) {
  let held: Buffer[] = [];
  let size = 0;
  const hold = (part: Buffer): boolean => {
    if (part.length > 0) held.push(part);
    size += part.length;
    if (held.length > MOST_CHUNKS) held = [Buffer.concat(held)];
    if (size >= LONGEST_LINE) onTooLong();
    return size < LONGEST_LINE;
  };
  return {
    read(chunk: Buffer): void {
      let rest = chunk;
      while (wanted()) {
        const end = rest.indexOf(0x0a);
        if (!hold(end < 0 ? rest : rest.subarray(0, end)) || end < 0) return;
        const line = Buffer.concat(held);
        held = [];
        size = 0;
        rest = rest.subarray(end + 1);
        onLine(line);
      }
    },
    unfinished: (): boolean => size > 0,
  };
}
