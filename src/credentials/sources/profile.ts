// A profile of the human's AWS files, whatever kind it is. Called by order.ts; calls itself for source_profile.
import { assumeRole } from "../../aws/assume.ts";
import { type Connection, stsClient } from "../../aws/client.ts";
import type { AwsCredentials, SessionCredentials } from "../../aws/credentials.ts";
import { parseRoleArn } from "../../aws/identity.ts";
import { cleanName } from "../../aws/names.ts";
import { requireCode } from "../../aws/session-token.ts";
import type { Instant } from "../../core/clock.ts";
import { AgentRunError } from "../../core/error.ts";
import { oneLine } from "../../core/printable.ts";
import { type MfaSessions, type MfaWish, wipe } from "../mfa-sessions.ts";
import { placedProfile, profileOf, type Section } from "./aws-files.ts";
import { fromContainer } from "./container.ts";
import { fromEnvironment } from "./environment.ts";
import { codeFromProcess, fromProcess } from "./external-process.ts";
import { fromInstance } from "./instance.ts";
import { fromLogin } from "./login.ts";
import { type Found, type Search, sealParts } from "./source.ts";
import { fromSso, isSso } from "./sso.ts";
import { fromWebIdentity } from "./web-identity.ts";

/**
 * The credentials of a profile. Where it has settings of several kinds the order is that of AWS's SDK for JavaScript: role, static keys, web identity,
 * process, SSO, login; a profile that is its own source gives its static keys.
 * @param askedBy the flag, setting or variable that named it
 * @param visited the profiles that lead here through source_profile
 */
export async function fromProfile(name: string, askedBy: string, search: Search, visited: readonly string[] = []): Promise<Found> {
  const section = profileOf(search.files, name, askedBy);
  const label = `AWS profile '${name}'`;
  const own = (): Found => ({ credentials: staticKeys(section, name, search), source: `${label} (static keys)`, chained: false });
  const hasKeys = section.has("aws_access_key_id") && section.has("aws_secret_access_key");
  if (hasKeys && visited.length > 0) return own();
  const roleArn = section.get("role_arn");
  if (roleArn && (section.has("source_profile") || section.has("credential_source")))
    return fromRole(name, roleArn, section, search, visited);
  if (hasKeys || section.has("aws_access_key_id") || section.has("aws_secret_access_key")) return own();
  const tokenFile = section.get("web_identity_token_file");
  if (roleArn && tokenFile) {
    return fromWebIdentity({ roleArn, tokenFile, sessionName: section.get("role_session_name"), where: label }, search);
  }
  const command = section.get("credential_process");
  if (command) return fromProcess(command, name, search);
  if (isSso(section)) return fromSso(name, section, search);
  const loginSession = section.get("login_session");
  if (loginSession) return fromLogin(loginSession, name, search);
  const starts = ["source_profile", "credential_source"].find((key) => section.has(key));
  throw new AgentRunError("base-credentials", `${placedProfile(search.files, name)} names no credentials`, {
    hint: roleArn
      ? "its role_arn needs a source_profile or credential_source beside it"
      : starts
        ? `its ${starts} needs a role_arn beside it, or name the source itself with --aws-profile`
        : `aws configure sso --profile ${name}`,
  });
}

/** Whether a profile says anything about credentials; `[default]` often holds a region only. */
export const namesCredentials = (section: Section): boolean =>
  ["aws_access_key_id", "aws_secret_access_key", "role_arn", "credential_process", "login_session"].some((key) => section.has(key)) ||
  isSso(section);

function staticKeys(section: Section, name: string, search: Search) {
  const parts = {
    AccessKeyId: section.get("aws_access_key_id"),
    SecretAccessKey: section.get("aws_secret_access_key"),
    SessionToken: section.get("aws_session_token") || undefined,
  };
  return { ...sealParts(parts, `aws profile '${name}'`, search.now(), `aws configure --profile ${name}`), heldBy: name };
}

