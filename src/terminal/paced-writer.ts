// Writes to a PTY whose reader may not read: never waits, never spins, keeps the order. Used by pty.ts and warm-up.ts.
import { writeSync } from "node:fs";

/** The kernel takes about 64 KB for a reader that does not read; then the writer looks again after this, doubling. */
const FIRST_RETRY_MS = 2;
const LAST_RETRY_MS = 64;

export interface PacedWriter {
  write(bytes: Uint8Array): void;
  /** Nothing is written any more: the number of a closed descriptor may soon be another file's. */
  close(): void;
}

/** @param fd does not block */
export function openPacedWriter(fd: number): PacedWriter {
  /** What the PTY has not taken yet, with what came after it. */
  let queue: Uint8Array[] | undefined;
  let retry: NodeJS.Timeout | undefined;
  let wait = FIRST_RETRY_MS;
  let closed = false;

  /** How much the PTY took; all where there is none any more. */
  const taken = (bytes: Uint8Array): number => {
    try {
      return writeSync(fd, bytes);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return code === "EAGAIN" || code === "EINTR" ? 0 : bytes.length;
    }
  };
  const later = (): void => {
    retry = setTimeout(drain, wait);
    wait = Math.min(wait * 2, LAST_RETRY_MS);
  };
  const drain = (): void => {
    while (queue?.[0] !== undefined) {
      const [head] = queue;
      const written = taken(head);
      if (written === 0) {
        later();
        return;
      }
      wait = FIRST_RETRY_MS;
      if (written === head.length) queue.shift();
      else queue[0] = head.subarray(written);
    }
    queue = undefined;
  };

  return {
    write(bytes) {
      if (closed || bytes.length === 0) return;
      if (queue !== undefined) {
        queue.push(bytes);
        return;
      }
      const written = taken(bytes);
      if (written === bytes.length) return;
      queue = [bytes.subarray(written)];
      later();
    },
    close() {
      closed = true;
      clearTimeout(retry);
    },
  };
}
