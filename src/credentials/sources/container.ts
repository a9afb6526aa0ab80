// Credentials of a container: ECS, EKS Pod Identity, CloudShell, or an agent-run around this one. Called by order.ts and profile.ts.
import { readFileSync } from "node:fs";
import { ask, objectOf } from "../../aws/ask.ts";
import { networkFailure, printable, readFailure } from "../../aws/failure.ts";
import { AgentRunError, messageOf } from "../../core/error.ts";
import { type Found, type Search, sealParts } from "./source.ts";

const PATIENCE_MS = 2000;
/** SDK reference, "Container credential provider": without TLS only to these and to loopback. */
const PLAIN_HOSTS = /^(127\.\d+\.\d+\.\d+|localhost|\[::1\]|169\.254\.170\.(2|23)|\[fd00:ec2::23\])$/;

/** The container's endpoint, or undefined when no variable names one. Throws AgentRunError `base-credentials`. */
export async function fromContainer(search: Search): Promise<Found | undefined> {
  const { env } = search;
  const relative = env["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"];
  const full = env["AWS_CONTAINER_CREDENTIALS_FULL_URI"];
  if (!relative && !full) return undefined;
  const hint = "check AWS_CONTAINER_CREDENTIALS_FULL_URI, or unset it and name a profile: --aws-profile";
  const bad = (message: string): AgentRunError => new AgentRunError("base-credentials", message, { hint });
  const text = relative ? `http://169.254.170.2${relative}` : (full ?? "");
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || (url.protocol !== "https:" && !(url.protocol === "http:" && PLAIN_HOSTS.test(url.hostname)))) {
    throw bad(`the container credentials address '${printable(text)}' is neither https nor of this machine`);
  }
  const token = readToken(search, bad);
  const reply = await ask({ url, headers: token ? { authorization: token } : {}, timeoutMs: PATIENCE_MS }).catch((error: unknown) => {
    throw bad((networkFailure(readFailure(error), url.origin) ?? bad(`cannot ask ${url.origin}: ${messageOf(error)}`)).message);
  });
  const answer = objectOf(reply.text);
  if (reply.status !== 200) {
    const said = answer["message"] ?? answer["Message"];
    throw bad(`${url.origin} answered ${reply.status}${said === undefined ? "" : `: '${printable(String(said))}'`}`);
  }
  const credentials = sealParts({ ...answer, SessionToken: answer["Token"] }, url.origin, search.now(), hint);
  return { credentials, source: `container credentials (${url.host})`, chained: true };
}

function readToken({ env }: Search, bad: (message: string) => AgentRunError): string | undefined {
  const file = env["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"];
  let token = env["AWS_CONTAINER_AUTHORIZATION_TOKEN"];
  if (file) {
    try {
      token = readFileSync(file, "utf8");
    } catch (error) {
      throw bad(`cannot read AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: ${messageOf(error)}`);
    }
  }
  if (token && /[\r\n]/.test(token)) throw bad("the container authorization token holds a line break");
  return token;
}
