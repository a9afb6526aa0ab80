// A repository's .agent-run.toml: found, held against what the human trusts, and read. Called by profile.ts and by `agent-run trust`.
// It comes with the code that the agent works on, so that it may only choose a profile or narrow, and says nothing until the human has read it.
import { closeSync, constants, existsSync, fstatSync, openSync, readSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { AgentRunError, messageOf } from "../core/error.ts";
import type { Paths } from "../core/paths.ts";
import { type RepositorySettings, repositorySettings } from "./settings.ts";
import { parseToml } from "./toml-file.ts";
import { contentHash, trustedFiles } from "./trust.ts";

const REPOSITORY_FILE = ".agent-run.toml";

export interface Repository {
  readonly file: string;
  /** Undefined where it is ignored. */
  readonly settings: RepositorySettings | undefined;
  /** Of what is in effect; undefined where it is ignored. */
  readonly sha256: string | undefined;
  /** Why it is ignored, and what ends that. */
  readonly ignored: string | undefined;
}

/** The nearest one from `cwd` up to the root of its git repository; outside of one only that of `cwd` itself. */
export const findRepositoryFile = (cwd: string): string | undefined => placesOf(cwd).find((file) => existsSync(file));

function placesOf(cwd: string): string[] {
  const start = realpathSync(cwd);
  const folders = [start];
  while (!existsSync(join(folders.at(-1) ?? "/", ".git"))) {
    const above = dirname(folders.at(-1) ?? "/");
    if (above === folders.at(-1)) return [join(start, REPOSITORY_FILE)];
    folders.push(above);
  }
  return folders.map((folder) => join(folder, REPOSITORY_FILE));
}

/**
 * What a repository's file says, where there is one. Nothing of an untrusted file is looked at but its hash.
 * @throws AgentRunError `config` when a trusted one is not valid, `state-folder` when it cannot be told what is trusted
 */
export function readRepository(paths: Paths, cwd: string): Repository | undefined {
  const places = existsSync(cwd) ? placesOf(cwd) : [];
  const file = places.find((place) => existsSync(place));
  if (file === undefined) return goneOf(paths, places) ?? cutOff(paths, places);
  const text = readText(file);
  const known = trustedFiles(paths).find((one) => one.file === file);
  const sha256 = contentHash(text);
  if (known?.sha256 === sha256) return { file, settings: parseRepository(file, text), sha256, ignored: undefined };
  const why = known ? `has changed since you trusted it on ${known.at.slice(0, 10)}` : "is not trusted";
  return { file, settings: undefined, sha256: undefined, ignored: `${file} ${why}, and is ignored: read it, then 'agent-run trust'` };
}

/** A trusted file that is no longer there narrows nothing any more; an agent can have removed it. */
function goneOf(paths: Paths, places: readonly string[]): Repository | undefined {
  const known = trustedFiles(paths).find((one) => places.includes(one.file));
  if (known === undefined) return undefined;
  const { file, at } = known;
  const ignored = `${file}, which you trusted on ${at.slice(0, 10)}, is gone: where that is right, 'agent-run trust --remove ${file}'`;
  return { file, settings: undefined, sha256: undefined, ignored };
}

/** A trusted file further up, which a repository within its own (an agent can have made one) keeps from counting. */
function cutOff(paths: Paths, places: readonly string[]): Repository | undefined {
  const root = dirname(places.at(-1) ?? "/");
  const known = trustedFiles(paths).find((one) => root.startsWith(`${dirname(one.file)}/`) && existsSync(one.file));
  if (known === undefined) return undefined;
  const ignored = `${known.file}, which you trusted, does not count here: a repository of its own begins in ${root}; where it is not yours, remove ${join(root, ".git")}`;
  return { file: known.file, settings: undefined, sha256: undefined, ignored };
}

/** Whatever such a file has to say is shorter. */
const MOST_BYTES = 65_536;

/**
 * The text of an ordinary file. Whoever can write to the repository may have put a pipe, a device or a link to one in its place, which would hold up the
 * daemon and with it every session.
 * @throws AgentRunError `config`
 */
export function readText(file: string): string {
  try {
    const handle = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      const buffer = Buffer.alloc(MOST_BYTES + 1);
      const length = fstatSync(handle).isFile() ? readSync(handle, buffer) : buffer.length;
      if (length <= MOST_BYTES) return buffer.toString("utf8", 0, length);
    } finally {
      closeSync(handle);
    }
    throw new AgentRunError("config", `${file} is no ordinary file of at most ${MOST_BYTES} bytes`, { hint: `look at it: ls -lL ${file}` });
  } catch (error) {
    if (error instanceof AgentRunError) throw error;
    throw new AgentRunError("config", `cannot read ${file}: ${messageOf(error)}`, {
      hint: `check its owner and mode: ls -l ${file}`,
      cause: error,
    });
  }
}

/**
 * The content of a repository's file.
 * @throws AgentRunError `config`, with line and column, also for what such a file must not say
 */
export function parseRepository(file: string, text: string): RepositorySettings {
  return parseToml(file, text, repositorySettings, "config", "a repository's file can only choose a profile or narrow it");
}
