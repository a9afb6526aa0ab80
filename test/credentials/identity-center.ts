// A stand-in for IAM Identity Center: its OIDC service with both ways to sign in, and its portal, on loopback. It checks what the real one checks (client,
// PKCE, code, grant, scopes), and remembers what it was asked. Used by the tests of sign-in.
import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const DEVICE = "urn:ietf:params:oauth:grant-type:device_code";

interface Client {
  readonly secret: string;
  readonly grants: readonly string[];
  readonly redirects: readonly string[];
}

export interface IdentityCenter extends AsyncDisposable {
  readonly url: string;
  readonly startUrl: string;
  /** What points the SDK's clients, and ours, at it. */
  readonly env: Record<string, string>;
  /** Every request: `POST /token`. */
  readonly seen: string[];
  /** Confirms, or refuses, what a human was shown; undefined leaves them waiting. */
  answer: "confirm" | "refuse" | undefined;
  /** How long tokens and registrations last. */
  tokenSeconds: number;
  registrationSeconds: number;
  /** The next that many questions of a device are told to slow down. */
  slowDown: number;
  /** Every secret that it gave: none of them may be found anywhere. */
  secrets(): string[];
  /** Access tokens that are taken now. */
  readonly tokens: Set<string>;
  /** Refresh tokens that are taken now; each works once. */
  readonly refreshTokens: Set<string>;
  /** Answers the portal gives for a role; set by a test that needs keys that work. */
  roleCredentials: (
    account: string,
    role: string,
  ) => Promise<{ accessKeyId: string; secretAccessKey: string; sessionToken: string; expiration: number }>;
  /** What a browser does with the address that is shown: signs in and goes where it is sent. Gives the status of the last page. */
  browse(url: string): Promise<number>;
}

