// A profile of `aws login` (login_session): the CLI's cached credentials, read only. Called by profile.ts.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { objectOf } from "../../aws/ask.ts";
import { AgentRunError } from "../../core/error.ts";
import { type Found, type Search, sealParts } from "./source.ts";

/**
 * What the CLI keeps for a login. It is renewed by the CLI only: its renewal replaces the cache file, which is the human's.
 * @throws AgentRunError `base-credentials` with the login command
 */
export function fromLogin(loginSession: string, profile: string, search: Search): Found {
  const folder = search.env["AWS_LOGIN_CACHE_DIRECTORY"] || join(search.files.home, ".aws", "login", "cache");
  const hint = `aws login --profile ${profile}`;
  let text: string;
  try {
    text = readFileSync(join(folder, `${createHash("sha256").update(loginSession).digest("hex")}.json`), "utf8");
  } catch {
    throw new AgentRunError("base-credentials", `aws profile '${profile}' is not logged in`, { hint });
  }
  const { accessKeyId, secretAccessKey, sessionToken, expiresAt } = objectOf(JSON.stringify(objectOf(text)["accessToken"] ?? {}));
  const parts = { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken, Expiration: expiresAt };
  const credentials = sealParts(parts, `the login of aws profile '${profile}'`, search.now(), hint);
  return { credentials, source: `AWS profile '${profile}' (aws login)`, chained: false };
}
