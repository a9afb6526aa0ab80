import { existsSync, readdirSync, readlinkSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openLease, requestJson } from "../../src/control/client.ts";
import { lockHolder } from "../../src/control/lock.ts";
import { stopReply } from "../../src/control/protocol.ts";
import { daemonStatus } from "../../src/control/requests.ts";
import { ask } from "../../src/control/start-daemon.ts";
import { daemonLock } from "../../src/core/paths.ts";
import { exitOf, type Home, openToy as open, rawConnection, servingToy, startToy, temporaryHome, until } from "./toy.ts";

let home: Home;
beforeEach(() => {
  home = temporaryHome();
});
afterEach(() => home.remove());

/** A lease with a session, and what it was told. */
async function session() {
  const { lease } = await openLease(home.socket, "1.0.0");
  const messages: { type: string; view?: { cause?: string | undefined } }[] = [];
  lease.onMessage((message) => messages.push(message as (typeof messages)[number]));
  lease.send(open);
  await until(() => messages.length > 0);
  return { lease, messages };
}

const status = () => requestJson(home.socket, { path: "/v1/status", answer: daemonStatus });

/** Nothing is left but the released lock. */
function expectNothingLeft(): void {
  expect(readdirSync(home.paths.runtime)).toEqual(["daemon.lock.1"]);
  expect(readlinkSync(`${home.paths.runtime}/daemon.lock.1`)).toBe("released");
}

