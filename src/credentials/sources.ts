// Where the base credentials come from: the sources in order, and what they gave, remembered while it is valid. Called by session.
import { createHmac, randomBytes } from "node:crypto";
import type { AwsCredentials } from "../aws/credentials.ts";
import { type Clock, type Instant, systemClock } from "../core/clock.ts";
import { AgentRunError } from "../core/error.ts";
import type { Environment } from "../core/paths.ts";
import { createMfaSessions, type MfaSessions } from "./mfa-sessions.ts";
import { type AwsFiles, fileLocations, filesStamp, readAwsFiles, type Section } from "./sources/aws-files.ts";
import { fromContainer } from "./sources/container.ts";
import { fromEnvironment } from "./sources/environment.ts";
import { fromInstance } from "./sources/instance.ts";
import { fromProfile, namesCredentials } from "./sources/profile.ts";
import type { Found, Search } from "./sources/source.ts";
import { fromOwnSso, parseOwnRole } from "./sources/sso.ts";
import type { SsoTokens } from "./sources/sso-token.ts";
import { fromStored } from "./sources/stored.ts";
import { fromWebIdentity } from "./sources/web-identity.ts";
import { createOwnSessions, type OwnSessions } from "./sso/own-sessions.ts";
import type { SsoPlace } from "./sso/session.ts";
import type { FileKey } from "./stored/sealed-file.ts";
import { parseReference } from "./stored/stores.ts";

export interface BaseRequest {
  /** From the profile's `credentials`, such as `keyring:dev`: nothing else is looked at. */
  readonly credentials?: string | undefined;
  /** From --aws-profile or the profile's aws_profile; it goes before everything else. */
  readonly awsProfile?: string | undefined;
  /** The human's AWS variables, HOME and PATH. This process's own environment is never looked at. */
  readonly env: Environment;
  readonly region?: string | undefined;
  readonly endpointUrl?: string | undefined;
  /** Asks the human for the code of an MFA device. */
  readonly mfa: (serial: string) => Promise<string>;
  /** How long a code holds for later searches too, 0 for none; absent: as long as the role that it opens. */
  readonly mfaHoldMs?: number;
  /** Asks the human for the passphrase of a sealed file. */
  readonly passphrase: (prompt: string) => Promise<string>;
  /** agent-run's state folder. */
  readonly state: string;
}

export interface Base extends Found {
  readonly region: string | undefined;
  /** Credentials that are valid for some minutes at least: these, or new ones from the same source. */
  refresh(): Promise<AwsCredentials>;
}

export interface BaseResolver {
  /**
   * Those that agent-run keeps, where the request names them; else in the order of AWS's SDKs: the profile asked for, keys in the environment, AWS_PROFILE, web identity, container,
   * the default profile, the instance's role.
   * @throws AgentRunError `no-credentials`, `base-credentials`, `keyring`, `mfa`, `assume-role`, `profile` or `sts-unreachable`
   */
  resolve(request: BaseRequest): Promise<Base>;
  /** Forgets everything that was found. */
  forget(): void;
  /** The sign-ins of agent-run's own. */
  readonly signIns: OwnSessions;
  /** What MFA codes opened; `forget` leaves it. */
  readonly mfaSessions: MfaSessions;
}

/** Less than this left, and they are got anew. */
const SPARE_MS = 5 * 60_000;
/** How long credentials without an end are remembered: what gave them may give others now. */
const ENDLESS_MS = 60 * 60_000;
const MOST_REMEMBERED = 50;
const FALLBACK_REGION = "us-east-1";

