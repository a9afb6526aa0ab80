// A PTY whose program has Node's channel to us besides: the program has the terminal, and nobody else keeps it open.
import { readdirSync, readlinkSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openPty } from "../../src/terminal/pty.ts";
import { pause } from "./outer.ts";

/** The agent's sides of PTYs that this process has open. */
const slaves = (): string[] =>
  readdirSync("/proc/self/fd")
    .map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return "";
      }
    })
    .filter((target) => target.startsWith("/dev/pts/"));

describe.skipIf(process.platform !== "linux")("a PTY with a channel", () => {
  it("is open in the program alone, has the size, and tells its end with the last output", async () => {
    const before = slaves();
    const parts: Buffer[] = [];
    const attached: number[] = [];
    const pty = openPty(
      {
        file: "/bin/sh",
        args: ["-c", "read line; stty size; seq 1000; echo end"],
        cwd: "/",
        env: { PATH: "/usr/bin:/bin", TERM: "xterm" },
        channel: { attach: (child) => void attached.push(child.pid ?? 0) },
      },
      { cols: 81, rows: 23 },
      (bytes) => parts.push(bytes),
    );
    expect(attached).toEqual([pty.pid]);
    expect(slaves()).toEqual(before);
    pty.resize({ cols: 70, rows: 20 });
    await pause(50);
    pty.write(Buffer.from("go\n"));
    expect(await pty.exited).toEqual({ code: 0 });
    expect(slaves()).toEqual(before);
    const text = Buffer.concat(parts).toString();
    expect(text).toContain("20 70\r\n1\r\n");
    expect(text.endsWith("1000\r\nend\r\n")).toBe(true);
  });
});
