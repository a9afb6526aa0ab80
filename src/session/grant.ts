// From base credentials to a confirmed, bounded session: start steps 2 to 5, each said as it succeeds. Called by starting.ts; `obtain` again at each refresh.
import { basename } from "node:path";
import type { IAMClient } from "@aws-sdk/client-iam";
import { cleanName, cleanTags } from "../aws/assume.ts";
import { type Connection, iamClient, stsClient } from "../aws/client.ts";
import type { AwsCredentials, SessionCredentials } from "../aws/credentials.ts";
import { type CallerIdentity, createIdentityCache, refuseRoot, requireAccount } from "../aws/identity.ts";
import { checkRestriction } from "../aws/restriction.ts";
import type { OpenMessage, StepName } from "../control/protocol.ts";
import type { Clock, Instant } from "../core/clock.ts";
import { AgentRunError } from "../core/error.ts";
import type { SessionId } from "../core/id.ts";
import { type MfaOpened, wipe } from "../credentials/mfa-sessions.ts";
import { codeFromProcess } from "../credentials/sources/external-process.ts";
import { type Base, mfaSessions, resolveBase } from "../credentials/sources.ts";
import { wayOf } from "./grant-ways.ts";
import { noRegion } from "./no-region.ts";
import type { Profile } from "./profile.ts";
import { requireStage } from "./stage.ts";

export type Say = (step: StepName, state: "ok" | "warning", text: string) => void;

export interface GrantRequest {
  readonly open: OpenMessage;
  readonly profile: Profile;
  readonly session: SessionId;
  readonly version: string;
  readonly clock: Clock;
  /** When the session must be over at the latest: credentials must not outlive it. */
  readonly endsAt: () => Instant;
  readonly say: Say;
  /** Who asks, and for what, is known and may be; AWS is asked for the session next, which takes its time. */
  readonly onPlace: (place: Place) => void;
  /** Throws where the session must not have this role. */
  readonly takeRole: (roleArn: string) => void;
  readonly askMfa: (serial: string) => Promise<string>;
  readonly askPassphrase: (prompt: string) => Promise<string>;
  /** agent-run's state folder. */
  readonly state: string;
}

/** Where the agent asks AWS. */
export interface Place {
  readonly region: string | undefined;
  readonly endpointUrl: string | undefined;
}

/** A session that AWS gave and that was confirmed. */
export interface Grant extends Place {
  readonly roleArn: string;
  readonly account: string;
  /** What `GetCallerIdentity` said of the session itself. */
  readonly identity: CallerIdentity;
  readonly base: { readonly source: string; readonly arn: string; readonly account: string };
  readonly developer: string;
  readonly project: string;
  readonly credentials: SessionCredentials;
  readonly tags: Readonly<Record<string, string>>;
  readonly caveats: readonly string[];
  /** How AWS is reached. */
  readonly connection: Connection;
  /** IAM as the base identity. */
  iam(): Promise<IAMClient>;
  /** New credentials under the same names, through the same gate. */
  obtain(): Promise<SessionCredentials>;
  /** Opens what signs anew, where that took a code of the human. */
  reopen(): Promise<void>;
  /** Overwrites the first credentials and what was kept to sign with. */
  forget(): void;
}

/** STS answers in every region; this one is asked when the human named none. */
const FALLBACK_REGION = "us-east-1";

const identities = createIdentityCache();

/**
 * Takes steps 2 to 5 of a start: base identity, assumed role, identity gate, restricted check.
 * @throws AgentRunError whose code says at which gate it stopped; nothing was handed to anybody then
 */
