// Which instance of IAM Identity Center a login is for. Called by login.ts and logout.ts.
import { requireRegion } from "../aws/client.ts";
import { AgentRunError } from "../core/error.ts";
import { nearest } from "../core/nearest.ts";
import { type AwsFiles, profileOf, readAwsFiles, type Section } from "../credentials/sources/aws-files.ts";
import { parseOwnRole } from "../credentials/sources/sso.ts";
import { requireStartUrl, type SsoPlace } from "../credentials/sso/session.ts";
import { loadProfile, readConfig } from "../session/profile.ts";
import { type Context, textValue, type Values } from "./command.ts";

export interface Named extends SsoPlace {
  /** Of `[sso.<name>]` in config.toml, where that is what was meant. */
  readonly name: string | undefined;
}

/**
 * The place that the command line names: `[sso.<word>]`, an AWS profile, or a start URL; else the one that your profile uses, else the only one that there is.
 * @throws AgentRunError `usage` with the names there are, `config`, `base-credentials`
 */
export function placeOf(word: string | undefined, values: Values, context: Context): Named {
  const { paths, env } = context;
  const startUrl = textValue(values, "start-url");
  const awsProfile = textValue(values, "aws-profile");
  const region = textValue(values, "sso-region");
  if (startUrl !== undefined) {
    if (region === undefined)
      throw usage("--start-url needs --sso-region", "the region of Identity Center, such as --sso-region eu-central-1");
    return { startUrl: requireStartUrl(startUrl, "--start-url"), region: requireRegion(region, "--sso-region"), name: undefined };
  }
  const { sso = {} } = readConfig(paths);
  const named = Object.entries(sso).map(
    ([name, place]): Named => ({ name, startUrl: requireStartUrl(place.start_url, `[sso.${name}]`), region: place.region }),
  );
  if (word !== undefined) {
    const found = named.find(({ name }) => name === word);
    if (found) return found;
    const near = nearest(word, Object.keys(sso));
    throw usage(
      `config.toml has no [sso.${word}]`,
      near ? `did you mean '${near}'?` : "agent-run login --start-url <url> --sso-region <region>, or --aws-profile <name>",
    );
  }
  const files = readAwsFiles(env);
  if (awsProfile !== undefined) return ofAwsProfile(awsProfile, files);
  const profile = loadProfile(paths, context.packageFolder, {});
  const own = parseOwnRole(profile.credentials ?? "");
  if (own)
    return named.find(({ startUrl: url }) => url === own.startUrl) ?? { startUrl: own.startUrl, region: own.region, name: undefined };
  const usual = profile.awsProfile ?? env["AWS_PROFILE"];
  if (usual !== undefined && files.profiles.get(usual)) return ofAwsProfile(usual, files);
  const all = [...named, ...[...files.ssoSessions.values()].flatMap((section) => placeIn(section) ?? [])];
  const different = new Set(all.map((place) => place.startUrl));
  const [only] = all;
  if (only && different.size === 1) return only;
  throw usage(
    different.size === 0 ? "sign in where?" : `sign in where? there are ${[...different].join(", ")}`,
    "agent-run login --start-url <url> --sso-region <region>, agent-run login --aws-profile <name>, or [sso.<name>] in config.toml and agent-run login <name>",
  );
}

const usage = (message: string, hint: string): AgentRunError => new AgentRunError("usage", message, { hint, exitStatus: 2 });

function ofAwsProfile(name: string, files: AwsFiles): Named {
  const section = profileOf(files, name, "--aws-profile");
  const session = section.get("sso_session");
  const place = placeIn(session === undefined ? section : files.ssoSessions.get(session));
  if (place) return place;
  throw new AgentRunError("base-credentials", `aws profile '${name}' does not say where to sign in`, {
    hint:
      session === undefined
        ? inPlaceOfSignIn(name, section)
        : `[sso-session ${session}] with sso_start_url and sso_region belongs into ${files.configFile}`,
  });
}

/** What fits the kind of a profile that is none of IAM Identity Center; several are in the order in which a run takes them. */
function inPlaceOfSignIn(name: string, section: Section): string {
  const use = `agent-run --aws-profile ${name} <agent>`;
  const source = section.get("source_profile");
  if (section.has("role_arn") && source !== undefined && source !== name)
    return `it starts from aws profile '${source}': agent-run login --aws-profile ${source}, where that signs in`;
  if (section.has("aws_access_key_id"))
    return `it holds access keys, which need no sign-in: ${use}; for new keys aws configure --profile ${name}`;
  if (section.has("role_arn")) return `it assumes a role without a sign-in: ${use}`;
  if (section.has("credential_process")) return `its credential_process gives the credentials, without a sign-in here: ${use}`;
  if (section.has("login_session")) return `aws login --profile ${name}`;
  return `it needs sso_start_url and sso_region: aws configure sso --profile ${name}`;
}

function placeIn(section: ReadonlyMap<string, string> | undefined): Named | undefined {
  const [startUrl, region] = [section?.get("sso_start_url"), section?.get("sso_region")];
  if (!startUrl || !region) return undefined;
  return { startUrl: requireStartUrl(startUrl, "sso_start_url"), region: requireRegion(region, "sso_region"), name: undefined };
}
