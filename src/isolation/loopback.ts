// The loopback of a sandbox with a network of its own: who listens there, and who answers. Used by bubblewrap.ts and isolate.ts.
// The sandbox's own program opens the ports (listen-calls.ts), hands the listening sockets out over Node's channel, and becomes the agent's. The
// launcher accepts on them: each connection of the agent's is one to the same port of the machine's loopback, to whichever daemon has it then.
import type { ChildProcess } from "node:child_process";
import { connect, Server, type Socket } from "node:net";
import { mostConnections } from "../core/descriptors.ts";
import { join } from "./joined.ts";

/** At each port: more than an agent's clients need; each is two descriptors of the launcher. */
const MOST_CONNECTIONS = 256;

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
