// Finds a profile, lays config.toml and the command line over it, and gives what a session needs to know. Read by the daemon and by `agent-run env`.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { CanaryAction } from "../aws/revoke/canary-actions.ts";
import type { Delivery, ExpiryAction, IsolationLevel, Overrides } from "../control/protocol.ts";
import { AgentRunError, messageOf } from "../core/error.ts";
import { nearest } from "../core/nearest.ts";
import { configFile, type Paths, userProfiles } from "../core/paths.ts";
import { minifyPolicy } from "../policy/minify.ts";
import { parsePolicy } from "../policy/parse.ts";
import type { PolicyDocument } from "../policy/types.ts";
import { type ConfigSettings, configSettings, type ProfileSettings, profileSettings, type RevokeChoice } from "./settings.ts";
import { readTomlFile } from "./toml-file.ts";

/** A profile with every setting decided. Durations are milliseconds. */
export interface Profile {
  readonly name: string;
  /** The folder that it was read from. */
  readonly folder: string;
  readonly role: string | undefined;
  readonly awsProfile: string | undefined;
  readonly region: string | undefined;
  readonly endpointUrl: string | undefined;
  /** The accounts that it may be used in; empty: any. */
  readonly accounts: readonly string[];
  readonly externalId: string | undefined;
  readonly mfaSerial: string | undefined;
  /** As it is sent to STS, and as it was parsed. */
  readonly sessionPolicy: { readonly text: string; readonly document: PolicyDocument };
  /** When its permissions are to be reviewed: `2027-02-01`. */
  readonly reviewBy: string | undefined;
  readonly ttlMs: number;
  readonly maxTtlMs: number;
  readonly onExpiry: ExpiryAction;
  readonly graceMs: number;
  readonly revoke: RevokeChoice;
  /** The call that shows whether a revocation holds; undefined: one that the session policy leaves open. */
  readonly canary: CanaryAction | undefined;
  /** ARNs of roles that a session may go on to, and that a revocation denies to it too. */
  readonly chainedRoles: readonly string[];
  readonly delivery: Delivery;
  readonly developer: string | undefined;
  readonly project: string | undefined;
  readonly task: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly isolation: {
    readonly level: IsolationLevel;
    readonly allow: readonly string[];
    readonly write: readonly string[];
    readonly hide: readonly string[];
  };
  readonly pass: readonly string[];
  readonly killKey: string;
}

const DEFAULTS = {
  profile: "readonly",
  killKey: "ctrl-k",
  ttlMs: 3_600_000,
  maxTtlMs: 12 * 3_600_000,
  onExpiry: "refresh",
  graceMs: 5000,
  revoke: "kill",
  delivery: "endpoint",
  level: "standard",
} as const;

/** STS takes at most this many characters of inline session policy and managed policy ARNs together (API reference, AssumeRole). */
export const SESSION_POLICY_LIMIT = 2048;

const PROFILE_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** config.toml, or the empty settings when there is none. Throws AgentRunError `config`. */
export function readConfig(paths: Paths): ConfigSettings {
  return readTomlFile(configFile(paths), configSettings, "config") ?? {};
}

/** Names of all profiles, the user's own and the shipped ones, sorted. */
export function profileNames(paths: Paths, packageFolder: string): string[] {
  const names = [userProfiles(paths), join(packageFolder, "profiles")].flatMap((folder) => {
    try {
      return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
        entry.isDirectory() || entry.isSymbolicLink() ? [entry.name] : [],
      );
    } catch {
      return [];
    }
  });
  return [...new Set(names)].filter((name) => PROFILE_NAME.test(name)).sort();
}

/**
 * The profile of a run: profile.toml, over it `[profiles.<name>]` of config.toml, over it the command line.
 * @throws AgentRunError `config`, `profile` or `policy`, naming file, line and setting
 */
