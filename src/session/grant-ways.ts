// The three ways to a session: a role that is assumed, an IAM user's federation token, or credentials used as they are; each with its identity gate.
// Called by grant.ts.
import { assumeRole, durationFor } from "../aws/assume.ts";
import { type Connection, stsClient } from "../aws/client.ts";
import type { AwsCredentials, SessionCredentials } from "../aws/credentials.ts";
import { federationToken } from "../aws/federation.ts";
import {
  type CallerIdentity,
  callerIdentity,
  confirmArn,
  confirmIdentity,
  isRoleSession,
  parseArn,
  parseRoleArn,
} from "../aws/identity.ts";
import type { Instant } from "../core/clock.ts";
import { AgentRunError } from "../core/error.ts";
import type { SessionId } from "../core/id.ts";
import { Secret } from "../core/secret.ts";
import type { Base } from "../credentials/sources.ts";
import { AwsClock } from "./aws-clock.ts";
import type { Profile } from "./profile.ts";
import { timedPolicy } from "./session-time.ts";

export interface WayRequest {
  readonly connection: Connection;
  /** What signs the request. */
  readonly credentials: () => Promise<AwsCredentials>;
  readonly sourceIdentity: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly now: Instant;
  /** When the session must be over at the latest. */
  readonly endsAt: Instant;
}

export interface Obtained {
  readonly credentials: SessionCredentials;
  readonly identity: CallerIdentity;
  /** Said once, when it happens. */
  readonly notes: readonly string[];
  /** Hold for the whole session. */
  readonly caveats: readonly string[];
}

export interface Way {
  readonly account: string;
  /** ARN of the role, or of the user, whose policies hold for the session. */
  readonly roleArn: string;
  /** Whether a session policy is sent. */
  readonly bounded: boolean;
  /** For the human, once it has succeeded. */
  readonly said: string;
  /** What this way cannot promise. */
  readonly caveats: readonly string[];
  /** Session credentials through the identity gate. Throws AgentRunError. */
  obtain(request: WayRequest): Promise<Obtained>;
}

export interface WayBase {
  readonly base: Base;
  readonly identity: CallerIdentity;
  readonly session: SessionId;
}

/** Credentials that last no longer than this past the end need no time limit of their own. */
const OUTLIVES_MS = 1000;

/**
 * The way that the profile's `grant` names.
 * @throws AgentRunError `profile` or `base-credentials` where the base credentials cannot go it
 */
export function wayOf(profile: Profile, from: WayBase): Way {
  if (profile.grant === "federation") return federation(profile, from);
  return profile.grant === "as-is" ? asIs(profile, from) : assumption(profile, from);
}

function assumption(profile: Profile, { base, identity, session }: WayBase): Way {
  const roleArn = roleArnOf(profile, identity);
  const { account } = parseRoleArn(roleArn, "role");
  const clock = new AwsClock();
  return {
    account,
    roleArn,
    bounded: true,
    said: `assumed ${roleArn}, cut down by the session policy of profile ${profile.name}`,
    caveats: [],
    async obtain({ connection, credentials, sourceIdentity, tags, now, endsAt }) {
      const duration = lasting(profile, now, endsAt, base.chained || isRoleSession(identity.arn));
      const attempt = async () => {
        // AWS ends it by its own clock.
        const policy = timedPolicy(profile, now, duration.outlives ? endsAt + clock.aheadMs : undefined);
        const signer = await credentials();
        const given = await assumeRole(await stsClient(connection, signer), {
          roleArn,
          sessionName: session,
          sourceIdentity,
          tags,
          sessionPolicy: policy.text,
          sessionPolicyArns: profile.sessionPolicyArns,
          externalId: profile.externalId,
          durationSeconds: duration.seconds,
          callerArn: identity.arn,
          heldBy: signer.heldBy,
        });
        return { policy, given };
      };
      const { policy, given } = await clock.right(duration.outlives, attempt);
      const found = await callerIdentity(await stsClient(connection, given.credentials));
      confirmIdentity(found, { roleArn, sessionName: session, account });
      const notes = [given.shortened, given.kept, clock.note].filter((note) => note !== undefined);
      const ending = endingAt(given.credentials, duration.outlives && !policy.unlimited ? endsAt : undefined);
      return { credentials: ending, identity: found, notes, caveats: outliving(policy.unlimited) };
    },
  };
}