export async function obtainGrant(request: GrantRequest): Promise<Grant> {
  const { open, profile, say } = request;
  const caveats: string[] = [];
  const endpointUrl = profile.endpointUrl ?? open.source["AWS_ENDPOINT_URL_STS"] ?? open.source["AWS_ENDPOINT_URL"];
  const base = await resolveBase({
    credentials: profile.credentials,
    awsProfile: profile.awsProfile,
    env: open.source,
    region: profile.region,
    endpointUrl,
    mfa: mfaOf(request),
    mfaHoldMs: profile.mfaHoldMs,
    passphrase: request.askPassphrase,
    state: request.state,
  });
  const region = profile.region ?? base.region;
  const connection: Connection = { region: region ?? FALLBACK_REGION, endpointUrl, env: open.source };
  const place: Place = { region, endpointUrl: profile.endpointUrl ?? open.source["AWS_ENDPOINT_URL"] };

  const baseIdentity = await identities.of(await stsClient(connection, base.credentials), base.credentials);
  refuseRoot(baseIdentity);
  const way = wayOf(profile, { base, identity: baseIdentity, session: request.session });
  const { account } = way;
  requireAccount({ ...baseIdentity, account }, profile.accounts);
  requireStage(account, profile);
  request.takeRole(way.roleArn);
  request.onPlace(place);
  say("base", "ok", `you are ${baseIdentity.arn} (${base.source})`);
  // A session that comes back has said it.
  if (region === undefined && open.resume === undefined) say("base", "warning", noRegion(profile.name));

  const signer = await signerFor(request, base, connection);
  const developer = cleanName(profile.developer ?? open.developer, "developer");
  const project = profile.project ?? basename(open.cwd);
  const { tags, changed } = cleanTags({
    ...profile.tags,
    "agent-actor": open.actor,
    "agent-session": request.session,
    developer: developer.value,
    project,
    "agent-run-version": request.version,
    ...(profile.task === undefined ? {} : { task: profile.task }),
  });
  for (const change of [developer.changed, ...changed]) if (change !== undefined) say("assume", "warning", change);

  const obtain = () =>
    way.obtain({
      connection,
      credentials: () => signer.credentials(),
      sourceIdentity: developer.value,
      tags,
      now: request.clock.now(),
      endsAt: request.endsAt(),
    });

  const first = await obtain().catch(async (error: unknown) => {
    // The role may say how long ago the code may have been.
    if (!signer.held || !(error instanceof AgentRunError) || error.code !== "assume-role") throw error;
    say("assume", "warning", "the role refuses the session that an earlier mfa code opened: asking for a new one");
    await signer.reopen();
    return obtain();
  });
  say("assume", "ok", way.said);
  for (const note of first.notes) say("assume", "warning", note);
  say("gate", "ok", `the agent will be ${first.identity.arn}`);
  caveats.push(...way.caveats, ...first.caveats);
  for (const caveat of way.caveats) say("assume", "warning", caveat);

  const iam = async (): Promise<IAMClient> => iamClient(connection, await signer.credentials());
  const restriction = await checkRestriction({
    roleArn: way.roleArn,
    principal: first.identity.arn,
    sessionPolicy: way.bounded ? profile.sessionPolicy.document : undefined,
    iam,
  });
  const { accepted, others } = judged(restriction.allowed, [...profile.accepts, ...profile.acceptsNow]);
  const knowingly = judged(accepted, profile.accepts).others;
  if (others.length > 0 && profile.sessionPolicyArns.length === 0) throw unrestricted(profile, others);
  const warn = (text: string): void => {
    caveats.push(text);
    say("restriction", "warning", text);
  };
  if (restriction.verified === false) warn(`restriction not verified: ${restriction.why}`);
  // The managed session policies bound the session too, and nobody has read them.
  else if (others.length > 0) warn(`restriction not verified: without its managed session policies the session could ${few(others)}`);
  if (knowingly.length > 0) warn(`may ${few(knowingly)}: accepted for this run`);
  else if (restriction.verified !== false && others.length === 0) {
    const but = accepted.length > 0 ? ` but what profile ${profile.name} accepts: ${few(accepted)}` : "";
    say("restriction", "ok", `nothing destructive is allowed${but}`);
  }

  return {
    roleArn: way.roleArn,
    account,
    identity: first.identity,
    base: { source: base.source, arn: baseIdentity.arn, account: baseIdentity.account },
    developer: developer.value,
    project,
    ...place,
    credentials: first.credentials,
    tags,
    caveats,
    connection,
    iam,
    obtain: async () => (await obtain()).credentials,
    reopen: () => signer.reopen(),
    forget() {
      signer.forget();
      first.credentials.secretAccessKey.wipe();
      first.credentials.sessionToken.wipe();
    },
  };
}