/** A resolver that remembers: a second launch with the same environment and unchanged files asks nobody. */
export function createBaseResolver(clock: Clock = systemClock): BaseResolver {
  // The environment may hold secrets, so that only a keyed digest of it is kept.
  const seal = randomBytes(32);
  const kept: Kept = { ssoTokens: new Map(), unlocked: new Map(), sso: createOwnSessions(clock), mfaSessions: createMfaSessions(clock) };
  const remembered = new Map<string, { found: Located; until: Instant }>();
  const running = new Map<string, Promise<Located>>();
  /** How often all was forgotten. */
  let forgotten = 0;

  const keyOf = ({ credentials, awsProfile, env, region, endpointUrl, state }: BaseRequest): string => {
    const { configFile, credentialsFile } = fileLocations(env);
    const told = [
      credentials,
      state,
      awsProfile,
      region,
      endpointUrl,
      Object.entries(env).sort(),
      filesStamp([configFile, credentialsFile]),
    ];
    return createHmac("sha256", seal).update(JSON.stringify(told)).digest("base64");
  };

  const begin = (key: string, request: BaseRequest): Promise<Located> => {
    const search = searchFor(request, clock, kept).finally(() => {
      if (running.get(key) === search) running.delete(key);
    });
    running.set(key, search);
    return search;
  };

  /** @param renewal of a run that has its code behind it: it goes on with what others opened, however long ago */
  const find = async (request: BaseRequest, renewal = false): Promise<Located> => {
    const key = keyOf(request);
    const known = remembered.get(key);
    const now = clock.now();
    if (known && now < known.until && (renewal || codeHolds(known.found, request, now))) return known.found;
    if (known && now >= known.until) remembered.delete(key);
    const anothers = running.get(key);
    const search = anothers ?? begin(key, request);
    const begun = forgotten;
    let found: Located;
    try {
      found = await search;
    } catch (error) {
      // Who was asked for it there is gone, and this request's own human is not.
      if (anothers && error instanceof AgentRunError && error.code === "lease") return find(request, renewal);
      throw error;
    }
    // What changed while it was under way may be what it found.
    if (begun !== forgotten) return found;
    const end = found.credentials.expiresAt;
    const until = end === undefined ? clock.now() + ENDLESS_MS : end - SPARE_MS;
    if (remembered.size >= MOST_REMEMBERED) remembered.delete(remembered.keys().next().value ?? "");
    remembered.set(key, { found, until });
    return found;
  };

  return {
    async resolve(request) {
      const found = await find(request);
      return { ...found, refresh: async () => (await find(request, true)).credentials };
    },
    forget() {
      forgotten += 1;
      remembered.clear();
      running.clear();
      kept.ssoTokens.clear();
      kept.sso.forget();
      for (const { bytes } of kept.unlocked.values()) bytes.fill(0);
      kept.unlocked.clear();
    },
    signIns: kept.sso,
    mfaSessions: kept.mfaSessions,
  };
}

/** What a code opened serves other launches for as long as the code holds, whatever AWS would let it. */
const codeHolds = ({ codeAt }: Found, { mfaHoldMs }: BaseRequest, now: Instant): boolean =>
  codeAt === undefined || mfaHoldMs === undefined || now < codeAt + mfaHoldMs;

const shared = createBaseResolver();

/** `resolve` of the one resolver of this process. */
export const resolveBase = (request: BaseRequest): Promise<Base> => shared.resolve(request);

/**
 * Where one signs in for what the request would find, when that is IAM Identity Center: the role of a sign-in, or an AWS profile and those that it starts from.
 */
export function signInPlaceOf(request: Starting): SsoPlace | undefined {
  if (request.credentials) return parseOwnRole(request.credentials);
  const { ssoSessions } = readAwsFiles(request.env);
  for (const section of profilesOf(request)) {
    const session = section.get("sso_session");
    const place = session === undefined ? section : ssoSessions.get(session);
    const [startUrl, region] = [place?.get("sso_start_url"), place?.get("sso_region")];
    if (startUrl && region) return { startUrl, region };
  }
  return undefined;
}

/** The device whose code is asked for on the way to what the request would find. */
export function mfaDeviceOf(request: Starting): string | undefined {
  for (const section of profilesOf(request)) if (section.get("role_arn") && section.get("mfa_serial")) return section.get("mfa_serial");
  return undefined;
}

type Starting = Pick<BaseRequest, "credentials" | "awsProfile" | "env">;

/** The AWS profile that the request would use, and those that it starts from. Throws AgentRunError `base-credentials` for files that cannot be read. */
function* profilesOf({ credentials, awsProfile, env }: Starting): Generator<Section> {
  // Keys of the environment go before AWS_PROFILE.
  if (credentials || (!awsProfile && env["AWS_ACCESS_KEY_ID"])) return;
  const { profiles } = readAwsFiles(env);
  const seen = new Set<string>();
  let name: string | undefined = awsProfile ?? profileVariable(env)?.value ?? "default";
  while (name !== undefined && !seen.has(name)) {
    seen.add(name);
    const section = profiles.get(name);
    if (section) yield section;
    name = section?.get("source_profile");
  }
}

/** What was stored, or the sign-in, has changed: everything is found anew. */
export const forgetBases = (): void => shared.forget();

/** Of the one resolver of this process. */
export const signIns = shared.signIns;

/** Of the one resolver of this process. */
export const mfaSessions = shared.mfaSessions;

