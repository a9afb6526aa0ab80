// The base credentials: what the sources gave, remembered while it is valid. sources/order.ts says which source it is. Called by session.
import { createHmac, randomBytes } from "node:crypto";
import type { AwsCredentials } from "../aws/credentials.ts";
import { type Clock, type Instant, systemClock } from "../core/clock.ts";
import { AgentRunError } from "../core/error.ts";
import { createMfaSessions, type MfaSessions } from "./mfa-sessions.ts";
import { fileLocations, filesStamp, readAwsFiles } from "./sources/aws-files.ts";
import { findInOrder, regionOf, type Starting } from "./sources/order.ts";
import type { Found, Search } from "./sources/source.ts";
import type { SsoTokens } from "./sources/sso-token.ts";
import { createOwnSessions, type OwnSessions } from "./sso/own-sessions.ts";
import type { FileKey } from "./stored/sealed-file.ts";

export interface BaseRequest extends Starting {
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
  return { ...(await findInOrder(request, search)), region };
}
