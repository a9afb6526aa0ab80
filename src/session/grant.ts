// From base credentials to a confirmed, bounded session: start steps 2 to 5, each said as it succeeds. Called by session.ts; `obtain` again at each refresh.
import { basename } from "node:path";
import { assumeRole, cleanName, cleanTags, durationFor } from "../aws/assume.ts";
import { type Connection, iamClient, stsClient } from "../aws/client.ts";
import type { AwsCredentials, SessionCredentials } from "../aws/credentials.ts";
import {
  type CallerIdentity,
  callerIdentity,
  confirmIdentity,
  createIdentityCache,
  isRoleSession,
  parseRoleArn,
  refuseRoot,
  requireAccount,
} from "../aws/identity.ts";
import { checkRestriction } from "../aws/restriction.ts";
import { mfaSession } from "../aws/session-token.ts";
import type { OpenMessage, StepName } from "../control/protocol.ts";
import type { Clock, Instant } from "../core/clock.ts";
import { AgentRunError } from "../core/error.ts";
import type { SessionId } from "../core/id.ts";
import { type Base, resolveBase } from "../credentials/sources.ts";
import { minifyPolicy } from "../policy/minify.ts";
import { type Profile, SESSION_POLICY_LIMIT } from "./profile.ts";

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
  readonly askMfa: (serial: string) => Promise<string>;
}

/** A session that AWS gave and that was confirmed. */
export interface Grant {
  readonly roleArn: string;
  readonly account: string;
  /** What `GetCallerIdentity` said of the session itself. */
  readonly identity: CallerIdentity;
  readonly base: { readonly source: string; readonly arn: string };
  readonly developer: string;
  readonly project: string;
  readonly region: string | undefined;
  readonly endpointUrl: string | undefined;
  readonly credentials: SessionCredentials;
  readonly tags: Readonly<Record<string, string>>;
  readonly caveats: readonly string[];
  /** New credentials under the same names, through the same gate. */
  obtain(): Promise<SessionCredentials>;
  /** Overwrites the first credentials and what was kept to sign with. */
  forget(): void;
}

/** STS answers in every region; this one is asked when the human named none. */
const FALLBACK_REGION = "us-east-1";
/** Credentials that last no longer than this past the end need no time limit of their own. */
const OUTLIVES_MS = 1000;

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
    awsProfile: profile.awsProfile,
    env: open.source,
    region: profile.region,
    endpointUrl,
    mfa: request.askMfa,
  });
  const region = profile.region ?? base.region;
  const connection: Connection = { region: region ?? FALLBACK_REGION, endpointUrl, env: open.source };

  const baseIdentity = await identities.of(await stsClient(connection, base.credentials), base.credentials);
  refuseRoot(baseIdentity);
  const roleArn = roleArnOf(profile, baseIdentity);
  const account = parseRoleArn(roleArn, "role").account;
  requireAccount({ ...baseIdentity, account }, profile.accounts);
  say("base", "ok", `you are ${baseIdentity.arn} (${base.source})`);

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

  const assume = async () => {
    const now = request.clock.now();
    const endsAt = request.endsAt();
    const duration = durationFor({
      wantedMs: Math.max(Math.min(profile.ttlMs, endsAt - now), 1000),
      chained: base.chained || isRoleSession(baseIdentity.arn),
    });
    const outlives = now + duration.seconds * 1000 > endsAt + OUTLIVES_MS;
    const policy = outlives ? withTimeLimit(profile.sessionPolicy.text, endsAt) : profile.sessionPolicy.text;
    const assumed = await assumeRole(await stsClient(connection, await signer.credentials()), {
      roleArn,
      sessionName: request.session,
      sourceIdentity: developer.value,
      tags,
      sessionPolicy: policy ?? profile.sessionPolicy.text,
      externalId: profile.externalId,
      durationSeconds: duration.seconds,
      callerArn: baseIdentity.arn,
    });
    const identity = await callerIdentity(await stsClient(connection, assumed.credentials));
    confirmIdentity(identity, { roleArn, sessionName: request.session, account });
    return { credentials: assumed.credentials, identity, shortened: assumed.shortened, unlimited: policy === undefined };
  };

  const first = await assume();
  say("assume", "ok", `assumed ${roleArn}, cut down by the session policy of profile ${profile.name}`);
  if (first.shortened !== undefined) say("assume", "warning", first.shortened);
  say("gate", "ok", `the agent will be ${first.identity.arn}`);

  const restriction = await checkRestriction({
    roleArn,
    principal: first.identity.arn,
    sessionPolicy: profile.sessionPolicy.document,
    iam: async () => iamClient(connection, await signer.credentials()),
  });
  if (restriction.verified === false) {
    caveats.push(`restriction not verified: ${restriction.why}`);
    say("restriction", "warning", `restriction not verified: ${restriction.why}`);
  } else if (restriction.allowed.length > 0) {
    const text = `the session may ${restriction.allowed.slice(0, 5).join(", ")}${restriction.allowed.length > 5 ? ` and ${restriction.allowed.length - 5} more` : ""}`;
    caveats.push(text);
    say("restriction", "warning", text);
  } else {
    say("restriction", "ok", "nothing destructive is allowed");
  }
  if (first.unlimited) caveats.push("keys outlive the session: its session policy has no room for a time limit");

  return {
    roleArn,
    account,
    identity: first.identity,
    base: { source: base.source, arn: baseIdentity.arn },
    developer: developer.value,
    project,
    region,
    endpointUrl: profile.endpointUrl ?? open.source["AWS_ENDPOINT_URL"],
    credentials: first.credentials,
    tags,
    caveats,
    obtain: async () => (await assume()).credentials,
    forget() {
      signer.forget();
      first.credentials.secretAccessKey.wipe();
      first.credentials.sessionToken.wipe();
    },
  };
}

