// How many descriptors this process may have open, and so how many connections it may take. Used where programs are started, by the credential endpoint and by
// the loopback of a sandbox: what an agent opens must leave enough for the kill, for other sessions and for files.
import { readFileSync } from "node:fs";

/** What a daemon of many sessions, or a launcher with its terminal, has open besides, and opens meanwhile. */
const RESERVED = 96;
/** Where the system does not say: what most set at least. */
const USUAL = 1024;
let known: number | undefined;

/**
 * How many connections all of this process's doors to agents may hold together.
 * @param each how many descriptors of ours one is
 */
export function mostConnections(each: 1 | 2): number {
  return Math.max(8, Math.floor((mostDescriptors() - RESERVED) / 2 / each));
}

/** How many it may have open; so high are their numbers at most, but for those that were open before. */
export function mostDescriptors(): number {
  known ??= limitNow();
  return known;
}

/** The soft limit, which Node raises as far as it may when it starts (proc(5), /proc/pid/limits). */
function limitNow(): number {
  let text: string;
  try {
    text = readFileSync("/proc/self/limits", "latin1");
  } catch {
    return USUAL;
  }
  const soft = /^Max open files +(\d+|unlimited)/m.exec(text)?.[1];
  return soft === undefined ? USUAL : soft === "unlimited" ? Number.MAX_SAFE_INTEGER : Number(soft);
}
