// A pretend machine of a developer for the sandbox tests: a home with planted secrets, a project, and a way to run a command isolated in it.
import { execFileSync, type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { IsolatedRun } from "./run-isolated.ts";

const RUNNER = join(import.meta.dirname, "run-isolated.ts");
/** For scripts of several programs on a busy machine. */
const RUN_LIMIT_MS = 90_000;
const isRoot = process.getuid?.() === 0;
const NOBODY = 65534;
const AS_NOBODY = ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];

const works = (argv: readonly string[]): boolean => spawnSync(argv[0] ?? "", argv.slice(1), { stdio: "ignore" }).status === 0;
const SANDBOX = ["bwrap", "--unshare-user", "--unshare-pid", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "true"];

export const hasBubblewrap = works(SANDBOX);
export const missing = hasBubblewrap ? "" : " (skipped: needs bubblewrap, apt-get install bubblewrap)";

export interface User {
  readonly name: string;
  readonly prefix: readonly string[];
  readonly uid: number;
}

/** Whoever runs the tests; when that is root, an ordinary user too, if this checkout is readable for one. */
export const users: readonly User[] = [
  { name: isRoot ? "root" : "an ordinary user", prefix: [], uid: process.getuid?.() ?? 0 },
  ...(isRoot &&
  hasBubblewrap &&
  works([...AS_NOBODY, ...SANDBOX.slice(0, -1), process.execPath, "-e", `require("fs").readFileSync(${JSON.stringify(RUNNER)})`])
    ? [{ name: "an ordinary user", prefix: AS_NOBODY, uid: NOBODY }]
    : []),
];

export class World implements Disposable {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), "world-")));
  readonly home = join(this.root, "home");
  readonly project = join(this.home, "code", "project");
  /** Each planted secret is `canary-` and 16 hex digits, by the file that holds it. */
  readonly canaries = new Map<string, string>();
  readonly session = `sess_${randomBytes(4).toString("hex")}`;
  readonly runtime = join(this.root, "runtime");
  readonly env: Record<string, string>;
  readonly #user: User;

  constructor(user: User) {
    this.#user = user;
    mkdirSync(this.project, { recursive: true });
    mkdirSync(this.runtime, { mode: 0o700 });
    this.env = {
      HOME: this.home,
      PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
      XDG_RUNTIME_DIR: this.runtime,
      LANG: "C.UTF-8",
      GIT_CONFIG_NOSYSTEM: "1",
    };
  }

  /** Writes a file below home (or at an absolute path), by default with a new canary in it. */
  plant(path: string, content?: string): string {
    const file = path.startsWith("/") ? path : join(this.home, path);
    const canary = `canary-${randomBytes(8).toString("hex")}`;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content ?? `secret = ${canary}\n`, { mode: 0o600 });
    if (content === undefined) this.canaries.set(path, canary);
    return file;
  }

  link(path: string, target: string): void {
    mkdirSync(dirname(join(this.home, path)), { recursive: true });
    symlinkSync(target, join(this.home, path));
  }

  git(...args: string[]): string {
    return execFileSync(
      "git",
      ["-c", "safe.directory=*", "-c", "user.name=t", "-c", "user.email=t@example.com", "-C", this.project, ...args],
      {
        encoding: "utf8",
        env: this.env,
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
  }

  /** Hands everything that was made so far to the user of this world. */
  settle(): void {
    const give = (path: string): void => {
      lchownSync(path, this.#user.uid, this.#user.uid === NOBODY ? NOBODY : (process.getgid?.() ?? 0));
      // Of a link nothing but itself: it may lead out of this world.
      if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) give(join(path, name));
    };
    if (isRoot) give(this.root);
    chmodSync(this.root, 0o755);
  }

  argv(command: readonly string[], more: Partial<IsolatedRun> = {}): string[] {
    const run: IsolatedRun = { command, project: this.project, session: this.session, env: this.env, ...more };
    return [...this.#user.prefix, process.execPath, RUNNER, JSON.stringify(run)];
  }

  /** Runs a shell script inside and waits. The session's files of an earlier run are removed first. */
  run(script: string, more: Partial<IsolatedRun> = {}): SpawnSyncReturns<string> {
    const [file = "", ...args] = this.argv(["/bin/sh", "-c", script], more);
    rmSync(join(this.runtime, "agent-run", this.session), { recursive: true, force: true });
    return spawnSync(file, args, { encoding: "utf8", env: { PATH: this.env["PATH"] ?? "" }, timeout: RUN_LIMIT_MS });
  }

  /** From here on all is as on a machine that gives namespaces to bubblewrap alone, which makes the mounts then. */
  leaveToBubblewrap(level = "standard"): void {
    const cache = join(this.home, `.local/state/agent-run/isolation-${level}.json`);
    const kept = readFileSync(cache, "utf8");
    if (!kept.includes('"mounts":true')) throw new Error(`not kept there: ${kept}`);
    writeFileSync(cache, kept.replace('"mounts":true', '"mounts":false'));
  }

  start(command: readonly string[], more: Partial<IsolatedRun> = {}): ReturnType<typeof spawn> {
    const [file = "", ...args] = this.argv(command, more);
    rmSync(join(this.runtime, "agent-run", this.session), { recursive: true, force: true });
    return spawn(file, args, { env: { PATH: this.env["PATH"] ?? "" }, stdio: ["ignore", "pipe", "pipe"] });
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
