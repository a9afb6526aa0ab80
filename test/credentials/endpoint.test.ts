// The endpoint over real sockets: what it answers and what it refuses.
import { connect } from "node:net";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { AgentRunError } from "../../src/core/error.ts";
import { newToken } from "../../src/core/id.ts";
import { Secret } from "../../src/core/secret.ts";
import { Broker } from "../../src/credentials/broker.ts";
import { ask, closeAll, credentials, PATH, raw, start, TOKEN } from "./endpoint-client.ts";

afterEach(closeAll);

describe("an SDK that asks", () => {
  it("gets exactly the four fields, with an Expiration that every SDK reads", async () => {
    const { endpoint } = await start();
    const reply = await ask(endpoint.port);
    expect(reply.status).toBe(200);
    expect(JSON.parse(reply.body)).toEqual({
      AccessKeyId: "ASIAEXAMPLE000000001",
      SecretAccessKey: "theSecretAccessKey",
      Token: "theSessionToken",
      Expiration: "2031-01-02T03:04:05Z",
    });
    expect(reply.headers["cache-control"]).toBe("no-store");
    expect(reply.headers["content-type"]).toBe("application/json");
    expect(endpoint.url).toBe(`http://127.0.0.1:${endpoint.port}${PATH}`);
  });

  it("gets credential_process output at the other path", async () => {
    const { endpoint } = await start();
    const reply = await ask(endpoint.port, { path: new URL(endpoint.processUrl).pathname });
    expect(JSON.parse(reply.body)).toEqual({
      Version: 1,
      AccessKeyId: "ASIAEXAMPLE000000001",
      SecretAccessKey: "theSecretAccessKey",
      SessionToken: "theSessionToken",
      Expiration: "2031-01-02T03:04:05Z",
    });
  });

  it("may call it localhost", async () => {
    const { endpoint } = await start();
    expect((await ask(endpoint.port, { headers: { host: `localhost:${endpoint.port}` } })).status).toBe(200);
  });

  it("is told of to the audit without a secret", async () => {
    const { endpoint, fetches } = await start();
    await ask(endpoint.port, { headers: { "user-agent": "Boto3/1.26\u00e9" } });
    await ask(endpoint.port, { headers: { authorization: "guessedToken" } });
    expect(fetches[0]).toMatchObject({ status: 200, form: "container", accessKeyId: "ASIAEXAMPLE000000001", userAgent: "Boto3/1.26?" });
    expect(fetches[1]).toMatchObject({ status: 401, accessKeyId: undefined });
    expect(JSON.stringify(fetches)).not.toMatch(/theSecret|theSession|guessed|[A-Za-z0-9_-]{43}/);
  });
});

describe("what is refused", () => {
  const cases: [string, number, Parameters<typeof ask>[1]][] = [
    ["no token", 401, { headers: { authorization: "" } }],
    ["a wrong token", 401, { headers: { authorization: newToken() } }],
    ["the token with something after it", 401, { headers: { authorization: `${TOKEN}x` } }],
    ["the token cut short", 401, { headers: { authorization: TOKEN.slice(0, -1) } }],
    ["the token as a bearer", 401, { headers: { authorization: `Bearer ${TOKEN}` } }],
    ["another session's path", 404, { path: "/v1/s/sess_00000000/creds" }],
    ["a longer path", 404, { path: `${PATH}/` }],
    ["a path that leads to it", 404, { path: `/v1/../v1/s/sess_a8f3b21c/creds` }],
    ["an encoded path", 404, { path: PATH.replace("s/sess", "s%2Fsess") }],
    ["a query", 404, { path: `${PATH}?x=1` }],
    ["the absolute form", 404, { path: `http://127.0.0.1${PATH}` }],
    ["POST", 405, { method: "POST", body: "x" }],
    ["HEAD", 405, { method: "HEAD" }],
    ["OPTIONS", 405, { method: "OPTIONS" }],
    ["DELETE", 405, { method: "DELETE" }],
    ["a name that resolves to loopback (DNS rebinding)", 403, { headers: { host: "evil.example" } }],
    ["a name that begins like loopback", 403, { headers: { host: "127.0.0.1.evil.example" } }],
    ["loopback without the port", 403, { headers: { host: "127.0.0.1" } }],
    ["loopback with another port", 403, { headers: { host: "127.0.0.1:1" } }],
    ["the LAN's name of this machine", 403, { headers: { host: "192.168.1.5:80" } }],
    ["a page's script", 403, { headers: { origin: "http://127.0.0.1" } }],
    ["a page without origin", 403, { headers: { "sec-fetch-site": "none" } }],
    ["a followed link", 403, { headers: { referer: "http://127.0.0.1/" } }],
  ];

  it.each(cases)("%s gets %i, and no credential", async (_what, status, options) => {
    const { endpoint, fetches } = await start();
    const reply = await ask(endpoint.port, options);
    expect(reply.status).toBe(status);
    expect(reply.body).not.toMatch(/theSecret|theSession|ASIA/);
    if (options?.method !== "HEAD")
      expect(JSON.parse(reply.body)).toEqual({ code: expect.any(String), message: expect.stringMatching(/^agent-run: /) });
    expect(fetches).toHaveLength(1);
    expect(fetches[0]).toMatchObject({ status, accessKeyId: undefined, reason: expect.any(String) });
  });

  it("two Host lines, two tokens, or none at all get nothing", async () => {
    const { endpoint } = await start();
    const host = `Host: 127.0.0.1:${endpoint.port}\r\n`;
    const end = "Connection: close\r\n\r\n";
    for (const [text, status] of [
      [`GET ${PATH} HTTP/1.1\r\n${host}Host: evil.example\r\nAuthorization: ${TOKEN}\r\n${end}`, /^HTTP\/1.1 40[03]/],
      [`GET ${PATH} HTTP/1.1\r\n${host}Authorization: ${TOKEN}\r\nAuthorization: x\r\n${end}`, /^HTTP\/1.1 401/],
      [`GET ${PATH} HTTP/1.1\r\nAuthorization: ${TOKEN}\r\n${end}`, /^HTTP\/1.1 40[03]/],
      [`GET ${PATH} HTTP/1.0\r\nAuthorization: ${TOKEN}\r\n\r\n`, /^HTTP\/1.1 403/],
      ["\x16\x03\x01\x02\x00", /^HTTP\/1.1 400/],
      [`GET ${PATH} HTTP/1.1\r\n${host}X: ${"x".repeat(20_000)}\r\n${end}`, /^HTTP\/1.1 4/],
      [`CONNECT 169.254.169.254:80 HTTP/1.1\r\n${host}\r\n`, /^$/],
    ] as const) {
      const reply = await raw(endpoint.port, text);
      expect(reply).toMatch(status);
      expect(reply).not.toContain("theSecret");
    }
  });

  it("the error of the credential_process form is a bare sentence", async () => {
    const { endpoint } = await start();
    endpoint.refuse("the session was killed; start a new one with agent-run");
    const reply = await ask(endpoint.port, { path: new URL(endpoint.processUrl).pathname });
    expect(reply.status).toBe(410);
    expect(reply.body).toBe("agent-run: the session was killed; start a new one with agent-run");
  });

  it("other addresses of the machine, loopback or not, do not listen", async () => {
    const { endpoint } = await start();
    await expect(
      new Promise((resolve, fail) => {
        const socket = connect(endpoint.port, "127.0.0.2", () => resolve(socket.destroy()));
        socket.on("error", fail);
      }),
    ).rejects.toMatchObject({ code: expect.stringMatching(/^(ECONNREFUSED|EADDRNOTAVAIL)$/) });
  });
});

