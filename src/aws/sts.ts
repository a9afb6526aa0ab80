// STS, spoken by ourselves: one POST of the Query protocol a call, signed, with one retry. Called by assume, identity, federation, session-token and the
// credential sources. A launch waits for it, and loading the AWS SDK takes longer than STS does.
import type { Agent } from "node:http";
import { sleep, systemClock } from "../core/clock.ts";
import { AgentRunError } from "../core/error.ts";
import type { XmlElement } from "./answer-xml.ts";
import type { AwsCredentials } from "./credentials.ts";
import { post } from "./post.ts";
import { type QueryParameters, queryBody } from "./query-body.ts";
import { type Failed, pauseBefore } from "./retry.ts";
import { authorization, basicTime } from "./sigv4.ts";
import { type Reply, resultOf } from "./sts-answer.ts";

/** Where and as whom STS is called: `stsClient` makes them. A plain value, cheap to make. */
export interface StsClient {
  readonly region: string;
  readonly url: URL;
  /** For the address's own scheme. */
  readonly agent: Agent;
  readonly credentials: AwsCredentials | undefined;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** Tries after the first. */
  readonly retries: number;
}

export type StsAction = "AssumeRole" | "AssumeRoleWithWebIdentity" | "GetCallerIdentity" | "GetFederationToken" | "GetSessionToken";

export interface StsAnswer {
  /** Absent where the answer holds none, which only what is not AWS answers. */
  readonly result: XmlElement | undefined;
  /** STS's clock, as its header `Date` says. */
  readonly date: string | undefined;
}

/** STS API reference, "Common Parameters". */
const VERSION = "2011-06-15";
/** AWS SDKs name an application so, and CloudTrail shows it. */
const USER_AGENT = `agent-run lang/js md/nodejs#${process.versions.node} api/sts app/agent-run`;
const FORM = "application/x-www-form-urlencoded";

/**
 * Asks STS.
 * @throws ServiceError for what it refuses, Node's own error for a connection that failed: for `readFailure`
 */
export async function callSts(client: StsClient, action: StsAction, parameters: QueryParameters = {}): Promise<StsAnswer> {
  const body = queryBody(action, VERSION, parameters);
  for (let retries = 0; ; retries += 1) {
    try {
      const reply = await send(client, action, body);
      return { result: resultOf(action, reply), date: reply.headers["date"]?.toString() };
    } catch (error) {
      const pause = retries < client.retries ? pauseBefore(Object(error) as Failed, retries, Math.random()) : undefined;
      if (pause === undefined) throw error;
      await sleep(pause);
    }
  }
}

async function send(client: StsClient, action: StsAction, body: string): Promise<Reply> {
  const { url, agent, connectTimeoutMs, requestTimeoutMs } = client;
  const path = url.pathname.endsWith("/") ? url.pathname : `${url.pathname}/`;
  const request = { path, headers: { "content-type": FORM, host: url.host }, body };
  // The token in it is the proof (STS API reference, AssumeRoleWithWebIdentity).
  const signed = action === "AssumeRoleWithWebIdentity" ? request.headers : signedHeaders(client, request);
  return post({ url, path, headers: { ...signed, "user-agent": USER_AGENT }, body, agent, connectTimeoutMs, requestTimeoutMs });
}

function signedHeaders(
  { credentials, region }: StsClient,
  request: { readonly path: string; readonly headers: Readonly<Record<string, string>>; readonly body: string },
): Record<string, string> {
  if (!credentials) throw new AgentRunError("internal", "a signed aws call was made without credentials");
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const time = basicTime(systemClock.now());
  const token = sessionToken?.reveal();
  const headers = { ...request.headers, "x-amz-date": time, ...(token === undefined ? {} : { "x-amz-security-token": token }) };
  const keys = { accessKeyId, secretAccessKey: secretAccessKey.reveal(), region, service: "sts" };
  return { ...headers, authorization: authorization({ ...request, headers }, keys, time) };
}
