// The way of one request: dispatch, trouble, authentication, body, handler, record, answer. Called by cloud.ts for each request.
import { randomBytes, randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { sleep } from "../core/clock.ts";
import { messageOf } from "../core/error.ts";
import { authenticate } from "./authenticate.ts";
import { readBody } from "./body.ts";
import { type Call, type Cloud, type HttpHead, header, type Reply, type Service } from "./call.ts";
import { callerContext, callerOf } from "./caller.ts";
import { AwsFault } from "./fault.ts";
import { faultReply } from "./reply.ts";
import { decodeChunks, STREAMING, type Streaming } from "./s3/chunks.ts";
import { type Claim, readClaim, sha256 } from "./signature.ts";

const LARGEST_REQUEST = 1024 * 1024;
/** One object or part; larger ones go in parts. */
const LARGEST_OBJECT = 256 * 1024 * 1024;
/** What chunk signatures may add. */
const CHUNK_ROOM = 4 * 1024 * 1024;

/** Takes a request to its answer, which may be an error of the service's protocol. */
export async function serveRequest(
  cloud: Cloud,
  services: ReadonlyMap<string, Service>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const head = readHead(request);
  const claim = readClaim(head);
  const service = serviceOf(services, head, claim && "scope" in claim ? claim : undefined);
  const requestId = service.dialect === "s3" ? randomBytes(8).toString("hex").toUpperCase() : randomUUID();
  let reply: Reply;
  try {
    const early = service.dialect === "s3" ? undefined : await readBody(request, LARGEST_REQUEST, tooLarge);
    const operation = service.operation(head, early ?? Buffer.alloc(0));
    const trouble = cloud.switches.meet(`${service.name}:${operation}`);
    if (trouble.latencyMs > 0) await sleep(trouble.latencyMs);
    if (trouble.end === "hang") return;
    if (trouble.end === "close") return void request.socket.destroy();
    if (trouble.error) throw troubleFault(trouble.error);
    const content = header(head, "x-amz-content-sha256") ?? head.query.get("X-Amz-Content-Sha256") ?? undefined;
    const who = authenticate(cloud, head, claim, service.dialect, payloadHash(service, claim, content, early));
    const rest = early ? { body: early, trailers: new Map() } : await objectBody(request, head, who, content);
    const caller = callerOf(cloud.account, who.key);
    const now = cloud.clock.now();
    const region = who.claim.scope.region;
    const context = { ...callerContext(cloud.account, caller, now), ...requestContext(head, region, now) };
    const notes = { request: null, response: null, resources: [] };
    const call: Call = { cloud, head, ...rest, service: service.name, operation, caller, region, now, requestId, context, notes };
    reply = run(service, call);
  } catch (error) {
    reply = faultReply(service.dialect, asFault(error), requestId, head.rawPath, service.namespace);
  }
  answer(request, response, reply);
}

function run(service: Service, call: Call): Reply {
  const management = service.managementEvent(call.operation);
  try {
    const reply = service.handle(call);
    call.cloud.trail.add(call, {}, management);
    return reply;
  } catch (error) {
    const fault = asFault(error);
    call.cloud.trail.add(call, { errorCode: fault.code, errorMessage: fault.message }, management);
    throw fault;
  }
}

function asFault(error: unknown): AwsFault {
  if (error instanceof AwsFault) return error;
  if (error instanceof URIError) return new AwsFault("InvalidURI", 400, "Couldn't parse the specified URI.");
  return new AwsFault("InternalFailure", 500, `The local cloud failed: ${messageOf(error)}`);
}

function troubleFault({
  code,
  status = 400,
  message,
}: {
  code: string;
  status?: number | undefined;
  message?: string | undefined;
}): AwsFault {
  return new AwsFault(code, status, message ?? (code.startsWith("Throttl") ? "Rate exceeded" : "The local cloud was told to answer so."));
}

const tooLarge = (): AwsFault => new AwsFault("RequestEntityTooLarge", 413, "Request body is larger than the service accepts");
const objectTooLarge = (): AwsFault =>
  new AwsFault("EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size", { MaxSizeAllowed: LARGEST_OBJECT });

function readHead(request: IncomingMessage): HttpHead {
  const headers = new Map<string, string[]>();
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = (request.rawHeaders[index] ?? "").toLowerCase();
    const values = headers.get(name);
    const value = request.rawHeaders[index + 1] ?? "";
    if (values) values.push(value);
    else headers.set(name, [value]);
  }
  const [rawPath = "/", rawQuery = ""] = (request.url ?? "/").split(/\?(.*)/s, 2);
  return {
    method: request.method ?? "GET",
    rawPath,
    rawQuery,
    headers,
    query: new URLSearchParams(rawQuery),
    host: headers.get("host")?.[0] ?? "",
    remoteAddress: request.socket.remoteAddress ?? "",
  };
}

