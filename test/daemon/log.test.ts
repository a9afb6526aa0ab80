import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Clock } from "../../src/core/clock.ts";
import { fileLog, streamLog } from "../../src/daemon/log.ts";

const clock: Clock = { now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 6), at: () => ({ [Symbol.dispose]: () => {} }) };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ar-log-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("the log", () => {
  it("writes one line an event, with its time, for the user alone", () => {
    const path = join(folder, "daemon.log");
    fileLog(path, clock).line("two\nlines \u001b[31mred\u009b");
    expect(readFileSync(path, "utf8")).toBe("2026-01-02T03:04:05.006Z two\\nlines ?[31mred?\n");
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("keeps one older file and never grows past its cap by more than a line", () => {
    const path = join(folder, "daemon.log");
    const log = fileLog(path, clock, { rotateAt: 1000 });
    for (let n = 0; n < 100; n += 1) log.line(`line ${n} ${"x".repeat(100)}`);
    expect(statSync(path).size).toBeLessThan(1200);
    expect(statSync(`${path}.1`).size).toBeLessThan(1200);
    expect(readFileSync(path, "utf8")).toContain("line 99 ");
  });

  it("cuts a line that is too long", () => {
    const path = join(folder, "daemon.log");
    fileLog(path, clock).line("word ".repeat(10_000));
    expect(statSync(path).size).toBeLessThan(4100);
  });

  it("takes out what looks like a key or a token, in a file and in a stream", () => {
    const stream = new PassThrough();
    const log = streamLog(stream, clock);
    log.line("key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY, token Xx9_-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL012 end");
    log.line("sess_a8f3b21c of arn:aws:sts::123456789012:assumed-role/agent-readonly/sess_a8f3b21c ended");
    expect(String(stream.read())).toBe(
      "2026-01-02T03:04:05.006Z key [redacted], token [redacted] end\n" +
        "2026-01-02T03:04:05.006Z sess_a8f3b21c of arn:aws:sts::123456789012:assumed-role/agent-readonly/sess_a8f3b21c ended\n",
    );
  });

  it("does not throw when it cannot write", () => {
    expect(() => fileLog(join(folder, "absent", "daemon.log"), clock).line("x")).not.toThrow();
  });
});
