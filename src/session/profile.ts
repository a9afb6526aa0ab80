// Finds a profile, lays config.toml and the command line over it, and gives what a session needs to know. Read by the daemon and by `agent-run env`.
import { join } from "node:path";
import type { CanaryAction } from "../aws/revoke/canary-actions.ts";
import type { Delivery, ExpiryAction, IsolationLevel, NotifyChoice, Overrides } from "../control/protocol.ts";
import type { Instant } from "../core/clock.ts";
import { AgentRunError } from "../core/error.ts";
import { refuseForeign } from "../core/folder.ts";
import { nearest } from "../core/nearest.ts";
import { configFile, type Paths, userProfiles } from "../core/paths.ts";
import { MFA_HOLD_MS } from "../credentials/mfa-sessions.ts";
import { ownRoleText } from "../credentials/sources/sso.ts";
import { requireStartUrl } from "../credentials/sso/session.ts";
import type { CompiledSession } from "../policy/compile-session.ts";
import { destructiveActions } from "../policy/destructive.ts";
import { parsePolicyValue } from "../policy/parse.ts";
import type { Hours } from "./hours.ts";
import { profileLevels, settingsOf } from "./profile-levels.ts";
import { accountsOf, requireKept, stricter, timeLeft, timesOf } from "./profile-limits.ts";
import { type Narrowing, sessionPolicyOf } from "./profile-policy.ts";
import { readRepository } from "./repository.ts";
import {
  type ConditionSettings,
  type ConfigSettings,
  configSettings,
  type GrantKind,
  type RepositorySettings,
  type RevokeChoice,
} from "./settings.ts";
import { readTomlFile } from "./toml-file.ts";

export { findFolder, profileNames } from "./profile-levels.ts";

/** A profile with every setting decided. Durations are milliseconds. */
export interface Profile {
  readonly name: string;
  /** The folder that it was read from. */
  readonly folder: string;
  /** How the session is obtained. */
  readonly grant: GrantKind;
  readonly role: string | undefined;
  readonly awsProfile: string | undefined;
  /** Base credentials that agent-run keeps: `keyring:dev`, or `ownRoleText` of a sign-in's role. They go before all that AWS's own tools know. */
  readonly credentials: string | undefined;
  readonly region: string | undefined;
  readonly endpointUrl: string | undefined;
  /** The accounts that it may be used in; empty: any. */
  readonly accounts: readonly string[];
  /** Those of them that the human's own settings name; a repository's are not among them. */
  readonly ownAccounts: readonly string[];
  readonly stage: string | undefined;
  /** config.toml's accounts by stage. */
  readonly stages: Readonly<Record<string, readonly string[]>>;
  readonly externalId: string | undefined;
  readonly mfaSerial: string | undefined;
  /** A command of the human's own settings that prints the code. */
  readonly mfaProcess: string | undefined;
  /** How long a code holds for later launches; 0: for its own alone. */
  readonly mfaHoldMs: number;
  /** Whether its role is to be assumed with MFA only. */
  readonly mfa: boolean;
  /** As it is sent to STS, and as it was parsed; what hours allow is added at each AssumeRole. */
  readonly sessionPolicy: CompiledSession;
  /** Managed policies that are sent beside it. */
  readonly sessionPolicyArns: readonly string[];
  /** When its permissions are to be reviewed: `2027-02-01`. */
  readonly reviewBy: string | undefined;
  readonly hours: readonly Hours[];
  /** Whether conditions or narrowing came on top of the policies' files. */
  readonly narrowed: boolean;
  /** What stands for `${NAME}` in its policies. */
  readonly values: Readonly<Record<string, string | readonly string[]>>;
  /** Actions of the destructive catalogue that the profile is there for. */
  readonly accepts: readonly string[];
  /** Those that the command line accepts for this run alone. */
  readonly acceptsNow: readonly string[];
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
  /** Whether the AWS console may be opened as its sessions. */
  readonly console: boolean;
  readonly signinUrl: string | undefined;
  /** Whether a tool may use its role although another one does. */
  readonly shareRole: boolean;
  readonly developer: string | undefined;
  readonly project: string | undefined;
  readonly task: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly isolation: {
    readonly level: IsolationLevel;
    readonly allow: readonly string[];
    readonly write: readonly string[];
    readonly hide: readonly string[];
    /** Hosts that strict reaches all the same. */
    readonly network: readonly string[];
    /** Sandboxes may start in the sandbox, at strict too. */
    readonly nested: boolean;
  };
  readonly pass: readonly string[];
  readonly killKey: string;
  readonly notify: NotifyChoice;
  /** The hash of the repository's file that chose or narrowed it. */
  readonly repository: string | undefined;
  /** What the human should know of how it came about: a repository's file that was ignored. */
  readonly notes: readonly string[];
}

