// Whether the human's proxy is one that is used at all: Node takes HTTP proxies, and goes around any other in silence. Called by client.ts.
import { AgentRunError } from "../core/error.ts";
import type { Environment } from "../core/paths.ts";

/** Most tools take `proxy:3128` too, which Node leaves aside in silence. */
export const proxyUrl = (text: string | undefined): string | undefined =>
  text === undefined || text.includes("://") ? text : `http://${text}`;

/** As most tools read it: the small letters go before. An empty one counts as none. */
export const proxyVariable = (env: Environment, name: string): string | undefined => env[name.toLowerCase()] || env[name] || undefined;

/**
 * Refuses a proxy for `url` that is none of HTTP, such as `socks5://127.0.0.1:1080`: what the human wants to go through it would go around it.
 * @throws AgentRunError `config`
 */
export function requireHttpProxy(url: URL, env: Environment): void {
  const name = url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const given = proxyUrl(proxyVariable(env, name));
  if (given === undefined || isExcepted(url, proxyVariable(env, "NO_PROXY") ?? "")) return;
  const proxy = URL.parse(given);
  if (proxy && /^https?:$/.test(proxy.protocol)) return;
  // It may hold a password.
  const shown = proxy ? `${proxy.protocol}//${proxy.host}` : "which is no address";
  throw new AgentRunError("config", `${name}, ${shown}, is no HTTP proxy, and ${url.hostname} would be reached around it`, {
    hint: `make ${name} one such as http://proxy.example:3128, or name ${url.hostname} in NO_PROXY`,
  });
}

/** The local cloud and emulators on this machine are never behind a proxy. */
export const NEVER_PROXIED = ["127.0.0.1", "localhost", "::1"];

function isExcepted({ hostname, protocol, port }: URL, noProxy: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "");
  return [...noProxy.split(/[\s,]+/), ...NEVER_PROXIED].some((entry) => {
    const [, name = "", only] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(entry === "::1" ? "" : entry) ?? [];
    if (entry === "*" || entry === host) return true;
    return (
      name !== "" &&
      (only === undefined || only === (port || (protocol === "https:" ? "443" : "80"))) &&
      (host === name || host.endsWith(`.${name}`))
    );
  });
}
