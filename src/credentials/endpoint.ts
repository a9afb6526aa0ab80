// The container-credentials endpoint of one session: what SDKs ask on 127.0.0.1. Opened by session; answers from memory, refuses everything else.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { SessionCredentials } from "../aws/credentials.ts";
import type { Instant } from "../core/clock.ts";
import { sleep, within } from "../core/clock.ts";
import { mostConnections } from "../core/descriptors.ts";
import { AgentRunError, messageOf } from "../core/error.ts";
import type { SessionId } from "../core/id.ts";
import type { Secret } from "../core/secret.ts";
import { isOwnUser } from "./peer.ts";

/** One request, for the audit. Nothing in it is secret. */
export interface FetchInfo {
  /** 200, or why not: 400, 401, 403, 404, 405, 410, 503. */
  readonly status: number;
  /** `container` for SDKs, `process` for the credential_process helper; undefined when the path was neither. */
  readonly form: "container" | "process" | undefined;
  /** The key that was handed out. */
  readonly accessKeyId: string | undefined;
  readonly expiresAt: Instant | undefined;
  /** At most 120 printable characters. */
  readonly userAgent: string;
  /** What was wrong, for status other than 200. */
  readonly reason: string | undefined;
  readonly tookMs: number;
}

export interface EndpointOptions {
  readonly session: SessionId;
  readonly token: Secret;
  /** The port of a session that is resumed; the kernel chooses when absent. */
  readonly port?: number | undefined;
  /** The broker's `current`. */
  readonly credentials: () => Promise<SessionCredentials>;
  /** Must not throw. */
  readonly onFetch: (info: FetchInfo) => void;
  /** How long an answer may take while there is nothing to serve; SDKs of JavaScript give up after 1000 ms, botocore after 2000. */
  readonly patienceMs?: number | undefined;
}

export interface Endpoint extends AsyncDisposable {
  /** For AWS_CONTAINER_CREDENTIALS_FULL_URI. */
  readonly url: string;
  /** The same credentials in the form of credential_process output. */
  readonly processUrl: string;
  readonly port: number;
  /** From now on every request with the right token gets 410 and this sentence. */
  refuse(why: string): void;
  /** Refuses, drops every connection, and gives the port back. */
  close(): Promise<void>;
}

const PATIENCE_MS = 900;
/** A resumed session's port may still be held by the daemon that is going; the whole resume has 3 s. */
const PORT_WAIT_MS = 1500;
const PORT_RETRY_MS = 50;
/** All limits are for a peer on the same machine: what takes longer is not an SDK. */
const LIMITS = {
  maxHeaderSize: 8192,
  headersTimeout: 3000,
  requestTimeout: 3000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 500,
};
const MOST_CONNECTIONS = 1024;
/** Of all that the daemon can take, one session's share where descriptors are few. */
const SHARES = 4;
/** Of all endpoints of this process: descriptors are the process's too. */
let openNow = 0;

/**
 * Opens the endpoint on 127.0.0.1.
 * @throws AgentRunError `daemon` when the port cannot be had
 */
