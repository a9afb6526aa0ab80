// IAM Identity Center's OIDC service by the SDK's client: registration, the two ways to sign in, renewal. Called by browser.ts, device.ts and own-sessions.ts.
import type { CreateTokenCommandOutput, SSOOIDCClient } from "@aws-sdk/client-sso-oidc";
import { ssoEndpoint, ssoOidcClient } from "../../aws/client.ts";
import { networkFailure, printable, readFailure } from "../../aws/failure.ts";
import type { Instant } from "../../core/clock.ts";
import { AgentRunError } from "../../core/error.ts";
import type { Environment } from "../../core/paths.ts";
import { Secret } from "../../core/secret.ts";
import type { SsoPlace, SsoSession } from "./session.ts";

/** Who the human sees asking in the browser. */
const CLIENT_NAME = "agent-run";
const SCOPES = ["sso:account:access"];
const DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code";
/** Without a port, so that every port of loopback is meant (RFC 8252, 7.3). */
const REDIRECT = "http://127.0.0.1/oauth/callback";

export interface Registration {
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly until: Instant;
}

export interface DeviceCode {
  readonly deviceCode: Secret;
  /** What the human compares or types. */
  readonly userCode: string;
  readonly url: string;
  readonly expiresAt: Instant;
  readonly intervalMs: number;
}

/** What a token request can meet beside success. */
export type TokenAnswer =
  | { readonly session: SsoSession }
  | { readonly wait: "pending" | "slower" }
  | { readonly over: "expired" | "denied" };

export interface Oidc {
  /** Throws AgentRunError `base-credentials` or `sts-unreachable`. */
  register(way: "browser" | "device"): Promise<Registration>;
  authorizeUrl(registration: Registration, redirectUri: string, state: string, challenge: string): string;
  startDevice(registration: Registration): Promise<DeviceCode>;
  /** One question whether the human has confirmed. */
  pollDevice(registration: Registration, code: DeviceCode): Promise<TokenAnswer>;
  exchange(registration: Registration, code: string, redirectUri: string, verifier: string): Promise<TokenAnswer>;
  renew(session: SsoSession): Promise<TokenAnswer>;
}

/** @param env the human's, for proxies, certificate authorities and AWS_ENDPOINT_URL_SSO_OIDC */
export function openOidc(place: SsoPlace, env: Environment, now: () => Instant): Oidc {
  const origin = ssoEndpoint("oidc", place.region, env);
  const send = async <Answer>(
    run: (client: SSOOIDCClient, sdk: typeof import("@aws-sdk/client-sso-oidc")) => Promise<Answer>,
  ): Promise<Answer> => {
    const sdk = await import("@aws-sdk/client-sso-oidc");
    return run(await ssoOidcClient(place.region, env), sdk);
  };
  const explained = (error: unknown): AgentRunError => {
    if (error instanceof AgentRunError) return error;
    const { name, text, status } = readFailure(error);
    const said = printable((error as { error_description?: string }).error_description ?? text);
    return (
      networkFailure({ name, text, status }, origin) ??
      new AgentRunError("base-credentials", `identity center refuses the sign-in: ${name}${said === "" ? "" : `: '${said}'`}`, {
        hint: `check start url ${place.startUrl} and region ${place.region}`,
      })
    );
  };
  const token = async (
    registration: Registration,
    grant: { grantType: string; deviceCode?: string; code?: string; redirectUri?: string; codeVerifier?: string; refreshToken?: string },
  ): Promise<TokenAnswer> => {
    try {
      const answer = await send((client, { CreateTokenCommand }) =>
        client.send(
          new CreateTokenCommand({ clientId: registration.clientId, clientSecret: registration.clientSecret.reveal(), ...grant }),
        ),
      );
      return { session: sessionOf(answer, registration, grant.refreshToken) };
    } catch (error) {
      const { name } = readFailure(error);
      if (name === "AuthorizationPendingException") return { wait: "pending" };
      if (name === "SlowDownException") return { wait: "slower" };
      if (name === "AccessDeniedException") return { over: "denied" };
      if (/^(ExpiredToken|InvalidGrant|InvalidClient|UnauthorizedClient)Exception$/.test(name)) return { over: "expired" };
      throw explained(error);
    }
  };
  const sessionOf = (answer: CreateTokenCommandOutput, registration: Registration, before: string | undefined): SsoSession => {
    const { accessToken, expiresIn, refreshToken = before } = answer;
    if (!accessToken || !expiresIn)
      throw new AgentRunError("base-credentials", "identity center answered without a token", { hint: "agent-run login" });
    const renewal = refreshToken === undefined ? undefined : { ...registration, refreshToken: new Secret(refreshToken) };
    return {
      startUrl: place.startUrl,
      region: place.region,
      accessToken: new Secret(accessToken),
      expiresAt: now() + expiresIn * 1000,
      renewal,
    };
  };
  return {
    async register(way) {
      try {
        const { clientId, clientSecret, clientSecretExpiresAt } = await send((client, { RegisterClientCommand }) =>
          client.send(
            new RegisterClientCommand({
              clientName: CLIENT_NAME,
              clientType: "public",
              scopes: SCOPES,
              grantTypes: [way === "browser" ? "authorization_code" : DEVICE_GRANT, "refresh_token"],
              ...(way === "browser" ? { redirectUris: [REDIRECT], issuerUrl: place.startUrl } : {}),
            }),
          ),
        );
        if (!clientId || !clientSecret)
          throw new AgentRunError("base-credentials", "identity center registered no client", { hint: "agent-run login" });
        return { clientId, clientSecret: new Secret(clientSecret), until: (clientSecretExpiresAt ?? 0) * 1000 };
      } catch (error) {
        throw explained(error);
      }
    },
    authorizeUrl({ clientId }, redirectUri, state, challenge) {
      const url = new URL("/authorize", origin);
      url.search = new URLSearchParams({
        response_type: "code",
        client_id: clientId,
        redirect_uri: redirectUri,
        state,
        code_challenge_method: "S256",
        code_challenge: challenge,
        scopes: SCOPES.join(" "),
      }).toString();
      return url.href;
    },
    async startDevice({ clientId, clientSecret }) {
      try {
        const answer = await send((client, { StartDeviceAuthorizationCommand }) =>
          client.send(new StartDeviceAuthorizationCommand({ clientId, clientSecret: clientSecret.reveal(), startUrl: place.startUrl })),
        );
        const { deviceCode, userCode, verificationUriComplete, verificationUri, expiresIn = 600, interval = 5 } = answer;
        const url = verificationUriComplete ?? verificationUri;
        if (!deviceCode || !userCode || !url)
          throw new AgentRunError("base-credentials", "identity center gave no device code", { hint: "agent-run login" });
        return { deviceCode: new Secret(deviceCode), userCode, url, expiresAt: now() + expiresIn * 1000, intervalMs: interval * 1000 };
      } catch (error) {
        throw explained(error);
      }
    },
    pollDevice: (registration, { deviceCode }) => token(registration, { grantType: DEVICE_GRANT, deviceCode: deviceCode.reveal() }),
    exchange: (registration, code, redirectUri, codeVerifier) =>
      token(registration, { grantType: "authorization_code", code, redirectUri, codeVerifier }),
    async renew({ renewal }) {
      if (renewal === undefined || renewal.until <= now()) return { over: "expired" };
      return token(renewal, { grantType: "refresh_token", refreshToken: renewal.refreshToken.reveal() });
    },
  };
}
