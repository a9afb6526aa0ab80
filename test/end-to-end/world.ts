// A whole small world for one end-to-end test: a home folder, a local cloud, and the real command. Used by every test of this folder.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { allProcesses, signal } from "../../src/core/process-tree.ts";
import { type LocalCloud, type LocalCloudOptions, startLocalCloud } from "../../src/localcloud/cloud.ts";

export const ROOT = join(import.meta.dirname, "..", "..");
export const BIN = join(ROOT, "bin", "agent-run.cjs");
export const FIXTURES = join(ROOT, "test", "fixtures");

export interface Result {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Record<string, string | undefined>;
  readonly cwd?: string;
  readonly input?: string | Buffer;
  readonly limitMs?: number;
}

export interface World extends AsyncDisposable {
  readonly cloud: LocalCloud;
  /** The human's home folder. */
  readonly home: string;
  /** AGENT_RUN_HOME. */
  readonly own: string;
  /** A folder to run agents in. */
  readonly project: string;
  /** The human's environment. */
  readonly env: Record<string, string>;
  /** Runs the command to its end, on pipes. */
  run(args: readonly string[], options?: RunOptions): Promise<Result>;
  /** Starts the command on pipes and leaves it running. */
  start(args: readonly string[], options?: RunOptions): ChildProcess;
  /** Folders and files that a session leaves while it runs. */
  sessionFolders(): string[];
  daemonPid(): Promise<number | undefined>;
}

/** Isolation is `none` unless a test asks for more, so that the tests of other things run on machines without bubblewrap too. */
export async function makeWorld(options: LocalCloudOptions & { config?: string } = {}): Promise<World> {
  const cloud = await startLocalCloud(options);
  const base = mkdtempSync(join(tmpdir(), "ar-"));
  const home = join(base, "home");
  const own = join(base, "own");
  const project = join(home, "project");
  for (const folder of [home, project, own, join(own, "config")]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const config = options.config ?? "";
  const isolation = config.includes("isolation") ? "" : 'isolation.level = "none"\n';
  writeFileSync(
    join(own, "config", "config.toml"),
    `profile = "demo"\n${config}\n[profiles.demo]\nrole = "${cloud.roleArn()}"\n${isolation}`,
  );
  const env: Record<string, string> = {
    HOME: home,
    PATH: [join(ROOT, "node_modules", ".bin"), process.env["PATH"]].join(delimiter),
    TERM: "xterm-256color",
    LANG: "C.UTF-8",
    SHELL: "/bin/sh",
    USER: "dev",
    AGENT_RUN_HOME: own,
    AWS_ACCESS_KEY_ID: cloud.admin.accessKeyId,
    AWS_SECRET_ACCESS_KEY: cloud.admin.secretAccessKey,
    AWS_ENDPOINT_URL: cloud.url,
    AWS_REGION: cloud.region,
    // Some machines that tests run on have one of their own.
    AWS_EC2_METADATA_SERVICE_ENDPOINT: "http://127.0.0.1:9",
  };
  const start = (args: readonly string[], run: RunOptions = {}): ChildProcess => {
    const merged = Object.fromEntries(Object.entries({ ...env, ...run.env }).filter(([, value]) => value !== undefined));
    return spawn(process.execPath, [BIN, ...args], { cwd: run.cwd ?? project, env: merged, stdio: ["pipe", "pipe", "pipe"] });
  };
  const run = async (args: readonly string[], options: RunOptions = {}): Promise<Result> => {
    const child = start(args, options);
    const output = { stdout: "", stderr: "" };
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
    child.stdin?.on("error", () => {});
    child.stdin?.end(options.input ?? "");
    const timer = setTimeout(() => child.kill("SIGKILL"), options.limitMs ?? 20_000);
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
      child.once("close", (...end) => resolve(end)),
    );
    clearTimeout(timer);
    return { code, signal, ...output };
  };
  const status = async (): Promise<{ pid: number } | null> => JSON.parse((await run(["daemon", "status", "--json"])).stdout || "null");
  return {
    cloud,
    home,
    own,
    project,
    env,
    run,
    start,
    sessionFolders() {
      const folder = join(own, "run");
      return existsSync(folder)
        ? readdirSync(folder)
            .filter((name) => name.startsWith("sess_"))
            .map((name) => join(folder, name))
        : [];
    },
    daemonPid: async () => (await status())?.pid,
    async [Symbol.asyncDispose]() {
      await run(["daemon", "stop"]);
      // Where a daemon was killed, another one may just be on its way, and find the world gone.
      await until(
        () => {
          const left = daemonsOf(own);
          for (const pid of left) signal(pid, "SIGTERM");
          return left.length === 0;
        },
        10_000,
        "the daemon to leave",
      );
      await cloud[Symbol.asyncDispose]();
      rmSync(base, { recursive: true, force: true });
    },
  };
}

/** The daemon of an AGENT_RUN_HOME, one that waits for its lock, and the shell that starts the next one. */
function daemonsOf(own: string): number[] {
  return allProcesses().flatMap(({ pid }) => {
    try {
      const [environ, words] = ["environ", "cmdline"].map((name) => readFileSync(`/proc/${pid}/${name}`, "latin1").split("\0"));
      return environ?.includes(`AGENT_RUN_HOME=${own}`) && words?.join(" ").includes(" daemon run") ? [pid] : [];
    } catch {
      // It is gone, or another user's.
      return [];
    }
  });
}

/** Resolves when the process is gone; throws after `limitMs`. */
export async function gone(pid: number, limitMs = 5000): Promise<void> {
  await until(() => !alive(pid), limitMs, `process ${pid} to end`);
}

export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/s.test(existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "latin1") : "");
  } catch {
    return false;
  }
}

/** Polls until `condition` holds; throws after `limitMs`, naming what it waited for. */
export async function until(condition: () => boolean | Promise<boolean>, limitMs: number, what: string): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${limitMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Whether a program is there; for `skipIf`, with the program named in the test's title. */
export function has(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" }).status === 0;
}

/** Whether bubblewrap works here: installed is not enough where user namespaces are switched off. */
export const hasBubblewrap =
  spawnSync("bwrap", ["--unshare-user", "--unshare-pid", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "true"], {
    stdio: "ignore",
  }).status === 0;
