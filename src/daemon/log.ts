// The daemon's line log: one event a line, capped, never a secret. Written by the daemon and what it holds; read by `agent-run daemon logs`.
import { appendFileSync, renameSync, statSync, writeSync } from "node:fs";
import type { Clock } from "../core/clock.ts";

export interface Log {
  /** Writes one line: the time, then the text with line breaks made visible. Never throws. */
  line(text: string): void;
}

const LONGEST_LOG_LINE = 4000;
const ROTATE_AT = 1_000_000;

export interface FileLogOptions {
  /** Size in bytes from which the next line starts a new file. */
  readonly rotateAt?: number;
  /** A descriptor of the log that is open already: a process that has no other left can still say so. */
  readonly opened?: number;
}

/** A log that appends to `path` (0600) and keeps one older file beside it, `<path>.1`. */
export function fileLog(path: string, clock: Clock, { rotateAt = ROTATE_AT, opened }: FileLogOptions = {}): Log {
  return {
    line(text) {
      const line = format(text, clock);
      try {
        if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) >= rotateAt) renameSync(path, `${path}.1`);
        appendFileSync(path, line, { mode: 0o600 });
      } catch {
        // A full disk must not stop the serving; the audit reports its own failures.
        if (opened !== undefined) insist(opened, line);
      }
    },
  };
}

function insist(descriptor: number, line: string): void {
  try {
    writeSync(descriptor, line);
  } catch {
    // Then it is the disk.
  }
}

/** A log that writes to a stream, for a daemon in the foreground. */
export function streamLog(stream: NodeJS.WritableStream, clock: Clock): Log {
  return { line: (text) => void stream.write(format(text, clock)) };
}

function format(text: string, clock: Clock): string {
  const visible = withoutSecrets(text)
    .replace(/\n/g, "\\n")
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, "?");
  return `${new Date(clock.now()).toISOString()} ${visible.slice(0, LONGEST_LOG_LINE)}\n`;
}

/**
 * Secrets are never given to the log; messages of foreign errors are not ours, so what looks like a key or a token is taken out of them: AWS
 * secret keys (40 characters), session tokens, our own tokens (43) are long runs of mixed case with digits.
 */
function withoutSecrets(text: string): string {
  return text.replace(/[A-Za-z0-9+/=_-]{40,}/g, (run) =>
    /[a-z]/.test(run) && /[A-Z]/.test(run) && /[0-9]/.test(run) ? "[redacted]" : run,
  );
}
