// Private folders and processes, on the real file system and process table.
import { spawn } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { isSameFolder, privateFolder } from "../../src/core/folder.ts";
import { allProcesses, descendants, processInfo, signal } from "../../src/core/process-tree.ts";

const base = mkdtempSync(join(tmpdir(), "ar-folder-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const failsWith = (path: string, message: RegExp): void =>
  expect(() => privateFolder(path, "runtime-folder")).toThrow(
    expect.objectContaining({ code: "runtime-folder", message: expect.stringMatching(message), hint: expect.any(String) }),
  );

describe("two paths", () => {
  it("are one folder by whatever name, also where neither is there, and not where one cannot be looked at", () => {
    const [one, other, link] = ["first", "second", "alias"].map((name) => join(base, name)) as [string, string, string];
    for (const path of [one, other]) mkdirSync(path);
    symlinkSync(one, link);
    expect([isSameFolder(one, one), isSameFolder(one, link), isSameFolder(one, other)]).toEqual([true, true, false]);
    expect([isSameFolder(one, join(base, "gone")), isSameFolder(join(base, "gone"), join(base, "gone too"))]).toEqual([false, true]);
    const loop = join(base, "circle");
    symlinkSync(loop, loop);
    expect([isSameFolder(loop, one), isSameFolder(loop, loop)]).toEqual([false, true]);
  });
});

describe("private folder", () => {
  it("is made with mode 0700, with its parents", () => {
    const path = join(base, "a", "b");
    privateFolder(path, "runtime-folder");
    expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  it.runIf(process.platform === "linux")("is refused where none can be made, though the kernel says that its parent is not there", () => {
    failsWith("/proc/agent-run/run", /cannot create the folder/);
  });

  it("that others can enter is refused", () => {
    const path = join(base, "open");
    mkdirSync(path);
    chmodSync(path, 0o750);
    failsWith(path, /open to other users \(mode 750\)/);
  });

  it("that is a link or a file is refused", () => {
    mkdirSync(join(base, "target"), { mode: 0o700 });
    symlinkSync(join(base, "target"), join(base, "link"));
    failsWith(join(base, "link"), /is not a folder/);
    writeFileSync(join(base, "file"), "");
    failsWith(join(base, "file"), /cannot create|is not a folder/);
    failsWith(join(base, "file", "below"), /cannot create/);
    symlinkSync(join(base, "nowhere"), join(base, "dangling"));
    failsWith(join(base, "dangling"), /cannot create|is not a folder/);
  });

  it.skipIf(process.getuid?.() !== 0)("that belongs to somebody else is refused (needs root to make one)", () => {
    const path = join(base, "foreign");
    mkdirSync(path, { mode: 0o700 });
    chownSync(path, 12345, 12345);
    failsWith(path, /belongs to user 12345/);
  });
});

describe("process tree", () => {
  it("knows the processes below one, and that a pid of the past is another's", async () => {
    const child = spawn("sh", ["-c", "sleep 30 & sleep 30 & wait"], { stdio: "ignore" });
    const pid = child.pid ?? 0;
    // A moment after its start each is a copy of the shell.
    await expect.poll(() => descendants(pid).map(({ name }) => name), { timeout: 10_000, interval: 5 }).toEqual(["sleep", "sleep"]);
    expect(processInfo(pid)).toMatchObject({ pid, parent: process.pid });
    expect(allProcesses().some((info) => info.pid === process.pid)).toBe(true);
    const below = descendants(pid);
    for (const info of [...below, { pid }]) expect(signal(info.pid, "SIGKILL")).toBe(true);
    await new Promise((resolve) => child.once("exit", resolve));
    expect(processInfo(pid)).toBeUndefined();
    expect(signal(pid, "SIGKILL")).toBe(false);
  });
});
