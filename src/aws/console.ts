// A session as a sign-in to the AWS console, by AWS's federation endpoint (IAM User Guide, "Enable custom identity broker access to the AWS console").
// Called by session/console-access.ts. The keys go to that endpoint and nowhere else.
import { AgentRunError } from "../core/error.ts";
import { ask, objectOf } from "./ask.ts";
import { type Connection, domainSuffix } from "./client.ts";
import type { SessionCredentials } from "./credentials.ts";

const LIMIT_MS = 11_000;

/** By the domain of a region's services; AWS documents a federation endpoint for these partitions. */
const PLACES: Readonly<Record<string, { readonly signin: string; readonly console: string }>> = {
  "amazonaws.com": { signin: "https://signin.aws.amazon.com/federation", console: "https://console.aws.amazon.com/" },
  "amazonaws.com.cn": { signin: "https://signin.amazonaws.cn/federation", console: "https://console.amazonaws.cn/" },
};
const GOVERNMENT = { signin: "https://signin.amazonaws-us-gov.com/federation", console: "https://console.amazonaws-us-gov.com/" };

/**
 * The address that signs a browser in as the session. No duration is asked for, so that it ends with the keys.
 * @param signinUrl in place of AWS's own endpoint
 * @throws AgentRunError `base-credentials`, without any part of what was sent
 */
export async function consoleUrl(connection: Connection, credentials: SessionCredentials, signinUrl: string | undefined): Promise<string> {
  const { region } = connection;
  const place = region.startsWith("us-gov-") ? GOVERNMENT : PLACES[domainSuffix(region)];
  if (place === undefined) {
    throw new AgentRunError("config", `no console sign-in is known for region ${region}`, { hint: "set signin_url in the profile" });
  }
  const endpoint = signinUrl ?? place.signin;
  const session = {
    sessionId: credentials.accessKeyId,
    sessionKey: credentials.secretAccessKey.reveal(),
    sessionToken: credentials.sessionToken.reveal(),
  };
  const question = new URL(endpoint);
  question.search = new URLSearchParams({ Action: "getSigninToken", Session: JSON.stringify(session) }).toString();
  const token = await signinToken(question, connection);
  const url = new URL(endpoint);
  const destination = new URL(place.console);
  destination.searchParams.set("region", region);
  url.search = new URLSearchParams({
    Action: "login",
    Issuer: "agent-run",
    Destination: destination.toString(),
    SigninToken: token,
  }).toString();
  return url.toString();
}

async function signinToken(url: URL, { env = {} }: Connection): Promise<string> {
  const where = url.host;
  const { status, text } = await ask({ url, env, timeoutMs: LIMIT_MS }).catch((error: NodeJS.ErrnoException) => {
    if (error instanceof AgentRunError) throw error;
    // Errors of the connection may name the address, and with it the keys: nothing of them is passed on but their code.
    const why = error.code === "ETIMEDOUT" ? "too slow" : (error.code ?? "unknown");
    throw new AgentRunError("base-credentials", `the sign-in endpoint ${where} does not answer: ${why}`, {
      hint: "check the network, or the profile's signin_url",
    });
  });
  const token = status === 200 ? tokenIn(text) : undefined;
  if (token !== undefined) return token;
  throw new AgentRunError("base-credentials", `the sign-in endpoint ${where} gives no console for this session (status ${status})`, {
    hint: "AWS may refuse sessions whose base is itself a role's session; an IAM user's keys or an IAM Identity Center session work",
  });
}

function tokenIn(text: string): string | undefined {
  const { SigninToken } = objectOf(text);
  return typeof SigninToken === "string" && SigninToken !== "" ? SigninToken : undefined;
}
