// The access token of `aws sso login`, read from the CLI's cache, renewed in memory when it is old. Called by sso.ts.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ask, objectOf } from "../../aws/ask.ts";
import { ssoEndpoint } from "../../aws/client.ts";
import { networkFailure, readFailure } from "../../aws/failure.ts";
import type { Instant } from "../../core/clock.ts";
import { AgentRunError } from "../../core/error.ts";
import { Secret } from "../../core/secret.ts";
import type { Search } from "./source.ts";

interface CachedToken {
  readonly accessToken: Secret;
  readonly expiresAt: Instant;
  readonly renewal: { readonly clientId: string; readonly clientSecret: Secret; readonly refreshToken: Secret } | undefined;
}

/** Tokens renewed here, by the CLI's cache file. AWS's own provider would write them over that file; the human's files are never written. */
export type SsoTokens = Map<string, CachedToken>;

export interface SsoLogin {
  /** Name of the sso-session, or the start URL of a profile in the old form: what the CLI's cache file is named after. Absent where no AWS profile is meant. */
  readonly cacheKey: string | undefined;
  readonly startUrl: string;
  readonly region: string;
  /** For messages: `the SSO session of aws profile 'dev'`. */
  readonly label: string;
  /** The commands that sign in there. */
  readonly hint: string;
}

/** An access token, and what to do when it is not taken. */
export interface SsoToken {
  readonly secret: Secret;
  readonly rejected: () => void;
}

const RENEW_BEFORE_MS = 5 * 60_000;
const PATIENCE_MS = 10_000;

/**
 * An access token that is valid now: of a sign-in of agent-run's own, else of `aws sso login`.
 * @throws AgentRunError `base-credentials` with the login command, `keyring`, or `sts-unreachable`
 */
export async function ssoToken(login: SsoLogin, search: Search): Promise<SsoToken> {
  const { sso, state } = search.own;
  let problem: unknown;
  const own = await sso.find(login, search.env, state).catch((error: unknown) => {
    problem = error;
    return undefined;
  });
  if (own) return { secret: own.accessToken, rejected: () => sso.rejected(own) };
  try {
    return { secret: await cliToken(login, search), rejected: () => undefined };
  } catch (error) {
    // Perhaps we are signed in, and it could not be read.
    throw problem ?? error;
  }
}

/** Of the CLI's file and the token renewed here the later counts, so a login anywhere takes effect. */
async function cliToken(login: SsoLogin, search: Search): Promise<Secret> {
  if (login.cacheKey === undefined) throw loginNeeded(login, "is not signed in");
  const file = join(search.files.home, ".aws", "sso", "cache", `${createHash("sha1").update(login.cacheKey).digest("hex")}.json`);
  const onDisk = readToken(file);
  const renewed = search.ssoTokens.get(file);
  const token = renewed && renewed.expiresAt > (onDisk?.expiresAt ?? 0) ? renewed : onDisk;
  if (!token) throw loginNeeded(login, "is not logged in");
  const left = token.expiresAt - search.now();
  if (left > RENEW_BEFORE_MS) return token.accessToken;
  try {
    const fresh = await renew(token, login, search);
    search.ssoTokens.set(file, fresh);
    return fresh.accessToken;
  } catch (error) {
    if (left > 0) return token.accessToken;
    throw error;
  }
}

export const loginNeeded = ({ label, hint }: Pick<SsoLogin, "label" | "hint">, what: string): AgentRunError =>
  new AgentRunError("base-credentials", `${label} ${what}`, { hint });

function readToken(file: string): CachedToken | undefined {
  let parts: Record<string, unknown>;
  try {
    parts = objectOf(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
  const { accessToken, expiresAt, clientId, clientSecret, refreshToken } = parts;
  if (typeof accessToken !== "string" || typeof expiresAt !== "string") return undefined;
  // Old CLIs wrote `2020-06-17T10:02:08UTC`.
  const end = Date.parse(expiresAt.replace(/UTC$/, "Z"));
  if (Number.isNaN(end)) return undefined;
  const renewable = typeof clientId === "string" && typeof clientSecret === "string" && typeof refreshToken === "string";
  return {
    accessToken: new Secret(accessToken),
    expiresAt: end,
    renewal: renewable ? { clientId, clientSecret: new Secret(clientSecret), refreshToken: new Secret(refreshToken) } : undefined,
  };
}

/** IAM Identity Center OIDC API, CreateToken. */
async function renew(token: CachedToken, login: SsoLogin, search: Search): Promise<CachedToken> {
  if (!token.renewal) throw loginNeeded(login, "has expired");
  const { clientId, clientSecret, refreshToken } = token.renewal;
  const url = new URL("/token", ssoEndpoint("oidc", login.region, search.env));
  const reply = await ask({
    url,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      clientId,
      clientSecret: clientSecret.reveal(),
      refreshToken: refreshToken.reveal(),
      grantType: "refresh_token",
    }),
    timeoutMs: PATIENCE_MS,
    env: search.env,
  }).catch((error: unknown) => {
    throw networkFailure(readFailure(error), url.origin) ?? loginNeeded(login, "could not be renewed");
  });
  if (reply.status >= 500)
    throw new AgentRunError("sts-unreachable", `${url.origin} answered ${reply.status}`, { hint: "try again in a minute" });
  const { accessToken, expiresIn, refreshToken: next } = objectOf(reply.text);
  if (reply.status !== 200 || typeof accessToken !== "string" || typeof expiresIn !== "number") throw loginNeeded(login, "has expired");
  return {
    accessToken: new Secret(accessToken),
    expiresAt: search.now() + expiresIn * 1000,
    renewal: { clientId, clientSecret, refreshToken: typeof next === "string" ? new Secret(next) : refreshToken },
  };
}
