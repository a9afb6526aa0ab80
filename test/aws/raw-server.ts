// A real HTTP server on loopback that answers with whatever bytes, and the AWS SDK's own client of STS to hold ours against. Used by the sts tests of aws.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { STSClient, type STSClientConfig } from "@aws-sdk/client-sts";
import { stsClient } from "../../src/aws/client.ts";
import type { StsClient } from "../../src/aws/sts.ts";
import { Secret } from "../../src/core/secret.ts";

export interface Heard {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The client's port: the same for calls over one connection. */
  readonly port: number | undefined;
}

export interface RawServer extends AsyncDisposable {
  readonly url: string;
  readonly heard: Heard[];
}

/** @param answer is told how many requests there were before this one */
export async function rawServer(answer: (response: ServerResponse, before: number, request: IncomingMessage) => void): Promise<RawServer> {
  const heard: Heard[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method, url, headers, socket } = request;
    heard.push({ method, url, headers, body: Buffer.concat(chunks).toString("latin1"), port: socket.remotePort });
    answer(response, heard.length - 1, request);
  });
  // A slow machine must not let connections end by themselves.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

export type Bytes = readonly [status: number, body: string, headers?: Record<string, string>];
export const send = (response: ServerResponse, [status, body, headers = { "content-type": "text/xml" }]: Bytes): void => {
  response.writeHead(status, headers);
  response.end(body);
};

/** As STS writes it. */
export const refusal = (code: string, message: string): string =>
  `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">\n  <Error>\n    <Type>Sender</Type>\n    <Code>${code}</Code>\n    <Message>${message}</Message>\n  </Error>\n  <RequestId>01234567-89ab</RequestId>\n</ErrorResponse>\n`;

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export const KEYS: Keys = {
  accessKeyId: "AKIAEXAMPLE000000001",
  secretAccessKey: "baseSecret/+0123456789abcdefghijklmnopqr",
  sessionToken: `baseToken${"b".repeat(100)}`,
};

export const sealedKeys = ({ accessKeyId, secretAccessKey, sessionToken }: Keys) => ({
  accessKeyId,
  secretAccessKey: new Secret(secretAccessKey),
  sessionToken: sessionToken === undefined ? undefined : new Secret(sessionToken),
  expiresAt: undefined,
});

/** Ours, without another try unless told otherwise. */
export const ourClient = (endpointUrl: string, more: { retries?: number; requestTimeoutMs?: number } = {}): Promise<StsClient> =>
  stsClient({ region: "eu-west-1", endpointUrl, retries: 0, ...more }, sealedKeys(KEYS));

/** The SDK's, with the same limits. */
export const sdkClient = (endpoint: string, retries = 0, more: Partial<STSClientConfig> = {}): STSClient =>
  new STSClient({
    region: "eu-west-1",
    endpoint,
    credentials: { ...KEYS, sessionToken: KEYS.sessionToken ?? "" },
    maxAttempts: 1 + retries,
    retryMode: "standard",
    requestHandler: { connectionTimeout: 3000, requestTimeout: 5500, throwOnRequestTimeout: true },
    ...more,
  });
