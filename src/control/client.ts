// Requests to the daemon and the opening of a lease, over its Unix socket. Called by start-daemon.ts and by every command that asks the daemon.
// HTTP/1.1 by hand on node:net: loading node:http costs 40 ms, more than the rest of the launcher's start together.
import { connect, type Socket } from "node:net";
import { AgentRunError, messageOf } from "../core/error.ts";
import { type Lease, lineOf, makeLease } from "./lease.ts";
import {
  CONTROL_HOST,
  type DaemonMessage,
  daemonMessage,
  EXACTLY_HEADER,
  failure,
  type LauncherMessage,
  LEASE_UPGRADE,
  PID_HEADER,
  PROTOCOL,
  PROTOCOL_HEADER,
  VERSION_HEADER,
} from "./protocol.ts";
import { checked, Mismatch, type Shape } from "./shape.ts";
import { fromWireError } from "./wire-error.ts";

const ANSWER_MS = 5000;
const TOO_LATE = "too late";
const HUNG_HINT = "look at 'agent-run daemon logs'; the next launch replaces a daemon that hangs";
const LONGEST_HEAD = 16_384;
const LONGEST_BODY = 8_388_608;

interface Reply {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  /** The body; after `101`, the first bytes of what follows. */
  readonly body: Buffer;
}

/** What is asked of the daemon. */
export interface Question<T> {
  /** `/v1/status` */
  readonly path: string;
  /** Sent as JSON by POST; where there is none it is a GET. */
  readonly body?: unknown;
  readonly answer: Shape<T>;
  /** How long to wait for the whole answer; 5 s unless told otherwise. */
  readonly limitMs?: number | undefined;
}

/**
 * One request with a JSON answer.
 * @throws AgentRunError: what the daemon answered; `daemon` when none answers (see `nobodyAnswers`) or it answers nonsense
 */
export async function requestJson<T>(socketPath: string, question: Question<T>): Promise<T> {
  const { path, body, answer, limitMs = ANSWER_MS } = question;
  const method = body === undefined ? "GET" : "POST";
  const payload = body === undefined ? "" : JSON.stringify(body);
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${CONTROL_HOST}`, "Connection: close"];
  if (payload !== "") lines.push("Content-Type: application/json", `Content-Length: ${Buffer.byteLength(payload)}`);
  const socket = connect({ path: socketPath });
  try {
    const reply = await exchange(socket, `${lines.join("\r\n")}\r\n\r\n${payload}`, limitMs);
    if (reply.status !== 200) throw refusal(reply);
    const parsed = checked(answer, parseJson(reply.body));
    if (parsed instanceof Mismatch)
      throw new AgentRunError("daemon", `the daemon's answer to ${method} ${path} makes no sense to this version`);
    return parsed.value;
  } finally {
    socket.destroy();
  }
}

export interface OpenedLease {
  readonly lease: Lease<LauncherMessage, DaemonMessage>;
  /** Of the daemon. */
  readonly version: string;
  readonly pid: number;
}

/**
 * Opens a lease (`GET /v1/lease`, `Upgrade: agent-run-lease`).
 * @param version this launcher's version
 * @param first sent together with the request, and only to a daemon of just this version
 * @throws AgentRunError `daemon-version` when the protocols differ, or with `first` the versions; `daemon` when none answers
 */
