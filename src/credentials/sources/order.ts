// Which source the base credentials come from, in the order of AWS's SDKs, and what that will be before anybody is asked. Called by ../sources.ts, session and cli.
import { AgentRunError } from "../../core/error.ts";
import type { Environment } from "../../core/paths.ts";
import type { SsoPlace } from "../sso/session.ts";
import { parseReference } from "../stored/stores.ts";
import { type AwsFiles, readAwsFiles, type Section } from "./aws-files.ts";
import { fromContainer } from "./container.ts";
import { fromEnvironment } from "./environment.ts";
import { fromInstance } from "./instance.ts";
import { fromProfile, namesCredentials } from "./profile.ts";
import type { Found, Search } from "./source.ts";
import { fromOwnSso, parseOwnRole } from "./sso.ts";
import { fromStored } from "./stored.ts";
import { fromWebIdentity } from "./web-identity.ts";

/** What says where to look. */
export interface Starting {
  /** From the profile's `credentials`, such as `keyring:dev`: nothing else is looked at. */
  readonly credentials?: string | undefined;
  /** From --aws-profile or the profile's aws_profile; it goes before everything else. */
  readonly awsProfile?: string | undefined;
  /** The human's AWS variables, HOME and PATH. This process's own environment is never looked at. */
  readonly env: Environment;
}

/**
 * Looks where the request says, else in the order of AWS's SDKs.
 * @throws AgentRunError as each source does; `no-credentials` where none has any
 */
export async function findInOrder({ credentials, awsProfile }: Starting, search: Search): Promise<Found> {
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

/** The region that a base has, or would have; nobody is asked. Throws AgentRunError where the files of AWS cannot be read. */
export const regionOfBase = (
  request: Pick<Starting, "env" | "awsProfile"> & { readonly region?: string | undefined },
): string | undefined => regionOf(request, readAwsFiles(request.env));

/** The flag or setting, AWS_REGION, AWS_DEFAULT_REGION, the profile in use or the one that it starts from. */
export function regionOf(
  { region, env, awsProfile }: Pick<Starting, "env" | "awsProfile"> & { readonly region?: string | undefined },
  files: AwsFiles,
): string | undefined {
  const given = region || env["AWS_REGION"] || env["AWS_DEFAULT_REGION"];
  if (given) return given;
  const name = awsProfile ?? profileVariable(env)?.value ?? "default";
  const section = files.profiles.get(name);
  return section?.get("region") || files.profiles.get(section?.get("source_profile") ?? "")?.get("region") || undefined;
}
