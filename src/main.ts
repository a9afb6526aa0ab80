// The program: argv to command to exit status. The only reader of process.argv and process.env.
import { readlinkSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { startsRun } from "./cli/command-names.ts";

/** Set by the build: package.json's version, and what tells builds of it apart. */
declare const AGENT_RUN_VERSION: string;
/** This file, once it is built: CommonJS, because that starts faster. */
declare const __filename: string;

/** For bin/agent-run.cjs: whether an agent ran to its end, so that what was compiled for it is worth keeping. */
export const outcome = { ran: false };

async function main(argv: readonly string[]): Promise<number> {
  const own = process.env["AGENT_RUN_HOME"];
  // Two bundles that never meet (scripts/build.mjs): a run is to start as fast as it can.
  const { runCommandLine } = startsRun(argv[0]) ? await import("./cli/run-line.ts") : await import("./cli/cli.ts");
  return runCommandLine(argv, {
    // The daemon, which works elsewhere, must find the same folder.
    env: own ? { ...process.env, AGENT_RUN_HOME: resolve(own) } : process.env,
    cwd: workingFolder(),
    uid: process.getuid?.() ?? 0,
    packageFolder: dirname(dirname(__filename)),
    self: [process.execPath, __filename],
    version: AGENT_RUN_VERSION,
    streams: process,
    ran() {
      outcome.ran = true;
    },
  });
}

/** Where the folder is gone, its name: commands that need none work all the same. */
function workingFolder(): string {
  try {
    return process.cwd();
  } catch {
    return process.env["PWD"] || lastName();
  }
}

/** A shell that finds its folder gone may leave PWD empty (dash, which starts the installed command). */
function lastName(): string {
  try {
    return readlinkSync("/proc/self/cwd").replace(/ \(deleted\)$/, "");
  } catch {
    return "of the shell";
  }
}

const args = process.argv.slice(2);
void main(args).then((status) => {
  process.exitCode = status;
  // A run is over when its last word is said (outermost.ts): what Node would still close by itself, such as signal handlers, takes milliseconds.
  // A daemon that has left is over too, with what it still asks AWS.
  if (startsRun(args[0]) || (args[0] === "daemon" && args[1] === "run")) process.exit();
});
