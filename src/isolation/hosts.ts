// Names and addresses that a forwarder of strict's network may go to. Pure. Used by forwarder.ts, plan.ts and session's settings.
import { BlockList, isIP } from "node:net";
import { AgentRunError } from "../core/error.ts";

/** Lower case, letters of ASCII, no address, no dot at the end, a top level that begins with a letter (RFC 1123, 2.1). */
const HOST = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/;

export function isHostName(text: string): boolean {
  return HOST.test(text);
}

/**
 * An entry of `isolation.network`: `api.example.com`, or `*.example.com` for all below it.
 * @throws AgentRunError `config`
 */
export function checkHostPattern(text: string): string {
  const name = text.startsWith("*.") ? text.slice(2) : text;
  if (isHostName(name)) return text;
  throw new AgentRunError("config", `isolation.network: '${text}' is not the name of a host`, {
    hint: "write it in lower case, without port and path, such as api.example.com or *.example.com",
  });
}

export function isAmong(host: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => (pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : host === pattern));
}

/** IANA's special-purpose registries: this machine, this link, this network, documentation, tests, groups, and what carries IPv4 inside IPv6. */
const NOT_PUBLIC = {
  ipv4: [
    ["0.0.0.0", 8],
    ["10.0.0.0", 8],
    ["100.64.0.0", 10],
    ["127.0.0.0", 8],
    ["169.254.0.0", 16],
    ["172.16.0.0", 12],
    ["192.0.0.0", 24],
    ["192.0.2.0", 24],
    ["192.88.99.0", 24],
    ["192.168.0.0", 16],
    ["198.18.0.0", 15],
    ["198.51.100.0", 24],
    ["203.0.113.0", 24],
    ["224.0.0.0", 3],
  ],
  ipv6: [
    ["2001::", 23],
    ["2001:db8::", 32],
    ["2002::", 16],
    ["3fff::", 20],
  ],
} as const;

let ranges: { readonly notPublic: BlockList; readonly global: BlockList } | undefined;

/** Made when they are asked for: a launch that forwards nothing would take half a millisecond for them. */
function rangesNow() {
  const [notPublic, global] = [new BlockList(), new BlockList()];
  for (const family of ["ipv4", "ipv6"] as const)
    for (const [network, prefix] of NOT_PUBLIC[family]) notPublic.addSubnet(network, prefix, family);
  global.addSubnet("2000::", 3, "ipv6");
  return { notPublic, global };
}

/** Whether it is an address of the internet at large. Anything that is not understood is none. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  ranges ??= rangesNow();
  if (family === 4) return !ranges.notPublic.check(address, "ipv4");
  // Among these are no mapped, translated, unique local, link-local or multicast addresses.
  return family === 6 && !address.includes("%") && ranges.global.check(address, "ipv6") && !ranges.notPublic.check(address, "ipv6");
}
