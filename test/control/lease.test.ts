import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeLease } from "../../src/control/lease.ts";
import { type DaemonMessage, daemonMessage, type LauncherMessage, LONGEST_LINE, launcherMessage } from "../../src/control/protocol.ts";

let folder: string;
let near: Socket;
let far: Socket;
let closeServer: () => void;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "ar-lease-"));
  const server = createServer({ allowHalfOpen: true });
  server.listen(join(folder, "s"));
  await once(server, "listening");
  const accepted = once(server, "connection");
  near = connect({ path: join(folder, "s") });
  [far] = (await accepted) as [Socket];
  far.on("error", () => {});
  closeServer = () => server.close();
});
afterEach(() => {
  near.destroy();
  far.destroy();
  closeServer();
  rmSync(folder, { recursive: true });
});

const launcherSide = () => makeLease<LauncherMessage, DaemonMessage>(near, daemonMessage, "daemon");
const daemonSide = (early?: Buffer) => makeLease<DaemonMessage, LauncherMessage>(far, launcherMessage, "launcher", early);

function collect(lease: ReturnType<typeof daemonSide>): { messages: LauncherMessage[]; count(n: number): Promise<void> } {
  const messages: LauncherMessage[] = [];
  let wake = (): void => {};
  lease.onMessage((message) => {
    messages.push(message);
    wake();
  });
  return {
    messages,
    async count(n) {
      while (messages.length < n) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}

describe("a lease", () => {
  it("carries messages both ways, in order", async () => {
    const [launcher, daemon] = [launcherSide(), daemonSide()];
    const heard = collect(daemon);
    const answers: DaemonMessage[] = [];
    const answered = new Promise<void>((resolve) =>
      launcher.onMessage((message) => {
        answers.push(message);
        if (answers.length === 2) resolve();
      }),
    );
    for (let id = 0; id < 100; id += 1) launcher.send({ type: "answer", id, text: "ü\n\u2028" });
    daemon.send({ type: "step", name: "profile", state: "ok", text: "readonly" });
    daemon.send({ type: "end", cause: "killed", graceMs: 10 });
    await Promise.all([heard.count(100), answered]);
    expect(heard.messages.map((message) => (message.type === "answer" ? message.id : -1))).toEqual(
      Array.from({ length: 100 }, (_, id) => id),
    );
    expect(heard.messages[0]).toEqual({ type: "answer", id: 0, text: "ü\n\u2028" });
    expect(answers.map((message) => message.type)).toEqual(["step", "end"]);
  });

  it("reads the same messages however the bytes are cut", async () => {
    const sent: LauncherMessage[] = [{ type: "kill" }, { type: "answer", id: 1, text: "é𐍈" }, { type: "exited", code: 0 }];
    const bytes = Buffer.from(sent.map((message) => `${JSON.stringify(message)}\n`).join(""));
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 })), async (cuts) => {
        const pair = await freshPair();
        const heard = collect(makeLease<DaemonMessage, LauncherMessage>(pair.accepted, launcherMessage, "launcher"));
        let from = 0;
        for (const to of [...cuts.sort((a, b) => a - b), bytes.length]) {
          pair.accepted.emit("data", bytes.subarray(from, to));
          from = to;
        }
        await heard.count(3);
        expect(heard.messages).toEqual(sent);
        pair.close();
      }),
      { numRuns: 50 },
    );
  });

  it("hands over what came before there was a handler, and the bytes that were read with the handshake", async () => {
    const daemon = daemonSide(Buffer.from('{"type":"kill"}\n{"type":"exi'));
    near.write('ted","code":3}\n');
    await new Promise((resolve) => setTimeout(resolve, 50));
    const heard = collect(daemon);
    await heard.count(2);
    expect(heard.messages).toEqual([{ type: "kill" }, { type: "exited", code: 3 }]);
  });

  it("delivers the last messages before it says that it is closed", async () => {
    const [launcher, daemon] = [launcherSide(), daemonSide()];
    const heard = collect(daemon);
    launcher.send({ type: "exited", code: 0 });
    launcher.close();
    expect(await daemon.closed).toBeUndefined();
    expect(heard.messages).toEqual([{ type: "exited", code: 0 }]);
    expect(await launcher.closed).toBeUndefined();
  });

  it("delivers nothing after close, and sends nothing", async () => {
    const [launcher, daemon] = [launcherSide(), daemonSide()];
    const heard = collect(daemon);
    daemon.close();
    daemon.send({ type: "end", cause: "killed", graceMs: 0 });
    launcher.send({ type: "kill" });
    launcher.onMessage(() => expect.fail("a message after close"));
    await Promise.all([launcher.closed, daemon.closed]);
    launcher.send({ type: "kill" });
    expect(heard.messages).toEqual([]);
  });

  it.each([
    ["text that is not JSON", "GET / HTTP/1.1\n"],
    ["a message of the other side", '{"type":"end","cause":"killed","graceMs":1}\n'],
    ["a field of the wrong type", '{"type":"answer","id":"1","text":"AKIASECRET"}\n'],
    ["a key of the prototype", '{"__proto__":{"type":"kill"}}\n'],
    ["no object", "null\n"],
    ["an empty line", "\n"],
    ["bytes that are not UTF-8", Buffer.from([0x22, 0xff, 0x22, 0x0a])],
    ["a byte order mark", Buffer.from('\ufeff{"type":"kill"}\n')],
  ])("is closed with an error by %s, which is not quoted", async (_name, bytes) => {
    const daemon = daemonSide();
    const heard = collect(daemon);
    near.write(bytes);
    const error = await daemon.closed;
    expect(error).toMatchObject({ code: "lease" });
    expect(error?.message).not.toMatch(/AKIA|GET/);
    expect(heard.messages).toEqual([]);
  });

  it("hands over nothing that follows garbage in the same chunk", async () => {
    const daemon = daemonSide();
    const heard = collect(daemon);
    near.write('{"type":"exited"}\nnonsense\n{"type":"kill"}\n');
    expect(await daemon.closed).toMatchObject({ code: "lease" });
    expect(heard.messages).toEqual([{ type: "exited" }]);
  });

  it("is closed with an error when the peer hangs up in the middle of a line", async () => {
    const daemon = daemonSide();
    near.end('{"type":"kill"');
    expect(await daemon.closed).toMatchObject({ code: "lease", message: expect.stringContaining("middle of a line") });
  });

  it("is closed with an error by a line that never ends, without keeping more than the limit", async () => {
    const daemon = daemonSide();
    near.on("error", () => {});
    const flood = Buffer.alloc(65_536, 0x61);
    let sent = 0;
    const more = (): void => {
      while (near.writable && sent < 64 * LONGEST_LINE) {
        sent += flood.length;
        if (!near.write(flood)) return;
      }
    };
    near.on("drain", more);
    more();
    expect(await daemon.closed).toMatchObject({ code: "lease", message: expect.stringContaining(String(LONGEST_LINE)) });
    expect(sent).toBeLessThan(8 * LONGEST_LINE);
  });

  it("takes a line just below the limit and refuses to send a longer one", async () => {
    const [launcher, daemon] = [launcherSide(), daemonSide()];
    const note = "x".repeat(LONGEST_LINE - 100);
    const got = new Promise<DaemonMessage>((resolve) => launcher.onMessage(resolve));
    daemon.send({ type: "step", name: "base", state: "ok", text: note });
    expect(await got).toMatchObject({ text: note });
    expect(() => daemon.send({ type: "step", name: "base", state: "ok", text: "x".repeat(LONGEST_LINE) })).toThrow(
      expect.objectContaining({ code: "lease" }),
    );
  });

  it("is closed with an error when the peer does not read what it is sent", async () => {
    const daemon = daemonSide();
    near.pause();
    for (let n = 0; n < 20; n += 1) daemon.send({ type: "step", name: "base", state: "ok", text: "x".repeat(1_000_000) });
    expect(await daemon.closed).toMatchObject({ code: "lease", message: expect.stringContaining("does not read") });
  });

  it("is closed with an error when messages pile up that nobody handles", async () => {
    const daemon = daemonSide();
    near.write('{"type":"kill"}\n'.repeat(200));
    expect(await daemon.closed).toMatchObject({ code: "lease" });
  });

  it("is closed with an error when its handler throws, and takes nothing else down", async () => {
    const daemon = daemonSide();
    daemon.onMessage(() => {
      throw new Error("a mistake");
    });
    near.write('{"type":"kill"}\n');
    expect(await daemon.closed).toMatchObject({ code: "lease", message: expect.stringContaining("a mistake") });
  });

  it("says that it is closed when the peer vanishes without a word", async () => {
    const daemon = daemonSide();
    near.pause();
    daemon.send({ type: "step", name: "base", state: "ok", text: "never read" });
    await new Promise((resolve) => setTimeout(resolve, 20));
    near.destroy();
    expect(await daemon.closed).toBeUndefined();
  });

  it("is closed although the peer neither reads nor hangs up", async () => {
    const daemon = daemonSide();
    near.pause();
    daemon.send({ type: "step", name: "base", state: "ok", text: "x".repeat(1_000_000) });
    daemon.close();
    expect(await daemon.closed).toBeUndefined();
  });
});

async function freshPair(): Promise<{ accepted: Socket; close(): void }> {
  const server = createServer();
  const path = join(folder, `p${Math.trunc(performance.now() * 1000)}`);
  server.listen(path);
  await once(server, "listening");
  const accepting = once(server, "connection");
  const client = connect({ path });
  const [accepted] = (await accepting) as [Socket];
  return {
    accepted,
    close: () => {
      client.destroy();
      accepted.destroy();
      server.close();
    },
  };
}