describe("the daemon", () => {
  it.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("ends its sessions as killed and leaves nothing behind at %s", async (name) => {
    const child = await servingToy(home);
    const { lease, messages } = await session();
    child.kill(name);
    expect(await exitOf(child)).toBe(0);
    expect(await lease.closed).toBeUndefined();
    expect(messages.at(-1)).toMatchObject({ type: "ended", view: { cause: "killed" } });
    expectNothingLeft();
  });

  it("ends a session as lost when its launcher is gone", async () => {
    const child = await servingToy(home);
    const { lease } = await session();
    lease.close();
    await until(() => home.log().includes(" lost"));
    child.kill();
    await exitOf(child);
  });

  it("leaves at a stop request, after it has answered how many sessions it ended", async () => {
    const child = await servingToy(home);
    const sessions = [await session(), await session()];
    expect(await ask(home.paths, { path: "/v1/stop", body: { onlyIdle: false }, answer: stopReply })).toEqual({ ended: 2 });
    expect(await exitOf(child)).toBe(0);
    for (const { messages } of sessions) expect(messages.at(-1)).toMatchObject({ type: "ended" });
    expectNothingLeft();
  });

  it("answers all of several stop requests at once", async () => {
    const child = await servingToy(home);
    const stops = Array.from({ length: 5 }, () => ask(home.paths, { path: "/v1/stop", body: { onlyIdle: true }, answer: stopReply }));
    for (const reply of await Promise.all(stops)) expect([undefined, { ended: 0 }]).toContainEqual(reply);
    expect(await exitOf(child)).toBe(0);
  });

  it("leaves when it was idle for its time, and not while there is a session or a connection", async () => {
    const child = await servingToy(home, { idleMs: 700 });
    const { lease } = await session();
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect((await status()).sessions).toHaveLength(1);
    lease.close();
    await lease.closed;
    const connection = await rawConnection(home.socket);
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(child.exitCode).toBeNull();
    connection.socket.destroy();
    const before = performance.now();
    expect(await exitOf(child)).toBe(0);
    expect(performance.now() - before).toBeGreaterThan(500);
    expectNothingLeft();
  });

  it("counts its idle time from the last connection, not from its start", async () => {
    const child = await servingToy(home, { idleMs: 1500 });
    for (let n = 0; n < 5; n += 1) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect((await status()).pid).toBe(child.pid);
    }
    expect(await exitOf(child)).toBe(0);
  });

  it.each(["removed", "replaced"])("notices that its socket was %s, serves its session to the end, and leaves", async (how) => {
    const child = await servingToy(home, { watchMs: 100 });
    const { lease, messages } = await session();
    rmSync(home.socket);
    if (how === "replaced") writeFileSync(home.socket, "of somebody else");
    await until(() => home.log().includes("removed or replaced"));
    lease.send({ type: "answer", id: 1, text: "still there" });
    await until(() => messages.length === 2);
    expect(child.exitCode).toBeNull();
    lease.close();
    expect(await exitOf(child)).toBe(0);
    expect(existsSync(home.socket)).toBe(how === "replaced");
  });

  it("makes its runtime folder anew where that was removed, and is reached again with the session that it had", async () => {
    const child = await servingToy(home, { watchMs: 100 });
    const { lease, messages } = await session();
    rmSync(home.paths.runtime, { recursive: true });
    await until(() => home.log().includes("the runtime folder was removed, and made anew"));
    const { pid, sessions } = await status();
    expect({ pid, sessions: sessions.length }).toEqual({ pid: child.pid, sessions: 1 });
    expect(lockHolder(daemonLock(home.paths))).toBe(child.pid);
    lease.send({ type: "answer", id: 1, text: "still there" });
    await until(() => messages.length === 2);
    child.kill("SIGTERM");
    expect(await exitOf(child)).toBe(0);
    expect(messages.at(-1)).toMatchObject({ type: "ended" });
    expectNothingLeft();
  });

  it("leaves, its session ended, although nobody gets to its socket any more", async () => {
    const child = await servingToy(home, { watchMs: 100 });
    const { lease, messages } = await session();
    renameSync(home.paths.runtime, `${home.paths.runtime}.old`);
    symlinkSync(home.paths.runtime, home.paths.runtime);
    await until(() => home.log().includes("removed or replaced"));
    child.kill("SIGTERM");
    expect(await exitOf(child)).toBe(0);
    expect(await lease.closed).toBeUndefined();
    expect(messages.at(-1)).toMatchObject({ type: "ended", view: { cause: "killed" } });
  });

  it("does nothing where another one serves already, and the other goes on", async () => {
    const child = await servingToy(home);
    const inode = statSync(home.socket).ino;
    const second = startToy(home);
    expect(await exitOf(second)).toBe(0);
    expect(home.log()).toContain("left other");
    expect(statSync(home.socket).ino).toBe(inode);
    expect((await status()).pid).toBe(child.pid);
    child.kill();
    await exitOf(child);
  });

  it("waits for a predecessor that is still leaving", async () => {
    const [first, second] = [await servingToy(home), startToy(home)];
    first.kill();
    await exitOf(first);
    const code = await Promise.race([exitOf(second), until(() => existsSync(home.socket)).then(() => "serves")]);
    if (code === 0) expect(home.log()).toContain("left other");
    else expect((await status()).pid).toBe(second.pid);
    second.kill();
    await exitOf(second);
  });

  it("answers nobody before it has recovered", async () => {
    const child = startToy(home, { words: ["slow-recover"] });
    await until(() => lockHolder(daemonLock(home.paths)) === child.pid);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(existsSync(home.socket)).toBe(false);
    await until(() => existsSync(home.socket));
    child.kill();
    await exitOf(child);
  });

  it("serves although the recovery failed, and says so in its log", async () => {
    const child = await servingToy(home, { words: ["recover-throws"] });
    expect((await status()).pid).toBe(child.pid);
    expect(home.log()).toContain("recovery failed: nothing to recover from");
    child.kill();
    await exitOf(child);
  });

  it("ends every session as failed, and itself with status 1, at an error that nobody expected; the log has it without secrets", async () => {
    const child = await servingToy(home);
    const [breaking, other] = [await session(), await session()];
    breaking.lease.send({ type: "answer", id: 1, text: "throw later" });
    expect(await exitOf(child)).toBe(1);
    expect(await other.lease.closed).toBeUndefined();
    expect(other.messages.at(-1)).toMatchObject({ type: "ended", view: { cause: "failed" } });
    expect(home.log()).toContain("a timer failed with [redacted]");
    expect(home.log()).not.toContain("wJalr");
    expectNothingLeft();
  });

  it("leaves although ending the sessions failed", async () => {
    const child = await servingToy(home, { words: ["end-throws"] });
    child.kill();
    expect(await exitOf(child)).toBe(0);
    expect(home.log()).toContain("ending the sessions failed: the end failed with [redacted]");
    expectNothingLeft();
  });

  it("closes every lease when it is killed without warning", async () => {
    const child = await servingToy(home);
    const { lease } = await session();
    child.kill("SIGKILL");
    expect(await lease.closed).toBeUndefined();
    await exitOf(child);
  });
});
