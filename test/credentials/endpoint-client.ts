// An endpoint for a test, and the clients that ask it well or badly. Used by the tests of the endpoint.
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import type { SessionCredentials } from "../../src/aws/credentials.ts";
import { newToken } from "../../src/core/id.ts";
import { Secret } from "../../src/core/secret.ts";
import { type Endpoint, type EndpointOptions, type FetchInfo, openEndpoint } from "../../src/credentials/endpoint.ts";

export const TOKEN = newToken();
export const PATH = "/v1/s/sess_a8f3b21c/creds";
export const credentials: SessionCredentials = {
  accessKeyId: "ASIAEXAMPLE000000001",
  secretAccessKey: new Secret("theSecretAccessKey"),
  sessionToken: new Secret("theSessionToken"),
  expiresAt: Date.UTC(2031, 0, 2, 3, 4, 5, 678),
};

const open: Endpoint[] = [];

/** Closes what `start` opened since; for afterEach. */
export async function closeAll(): Promise<void> {
  await Promise.all(open.splice(0).map((endpoint) => endpoint.close()));
}

/** An endpoint that serves `credentials`, and what it tells of the requests. */
export async function start(options: Partial<EndpointOptions> = {}): Promise<{ endpoint: Endpoint; fetches: FetchInfo[] }> {
  const fetches: FetchInfo[] = [];
  const endpoint = await openEndpoint({
    session: "sess_a8f3b21c",
    token: new Secret(TOKEN),
    credentials: async () => credentials,
    onFetch: (info) => fetches.push(info),
    ...options,
  });
  open.push(endpoint);
  return { endpoint, fetches };
}

export interface Reply {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

/** One GET, or what `options` make of it, over a connection of its own. */
export function ask(
  port: number,
  options: { path?: string; method?: string; headers?: Record<string, string | string[]>; body?: string } = {},
): Promise<Reply> {
  return new Promise((resolve, fail) => {
    const request = httpRequest(
      {
        host: "127.0.0.1",
        port,
        path: options.path ?? PATH,
        method: options.method ?? "GET",
        headers: { authorization: TOKEN, ...options.headers },
        agent: false,
      },
      async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() });
      },
    );
    request.on("error", fail);
    request.end(options.body);
  });
}

/** Sends bytes as they are, gives what comes back until the peer closes. */
export function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, fail) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    let received = "";
    socket.on("data", (data) => {
      received += data.toString();
    });
    socket.on("close", () => resolve(received));
    socket.on("error", (error: NodeJS.ErrnoException) => (error.code === "ECONNRESET" ? resolve(received) : fail(error)));
  });
}