/** Where a run takes place; without it no repository is asked, and no hours are looked at. */
export interface Occasion {
  readonly cwd?: string | undefined;
  /** When the session begins. */
  readonly startsAt?: Instant | undefined;
}

const DEFAULTS = {
  profile: "readonly",
  grant: "assume-role",
  killKey: "ctrl-k",
  onExpiry: "refresh",
  graceMs: 5000,
  revoke: "kill",
  delivery: "endpoint",
  level: "standard",
} as const;

/** config.toml, or the empty settings when there is none. Throws AgentRunError `config`, also where another user could have written it. */
export function readConfig(paths: Paths): ConfigSettings {
  for (const path of [paths.config, configFile(paths), userProfiles(paths)]) refuseForeign(path, "config");
  return readTomlFile(configFile(paths), configSettings, "config") ?? {};
}

/**
 * The profile of a run: profile.toml and what it extends, over it `[profiles.<name>]` of config.toml, over it the command line. A repository's file
 * that the human trusts chooses or narrows; limits of all of them hold together.
 * @throws AgentRunError `config`, `profile` or `policy`, naming file, line and setting
 */
export function loadProfile(paths: Paths, packageFolder: string, overrides: Overrides, occasion: Occasion = {}): Profile {
  const config = readConfig(paths);
  const repository = occasion.cwd === undefined ? undefined : readRepository(paths, occasion.cwd);
  const own = repository?.settings;
  const name = overrides.profile ?? own?.profile ?? config.profile ?? DEFAULTS.profile;
  const levels = profileLevels(name, config, { paths, packageFolder });
  const settings = settingsOf(levels);
  requireKept(levels);
  const { ttlMs, maxTtlMs } = timesOf(name, overrides, levels, own);
  const further = [
    ...(own ? [narrowingOf(own)] : []),
    { label: "--", allow: overrides.allow, deny: overrides.deny, readOnly: overrides.readOnly },
  ];
  const conditions = [...levels.map((level) => level.settings.conditions), own?.conditions].filter((one) => one !== undefined);
  const mfaSerial = settings.mfa_serial;
  const mfa = conditions.some((one) => one.mfa);
  if (mfa && mfaSerial === undefined) {
    throw new AgentRunError("profile", `profile '${name}' wants MFA, and names no device`, {
      hint: `set mfa_serial = "arn:aws:iam::<account>:mfa/<device>" under [profiles.${name}] in config.toml`,
    });
  }
  const hours = conditions.flatMap((one) => one.hours ?? []);
  const left = timeLeft(name, hours, occasion.startsAt);
  const accounts = levels.map((level) => level.settings.accounts);
  const tags = { ...settings.tags, ...overrides.tags };
  return {
    name,
    folder: levels.at(-1)?.folder ?? "",
    grant: settings.grant ?? DEFAULTS.grant,
    role: overrides.role ?? settings.role,
    awsProfile: overrides.awsProfile ?? settings.aws_profile,
    // Who names an AWS profile on the command line means that one.
    credentials: overrides.awsProfile === undefined ? credentialsOf(name, settings.credentials, config) : undefined,
    region: overrides.region ?? settings.region,
    endpointUrl: overrides.endpointUrl ?? settings.endpoint_url,
    accounts: accountsOf(name, [...accounts, own?.accounts]),
    ownAccounts: accountsOf(name, accounts),
    stage: settings.stage,
    stages: config.stages ?? {},
    externalId: settings.external_id,
    mfaSerial,
    mfaProcess: settings.mfa_process,
    mfaHoldMs: settings.mfa_hold ?? config.mfa_hold ?? MFA_HOLD_MS,
    mfa,
    sessionPolicy:
      settings.grant === "as-is"
        ? UNBOUNDED
        : sessionPolicyOf({ levels, further, readOnlyFolder: join(packageFolder, "profiles", DEFAULTS.profile) }),
    sessionPolicyArns: [...new Set(levels.flatMap((level) => level.settings.session_policy_arns ?? []))],
    reviewBy: settings.review_by,
    hours,
    narrowed: isNarrowed([...levels.map((level) => level.settings.narrow), own?.narrow, overrides], conditions),
    values: settings.values ?? {},
    accepts: settings.accepts ?? [],
    acceptsNow: (overrides.accept ?? []).map(acceptable),
    ttlMs: Math.min(ttlMs, left),
    maxTtlMs: Math.min(maxTtlMs, left),
    onExpiry: own?.on_expiry ?? overrides.onExpiry ?? settings.on_expiry ?? DEFAULTS.onExpiry,
    graceMs: settings.grace ?? DEFAULTS.graceMs,
    revoke: settings.revoke ?? DEFAULTS.revoke,
    canary: settings.canary,
    chainedRoles: settings.chained_roles ?? [],
    delivery: overrides.delivery ?? settings.delivery ?? DEFAULTS.delivery,
    console: settings.console ?? false,
    signinUrl: settings.signin_url,
    shareRole: overrides.shareRole ?? settings.share_role ?? false,
    developer: settings.developer ?? config.developer,
    // Policies may go by these two tags, so that a repository's file names them only where the human does not.
    project: overrides.project ?? settings.project ?? tags["project"] ?? own?.project,
    task: overrides.task ?? tags["task"] ?? own?.task,
    tags,
    isolation: {
      level: stricter(overrides.isolation ?? settings.isolation?.level ?? DEFAULTS.level, own?.isolation?.level),
      allow: settings.isolation?.allow ?? [],
      write: settings.isolation?.write ?? [],
      hide: [...(settings.isolation?.hide ?? []), ...(own?.isolation?.hide ?? [])],
      network: settings.isolation?.network ?? [],
      nested: overrides.allowNested ?? settings.isolation?.nested ?? false,
    },
    pass: settings.environment?.pass ?? [],
    killKey: config.kill_key ?? DEFAULTS.killKey,
    notify: config.notify ?? "auto",
    repository: repository?.sha256,
    notes: repository?.ignored === undefined ? [] : [repository.ignored],
  };
}

