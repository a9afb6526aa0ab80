// The daemon's door: an HTTP server on a Unix socket. One entrance checks who asks and how, then looks the name up in routes.ts.
import { chmodSync, renameSync, rmSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { dirname, join } from "node:path";
import type { Duplex } from "node:stream";
import { makeLease } from "../control/lease.ts";
import {
  CONTROL_HOST,
  EXACTLY_HEADER,
  LEASE_UPGRADE,
  launcherMessage,
  PID_HEADER,
  PROTOCOL,
  PROTOCOL_HEADER,
  VERSION_HEADER,
} from "../control/protocol.ts";
import { toWireError } from "../control/wire-error.ts";
import { AgentRunError, type ErrorCode, messageOf } from "../core/error.ts";
import { withRoom } from "../core/spare-room.ts";
import type { Log } from "./log.ts";
import { routes, type Served } from "./routes.ts";

export interface ControlDoor extends AsyncDisposable {
  /** Open connections, leases included. */
  connections(): number;
  /** Calls back whenever the last connection has closed. */
  onQuiet(handler: () => void): void;
  /** Whether the socket's path still leads to this daemon. */
  reachable(): boolean;
  /** Takes the path away, so that the next launcher finds nobody and starts anew; open connections go on. */
  hide(): void;
}

const LONGEST_BODY = 65_536;
/** From the connection to the last header, and to the last byte of the body; a launcher sends both at once. */
const HEAD_MS = 5000;
const REQUEST_MS = 10_000;
/** From the upgrade to the `open` message. */
const FIRST_MESSAGE_MS = 10_000;
const MOST_CONNECTIONS = 1000;
/** How long open connections may take to get their last bytes when the daemon leaves. */
const DRAIN_MS = 1000;

const STATUS_OF: Partial<Record<ErrorCode, number>> = { usage: 400, "session-not-found": 404, "daemon-version": 409 };

/**
 * Listens on `path` (0600), replacing what a dead daemon left there: the caller holds the daemon's lock.
 * @throws AgentRunError `runtime-folder`
 */
export async function openDoor(path: string, served: Served, log: Log): Promise<ControlDoor> {
  const server = createServer({
    headersTimeout: HEAD_MS,
    requestTimeout: REQUEST_MS,
    connectionsCheckingInterval: 500,
    keepAliveTimeout: 1000,
    maxHeaderSize: 16_384,
  });
  server.maxConnections = MOST_CONNECTIONS;
  const open = new Set<Socket>();
  let quiet = (): void => {};
  server.on("connection", (socket) => {
    open.add(socket);
    socket.once("close", () => {
      open.delete(socket);
      if (open.size === 0) quiet();
    });
  });
  server.on("request", (request, response) => void answer(request, response, served, log));
  server.on("upgrade", (request, socket, head) => acceptLease(request, socket, head, served, log));
  server.on("clientError", (_error, socket) => refuse(socket, 400, new AgentRunError("usage", "the request is not HTTP")));

  await listen(server, path);
  // Failing to accept one connection (EMFILE) must not end the daemon, which holds sessions; the launcher tries again.
  server.on("error", (error) => log.line(`cannot accept a connection: ${messageOf(error)}`));
  const own = statSync(path);
  const reachable = (): boolean => {
    try {
      const now = statSync(path);
      return now.ino === own.ino && now.dev === own.dev;
    } catch {
      // Gone, or nobody gets there any more.
      return false;
    }
  };
  const hide = (): void => {
    try {
      if (reachable()) rmSync(path, { force: true });
    } catch (error) {
      // A launcher that still finds it is told that the daemon is leaving.
      log.line(`cannot remove the control socket: ${messageOf(error)}`);
    }
  };
  return {
    connections: () => open.size,
    onQuiet(handler) {
      quiet = handler;
    },
    reachable,
    hide,
    async [Symbol.asyncDispose]() {
      hide();
      server.close();
      server.closeIdleConnections();
      const late = setTimeout(() => {
        for (const socket of open) socket.destroy();
      }, DRAIN_MS);
      await Promise.all([...open].map((socket) => new Promise((resolve) => socket.once("close", resolve))));
      clearTimeout(late);
    },
  };
}

/** The socket appears under its own name only when it answers; Node then removes the other name at the end, never that of a successor. */
async function listen(server: Server, path: string): Promise<void> {
  const unfinished = join(dirname(path), "new.sock");
  try {
    rmSync(unfinished, { force: true });
    await withRoom(dirname(path), async () => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      server.once("error", reject);
      server.listen(unfinished, resolve);
      await promise;
      server.off("error", reject);
    });
    chmodSync(unfinished, 0o600);
    renameSync(unfinished, path);
  } catch (error) {
    server.close();
    throw new AgentRunError("runtime-folder", `cannot listen on ${path}: ${messageOf(error)}`, {
      hint: `chmod 700 ${dirname(path)}, or set AGENT_RUN_HOME to a folder of your own`,
      cause: error,
    });
  }
}