async function fromRole(name: string, roleArn: string, section: Section, search: Search, visited: readonly string[]): Promise<Found> {
  const { arn, name: role } = parseRoleArn(roleArn, `role_arn of aws profile '${name}'`);
  const source = await sourceOf(name, section, search, visited);
  const connection: Connection = { region: search.region, endpointUrl: search.endpointUrl, env: search.env };
  const seconds = Number.parseInt(section.get("duration_seconds") ?? "3600", 10);
  const assume = async (signer: AwsCredentials, mfa?: { serial: string; code: string }): Promise<SessionCredentials> => {
    const { credentials } = await assumeRole(await stsClient(connection, signer), {
      roleArn: arn,
      sessionName: cleanName(section.get("role_session_name") ?? "agent-run", "role_session_name").value,
      externalId: section.get("external_id"),
      mfa,
      durationSeconds: Number.isNaN(seconds) ? 3600 : seconds,
      heldBy: source.credentials.heldBy,
    });
    return credentials;
  };
  const found = { source: `AWS profile '${name}' (role ${role}, from ${source.source})`, chained: true, codeAt: source.codeAt };
  const serial = section.get("mfa_serial");
  if (!serial) return { ...found, credentials: await assume(source.credentials) };
  const command = section.get("mfa_process");
  const code = () => (command ? codeFromProcess(command, `the mfa_process of aws profile '${name}'`, search.env) : search.mfa(serial));
  // GetSessionToken, which makes one code hold for hours, takes an IAM user's own keys only.
  if (search.mfaHoldMs > 0 && source.credentials.sessionToken === undefined) {
    const wish: MfaWish = { connection, credentials: source.credentials, serial, holdMs: search.mfaHoldMs, code };
    const { credentials, openedAt } = await withMfa(wish, search.mfaSessions, assume);
    return { ...found, credentials, codeAt: openedAt };
  }
  const given = (await code()).trim();
  requireCode(given);
  const codeAt = Math.min(source.codeAt ?? Number.POSITIVE_INFINITY, search.now());
  return { ...found, credentials: await assume(source.credentials, { serial, code: given }), codeAt };
}

/** Signs with a session that a code opened; where a role refuses one that was opened earlier, with a new one: its trust policy may say how old it may be. */
async function withMfa(
  wish: MfaWish,
  sessions: MfaSessions,
  assume: (signer: AwsCredentials) => Promise<SessionCredentials>,
): Promise<{ readonly credentials: SessionCredentials; readonly openedAt: Instant }> {
  const opened = await sessions.open(wish);
  try {
    return { credentials: await assume(opened.credentials), openedAt: opened.openedAt };
  } catch (error) {
    if (opened.fresh || !(error instanceof AgentRunError) || error.code !== "assume-role") throw error;
    return await withMfa({ ...wish, after: opened.openedAt }, sessions, assume);
  } finally {
    wipe(opened.credentials);
  }
}

const ABSENT: Readonly<Record<string, string>> = {
  Environment: "export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY where you start agent-run, or take another source",
  EcsContainer: "AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI is not set where you start agent-run: take another source",
  Ec2InstanceMetadata: "this machine has no instance role, or its metadata service does not answer: take another source",
};
const CREDENTIAL_SOURCES = Object.keys(ABSENT);

async function sourceOf(name: string, section: Section, search: Search, visited: readonly string[]): Promise<Found> {
  const bad = (message: string, hint: string): AgentRunError => new AgentRunError("base-credentials", message, { hint });
  const next = section.get("source_profile");
  if (next !== undefined) {
    if (visited.includes(next) && next === name) {
      throw bad(
        `${placedProfile(search.files, name)} is its own source_profile, and holds no access keys`,
        "add its aws_access_key_id and aws_secret_access_key, or name another profile as its source",
      );
    }
    if (visited.includes(next)) {
      throw bad(
        `aws profiles lead in a circle: ${[...visited, name, next].join(" → ")}`,
        `change source_profile of ${placedProfile(search.files, name)}: the last of them must hold credentials itself`,
      );
    }
    return fromProfile(next, `source_profile of ${placedProfile(search.files, name)}`, search, [...visited, name]);
  }
  const kind = section.get("credential_source") ?? "";
  if (!CREDENTIAL_SOURCES.includes(kind)) {
    throw bad(
      `credential_source = '${oneLine(kind).slice(0, 60)}' of ${placedProfile(search.files, name)} is none that AWS knows`,
      `it is one of ${CREDENTIAL_SOURCES.join(", ")}; for another profile it is source_profile = <name>`,
    );
  }
  const found =
    kind === "Environment"
      ? fromEnvironment(search)
      : kind === "EcsContainer"
        ? await fromContainer(search)
        : kind === "Ec2InstanceMetadata"
          ? await fromInstance(search)
          : undefined;
  if (found) return found;
  throw bad(
    `credential_source = ${kind} of ${placedProfile(search.files, name)} gives no credentials`,
    ABSENT[kind] ?? "it must be there where you start agent-run",
  );
}