/** A role given by name alone is one of the base identity's account. */
function roleArnOf(profile: Profile, base: CallerIdentity): string {
  if (profile.role === undefined) {
    throw new AgentRunError("profile", `profile '${profile.name}' names no role to assume`, {
      hint: `pass --role arn:aws:iam::${base.account}:role/<name>, or set role under [profiles.${profile.name}] in config.toml`,
    });
  }
  if (profile.role.startsWith("arn:")) return parseRoleArn(profile.role, "role").arn;
  const partition = base.arn.split(":")[1] ?? "aws";
  return parseRoleArn(`arn:${partition}:iam::${base.account}:role/${profile.role}`, "role").arn;
}

interface Signer {
  credentials(): Promise<AwsCredentials>;
  /** Overwrites what is this session's alone. */
  forget(): void;
}

/** Who signs AssumeRole: the base, or where the profile wants MFA a session of the base that was opened with a code, once a run. */
async function signerFor(request: GrantRequest, base: Base, connection: Connection): Promise<Signer> {
  const { mfaSerial } = request.profile;
  if (mfaSerial === undefined) return { credentials: () => base.refresh(), forget: () => {} };
  const code = await request.askMfa(mfaSerial);
  const session = await mfaSession(await stsClient(connection, base.credentials), mfaSerial, code);
  return {
    credentials: async () => session,
    forget() {
      session.secretAccessKey.wipe();
      session.sessionToken.wipe();
    },
  };
}

/**
 * The session policy with a Deny of everything after `endsAt`, so that keys that an agent copied end with the session although STS gives no less
 * than 15 minutes (an explicit Deny, because an implicit one does not bind resource policies that name the session). Undefined where the policy has no
 * room left for it.
 */
export function withTimeLimit(policy: string, endsAt: Instant): string | undefined {
  const parsed = JSON.parse(policy) as { Statement: unknown };
  const end = {
    Effect: "Deny",
    Action: "*",
    Resource: "*",
    Condition: { DateGreaterThan: { "aws:CurrentTime": `${new Date(endsAt).toISOString().slice(0, 19)}Z` } },
  };
  const limited = minifyPolicy(JSON.stringify({ ...parsed, Statement: [parsed.Statement, end].flat() }));
  return limited.length <= SESSION_POLICY_LIMIT ? limited : undefined;
}
