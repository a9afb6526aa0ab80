// The agent without a terminal: bytes, signals, exit status, and programs that cannot be started.
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AgentRunError } from "../../src/core/error.ts";
import { resolveExecutable } from "../../src/terminal/executable.ts";
import { demoBundle, removeDemo } from "./demo-bundle.ts";
import { node, pause } from "./outer.ts";

let demo = "";
let folder = "";
beforeAll(async () => {
  demo = await demoBundle();
  folder = mkdtempSync(join(tmpdir(), "plain-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  removeDemo(demo);
});
const run = (args: readonly string[], input: Buffer | string = "") => spawnSync(node, [demo, ...args], { input, maxBuffer: 64_000_000 });

describe("an agent on pipes", () => {
  it("gets every byte and gives every byte", () => {
    const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7) & 0xff));
    const { stdout, stderr, status } = run(["cat"], bytes);
    expect({ same: bytes.equals(stdout), stderr: stderr.toString(), status }).toEqual({ same: true, stderr: "", status: 0 });
  });

  it.each([
    ["exit 0", 0],
    ["exit 7", 7],
    ["kill -TERM $$", 143],
    ["kill -KILL $$", 137],
  ])("ends with the status of '%s'", (script, status) => {
    expect(run(["sh", "-c", script]).status).toBe(status);
  });

  it("keeps stdout and stderr apart", () => {
    const { stdout, stderr } = run(["sh", "-c", "echo out; echo err >&2"]);
    expect([stdout.toString(), stderr.toString()]).toEqual(["out\n", "err\n"]);
  });

  it("gets a signal once", async () => {
    const child = spawn(
      node,
      [demo, "sh", "-c", 'n=0; trap "n=\\$((n+1))" INT; echo ready; while [ $n = 0 ]; do sleep 0.05; done; sleep 0.3; echo got $n'],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    let out = "";
    child.stdout.on("data", (bytes: Buffer) => {
      out += bytes.toString();
    });
    while (!out.includes("ready")) await pause(10);
    child.kill("SIGINT");
    expect(await new Promise((resolve) => child.on("exit", resolve))).toBe(0);
    expect(out).toContain("got 1");
  });

  it("loads neither Ink nor React, xterm.js or node-pty: nothing imports them but on demand", () => {
    const closure = new Map<string, string>();
    const visit = (path: string): void => {
      if (closure.has(path)) return;
      const text = readFileSync(path, "utf8");
      closure.set(path, text);
      for (const [, target] of text.matchAll(/^(?:import|export)[^"(]*"([^"]+)";$/gm)) {
        if (target?.startsWith(".")) visit(join(path, "..", target));
        else expect(target).toMatch(/^(node:|[a-z_/]+$)/);
      }
    };
    visit(demo);
    const text = [...closure.values()].join("\n");
    expect(text).toContain("// src/terminal/attach.ts");
    expect(text).not.toMatch(/node_modules\/(ink|react|@xterm|@lydell)/);
  });
});

describe("the program of a command", () => {
  const failure = (run: () => unknown): [string, number] => {
    try {
      run();
    } catch (error) {
      if (error instanceof AgentRunError) return [error.code, error.exitStatus];
      throw error;
    }
    throw new Error("nothing was thrown");
  };

  it("is found on the PATH, in order, and by path from the working folder", () => {
    const bin = join(folder, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "tool"), "#!/bin/sh\n", { mode: 0o755 });
    expect(resolveExecutable("tool", `/nowhere:${bin}`, "/")).toBe(join(bin, "tool"));
    expect(resolveExecutable("./bin/tool", undefined, folder)).toBe(join(folder, "bin/tool"));
    expect(resolveExecutable("tool", ":/nowhere", bin)).toBe(join(bin, "tool"));
  });

  it("that is not there is agent-not-found, 127", () => {
    expect(failure(() => resolveExecutable("no-such-program", "/usr/bin:/bin", "/"))).toEqual(["agent-not-found", 127]);
    expect(failure(() => resolveExecutable("./none", "/usr/bin", folder))).toEqual(["agent-not-found", 127]);
    expect(failure(() => resolveExecutable("", "/usr/bin", folder))).toEqual(["agent-not-found", 127]);
  });

  it("that is a folder, or has no x, is agent-not-executable, 126", () => {
    writeFileSync(join(folder, "data"), "x");
    chmodSync(join(folder, "data"), 0o644);
    expect(failure(() => resolveExecutable("./data", undefined, folder))).toEqual(["agent-not-executable", 126]);
    expect(failure(() => resolveExecutable(folder, undefined, "/"))).toEqual(["agent-not-executable", 126]);
    expect(failure(() => resolveExecutable("data", folder, "/"))).toEqual(["agent-not-executable", 126]);
  });

  it("is named by the launcher's exit status", () => {
    expect(run(["no-such-program"]).status).toBe(127);
    expect(run([join(folder, "data")]).status).toBe(126);
  });
});
