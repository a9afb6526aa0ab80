// Which user is at the other end of a loopback connection, as the kernel tells it. Called by endpoint-answer.ts for resumed sessions: a token that another user got hold of opens nothing.
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";

const known = new WeakMap<Socket, boolean>();

/**
 * Whether the peer's socket belongs to this user or to root (who can read our memory anyway). True where the system does not tell: only Linux does.
 * A peer that the kernel no longer lists has hung up, and counts as a stranger.
 */
export function isOwnUser(socket: Socket): boolean {
  const uid = process.getuid?.();
  if (process.platform !== "linux" || uid === undefined) return true;
  const before = known.get(socket);
  if (before !== undefined) return before;
  const owner =
    socket.remotePort === undefined || socket.localPort === undefined ? undefined : ownerOf(socket.remotePort, socket.localPort);
  const own = owner === uid || owner === 0;
  known.set(socket, own);
  return own;
}

/** 127.0.0.1 as /proc/net/tcp writes it, and as an IPv6 socket has it in /proc/net/tcp6 (::ffff:127.0.0.1), on little-endian machines. */
const TABLES = [
  ["/proc/net/tcp", "0100007F"],
  ["/proc/net/tcp6", "0000000000000000FFFF00000100007F"],
] as const;

/** The uid of the socket that is bound to loopback port `from` and connected to loopback port `to` (proc(5): columns 2, 3 and 8). */
function ownerOf(from: number, to: number): number | undefined {
  const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, "0");
  for (const [file, address] of TABLES) {
    const row = new RegExp(`^ *\\d+: ${address}:${hex(from)} ${address}:${hex(to)} \\S+ \\S+ \\S+ \\S+ +(\\d+) `, "m").exec(read(file));
    if (row) return Number(row[1]);
  }
  return undefined;
}

function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}
