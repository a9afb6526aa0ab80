// The sign-in endpoint of the console as a server that misbehaves: what is said then, and that it holds nothing of what was sent.
import type { ServerResponse } from "node:http";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { consoleUrl } from "../../src/aws/console.ts";
import { Secret } from "../../src/core/secret.ts";
import { rawServer } from "./raw-server.ts";

const KEYS = {
  accessKeyId: "ASIAEXAMPLE000000001",
  secretAccessKey: new Secret("sessionSecret/+0123456789"),
  sessionToken: new Secret("sessionToken0123456789"),
  expiresAt: Date.now() + 900_000,
};
const TOKEN = JSON.stringify({ SigninToken: "a-token" });

const opened = (signin: string, env = {}): Promise<string> => consoleUrl({ region: "eu-west-1", env }, KEYS, signin);

describe("the sign-in endpoint of the console", () => {
  it("gives the address that signs a browser in", async () => {
    await using server = await rawServer((response) => response.end(TOKEN));
    const url = new URL(await opened(`${server.url}/federation`));
    expect(url.searchParams.get("SigninToken")).toBe("a-token");
    expect(new URL(url.searchParams.get("Destination") ?? "").searchParams.get("region")).toBe("eu-west-1");
    expect(url.search).not.toContain("sessionSecret");
  });

  it.each<[string, (response: ServerResponse) => void, RegExp]>([
    [
      "is cut off before its length",
      (response) => {
        response.writeHead(200, { "content-length": 100 });
        response.write(TOKEN, () => response.destroy());
      },
      /does not answer: ECONNRESET$/,
    ],
    [
      "is cut off before its last chunk",
      (response) => void response.write(TOKEN, () => response.destroy()),
      /does not answer: ECONNRESET$/,
    ],
    ["has no end", (response) => response.end(TOKEN + " ".repeat(100_000)), /does not answer: EPROTO$/],
    ["is none", (response) => response.destroy(), /does not answer: ECONNRESET$/],
    ["is no token", (response) => response.end('{"SigninToken":""}'), /gives no console for this session \(status 200\)$/],
    ["is no JSON", (response) => response.end("Bad Request"), /gives no console for this session \(status 200\)$/],
    ["leads elsewhere", (response) => response.writeHead(302, { location: "/" }).end(TOKEN), /\(status 302\)$/],
  ])("with an answer that %s gives none, and says why", async (_what, answer, message) => {
    await using server = await rawServer(answer);
    const error: unknown = await opened(`${server.url}/federation`).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "base-credentials", message: expect.stringMatching(message) });
    expect(inspect(error, { depth: 9 })).not.toMatch(/session(Secret|Token)/);
  });

  it("is asked only with the certificate authorities that the human named", async () => {
    await expect(opened("https://127.0.0.1:9/federation", { AWS_CA_BUNDLE: "/there/is/none" })).rejects.toMatchObject({
      code: "config",
      message: expect.stringMatching(/^cannot read AWS_CA_BUNDLE/),
    });
  });
});
