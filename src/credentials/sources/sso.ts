// A profile of IAM Identity Center (SSO): role credentials for the access token of `aws sso login`. Called by profile.ts.

import { ask, objectOf } from "../../aws/ask.ts";
import { ssoEndpoint } from "../../aws/client.ts";
import type { AwsCredentials } from "../../aws/credentials.ts";
import { networkFailure, printable, readFailure } from "../../aws/failure.ts";
import { AgentRunError } from "../../core/error.ts";
import type { SsoPlace } from "../sso/session.ts";
import { placedProfile, type Section } from "./aws-files.ts";
import { type Found, type Search, sealParts } from "./source.ts";
import { loginNeeded, type SsoLogin, ssoToken } from "./sso-token.ts";

const PATIENCE_MS = 10_000;

export const isSso = (section: Section): boolean =>
  ["sso_session", "sso_start_url", "sso_account_id", "sso_role_name"].some((key) => section.has(key));

/**
 * Asks the SSO portal for the profile's role (API reference, GetRoleCredentials: unsigned, the token is the proof). AWS's own provider for JavaScript
 * looks for config and token in this process's home whatever files it is given, and writes the token cache, so it is not used.
 * @throws AgentRunError `base-credentials` with the login command where that is what is missing
 */
export async function fromSso(profile: string, section: Section, search: Search): Promise<Found> {
  const incomplete = (what: string): AgentRunError =>
    new AgentRunError("base-credentials", `${placedProfile(search.files, profile)} is not complete for SSO: ${what}`, {
      hint: `add it in ${search.files.configFile}, or aws configure sso --profile ${profile}`,
    });
  const sessionName = section.get("sso_session");
  const session = sessionName === undefined ? section : search.files.ssoSessions.get(sessionName);
  if (!session) throw incomplete(`there is no [sso-session ${sessionName}], which its sso_session names`);
  const setting = (from: Section, key: string): string => {
    const value = from.get(key);
    if (!value) throw incomplete(`${key} is missing${from === section ? "" : ` in [sso-session ${sessionName}]`}`);
    return value;
  };
  const login: SsoLogin = {
    cacheKey: sessionName ?? setting(session, "sso_start_url"),
    startUrl: setting(session, "sso_start_url"),
    region: setting(session, "sso_region"),
    label: `the SSO session of aws profile '${profile}'`,
    hint: `agent-run login --aws-profile ${profile}, or aws sso login --profile ${profile}`,
  };
  const role = { account: setting(section, "sso_account_id"), name: setting(section, "sso_role_name") };
  const credentials = await roleCredentials(login, role, `sso_account_id and sso_role_name of aws profile '${profile}'`, search);
  return { credentials, source: `AWS profile '${profile}' (SSO)`, chained: true };
}

/** A role that `credentials` in the settings names, of a place that config.toml names: no AWS file is looked at. */
export async function fromOwnSso({ account, name, startUrl, region }: OwnRole, search: Search): Promise<Found> {
  const label = `the sign-in at ${startUrl}`;
  const hint = `agent-run login --start-url ${startUrl} --sso-region ${region}`;
  const login: SsoLogin = { cacheKey: undefined, startUrl, region, label, hint };
  const credentials = await roleCredentials(login, { account, name }, "credentials in config.toml", search);
  return { credentials, source: `SSO role ${name} in ${account}, signed in by agent-run`, chained: true };
}

export interface OwnRole extends SsoPlace {
  readonly account: string;
  readonly name: string;
}

/** How a profile's settings name it, all in one text; a space is in none of the parts. */
export const ownRoleText = ({ account, name, region, startUrl }: OwnRole): string => `sso:${account} ${name} ${region} ${startUrl}`;

/** What `ownRoleText` wrote; undefined for anything else. */
export function parseOwnRole(text: string): OwnRole | undefined {
  const [, account, name, region, startUrl] = /^sso:(\d{12}) ([\w+=,.@-]{1,64}) (\S+) (\S+)$/.exec(text) ?? [];
  return account && name && region && startUrl ? { account, name, region, startUrl } : undefined;
}

async function roleCredentials(
  login: SsoLogin,
  { account, name: role }: { readonly account: string; readonly name: string },
  settings: string,
  search: Search,
): Promise<AwsCredentials> {
  const token = await ssoToken(login, search);
  const url = new URL("/federation/credentials", ssoEndpoint("portal.sso", login.region, search.env));
  url.search = new URLSearchParams({ account_id: account, role_name: role }).toString();
  const reply = await ask({
    url,
    headers: { "x-amz-sso_bearer_token": token.secret.reveal() },
    timeoutMs: PATIENCE_MS,
    env: search.env,
  }).catch((error: unknown) => {
    throw networkFailure(readFailure(error), url.origin) ?? error;
  });
  if (reply.status === 401) {
    token.rejected();
    throw loginNeeded(login, "has expired");
  }
  if (reply.status === 403 || reply.status === 404) {
    throw new AgentRunError("base-credentials", `SSO gives you no role '${role}' in account ${account}`, {
      hint: `check ${settings}, or ask for the assignment`,
    });
  }
  if (reply.status === 429 || reply.status >= 500) {
    throw new AgentRunError("sts-unreachable", `${url.origin} answered ${reply.status}`, { hint: "try again in a minute" });
  }
  const { roleCredentials: given, message } = objectOf(reply.text) as { roleCredentials?: Record<string, unknown>; message?: unknown };
  if (reply.status !== 200 || !given) {
    throw new AgentRunError("base-credentials", `SSO answered ${reply.status}: '${printable(String(message ?? ""))}'`, {
      hint: login.hint,
    });
  }
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = given;
  const parts = {
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sessionToken,
    Expiration: typeof expiration === "number" ? new Date(expiration).toISOString() : undefined,
  };
  return sealParts(parts, "SSO", search.now(), login.hint);
}
