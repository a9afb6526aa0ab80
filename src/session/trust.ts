// Which files of repositories the human trusts, each for exactly one content. Called by repository.ts and by `agent-run trust`.
import { createHash } from "node:crypto";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import * as z from "zod/mini";
import { AgentRunError, isNoRoom, messageOf } from "../core/error.ts";
import { privateFolder } from "../core/folder.ts";
import { type Paths, trustFile } from "../core/paths.ts";

const schema = z.object({
  version: z.literal(1),
  files: z.record(z.string(), z.object({ sha256: z.string().check(z.regex(/^[0-9a-f]{64}$/)), at: z.string() })),
});

export interface Trusted {
  /** Absolute path of the file. */
  readonly file: string;
  readonly sha256: string;
  /** When it was trusted; ISO 8601. */
  readonly at: string;
}

export const contentHash = (text: string): string => createHash("sha256").update(text).digest("hex");

/**
 * All that is trusted, by path. It lies in the state folder, which a session's sandbox hides.
 * @throws AgentRunError `state-folder` where it cannot be read
 */
export function trustedFiles(paths: Paths): Trusted[] {
  const file = trustFile(paths);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw unreadable(file, messageOf(error), error);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unreadable(file, "not valid JSON", error);
  }
  const result = z.safeParse(schema, value);
  if (!result.success) throw unreadable(file, "not what agent-run wrote", result.error);
  return Object.entries(result.data.files)
    .map(([name, entry]) => ({ file: name, ...entry }))
    .sort((one, other) => (one.file < other.file ? -1 : 1));
}

/** Trusts a file for that content, in place of any other content of it. */
export function trust(paths: Paths, file: string, text: string, at: Date): Trusted {
  const entry = { file, sha256: contentHash(text), at: at.toISOString() };
  write(paths, [...trustedFiles(paths).filter((one) => one.file !== file), entry]);
  return entry;
}

/** Gives whether it was trusted. */
export function distrust(paths: Paths, file: string): boolean {
  const known = trustedFiles(paths);
  const left = known.filter((one) => one.file !== file);
  if (left.length === known.length) return false;
  write(paths, left);
  return true;
}

function write(paths: Paths, entries: readonly Trusted[]): void {
  const file = trustFile(paths);
  privateFolder(dirname(file), "state-folder");
  const files = Object.fromEntries(entries.map(({ file: name, sha256, at }) => [name, { sha256, at }]));
  const fresh = `${file}.${process.pid}`;
  try {
    writeFileSync(fresh, `${JSON.stringify({ version: 1, files }, null, 2)}\n`, { mode: 0o600 });
    renameSync(fresh, file);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw new AgentRunError("state-folder", `cannot write ${file}: ${messageOf(error)}`, {
      hint: isNoRoom(error) ? `make room on its disk: df -h ${dirname(file)}` : `check owner and mode: ls -ld ${dirname(file)}`,
      cause: error,
    });
  }
}

function unreadable(file: string, why: string, cause: unknown): AgentRunError {
  return new AgentRunError("state-folder", `cannot read ${file}: ${why}`, { hint: `rm ${file}, then trust again what you trust`, cause });
}