/** The allowed actions of the catalogue that the profile accepts by name, and the others. */
function judged(allowed: readonly string[], accepts: readonly string[]): { readonly accepted: string[]; readonly others: string[] } {
  const known = new Set(accepts.map((action) => action.toLowerCase()));
  const accepted = allowed.filter((action) => known.has(action.toLowerCase()));
  return { accepted, others: allowed.filter((action) => !accepted.includes(action)) };
}

/** What a session may do that destroys, escalates or hides traces is refused until the human has named it. */
function unrestricted({ name }: Profile, others: readonly string[]): AgentRunError {
  const quoted = others.map((action) => JSON.stringify(action)).join(", ");
  const flags = others.length > MOST_FLAGS ? "--accept <action> for each" : others.map((action) => `--accept ${action}`).join(" ");
  return new AgentRunError("restriction", `the session could ${few(others)}, which profile '${name}' does not accept`, {
    hint:
      others.length > MOST_TO_ACCEPT
        ? "choose a narrower role or profile: -p readonly denies all of it"
        : `choose a narrower profile such as -p readonly, or accept it knowingly, for this run with ${flags}, or for good: accepts = [${quoted}] under [profiles.${name}] in config.toml`,
  });
}

/** More than this is no command line that anybody would type. */
const MOST_FLAGS = 3;
/** More than this is no list that anybody would look through. */
const MOST_TO_ACCEPT = 40;

const few = (actions: readonly string[]): string =>
  `${actions.slice(0, 5).join(", ")}${actions.length > 5 ? ` and ${actions.length - 5} more` : ""}`;

/** The human's own command where the profile names one, else the human. */
function mfaOf({ profile: { name, mfaProcess }, open, askMfa }: GrantRequest): (serial: string) => Promise<string> {
  return mfaProcess === undefined ? askMfa : () => codeFromProcess(mfaProcess, `mfa_process of profile '${name}'`, open.source);
}

interface Signer {
  credentials(): Promise<AwsCredentials>;
  /** What signs was opened by the code of an earlier launch. */
  readonly held: boolean;
  reopen(): Promise<void>;
  /** Overwrites what is this session's alone. */
  forget(): void;
}

/** Who signs AssumeRole: the base, or where the profile wants MFA a session of the base that a code opened, this run's or an earlier one's that holds. */
async function signerFor(request: GrantRequest, base: Base, connection: Connection): Promise<Signer> {
  const { mfaSerial, mfaHoldMs } = request.profile;
  if (mfaSerial === undefined) return { credentials: () => base.refresh(), held: false, reopen: async () => {}, forget: () => {} };
  const ask = mfaOf(request);
  const wish = { connection, serial: mfaSerial, holdMs: mfaHoldMs, code: () => ask(mfaSerial) };
  let session = await mfaSessions.open({ ...wish, credentials: base.credentials });
  const replace = (fresh: MfaOpened): void => {
    wipe(session.credentials);
    session = fresh;
  };
  return {
    held: !session.fresh,
    async credentials() {
      // Another launch may have opened a new one since.
      const { openedAt: after } = session;
      if (session.credentials.expiresAt <= request.clock.now()) {
        const newer = mfaSessions.find({ ...wish, credentials: await base.refresh(), after });
        if (newer) replace(newer);
      }
      return session.credentials;
    },
    reopen: async () => replace(await mfaSessions.open({ ...wish, credentials: await base.refresh(), after: session.openedAt })),
    forget: () => wipe(session.credentials),
  };
}
