// The local cloud as a process of its own: its first line, its switches over stdin, its end with its parent.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LocalCloudHello, localCloudHello } from "../../src/localcloud/hello.ts";
import { refusal, settings } from "./clients.ts";

/** What the hidden command does, as a program. */
let folder: string;
let program: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "local-cloud-"));
  program = join(folder, "serve.mjs");
  const source = join(import.meta.dirname, "../../src/localcloud/serve.ts");
  writeFileSync(
    program,
    `import { serveLocalCloud } from ${JSON.stringify(source)};\nawait serveLocalCloud(process.stdin, process.stdout);\n`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Served extends AsyncDisposable {
  readonly child: ChildProcessWithoutNullStreams;
  readonly hello: LocalCloudHello;
  /** Sends a line and gives the answer to it. */
  tell(line: unknown): Promise<Record<string, unknown>>;
}

async function start(): Promise<Served> {
  const child = spawn(process.execPath, [program]);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => JSON.parse((await lines.next()).value ?? "null");
  const hello = localCloudHello.parse(await next());
  return {
    child,
    hello,
    async tell(line) {
      child.stdin.write(`${typeof line === "string" ? line : JSON.stringify(line)}\n`);
      return (await next()) as Record<string, unknown>;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

const client = (hello: LocalCloudHello): STSClient => new STSClient(settings(hello, hello));
const who = new GetCallerIdentityCommand({});

describe("the local cloud as a process", () => {
  it("says in one line where it is, and serves there", async () => {
    await using served = await start();
    expect(served.hello).toMatchObject({
      account: "123456789012",
      region: "us-east-1",
      roleArn: "arn:aws:iam::123456789012:role/agent-demo",
    });
    expect((await client(served.hello).send(who)).Arn).toBe("arn:aws:iam::123456789012:user/dev");
  });

  it("takes switches as lines and answers each", async () => {
    await using served = await start();
    const { tell, hello } = served;
    expect(
      await tell({ command: "apply", settings: { faults: [{ operation: "sts:*", error: { code: "ServiceUnavailable", status: 503 } }] } }),
    ).toEqual({ ok: true });
    expect((await refusal(client(hello).send(who))).status).toBe(503);
    expect(await tell({ command: "apply", settings: { faults: [] } })).toEqual({ ok: true });
    await client(hello).send(who);
    expect(await tell({ command: "calls" })).toEqual({ ok: true, calls: { "sts:GetCallerIdentity": 2 } });
    expect(await tell({ command: "secrets" })).toEqual({ ok: true, secrets: [hello.secretAccessKey] });
    expect(await tell({ command: "events" })).toMatchObject({ ok: true, events: [{ eventName: "GetCallerIdentity" }] });
    expect(await tell({ command: "keys", user: "root" })).toMatchObject({ ok: true, accessKeyId: expect.stringMatching(/^AKIA/) });
  });

  it.each([
    ["no JSON", "oops"],
    ["an unknown command", { command: "explode" }],
    ["a setting that is none", { command: "apply", settings: { propagationMinutes: 1 } }],
    ["a user that is not there", { command: "keys", user: "ghost" }],
  ])("answers %s with an error and goes on", async (_title, line) => {
    await using served = await start();
    expect(await served.tell(line)).toEqual({ ok: false, error: expect.stringMatching(/\S/) });
    await expect(client(served.hello).send(who)).resolves.toBeDefined();
  });

  it("ends when its stdin ends, as it does when its parent dies, even in the middle of a request", async () => {
    await using served = await start();
    await served.tell({ command: "apply", settings: { faults: [{ operation: "sts:*", end: "hang" }] } });
    const hanging = refusal(client(served.hello).send(who));
    const ended = once(served.child, "exit");
    served.child.stdin.end();
    expect(await ended).toEqual([0, null]);
    expect((await hanging).message).toMatch(/hang up|ECONNRESET/);
    const socket = connect(served.hello.port, "127.0.0.1");
    const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNREFUSED");
  });

  it.each(["has not said its first line yet", "answers"])("ends when its parent dies while it %s", async (when) => {
    const child = spawn(process.execPath, [program]);
    const ended = once(child, "exit");
    if (when === "answers") {
      await once(child.stdout, "data");
      child.stdin.write('{"command":"calls"}\n');
    }
    child.stdout.destroy();
    child.stdin.destroy();
    expect(await ended).toEqual([0, null]);
  });
});