/** Keys that a deny ends before STS does: clients are told the earlier end, so that they ask for others in time when the session was given more. */
function endingAt(credentials: SessionCredentials, deniedFrom: Instant | undefined): SessionCredentials {
  return deniedFrom === undefined ? credentials : { ...credentials, expiresAt: Math.min(credentials.expiresAt, deniedFrom) };
}

/** GetFederationToken takes an IAM user's own keys only, and its sessions reach no IAM and no STS (STS API reference, GetFederationToken). */
function federation(profile: Profile, { base, identity, session }: WayBase): Way {
  const user = parseArn(identity.arn);
  if (!user?.resource.startsWith("user/") || base.credentials.sessionToken !== undefined) {
    throw new AgentRunError(
      "base-credentials",
      `grant = "federation" needs an IAM user's own keys, and these are ${identity.arn} (${base.source})`,
      {
        hint: 'choose the user\'s keys with --aws-profile, or set grant = "assume-role" and a role',
      },
    );
  }
  if (profile.mfaSerial !== undefined) {
    throw new AgentRunError("profile", `profile '${profile.name}': a federation token cannot carry MFA`, {
      hint: 'set grant = "assume-role", or take mfa_serial out of the profile',
    });
  }
  const arn = `arn:${user.partition}:sts::${user.account}:federated-user/${session}`;
  const clock = new AwsClock();
  return {
    account: identity.account,
    roleArn: identity.arn,
    bounded: true,
    said: `federated ${identity.arn}, cut down by the session policy of profile ${profile.name}`,
    caveats: ["federated: no source identity, and no call to IAM or STS"],
    async obtain({ connection, credentials, tags, now, endsAt }) {
      const duration = lasting(profile, now, endsAt, false);
      const { policy, given } = await clock.right(duration.outlives, async () => {
        const policy = timedPolicy(profile, now, duration.outlives ? endsAt + clock.aheadMs : undefined);
        const given = await federationToken(await stsClient(connection, await credentials()), {
          name: session,
          tags,
          sessionPolicy: policy.text,
          sessionPolicyArns: profile.sessionPolicyArns,
          durationSeconds: duration.seconds,
        });
        return { policy, given };
      });
      const found = await callerIdentity(await stsClient(connection, given.credentials));
      confirmArn(found, arn, identity.account);
      const ending = endingAt(given.credentials, duration.outlives && !policy.unlimited ? endsAt : undefined);
      const notes = clock.note === undefined ? [] : [clock.note];
      return { credentials: ending, identity: found, notes, caveats: outliving(policy.unlimited) };
    },
  };
}

