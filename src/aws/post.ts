// One POST over the shared connections, with a limit on connecting, on the whole answer and on its size. Called by sts.
import { type Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { type Reply, ServiceError, UNREADABLE } from "./sts-answer.ts";

export interface Post {
  readonly url: URL;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Of `node:http` or `node:https`, as the address is. */
  readonly agent: Agent;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

/** Ten times more than anything that STS says. */
const MOST_BYTES = 1_048_576;

/**
 * Sends it and reads the answer, whatever its status is; follows nothing.
 * @throws Node's own error; `TimeoutError` for what took too long; ServiceError for an answer without end
 */
export function post({ url, path, headers, body, agent, connectTimeoutMs, requestTimeoutMs }: Post): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const send = url.protocol === "https:" ? httpsRequest : httpRequest;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const request = send({ method: "POST", host, port: url.port, path, headers, agent }, (response) => {
    whole(response).then((reply) => {
      stopTimers();
      resolve(reply);
    }, failed);
  });
  const failed = (error: Error): void => {
    stopTimers();
    // Where one connection died while nobody used it, those beside it did too: a machine slept, a router forgot.
    if (request.reusedSocket) for (const idle of Object.values(agent.freeSockets).flat()) idle?.destroy();
    reject(error);
    request.destroy();
  };
  const late = (what: string): void => failed(Object.assign(new Error(what), { name: "TimeoutError", code: "ETIMEDOUT" }));
  const connecting = setTimeout(late, connectTimeoutMs, "no connection in time");
  const answering = setTimeout(late, requestTimeoutMs, "no answer in time");
  const stopTimers = (): void => {
    clearTimeout(connecting);
    clearTimeout(answering);
  };
  const connected = (): void => clearTimeout(connecting);
  request.on("socket", (socket) => (socket.connecting ? socket.once("connect", connected) : connected()));
  request.on("error", failed);
  request.end(body);
  return promise;
}

async function whole(response: IncomingMessage): Promise<Reply> {
  const { statusCode: status = 0, headers } = response;
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MOST_BYTES) throw new ServiceError(UNREADABLE, "", { status, headers });
    parts.push(part);
  }
  return { status, headers, text: Buffer.concat(parts).toString("utf8") };
}
