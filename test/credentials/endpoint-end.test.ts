// The endpoint's end and its second life: what is refused from when on, and the port that a resumed session gets again.
import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { SessionCredentials } from "../../src/aws/credentials.ts";
import { Secret } from "../../src/core/secret.ts";
import { ask, closeAll, credentials, PATH, raw, start, TOKEN } from "./endpoint-client.ts";

afterEach(closeAll);

describe("the end", () => {
  it("refuse answers 410 with the sentence, to the right token only", async () => {
    const { endpoint } = await start();
    endpoint.refuse("the session's time was up at 12:00; start a new one with agent-run");
    const reply = await ask(endpoint.port);
    expect(reply.status).toBe(410);
    expect(JSON.parse(reply.body)).toEqual({
      code: "SessionEnded",
      message: "agent-run: the session's time was up at 12:00; start a new one with agent-run",
    });
    expect((await ask(endpoint.port, { headers: { authorization: "x" } })).status).toBe(401);
  });

  it("refuse also stops the answer to a request that is already waiting", async () => {
    let give: (value: SessionCredentials) => void = () => undefined;
    const { endpoint } = await start({
      credentials: () =>
        new Promise((resolve) => {
          give = resolve;
        }),
    });
    const waiting = ask(endpoint.port);
    await new Promise((resolve) => setTimeout(resolve, 50));
    endpoint.refuse("ended");
    give(credentials);
    const reply = await waiting;
    expect(reply.status).toBe(410);
    expect(reply.body).not.toContain("theSecret");
  });

  it("secrets that were wiped meanwhile are not served as empty ones", async () => {
    const wiped = { ...credentials, secretAccessKey: new Secret("x"), sessionToken: new Secret("y") };
    wiped.secretAccessKey.wipe();
    const { endpoint } = await start({ credentials: async () => wiped });
    expect((await ask(endpoint.port)).status).toBe(410);
  });

  it("close drops kept-alive and waiting connections at once and frees the port", async () => {
    const { endpoint } = await start({ credentials: () => new Promise(() => undefined) });
    const waiting = raw(endpoint.port, `GET ${PATH} HTTP/1.1\r\nHost: 127.0.0.1:${endpoint.port}\r\nAuthorization: ${TOKEN}\r\n\r\n`);
    const idle = raw(endpoint.port, "");
    await new Promise((resolve) => setTimeout(resolve, 50));
    const began = performance.now();
    await endpoint.close();
    expect(await waiting).not.toContain("200");
    await idle;
    expect(performance.now() - began).toBeLessThan(500);
    await expect(ask(endpoint.port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("a session that is resumed gets its port again, also right after the old listener served", async () => {
    const { endpoint } = await start();
    await ask(endpoint.port);
    await endpoint.close();
    const { endpoint: again } = await start({ port: endpoint.port });
    expect(again.port).toBe(endpoint.port);
    expect((await ask(again.port)).status).toBe(200);
  });

  it("a port that frees up within a second is waited for; one that does not is an error", async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => {
      holder.listen(0, "127.0.0.1", resolve);
    });
    const address = holder.address();
    const port = typeof address === "object" && address ? address.port : 0;
    await expect(start({ port })).rejects.toMatchObject({ code: "daemon", hint: expect.any(String) });
    setTimeout(() => holder.close(), 300);
    expect((await start({ port })).endpoint.port).toBe(port);
  });
});