export async function openEndpoint(options: EndpointOptions): Promise<Endpoint> {
  const paths = { [`/v1/s/${options.session}/creds`]: "container", [`/v1/s/${options.session}/process`]: "process" } as const;
  let refusal: string | undefined;
  let port = 0;

  const answer = async (request: IncomingMessage): Promise<Answer> => {
    const host = request.headers.host;
    if (count(request, "host") !== 1 || (host !== `127.0.0.1:${port}` && host !== `localhost:${port}`)) {
      return refused(403, "Forbidden", "ask this endpoint by its loopback address; AWS_CONTAINER_CREDENTIALS_FULL_URI holds it");
    }
    // Browsers add one of these; no SDK does. With Host they shut out web pages and DNS rebinding. Not Sec-Fetch-Mode, which Node's own fetch sends too.
    if (["origin", "referer", "sec-fetch-site"].some((name) => request.headers[name] !== undefined)) {
      return refused(403, "Forbidden", "this endpoint does not answer browsers");
    }
    const form = paths[request.url ?? ""];
    if (form === undefined)
      return refused(404, "NotFound", "there is nothing at this path; AWS_CONTAINER_CREDENTIALS_FULL_URI holds the right one");
    if (request.method !== "GET") return { ...refused(405, "MethodNotAllowed", "only GET is answered"), form };
    if (!options.token.equals(request.headers.authorization ?? "") || count(request, "authorization") !== 1) {
      const what = request.headers.authorization === undefined ? "missing" : "wrong";
      return {
        ...refused(401, "Unauthorized", `the session's token is ${what}; AWS_CONTAINER_AUTHORIZATION_TOKEN must be as agent-run set it`),
        form,
      };
    }
    // While no daemon held the port of a resumed session, another user could take it and be sent the token: from then on the token alone does not do.
    // Before that only the agent has it, and asking the kernel takes milliseconds on a machine with many connections.
    if (options.port !== undefined && !isOwnUser(request.socket)) {
      return { ...refused(403, "Forbidden", "this endpoint answers the user who started the session only"), form };
    }
    if (refusal !== undefined) return { ...refused(410, "SessionEnded", refusal), form };
    return await serve(form);
  };

  const serve = async (form: "container" | "process"): Promise<Answer> => {
    try {
      const credentials = await within(options.credentials(), options.patienceMs ?? PATIENCE_MS);
      if (refusal !== undefined) return { ...refused(410, "SessionEnded", refusal), form };
      if (credentials === undefined)
        return { ...refused(503, "NotReady", "new credentials are being requested from aws; try again"), form };
      const body = render(form, credentials);
      if (body === undefined) return { ...refused(410, "SessionEnded", "the session has just ended"), form };
      return { status: 200, form, credentials, body };
    } catch (error) {
      if (refusal !== undefined) return { ...refused(410, "SessionEnded", refusal), form };
      const hint = error instanceof AgentRunError && error.hint ? ` (${error.hint})` : "";
      return { ...refused(503, "NoCredentials", `the session has no valid credentials now: ${messageOf(error)}${hint}`), form };
    }
  };

  const server = createServer(LIMITS, async (request, response) => {
    const start = performance.now();
    const given = await answer(request);
    send(request, response, given);
    options.onFetch({
      status: given.status,
      form: given.form,
      accessKeyId: given.credentials?.accessKeyId,
      expiresAt: given.credentials?.expiresAt,
      userAgent: (request.headers["user-agent"] ?? "").replace(/[^\x20-\x7e]/g, "?").slice(0, 120),
      reason: given.reason,
      tookMs: performance.now() - start,
    });
  });
  const mostOfAll = mostConnections(1);
  server.maxConnections = Math.min(MOST_CONNECTIONS, Math.ceil(mostOfAll / SHARES));
  server.on("connection", (socket) => {
    if (openNow >= mostOfAll) return void socket.destroy();
    openNow += 1;
    socket.once("close", () => {
      openNow -= 1;
    });
  });
  server.on("clientError", (_error, socket) => reject(socket as Socket));
  port = await listen(server, options.port);
  // Failing to accept one connection (EMFILE) must not end the daemon, which holds other sessions; the peer tries again.
  server.on("error", () => undefined);

  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    refusal ??= "the session has ended; start a new one with agent-run";
    closed ??= new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
    return closed;
  };
  const origin = `http://127.0.0.1:${port}/v1/s/${options.session}`;
  return {
    url: `${origin}/creds`,
    processUrl: `${origin}/process`,
    port,
    refuse(why) {
      refusal = why;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly form?: "container" | "process" | undefined;
  readonly credentials?: SessionCredentials;
  readonly reason?: string;
}

/** botocore prints the body as it is, so it says what to do. */
function refused(status: number, code: string, message: string): Answer {
  return { status, body: JSON.stringify({ code, message: `agent-run: ${message}` }), reason: message };
}

/**
 * The container form (SDK reference, "Container credential provider") or the credential_process form (AWS CLI guide, "Sourcing credentials with an
 * external process"). Both want an Expiration; a fraction is cut, so that it is never later than the truth.
 */
function render(form: "container" | "process", credentials: SessionCredentials): string | undefined {
  const Expiration = `${new Date(credentials.expiresAt).toISOString().slice(0, 19)}Z`;
  const AccessKeyId = credentials.accessKeyId;
  const SecretAccessKey = credentials.secretAccessKey.reveal();
  const token = credentials.sessionToken.reveal();
  // Wiped between the broker's answer and here: the session ended.
  if (SecretAccessKey === "" || token === "") return undefined;
  return form === "container"
    ? JSON.stringify({ AccessKeyId, SecretAccessKey, Token: token, Expiration })
    : JSON.stringify({ Version: 1, AccessKeyId, SecretAccessKey, SessionToken: token, Expiration });
}

function send(request: IncomingMessage, response: ServerResponse, { status, body, form }: Answer): void {
  // A helper script prints its error as it is; a bare sentence reads better there than JSON.
  const plain = form === "process" && status !== 200;
  const text = plain ? `${(JSON.parse(body) as { message: string }).message}` : body;
  const hasBody = request.headers["content-length"] !== undefined || request.headers["transfer-encoding"] !== undefined;
  response.writeHead(status, {
    "content-type": plain ? "text/plain; charset=utf-8" : "application/json",
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
    ...(status === 405 ? { allow: "GET" } : {}),
    // Nothing of a request's body is ever read.
    ...(hasBody ? { connection: "close" } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : text);
}

function count(request: IncomingMessage, name: string): number {
  return request.rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === name).length;
}

function reject(socket: Socket): void {
  if (!socket.writable) return void socket.destroy();
  const body = JSON.stringify({ code: "BadRequest", message: "agent-run: not an http request that this endpoint reads" });
  socket.end(
    `HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

async function listen(server: Server, port: number | undefined): Promise<number> {
  const until = performance.now() + (port ? PORT_WAIT_MS : 0);
  for (;;) {
    try {
      await new Promise<void>((resolve, fail) => {
        const done = (error?: Error): void => {
          server.off("error", done);
          server.off("listening", done);
          if (error) fail(error);
          else resolve();
        };
        server.once("error", done);
        server.once("listening", done);
        server.listen({ host: "127.0.0.1", port: port ?? 0, exclusive: true, backlog: 511 });
      });
      return (server.address() as AddressInfo).port;
    } catch (error) {
      if (performance.now() >= until) {
        throw new AgentRunError(
          "daemon",
          `cannot open the credential endpoint on 127.0.0.1${port ? `:${port}` : ""}: ${messageOf(error)}`,
          {
            hint: port
              ? "another program took the session's port meanwhile; start a new session"
              : "check the limits on open files: ulimit -n",
            cause: error,
          },
        );
      }
      await sleep(PORT_RETRY_MS);
    }
  }
}
