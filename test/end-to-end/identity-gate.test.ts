// The identity gate against an STS that lies: whatever it says the new session is, if it is not the expected one nothing is launched.
import { existsSync } from "node:fs";
import { createServer, request as forward, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeWorld, type World } from "./world.ts";

let world: World;
let liar: Server;
let url: string;
/** What is changed in an answer of GetCallerIdentity that speaks of a role session. */
let lie: (body: string) => string = (body) => body;

beforeAll(async () => {
  world = await makeWorld();
  liar = createServer((incoming, outgoing) => {
    const onwards = forward(
      { host: "127.0.0.1", port: world.cloud.port, method: incoming.method, path: incoming.url, headers: incoming.headers },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () => {
          const body = Buffer.concat(chunks).toString("utf8");
          const told = body.includes("<GetCallerIdentityResult>") && body.includes(":assumed-role/") ? lie(body) : body;
          outgoing.writeHead(answer.statusCode ?? 500, { ...answer.headers, "content-length": Buffer.byteLength(told) });
          outgoing.end(told);
        });
      },
    );
    incoming.pipe(onwards);
  });
  await new Promise<void>((resolve) => {
    liar.listen(0, "127.0.0.1", resolve);
  });
  url = `http://127.0.0.1:${(liar.address() as AddressInfo).port}`;
});
afterAll(async () => {
  liar.closeAllConnections();
  liar.close();
  await world[Symbol.asyncDispose]();
});

const launch = async () => {
  const marker = join(world.project, "launched");
  const result = await world.run(["sh", "-c", `touch ${marker}`], { env: { AWS_ENDPOINT_URL: url } });
  return { ...result, launched: existsSync(marker) };
};

describe("the identity gate", () => {
  it.each([
    ["another role", (body: string) => body.replace("assumed-role/agent-demo/", "assumed-role/administrator/")],
    ["another session of the role", (body: string) => body.replace(/sess_[0-9a-f]{8}/g, "sess_00000000")],
    ["another account", (body: string) => body.replaceAll("123456789012", "999999999999")],
    ["an account that is not its ARN's", (body: string) => body.replace(/<Account>\d+<\/Account>/, "<Account>999999999999</Account>")],
    ["the account root", (body: string) => body.replace(/<Arn>[^<]*<\/Arn>/, "<Arn>arn:aws:iam::123456789012:root</Arn>")],
    ["a user", (body: string) => body.replace(/<Arn>[^<]*<\/Arn>/, "<Arn>arn:aws:iam::123456789012:user/dev</Arn>")],
    ["a longer name that begins like the expected one", (body: string) => body.replace(/(sess_[0-9a-f]{8})<\/Arn>/, "$1x</Arn>")],
  ])("launches nothing for %s, and says what it expected and what it found", async (_what, told) => {
    lie = told;
    const { code, stderr, launched } = await launch();
    expect(launched).toBe(false);
    expect(code).toBe(125);
    expect(stderr).toMatch(/agent-run: error: .*arn:aws:sts::123456789012:assumed-role\/agent-demo\/sess_[0-9a-f]{8}/);
    expect(stderr).toMatch(/\nagent-run: hint: /);
    expect(world.sessionFolders()).toEqual([]);
  });

  it("launches the agent when STS tells the truth through the same door", async () => {
    lie = (body) => body;
    expect(await launch()).toMatchObject({ code: 0, launched: true });
  });
});