describe("a slow or greedy peer", () => {
  it("who sends nothing, or a header a second, is dropped within 5 s, and does not hold up others", async () => {
    const { endpoint } = await start();
    const began = performance.now();
    const silent = raw(endpoint.port, "");
    const slow = new Promise<void>((resolve) => {
      const socket = connect(endpoint.port, "127.0.0.1", () => socket.write(`GET ${PATH} HTTP/1.1\r\n`));
      const drip = setInterval(() => socket.write("X: y\r\n"), 500);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        clearInterval(drip);
        resolve();
      });
      socket.resume();
    });
    expect((await ask(endpoint.port)).status).toBe(200);
    await Promise.all([silent, slow]);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it("who opens hundreds of idle connections does not lock the session out", async () => {
    const { endpoint } = await start();
    const sockets = Array.from({ length: 400 }, () => connect(endpoint.port, "127.0.0.1").on("error", () => undefined));
    expect((await ask(endpoint.port)).status).toBe(200);
    for (const socket of sockets) socket.destroy();
  });
});

describe("when there is nothing to serve", () => {
  it("says why and what to do, as botocore prints it", async () => {
    const { endpoint } = await start({
      credentials: () => Promise.reject(new AgentRunError("sts-unreachable", "cannot reach sts", { hint: "check the network" })),
    });
    const reply = await ask(endpoint.port);
    expect(reply.status).toBe(503);
    expect(JSON.parse(reply.body).message).toBe(
      "agent-run: the session has no valid credentials now: cannot reach sts (check the network)",
    );
  });

  it("answers before an SDK gives up, after 1 s, when the credentials are slow in coming", async () => {
    const asked = Promise.withResolvers<void>();
    const { endpoint } = await start({
      credentials() {
        asked.resolve();
        return new Promise(() => undefined);
      },
    });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const reply = ask(endpoint.port);
    await asked.promise;
    vi.advanceTimersByTime(950);
    expect((await reply).status).toBe(503);
  });

  it("makes one request to STS for 200 parallel fetches on a cold cache", async () => {
    let calls = 0;
    const broker = new Broker({
      obtain: async () => {
        calls += 1;
        await new Promise((resolve) => setTimeout(resolve, 100));
        return { ...credentials, secretAccessKey: new Secret("theSecretAccessKey"), sessionToken: new Secret("theSessionToken") };
      },
      clock: systemClock,
      onEvent: () => undefined,
    });
    const { endpoint } = await start({ credentials: () => broker.current() });
    const replies = await Promise.all(Array.from({ length: 200 }, () => ask(endpoint.port)));
    broker.stop();
    expect(replies.map(({ status }) => status)).toEqual(Array.from({ length: 200 }, () => 200));
    expect(calls).toBe(1);
  });
});