/** @param intervalSeconds between two questions of a device */
export async function identityCenter(intervalSeconds = 0.02): Promise<IdentityCenter> {
  const clients = new Map<string, Client>();
  const codes = new Map<string, { client: string; redirect: string; challenge: string }>();
  const devices = new Map<string, { client: string; userCode: string }>();
  const given: string[] = [];
  const secret = (kind: string): string => {
    const text = `${kind}-${randomBytes(24).toString("hex")}`;
    given.push(text);
    return text;
  };
  const fault = (response: ServerResponse, status: number, error: string): void =>
    reply(response, status, { error, error_description: `${error} it is` }, error);
  const tokens = (response: ServerResponse): void => {
    const [accessToken, refreshToken] = [secret("access"), secret("refresh")];
    made.tokens.add(accessToken);
    made.refreshTokens.add(refreshToken);
    reply(response, 200, { accessToken, refreshToken, tokenType: "Bearer", expiresIn: made.tokenSeconds });
  };

  const token = (body: Record<string, string>, response: ServerResponse) => {
    const client = clients.get(body["clientId"] ?? "");
    if (!client || client.secret !== body["clientSecret"]) return fault(response, 401, "invalid_client");
    const grant = body["grantType"] ?? "";
    if (!client.grants.includes(grant)) return fault(response, 400, "unauthorized_client");
    if (grant === "refresh_token")
      return made.refreshTokens.delete(body["refreshToken"] ?? "") ? tokens(response) : fault(response, 400, "invalid_grant");
    if (grant === DEVICE) {
      if (!devices.has(body["deviceCode"] ?? "")) return fault(response, 400, "invalid_grant");
      if (made.slowDown > 0) {
        made.slowDown -= 1;
        return fault(response, 400, "slow_down");
      }
      if (made.answer === undefined) return fault(response, 400, "authorization_pending");
      devices.delete(body["deviceCode"] ?? "");
      return made.answer === "confirm" ? tokens(response) : fault(response, 400, "access_denied");
    }
    const code = codes.get(body["code"] ?? "");
    codes.delete(body["code"] ?? "");
    const proof = createHash("sha256")
      .update(body["codeVerifier"] ?? "")
      .digest("base64url");
    if (!code || code.client !== body["clientId"] || code.redirect !== body["redirectUri"] || code.challenge !== proof)
      return fault(response, 400, "invalid_grant");
    return tokens(response);
  };

  const authorize = (query: URLSearchParams, response: ServerResponse) => {
    const client = clients.get(query.get("client_id") ?? "");
    const redirect = query.get("redirect_uri") ?? "";
    // Any port of loopback stands for the registered address without one.
    const registered = client?.redirects.includes(redirect.replace(/^(http:\/\/127\.0\.0\.1):\d+/, "$1"));
    const complete =
      query.get("response_type") === "code" &&
      query.get("code_challenge_method") === "S256" &&
      query.get("scopes") === "sso:account:access";
    if (!client || !registered || !complete || !query.get("state")) return fault(response, 400, "invalid_request");
    const target = new URL(redirect);
    target.searchParams.set("state", query.get("state") ?? "");
    if (made.answer === "refuse") target.searchParams.set("error", "access_denied");
    else {
      const code = secret("code");
      codes.set(code, { client: query.get("client_id") ?? "", redirect, challenge: query.get("code_challenge") ?? "" });
      target.searchParams.set("code", code);
    }
    response.writeHead(302, { location: target.href }).end();
  };

  const portal = async (request: IncomingMessage, url: URL, response: ServerResponse): Promise<void> => {
    const bearer = request.headers["x-amz-sso_bearer_token"];
    if (typeof bearer !== "string" || !made.tokens.has(bearer))
      return reply(response, 401, { message: "Session token not found or invalid" }, "UnauthorizedException");
    if (url.pathname === "/assignment/accounts")
      return reply(response, 200, {
        accountList: [
          { accountId: "123456789012", accountName: "acme dev" },
          // As whoever runs the organization called it.
          { accountId: "210987654321", accountName: "acme prod\x1b[31m" },
        ],
      });
    if (url.pathname === "/assignment/roles") {
      const accountId = url.searchParams.get("account_id");
      const roles = accountId === "123456789012" ? ["ReadOnly", "Developer"] : ["ReadOnly"];
      return reply(response, 200, { roleList: roles.map((roleName) => ({ accountId, roleName })) });
    }
    if (url.pathname === "/logout") {
      made.tokens.delete(bearer);
      return reply(response, 200, {});
    }
    const credentials = await made.roleCredentials(url.searchParams.get("account_id") ?? "", url.searchParams.get("role_name") ?? "");
    reply(response, 200, { roleCredentials: credentials });
  };

  const server = createServer(async (request, response) => {
    let text = "";
    for await (const part of request) text += part;
    const url = new URL(request.url ?? "/", made.url);
    made.seen.push(`${request.method} ${url.pathname}`);
    const body = JSON.parse(text || "{}") as Record<string, string>;
    if (url.pathname === "/client/register") {
      const { grantTypes = [], redirectUris = [] } = body as unknown as { grantTypes?: string[]; redirectUris?: string[] };
      const [clientId, clientSecret] = [`client-${clients.size}`, secret("client")];
      clients.set(clientId, { secret: clientSecret, grants: grantTypes, redirects: redirectUris });
      return reply(response, 200, {
        clientId,
        clientSecret,
        clientSecretExpiresAt: Math.floor(Date.now() / 1000) + made.registrationSeconds,
      });
    }
    if (url.pathname === "/device_authorization") {
      if (body["startUrl"] !== made.startUrl) return fault(response, 400, "invalid_request");
      const [deviceCode, userCode] = [secret("device"), "ABCD-EFGH"];
      devices.set(deviceCode, { client: body["clientId"] ?? "", userCode });
      const verificationUri = `${made.url}/device`;
      return reply(response, 200, {
        deviceCode,
        userCode,
        verificationUri,
        verificationUriComplete: `${verificationUri}?user_code=${userCode}`,
        expiresIn: 600,
        interval: intervalSeconds,
      });
    }
    if (url.pathname === "/token") return token(body, response);
    if (url.pathname === "/authorize") return authorize(url.searchParams, response);
    await portal(request, url, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const made: IdentityCenter = {
    url: address,
    startUrl: "https://acme.awsapps.com/start",
    env: { AWS_ENDPOINT_URL_SSO: address, AWS_ENDPOINT_URL_SSO_OIDC: address },
    seen: [],
    answer: "confirm",
    tokenSeconds: 3600,
    registrationSeconds: 90 * 86_400,
    slowDown: 0,
    secrets: () => given,
    tokens: new Set(),
    refreshTokens: new Set(),
    roleCredentials: async () => ({
      accessKeyId: "ASIAIOSFODNN7EXAMPLE",
      secretAccessKey: "ssoSecret",
      sessionToken: "ssoToken",
      expiration: Date.now() + 3_600_000,
    }),
    async browse(url) {
      const first = await fetch(url, { redirect: "manual" });
      const location = first.headers.get("location");
      return location === null ? first.status : (await fetch(location)).status;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return made;
}

function reply(response: ServerResponse, status: number, value: unknown, type?: string): void {
  const name = type?.replace(/(^|_)(\w)/g, (_, _gap: string, letter: string) => letter.toUpperCase()).replace(/(Exception)?$/, "Exception");
  response.writeHead(status, { "content-type": "application/json", ...(name === undefined ? {} : { "x-amzn-errortype": name }) });
  response.end(JSON.stringify(value));
}
