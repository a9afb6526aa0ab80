import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockHolder, takeLock } from "../../src/control/lock.ts";
import { processInfo } from "../../src/core/process-tree.ts";

let folder: string;
let base: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ar-lock-"));
  base = join(folder, "some.lock");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const contender = join(import.meta.dirname, "hold-lock.ts");

function contend(...words: string[]): ChildProcess {
  return spawn(process.execPath, [contender, base, ...words], { stdio: ["ignore", "pipe", "inherit"] });
}

async function output(child: ChildProcess): Promise<string> {
  let text = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  await once(child, "close");
  return text;
}

describe("takeLock", () => {
  it("gives a free lock, refuses it while it is held, and gives it again after it was released", () => {
    const lock = takeLock(base);
    expect(lock).toBeDefined();
    expect(lockHolder(base)).toBe(process.pid);
    expect(takeLock(base)).toBeUndefined();
    lock?.[Symbol.dispose]();
    expect(lockHolder(base)).toBeUndefined();
    using again = takeLock(base);
    expect(again).toBeDefined();
  });

  it("leaves one small link behind, however often it was taken", () => {
    for (let n = 0; n < 5; n += 1) takeLock(base)?.[Symbol.dispose]();
    expect(readdirSync(folder)).toEqual(["some.lock.5"]);
    expect(readlinkSync(`${base}.5`)).toBe("released");
  });

  it("takes over from a holder that was killed", async () => {
    const child = contend("hold");
    await once(child.stdout ?? child, "data");
    expect(takeLock(base)).toBeUndefined();
    expect(lockHolder(base)).toBe(child.pid);
    child.kill("SIGKILL");
    await once(child, "close");
    using lock = takeLock(base);
    expect(lock).toBeDefined();
  });

  it("is not fooled by another process that got the pid of a dead holder", () => {
    symlinkSync(`${process.pid} 12345`, `${base}.1`);
    expect(lockHolder(base)).toBeUndefined();
    using lock = takeLock(base);
    expect(lock).toBeDefined();
  });

  it.each(["", "0 ", "-1 5", "99999999999 5", "1e3 5", "nonsense"])("takes a link with the content '%s' for free", (content) => {
    symlinkSync(content || "x", `${base}.1`);
    using lock = takeLock(base);
    expect(lock).toBeDefined();
  });

  it("does not look at files with other names", () => {
    writeFileSync(`${base}.start.7`, "");
    writeFileSync(`${base}.x`, "");
    symlinkSync(`${process.pid} ${processInfo(process.pid)?.started}`, join(folder, "other.lock.9"));
    using lock = takeLock(base);
    expect(lock).toBeDefined();
    expect(readdirSync(folder)).toContain("some.lock.1");
  });

  it("gives an error when its folder is gone", () => {
    rmSync(folder, { recursive: true });
    expect(() => takeLock(base)).toThrow(expect.objectContaining({ code: "runtime-folder" }));
  });

  it("is held by one of many at any time, while holders are killed and others take over", async () => {
    const claims = join(folder, "claims");
    const children = Array.from({ length: 6 }, () => contend("race", claims));
    const killer = setInterval(() => children[Math.floor(Math.random() * 3)]?.kill("SIGKILL"), 400);
    const outputs = await Promise.all(children.map(output));
    clearInterval(killer);
    expect(outputs.join("")).not.toContain("two");
    expect(outputs.join("").match(/held/g)?.length ?? 0).toBeGreaterThan(20);
  });
});
