// The endpoint of a resumed session answers this user and root alone: another user's process is refused even with the right token.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { Secret } from "../../src/core/secret.ts";
import { openEndpoint } from "../../src/credentials/endpoint.ts";

const run = promisify(execFile);
const TOKEN = "t".repeat(43);
/** An endpoint of a session that is resumed: it is told its port. */
const open = async () => {
  const first = await openAt(undefined);
  await first.close();
  return openAt(first.port);
};
const openAt = (port: number | undefined) =>
  openEndpoint({
    port,
    session: "sess_00000001",
    token: new Secret(TOKEN),
    credentials: async () => ({
      accessKeyId: "ASIAEXAMPLE",
      secretAccessKey: new Secret("s"),
      sessionToken: new Secret("t"),
      expiresAt: Date.now() + 60_000,
    }),
    onFetch: () => {},
  });
/** Asks over a plain IPv4 socket, or over an IPv6 one that speaks to the IPv4 address, as Java does. */
const CLIENT = `
const [url, address] = process.argv.slice(1);
const { port, pathname } = new URL(url);
const socket = require("node:net").connect({ host: address, port: Number(port) });
socket.on("data", (data) => { console.log(String(data).split(" ")[1]); socket.destroy(); });
socket.write("GET " + pathname + " HTTP/1.1\\r\\nHost: 127.0.0.1:" + port + "\\r\\nAuthorization: ${TOKEN}\\r\\n\\r\\n");`;
const status = async (url: string, address: string, uid?: number): Promise<string> => {
  // The program must be one that the other user can reach.
  const program = uid === undefined ? process.execPath : "/usr/bin/env";
  const client = uid === undefined ? ["-e", CLIENT, url, address] : ["python3", "-c", PYTHON, url, address];
  return (await run(program, client, uid === undefined ? {} : { uid, gid: uid, cwd: "/", env: { PATH: "/usr/bin:/bin" } })).stdout.trim();
};
const PYTHON = `
import socket, sys
from urllib.parse import urlparse
u = urlparse(sys.argv[1])
s = socket.create_connection((sys.argv[2], u.port))
s.sendall(("GET %s HTTP/1.1\\r\\nHost: 127.0.0.1:%d\\r\\nAuthorization: ${TOKEN}\\r\\n\\r\\n" % (u.path, u.port)).encode())
print(s.recv(100).decode().split(" ")[1])`;

const canBeAnother = process.getuid?.() === 0 && process.platform === "linux" && existsSync("/usr/bin/python3");

describe("the peer of a resumed session's endpoint", () => {
  it("is answered when it is this user's, whichever kind of socket it has", async () => {
    await using endpoint = await open();
    expect(await status(endpoint.url, "127.0.0.1")).toBe("200");
    expect(await status(endpoint.url, "::ffff:127.0.0.1")).toBe("200");
  });

  it.skipIf(!canBeAnother)(
    "is refused when it is another user's, even with the token (needs root to be one, and /usr/bin/python3)",
    async () => {
      await using endpoint = await open();
      expect(await status(endpoint.url, "127.0.0.1", 65_534)).toBe("403");
    },
  );
});
