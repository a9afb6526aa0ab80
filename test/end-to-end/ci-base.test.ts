// What a CI job or a task starts from: a web identity token, a container's endpoint, an instance's role. Each by a stand-in on loopback that gives keys of the
// local cloud, and each the same identity as AWS's SDK finds by its own providers in the same environment.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { GetSessionTokenCommand } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sts } from "../localcloud/clients.ts";
import { makeWorld, ROOT, type World } from "./world.ts";

const TOKEN = "eyJhbGciOiJub25lIn0.a-web-identity-token.x";
const CONTAINER_TOKEN = "Bearer a-container-token";

let world: World;
let server: Server;
let url: string;
let folder: string;
const seen: string[] = [];

async function issued(): Promise<{ AccessKeyId: string; SecretAccessKey: string; Token: string; Expiration: string }> {
  const { Credentials: given } = await sts(world.cloud).send(new GetSessionTokenCommand({}));
  if (!given?.AccessKeyId || !given.SecretAccessKey || !given.SessionToken || !given.Expiration) throw new Error("no credentials");
  return {
    AccessKeyId: given.AccessKeyId,
    SecretAccessKey: given.SecretAccessKey,
    Token: given.SessionToken,
    Expiration: given.Expiration.toISOString().replace(/\.\d+Z/, "Z"),
  };
}

beforeAll(async () => {
  world = await makeWorld();
  folder = mkdtempSync(join(tmpdir(), "ar-ci-"));
  writeFileSync(join(folder, "token"), TOKEN);
  server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const body = Buffer.concat(parts);
    const { pathname } = new URL(request.url ?? "/", "http://x");
    const json = (value: unknown): void => void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
    if (pathname === "/creds") {
      seen.push("container");
      return request.headers.authorization === CONTAINER_TOKEN ? json(await issued()) : void response.writeHead(401).end();
    }
    if (pathname === "/latest/api/token") {
      seen.push("imds token");
      return void response
        .writeHead(request.method === "PUT" ? 200 : 405, { "x-aws-ec2-metadata-token-ttl-seconds": "300" })
        .end("imds-token");
    }
    if (pathname.startsWith("/latest/meta-data/iam/")) {
      // Version 1 of the service is switched off, as it should be.
      if (request.headers["x-aws-ec2-metadata-token"] !== "imds-token") return void response.writeHead(401).end();
      if (pathname.endsWith("security-credentials/")) return void response.end("ci-runner");
      seen.push("imds role");
      return json({ Code: "Success", Type: "AWS-HMAC", LastUpdated: new Date().toISOString(), ...(await issued()) });
    }
    const form = new URLSearchParams(body.toString());
    if (form.get("Action") === "AssumeRoleWithWebIdentity") {
      seen.push("web identity");
      if (request.headers.authorization !== undefined || form.get("WebIdentityToken") !== TOKEN) return void response.writeHead(403).end();
      const { Token, ...rest } = await issued();
      const xml = Object.entries({ ...rest, SessionToken: Token }).map(([name, value]) => `<${name}>${value}</${name}>`);
      return void response
        .writeHead(200, { "content-type": "text/xml" })
        .end(
          `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>${xml.join("")}</Credentials>` +
            "<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/ci/job</Arn><AssumedRoleId>AROA:job</AssumedRoleId></AssumedRoleUser>" +
            "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>",
        );
    }
    // All other calls of STS are the local cloud's, under the host name that they were signed for.
    const passed = httpRequest(
      { host: "127.0.0.1", port: world.cloud.port, method: request.method, path: request.url, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    );
    passed.end(body);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server?.closeAllConnections();
  server?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
  await world?.[Symbol.asyncDispose]();
});

/** Who AWS's SDK for JavaScript is in this environment, by its default chain of providers. */
async function whoBySdk(env: Record<string, string | undefined>): Promise<string> {
  const script = `import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
    console.log((await new STSClient({ region: "us-east-1", maxAttempts: 1 }).send(new GetCallerIdentityCommand({}))).Arn)`;
  const clean = Object.fromEntries(
    Object.entries({ ...world.env, ...env }).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], { cwd: ROOT, env: clean });
  return stdout.trim();
}

describe("a run without keys", () => {
  const NONE = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
  const ways = (): Record<string, Record<string, string | undefined>> => ({
    "web identity": {
      AWS_ENDPOINT_URL_STS: url,
      AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, "token"),
      AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/ci",
      AWS_ROLE_SESSION_NAME: "job",
      AWS_EC2_METADATA_DISABLED: "true",
    },
    container: { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/creds`, AWS_CONTAINER_AUTHORIZATION_TOKEN: CONTAINER_TOKEN },
    "imds role": { AWS_EC2_METADATA_SERVICE_ENDPOINT: url },
  });

  it.each([
    ["web identity", "environment variables (web identity, role ci)"],
    ["container", "container credentials (127.0.0.1:"],
    ["imds role", "instance role ci-runner"],
  ])("starts from %s, and is who the SDK is there", async (way, source) => {
    const env = { ...NONE, ...ways()[way] };
    seen.length = 0;
    const dry = await world.run(["--dry-run", "true"], { env });
    expect(dry.stderr).toContain(source);
    expect(dry.code).toBe(0);
    expect(seen).toContain(way);
    expect(dry.stderr).toContain(`you are ${await whoBySdk(env)} (`);
    const ran = await world.run(["sh", "-c", "env"], { env });
    expect(ran.code).toBe(0);
    // Nothing of what the job started from is handed on.
    for (const secret of [TOKEN, CONTAINER_TOKEN, "imds-token", join(folder, "token"), url]) expect(ran.stdout).not.toContain(secret);
  });

  it.each([
    ["web identity", { AWS_WEB_IDENTITY_TOKEN_FILE: "/nonexistent/token" }, "cannot read the web identity token"],
    ["container", { AWS_CONTAINER_AUTHORIZATION_TOKEN: "Bearer wrong" }, "answered 401"],
    ["imds role", { AWS_EC2_METADATA_DISABLED: "true" }, "found no aws credentials"],
  ])("that has not got %s says so, and starts nothing", async (way, change, words) => {
    const result = await world.run(["true"], { env: { ...NONE, ...ways()[way], ...change } });
    expect(result).toMatchObject({ code: 125, stderr: expect.stringContaining(words) });
  });
});