/** `sso:corp/123456789012/Developer` with the place that config.toml's `[sso.corp]` names. */
function credentialsOf(profile: string, given: string | undefined, { sso = {} }: ConfigSettings): string | undefined {
  const [, signIn, account = "", role = ""] = /^sso:([^/]+)\/(\d{12})\/(.+)$/.exec(given ?? "") ?? [];
  if (signIn === undefined) return given;
  const place = sso[signIn];
  if (place)
    return ownRoleText({ account, name: role, region: place.region, startUrl: requireStartUrl(place.start_url, `[sso.${signIn}]`) });
  const near = nearest(signIn, Object.keys(sso));
  throw new AgentRunError(
    "config",
    `profile '${profile}': credentials names the sign-in '${signIn}', and config.toml has no [sso.${signIn}]`,
    {
      hint: near ? `did you mean '${near}'?` : `add [sso.${signIn}] with start_url and region to config.toml`,
    },
  );
}

function narrowingOf({ narrow, conditions }: RepositorySettings): Narrowing {
  return { label: ".agent-run.toml ", allow: narrow?.allow, deny: narrow?.deny, readOnly: narrow?.read_only, conditions };
}

/**
 * One action of the catalogue, as the catalogue writes it. Only the command line comes here: a repository's file has no such setting.
 * @throws AgentRunError `usage` for what is not in it, such as a wildcard: what is accepted knowingly is named
 */
function acceptable(text: string): string {
  const names = destructiveActions.map(({ action }) => action);
  const found = names.find((name) => name.toLowerCase() === text.toLowerCase());
  if (found !== undefined) return found;
  const near = nearest(text, names);
  throw new AgentRunError("usage", `--accept: '${text}' is no action of the destructive catalogue`, {
    hint: near
      ? `did you mean '${near}'?`
      : "name one action, such as --accept ec2:StopInstances; what is not in the catalogue needs no word",
    exitStatus: 2,
  });
}

/** With `as-is` no session policy is sent. */
const UNBOUNDED: CompiledSession = {
  text: "",
  characters: 0,
  document: parsePolicyValue({ Version: "2012-10-17", Statement: { Effect: "Allow", Action: "*", Resource: "*" } }, "no session policy"),
};

interface Narrows {
  readonly allow?: readonly string[] | undefined;
  readonly deny?: readonly string[] | undefined;
  readonly read_only?: boolean | undefined;
  readonly readOnly?: boolean | undefined;
}

function isNarrowed(narrowings: readonly (Narrows | undefined)[], conditions: readonly ConditionSettings[]): boolean {
  const some = narrowings.some(
    (one) => [one?.allow, one?.deny].flat().some((entry) => entry !== undefined) || one?.read_only || one?.readOnly,
  );
  return some || conditions.some(({ mfa: _mfa, hours, ...others }) => hours?.actions !== undefined || Object.keys(others).length > 0);
}
