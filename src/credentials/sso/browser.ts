// Signing in with the browser of this machine: authorisation code with PKCE (RFC 7636) and a redirect to loopback (RFC 8252). Called by the login command.
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { AgentRunError } from "../../core/error.ts";
import type { Oidc } from "./oidc.ts";
import type { SsoSession } from "./session.ts";

const PATH = "/oauth/callback";
/** As long as Identity Center's own page waits for a human. */
const PATIENCE_MS = 600_000;

/**
 * Opens the sign-in page and waits for the browser to come back.
 * @param open shows the address, and brings a browser there if it can
 * @throws AgentRunError `base-credentials` when it is refused or nobody comes back, `sts-unreachable`
 */
export async function signInByBrowser(oidc: Oidc, open: (url: string) => void, patienceMs = PATIENCE_MS): Promise<SsoSession> {
  const registration = await oidc.register("browser");
  const state = randomBytes(32).toString("base64url");
  const verifier = randomBytes(48).toString("base64url");
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  await using callback = await listen(state);
  open(oidc.authorizeUrl(registration, callback.redirectUri, state, challenge));
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(failed("the browser did not come back in time")), patienceMs);
  try {
    const code = await Promise.race([callback.code, late.promise]);
    const answer = await oidc.exchange(registration, code, callback.redirectUri, verifier);
    if ("session" in answer) return answer.session;
    throw failed("identity center does not take the code that the browser brought");
  } finally {
    clearTimeout(timer);
  }
}

const failed = (what: string): AgentRunError =>
  new AgentRunError("base-credentials", what, { hint: "agent-run login begins anew; agent-run login --device needs no browser here" });

interface Callback extends AsyncDisposable {
  readonly redirectUri: string;
  readonly code: Promise<string>;
}

/** Takes the first request that has the state; what others send is answered and changes nothing, so that nobody can end a sign-in but who began it. */
async function listen(state: string): Promise<Callback> {
  const { promise: code, resolve, reject } = Promise.withResolvers<string>();
  code.catch(() => undefined);
  let host = "";
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000, maxHeaderSize: 16_384 }, (request, response) => {
    // A browser asks for more than it was sent to, also on connections of before the end, when the server has no address any more.
    const url = URL.parse(request.url ?? "/", `http://${host}`);
    const ours =
      request.method === "GET" && url?.pathname === PATH && request.headers.host === host && isState(url.searchParams.get("state"), state);
    if (!ours) return say(request, response, 400, "This is not the answer that agent-run waits for. You can close this page.");
    const given = url.searchParams.get("code");
    if (url.searchParams.has("error") || !given) {
      say(request, response, 200, "The sign-in was refused. You can close this page.");
      reject(failed("the sign-in was refused in the browser"));
    } else {
      say(request, response, 200, "You are signed in to agent-run. You can close this page.");
      resolve(given);
    }
  });
  await new Promise<void>((done, fail) => {
    server.once("error", (error) => fail(failed(`cannot listen on 127.0.0.1: ${error.message}`)));
    server.listen(0, "127.0.0.1", done);
  });
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    redirectUri: `http://${host}${PATH}`,
    code,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeIdleConnections();
      setTimeout(() => server.closeAllConnections(), 1000).unref();
    },
  };
}

function isState(given: string | null, state: string): boolean {
  const [one, other] = [Buffer.from(given ?? ""), Buffer.from(state)];
  return one.length === other.length && timingSafeEqual(one, other);
}

/** Nothing of the request is in it. */
function say(_request: IncomingMessage, response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'",
    "referrer-policy": "no-referrer",
    connection: "close",
  });
  response.end(`<!doctype html><meta charset="utf-8"><title>agent-run</title><p>${text}</p>\n`);
}
