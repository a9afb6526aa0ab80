// What answers CONNECT in strict's own network: a tunnel to the hosts that the human named, and to nothing else. Runs in the launcher; used by isolate.ts.
// The name that is asked for is the one that is looked up, once, and what is dialled is an address that was looked at. TLS is the agent's own: nothing
// is read or changed in it.
import { connect, type Socket } from "node:net";
import { isAmong, isHostName, isPublicAddress } from "./hosts.ts";
import { join } from "./joined.ts";

export interface ForwarderOptions {
  readonly hosts: readonly string[];
  /** Gives every address of a name. Injected by tests, which have no internet. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
  /** Dials an address that was found to be public. */
  readonly dial?: (address: string, port: number) => Socket;
}

const LONGEST_HEAD = 8192;
const HEAD_MS = 5000;
const DIAL_MS = 10_000;
const TLS_PORT = 443;
/** RFC 9112: a request line, then header lines without folding. `\x21-\x7e` keeps NUL, space and what is not ASCII out of the target. */
const HEAD = /^CONNECT ([\x21-\x7e]+):(\d{1,5}) HTTP\/1\.[01]\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e]*\r\n)*\r\n$/;

/** Takes over a connection of the agent's. */
export function forward(inside: Socket, options: ForwarderOptions): void {
  let head = Buffer.alloc(0);
  const late = setTimeout(() => inside.destroy(), HEAD_MS);
  inside.on("error", () => inside.destroy());
  inside.on("close", () => clearTimeout(late));
  const onData = (bytes: Buffer): void => {
    head = Buffer.concat([head, bytes]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0 && head.length <= LONGEST_HEAD) return;
    inside.off("data", onData);
    inside.pause();
    clearTimeout(late);
    const text = head.subarray(0, end + 4).toString("latin1");
    if (end < 0 || end > LONGEST_HEAD) refuse(inside, 431, "the request is too long");
    else void tunnel(inside, text, head.subarray(end + 4), options);
  };
  inside.on("data", onData);
}

async function tunnel(inside: Socket, head: string, early: Buffer, options: ForwarderOptions): Promise<void> {
  const match = HEAD.exec(head);
  if (!match) return refuse(inside, 400, "only CONNECT is answered");
  const [, host = "", port = ""] = match;
  if (!isHostName(host)) return refuse(inside, 403, "a host must be named, in lower case and without a dot at its end");
  if (Number(port) !== TLS_PORT) return refuse(inside, 403, `only port ${TLS_PORT} is reached`);
  if (!isAmong(host, options.hosts)) return refuse(inside, 403, `${host} is not in isolation.network`);
  let addresses: readonly string[];
  try {
    addresses = await (options.resolve ?? resolveAll)(host);
  } catch {
    return refuse(inside, 502, `${host} is not found`);
  }
  // One that is not public among them is a name that was pointed at this network.
  if (addresses.length === 0 || !addresses.every(isPublicAddress)) return refuse(inside, 403, `${host} does not lead to the internet`);
  const outside = await dialFirst(addresses, options.dial ?? dial);
  if (!outside || inside.destroyed) {
    outside?.destroy();
    return refuse(inside, 502, `${host} does not answer`);
  }
  inside.write("HTTP/1.1 200 Connection established\r\n\r\n");
  if (early.length > 0) outside.write(early);
  join(inside, outside);
}

async function resolveAll(host: string): Promise<string[]> {
  // Loaded here only: it reads the machine's resolver settings at once, which each launch would wait for.
  const { lookup } = process.getBuiltinModule("node:dns/promises");
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

function dial(address: string, port: number): Socket {
  return connect({ host: address, port, allowHalfOpen: true });
}

async function dialFirst(addresses: readonly string[], open: NonNullable<ForwarderOptions["dial"]>): Promise<Socket | undefined> {
  for (const address of addresses) {
    const socket = open(address, TLS_PORT);
    const connected = await new Promise<boolean>((resolve) => {
      const late = setTimeout(resolve, DIAL_MS, false);
      const done = (result: boolean) => (): void => {
        clearTimeout(late);
        resolve(result);
      };
      socket.once("connect", done(true));
      socket.once("error", done(false));
    });
    if (connected) return socket;
    socket.on("error", () => undefined);
    socket.destroy();
  }
  return undefined;
}

function refuse(socket: Socket, status: number, why: string): void {
  if (!socket.writable) return void socket.destroy();
  const body = `agent-run: ${why}\n`;
  socket.end(
    `HTTP/1.1 ${status} Refused\r\ncontent-type: text/plain\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}
