// The forwarder of strict's network under attack: names, addresses and requests that must not get through, and the tunnel that must.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { forward } from "../../src/isolation/forwarder.ts";
import { checkHostPattern, isAmong, isHostName, isPublicAddress } from "../../src/isolation/hosts.ts";

const PUBLIC = "93.184.215.14";
const NAMES: Record<string, readonly string[]> = {
  "api.example.com": [PUBLIC],
  "two.example.com": ["2606:2800:21f:cb07:6820:80da:af6b:8b2c", PUBLIC],
  "loopback.example.com": ["127.0.0.1"],
  "mixed.example.com": [PUBLIC, "169.254.169.254"],
  "empty.example.com": [],
};

const listening = async (server: Server): Promise<number> => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
};

const request = (target: string): string => `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`;

describe("the forwarder", () => {
  /** Stands for the internet: says what it was sent. */
  const internet = createServer({ allowHalfOpen: true }, (socket) => {
    let sent = "";
    socket.on("data", (bytes) => (sent += bytes));
    socket.on("end", () => socket.end(`heard ${sent}`));
    socket.on("error", () => {});
  });
  const dialled: string[] = [];
  let front: Server;
  let port = 0;
  beforeAll(async () => {
    const there = await listening(internet);
    front = createServer({ allowHalfOpen: true }, (socket) =>
      forward(socket, {
        hosts: ["api.example.com", "loopback.example.com", "mixed.example.com", "empty.example.com", "*.wide.example", "gone.example.com"],
        resolve: async (host) => {
          const found = NAMES[host];
          if (!found) throw new Error("ENOTFOUND");
          return found;
        },
        dial: (address, at) => {
          dialled.push(`${address}:${at}`);
          return connect({ port: there, host: "127.0.0.1", allowHalfOpen: true });
        },
      }),
    );
    port = await listening(front);
  });
  afterAll(() => {
    front.close();
    internet.close();
  });

  const ask = async (text: string): Promise<string> => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    let got = "";
    socket.on("data", (bytes) => (got += bytes));
    socket.on("error", () => {});
    socket.end(Buffer.from(text, "latin1"));
    await once(socket, "close");
    return got;
  };

  it("carries bytes both ways to an address of the host that was named", async () => {
    dialled.length = 0;
    const got = await ask(`${request("api.example.com:443")}hello`);
    expect(got).toBe("HTTP/1.1 200 Connection established\r\n\r\nheard hello");
    expect(dialled).toEqual([`${PUBLIC}:443`]);
  });

  it.each([
    ["a host that was not named", "evil.example.com:443", 403],
    ["another one that ends alike", "notapi.example.com:443", 403],
    ["a name below one that was named", "x.api.example.com:443", 403],
    ["the head of a wildcard", "wide.example:443", 403],
    ["another port", "api.example.com:22", 403],
    ["a name that leads to the loopback", "loopback.example.com:443", 403],
    ["a name of which one address is a metadata service's", "mixed.example.com:443", 403],
    ["a name without addresses", "empty.example.com:443", 403],
    ["a name that is not found", "gone.example.com:443", 502],
    ["the loopback", "127.0.0.1:443", 403],
    ["a metadata service", "169.254.169.254:443", 403],
    ["one of IPv6", "[fd00:ec2::254]:443", 403],
    ["a mapped address", "[::ffff:127.0.0.1]:443", 403],
    ["a number", "2130706433:443", 403],
    ["a hexadecimal number", "0x7f.1:443", 403],
    ["localhost", "localhost:443", 403],
    ["upper case", "API.example.com:443", 403],
    ["a dot at the end", "api.example.com.:443", 403],
    ["user information", "api.example.com@evil.example.com:443", 403],
    ["a NUL", "evil.example.com\0.api.example.com:443", 400],
    ["letters of other scripts", "\xe0pi.example.com:443", 400],
    ["what follows a line break", "evil.example.com:443 HTTP/1.1\r\nX: api.example.com:443", 403],
    ["a path", "http://api.example.com/:443", 403],
  ])("refuses %s", async (_, target, status) => {
    dialled.length = 0;
    expect(await ask(request(target))).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(dialled).toEqual([]);
  });

  it.each([
    ["a request for a page", "GET http://api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\n\r\n"],
    ["bare line feeds", "CONNECT api.example.com:443 HTTP/1.1\nHost: api.example.com\n\n\r\n\r\n"],
    ["folded headers", "CONNECT api.example.com:443 HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n"],
    ["another version", "CONNECT api.example.com:443 HTTP/2.0\r\n\r\n"],
    ["two targets", "CONNECT api.example.com:443 evil.example.com:443 HTTP/1.1\r\n\r\n"],
    ["an endless head", `CONNECT api.example.com:443 HTTP/1.1\r\nA: ${"a".repeat(9000)}`],
    ["an endless head that ends", `CONNECT api.example.com:443 HTTP/1.1\r\nA: ${"a".repeat(9000)}\r\n\r\n`],
  ])("refuses %s", async (_, text) => {
    dialled.length = 0;
    expect(await ask(text)).toMatch(/^HTTP\/1.1 4\d\d /);
    expect(dialled).toEqual([]);
  });

  it("dials nothing for any other request", async () => {
    dialled.length = 0;
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 200 }), async (text) => {
        expect(await ask(`${text}\r\n\r\n`)).not.toContain("200 Connection");
      }),
      { numRuns: 60 },
    );
    expect(dialled).toEqual([]);
  });
});

describe("names and addresses", () => {
  it.each(["8.8.8.8", "52.94.133.131", "2606:4700::1111", "2a00:1450:4001:80b::200e"])("%s is public", (address) =>
    expect(isPublicAddress(address)).toBe(true),
  );

  it.each([
    ...[
      "0.0.0.0",
      "10.1.2.3",
      "100.64.0.1",
      "127.0.0.1",
      "127.255.255.254",
      "169.254.169.254",
      "169.254.170.2",
      "172.16.0.1",
      "172.31.255.255",
    ],
    ...[
      "192.168.1.1",
      "198.18.0.1",
      "203.0.113.9",
      "224.0.0.1",
      "255.255.255.255",
      "::",
      "::1",
      "fe80::1",
      "fe80::1%eth0",
      "fd00:ec2::254",
    ],
    ...[
      "::ffff:8.8.8.8",
      "::ffff:127.0.0.1",
      "64:ff9b::7f00:1",
      "2002:7f00:1::",
      "2001:0:1::",
      "2001:db8::1",
      "ff02::1",
      "",
      "x",
      "1.2.3",
      "2130706433",
    ],
  ])("'%s' is not", (address) => expect(isPublicAddress(address)).toBe(false));

  it("are matched whole", () => {
    expect(isAmong("a.example.com", ["*.example.com"])).toBe(true);
    expect(isAmong("a.b.example.com", ["*.example.com"])).toBe(true);
    expect(isAmong("example.com", ["*.example.com"])).toBe(false);
    expect(isAmong("badexample.com", ["*.example.com", "example.com"])).toBe(false);
    expect(isHostName("a-b.example.com")).toBe(true);
    for (const text of ["-a.example.com", "a_b.example.com", "a..example.com", "example", "1.2.3.4", "é.com", "a.com "])
      expect(isHostName(text), text).toBe(false);
  });

  it.each(["*", "*.com.", "*.*.com", "https://a.com", "a.com:443", "A.com", "127.0.0.1", "*."])("the setting refuses '%s'", (text) =>
    expect(() => checkHostPattern(text)).toThrow(expect.objectContaining({ code: "config" })),
  );
});
