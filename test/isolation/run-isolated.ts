// Runs one command isolated, as whatever user it is started: `node run-isolated.ts '<json>'`. Started by the tests of this folder.
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createPrinter } from "../../src/cli/printer.ts";
import { resolvePaths } from "../../src/core/paths.ts";
import { prepareIsolation } from "../../src/isolation/isolate.ts";
import { spawnPlain } from "../../src/terminal/plain.ts";

export interface IsolatedRun {
  readonly command: readonly string[];
  readonly level?: "strict" | "standard";
  /** Served inside from the machine's loopback. */
  readonly ports?: readonly number[];
  readonly nested?: boolean;
  readonly network?: readonly string[];
  readonly project: string;
  readonly cwd?: string;
  readonly agent?: string;
  readonly session: string;
  readonly env: Readonly<Record<string, string>>;
  readonly allow?: readonly string[];
  readonly write?: readonly string[];
  readonly hide?: readonly string[];
  /** Print the pid of the outer sandbox process before the command's own output. */
  readonly announce?: boolean;
  /** Another installation than this checkout. */
  readonly packageFolder?: string;
  /** Hold the command until the sandbox was looked at, as the launcher does. */
  readonly checked?: boolean;
}

const run = JSON.parse(process.argv[2] ?? "{}") as IsolatedRun;
const uid = process.getuid?.() ?? 0;
const paths = resolvePaths(run.env, uid);
const folder = join(paths.runtime, run.session);
mkdirSync(folder, { recursive: true, mode: 0o700 });
mkdirSync(paths.state, { recursive: true, mode: 0o700 });
const isolation = await prepareIsolation({
  level: run.level ?? "standard",
  uid,
  project: run.project,
  cwd: run.cwd ?? run.project,
  agent: run.agent ?? "sh",
  paths,
  packageFolder: run.packageFolder ?? join(import.meta.dirname, "../.."),
  sessionFolder: folder,
  env: run.env,
  programs: [process.execPath],
  allow: run.allow ?? [],
  write: run.write ?? [],
  hide: run.hide ?? [],
  nested: run.nested,
  network: run.network,
  folder,
});
const [file = "", ...args] = run.command;
if (run.checked) {
  const agent = spawnPlain(
    { file, args, cwd: run.cwd ?? run.project, env: run.env },
    {
      wrap: (command) => isolation.wrap(command, run.ports),
      check: (pid) => isolation.check(pid),
      complain: createPrinter(process, {}).error,
      sealed: true,
    },
  );
  agent.release();
  process.exit((await agent.exited).code ?? 99);
}
const wrapped = isolation.wrap({ file, args, cwd: run.cwd ?? run.project, env: run.env }, run.ports);
const child = spawn(wrapped.file, wrapped.args, {
  cwd: wrapped.cwd,
  env: wrapped.env,
  stdio: wrapped.channel ? ["inherit", "inherit", "inherit", "ignore", "ipc"] : "inherit",
});
wrapped.channel?.attach(child);
if (run.announce) process.stderr.write(`pid ${child.pid}\n`);
child.on("exit", (code) => {
  for (const note of isolation.release(code !== 125)) process.stderr.write(`${note}\n`);
  process.exitCode = code ?? 99;
});
