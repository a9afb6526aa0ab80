// The human's AWS config and credentials files, read only. Called by order.ts and the providers; nothing here ever writes.
import { type BigIntStats, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { AgentRunError, messageOf } from "../../core/error.ts";
import { isSessionId } from "../../core/id.ts";
import { nearest } from "../../core/nearest.ts";
import type { Environment } from "../../core/paths.ts";
import { databaseHome } from "../../core/user.ts";
import { type Ini, parseIni } from "./ini.ts";

/** Settings of one section, keys in lower case. */
export type Section = ReadonlyMap<string, string>;

export interface AwsFiles {
  readonly home: string;
  readonly configFile: string;
  readonly credentialsFile: string;
  readonly profiles: ReadonlyMap<string, Section>;
  readonly ssoSessions: ReadonlyMap<string, Section>;
  /** Where each profile begins: `~/.aws/config:12`. */
  readonly lines: ReadonlyMap<string, string>;
  /** Sections that are profiles by their name, and written as the other file has them: what to say of each. */
  readonly misnamed: ReadonlyMap<string, string>;
  /** What says that a file cannot be read as it is meant; to be thrown where a profile is needed. */
  readonly broken: AgentRunError | undefined;
}

/** Where the files are: AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE, else `~/.aws` of the human (SDK reference, "Shared config and credentials files"). */
export function fileLocations(env: Environment): { home: string; configFile: string; credentialsFile: string } {
  const home = env["HOME"] || databaseHome() || "/";
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
  const lines = new Map<string, string>();
  const take = (name: string, section: Section, place: string): void => {
    const known = profiles.get(name) ?? new Map<string, string>();
    for (const [key, value] of section) known.set(key, value);
    profiles.set(name, known);
    if (!lines.has(name)) lines.set(name, place);
  };
  const config = parseIni(readText(places.configFile));
  const misnamed = new Map<string, string>();
  for (const [title, section] of config.sections) {
    const place = `${places.configFile}:${config.lines.get(title)}`;
    const [kind, name] = splitTitle(title);
    if (kind === "profile" && name !== undefined) take(name, section, place);
    else if (kind === "sso-session" && name !== undefined) ssoSessions.set(name, section);
    else if (title === "default") take("default", section, place);
    else if (!NO_PROFILES.test(title)) misnamed.set(title, `${place} has [${title}], which in this file is written [profile ${title}]`);
  }
  const credentials = parseIni(readText(places.credentialsFile));
  // A key that is in both files counts as the credentials file has it, as in AWS's SDKs.
  for (const [title, section] of credentials.sections) {
    const place = `${places.credentialsFile}:${credentials.lines.get(title)}`;
    take(title, section, place);
    const [kind, name] = splitTitle(title);
    if (kind === "profile" && name !== undefined) misnamed.set(name, `${place} has [${title}], which in this file is written [${name}]`);
  }
  const broken = brokenLine(places.configFile, config) ?? brokenLine(places.credentialsFile, credentials);
  return { ...places, profiles, ssoSessions, lines, misnamed, broken };
}

/** Other sections of the config file. */
const NO_PROFILES = /^(profile|sso-session|plugins|preview)$|\s/;

/** What AWS's own tools refuse the whole file for. The line itself is not quoted: it may hold a key. */
const brokenLine = (file: string, { broken }: Ini): AgentRunError | undefined =>
  broken &&
  new AgentRunError("base-credentials", `${file}:${broken.line} ${broken.what}`, {
    hint: `mend or remove line ${broken.line} of ${file}; aws configure list-profiles reads it as AWS's own tools do`,
  });

/** `AWS profile 'dev' (~/.aws/config:12)`, in small letters: where to mend it. */
export function placedProfile({ lines }: AwsFiles, name: string): string {
  const place = lines.get(name);
  return `aws profile '${name}'${place === undefined ? "" : ` (${place})`}`;
}

/**
 * A profile by name.
 * @throws AgentRunError `base-credentials` for a file that nobody can read as it is meant; where there is none of that name, with what mends that
 */
export function profileOf(files: AwsFiles, name: string, askedBy: string): Section {
  if (files.broken) throw files.broken;
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
        : (files.misnamed.get(name) ??
          (near
            ? `did you mean '${near}'?`
            : known.length > 0
              ? `the profiles are ${known.slice(0, 12).join(", ")}`
              : `make it with: aws configure sso --profile ${name}`)),
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

/** `profile dev` to its kind and name. */
function splitTitle(title: string): [string, string | undefined] {
  const match = /^(profile|sso-session)\s+(?:"([^"]*)"|'([^']*)'|(.+))$/.exec(title);
  return match ? [match[1] ?? "", match[2] ?? match[3] ?? match[4]] : [title, undefined];
}
