import type { ChildProcess } from "node:child_process";
import { statSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openLease, requestJson } from "../../src/control/client.ts";
import { LONGEST_LINE, type OpenMessage, PROTOCOL } from "../../src/control/protocol.ts";
import { daemonStatus, killReply } from "../../src/control/requests.ts";
import { object, string } from "../../src/control/shape.ts";
import { exchange, exitOf, type Home, rawConnection, servingToy, temporaryHome } from "./toy.ts";

const open: OpenMessage = {
  ...{ type: "open", actor: "toy", developer: "dev", cwd: "/" },
  ...{ overrides: {}, source: {}, interactive: false, dryRun: false },
};

let home: Home;
let daemon: ChildProcess;
beforeAll(async () => {
  home = temporaryHome();
  daemon = await servingToy(home);
});
afterAll(async () => {
  daemon.kill();
  await exitOf(daemon);
  home.remove();
});

const status = () => requestJson(home.socket, { path: "/v1/status", answer: daemonStatus });
const get = (...headers: string[]) =>
  `GET /v1/status HTTP/1.1\r\n${headers.map((header) => `${header}\r\n`).join("")}Connection: close\r\n\r\n`;
const post = (path: string, body: string, ...headers: string[]) =>
  `POST ${path} HTTP/1.1\r\nHost: agent-run\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
  `${headers.map((header) => `${header}\r\n`).join("")}Connection: close\r\n\r\n${body}`;
const upgrade = (...headers: string[]) =>
  `GET /v1/lease HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: agent-run-lease\r\n${headers.map((header) => `${header}\r\n`).join("")}\r\n`;
const statusLine = (reply: string) => reply.split("\r\n")[0];

describe("the control socket", () => {
  it("is for the user alone: 0600 in a folder with 0700", () => {
    expect(statSync(home.socket).mode & 0o777).toBe(0o600);
    expect(statSync(home.paths.runtime).mode & 0o777).toBe(0o700);
  });

  it("answers the status at once", async () => {
    expect(await status()).toMatchObject({ protocol: PROTOCOL, version: "1.0.0", pid: daemon.pid, sessions: [] });
    const before = performance.now();
    for (let n = 0; n < 20; n += 1) await status();
    expect((performance.now() - before) / 20).toBeLessThan(100);
  });

  it.each([
    ["an Origin", ["Host: agent-run", "Origin: http://localhost"]],
    ["a null Origin", ["Host: agent-run", "Origin: null"]],
    ["an empty Origin", ["Host: agent-run", "Origin: "]],
    ["a Referer", ["Host: agent-run", "Referer: http://localhost/"]],
    ["another Host", ["Host: localhost"]],
    ["a Host with a port", ["Host: agent-run:80"]],
    ["two Hosts", ["Host: agent-run", "Host: agent-run"]],
  ])("refuses a request with %s, as request and as lease", async (_name, headers) => {
    expect(statusLine(await exchange(home.socket, get(...headers)))).toMatch(/^HTTP\/1\.1 4(00|03) /);
    const lease = await exchange(home.socket, upgrade(...headers, `agent-run-protocol: ${PROTOCOL}`));
    expect(statusLine(lease)).toMatch(/^HTTP\/1\.1 4(00|03) /);
  });

  it("refuses a request without a Host", async () => {
    expect(statusLine(await exchange(home.socket, get()))).toBe("HTTP/1.1 400 Bad Request");
  });

  it.each([
    "GET /",
    "GET /v1/status?x",
    "GET //v1/status",
    "GET /v1/../v1/status",
    "GET http://agent-run/v1/status",
    "POST /v1/status",
    "DELETE /v1/kill",
  ])("knows no path '%s'", async (line) => {
    const body = line.startsWith("GET") ? "" : "Content-Type: application/json\r\nContent-Length: 2\r\n";
    const reply = await exchange(home.socket, `${line} HTTP/1.1\r\nHost: agent-run\r\n${body}Connection: close\r\n\r\n${body && "{}"}`);
    expect(statusLine(reply)).toBe("HTTP/1.1 404 Not Found");
    expect(JSON.parse(reply.slice(reply.indexOf("\r\n\r\n")))).toMatchObject({ error: { code: "usage" } });
  });

  it.each([
    ["no JSON type", post("/v1/kill", '{"session":"all"}', "Content-Type: text/plain")],
    ["no JSON", post("/v1/kill", "session=all", "Content-Type: application/json")],
    ["JSON of another shape", post("/v1/kill", '{"which":"all"}', "Content-Type: application/json")],
    ["a body that is too long", post("/v1/kill", JSON.stringify({ session: "x".repeat(70_000) }), "Content-Type: application/json")],
    ["two lengths", "POST /v1/kill HTTP/1.1\r\nHost: agent-run\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"],
    [
      "a length and chunks",
      "POST /v1/kill HTTP/1.1\r\nHost: agent-run\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["no HTTP", "\u0016\u0003\u0001 what\r\n\r\n"],
  ])("refuses a request with %s, and serves on", async (_name, bytes) => {
    expect(statusLine(await exchange(home.socket, bytes))).toMatch(/^HTTP\/1\.1 400 /);
    expect((await status()).pid).toBe(daemon.pid);
  });

  it("refuses a lease of another protocol, naming both sides' versions", async () => {
    const reply = await exchange(home.socket, upgrade("Host: agent-run", "agent-run-protocol: 99"));
    expect(statusLine(reply)).toMatch(/^HTTP\/1\.1 409 /);
    expect(JSON.parse(reply.slice(reply.indexOf("\r\n\r\n")))).toMatchObject({ error: { code: "daemon-version" } });
  });

  it.each(["websocket", "h2c"])("refuses an upgrade to %s", async (protocol) => {
    const reply = await exchange(
      home.socket,
      upgrade("Host: agent-run", `agent-run-protocol: ${PROTOCOL}`).replace("agent-run-lease", protocol),
    );
    expect(statusLine(reply)).toMatch(/^HTTP\/1\.1 404 /);
  });
});

describe("a lease on the control socket", () => {
  it("opens a session, which ends when the lease is closed", async () => {
    const { lease } = await openLease(home.socket, "1.0.0");
    const first = new Promise((resolve) => lease.onMessage(resolve));
    lease.send(open);
    expect(await first).toMatchObject({ type: "status", view: { state: "active" } });
    expect((await status()).sessions).toHaveLength(1);
    lease.close();
    await lease.closed;
    await expect.poll(async () => (await status()).sessions).toEqual([]);
  });

  it("takes the first message in the same packet as the request", async () => {
    const connection = await rawConnection(home.socket);
    connection.socket.write(`${upgrade("Host: agent-run", `agent-run-protocol: ${PROTOCOL}`)}${JSON.stringify(open)}\n`);
    await expect.poll(connection.text).toContain('"state":"active"');
    connection.socket.end();
    await connection.closed;
  });

  it("acts on no first message that is for a daemon of another version", async () => {
    await expect(openLease(home.socket, "2.0.0", open)).rejects.toMatchObject({ code: "daemon-version" });
    expect((await status()).sessions).toEqual([]);
    const { lease } = await openLease(home.socket, "1.0.0", open);
    expect(await new Promise((resolve) => lease.onMessage(resolve))).toMatchObject({ type: "status", view: { state: "active" } });
    lease.close();
    await expect.poll(async () => (await status()).sessions).toEqual([]);
  });

  it("ends the session of a client that sends garbage, a message that is not due or a line without end, and serves the others", async () => {
    const { lease: good } = await openLease(home.socket, "1.0.0");
    const answers: unknown[] = [];
    good.onMessage((message) => answers.push(message));
    good.send(open);
    for (const bad of ["nonsense\n", `${JSON.stringify(open)}\nnonsense\n`, '{"type":"kill"}\n', "x".repeat(LONGEST_LINE + 1)]) {
      await exchange(home.socket, `${upgrade("Host: agent-run", `agent-run-protocol: ${PROTOCOL}`)}${bad}`);
    }
    good.send({ type: "answer", id: 1, text: "still there" });
    await expect.poll(() => answers.length).toBe(2);
    await expect.poll(async () => (await status()).sessions.length).toBe(1);
    good.close();
    await good.closed;
  });

  it("is told that its session was killed from elsewhere", async () => {
    const { lease } = await openLease(home.socket, "1.0.0");
    const messages: { type: string }[] = [];
    lease.onMessage((message) => messages.push(message));
    lease.send(open);
    await expect.poll(() => messages.length).toBe(1);
    const reply = await requestJson(home.socket, { path: "/v1/kill", body: { session: "all" }, answer: killReply });
    expect(reply.killed).toHaveLength(1);
    expect(await lease.closed).toBeUndefined();
    expect(messages.at(-1)).toMatchObject({ type: "ended", view: { cause: "killed" } });
  });
});

// Each waits for a limit of the daemon's own: all at the same time.
describe.concurrent("the daemon, kept waiting", () => {
  it("cuts off who sends headers one byte at a time, or none at all, and answers others meanwhile", { timeout: 20_000 }, async () => {
    const [silent, slow] = await Promise.all([rawConnection(home.socket), rawConnection(home.socket)]);
    const bytes = get("Host: agent-run");
    let at = 0;
    const drip = setInterval(() => {
      if (slow.socket.writable) slow.socket.write(bytes[Math.min(at++, 20)] ?? "x");
    }, 200);
    expect((await status()).pid).toBe(daemon.pid);
    const before = performance.now();
    await Promise.all([silent.closed, slow.closed]);
    clearInterval(drip);
    expect(performance.now() - before).toBeLessThan(9000);
  });

  it("cuts off who never finishes a body", { timeout: 20_000 }, async () => {
    const reply = await exchange(home.socket, post("/v1/kill", '{"session":"all"}', "Content-Type: application/json").slice(0, -3));
    expect(statusLine(reply)).toMatch(/^HTTP\/1\.1 (408|400) /);
  });

  it("closes a lease on which no first message comes", { timeout: 20_000 }, async () => {
    const connection = await rawConnection(home.socket);
    connection.socket.write(upgrade("Host: agent-run", `agent-run-protocol: ${PROTOCOL}`));
    const before = performance.now();
    await connection.closed;
    expect(performance.now() - before).toBeLessThan(12_000);
    expect(connection.text()).toMatch(/^HTTP\/1\.1 101 /);
  });
});

describe("requestJson", () => {
  it("throws what the daemon answered, code and hint included", async () => {
    await expect(
      requestJson(home.socket, { path: "/v1/kill", body: { session: "sess_ffffffff" }, answer: killReply }),
    ).rejects.toMatchObject({
      code: "session-not-found",
      message: "there is no session 'sess_ffffffff'",
    });
  });

  it("throws when the answer is not what was expected", async () => {
    await expect(requestJson(home.socket, { path: "/v1/status", answer: object({ other: string() }) })).rejects.toMatchObject({
      code: "daemon",
    });
  });
});