/** Nobody is let in without a code that was not asked for since. Gives the devices whose sessions were forgotten. */
export function forgetMfa(): string[] {
  const devices = shared.mfaSessions.forget();
  // Roles that a code opened are among them.
  shared.forget();
  return devices;
}

type Located = Found & Pick<Base, "region">;

/** What a resolver keeps beside the credentials themselves. */
interface Kept {
  readonly ssoTokens: SsoTokens;
  readonly unlocked: Map<string, FileKey>;
  readonly sso: OwnSessions;
  readonly mfaSessions: MfaSessions;
}

async function searchFor(request: BaseRequest, clock: Clock, { ssoTokens, unlocked, sso, mfaSessions }: Kept): Promise<Located> {
  const { env } = request;
  const files = readAwsFiles(env);
  const region = regionOf(request, files);
  const search: Search = {
    env,
    files,
    region: region ?? FALLBACK_REGION,
    endpointUrl: request.endpointUrl,
    mfa: request.mfa,
    mfaHoldMs: request.mfaHoldMs ?? 0,
    mfaSessions,
    now: () => clock.now(),
    ssoTokens,
    own: { state: request.state, unlocking: { passphrase: request.passphrase, keys: unlocked }, sso },
  };
  return { ...(await inOrder(request, search)), region };
}

async function inOrder({ credentials, awsProfile }: BaseRequest, search: Search): Promise<Found> {
  const { env, files } = search;
  if (credentials) {
    const role = parseOwnRole(credentials);
    if (role) return fromOwnSso(role, search);
    const stored = parseReference(credentials);
    if (!stored)
      throw new AgentRunError("config", `credentials: '${credentials}' names no stored keys`, {
        hint: "write it as keyring:<name> or file:<name>",
      });
    return fromStored(stored, search);
  }
  if (awsProfile) return fromProfile(awsProfile, "--aws-profile or aws_profile", search);
  const keys = fromEnvironment(search);
  if (keys) return keys;
  const profile = profileVariable(env);
  if (profile) return fromProfile(profile.value, profile.name, search);
  const tokenFile = env["AWS_WEB_IDENTITY_TOKEN_FILE"];
  const roleArn = env["AWS_ROLE_ARN"];
  if (tokenFile && roleArn) {
    return fromWebIdentity({ roleArn, tokenFile, sessionName: env["AWS_ROLE_SESSION_NAME"], where: "environment variables" }, search);
  }
  const container = await fromContainer(search);
  if (container) return container;
  if (files.broken) throw files.broken;
  const usual = files.profiles.get("default");
  if (usual && namesCredentials(usual)) return fromProfile("default", "the default profile", search);
  const instance = await fromInstance(search);
  if (instance) return instance;
  throw nothingFound(files);
}

function nothingFound(files: AwsFiles): AgentRunError {
  const profiles = [...files.profiles].filter(([, section]) => namesCredentials(section)).map(([name]) => name);
  const [misnamed] = [...files.misnamed.values()];
  const some = `${profiles.slice(0, 8).join(", ")}${profiles.length > 8 ? ", …" : ""}`;
  return new AgentRunError("no-credentials", "found no aws credentials to start from", {
    hint:
      profiles.length > 0
        ? `choose one of your aws profiles with --aws-profile: ${some}`
        : (misnamed ??
          "sign in with agent-run login or aws configure sso, set AWS_PROFILE, or export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; agent-run demo needs none"),
  });
}

/** botocore also reads AWS_DEFAULT_PROFILE; an empty variable counts as none. */
function profileVariable(env: Environment): { name: string; value: string } | undefined {
  const name = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"].find((variable) => env[variable]);
  return name === undefined ? undefined : { name, value: env[name] ?? "" };
}

/** The region that a base has, or would have; nobody is asked. Throws AgentRunError where the files of AWS cannot be read. */
export const regionOfBase = (request: Pick<BaseRequest, "region" | "env" | "awsProfile">): string | undefined =>
  regionOf(request, readAwsFiles(request.env));

/** The flag or setting, AWS_REGION, AWS_DEFAULT_REGION, the profile in use or the one that it starts from. */
function regionOf({ region, env, awsProfile }: Pick<BaseRequest, "region" | "env" | "awsProfile">, files: AwsFiles): string | undefined {
  const given = region || env["AWS_REGION"] || env["AWS_DEFAULT_REGION"];
  if (given) return given;
  const name = awsProfile ?? profileVariable(env)?.value ?? "default";
  const section = files.profiles.get(name);
  return section?.get("region") || files.profiles.get(section?.get("source_profile") ?? "")?.get("region") || undefined;
}