/** A role session that somebody else made: it must be one of the role or permission set that the profile names. */
function asIs(profile: Profile, { base, identity }: WayBase): Way {
  const { sessionToken, expiresAt } = base.credentials;
  if (profile.narrowed) {
    throw new AgentRunError("profile", `profile '${profile.name}': nothing can narrow credentials that are used as they are`, {
      hint: 'take narrow and conditions away, or set grant = "assume-role"',
    });
  }
  if (sessionToken === undefined || !isRoleSession(identity.arn)) {
    throw new AgentRunError(
      "base-credentials",
      `grant = "as-is" hands credentials on, and these are no role session: ${identity.arn} (${base.source})`,
      {
        hint: 'choose a role or Identity Center profile with --aws-profile, or set grant = "federation"',
      },
    );
  }
  const [, role = ""] = parseArn(identity.arn)?.resource.split("/") ?? [];
  const wanted = profile.role?.split("/").at(-1);
  if (wanted === undefined) {
    throw new AgentRunError("profile", `profile '${profile.name}' does not say which role it uses as it is`, {
      hint: `these credentials are of role ${role}: if an agent may have all of it, set role = "${role}"`,
    });
  }
  // Identity Center names the role of a permission set AWSReservedSSO_<set>_<16 hex digits> (IAM Identity Center guide).
  const isSet = role.startsWith(`AWSReservedSSO_${wanted}_`) && /^[0-9a-f]{16}$/.test(role.slice(`AWSReservedSSO_${wanted}_`.length));
  const partition = parseArn(identity.arn)?.partition ?? "aws";
  const account = profile.role?.startsWith("arn:") ? parseRoleArn(profile.role, "role").account : identity.account;
  if ((role !== wanted && !isSet) || account !== identity.account) {
    throw new AgentRunError("identity", `the credentials are ${identity.arn}, and profile '${profile.name}' is for role ${profile.role}`, {
      hint: "choose the right ones with --aws-profile, or change role in the profile",
    });
  }
  return {
    account,
    roleArn: profile.role?.startsWith("arn:") ? profile.role : `arn:${partition}:iam::${account}:role/${role}`,
    bounded: false,
    said: `using ${identity.arn} as it is`,
    caveats: ["untagged: the role's own session as it is, no tags and no ceiling; only its expiry ends copied keys"],
    async obtain({ connection }) {
      const now = await base.refresh();
      if (now.sessionToken === undefined)
        throw new AgentRunError("base-credentials", "the credentials are no session any more", { hint: "log in again" });
      // Copies: the session's own are wiped at its end, those of the base serve others.
      const given: SessionCredentials = {
        accessKeyId: now.accessKeyId,
        secretAccessKey: new Secret(now.secretAccessKey.reveal()),
        sessionToken: new Secret(now.sessionToken.reveal()),
        expiresAt: now.expiresAt ?? expiresAt ?? Number.NaN,
      };
      if (Number.isNaN(given.expiresAt)) {
        throw new AgentRunError(
          "base-credentials",
          `${base.source} does not say when its credentials expire, so that they cannot be handed on`,
          {
            hint: "use a source that does (SSO, credential_process, a role of the AWS config), not environment variables",
          },
        );
      }
      const found = await callerIdentity(await stsClient(connection, given));
      confirmArn(found, identity.arn, account);
      return { credentials: given, identity: found, notes: [], caveats: [] };
    },
  };
}

const outliving = (unlimited: boolean): string[] =>
  unlimited ? ["keys outlive the session: its session policy has no room for a time limit"] : [];

function lasting(
  profile: Profile,
  now: Instant,
  endsAt: Instant,
  chained: boolean,
): { readonly seconds: number; readonly outlives: boolean } {
  const { seconds } = durationFor({ wantedMs: Math.max(Math.min(profile.ttlMs, endsAt - now), 1000), chained });
  return { seconds, outlives: now + seconds * 1000 > endsAt + OUTLIVES_MS };
}

/** A role given by name alone is one of the base identity's account. */
function roleArnOf(profile: Profile, base: CallerIdentity): string {
  if (profile.role === undefined) {
    throw new AgentRunError("profile", `profile '${profile.name}' names no role to assume`, {
      hint:
        `agent-run setup ${profile.name} makes one; or name yours: --role arn:aws:iam::${base.account}:role/<name>, ` +
        `or role under [profiles.${profile.name}] in config.toml`,
    });
  }
  const partition = base.arn.split(":")[1] ?? "aws";
  if (profile.role.startsWith("arn:")) {
    const role = parseRoleArn(profile.role, "role");
    if (role.partition === partition) return role.arn;
    throw new AgentRunError("identity", `the role is in partition ${role.partition}, and you are in ${partition}: ${base.arn}`, {
      hint: `nobody can go from one to the other: choose credentials of ${role.partition} with --aws-profile, or another --role`,
    });
  }
  return parseRoleArn(`arn:${partition}:iam::${base.account}:role/${profile.role}`, "role").arn;
}
