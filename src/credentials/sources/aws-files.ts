// The human's AWS config and credentials files, read only. Called by sources.ts and the providers; nothing here ever writes.
import { type BigIntStats, readFileSync, statSync } from "node:fs";
import { userInfo } from "node:os";
import { basename, dirname, join } from "node:path";
import { AgentRunError, messageOf } from "../../core/error.ts";
import { isSessionId } from "../../core/id.ts";
import { nearest } from "../../core/nearest.ts";
import type { Environment } from "../../core/paths.ts";

/** Settings of one section, keys in lower case. */
export type Section = ReadonlyMap<string, string>;

export interface AwsFiles {
  readonly home: string;
  readonly configFile: string;
  readonly credentialsFile: string;
  readonly profiles: ReadonlyMap<string, Section>;
  readonly ssoSessions: ReadonlyMap<string, Section>;
}

/** Where the files are: AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE, else `~/.aws` of the human (SDK reference, "Shared config and credentials files"). */
export function fileLocations(env: Environment): { home: string; configFile: string; credentialsFile: string } {
  const home = env["HOME"] || userInfo().homedir;
  const place = (name: string, usual: string): string => env[name]?.replace(/^~(?=\/|$)/, home) || join(home, ".aws", usual);
  return { home, configFile: place("AWS_CONFIG_FILE", "config"), credentialsFile: place("AWS_SHARED_CREDENTIALS_FILE", "credentials") };
}

/**
 * Reads both files; one that does not exist is empty.
 * @throws AgentRunError `base-credentials` for one that cannot be read
 */
export function readAwsFiles(env: Environment): AwsFiles {
  const places = fileLocations(env);
  const profiles = new Map<string, Map<string, string>>();
  const ssoSessions = new Map<string, Section>();
  const take = (name: string, section: Section): void => {
    const known = profiles.get(name) ?? new Map<string, string>();
    for (const [key, value] of section) known.set(key, value);
    profiles.set(name, known);
  };
  for (const [title, section] of parseIni(readText(places.configFile))) {
    const [kind, name] = splitTitle(title);
    if (kind === "profile" && name !== undefined) take(name, section);
    else if (kind === "sso-session" && name !== undefined) ssoSessions.set(name, section);
    else if (title === "default") take("default", section);
  }
  // A key that is in both files counts as the credentials file has it, as in AWS's SDKs.
  for (const [title, section] of parseIni(readText(places.credentialsFile))) take(title, section);
  return { ...places, profiles, ssoSessions };
}

/** A profile by name. Throws AgentRunError `base-credentials` that suggests the nearest name when there is none. */
export function profileOf(files: AwsFiles, name: string, askedBy: string): Section {
  const section = files.profiles.get(name);
  if (section) return section;
  const known = [...files.profiles.keys()];
  const near = nearest(name, known);
  throw new AgentRunError(
    "base-credentials",
    `${askedBy}: there is no aws profile '${name}' in ${files.configFile} or ${files.credentialsFile}`,
    {
      hint: ofSession(files)
        ? "a session has no AWS profiles of yours: run it in another terminal"
        : near
          ? `did you mean '${near}'?`
          : known.length > 0
            ? `the profiles are ${known.slice(0, 12).join(", ")}`
            : `make it with: aws configure sso --profile ${name}`,
    },
  );
}

/** Whether it is one of our own, which an agent has in place of the human's: whoever starts from it is inside a session. */
const ofSession = ({ configFile }: AwsFiles): boolean => isSessionId(basename(dirname(configFile)));

/** Changes whenever one of the files does; a stat each, no reading. */
export function filesStamp(paths: readonly string[]): string {
  return paths
    .map((path) => {
      const stat = statOf(path);
      return stat ? `${path}:${stat.ino}:${stat.size}:${stat.mtimeNs}` : `${path}:-`;
    })
    .join("\n");
}

/** Undefined also where its folder may not be entered: whoever reads it says so. */
function statOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false, bigint: true });
  } catch {
    return undefined;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return "";
    throw new AgentRunError("base-credentials", `cannot read ${path}: ${messageOf(error)}`, {
      hint: `make it readable for you: chmod u+r ${path}`,
      cause: error,
    });
  }
}

function splitTitle(title: string): [string, string | undefined] {
  const match = /^(profile|sso-session)\s+(?:"([^"]*)"|'([^']*)'|(.+))$/.exec(title);
  return match ? [match[1] ?? "", match[2] ?? match[3] ?? match[4]] : [title, undefined];
}

/**
 * Sections of an INI text as AWS's tools read it: `#` and `;` begin a comment at a line's start or after a space, an indented line below an
 * empty value is a sub-setting (`s3 =` / `  addressing_style = path` gives `s3.addressing_style`), a repeated section adds to the first.
 */
export function parseIni(text: string): Map<string, Map<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  let section: Map<string, string> | undefined;
  let parent: string | undefined;
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.replace(/(^|\s)[#;].*$/, "");
    const title = /^\s*\[\s*([^\]]+?)\s*\]\s*$/.exec(line)?.[1];
    if (title !== undefined) {
      section = sections.get(title) ?? new Map<string, string>();
      sections.set(title, section);
      parent = undefined;
      continue;
    }
    const equals = line.indexOf("=");
    if (!section || equals < 1) continue;
    const key = line.slice(0, equals).trim().toLowerCase();
    const value = line.slice(equals + 1).trim();
    if (parent !== undefined && /^\s/.test(line)) {
      section.set(`${parent}.${key}`, value);
      continue;
    }
    parent = value === "" ? key : undefined;
    section.set(key, value);
  }
  return sections;
}
