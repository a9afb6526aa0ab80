// IAM Identity Center's OIDC service by the SDK's client: registration, the two ways to sign in, renewal. Called by browser.ts, device.ts and own-sessions.ts.
import type { CreateTokenCommandInput, CreateTokenCommandOutput, SSOOIDCClient } from "@aws-sdk/client-sso-oidc";
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

type Sdk = typeof import("@aws-sdk/client-sso-oidc");
type Grant = Omit<CreateTokenCommandInput, "clientId" | "clientSecret">;

/** The service of one place. Each request throws AgentRunError `base-credentials` or `sts-unreachable`. */
export class Oidc {
  readonly #place: SsoPlace;
  readonly #env: Environment;
  readonly #now: () => Instant;
  readonly #origin: string;

  /** @param env the human's, for proxies, certificate authorities and AWS_ENDPOINT_URL_SSO_OIDC */
  constructor(place: SsoPlace, env: Environment, now: () => Instant) {
    this.#place = place;
    this.#env = env;
    this.#now = now;
    this.#origin = ssoEndpoint("oidc", place.region, env);
  }

  async register(way: "browser" | "device"): Promise<Registration> {
    const { clientId, clientSecret, clientSecretExpiresAt } = await this.#ask((client, { RegisterClientCommand }) =>
      client.send(
        new RegisterClientCommand({
          clientName: CLIENT_NAME,
          clientType: "public",
          scopes: SCOPES,
          grantTypes: [way === "browser" ? "authorization_code" : DEVICE_GRANT, "refresh_token"],
          ...(way === "browser" ? { redirectUris: [REDIRECT], issuerUrl: this.#place.startUrl } : {}),
        }),
      ),
    );
    if (!clientId || !clientSecret) throw lacking("identity center registered no client");
    return { clientId, clientSecret: new Secret(clientSecret), until: (clientSecretExpiresAt ?? 0) * 1000 };
  }

  /** What the browser opens. */
  authorizeUrl({ clientId }: Registration, redirectUri: string, state: string, challenge: string): string {
    const url = new URL("/authorize", this.#origin);
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
  }

  async startDevice({ clientId, clientSecret }: Registration): Promise<DeviceCode> {
    const { startUrl } = this.#place;
    const answer = await this.#ask((client, { StartDeviceAuthorizationCommand }) =>
      client.send(new StartDeviceAuthorizationCommand({ clientId, clientSecret: clientSecret.reveal(), startUrl })),
    );
    const { deviceCode, userCode, verificationUriComplete, verificationUri, expiresIn = 600, interval = 5 } = answer;
    const url = verificationUriComplete ?? verificationUri;
    if (!deviceCode || !userCode || !url) throw lacking("identity center gave no device code");
    const expiresAt = this.#now() + expiresIn * 1000;
    return { deviceCode: new Secret(deviceCode), userCode, url, expiresAt, intervalMs: interval * 1000 };
  }

  /** One question whether the human has confirmed. */
  pollDevice(registration: Registration, { deviceCode }: DeviceCode): Promise<TokenAnswer> {
    return this.#token(registration, { grantType: DEVICE_GRANT, deviceCode: deviceCode.reveal() });
  }

  /** For the code that the browser brought back to `redirectUri`. */
  exchange(registration: Registration, code: string, redirectUri: string, codeVerifier: string): Promise<TokenAnswer> {
    return this.#token(registration, { grantType: "authorization_code", code, redirectUri, codeVerifier });
  }

  async renew({ renewal }: SsoSession): Promise<TokenAnswer> {
    if (renewal === undefined || renewal.until <= this.#now()) return { over: "expired" };
    return await this.#token(renewal, { grantType: "refresh_token", refreshToken: renewal.refreshToken.reveal() });
  }

  async #token(registration: Registration, grant: Grant): Promise<TokenAnswer> {
    const { clientId, clientSecret } = registration;
    try {
      const answer = await this.#send((client, { CreateTokenCommand }) =>
        client.send(new CreateTokenCommand({ clientId, clientSecret: clientSecret.reveal(), ...grant })),
      );
      return { session: this.#sessionOf(answer, registration, grant.refreshToken) };
    } catch (error) {
      const { name } = readFailure(error);
      if (name === "AuthorizationPendingException") return { wait: "pending" };
      if (name === "SlowDownException") return { wait: "slower" };
      if (name === "AccessDeniedException") return { over: "denied" };
      if (/^(ExpiredToken|InvalidGrant|InvalidClient|UnauthorizedClient)Exception$/.test(name)) return { over: "expired" };
      throw this.#explained(error);
    }
  }

  /** @param before the refresh token that was used, which stays where the answer brings none */
  #sessionOf(answer: CreateTokenCommandOutput, registration: Registration, before: string | undefined): SsoSession {
    const { accessToken, expiresIn, refreshToken = before } = answer;
    if (!accessToken || !expiresIn) throw lacking("identity center answered without a token");
    return {
      startUrl: this.#place.startUrl,
      region: this.#place.region,
      accessToken: new Secret(accessToken),
      expiresAt: this.#now() + expiresIn * 1000,
      renewal: refreshToken === undefined ? undefined : { ...registration, refreshToken: new Secret(refreshToken) },
    };
  }

  async #ask<Answer>(run: (client: SSOOIDCClient, sdk: Sdk) => Promise<Answer>): Promise<Answer> {
    try {
      return await this.#send(run);
    } catch (error) {
      throw this.#explained(error);
    }
  }

  async #send<Answer>(run: (client: SSOOIDCClient, sdk: Sdk) => Promise<Answer>): Promise<Answer> {
    const sdk = await import("@aws-sdk/client-sso-oidc");
    return await run(await ssoOidcClient(this.#place.region, this.#env), sdk);
  }

  #explained(error: unknown): AgentRunError {
    if (error instanceof AgentRunError) return error;
    const { name, text, status } = readFailure(error);
    const said = printable((error as { error_description?: string }).error_description ?? text);
    return (
      networkFailure({ name, text, status }, this.#origin) ??
      new AgentRunError("base-credentials", `identity center refuses the sign-in: ${name}${said === "" ? "" : `: '${said}'`}`, {
        hint: `check start url ${this.#place.startUrl} and region ${this.#place.region}`,
      })
    );
  }
}

const lacking = (what: string): AgentRunError => new AgentRunError("base-credentials", what, { hint: "agent-run login" });
