// A repository's .agent-run.toml: found, held against what the human trusts, and read. Called by profile.ts and by `agent-run trust`.
// It comes with the code that the agent works on, so that it may only choose a profile or narrow, and says nothing until the human has read it.
import { existsSync, readFileSync, realpathSync } from "node:fs";
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
export function findRepositoryFile(cwd: string): string | undefined {
  const start = realpathSync(cwd);
  const folders = [start];
  while (!existsSync(join(folders.at(-1) ?? "/", ".git"))) {
    const above = dirname(folders.at(-1) ?? "/");
    if (above === folders.at(-1)) return existsSync(join(start, REPOSITORY_FILE)) ? join(start, REPOSITORY_FILE) : undefined;
    folders.push(above);
  }
  return folders.map((folder) => join(folder, REPOSITORY_FILE)).find((file) => existsSync(file));
}

/**
 * What a repository's file says, where there is one. Nothing of an untrusted file is looked at but its hash.
 * @throws AgentRunError `config` when a trusted one is not valid, `state-folder` when it cannot be told what is trusted
 */
export function readRepository(paths: Paths, cwd: string): Repository | undefined {
  const file = existsSync(cwd) ? findRepositoryFile(cwd) : undefined;
  if (file === undefined) return undefined;
  const text = readText(file);
  const known = trustedFiles(paths).find((one) => one.file === file);
  const sha256 = contentHash(text);
  if (known?.sha256 === sha256) return { file, settings: parseRepository(file, text), sha256, ignored: undefined };
  const why = known ? `has changed since you trusted it on ${known.at.slice(0, 10)}` : "is not trusted";
  return { file, settings: undefined, sha256: undefined, ignored: `${file} ${why}, and is ignored: read it, then 'agent-run trust'` };
}

/** @throws AgentRunError `config` */
export function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
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