export function loadProfile(paths: Paths, packageFolder: string, overrides: Overrides): Profile {
  const config = readConfig(paths);
  const name = overrides.profile ?? config.profile ?? DEFAULTS.profile;
  const folder = findFolder(name, paths, packageFolder);
  const file = join(folder, "profile.toml");
  const settings: ProfileSettings = { ...readTomlFile(file, profileSettings, "profile"), ...config.profiles?.[name] };
  if (settings.grant !== undefined && settings.grant !== "assume-role") {
    throw new AgentRunError("profile", `profile '${name}': grant = "${settings.grant}" is not available in this version`, {
      hint: `set grant = "assume-role" in ${file}`,
    });
  }
  const ttlMs = overrides.ttl ?? settings.ttl ?? DEFAULTS.ttlMs;
  const maxTtlMs = settings.max_ttl ?? Math.max(ttlMs, DEFAULTS.maxTtlMs);
  if (ttlMs > maxTtlMs) {
    throw new AgentRunError("profile", `profile '${name}': a time limit of ${ttlMs / 1000} s is over its max_ttl of ${maxTtlMs / 1000} s`, {
      hint: "pass a shorter --ttl, or raise max_ttl",
    });
  }
  return {
    name,
    folder,
    role: overrides.role ?? settings.role,
    awsProfile: overrides.awsProfile ?? settings.aws_profile,
    region: overrides.region ?? settings.region,
    endpointUrl: overrides.endpointUrl ?? settings.endpoint_url,
    accounts: settings.accounts ?? [],
    externalId: settings.external_id,
    mfaSerial: settings.mfa_serial,
    sessionPolicy: readSessionPolicy(folder, settings.session_policy),
    reviewBy: settings.review_by,
    ttlMs,
    maxTtlMs,
    onExpiry: overrides.onExpiry ?? settings.on_expiry ?? DEFAULTS.onExpiry,
    graceMs: settings.grace ?? DEFAULTS.graceMs,
    revoke: settings.revoke ?? DEFAULTS.revoke,
    canary: settings.canary,
    chainedRoles: settings.chained_roles ?? [],
    delivery: overrides.delivery ?? settings.delivery ?? DEFAULTS.delivery,
    developer: settings.developer ?? config.developer,
    project: overrides.project ?? settings.project,
    task: overrides.task,
    tags: { ...settings.tags, ...overrides.tags },
    isolation: {
      level: overrides.isolation ?? settings.isolation?.level ?? DEFAULTS.level,
      allow: settings.isolation?.allow ?? [],
      write: settings.isolation?.write ?? [],
      hide: settings.isolation?.hide ?? [],
    },
    pass: settings.environment?.pass ?? [],
    killKey: config.kill_key ?? DEFAULTS.killKey,
  };
}

/** Where a profile's files are: the user's own folder goes before the shipped one. Throws AgentRunError `profile`. */
export function findFolder(name: string, paths: Paths, packageFolder: string): string {
  const known = profileNames(paths, packageFolder);
  if (!PROFILE_NAME.test(name) || !known.includes(name)) {
    const near = nearest(name, known);
    throw new AgentRunError("profile", `there is no profile '${name}'`, {
      hint: near
        ? `did you mean '${near}'?`
        : `the profiles are ${known.join(", ")}; your own go into ${userProfiles(paths)}/<name>/profile.toml`,
    });
  }
  const own = join(userProfiles(paths), name);
  return statSync(own, { throwIfNoEntry: false })?.isDirectory() ? own : join(packageFolder, "profiles", name);
}

function readSessionPolicy(folder: string, setting: string | undefined): Profile["sessionPolicy"] {
  const file = resolve(folder, setting ?? "session-policy.json");
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new AgentRunError("profile", `cannot read the session policy ${file}: ${messageOf(error)}`, {
      hint: "put the policy that bounds the session there; every session is cut down by one",
      cause: error,
    });
  }
  const known = policies.get(file);
  if (known?.read === text) return known.policy;
  const document = parsed(text, file);
  const sent = minifyPolicy(text);
  if (sent.length > SESSION_POLICY_LIMIT) {
    throw new AgentRunError("policy", `${file} has ${sent.length} characters without white space; STS takes ${SESSION_POLICY_LIMIT}`, {
      hint: "merge statements, shorten lists with wildcards such as ec2:Describe*, or drop Sids",
    });
  }
  const policy = { text: sent, document };
  policies.set(file, { read: text, policy });
  return policy;
}

/** What was parsed last, by file: a document is compiled once an object, and a daemon starts many sessions from the same few. */
const policies = new Map<string, { readonly read: string; readonly policy: Profile["sessionPolicy"] }>();

/** A policy's own error says where and what; the hint is what is left to say. */
function parsed(text: string, file: string): PolicyDocument {
  try {
    return parsePolicy(text, file);
  } catch (error) {
    if (!(error instanceof AgentRunError) || error.hint !== undefined) throw error;
    throw new AgentRunError(error.code, error.message, { hint: `mend ${file}: it is a policy as IAM writes them`, cause: error });
  }
}