/** Why a request is not even looked at. Nothing of ours sends Origin or Referer: that is a page in a browser that found a way here. */
function unwanted(request: IncomingMessage): string | undefined {
  const { headers, headersDistinct } = request;
  if (headers.origin !== undefined || headers.referer !== undefined) return "a request from a web page";
  if (headersDistinct["host"]?.length !== 1 || headers.host !== CONTROL_HOST) return "a request for another host";
  return undefined;
}

async function answer(request: IncomingMessage, response: ServerResponse, served: Served, log: Log): Promise<void> {
  try {
    const reason = unwanted(request);
    if (reason !== undefined) return reply(response, 403, { error: toWireError(new AgentRunError("usage", `refused: ${reason}`)) });
    const handler = routes.get(`${request.method} ${request.url}`);
    if (!handler) return reply(response, 404, { error: toWireError(new AgentRunError("usage", "the daemon has no such path")) });
    reply(response, 200, await handler(served, await readBody(request)));
  } catch (error) {
    if (!(error instanceof AgentRunError)) log.line(`${request.method} ${request.url} failed: ${messageOf(error)}`);
    const wire = toWireError(error);
    reply(response, STATUS_OF[wire.code] ?? 500, { error: wire });
  }
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent || response.destroyed) return;
  const text = JSON.stringify(body);
  // A refused request may have a body that nobody reads: the connection is of no more use.
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    ...(status === 200 ? {} : { connection: "close" }),
  });
  response.end(text);
}

/** The body as a value, undefined when there is none. */
async function readBody(request: IncomingMessage): Promise<unknown> {
  if (request.method === "GET") return undefined;
  if (request.headers["content-type"] !== "application/json") throw new AgentRunError("usage", "the body must be application/json");
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > LONGEST_BODY) throw new AgentRunError("usage", `the body is longer than ${LONGEST_BODY} bytes`);
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString("utf8"));
  } catch {
    throw new AgentRunError("usage", "the body is not JSON");
  }
}

function acceptLease(request: IncomingMessage, socket: Duplex, head: Buffer, served: Served, log: Log): void {
  socket.on("error", () => {});
  const problem = leaseProblem(request, served.version);
  if (problem) {
    refuse(socket, problem.status, problem.error);
    return;
  }
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${LEASE_UPGRADE}\r\n` +
      `${VERSION_HEADER}: ${served.version}\r\n${PROTOCOL_HEADER}: ${PROTOCOL}\r\n${PID_HEADER}: ${process.pid}\r\n\r\n`,
  );
  const lease = makeLease(socket as Socket, launcherMessage, "launcher", head);
  const impatient = setTimeout(() => lease.close(), FIRST_MESSAGE_MS);
  lease.onMessage((first) => {
    clearTimeout(impatient);
    if (first.type !== "open") lease.close();
    else if (!served.leaving()) served.host.open(first, lease);
    else {
      lease.send({ type: "failed", error: toWireError(new AgentRunError("daemon", "the daemon is leaving", { hint: "try again" })) });
      lease.close();
    }
  });
  void lease.closed.then((error) => {
    clearTimeout(impatient);
    if (error) log.line(`a lease was cut: ${error.message}`);
  });
}

/** Why an upgrade is refused. */
function leaseProblem(request: IncomingMessage, version: string): { status: number; error: AgentRunError } | undefined {
  const reason = unwanted(request);
  if (reason !== undefined) return { status: 403, error: new AgentRunError("usage", `refused: ${reason}`) };
  if (`${request.method} ${request.url}` !== "GET /v1/lease" || request.headers.upgrade !== LEASE_UPGRADE) {
    return { status: 404, error: new AgentRunError("usage", "the daemon has no such path") };
  }
  const exactly = request.headers[EXACTLY_HEADER];
  if (request.headers[PROTOCOL_HEADER] === String(PROTOCOL) && (exactly === undefined || exactly === version)) return undefined;
  const message = `the daemon is version ${version} and speaks protocol ${PROTOCOL}, this launcher another`;
  return { status: 409, error: new AgentRunError("daemon-version", message, { hint: "agent-run daemon stop" }) };
}

/** Answers a connection that never became a request, and hangs up. */
function refuse(socket: Duplex, status: number, error: AgentRunError): void {
  const text = JSON.stringify({ error: toWireError(error) });
  const head = `HTTP/1.1 ${status} Refused\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close`;
  if (socket.writable) socket.end(`${head}\r\n\r\n${text}`);
  else socket.destroy();
}
