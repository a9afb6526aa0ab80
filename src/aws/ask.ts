// A small JSON request with a time limit, for what is no AWS service with an SDK client: SSO portal, container and instance metadata, sign-in to the console.
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Environment } from "../core/paths.ts";
import { agentFor } from "./client.ts";

export interface HttpReply {
  readonly status: number;
  readonly text: string;
}

export interface HttpQuestion {
  readonly url: URL;
  readonly method?: "GET" | "PUT" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs: number;
  /** Whose proxies and certificate authorities count; absent for addresses of this machine or link. */
  readonly env?: Environment;
}

const MOST_BYTES = 65_536;

/** Asks, follows no redirect, reads at most 64 KiB. Rejects with Node's own error; its `code` is ETIMEDOUT when it took too long. */
export function ask({ url, method = "GET", headers = {}, body, timeoutMs, env }: HttpQuestion): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    const agent = env ? agentFor(url, env) : false;
    const read = async (response: IncomingMessage): Promise<void> => {
      let text = "";
      for await (const chunk of response.setEncoding("utf8")) {
        text += chunk;
        if (text.length > MOST_BYTES) throw Object.assign(new Error("the answer is too long"), { code: "EPROTO" });
      }
      clearTimeout(timer);
      resolve({ status: response.statusCode ?? 0, text });
    };
    const request = (url.protocol === "https:" ? httpsRequest : httpRequest)(url, { method, headers, agent }, (response) => {
      read(response).catch(failed);
    });
    const failed = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
      request.destroy();
    };
    const timer = setTimeout(() => failed(Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" })), timeoutMs);
    request.on("error", failed);
    request.end(body);
  });
}

/** The JSON object of a reply, or an empty one. */
export function objectOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
