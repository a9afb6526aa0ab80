// What bench/terminal/run.mjs runs an agent in: nothing, `script`, tmux, screen, and agent-run with everything on, which gets its role from the local cloud.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const root = join(import.meta.dirname, "..", "..");
const there = (program, flag = "--version") => spawnSync(program, [flag], { stdio: "ignore" }).error === undefined;
const quoted = (words) => words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");

/**
 * Opens a folder for the bench with the compiled harness, a local cloud and a configuration for it.
 * `BEFORE` is the folder of another build, to be measured beside this one.
 * `wrap` gives, for a wrapper's name, a function from an agent's command to the command that runs it in that wrapper.
 */
export async function openBench() {
  const folder = mkdtempSync(join(tmpdir(), "ar-bench-"));
  const harness = join(folder, "pty");
  const { status, stderr } = spawnSync("cc", ["-O2", "-o", harness, join(import.meta.dirname, "pty.c"), "-lutil"], { encoding: "utf8" });
  if (status !== 0) throw new Error(`cannot compile the harness: ${stderr ?? "no cc"}`);
  const cloud = spawn(process.execPath, [join(root, "dist", "main.cjs"), "local-cloud"], { stdio: ["pipe", "pipe", "inherit"] });
  const told = JSON.parse(await new Promise((resolve) => createInterface({ input: cloud.stdout }).once("line", resolve)));
  /** A home for agent-run, with a daemon of its own. */
  const homeOf = (name) => {
    const home = join(folder, name);
    mkdirSync(join(home, "config"), { recursive: true, mode: 0o700 });
    writeFileSync(join(home, "config", "config.toml"), `profile = "demo"\n[profiles.demo]\nrole = "${told.roleArn}"\n`);
    return home;
  };
  const env = {
    PATH: process.env["PATH"],
    HOME: folder,
    LANG: "C.UTF-8",
    SHELL: "/bin/sh",
    SCREENDIR: join(folder, "screen"),
    AGENT_RUN_HOME: homeOf("own"),
    AWS_ACCESS_KEY_ID: told.accessKeyId,
    AWS_SECRET_ACCESS_KEY: told.secretAccessKey,
    AWS_ENDPOINT_URL: told.url,
    AWS_REGION: told.region,
  };
  mkdirSync(env.SCREENDIR, { mode: 0o700 });
  const launcher = join(root, "bin", "agent-run.cjs");
  const before = process.env["BEFORE"];
  const homeBefore = before === undefined ? "" : homeOf("before");
  const isolation = spawnSync("bwrap", ["--version"]).status === 0 ? "standard" : "none";
  const options = ["--isolation", isolation, "--"];
  const socket = `bench-${process.pid}`;
  const wrap = {
    bare: (command) => command,
    ...(there("script") && { script: (command) => ["script", "-q", "-c", quoted(command), "/dev/null"] }),
    ...(there("tmux", "-V") && { tmux: (command) => ["tmux", "-L", socket, "-f", "/dev/null", "new-session", quoted(command)] }),
    ...(there("screen", "-v") && { screen: (command) => ["screen", "-c", "/dev/null", ...command] }),
    "node copy": (command) => [process.execPath, join(import.meta.dirname, "raw.mjs"), ...command],
    ...(before !== undefined && {
      before: (command) => [
        "env",
        `AGENT_RUN_HOME=${homeBefore}`,
        process.execPath,
        join(before, "bin", "agent-run.cjs"),
        ...options,
        ...command,
      ],
    }),
    "agent-run": (command) => [process.execPath, launcher, ...options, ...command],
  };
  return {
    folder,
    env,
    harness,
    wrap,
    [Symbol.dispose]() {
      spawnSync(process.execPath, [launcher, "daemon", "stop"], { env });
      if (before !== undefined) spawnSync(process.execPath, [launcher, "daemon", "stop"], { env: { ...env, AGENT_RUN_HOME: homeBefore } });
      spawnSync("tmux", ["-L", socket, "kill-server"], { env, stdio: "ignore" });
      cloud.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The processes of a wrapper that carry output: the child itself, and for tmux and screen the server that they started. proc(5). */
export function processesOf(name, pid) {
  if (name !== "tmux" && name !== "screen") return [pid];
  const servers = readdirSync("/proc").filter((entry) => {
    if (!/^\d+$/.test(entry) || Number(entry) <= pid) return false;
    try {
      const [, line] = /^Name:\t(.*)$/m.exec(readFileSync(`/proc/${entry}/status`, "utf8")) ?? [];
      return line === "tmux: server" || (name === "screen" && line === "screen");
    } catch {
      return false;
    }
  });
  return [pid, ...servers.map(Number)];
}
