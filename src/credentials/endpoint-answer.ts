// What the credential endpoint of a session says to one request: who may ask, what is served, and why not. Used by endpoint.ts.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { SessionCredentials } from "../aws/credentials.ts";
import { within } from "../core/clock.ts";
import { AgentRunError, messageOf } from "../core/error.ts";
import type { Secret } from "../core/secret.ts";
import { isOwnUser } from "./peer.ts";

/** `container` for SDKs, `process` for the credential_process helper. */
export type Form = "container" | "process";

export interface Answer {
  readonly status: number;
  readonly body: string;
  /** Undefined when the path was neither form's. */
  readonly form?: Form;
  /** What was handed out. */
  readonly credentials?: SessionCredentials;
  /** What was wrong, for a status other than 200. */
  readonly reason?: string;
}

/** One session's door: what a request must know, and where its credentials come from. */
export interface Door {
  readonly port: number;
  /** The port was another daemon's before. */
  readonly isResumed: boolean;
  readonly paths: Readonly<Record<string, Form>>;
  readonly token: Secret;
  /** Why nothing is served any more. */
  readonly refusal: () => string | undefined;
  readonly credentials: () => Promise<SessionCredentials>;
  readonly patienceMs: number;
}

/** Checks one request from its address to its token, and answers it; does not throw. */
export async function answerTo(request: IncomingMessage, door: Door): Promise<Answer> {
  const { host, authorization } = request.headers;
  if (count(request, "host") !== 1 || (host !== `127.0.0.1:${door.port}` && host !== `localhost:${door.port}`))
    return refused(403, "Forbidden", "ask this endpoint by its loopback address; AWS_CONTAINER_CREDENTIALS_FULL_URI holds it");
  // Browsers add one of these; no SDK does. With Host they shut out web pages and DNS rebinding. Not Sec-Fetch-Mode, which Node's own fetch sends too.
  if (["origin", "referer", "sec-fetch-site"].some((name) => request.headers[name] !== undefined))
    return refused(403, "Forbidden", "this endpoint does not answer browsers");
  const form = door.paths[request.url ?? ""];
  if (form === undefined)
    return refused(404, "NotFound", "there is nothing at this path; AWS_CONTAINER_CREDENTIALS_FULL_URI holds the right one");
  if (request.method !== "GET") return { ...refused(405, "MethodNotAllowed", "only GET is answered"), form };
  if (!door.token.equals(authorization ?? "") || count(request, "authorization") !== 1) {
    const what = authorization === undefined ? "missing" : "wrong";
    const hint = `the session's token is ${what}; AWS_CONTAINER_AUTHORIZATION_TOKEN must be as agent-run set it`;
    return { ...refused(401, "Unauthorized", hint), form };
  }
  // While no daemon held the port of a resumed session, another user could take it and be sent the token: from then on the token alone does not do.
  // Before that only the agent has it, and asking the kernel takes milliseconds on a machine with many connections.
  if (door.isResumed && !isOwnUser(request.socket))
    return { ...refused(403, "Forbidden", "this endpoint answers the user who started the session only"), form };
  return { ...(refusalOf(door) ?? (await served(form, door))), form };
}

async function served(form: Form, door: Door): Promise<Answer> {
  try {
    const credentials = await within(door.credentials(), door.patienceMs);
    const over = refusalOf(door);
    if (over) return over;
    if (credentials === undefined) return refused(503, "NotReady", "new credentials are being requested from aws; try again");
    const body = render(form, credentials);
    return body === undefined ? refused(410, "SessionEnded", "the session has just ended") : { status: 200, credentials, body };
  } catch (error) {
    const hint = error instanceof AgentRunError && error.hint ? ` (${error.hint})` : "";
    return refusalOf(door) ?? refused(503, "NoCredentials", `the session has no valid credentials now: ${messageOf(error)}${hint}`);
  }
}

function refusalOf(door: Door): Answer | undefined {
  const why = door.refusal();
  return why === undefined ? undefined : refused(410, "SessionEnded", why);
}

/** botocore prints the body as it is, so it says what to do. */
function refused(status: number, code: string, message: string): Answer {
  return { status, body: JSON.stringify({ code, message: `agent-run: ${message}` }), reason: message };
}

/**
 * The container form (SDK reference, "Container credential provider") or the credential_process form (AWS CLI guide, "Sourcing credentials with an
 * external process"). Both want an Expiration; a fraction is cut, so that it is never later than the truth.
 */
function render(form: Form, credentials: SessionCredentials): string | undefined {
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

/** Writes an answer out. */
export function send(request: IncomingMessage, response: ServerResponse, { status, body, form }: Answer): void {
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
