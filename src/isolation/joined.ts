// Two sockets as one connection. Used by loopback.ts and forwarder.ts, where an agent in a network of its own reaches something outside.
import type { Socket } from "node:net";

/** What either says is passed on to the other, its end too; one that breaks takes the other with it. Both must allow half-open connections. */
export function join(one: Socket, other: Socket): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.on("error", () => to.destroy());
    from.on("close", () => to.destroy());
    from.pipe(to);
  }
}
