// A profile of IAM Identity Center (SSO): role credentials for the access token of `aws sso login`. Called by profile.ts.
import { networkFailure, printable, readFailure } from "../../aws/failure.ts";
import { AgentRunError } from "../../core/error.ts";
import type { Section } from "./aws-files.ts";
import { ask, objectOf } from "./http.ts";
import { type Found, type Search, sealParts } from "./source.ts";
import { loginNeeded, ssoToken, ssoUrl } from "./sso-token.ts";

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
    new AgentRunError("base-credentials", `aws profile '${profile}' is not complete for SSO: ${what}`, {
      hint: `aws configure sso --profile ${profile}`,
    });
  const sessionName = section.get("sso_session");
  const session = sessionName === undefined ? section : search.files.ssoSessions.get(sessionName);
  if (!session) throw incomplete(`there is no [sso-session ${sessionName}]`);
  const setting = (from: Section, key: string): string => {
    const value = from.get(key);
    if (!value) throw incomplete(`${key} is missing`);
    return value;
  };
  const login = { cacheKey: sessionName ?? setting(session, "sso_start_url"), region: setting(session, "sso_region"), profile };
  const account = setting(section, "sso_account_id");
  const role = setting(section, "sso_role_name");
  const token = await ssoToken(login, search);

  const url = ssoUrl("portal.sso", "AWS_ENDPOINT_URL_SSO", "/federation/credentials", login.region, search);
  url.search = new URLSearchParams({ account_id: account, role_name: role }).toString();
  const reply = await ask({
    url,
    headers: { "x-amz-sso_bearer_token": token.reveal() },
    timeoutMs: PATIENCE_MS,
    env: search.env,
  }).catch((error: unknown) => {
    throw networkFailure(readFailure(error), url.origin) ?? error;
  });
  if (reply.status === 401) throw loginNeeded(login, "has expired");
  if (reply.status === 403 || reply.status === 404) {
    throw new AgentRunError("base-credentials", `SSO gives you no role '${role}' in account ${account}`, {
      hint: `check sso_account_id and sso_role_name of aws profile '${profile}', or ask for the assignment`,
    });
  }
  if (reply.status === 429 || reply.status >= 500) {
    throw new AgentRunError("sts-unreachable", `${url.origin} answered ${reply.status}`, { hint: "try again in a minute" });
  }
  const { roleCredentials, message } = objectOf(reply.text) as { roleCredentials?: Record<string, unknown>; message?: unknown };
  if (reply.status !== 200 || !roleCredentials) {
    throw new AgentRunError("base-credentials", `SSO answered ${reply.status}: '${printable(String(message ?? ""))}'`, {
      hint: `aws sso login --profile ${profile}`,
    });
  }
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = roleCredentials;
  const parts = {
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sessionToken,
    Expiration: typeof expiration === "number" ? new Date(expiration).toISOString() : undefined,
  };
  const credentials = sealParts(parts, "SSO", search.now(), `aws sso login --profile ${profile}`);
  return { credentials, source: `AWS profile '${profile}' (SSO)`, chained: true };
}
