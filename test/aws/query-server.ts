// A tiny AWS query-protocol server on loopback, for the answers that a real one gives rarely. Used by the tests of aws and credentials.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";

export interface QueryRequest {
  readonly action: string;
  readonly form: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  /** From the Authorization header; undefined for an unsigned call. */
  readonly accessKeyId: string | undefined;
  /** The client's port: the same for calls over one connection. */
  readonly port: number | undefined;
}

export type QueryAnswer =
  | { readonly result: string }
  | { readonly error: string; readonly message: string; readonly status?: number }
  | { readonly hang: true };

export interface QueryServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: QueryRequest[];
  answer: (request: QueryRequest) => QueryAnswer | Promise<QueryAnswer>;
}

/** @param tls a certificate for localhost, and its key */
export async function queryServer(answer: QueryServer["answer"], tls?: { key: string; cert: string }): Promise<QueryServer> {
  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const form = new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
    const accessKeyId = /Credential=([^/]+)\//.exec(incoming.headers.authorization ?? "")?.[1];
    const request = { port: incoming.socket.remotePort, action: form.get("Action") ?? "", form, headers: incoming.headers, accessKeyId };
    started.requests.push(request);
    const given = await started.answer(request);
    if ("hang" in given) return;
    if ("error" in given) {
      outgoing.writeHead(given.status ?? 400, { "content-type": "text/xml" });
      const text = given.message.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
      outgoing.end(
        `<ErrorResponse><Error><Type>Sender</Type><Code>${given.error}</Code><Message>${text}</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
      );
      return;
    }
    outgoing.writeHead(200, { "content-type": "text/xml" });
    const { action } = request;
    outgoing.end(
      `<${action}Response><${action}Result>${given.result}</${action}Result><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></${action}Response>`,
    );
  };
  const server = tls ? createTlsServer(tls, (incoming, outgoing) => void handle(incoming, outgoing)) : createServer(handle);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const started: QueryServer = {
    url: `${tls ? "https://localhost" : "http://127.0.0.1"}:${(server.address() as AddressInfo).port}`,
    requests: [],
    answer,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
  return started;
}

export const ROLE = "arn:aws:iam::111122223333:role/team/agent";
export const CALLER = "arn:aws:iam::111122223333:user/ann";

export const identityResult = (arn: string, account = "111122223333"): QueryAnswer => ({
  result: `<Arn>${arn}</Arn><UserId>AIDAEXAMPLE</UserId><Account>${account}</Account>`,
});

/** What AssumeRole answers; the secret parts are unlike anything else, so that a test can search for them. */
export const assumedResult = (expiration: Date, key = "ASIAEXAMPLE000000001"): QueryAnswer => ({
  result: `<Credentials><AccessKeyId>${key}</AccessKeyId><SecretAccessKey>assumedSecret/+0123456789abcdefghijklmnopq</SecretAccessKey><SessionToken>assumedToken${"t".repeat(120)}</SessionToken><Expiration>${expiration.toISOString()}</Expiration></Credentials><AssumedRoleUser><Arn>arn:aws:sts::111122223333:assumed-role/agent/sess_00000001</Arn><AssumedRoleId>AROAEXAMPLE:sess_00000001</AssumedRoleId></AssumedRoleUser><PackedPolicySize>6</PackedPolicySize>`,
});
