// A session of IAM Identity Center that agent-run itself signed in to: its tokens, and what renews them. Made by a sign-in, kept by session-store.ts.

import type { Instant } from "../../core/clock.ts";
import { AgentRunError } from "../../core/error.ts";
import { Secret } from "../../core/secret.ts";

/** Where one signs in: an instance of Identity Center. */
export interface SsoPlace {
  /** `https://corp.awsapps.com/start` */
  readonly startUrl: string;
  readonly region: string;
}

export interface SsoSession extends SsoPlace {
  readonly accessToken: Secret;
  readonly expiresAt: Instant;
  /** Absent where Identity Center gave none: then a sign-in lasts as long as its token. */
  readonly renewal:
    | {
        readonly clientId: string;
        readonly clientSecret: Secret;
        /** The end of the registration, and so of all renewals. */
        readonly until: Instant;
        readonly refreshToken: Secret;
      }
    | undefined;
}

/** Throws AgentRunError `usage` for what is no start URL: it is opened in a browser, and tokens are filed under it. */
export function requireStartUrl(text: string, where: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const local = url?.protocol === "http:" && url.hostname === "127.0.0.1";
  if (url && (url.protocol === "https:" || local) && url.username === "" && url.password === "") return text;
  throw new AgentRunError("usage", `${where}: '${text}' is not a start url`, {
    hint: "it looks like https://d-1234567890.awsapps.com/start",
    exitStatus: 2,
  });
}

/** A session in one text, for the keyring; `readSignIn` reads it. */
export function sessionText({ startUrl, region, accessToken, expiresAt, renewal }: SsoSession): Secret {
  const revealed = renewal && { ...renewal, clientSecret: renewal.clientSecret.reveal(), refreshToken: renewal.refreshToken.reveal() };
  return new Secret(JSON.stringify({ version: 1, startUrl, region, accessToken: accessToken.reveal(), expiresAt, renewal: revealed }));
}

/** What `sessionText` wrote; undefined for anything else. */
export function readSignIn(text: string): SsoSession | undefined {
  let parts: Record<string, unknown>;
  try {
    parts = Object(JSON.parse(text));
  } catch {
    return undefined;
  }
  const { version, startUrl, region, accessToken, expiresAt, renewal } = parts;
  if (version !== 1 || typeof startUrl !== "string" || typeof region !== "string") return undefined;
  if (typeof accessToken !== "string" || accessToken === "" || typeof expiresAt !== "number") return undefined;
  const { clientId, clientSecret, until, refreshToken } = Object(renewal) as Record<string, unknown>;
  const renewable =
    typeof clientId === "string" && typeof clientSecret === "string" && typeof until === "number" && typeof refreshToken === "string";
  return {
    startUrl,
    region,
    accessToken: new Secret(accessToken),
    expiresAt,
    renewal: renewable ? { clientId, clientSecret: new Secret(clientSecret), until, refreshToken: new Secret(refreshToken) } : undefined,
  };
}
