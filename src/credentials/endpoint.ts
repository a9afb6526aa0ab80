// The container-credentials endpoint of one session: what SDKs ask on 127.0.0.1. Opened by session; answers from memory, refuses everything else.
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { SessionCredentials } from "../aws/credentials.ts";
import type { Instant } from "../core/clock.ts";
import { sleep } from "../core/clock.ts";
import { mostConnections } from "../core/descriptors.ts";
import { AgentRunError, messageOf } from "../core/error.ts";
import type { SessionId } from "../core/id.ts";
import type { Secret } from "../core/secret.ts";
import { type Answer, answerTo, type Form, send } from "./endpoint-answer.ts";

/** One request, for the audit. Nothing in it is secret. */
export interface FetchInfo {
  /** 200, or why not: 400, 401, 403, 404, 405, 410, 503. */
  readonly status: number;
  /** Undefined when the path was neither form's. */
  readonly form: Form | undefined;
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
  let refusal: string | undefined;
  let port = 0;
  const paths: Readonly<Record<string, Form>> = {
    [`/v1/s/${options.session}/creds`]: "container",
    [`/v1/s/${options.session}/process`]: "process",
  };
  const { token, credentials, patienceMs = PATIENCE_MS } = options;
  const isResumed = options.port !== undefined;

  const server = createServer(LIMITS, async (request, response) => {
    const start = performance.now();
    const answer = await answerTo(request, { port, isResumed, paths, token, refusal: () => refusal, credentials, patienceMs });
    send(request, response, answer);
    options.onFetch(infoOf(request, answer, performance.now() - start));
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

function infoOf(request: IncomingMessage, { status, form, credentials, reason }: Answer, tookMs: number): FetchInfo {
  const userAgent = (request.headers["user-agent"] ?? "").replace(/[^\x20-\x7e]/g, "?").slice(0, 120);
  return { status, form, accessKeyId: credentials?.accessKeyId, expiresAt: credentials?.expiresAt, userAgent, reason, tookMs };
}

/** Answers what is no HTTP. */
function reject(socket: Socket): void {
  if (!socket.writable) return void socket.destroy();
  const body = JSON.stringify({ code: "BadRequest", message: "agent-run: not an http request that this endpoint reads" });
  socket.end(
    `HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

/** Binds it to `port`, which may be held a moment longer, or to one of the kernel's choice, and gives the port. */
async function listen(server: Server, port = 0): Promise<number> {
  const until = performance.now() + (port === 0 ? 0 : PORT_WAIT_MS);
  for (;;) {
    try {
      server.listen({ host: "127.0.0.1", port, exclusive: true, backlog: 511 });
      await once(server, "listening");
      return (server.address() as AddressInfo).port;
    } catch (error) {
      if (performance.now() >= until) throw cannotListen(port, error);
      await sleep(PORT_RETRY_MS);
    }
  }
}

function cannotListen(port: number, cause: unknown): AgentRunError {
  const [where, hint] =
    port === 0
      ? ["", "check the limits on open files: ulimit -n"]
      : [`:${port}`, "another program took the session's port meanwhile; start a new session"];
  return new AgentRunError("daemon", `cannot open the credential endpoint on 127.0.0.1${where}: ${messageOf(cause)}`, { hint, cause });
}
