// Durations as people write them (`90s`, `15m`, `1h30m`) and as the bar shows them.
import { AgentRunError } from "./error.ts";

const UNIT_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 } as const;

/**
 * Reads `45s`, `15m`, `1h`, `1h30m`, `2d`, or a bare number of seconds. Gives milliseconds, at least 1 s.
 * @param where the flag or setting that it came from, for the error
 * @throws AgentRunError `usage`
 */
export function parseDuration(text: string, where: string): number {
  const trimmed = text.trim().toLowerCase();
  const parts = /^\d+$/.test(trimmed) ? [`${trimmed}s`] : (trimmed.match(/\d+[dhms]/g) ?? []);
  if (parts.length === 0 || (parts.join("") !== trimmed && parts[0] !== `${trimmed}s`)) throw notADuration(text, where);
  const ms = parts.reduce((sum, part) => sum + Number.parseInt(part, 10) * UNIT_MS[part.slice(-1) as keyof typeof UNIT_MS], 0);
  if (ms < 1000 || !Number.isSafeInteger(ms)) throw notADuration(text, where);
  return ms;
}

function notADuration(text: string, where: string): AgentRunError {
  return new AgentRunError("usage", `${where}: '${text}' is not a duration`, {
    hint: "write it as 45s, 15m, 1h or 1h30m",
    exitStatus: 2,
  });
}

/** `1h04m`, `14m`, `4:05` (below 10 minutes), `0:09`. Never negative. */
export function formatLeft(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  if (minutes >= 60) return `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, "0")}m`;
  if (minutes >= 10) return `${minutes}m`;
  return `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
}

/** `820 ms`, `4.2 s`, `14 min`, `1 h 4 min`: how long something took or lasts, for a sentence. */
export function formatSpan(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toFixed(1))} s`;
  const minutes = Math.round(ms / 60_000);
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