/** By the credential scope; a request without one by its looks. A service that is not here answers in the protocol that the request is in. */
function serviceOf(services: ReadonlyMap<string, Service>, head: HttpHead, claim: Claim | undefined): Service {
  const known = services.get(claim?.scope.service ?? "");
  if (known) return known;
  const type = header(head, "content-type") ?? "";
  if (claim === undefined && !type.includes("json") && !type.includes("form")) return services.get("s3") ?? absent("s3", "s3");
  if (claim === undefined && type.includes("form")) return services.get("sts") ?? absent("sts", "query");
  const name = claim?.scope.service ?? "unknown";
  if (type.includes("json") || head.headers.has("x-amz-target")) return absent(name, "json");
  return absent(name, type.includes("form") ? "query" : "s3");
}

function absent(name: string, dialect: Service["dialect"]): Service {
  const refuse = (): never => {
    if (dialect === "json") throw new AwsFault("UnknownOperationException", 400, `The local cloud has no service ${name}`);
    if (dialect === "query") throw new AwsFault("InvalidAction", 400, `The local cloud has no service ${name}`);
    throw new AwsFault("NotImplemented", 501, `The local cloud has no service ${name}`);
  };
  return { name, dialect, operation: () => "Unknown", handle: refuse, managementEvent: () => true };
}

/** S3 says in a header what it signed, and signs nothing of the body in a presigned request; others sign the body's hash. */
function payloadHash(service: Service, claim: ReturnType<typeof readClaim>, content: string | undefined, body: Buffer | undefined): string {
  if (service.dialect !== "s3") return sha256(body ?? "");
  if (content !== undefined) return content;
  if (claim && "presigned" in claim && !claim.presigned) {
    throw new AwsFault("InvalidRequest", 400, "Missing required header for this request: x-amz-content-sha256");
  }
  return "UNSIGNED-PAYLOAD";
}

type Who = ReturnType<typeof authenticate>;

/** The body of an S3 request, checked against what was signed. */
async function objectBody(
  request: IncomingMessage,
  head: HttpHead,
  { claim, signingKey }: Who,
  content: string | undefined,
): Promise<{ body: Buffer; trailers: ReadonlyMap<string, string> }> {
  const mode = STREAMING.find((name) => name === content);
  const bare = claim.presigned && content === undefined;
  if (!mode && !bare && content !== "UNSIGNED-PAYLOAD" && !/^[0-9a-f]{64}$/.test(content ?? "")) {
    const text = "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD or a valid sha256 value.";
    throw new AwsFault("InvalidArgument", 400, text, { ArgumentName: "x-amz-content-sha256", ArgumentValue: content ?? "" });
  }
  if (header(head, "transfer-encoding") !== undefined && header(head, "x-amz-decoded-content-length") === undefined) {
    throw new AwsFault("MissingContentLength", 411, "You must provide the Content-Length HTTP header.");
  }
  const raw = await readBody(request, LARGEST_OBJECT + (mode ? CHUNK_ROOM : 0), objectTooLarge);
  if (mode) return chunked(raw, mode, head, claim, signingKey);
  if (content !== undefined && content !== "UNSIGNED-PAYLOAD") {
    const actual = sha256(raw);
    if (actual !== content) {
      throw new AwsFault("XAmzContentSHA256Mismatch", 400, "The provided 'x-amz-content-sha256' header does not match what was computed.", {
        ClientComputedContentSHA256: content,
        S3ComputedContentSHA256: actual,
      });
    }
  }
  return { body: raw, trailers: new Map() };
}

function chunked(
  raw: Buffer,
  mode: Streaming,
  head: HttpHead,
  claim: Claim,
  key: Buffer,
): { body: Buffer; trailers: ReadonlyMap<string, string> } {
  const declared = header(head, "x-amz-decoded-content-length") ?? "";
  if (!/^\d{1,12}$/.test(declared)) throw new AwsFault("MissingContentLength", 411, "You must provide the Content-Length HTTP header.");
  const signing = { key, scope: claim.scope, time: claim.time, seed: claim.signature };
  const { payload, trailers } = decodeChunks(raw, mode, signing, Number(declared));
  return { body: payload, trailers };
}

function requestContext(head: HttpHead, region: string, now: number): Record<string, string> {
  const agent = header(head, "user-agent");
  const referer = header(head, "referer");
  return {
    "aws:CurrentTime": new Date(now).toISOString(),
    "aws:EpochTime": String(Math.floor(now / 1000)),
    "aws:RequestedRegion": region,
    "aws:SecureTransport": "false",
    "aws:SourceIp": head.remoteAddress.replace(/^::ffff:/, ""),
    ...(agent !== undefined && { "aws:UserAgent": agent }),
    ...(referer !== undefined && { "aws:Referer": referer }),
  };
}

/** A body that was not read is read and dropped by the server once the answer is out, so that a client that is still sending sees it; not one that is too large. */
function answer(request: IncomingMessage, response: ServerResponse, { status, headers: fields, body }: Reply): void {
  if (response.destroyed) return;
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const bodiless = status === 204 || status === 304;
  response.writeHead(status, {
    server: "local-cloud",
    ...(!bodiless && { "content-length": bytes.length }),
    ...fields,
    ...(Number(request.headers["content-length"] ?? 0) > LARGEST_OBJECT + CHUNK_ROOM && { connection: "close" }),
  });
  response.end(bodiless || request.method === "HEAD" ? undefined : bytes);
}
