import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nobodyAnswers, openLease, requestJson } from "../../src/control/client.ts";
import { number, object } from "../../src/control/shape.ts";

let folder: string;
let path: string;
let server: Server | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ar-client-"));
  path = join(folder, "s");
});
afterEach(() => {
  server?.close();
  rmSync(folder, { recursive: true });
});

/** A server that hands each connection to `serve` as soon as the request is there. */
async function serving(serve: (socket: Socket) => void): Promise<void> {
  server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => serve(socket));
  });
  server.listen(path);
  await once(server, "listening");
}

const ask = (limitMs?: number) => requestJson(path, { path: "/v1/status", answer: object({ n: number }), limitMs });
const caught = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(() => expect.fail("it did not throw")).catch((error: unknown) => error);

describe("the client", () => {
  it("reads an answer however it is cut, and takes header names in any case", async () => {
    const reply = 'HTTP/1.1 200 OK\r\nCONTENT-length:   7\r\nx: y\r\n\r\n{"n":1}';
    await serving(async (socket) => {
      for (const byte of reply) {
        socket.write(byte);
        await new Promise((resolve) => setImmediate(resolve));
      }
      socket.end();
    });
    expect(await ask()).toEqual({ n: 1 });
  });

  it("says that nobody answers when there is no socket, a dead one, or a daemon that hangs up", async () => {
    expect(nobodyAnswers(await caught(ask()))).toBe(true);
    await serving((socket) => socket.destroy());
    expect(nobodyAnswers(await caught(ask()))).toBe(true);
    expect(nobodyAnswers(await caught(openLease(path, "1.0.0")))).toBe(true);
  });

  it.each([
    ["nonsense", "SSH-2.0-OpenSSH_9.2\r\n\r\n"],
    ["no length", "HTTP/1.1 200 OK\r\n\r\n{}"],
    ["a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"],
    ["a length of gigabytes", "HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n"],
    ["a body that is not JSON", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n<>"],
    ["an upgrade that was not asked for", "HTTP/1.1 101 Switching\r\n\r\n"],
    ["headers without end", `HTTP/1.1 200 OK\r\n${"x: y\r\n".repeat(5000)}`],
  ])("refuses %s, and does not take it for an absent daemon", async (_name, reply) => {
    await serving((socket) => socket.write(reply));
    const error = await caught(ask());
    expect(error).toMatchObject({ code: "daemon" });
    expect(nobodyAnswers(error)).toBe(false);
  });

  it("gives up on a daemon that is silent, and does not take it for an absent one", async () => {
    await serving(() => {});
    const error = await caught(ask(100));
    expect(error).toMatchObject({ code: "daemon", message: expect.stringContaining("100 ms") });
    expect(nobodyAnswers(error)).toBe(false);
  });

  it("hands over the messages that came in the same packet as the upgrade", async () => {
    const message = { type: "end", cause: "killed", graceMs: 5 };
    await serving((socket) => socket.write(`HTTP/1.1 101 Switching Protocols\r\n\r\n${JSON.stringify(message)}\n`));
    const { lease } = await openLease(path, "1.0.0");
    expect(await new Promise((resolve) => lease.onMessage(resolve))).toEqual(message);
    lease.close();
  });
});
