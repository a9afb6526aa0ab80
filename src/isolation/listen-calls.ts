// Opens ports inside a sandbox with a network of its own and hands the listening sockets to the launcher, as a program in Node would: over Node's channel, each with a
// message of Node's. Made by the program of prelude.ts, inside, which then becomes the agent's. Pure; loopback.ts takes over what is handed out.
import { CHANNEL_FD } from "../core/command.ts";
import { type Call, LIST_FD } from "./call-list.ts";

/** linux/socket.h, asm-generic/socket.h, linux/in.h; named as there. */
const [AF_INET, SOCK_STREAM, SOL_SOCKET, SO_REUSEADDR, SCM_RIGHTS] = [2, 1, 1, 2, 1];
const BACKLOG = 511;
/** The number that a message can name: clear of what is open in a sandbox that is about to start its program. */
const HANDED_FD = 10;

/** They end with the channel closed. */
export function listenCalls(ports: readonly number[]): Call[] {
  const says = "agent-run: error: cannot listen inside the sandbox: the kernel ended it with errno ";
  return [
    ...ports.flatMap((port): Call[] => [
      { name: "socket", args: [AF_INET, SOCK_STREAM, 0], says, keeps: true },
      { name: "setsockopt", args: [0, SOL_SOCKET, SO_REUSEADDR, int32(1), 4], says, takes: true },
      { name: "bind", args: [0, loopback(port), 16], says, takes: true },
      { name: "listen", args: [0, BACKLOG], says, takes: true },
      { name: "dup3", args: [0, HANDED_FD, 0], says, takes: true },
      { name: "sendmsg", args: [CHANNEL_FD, handingOver(port), 0], says },
      { name: "close", args: [HANDED_FD], says },
      { name: "close", args: [0], says, takes: true },
    ]),
    { name: "close", args: [CHANNEL_FD], says },
    { name: "close", args: [LIST_FD], says },
  ];
}

function int32(...values: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeInt32LE(value, 4 * index);
  return bytes;
}

/** struct sockaddr_in, ip(7): port and address in network order. */
function loopback(port: number): Uint8Array {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set([127, 0, 0, 1], 4);
  return bytes;
}

/** struct msghdr, recvmsg(2): Node's message for a listening socket, and the socket as its ancillary data (struct cmsghdr, unix(7)). */
function handingOver(port: number): readonly (number | readonly (string | number)[] | Uint8Array)[] {
  const message = `${JSON.stringify({ cmd: "NODE_HANDLE", type: "net.Server", msg: { port } })}\n`;
  const ancillary = int32(CMSG_LENGTH, 0, SOL_SOCKET, SCM_RIGHTS, HANDED_FD, 0);
  return [0, 0, [message, message.length], 1, ancillary, ancillary.length, 0];
}
/** A header of 16 bytes and an int. */
const CMSG_LENGTH = 20;
