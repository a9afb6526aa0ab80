// The loopback of a sandbox with a network of its own: who listens there, and who answers. Used by bubblewrap.ts and isolate.ts.
// A small Node program inside listens on the ports, hands the listening sockets out over Node's channel, and is gone before the agent starts. The
// launcher accepts on them: each connection of the agent's is one to the same port of the machine's loopback, to whichever daemon has it then.
import type { ChildProcess } from "node:child_process";
import { connect, Server, type Socket } from "node:net";
import { CHANNEL_FD, type Channel } from "../core/command.ts";
import { mostConnections } from "../core/descriptors.ts";
import { join } from "./joined.ts";

/** Ports that are listened on inside and answered outside. */
export interface Served {
  /** The program that listens. */
  readonly node: string;
  readonly ports: readonly number[];
  /** Takes over what it hands out. */
  readonly attach: Channel["attach"];
}

/** What Node sets for a child that it has a channel to. */
export const CHANNEL_VARIABLES = ["NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE"];

/** At each port: more than an agent's clients need; each is two descriptors of the launcher. */
const MOST_CONNECTIONS = 256;

const program = (ports: readonly number[]): string => `const ports=${JSON.stringify(ports)};
const next=()=>{const port=ports.shift();if(port===undefined)return process.disconnect();
const server=require("node:net").createServer();
server.on("error",(error)=>{process.stderr.write("agent-run: error: cannot listen inside the sandbox: "+error.message+"\\n");process.exit(125)});
server.listen(port,"127.0.0.1",()=>process.send({port},server,()=>{server.close();next()}))};
next();`;

/** `$1` Node, `$2` the program, then the command. Only for the program the channel is there. */
const SHELL = [
  `NODE_OPTIONS= NODE_CHANNEL_FD=${CHANNEL_FD} NODE_CHANNEL_SERIALIZATION_MODE=json "$1" --no-warnings -e "$2"||exit 125`,
  `shift 2;exec "$@" ${CHANNEL_FD}>&-`,
].join(";");

/** The command that first opens the ports, then becomes `inner`. */
export function listening({ node, ports }: Served, inner: readonly string[]): string[] {
  return ["/bin/sh", "-c", SHELL, "listening", node, program(ports), ...inner];
}

export interface Loopback extends Disposable {
  /** Takes over what a new sandbox hands out. */
  attach(child: ChildProcess): void;
}

/**
 * @param ports those that are answered by the same port of the machine's loopback
 * @param others those that are answered here
 */
export function serveLoopback(ports: readonly number[], others: ReadonlyMap<number, (socket: Socket) => void> = new Map()): Loopback {
  const servers = new Set<Server>();
  const sockets = new Set<Socket>();
  const most = Math.min(MOST_CONNECTIONS, Math.ceil(mostConnections(2) / (ports.length + others.size)));
  const hold = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  };
  const joinTo =
    (port: number) =>
    (inside: Socket): void => {
      const outside = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
      hold(outside);
      join(inside, outside);
    };
  return {
    attach(child) {
      child.on("message", (message, handle) => {
        const port = portOf(message);
        if (!(handle instanceof Server)) return;
        const answer = port === undefined ? undefined : (others.get(port) ?? (ports.includes(port) ? joinTo(port) : undefined));
        if (answer === undefined) return void handle.close();
        servers.add(handle);
        // As received it closes a connection when the client has said all that it has to say.
        Object.assign(handle, { allowHalfOpen: true, maxConnections: most });
        handle.on("connection", (socket) => {
          hold(socket);
          answer(socket);
        });
        // Failing to accept one connection (EMFILE) is not the end: the client tries again.
        handle.on("error", () => undefined);
        handle.unref();
      });
    },
    [Symbol.dispose]() {
      for (const server of servers) server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function portOf(message: unknown): number | undefined {
  const port = typeof message === "object" && message !== null && "port" in message ? message.port : undefined;
  return typeof port === "number" ? port : undefined;
}