export async function openLease(socketPath: string, version: string, first?: LauncherMessage): Promise<OpenedLease> {
  const request = [
    "GET /v1/lease HTTP/1.1",
    `Host: ${CONTROL_HOST}`,
    "Connection: Upgrade",
    `Upgrade: ${LEASE_UPGRADE}`,
    `${VERSION_HEADER}: ${version}`,
    `${PROTOCOL_HEADER}: ${PROTOCOL}`,
    ...(first === undefined ? [] : [`${EXACTLY_HEADER}: ${version}`]),
  ].join("\r\n");
  const early = first === undefined ? "" : lineOf(first, "daemon");
  const socket = connect({ path: socketPath });
  try {
    const reply = await exchange(socket, `${request}\r\n\r\n${early}`, ANSWER_MS);
    if (reply.status !== 101) throw refusal(reply);
    return {
      lease: makeLease<LauncherMessage, DaemonMessage>(socket, daemonMessage, "daemon", reply.body),
      version: reply.headers.get(VERSION_HEADER) ?? "",
      pid: Number(reply.headers.get(PID_HEADER)),
    };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** Whether a failed request means that there is no daemon, or one that was leaving: then another may be started. */
export function nobodyAnswers(thrown: unknown): boolean {
  if (!(thrown instanceof AgentRunError) || thrown.code !== "daemon" || !(thrown.cause instanceof Error)) return false;
  return "code" in thrown.cause && ["ENOENT", "ECONNREFUSED", "ECONNRESET", "EPIPE"].includes(String(thrown.cause.code));
}

/** Whether a request failed because a daemon took it and did not answer in time. */
export function noAnswerInTime(thrown: unknown): boolean {
  return thrown instanceof AgentRunError && thrown.code === "daemon" && thrown.cause === TOO_LATE;
}

/** Sends the request and reads one reply. The socket is left paused, without listeners; after `101` it goes on. */
function exchange(socket: Socket, request: string, limitMs: number): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  let received: Buffer = Buffer.alloc(0);
  const listeners = {
    data: (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      try {
        const reply = readReply(received);
        if (!reply) return;
        socket.pause();
        resolve(reply);
      } catch (error) {
        reject(error);
      }
    },
    end: (): void => reject(unreachable(Object.assign(new Error("the connection was closed"), { code: "ECONNRESET" }))),
    error: (error: Error): void => reject(unreachable(error)),
  };
  const timer = setTimeout(
    () => reject(new AgentRunError("daemon", `the daemon does not answer within ${limitMs} ms`, { hint: HUNG_HINT, cause: TOO_LATE })),
    limitMs,
  );
  for (const [name, listener] of Object.entries(listeners)) socket.on(name, listener);
  socket.write(request);
  return promise.finally(() => {
    clearTimeout(timer);
    socket.pause();
    for (const [name, listener] of Object.entries(listeners)) socket.off(name, listener);
    socket.on("error", () => {});
  });
}

/** A complete reply, or undefined while bytes are missing. Our daemon always sends a Content-Length (RFC 9112, 6.2). */
function readReply(received: Buffer): Reply | undefined {
  const end = received.indexOf("\r\n\r\n");
  if (end < 0 && received.length <= LONGEST_HEAD) return undefined;
  const [statusLine = "", ...lines] = received.toString("latin1", 0, Math.max(0, end)).split("\r\n");
  const status = Number(/^HTTP\/1\.1 (\d{3})(?: |$)/.exec(statusLine)?.[1]);
  const headers = new Map(lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]));
  const rest = received.subarray(end + 4);
  if (status === 101) return { status, headers, body: rest };
  const length = Number(/^\d+$/.exec(headers.get("content-length") ?? "")?.[0] ?? "NaN");
  if (end < 0 || Number.isNaN(status) || !Number.isSafeInteger(length) || length > LONGEST_BODY) {
    throw new AgentRunError("daemon", "what listens on the control socket is not an agent-run daemon");
  }
  return rest.length < length ? undefined : { status, headers, body: rest.subarray(0, length) };
}

function refusal(reply: Reply): AgentRunError {
  const parsed = checked(failure, parseJson(reply.body));
  if (!(parsed instanceof Mismatch)) return fromWireError(parsed.value.error);
  return new AgentRunError("daemon", `the daemon refused the request (status ${reply.status})`);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}

function unreachable(cause: Error): AgentRunError {
  const isClosed = "code" in cause && cause.code === "EACCES";
  const hint = isClosed ? "its folder must be yours, and open to you: chmod 700" : "agent-run daemon start";
  return new AgentRunError("daemon", `no daemon answers: ${messageOf(cause)}`, { hint, cause });
}
