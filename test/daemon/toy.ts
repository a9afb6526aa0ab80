// Starts the toy daemon in a temporary AGENT_RUN_HOME and talks to it by hand. Used by the tests of daemon and control.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OpenMessage } from "../../src/control/protocol.ts";
import { controlSocket, daemonLog, type Paths, resolvePaths } from "../../src/core/paths.ts";

export const toyDaemon = join(import.meta.dirname, "toy-daemon.ts");

export interface Home {
  readonly home: string;
  readonly paths: Paths;
  readonly socket: string;
  log(): string;
  /** Ends the daemons that a failed test left, and removes everything. */
  remove(): void;
}

/** What a launcher of the toy asks for. */
export const openToy: OpenMessage = {
  ...{ type: "open", actor: "toy", developer: "dev", cwd: "/" },
  ...{ overrides: {}, source: {}, interactive: false, dryRun: false },
};

const started = new Set<ChildProcess>();

export function temporaryHome(): Home {
  const home = mkdtempSync(join(tmpdir(), "ar-"));
  const paths = resolvePaths({ AGENT_RUN_HOME: home }, 0);
  return {
    home,
    paths,
    socket: controlSocket(paths),
    log: () => (existsSync(daemonLog(paths)) ? readFileSync(daemonLog(paths), "utf8") : ""),
    remove: () => {
      for (const child of started) child.kill("SIGKILL");
      started.clear();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

export interface ToyOptions {
  readonly version?: string;
  readonly idleMs?: number;
  readonly watchMs?: number;
  readonly words?: readonly string[];
}

export function startToy(home: Home, options: ToyOptions = {}): ChildProcess {
  const { version = "1.0.0", idleMs = 600_000, watchMs = 5000, words = [] } = options;
  const child = spawn(process.execPath, [toyDaemon, version, String(idleMs), String(watchMs), ...words], {
    cwd: "/",
    env: { PATH: "/usr/bin:/bin", AGENT_RUN_HOME: home.home },
    stdio: ["ignore", "ignore", "inherit"],
  });
  started.add(child);
  return child;
}

/** Resolves when the condition holds; the test's own time limit ends the waiting. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** The toy daemon, answering. */
export async function servingToy(home: Home, options: ToyOptions = {}): Promise<ChildProcess> {
  const child = startToy(home, options);
  await until(() => existsSync(home.socket) || child.exitCode !== null);
  return child;
}

export async function exitOf(child: ChildProcess): Promise<number | string | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode ?? child.signalCode;
}

/** A raw connection that collects what it is sent. */
export async function rawConnection(path: string): Promise<{ socket: Socket; text(): string; closed: Promise<void> }> {
  const socket = connect({ path });
  await once(socket, "connect");
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  socket.on("error", () => {});
  return { socket, text: () => text, closed: new Promise((resolve) => socket.once("close", () => resolve())) };
}

/** Sends raw bytes and gives all that came back until the daemon hung up. */
export async function exchange(path: string, bytes: string): Promise<string> {
  const connection = await rawConnection(path);
  connection.socket.write(bytes);
  await connection.closed;
  return connection.text();
}
