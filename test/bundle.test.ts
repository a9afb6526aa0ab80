// What is installed: the launcher's one file holds nothing heavy, and an old Node is told what it needs.
import { execFileSync, spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const launcher = readFileSync(join(root, "dist", "main.cjs"), "utf8");

describe("the launcher's file", () => {
  it("holds nothing of a dependency: no AWS SDK, no React, no terminal emulator", () => {
    const held = [...launcher.matchAll(/^\s*\/\/ node_modules\/((?:@[^/]+\/)?[^/]+)\//gm)].map((match) => match[1]);
    expect([...new Set(held)]).toEqual([]);
  });

  it("loads none of Node's cryptography, which takes milliseconds", () => {
    expect(launcher).not.toMatch(/require\("(?:node:)?(?:crypto|https|tls)"\)/);
  });

  it("is small enough to be read at every launch", () => {
    expect(statSync(join(root, "dist", "main.cjs")).size).toBeLessThan(400_000);
  });

  it("loads no other for a run on pipes", () => {
    const folder = mkdtempSync(join(tmpdir(), "ar-bundle-"));
    const traced = spawnSync(
      process.execPath,
      ["--require", join(root, "test", "fixtures", "lists-loaded-files.cjs"), join(root, "bin", "agent-run.cjs"), "no-such-agent"],
      {
        encoding: "utf8",
        env: { PATH: "/usr/bin:/bin", HOME: folder, AGENT_RUN_HOME: folder },
      },
    );
    rmSync(folder, { recursive: true });
    expect(traced.status).toBe(127);
    const loaded = traced.stdout.split("\n").filter((line) => line.includes("/dist/"));
    expect(loaded).toEqual([]);
  });
});

describe("every file that is run", () => {
  it("leaves no `using` to Node, which before 24.5 never disposes what a function holds", () => {
    const files = globSync("dist/**/*.{cjs,js}", { cwd: root });
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter((file) => /\busing \w+ ?= ?/.test(readFileSync(join(root, file), "utf8")))).toEqual([]);
  });

  it("holds what stands in for `using` once, in the launcher's file too", () => {
    expect(readFileSync(join(root, "dist", "main.cjs"), "utf8").match(/__callDispose\d*=/g)).toHaveLength(1);
  });
});

describe("a Node that is too old", () => {
  it.each(["10.24.1", "18.20.4", "22.11.0"])("such as %s is told which one is needed and how to get it", (version) => {
    const script = `Object.defineProperty(process.versions, "node", { value: "${version}" }); require(${JSON.stringify(join(root, "bin", "agent-run.cjs"))})`;
    const { status, stderr } = spawnSync(process.execPath, ["-e", script], { encoding: "utf8" });
    expect(status).toBe(125);
    expect(stderr).toBe(
      `agent-run: error: agent-run needs Node 24 or newer, this is Node ${version}\n` +
        "agent-run: hint: install it with 'npm install --global --prefix ~/.local node@24', 'nvm install 24', or from https://nodejs.org\n",
    );
  });

  it("can read the file that says so: it holds nothing newer than ECMAScript 2015", () => {
    const file = readFileSync(join(root, "bin", "agent-run.cjs"), "utf8");
    expect(file).not.toMatch(/\?\.|\?\?|\bawait\b|\bimport\b|=>/);
    expect(() => execFileSync(process.execPath, ["--check", join(root, "bin", "agent-run.cjs")])).not.toThrow();
  });
});
